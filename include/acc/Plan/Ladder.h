//===- Ladder.h - the sizes of SRAM that plans are made for ----*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A search that is not exhaustive may find a worse plan where it has more room.
// So plans are made for a fixed, geometric ladder of sizes only, the same for
// every chip, and a chip takes the best of all rungs that are no larger than its
// SRAM. What a chip can choose from is then also there for every chip with more
// SRAM: more SRAM never costs bytes, by construction. The price is that a size
// between two rungs is treated as the lower one.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_LADDER_H
#define ACC_PLAN_LADDER_H

#include <cstdint>

namespace accel {

/// Rungs from a power of two to the next: 128, 160, 192, 224, 256 KiB. A plan for each
/// rung below costs time, a coarse ladder costs SRAM on chips of odd sizes.
inline constexpr int64_t rungsPerOctave = 4;

/// The largest rung of at most `bytes`; 0 if there is none. Rungs are multiples of
/// 64 bytes.
int64_t rungAt(int64_t bytes, int64_t perOctave = rungsPerOctave);

/// The next smaller rung; 0 below the smallest.
inline int64_t rungBelow(int64_t rung, int64_t perOctave = rungsPerOctave) {
  return rung > 0 ? rungAt(rung - 1, perOctave) : 0;
}

} // namespace accel

#endif // ACC_PLAN_LADDER_H

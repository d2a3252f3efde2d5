//===- Ladder.cpp - the sizes of SRAM that plans are made for -------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Ladder.h"

#include "llvm/ADT/bit.h"

#include <algorithm>

int64_t accel::rungAt(int64_t bytes, int64_t perOctave) {
  constexpr int64_t granule = 64; // what buffers are rounded up to
  if (bytes < granule)
    return 0;
  int64_t octave = llvm::bit_floor(uint64_t(bytes));
  int64_t step = std::max(granule, octave / perOctave);
  return bytes / step * step;
}

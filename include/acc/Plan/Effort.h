//===- Effort.h - how far a plan is searched for --------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Effort is a number of steps, never of seconds: the same plan on every machine.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_EFFORT_H
#define ACC_PLAN_EFFORT_H

#include "acc/Plan/Ladder.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <optional>

namespace accel {

/// One search over the program.
struct SearchRound {
  int64_t longest; ///< operations of a group
  size_t width;    ///< states that are kept at each position
};

struct Effort {
  int64_t rungsPerOctave; ///< sizes of SRAM that plans are made for (Ladder.h)
  /// Each round keeps what it can improve on: more rounds never cost bytes.
  llvm::SmallVector<SearchRound, 4> rounds;
};

/// `fast`, `default` or `best`.
std::optional<Effort> effortNamed(llvm::StringRef name);

} // namespace accel

#endif // ACC_PLAN_EFFORT_H

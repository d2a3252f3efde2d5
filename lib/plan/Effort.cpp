//===- Effort.cpp - how far a plan is searched for ------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Effort.h"

std::optional<accel::Effort> accel::effortNamed(llvm::StringRef name) {
  // Most of the time goes into groups of many operations, most of what they save is
  // saved by those of a few: a residual block, a depthwise convolution between two
  // others.
  constexpr SearchRound few{6, 8}, usual{16, 16};
  if (name == "fast")
    return Effort{2, {few}};
  if (name == "default")
    return Effort{rungsPerOctave, {usual}};
  if (name == "best")
    return Effort{rungsPerOctave, {usual, {32, 64}, {48, 256}}};
  return std::nullopt;
}

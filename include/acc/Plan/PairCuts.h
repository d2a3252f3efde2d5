//===- PairCuts.h - short groups in two loops -------------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_PLAN_PAIR_CUTS_H
#define ACC_PLAN_PAIR_CUTS_H

#include "acc/Plan/GroupModel.h"

namespace accel {

/// A way to cut a group. Of one family the first that fits moves the fewest bytes.
struct PairCut {
  llvm::SmallVector<LoopAttr> stripes;
  bool rolling = false;
  unsigned family = 0;
};

/// Cuts of a group by two loops: rows outside of a few columns, which roll; and rows
/// outside of channels, where members do not sum over channels that the group
/// computes (`channels`). Large stripes of each family first.
std::vector<PairCut> pairCuts(const GroupOps &ops, bool channels);

/// What stripes need in SRAM at least, from the boxes of an iteration in the middle.
struct StripeSpace {
  /// Bytes of results that a member of the group reads or writes, by member.
  llvm::SmallVector<int64_t> results;
  /// Bytes of the part of an input that a stripe reads, by input; 0 for second
  /// operands and for what several members read.
  llvm::SmallVector<int64_t> inputs;
  llvm::SmallVector<unsigned> reader; ///< member that reads the input
};
StripeSpace leastSpace(const GroupOps &ops, llvm::ArrayRef<LoopAttr> stripes, bool rolling);

} // namespace accel

#endif // ACC_PLAN_PAIR_CUTS_H

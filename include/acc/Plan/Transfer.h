//===- Transfer.h - the dimensions of a DMA transfer ----------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A transfer moves a box between a stored tensor, with its layout of nested
// strides, and a buffer. Plan asks how many dimensions that takes, the tile stage
// writes them into a descriptor.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_TRANSFER_H
#define ACC_PLAN_TRANSFER_H

#include "acc/Plan/GroupModel.h"

namespace accel {

/// One iteration dimension of a transfer.
struct TransferStep {
  ExprId size;
  int64_t bound;     ///< largest size
  int64_t far, near; ///< bytes from one point to the next in the stored tensor and the buffer
  int64_t index;     ///< elements of the circular dimension per step, 0 if it is another
};

/// The dimensions, outermost first: those that do not move are left out, those that
/// continue each other on both sides are one. `strides`: of the buffer, in bytes;
/// `circular`: its circular dimension or -1.
llvm::SmallVector<TransferStep> transferSteps(const GroupModel &model, const Layout &layout,
                                              const Box &box, llvm::ArrayRef<int64_t> strides,
                                              int circular, int64_t elementBytes);

/// Why no descriptor holds the steps; empty if one does.
std::string transferLimit(llvm::ArrayRef<TransferStep> steps);

/// Strides in bytes of a dense buffer.
llvm::SmallVector<int64_t> rowMajor(llvm::ArrayRef<int64_t> extents, int64_t elementBytes);

} // namespace accel

#endif // ACC_PLAN_TRANSFER_H

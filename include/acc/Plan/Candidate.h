//===- Candidate.h - a schedule from a few choices --------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Searches think in policies: how the group is cut into stripes, and how each
// member runs inside of one. makeSchedule() writes the schedule that this means.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_CANDIDATE_H
#define ACC_PLAN_CANDIDATE_H

#include "acc/Plan/GroupModel.h"

namespace accel {

inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType()).getShape();
}

/// Bytes of a tensor.
int64_t tensorBytes(mlir::Type type);
inline int64_t tensorBytes(mlir::Value value) { return tensorBytes(value.getType()); }

/// Bytes that no schedule of the group avoids where the marked inputs and outputs
/// are resident.
int64_t compulsoryBytes(const GroupOps &ops, llvm::ArrayRef<bool> inputs,
                        llvm::ArrayRef<bool> outputs);

/// How one member runs inside of a stripe.
struct MemberPolicy {
  int64_t accDivisor = 1;              ///< tiles fill this part of the accumulators
  int64_t columns = 0;                 ///< of a matrix tile; 0: about square
  int64_t pixels = 0;                  ///< rows of a matrix tile; 0: what the accumulators hold
  int64_t reductionTile = 0;           ///< 0: not split
  bool columnsOuter = false;           ///< output channels outside of the rows' loops
  bool streamActivations = false;      ///< loaded inside of the own loops
  int64_t residentWeights = INT64_MAX; ///< second operands up to this size are loaded once
  int hoist[2] = {0, 0};               ///< A and B are loaded so many own loops further out
  bool leafOutput = false;             ///< output tile inside of the own loops
};

/// How the group is cut.
struct GroupPolicy {
  llvm::SmallVector<LoopAttr> stripes;
  int64_t depth = 2;                      ///< buffers that rotate
  llvm::SmallVector<bool> rollingMembers; ///< empty: none
  llvm::SmallVector<bool> rollingInputs;  ///< empty: none
  llvm::SmallVector<int64_t> inputLevels; ///< group loops around a load; empty: all
};

/// The schedule of a policy; `members` has one policy for each member, or one
/// for all.
ScheduleAttr makeSchedule(const GroupOps &ops, const Limits &limits, const GroupPolicy &group,
                          llvm::ArrayRef<MemberPolicy> members);

/// Columns and rows of the matrix tile that a policy means.
std::pair<int64_t, int64_t> matrixTile(mlir::Operation *op, const Limits &limits,
                                       const MemberPolicy &policy, llvm::ArrayRef<int64_t> extents);

/// Operations that stream their second operand: weights, or B of a product.
bool isSecondOperand(mlir::Operation *op, unsigned operand);

/// Tile sizes worth trying for a dimension, the whole first: those that cut it
/// into 1 to 8 and then into twice as many parts each.
llvm::SmallVector<int64_t> tilesOf(int64_t size);

} // namespace accel

#endif // ACC_PLAN_CANDIDATE_H

//===- Routine.h - a group as a function, and what it is called with ------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// After outlining, a group is a private function on tensors. Attributes of its
// arguments and results say where the tensors are:
//   accel.layout   modes in the stored tensor (the offset is given by the call)
//   accel.space    dram or sram (resident)
//   accel.kind     input, weights, output or workspace: the DRAM region
//   accel.reason   why its bytes move
// The function itself carries accel.schedule.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_ROUTINE_H
#define ACC_PLAN_ROUTINE_H

#include "acc/Plan/GroupModel.h"
#include "acc/Plan/Storage.h"
#include "accel/Forms.h"

namespace accel {

inline constexpr llvm::StringLiteral kTargetAttr = "accel.target";
inline constexpr llvm::StringLiteral kPredictionAttr = "accel.prediction";
inline constexpr llvm::StringLiteral kCompulsoryAttr = "accel.compulsory_bytes";
inline constexpr llvm::StringLiteral kBoundAttr = "accel.bound_bytes";
inline constexpr llvm::StringLiteral kBoundCurveAttr = "accel.bound_curve";
inline constexpr llvm::StringLiteral kNodeBoundsAttr = "accel.node_bounds";
/// Of a group, then of its call: what ExplainPlan.h says.
inline constexpr llvm::StringLiteral kAlternativesAttr = "accel.alternatives";
/// Of the module: bytes by tensor, node, group and cause, and the groups.
inline constexpr llvm::StringLiteral kExplanationAttr = "accel.explanation";
inline constexpr llvm::StringLiteral kGroupsAttr = "accel.groups";
/// Of a call: names of the operations whose results it has.
inline constexpr llvm::StringLiteral kProducersAttr = "accel.producers";
inline constexpr llvm::StringLiteral kSchedulesAttr = "accel.schedules";
/// Bytes of SRAM that the schedules were made for, at most the target's: addresses
/// stay below.
inline constexpr llvm::StringLiteral kPlannedSramAttr = "accel.planned_sram_bytes";
/// SRAM that plans may use, if plans that use all do not pack.
inline constexpr llvm::StringLiteral kUsableSramAttr = "accel.usable_sram_bytes";

/// Members, inputs and outputs of a group, and of an outlined one.
GroupOps describeGroup(GroupOp group);
GroupOps describeRoutine(mlir::func::FuncOp routine);

/// The limits of the target in the module attribute `accel.target` (a dictionary
/// with at least sram_bytes and acc_bytes); an error if there is none.
mlir::FailureOr<Limits> limitsOf(mlir::ModuleOp module);

/// `input`, `weights`, `output`, `workspace`.
llvm::StringRef kindName(RootKind kind);

/// A name for a stored tensor, unique in its program.
std::string rootName(const Storage &storage, unsigned root);

/// What a message calls a stored tensor: an input's or output's name, else whose
/// weights or result it is.
std::string rootTitle(const Storage &storage, unsigned root);

/// The name of an operation in a schedule file: of its ONNX node, or its kind.
std::string memberName(mlir::Operation *op);

/// Text that is equal for groups that do the same: operations, attributes,
/// types, how values are connected, and what `External`s say.
std::string structuralKey(const GroupOps &ops);

} // namespace accel

#endif // ACC_PLAN_ROUTINE_H

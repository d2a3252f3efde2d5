//===- Schedules.h - schedules as a file ----------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A schedule file is MLIR: a module with one attribute,
//
//   module attributes {accel.schedules = [
//     {members = ["conv1", "relu1"], schedule = #accel.schedule<version = 1, ...>},
//     ...]} {}
//
// one entry for each group in program order. `members` names the operations of
// the group (by ONNX node; a node that became several operations appears as
// often), `schedule` says how it runs. The planner takes both as they are, or
// refuses with the constraint that is broken.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_DRIVER_SCHEDULES_H
#define ACC_DRIVER_SCHEDULES_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"

namespace accel {

/// The text of such a file: the schedules of a module in grouped form.
std::string printSchedules(mlir::ModuleOp module);

/// Attaches the schedules of a file to a module in tensor form, as the attribute
/// that the planner obeys.
mlir::LogicalResult readSchedules(mlir::ModuleOp module, llvm::StringRef path);

/// What differs between the schedules of two modules in grouped form that are made
/// of the same program: cuts, loops, members, loads, residents, with the DRAM bytes
/// of each. Groups that are equal are counted, not printed.
std::string diffSchedules(mlir::ModuleOp a, llvm::StringRef nameA, mlir::ModuleOp b,
                          llvm::StringRef nameB);

} // namespace accel

#endif // ACC_DRIVER_SCHEDULES_H

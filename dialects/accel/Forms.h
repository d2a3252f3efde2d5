//===- Forms.h - what a module looks like between two stages ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pass may be run by hand on any module. Each asks first for the form that it
// works on, so that a wrong one is one located error and nothing was changed.
//
//===----------------------------------------------------------------------===//

#ifndef ACCEL_DIALECT_FORMS_H
#define ACCEL_DIALECT_FORMS_H

#include "accel/Accel.h"

#include "mlir/IR/BuiltinOps.h"

namespace accel {

/// Attributes of a routine (a scheduled function) and of its arguments and results.
inline constexpr llvm::StringLiteral kScheduleAttr = "accel.schedule";
inline constexpr llvm::StringLiteral kLayoutAttr = "accel.layout";
inline constexpr llvm::StringLiteral kSpaceAttr = "accel.space";
inline constexpr llvm::StringLiteral kRowsAttr = "accel.rows"; ///< of a part that is in SRAM
inline constexpr llvm::StringLiteral kKindAttr = "accel.kind";
inline constexpr llvm::StringLiteral kReasonAttr = "accel.reason";
/// Those of the operands and results of a group, as arrays of dictionaries.
inline constexpr llvm::StringLiteral kInputsAttr = "accel.inputs";
inline constexpr llvm::StringLiteral kOutputsAttr = "accel.outputs";

enum class Form {
  Nodes,    ///< ONNX nodes, some of them already in tensor form
  Tensor,   ///< structured operations on tensors of known shape
  Grouped,  ///< groups with schedules, and views between them
  Routines, ///< calls of scheduled functions, and views between them
  Tile,     ///< stored tensors and calls; functions of loops over buffers
};

/// @main, or one located error that says what is not as the form wants it.
mlir::FailureOr<mlir::func::FuncOp> requireForm(mlir::ModuleOp module, Form form);

} // namespace accel

#endif // ACCEL_DIALECT_FORMS_H

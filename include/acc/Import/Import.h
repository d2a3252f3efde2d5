//===- Import.h - ONNX files to the onnx dialect and back --------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only door to the ONNX library: its exceptions, protobuf classes and
// version rules stay inside lib/import.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_IMPORT_IMPORT_H
#define ACC_IMPORT_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <cstdint>
#include <string>
#include <vector>

namespace accel {

/// One `--dim NAME=N`. NAME is a symbolic dimension of the model, or
/// `input:axis` for one axis of one graph input.
struct DimBinding {
  std::string name;
  int64_t value = 0;
};

struct ImportOptions {
  std::vector<DimBinding> dims;
};

/// Splits the text of a `--dim` option at its last `=`.
mlir::FailureOr<DimBinding> parseDimBinding(llvm::StringRef text, std::string &error);

/// Reads a model of opset 7 to 27. Every error is one diagnostic that names the
/// file, the ONNX node and what to do; null is returned then. Large tensors stay
/// in their files (see onnx/WeightFiles.h).
mlir::OwningOpRef<mlir::ModuleOp> importOnnx(llvm::StringRef path, const ImportOptions &options,
                                             mlir::MLIRContext *context);

/// Fails, with one diagnostic that lists the flags to give, if graph inputs have
/// sizes that no `--dim` bound.
mlir::LogicalResult checkBound(mlir::ModuleOp module);

/// Writes `@main` as an ONNX file of opset 27. Weights are embedded while the
/// file stays below 1 GiB, otherwise they go to `<path>.data` beside it. Both
/// files are written aside and renamed.
mlir::LogicalResult exportOnnx(mlir::ModuleOp module, llvm::StringRef path);

/// Runs ONNX's type and shape inference for one node again, and refines the
/// types of its results (never widens them). `constantOf` gives the values of
/// operands that are known, null for the others. Fails, with a diagnostic, if
/// the operands contradict each other.
mlir::LogicalResult
inferOnnxOp(mlir::Operation *op,
            llvm::function_ref<mlir::DenseElementsAttr(mlir::Value)> constantOf);

/// Replaces a composite operator (HardSwish, Gelu, LayerNormalization, ...) by
/// ONNX's own function body, upgraded to opset 27, and one of com.microsoft by acc's. Fails without
/// a diagnostic if the operator has no body for these operand types.
mlir::LogicalResult expandOnnxFunction(mlir::RewriterBase &rewriter, mlir::Operation *op);

/// True if ONNX defines the operator by a function body, or acc does (operators of
/// com.microsoft that ONNX Runtime's tools write).
bool hasOnnxFunction(mlir::Operation *op);

/// Why an operator of com.microsoft was not expanded; empty for all others.
std::string whyNotExpanded(mlir::Operation *op);

/// Operators of com.microsoft that have a body, sorted.
std::vector<std::string> contributedOps();

} // namespace accel

#endif // ACC_IMPORT_IMPORT_H

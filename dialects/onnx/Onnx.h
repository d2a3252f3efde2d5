//===- Onnx.h - the onnx dialect, its types and attributes -------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Without the 200 operation classes (onnx/OnnxOps.h, 5 s to parse): most code
// works by operation name and attribute name.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_DIALECTS_ONNX_ONNX_H
#define ACC_DIALECTS_ONNX_ONNX_H

#include "onnx/WeightFiles.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"

#include "onnx/OnnxDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "onnx/OnnxTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "onnx/OnnxAttrs.h.inc"

namespace accel::onnx {

/// Whether a schema with these masks allows a type (see Generator.cpp).
bool isAllowed(mlir::Type type, uint64_t tensors, uint64_t sequences, uint64_t optionals,
               uint64_t optionalSequences, uint64_t others);
bool isTensorValue(mlir::Attribute attribute);

/// TensorProto.DataType of an element type and back; 0 and null if there is none.
int elementNumber(mlir::Type element);
mlir::Type elementType(int number, mlir::MLIRContext *context);

/// The one builder of every operation.
void buildOp(mlir::OperationState &state, mlir::TypeRange types, mlir::ValueRange operands,
             llvm::ArrayRef<mlir::NamedAttribute> attributes);

/// Builds `onnx.<kind>` by name.
mlir::Operation *createOp(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef kind,
                          mlir::TypeRange types, mlir::ValueRange operands,
                          llvm::ArrayRef<mlir::NamedAttribute> attributes = {});

/// Attributes that the operator does not have; what its subgraphs take and give.
mlir::LogicalResult verifyAttributes(mlir::Operation *op);
mlir::LogicalResult verifySubgraphs(mlir::Operation *op);

/// The trait of every operation.
template <typename Concrete> class Operator : public mlir::OpTrait::TraitBase<Concrete, Operator> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) { return verifyAttributes(op); }
  static mlir::LogicalResult verifyRegionTrait(mlir::Operation *op) { return verifySubgraphs(op); }
};

} // namespace accel::onnx

#endif // ACC_DIALECTS_ONNX_ONNX_H

//===- OnnxOps0.cpp - operation classes, first half, and registration -----===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Halves, so that two cores share the most expensive code of the compiler.
//
//===----------------------------------------------------------------------===//

#include "onnx/OnnxOps.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace accel::onnx;

#define GET_OP_DEFS_0
#include "onnx/OnnxOps.cpp.inc"

void OnnxDialect::registerOps() { registerOnnxDialectOperations(this); }

LogicalResult WeightOp::verify() {
  auto type = dyn_cast<ShapedType>(getResult().getType());
  if (!type || !type.hasStaticShape())
    return emitOpError("needs a result type with a static shape");
  if (auto file = dyn_cast<FileAttr>(getValue())) {
    if (int64_t bytes = rawByteSize(type); bytes != file.getLength())
      return emitOpError() << "refers to " << file.getLength() << " bytes, but " << type << " has "
                           << bytes;
    return success();
  }
  auto elements = dyn_cast<ElementsAttr>(getValue());
  if (!elements || elements.getShapedType() != type)
    return emitOpError() << "has a value that is not of type " << type;
  return success();
}

LogicalResult YieldOp::verify() {
  if ((*this)->getParentOp()->getName().getDialectNamespace() != "onnx")
    return emitOpError("ends subgraphs of onnx operations only");
  return success();
}

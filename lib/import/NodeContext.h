//===- NodeContext.h - one operation as ONNX's library sees it ---*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values are named by position: operand 3 is `i3`, result 0 is `o0`; an absent
// one is the empty name.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_LIB_IMPORT_NODECONTEXT_H
#define ACC_LIB_IMPORT_NODECONTEXT_H

#include "Model.h"

namespace accel::import {

struct NodeContext {
  ::onnx::NodeProto node;
  std::vector<::onnx::TypeProto> types; // of inputs; empty where absent or unknown

  mlir::LogicalResult init(mlir::Operation *op);
};

} // namespace accel::import

#endif // ACC_LIB_IMPORT_NODECONTEXT_H

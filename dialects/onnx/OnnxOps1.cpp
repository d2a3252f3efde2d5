//===- OnnxOps1.cpp - operation classes, second half ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "onnx/OnnxOps.h"

using namespace mlir;
using namespace accel::onnx;

#define GET_OP_DEFS_1
#include "onnx/OnnxOps.cpp.inc"

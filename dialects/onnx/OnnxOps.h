//===- OnnxOps.h - classes of all ONNX operations ----------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_DIALECTS_ONNX_ONNXOPS_H
#define ACC_DIALECTS_ONNX_ONNXOPS_H

#include "onnx/Onnx.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"

#define GET_OP_CLASSES
#include "onnx/OnnxOps.h.inc"

#endif // ACC_DIALECTS_ONNX_ONNXOPS_H

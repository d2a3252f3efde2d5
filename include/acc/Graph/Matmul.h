//===- Matmul.h - operands of matrix products --------------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_GRAPH_MATMUL_H
#define ACC_GRAPH_MATMUL_H

#include "acc/Graph/Lowering.h"

namespace accel {

/// [B..., M, K] and [B'..., K, N], each B' 1 or B.
struct MatmulOperands {
  mlir::Value lhs, rhs;
};
/// Views of numpy-style matmul operands of any rank. The product, [B..., M, N],
/// reshapes to the ONNX result: batches of size 1 are left out.
MatmulOperands matmulOperands(Lowering &lowering, mlir::Value a, mlir::Value b);
/// [K, N], or [N, K] if `transposed`, as [1, K, N].
mlir::Value gemmWeight(Lowering &lowering, mlir::Value weight, bool transposed);

} // namespace accel

#endif // ACC_GRAPH_MATMUL_H

//===- Weights.h - constants become chunks of the artifact -----*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_LIB_EMIT_WEIGHTS_H
#define ACC_LIB_EMIT_WEIGHTS_H

#include "acc/Emit/Emit.h"

namespace accel::emit {

/// Registers the packed bytes of a constant with the builder; they are computed
/// when it writes.
mlir::LogicalResult addWeights(TensorOp tensor, const rt::TensorInfo &info,
                               const WeightReader &reader, rt::ArtifactBuilder &builder);

} // namespace accel::emit

#endif

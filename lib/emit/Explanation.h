//===- Explanation.h - what reports are made of ----------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_LIB_EMIT_EXPLANATION_H
#define ACC_LIB_EMIT_EXPLANATION_H

#include "Nodes.h"

#include "mlir/IR/BuiltinOps.h"

namespace accel::emit {

/// `accel.explanation` and `accel.groups` (explain-traffic) and what lies where in
/// SRAM (assign-addresses), as tables of the artifact. `tensors` is by name.
mlir::LogicalResult addExplanation(mlir::ModuleOp module, const NodeTable &nodes,
                                   const llvm::StringMap<uint32_t> &tensors,
                                   rt::ArtifactData &data);

} // namespace accel::emit

#endif

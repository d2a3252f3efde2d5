//===- Emit.h - a program becomes an artifact ------------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_EMIT_EMIT_H
#define ACC_EMIT_EMIT_H

#include "acc/Codegen/Encode.h"
#include "acc/runtime/artifact.h"

#include <functional>

namespace accel::emit {

/// The bytes of a constant that is a reference into a mapped file (row major, as
/// `type` says); they must stay valid while the artifact is written. Null if the
/// attribute is of no kind that it knows.
using WeightReader = std::function<mlir::FailureOr<llvm::ArrayRef<char>>(mlir::Attribute value,
                                                                         mlir::ShapedType type)>;

struct EmitOptions {
  WeightReader reader; ///< dense attributes need none
  std::string producer = "acc";
};

/// Fills the builder from the tensors of @main, the module's attributes and the
/// encoded routines. Weights are read when the builder writes.
///
/// Module attributes: accel.target (name, digest, sram_bytes, acc_bytes,
/// imem_bytes, queue_depth, dram_burst_bytes; all numbers also become figures),
/// accel.prediction ([{tensor, reason, bytes, write}]), accel.compulsory_bytes,
/// accel.bound_bytes, and what assign-addresses adds; of a routine: accel.macs and
/// accel.macs_of (whose they are).
mlir::LogicalResult emitArtifact(mlir::ModuleOp module, const codegen::EncodedProgram &program,
                                 const EmitOptions &options, rt::ArtifactBuilder &builder);

} // namespace accel::emit

#endif

//===- VectorEncoding.h - micro-programs as bytes --------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_CODEGEN_VECTORENCODING_H
#define ACC_CODEGEN_VECTORENCODING_H

#include "acc/Codegen/VectorPrograms.h"

namespace accel::codegen {

/// The bytes that a VEC instruction's program has in the artifact.
mlir::FailureOr<std::vector<uint8_t>> encodeVectorProgram(const VectorProgram &program,
                                                          mlir::Location location);

} // namespace accel::codegen

#endif

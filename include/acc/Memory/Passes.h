//===- Passes.h - passes of the memory stage -------------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_MEMORY_PASSES_H
#define ACC_MEMORY_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace accel::memory {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "acc/Memory/Passes.h.inc"

} // namespace accel::memory

#endif

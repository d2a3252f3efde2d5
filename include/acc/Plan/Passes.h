//===- Passes.h - the plan stage ------------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_PLAN_PASSES_H
#define ACC_PLAN_PASSES_H

#include "mlir/Pass/Pass.h"

namespace accel {
#define GEN_PASS_DECL
#include "acc/Plan/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "acc/Plan/Passes.h.inc"
} // namespace accel

#endif // ACC_PLAN_PASSES_H

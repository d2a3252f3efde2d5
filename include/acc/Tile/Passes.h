//===- Passes.h - the tile stage ------------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_TILE_PASSES_H
#define ACC_TILE_PASSES_H

#include "mlir/Pass/Pass.h"

namespace accel {
#define GEN_PASS_DECL
#include "acc/Tile/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "acc/Tile/Passes.h.inc"
} // namespace accel

#endif // ACC_TILE_PASSES_H

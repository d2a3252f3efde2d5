//===- Passes.td - the tile stage -----------------------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_TILE_PASSES_TD
#define ACC_TILE_PASSES_TD

include "mlir/Pass/PassBase.td"

def TileGroups : Pass<"tile-groups", "mlir::ModuleOp"> {
  let summary = "turns scheduled routines into loops over buffers and engine operations";
  let description = [{
    Each routine becomes the loop nest of its group model: buffers and loads at
    their levels, kernels, bodies, stores. @main becomes stored tensors, their
    byte offsets and calls. Buffers come from the schedule, so that no
    bufferisation has to guess and no copy can slip in. The pass makes no
    choices: another schedule gives other loops and the same bits.
  }];
  let dependentDialects = ["accel::AccelDialect", "mlir::scf::SCFDialect",
                           "mlir::arith::ArithDialect", "mlir::memref::MemRefDialect",
                           "mlir::math::MathDialect", "mlir::func::FuncDialect"];
}

#endif

//===- Registration.cpp - dialects and passes of acc ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Driver/Registration.h"

#include "acc/Driver/Pipelines.h"
#include "acc/Graph/Passes.h"
#include "acc/Memory/Passes.h"
#include "acc/Plan/Passes.h"
#include "acc/Tile/Passes.h"
#include "accel/Accel.h"
#include "isa/Isa.h"
#include "onnx/Onnx.h"

#include "mlir/IR/DialectRegistry.h"

void accel::registerDialects(mlir::DialectRegistry &registry) {
  registry.insert<accel::AccelDialect, accel::instr::IsaDialect, accel::onnx::OnnxDialect,
                  mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::math::MathDialect,
                  mlir::memref::MemRefDialect, mlir::scf::SCFDialect>();
}

void accel::registerPasses() {
  accel::registerGraphPasses();
  accel::registerGraphPipeline();
  accel::registerPlanPasses();
  accel::registerTilePasses();
  accel::memory::registerMemoryPasses();
  accel::registerPipelines();
}

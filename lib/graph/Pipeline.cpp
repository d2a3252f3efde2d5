//===- Pipeline.cpp - the graph stage in order ----------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Passes.h"

#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace accel;

void accel::buildGraphPipeline(OpPassManager &manager, const GraphOptions &options) {
  manager.addPass(createSimplifyOnnx());
  manager.addPass(createRecoverPatterns());
  manager.addPass(createRecoverQdq());
  manager.addPass(createLowerOnnx());
  manager.addPass(createCleanGraph());
  manager.addPass(createRecoverAttention());
  manager.addPass(createPropagateTransposes());
  manager.addPass(createFuseEpilogues());
  manager.addPass(createCleanGraph());
  manager.addPass(createNarrowStrides());
  manager.addPass(createSinkBranches());
  if (options.precision != "f32") {
    SetPrecisionOptions precision;
    precision.type = options.precision;
    manager.addPass(createSetPrecision(precision));
    manager.addPass(createCleanGraph());
  }
  manager.addPass(createVerifyGraph());
}

namespace {
struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<std::string> precision{*this, "precision", llvm::cl::desc("f32, f16 or bf16"),
                                llvm::cl::init("f32")};
};
} // namespace

void accel::registerGraphPipeline() {
  PassPipelineRegistration<PipelineOptions>(
      "acc-graph", "the graph stage: onnx dialect to tensor form",
      [](OpPassManager &manager, const PipelineOptions &options) {
        buildGraphPipeline(manager, GraphOptions{options.precision});
      });
}

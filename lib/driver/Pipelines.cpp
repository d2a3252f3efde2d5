//===- Pipelines.cpp - the passes of each stage, in order ------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Driver/Pipelines.h"

#include "acc/Memory/Passes.h"
#include "acc/Tile/Passes.h"

#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace accel;

void accel::addGroups(OpPassManager &manager, const PlanGroupsOptions &options) {
  manager.addPass(createBoundTraffic());
  manager.addPass(createPlanGroups(options));
}

void accel::addRoutines(OpPassManager &manager) {
  manager.addPass(createOutlineGroups());
  manager.addPass(createWritePrediction());
  manager.addPass(createExplainTraffic());
}

/// Index arithmetic of stripes folds to constants and is shared before registers
/// are given out.
void accel::addTile(OpPassManager &manager) {
  manager.addPass(createTileGroups());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void accel::addMemory(OpPassManager &manager) { manager.addPass(memory::createAssignAddresses()); }

namespace {
struct PlanPipelineOptions : PassPipelineOptions<PlanPipelineOptions> {
  Option<int64_t> budget{*this, "budget", llvm::cl::desc("percent of the SRAM that plans may use"),
                         llvm::cl::init(100)};
  Option<std::string> effort{*this, "effort", llvm::cl::desc("fast, default or best"),
                             llvm::cl::init("default")};
  Option<int64_t> seed{*this, "seed", llvm::cl::desc("not 0: random legal schedules (tests)"),
                       llvm::cl::init(0)};
};
} // namespace

void accel::registerPipelines() {
  PassPipelineRegistration<PlanPipelineOptions>(
      "acc-plan", "the plan stage: tensor form to scheduled routines and their prediction",
      [](OpPassManager &manager, const PlanPipelineOptions &options) {
        PlanGroupsOptions groups;
        groups.budget = options.budget;
        groups.effort = options.effort;
        groups.seed = options.seed;
        addGroups(manager, groups);
        addRoutines(manager);
      });
  PassPipelineRegistration<>("acc-tile", "the tile stage: routines to loops over buffers", addTile);
  PassPipelineRegistration<>("acc-memory", "the memory stage: every buffer gets its address",
                             addMemory);
}

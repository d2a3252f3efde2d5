//===- Pipelines.h - the passes of each stage, in order --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `acc compile` runs, by hand:
//
//   acc-opt net.mlir --acc-graph --acc-plan --acc-tile --acc-memory
//
//===----------------------------------------------------------------------===//

#ifndef ACC_DRIVER_PIPELINES_H
#define ACC_DRIVER_PIPELINES_H

#include "acc/Plan/Passes.h"

#include "mlir/Pass/PassManager.h"

namespace accel {

/// Groups, schedules, resident tensors: the grouped form, whose schedules
/// `--schedule-out` writes.
void addGroups(mlir::OpPassManager &manager, const PlanGroupsOptions &options);
/// Routines and the prediction; ends the plan stage.
void addRoutines(mlir::OpPassManager &manager);
void addTile(mlir::OpPassManager &manager);
void addMemory(mlir::OpPassManager &manager);

/// acc-plan (with the options of plan-groups), acc-tile and acc-memory; acc-graph
/// belongs to the graph stage.
void registerPipelines();

} // namespace accel

#endif // ACC_DRIVER_PIPELINES_H

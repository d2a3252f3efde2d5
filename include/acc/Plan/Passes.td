//===- Passes.td - the plan stage -----------------------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_PLAN_PASSES_TD
#define ACC_PLAN_PASSES_TD

include "mlir/Pass/PassBase.td"

def PlanGroups : Pass<"plan-groups", "mlir::ModuleOp"> {
  let summary = "chooses groups, schedules and resident tensors";
  let description = [{
    The data-movement minimiser. Cuts the operations of @main into groups that
    run in one loop nest, gives each group a schedule, and keeps tensors between
    groups in SRAM where that saves more DRAM bytes than the smaller space costs
    the groups that run meanwhile. Nothing but grouping and attributes changes.
    It runs before outlining because a group is planned with its surroundings,
    and never changes a result bit.

    Schedules given in the module attribute `accel.schedules` (the text that
    `--schedule-out` writes) are obeyed exactly or refused with the constraint
    that they break.
  }];
  let options = [
    Option<"budget", "budget", "int64_t", "100",
           "percent of the SRAM that plans may use (less after packing failed)">,
    Option<"seed", "seed", "int64_t", "0",
           "not 0: random legal groups and schedules instead of good ones (tests)">,
  ];
  let statistics = [
    Statistic<"numGroups", "groups", "groups made">,
    Statistic<"numSearches", "searches", "groups whose schedules were searched">,
  ];
  let dependentDialects = ["accel::AccelDialect"];
}

def OutlineGroups : Pass<"outline-groups", "mlir::ModuleOp"> {
  let summary = "makes a routine of each group, one for equal groups";
  let description = [{
    Groups that do the same with the same schedule, layouts and memories become
    calls of one function; only addresses differ. From here on the cost of
    compiling grows with the number of different layers, not with depth.
  }];
  let statistics = [Statistic<"numRoutines", "routines", "different groups">];
  let dependentDialects = ["accel::AccelDialect", "mlir::func::FuncDialect"];
}

def WritePrediction : Pass<"write-prediction", "mlir::ModuleOp"> {
  let summary = "writes how many DRAM bytes each tensor will move, and why";
  let description = [{
    From the access functions of the scheduled routines, as the attribute
    `accel.prediction`. No later pass may change it; the simulator refuses a run
    whose counted bytes differ.
  }];
  let dependentDialects = ["accel::AccelDialect"];
}

#endif

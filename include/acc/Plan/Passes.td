//===- Passes.td - the plan stage -----------------------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_PLAN_PASSES_TD
#define ACC_PLAN_PASSES_TD

include "mlir/Pass/PassBase.td"

def BoundTraffic : Pass<"bound-traffic", "mlir::ModuleOp"> {
  let summary = "writes the fewest DRAM bytes that any schedule could move";
  let description = [{
    The compulsory bytes, and a lower bound for the target's SRAM and accumulators
    that holds whatever is grouped, tiled, kept or computed again (docs/bounds.md),
    as `accel.compulsory_bytes` and `accel.bound_bytes`, and the share of each
    ONNX node in both as `accel.node_bounds`. Inputs and constants get the bytes of
    them that are touched as `accel.compulsory_bytes`. It runs on the tensor form, before
    planning, because nothing that planning decides (not even the copies that it
    inserts) may lower or raise what is physically possible. Nothing else changes.

    `chip-bytes` asks for the bound at other sizes of SRAM and accumulators
    together, as `accel.bound_curve`: the lower edge of a ski-slope.
  }];
  let options = [
    ListOption<"chipBytes", "chip-bytes", "int64_t", "also the bound for these bytes on the chip">,
  ];
  let dependentDialects = ["accel::AccelDialect"];
}

def AnnotateOracle : Pass<"annotate-oracle", "mlir::ModuleOp"> {
  let summary = "writes what an exhaustive search finds for operations and short chains";
  let description = [{
    The fewest DRAM bytes with the schedule that moves them, as `accel.oracle` of
    each conv, matmul, pool and map (alone, from DRAM to DRAM), and as the module's
    `accel.oracle_bytes` where @main is a chain of up to four of them. Tests and
    people measure the planner by it; no compilation does. It counts by formulae of
    its own, so a mistake in the planner's search or cost is not repeated here.
  }];
  let statistics = [Statistic<"numOperations", "operations", "operations that were searched">];
  let dependentDialects = ["accel::AccelDialect"];
}

def PlanGroups : Pass<"plan-groups", "mlir::ModuleOp"> {
  let summary = "chooses groups, schedules and resident tensors";
  let description = [{
    The data-movement minimiser. One search decides how the operations of @main
    are cut into groups that run in one loop nest, the schedule of each group, and
    which tensors stay in SRAM between groups, so that the fewest DRAM bytes move
    in all. Nothing but grouping and attributes changes.
    It runs before outlining because a group is planned with its surroundings,
    and never changes a result bit.

    More SRAM never costs bytes: plans are made for the sizes of a ladder that is
    the same for every chip (acc/Plan/Ladder.h), and the best of all rungs that the
    SRAM holds is taken. `accel.planned_sram_bytes` says which, and addresses stay
    below it.

    Schedules given in the module attribute `accel.schedules` (the text that
    `--schedule-out` writes) are obeyed exactly or refused with the constraint
    that they break.
  }];
  let options = [
    Option<"budget", "budget", "int64_t", "100",
           "percent of the SRAM that plans may use (less after packing failed)">,
    Option<"effort", "effort", "std::string", "\"default\"",
           "how far to search: fast, default or best (acc/Plan/Effort.h)">,
    Option<"longest", "longest", "int64_t", "0",
           "operations of a group at most (after code did not fit the instruction memory); "
           "0: as many as the effort says">,
    Option<"seed", "seed", "int64_t", "0",
           "not 0: random legal groups and schedules instead of good ones (tests)">,
  ];
  let statistics = [
    Statistic<"numGroups", "groups", "groups made">,
    Statistic<"numSearches", "searches", "groups whose schedules were searched">,
    Statistic<"numModels", "models", "group models built: the effort spent">,
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

def ExplainTraffic : Pass<"explain-traffic", "mlir::ModuleOp"> {
  let summary = "writes why each byte of the prediction moves";
  let description = [{
    Divides what the prediction says by group, node and cause, as
    `accel.explanation`, and lists the groups with their alternatives as
    `accel.groups`: what reports are made of (docs/explain.md). Compulsory bytes are
    those of `bound-traffic`, given to the first group that moves them. What a group
    moves beyond the box of its operand is halo, alignment or the same again; the
    constraint behind it and behind what moves between groups was found by
    `plan-groups`. Same group model as `write-prediction`, and nothing else
    changes.
  }];
  let dependentDialects = ["accel::AccelDialect"];
}

#endif

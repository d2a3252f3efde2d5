//===- PlanToMemory.cpp - plans until one fits ----------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A plan counts bytes of SRAM; whether its buffers find addresses shows when they
// are packed, and whether its routines fit the instruction memory when they are
// encoded. Where one does not, it is refused and the next best is tried. What
// packs does not depend on the chip but on the rung (Ladder.h) that a plan is for,
// so a plan that fits some chip fits every chip with more SRAM.
//
//===----------------------------------------------------------------------===//

#include "Compiler.h"

#include "acc/Driver/Schedules.h"
#include "acc/Plan/Routine.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace accel;

LogicalResult Compiler::passes(ModuleOp onModule, llvm::function_ref<void(OpPassManager &)> add) {
  PassManager manager(context, ModuleOp::getOperationName());
  manager.enableVerifier(options.verifyEach);
  add(manager);
  return manager.run(onModule);
}

int64_t accel::excessCode(ModuleOp module, const codegen::EncodedProgram &program) {
  auto target = module->getAttrOfType<DictionaryAttr>(kTargetAttr);
  auto memory = target ? target.getAs<IntegerAttr>("imem_bytes") : IntegerAttr();
  int64_t largest = 0;
  for (const codegen::EncodedRoutine &routine : llvm::drop_begin(program.routines))
    largest = std::max(largest, program.codeBytes(routine));
  return memory && largest > memory.getInt() ? largest : 0;
}

PlanGroupsOptions Compiler::planOptions() const {
  PlanGroupsOptions planning;
  planning.seed = options.planSeed;
  planning.effort = options.planEffort;
  return planning;
}

int64_t Compiler::sramBytes() const {
  FailureOr<Limits> limits = limitsOf(*module);
  return succeeded(limits) ? limits->sramBytes : 0;
}

/// Groups of half as many operations; false if there are no shorter ones.
static bool shorten(PlanGroupsOptions &planning) {
  planning.longest = planning.longest > 0 ? planning.longest / 2 : 10;
  return planning.longest > 0;
}

/// What the prediction of a module adds up to.
static int64_t predictedBytes(ModuleOp module) {
  int64_t total = 0;
  if (auto prediction = module->getAttrOfType<ArrayAttr>(kPredictionAttr))
    for (Attribute entry : prediction)
      total += cast<DictionaryAttr>(entry).getAs<IntegerAttr>("bytes").getInt();
  return total;
}

/// Plan (as `plan` says, else as the module's schedules, the seed or the search
/// say), tile, memory and, with `checkCode`, codegen. The result is `attempted`:
/// where --emit stops before memory, the module as it was there. `quiet`: that
/// buffers do not pack is not said.
Fit Compiler::attempt(const PlanGroupsOptions &planning, const ProgramPlan *plan, bool quiet,
                      bool checkCode) {
  encoded.reset();
  attempted = module->clone();
  OwningOpRef<ModuleOp> ended;
  if (plan) {
    (*attempted)->setAttr(kSchedulesAttr, plan->schedules);
    (*attempted)->setAttr(kPlannedSramAttr, Builder(context).getI64IntegerAttr(plan->sramBytes));
    (*attempted)->setAttr(kUsableSramAttr, Builder(context).getI64IntegerAttr(plan->usableBytes));
  }
  if (!options.from || *options.from < Stage::Plan) {
    if (!plan) // else it was entered when the plan was searched
      enter(Stage::Plan);
    if (failed(passes(*attempted, [&](OpPassManager &manager) { addGroups(manager, planning); })))
      return Fit::Error;
    if (!options.scheduleOut.empty())
      schedules = printSchedules(*attempted);
    if (failed(passes(*attempted, addRoutines)))
      return Fit::Error;
  }
  if (endsAt(Stage::Plan))
    ended = attempted->clone();
  if (!options.from || *options.from <= Stage::Plan) {
    enter(Stage::Tile);
    if (failed(passes(*attempted, addTile)))
      return Fit::Error;
  }
  if (endsAt(Stage::Tile))
    ended = attempted->clone();
  enter(Stage::Memory);
  Fit fit = Fit::Good;
  {
    ScopedDiagnosticHandler handler(context,
                                    [&](Diagnostic &) { return success(quiet || bool(ended)); });
    if (failed(passes(*attempted, addMemory)))
      fit = Fit::NotPacked;
  }
  if (fit == Fit::Good && checkCode) {
    if (failed(generate(*attempted)))
      return Fit::Error;
    if (excessCode(*attempted, *encoded))
      fit = Fit::TooMuchCode;
  }
  if (ended) {
    encoded.reset(); // of a later stage
    attempted = std::move(ended);
  }
  return fit;
}

/// The best plan that fits a chip with `sram` bytes and the DRAM bytes that it is
/// predicted to move. What `attempted` is where the plan was not known before.
LogicalResult Compiler::findFit(int64_t sram, FittingPlan &found) {
  PlanGroupsOptions planning = planOptions();
  std::optional<ProgramPlan> refused;
  constexpr unsigned most = 40; // a program that does not pack at all
  constexpr ptrdiff_t longProgram = 10'000;
  FailureOr<func::FuncOp> function = requireForm(*module, Form::Tensor);
  if (failed(function))
    return failure();
  Block &main = function->getBody().front();
  for (unsigned tries = 0; tries < most; ++tries) {
    std::unique_ptr<Planner> &planner = planners[planning.longest];
    enter(Stage::Plan);
    if (!planner) {
      planner = std::make_unique<Planner>(*module, planning);
      for (const ProgramPlan &plan : refusals[planning.longest])
        planner->refuse(plan);
    }
    std::optional<ProgramPlan> plan = planner->best(sram);
    // What is known of a long program has the size of the program: it is found again
    // if it is asked for.
    if (std::distance(main.begin(), main.end()) > longProgram)
      planner.reset();
    if (!plan && !refused)
      return failure();
    if (!plan)
      break;
    auto [it, isNew] = outcomes.try_emplace({planning.longest, plan->schedules});
    FittingPlan &outcome = it->second;
    if (isNew) {
      outcome.plan = *plan;
      outcome.fit = attempt(planning, &*plan, /*quiet=*/true, /*checkCode=*/true);
      if (outcome.fit == Fit::Good)
        outcome.dramBytes = predictedBytes(*attempted);
    }
    switch (outcome.fit) {
    case Fit::Error:
      return failure();
    case Fit::NotPacked:
      refusals[planning.longest].push_back(*plan);
      if (planner)
        planner->refuse(*plan);
      refused = plan;
      continue;
    case Fit::TooMuchCode:
      if (shorten(planning))
        continue;
      [[fallthrough]]; // said by codegen
    case Fit::Good:
      found = outcome;
      return success();
    }
  }
  // Say what does not pack, unless nobody asked for addresses.
  found.fit = attempt(planning, &*refused, /*quiet=*/false, /*checkCode=*/false);
  return success(endsAt(Stage::Plan) || endsAt(Stage::Tile));
}

LogicalResult Compiler::planToMemory() {
  bool plans = !options.from || *options.from < Stage::Plan;
  LogicalResult result = success();
  if (!plans || !options.schedule.empty()) {
    Fit fit = attempt(planOptions(), nullptr, /*quiet=*/false, /*checkCode=*/false);
    bool early = endsAt(Stage::Plan) || endsAt(Stage::Tile);
    result = success(fit == Fit::Good || (fit == Fit::NotPacked && early));
  } else if (options.planSeed) {
    // Random plans do not know of fragmentation: less SRAM until one packs.
    PlanGroupsOptions planning = planOptions();
    Fit fit;
    while ((fit = attempt(planning, nullptr, /*quiet=*/planning.budget > 40,
                          /*checkCode=*/true)) != Fit::Good) {
      if (fit == Fit::TooMuchCode && shorten(planning))
        continue;
      if (fit == Fit::NotPacked && planning.budget > 40)
        planning.budget -= planning.budget > 80 ? 5 : 10;
      else
        break;
    }
    result = success(fit == Fit::Good || fit == Fit::TooMuchCode);
  } else {
    FittingPlan found;
    result = findFit(sramBytes(), found);
  }
  module = std::move(attempted);
  return result;
}

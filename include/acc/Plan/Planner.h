//===- Planner.h - plans of a program for chips of several sizes -*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One search serves all sizes of SRAM: what is known about a group does not
// depend on the size, so a further size costs little. Used by the driver, which
// plans again where packing failed, and by `acc explore`.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_PLANNER_H
#define ACC_PLAN_PLANNER_H

#include "acc/Plan/Passes.h"

#include <memory>

namespace accel {

/// A plan of a whole program.
struct ProgramPlan {
  int64_t sramBytes;         ///< of the rung (Ladder.h) whose chip it is packed for
  int64_t dramBytes;         ///< that its groups move
  mlir::ArrayAttr schedules; ///< as in the module attribute `accel.schedules`
  int64_t usableBytes;       ///< SRAM that plans may use: less than there is after refusals
};

class Planner {
public:
  /// Plans the program of `module` in tensor form, which stays as it is; `seed` of
  /// the options is not looked at.
  Planner(mlir::ModuleOp module, const PlanGroupsOptions &options);
  ~Planner();

  /// The plan with the fewest DRAM bytes of all rungs up to `sram` bytes (without
  /// those that were refused). Never more bytes for more SRAM. If there is none, a
  /// diagnostic says why.
  std::optional<ProgramPlan> best(int64_t sram);

  /// The plan last found for a rung does not pack in it: the next one for this rung
  /// uses less of the SRAM.
  void refuse(const ProgramPlan &plan);

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace accel

#endif // ACC_PLAN_PLANNER_H

//===- ExplainPlan.h - what else a plan could have been --------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each group of a finished plan, whoever made it: the alternatives with
// their bytes, and for what it moves beyond the compulsory bytes the constraint
// that forbids to keep it on the chip, and how much more SRAM would lift it. The
// answers come from the tables of the search (ScheduleSearch), so they are exact
// in the space that the search knows.
//
// They stand as the attribute accel.alternatives on groups, bytes throughout:
//
//   {version = 1, members = ["conv1", "pool1"],   ONNX nodes
//    least = 4096, space = 131072,                DRAM bytes with what is resident; SRAM for it
//    inside = VERDICT,                            what it moves more than once itself
//    inputs = [VERDICT, ...], outputs = [...],    what moves between groups; {} if nothing does
//    alternatives = [{what = "...", now = 123, bytes = 99, more = 512, obstacle = "..."}]}
//
// VERDICT is {cause = #accel.cause<capacity>, more = 512, missed = 0, text = "..."};
// `more` is the bytes of SRAM that would remove the cause, 0 if no SRAM does;
// `missed` (of `inside`) what the best schedule for that space moves less.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_EXPLAIN_PLAN_H
#define ACC_PLAN_EXPLAIN_PLAN_H

#include "acc/Plan/ScheduleSearch.h"
#include "acc/Plan/Storage.h"

#include <functional>
#include <vector>

namespace accel {

/// A plan before its groups are built, and what a planner can be asked.
struct PlanView {
  struct Group {
    unsigned first, last; ///< operations of `program`
    int64_t dramBytes, sramBytes;
    int64_t space; ///< SRAM that residents leave
  };
  llvm::ArrayRef<mlir::Operation *> program; ///< compute operations in order
  std::vector<Group> groups;                 ///< of all of them, in order
  const Storage &storage;
  ScheduleSearch &search;
  /// Members, inputs and outputs of operations first..last.
  std::function<GroupOps(unsigned first, unsigned last)> describe;
  /// Why operation `last` cannot be in a group with first..last-1; empty if it can.
  std::function<llvm::StringRef(unsigned first, unsigned last)> obstacle;
  std::function<bool(unsigned root)> isResident;
  int64_t sram;      ///< that plans may use
  int64_t wholeSram; ///< of the target; more than `sram` after packing failed
  int64_t longest;   ///< operations of a group
};

/// The attribute of each group.
std::vector<mlir::DictionaryAttr> explainPlan(const PlanView &view, mlir::MLIRContext *context);

} // namespace accel

#endif // ACC_PLAN_EXPLAIN_PLAN_H

//===- Oracle.h - the fewest bytes of an operation, by trying everything --===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The least DRAM bytes that schedules of single operations and short chains move,
// found by exhaustive integer search, to measure the planner by. It knows nothing
// of the planner's search, and counts by formulae of its own. E.g. for a matmul
// whose loops over tiles of N and M stand around the loads of A and B:
//   MN + MK*ceil(N/tn) + KN*ceil(M/tm)   elements.
// The rules (granules, accumulators, buffers of whole 64 bytes, what may be
// circular) are those of GroupModel.h; the schedule that it names has a model,
// and that model counts the same bytes (a test). docs/bounds.md says over which
// schedules it is exact.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_ORACLE_H
#define ACC_PLAN_ORACLE_H

#include "acc/Plan/GroupModel.h"

namespace accel {

/// A group of one or more operations with the schedule that moves the fewest bytes.
struct OracleGroup {
  unsigned first = 0, count = 1; ///< operations of the chain
  int64_t bytes = 0;             ///< DRAM
  int64_t sramBytes = 0;         ///< of its buffers, without resident tensors
  bool inputResident = false, resultResident = false;
  ScheduleAttr schedule;
};

struct OraclePlan {
  int64_t bytes = 0;
  llvm::SmallVector<OracleGroup> groups;
};

/// Longest chain that is searched.
inline constexpr unsigned kOracleChain = 4;

/// The best schedule of one operation, operands and result in DRAM unless said
/// to be resident (then they cost neither bytes nor space here). Nothing with the
/// reason in `why` if the operation is not covered or nothing fits.
std::optional<OracleGroup> oracleOf(mlir::Operation *op, const Limits &limits, std::string &why,
                                    bool inputResident = false, bool resultResident = false);

/// The best plan of operations that each read the one before: every way to cut
/// them into groups, every tile size of a group, and what stays resident between
/// groups.
std::optional<OraclePlan> oracleOf(llvm::ArrayRef<mlir::Operation *> chain, const Limits &limits,
                                   std::string &why);

/// The position among `op`'s operands of the result of `before`, if it may follow
/// it in a chain.
std::optional<unsigned> chainOperand(mlir::Operation *before, mlir::Operation *op);

} // namespace accel

#endif // ACC_PLAN_ORACLE_H

//===- NestSearch.h - the best loop nest of one operation -------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_LIB_PLAN_NEST_SEARCH_H
#define ACC_LIB_PLAN_NEST_SEARCH_H

#include "acc/Plan/ScheduleSearch.h"

namespace accel {

/// The schedule of one operation on the matrix engine with the fewest DRAM bytes,
/// then the fewest instructions. `covered` says whether the search knows how the
/// operation reads its operands (grouped convolutions are not covered); `need` is
/// the SRAM of the smallest nest, in bytes.
std::optional<ScheduledGroup> searchNests(const GroupOps &ops, const Limits &limits, bool &covered,
                                          int64_t &need);

} // namespace accel

#endif // ACC_LIB_PLAN_NEST_SEARCH_H

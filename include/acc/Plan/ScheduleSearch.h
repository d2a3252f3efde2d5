//===- ScheduleSearch.h - a good schedule for a given group ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_PLAN_SCHEDULE_SEARCH_H
#define ACC_PLAN_SCHEDULE_SEARCH_H

#include "acc/Plan/GroupModel.h"

namespace accel {

/// A schedule with what it costs. Costs are integers, so that plans do not
/// depend on the host.
struct ScheduledGroup {
  ScheduleAttr schedule;
  int64_t dramBytes = 0;
  int64_t sramBytes = 0;
  int64_t steps = 0; ///< instructions executed, about
};

/// Tries stripes, tile sizes, loop orders, resident or streamed operands and
/// single or double buffers; returns the one with the fewest DRAM bytes, then the
/// fewest instructions. If nothing fits, `error` tells what the smallest attempt
/// needed.
std::optional<ScheduledGroup> searchSchedule(const GroupOps &ops, const Limits &limits,
                                             std::string &error);

/// Any of the search's candidates that are legal, chosen by `seed`.
std::optional<ScheduledGroup> sampleSchedule(const GroupOps &ops, const Limits &limits,
                                             uint64_t seed, std::string &error);

/// Any schedule of the space, chosen by `seed`: tests run models under random
/// schedules and expect the same bits.
std::optional<ScheduledGroup> randomSchedule(const GroupOps &ops, const Limits &limits,
                                             uint64_t seed, std::string &error);

/// What a schedule costs.
ScheduledGroup costOf(ScheduleAttr schedule, const GroupModel &model);

} // namespace accel

#endif // ACC_PLAN_SCHEDULE_SEARCH_H

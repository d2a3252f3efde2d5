//===- BlockSearch.h - one operation in blocks ------------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_LIB_PLAN_BLOCK_SEARCH_H
#define ACC_LIB_PLAN_BLOCK_SEARCH_H

#include "acc/Plan/ScheduleSearch.h"

namespace accel {

/// The best schedule of a single operation without stripes: its own loops tile
/// every dimension, also the reduction. `enough`: bytes at which to stop. If
/// nothing fits, `need` is the SRAM of the smallest attempt.
std::optional<ScheduledGroup> searchBlocks(const GroupOps &ops, const Limits &limits,
                                           int64_t enough, int64_t &need);

/// Any candidate of that search that is legal, chosen by `seed`.
std::optional<ScheduledGroup> sampleBlocks(const GroupOps &ops, const Limits &limits,
                                           uint64_t seed);

} // namespace accel

#endif // ACC_LIB_PLAN_BLOCK_SEARCH_H

//===- ScheduleSearch.h - a good schedule for a given group ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a group costs in a given space, asked often and answered once: groups of
// equal structure share an answer. Groups run in stripes (StripeTable); a single
// operation can also run in blocks, without a group loop (BlockSearch).
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_SCHEDULE_SEARCH_H
#define ACC_PLAN_SCHEDULE_SEARCH_H

#include "acc/Plan/StripeTable.h"

#include "llvm/ADT/StringMap.h"

#include <map>
#include <memory>

namespace accel {

/// A schedule with what it costs. Costs are integers, so that plans do not
/// depend on the host.
struct ScheduledGroup {
  ScheduleAttr schedule;
  int64_t dramBytes = 0;
  int64_t sramBytes = 0;
  int64_t steps = 0; ///< instructions executed, about
};

class ScheduleSearch {
public:
  explicit ScheduleSearch(const Limits &limits) : limits(limits) {}

  /// What is known about groups of one structure.
  class Entry;

  /// Groups are planned for a chip with so much SRAM from here on. What is known
  /// about them stays; true if groups have other entries from here on.
  bool setSram(int64_t bytes);

  /// The entry of a group; whether its externals are resident does not matter.
  /// It stays valid as long as the search.
  Entry &entry(const GroupOps &ops);

  /// The best schedule in `sram` bytes, with the residents that `ops` names; the
  /// fewest DRAM bytes, then the fewest instructions. If nothing fits, `error`
  /// tells what the smallest attempt needed.
  std::optional<ScheduledGroup> find(const GroupOps &ops, int64_t sram, std::string &error);

  uint64_t searches() const { return entries.size(); } ///< entries made
  uint64_t models() const;                             ///< models built: the effort spent

private:
  Limits limits;
  llvm::StringMap<std::unique_ptr<Entry>> entries;
};

class ScheduleSearch::Entry {
public:
  struct Cost {
    int64_t dramBytes, steps;
  };

  /// What the group costs in `sram` bytes; nothing if it does not fit. For single
  /// operations the space is rounded down to one of a few sizes.
  std::optional<Cost> cost(llvm::ArrayRef<bool> inputs, llvm::ArrayRef<bool> outputs, int64_t sram);

private:
  friend class ScheduleSearch;
  Entry(const GroupOps &ops, const Limits &limits);
  /// The best schedule in blocks in exactly `sram` bytes.
  const std::optional<ScheduledGroup> &
  blocks(llvm::ArrayRef<bool> inputs, llvm::ArrayRef<bool> outputs, int64_t sram, int64_t &need);
  GroupOps with(llvm::ArrayRef<bool> inputs, llvm::ArrayRef<bool> outputs) const;

  const GroupOps ops;   ///< of the first group with this structure
  const Limits &limits; ///< of the chip that is planned for: the search's
  StripeTable table;
  struct Blocks {
    std::optional<ScheduledGroup> best;
    int64_t need;
  };
  using Key = std::pair<std::vector<bool>, int64_t>; ///< residents and space
  std::map<Key, Blocks> blockMemo;
  std::map<std::pair<Key, int64_t>, std::optional<Cost>> costMemo; ///< also by SRAM of the chip
};

/// The best schedule of one group; see ScheduleSearch::find.
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

//===- RandomSchedule.cpp - any schedule of the space ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests: a legal schedule that no policy would make. It starts at a candidate
// of the search and takes random steps, of which those stay that are legal: loops
// added, removed, swapped or with another tile, of the group and of its members;
// rolling, depth, level, place and anchor of everything.
//
//===----------------------------------------------------------------------===//

#include "acc/Plan/ScheduleSearch.h"

#include <random>

using namespace mlir;
using namespace accel;

namespace {
class Walk {
public:
  Walk(const GroupOps &ops, const Limits &limits, uint64_t seed)
      : ops(ops), limits(limits), context(ops.members[0]->getContext()), random(seed) {}

  ScheduledGroup run(ScheduledGroup start, unsigned steps);

private:
  int64_t below(int64_t bound) { return bound > 0 ? int64_t(random() % uint64_t(bound)) : 0; }
  bool edit(SmallVectorImpl<LoopAttr> &loops, ArrayRef<int64_t> sizes, Operation *op);
  ScheduleAttr edited(ScheduleAttr schedule);

  const GroupOps &ops;
  const Limits &limits;
  MLIRContext *context;
  std::mt19937_64 random;
};
} // namespace

/// One change to a list of loops over dimensions of `op`.
bool Walk::edit(SmallVectorImpl<LoopAttr> &loops, ArrayRef<int64_t> sizes, Operation *op) {
  auto legal = [&](int64_t dim, int64_t tile) {
    int64_t granule = tileGranule(op, dim);
    return (tile + granule - 1) / granule * granule;
  };
  switch (below(4)) {
  case 0: { // another tile
    if (loops.empty())
      return false;
    LoopAttr &loop = loops[below(loops.size())];
    if (loop.getDim() >= int64_t(sizes.size()))
      return false;
    loop = LoopAttr::get(context, loop.getDim(),
                         legal(loop.getDim(), 1 + below(sizes[loop.getDim()])));
    return true;
  }
  case 1: { // one loop more, a tile of the sizes that happen to be legal more often
    int64_t dim = below(sizes.size());
    int64_t tile = below(2) ? 1 + below(sizes[dim]) : std::max<int64_t>(1, sizes[dim] / 32 * 16);
    loops.insert(loops.begin() + below(loops.size() + 1),
                 LoopAttr::get(context, dim, legal(dim, tile)));
    return true;
  }
  case 2: // one less
    if (loops.empty())
      return false;
    loops.erase(loops.begin() + below(loops.size()));
    return true;
  default: // another order
    if (loops.size() < 2)
      return false;
    std::swap(loops[below(loops.size())], loops[below(loops.size())]);
    return true;
  }
}

ScheduleAttr Walk::edited(ScheduleAttr schedule) {
  SmallVector<LoopAttr> loops(schedule.getLoops());
  SmallVector<MemberAttr> members(schedule.getMembers());
  SmallVector<OperandAttr> inputs(schedule.getInputs());
  int64_t anchor = schedule.getAnchor();
  switch (below(inputs.empty() ? 3 : 5)) {
  case 0:
    if (below(4) == 0)
      anchor = below(members.size());
    else if (!edit(loops,
                   cast<RankedTensorType>(ops.members[anchor]->getResult(0).getType()).getShape(),
                   ops.members[anchor]))
      return schedule;
    break;
  case 1:
  case 2: {
    unsigned m = below(members.size());
    MemberAttr member = members[m];
    SmallVector<LoopAttr> own(member.getLoops());
    bool rolling = member.getRolling();
    int64_t level = member.getLevel(), depth = member.getDepth(), inplace = member.getInplace();
    switch (below(6)) {
    case 0:
      rolling = !rolling;
      break;
    case 1:
      depth = 1 + below(3);
      break;
    case 2:
      inplace = below(ops.members[m]->getNumOperands() + 1) - 1;
      break;
    case 3:
      level = below(loops.size() + own.size() + 1);
      break;
    default:
      if (!edit(own, iterationSizes(ops.members[m]), ops.members[m]))
        return schedule;
    }
    members[m] = MemberAttr::get(context, own, rolling, level, depth, inplace);
    break;
  }
  default: {
    OperandAttr &input = inputs[below(inputs.size())];
    int64_t level = input.getLevel(), depth = input.getDepth();
    bool rolling = input.getRolling();
    switch (below(3)) {
    case 0:
      level = below(loops.size() + 4);
      break;
    case 1:
      depth = 1 + below(3);
      break;
    default:
      rolling = !rolling;
      level = rolling ? loops.size() : level;
    }
    input = OperandAttr::get(context, level, depth, rolling);
  }
  }
  return ScheduleAttr::get(context, schedule.getVersion(), anchor, loops, members, inputs,
                           schedule.getResident(), schedule.getTakes(), schedule.getParts());
}

ScheduledGroup Walk::run(ScheduledGroup at, unsigned steps) {
  // Tiles of one element are legal, but a test has no time for millions of them.
  int64_t most = 64 * std::max<int64_t>(at.steps, 64);
  for (unsigned step = 0; step < steps; ++step) {
    ScheduleAttr next = edited(at.schedule);
    std::string why;
    std::optional<GroupModel> model = GroupModel::build(ops, next, limits, why);
    if (!model)
      continue;
    ScheduledGroup group = costOf(next, *model);
    if (group.steps <= most)
      at = group;
  }
  return at;
}

std::optional<ScheduledGroup> accel::randomSchedule(const GroupOps &ops, const Limits &limits,
                                                    uint64_t seed, std::string &error) {
  std::optional<ScheduledGroup> start = sampleSchedule(ops, limits, seed, error);
  if (!start)
    return start;
  constexpr unsigned steps = 60;
  return Walk(ops, limits, seed * 2 + 1).run(*start, steps);
}

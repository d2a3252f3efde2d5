//===- Registers.cpp - linear scan over structured code --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Codegen/Registers.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <set>

namespace accel::codegen {
namespace {

/// Calls `visit` for each register that the item's own instruction reads.
/// A loop's or if's body is not visited.
template <typename Visit> void forEachRead(Item &item, Visit visit) {
  if (item.kind == Item::Loop)
    return visit(item.trips);
  if (item.kind == Item::If)
    return visit(item.condition);
  Instruction &in = item.instruction;
  visit(in.ra);
  visit(in.rb);
  if (!in.descriptor)
    return;
  for (Reg &reg : in.descriptor->sizeRegs)
    visit(reg);
  visit(in.descriptor->initReg);
  for (Stream &stream : in.descriptor->streams) {
    for (Reg &reg : stream.baseRegs)
      visit(reg);
    for (Coordinate &c : stream.window) {
      visit(c.startReg);
      visit(c.originReg);
    }
  }
}

struct Interval {
  int begin = -1, end = -1; ///< positions of definition and last use
  int depth = 0;            ///< of the block that defines it
};

/// Numbers instructions and widens intervals. `loops` are the open loops as
/// (depth of their body, registers to keep until their end).
class Liveness {
public:
  explicit Liveness(Routine &routine) : intervals(routine.nextReg) {
    for (Reg reg = 1; reg <= routine.frameReg; ++reg)
      intervals[reg] = {0, 0, 0};
    next = 1;
    visit(routine.body);
  }

  std::vector<Interval> intervals;

private:
  void use(Reg reg) {
    if (!reg)
      return;
    intervals[reg].end = std::max(intervals[reg].end, next);
    for (auto &[depth, kept] : loops)
      if (intervals[reg].depth < depth)
        kept.insert(reg);
  }

  void visit(Block &block) {
    for (auto &item : block.items) {
      forEachRead(*item, [&](Reg &reg) { use(reg); });
      switch (item->kind) {
      case Item::Leaf:
        if (Reg reg = item->instruction.rd)
          intervals[reg] = {next, next, block.depth};
        ++next;
        break;
      case Item::If:
        ++next;
        visit(*item->body);
        ++next;
        break;
      case Item::Loop:
        // The trip count is read before the counter is written.
        ++next;
        intervals[item->counter] = {next, next, item->body->depth};
        ++next;
        loops.emplace_back(item->body->depth, std::set<Reg>());
        visit(*item->body);
        auto kept = std::move(loops.back().second);
        loops.pop_back();
        kept.insert(item->counter);
        for (Reg reg : kept)
          intervals[reg].end = std::max(intervals[reg].end, next);
        ++next;
        break;
      }
    }
  }

  int next = 0;
  std::vector<std::pair<int, std::set<Reg>>> loops;
};

void rename(Block &block, const std::vector<Reg> &machine) {
  for (auto &item : block.items) {
    forEachRead(*item, [&](Reg &reg) { reg = machine[reg]; });
    if (item->kind == Item::Leaf)
      item->instruction.rd = machine[item->instruction.rd];
    else
      rename(*item->body, machine);
    item->counter = machine[item->counter];
  }
}

} // namespace

int allocateRegisters(Routine &routine) {
  std::vector<Interval> intervals = Liveness(routine).intervals;
  std::vector<Reg> order;
  for (Reg reg = 1; reg < Reg(intervals.size()); ++reg)
    if (intervals[reg].begin >= 0)
      order.push_back(reg);
  llvm::stable_sort(order, [&](Reg a, Reg b) { return intervals[a].begin < intervals[b].begin; });

  std::vector<Reg> machine(intervals.size(), 0);
  std::set<Reg> free;
  Reg fresh = routine.frameReg + 1; // arguments and the frame's base are fixed
  int most = routine.frameReg;
  using Active = std::pair<int, Reg>; // end, virtual register
  std::priority_queue<Active, std::vector<Active>, std::greater<>> active;
  for (Reg reg : order) {
    // A register read last at the position that defines another may be it.
    while (!active.empty() && active.top().first <= intervals[reg].begin) {
      free.insert(machine[active.top().second]);
      active.pop();
    }
    if (reg <= routine.frameReg) {
      machine[reg] = reg;
    } else if (!free.empty()) {
      machine[reg] = *free.begin();
      free.erase(free.begin());
    } else {
      machine[reg] = fresh++;
    }
    active.emplace(intervals[reg].end, reg);
    most = std::max(most, int(machine[reg]));
  }
  if (most <= usableRegisters)
    rename(routine.body, machine);
  return most;
}

} // namespace accel::codegen

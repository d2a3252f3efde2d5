//===- Registers.cpp - linear scan over structured code --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// There is no memory to spill to, and no need of it: every scalar is index
// arithmetic over arguments and loop counters. Where more values live than there
// are registers, the cheapest ones are computed again at each use, one at a time
// and always one that lives across the fullest place, until all fit. A value
// computed again lives from the instruction before its use, so each step removes
// one long life and adds none; the end is when only arguments, counters and what
// one instruction reads are left. That always fits in a routine that takes no
// arguments (mostRead below), which is what a routine that does not fit becomes.
//===----------------------------------------------------------------------===//

#include "acc/Codegen/Registers.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>

namespace accel::codegen {
namespace {

/// What one instruction can read: sizes, the init register, and for each stream a
/// sum of bases and two window coordinates with start and origin.
constexpr int mostRead = rt::isa::kDimCount + 1 + rt::isa::kStreamLimit * (1 + 2 * 2);
constexpr int intermediate = 16; // enough for sums, products and minima of minima
static_assert(mostRead + rt::isa::kNestingLimit + intermediate <= usableRegisters,
              "an instruction in the deepest loop needs more registers than there are");

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

struct Use {
  Item *item;
  int position;
};

struct Interval {
  int begin = -1, end = -1;   ///< positions of definition and last use
  int depth = 0;              ///< of the block that defines it
  Item *definition = nullptr; ///< the instruction; none for arguments and counters
  std::vector<Use> uses;

  bool covers(int position) const { return begin < position && position <= end; }
};

/// Numbers instructions and widens intervals. `loops` are the open loops as
/// (depth of their body, registers to keep until their end).
class Liveness {
public:
  explicit Liveness(Routine &routine) : intervals(routine.nextReg) {
    for (Reg reg = 1; reg <= routine.frameReg; ++reg)
      intervals[reg].begin = intervals[reg].end = 0;
    next = 1;
    visit(routine.body);
  }

  std::vector<Interval> intervals;

private:
  void use(Reg reg, Item *item) {
    if (!reg)
      return;
    intervals[reg].end = std::max(intervals[reg].end, next);
    intervals[reg].uses.push_back({item, next});
    for (auto &[depth, kept] : loops)
      if (intervals[reg].depth < depth)
        kept.insert(reg);
  }

  void define(Reg reg, Block &block, Item *definition) {
    Interval &interval = intervals[reg];
    interval.begin = interval.end = next;
    interval.depth = block.depth;
    interval.definition = definition;
  }

  void visit(Block &block) {
    for (auto &item : block.items) {
      forEachRead(*item, [&](Reg &reg) { use(reg, item.get()); });
      switch (item->kind) {
      case Item::Leaf:
        if (Reg reg = item->instruction.rd)
          define(reg, block, item.get());
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
        define(item->counter, *item->body, nullptr);
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

/// Machine registers by linear scan, and how many there are.
struct Assignment {
  std::vector<Reg> machine; ///< by virtual register
  int most = 0;
  int fullest = 0; ///< where the register of the highest number is defined
};

Assignment assign(const Routine &routine, const std::vector<Interval> &intervals) {
  std::vector<Reg> order;
  for (Reg reg = 1; reg < Reg(intervals.size()); ++reg)
    if (intervals[reg].begin >= 0 && (reg > routine.frameReg || !intervals[reg].uses.empty()))
      order.push_back(reg);
  llvm::stable_sort(order, [&](Reg a, Reg b) { return intervals[a].begin < intervals[b].begin; });

  Assignment result;
  std::vector<Reg> &machine = result.machine;
  machine.assign(intervals.size(), 0);
  // All that could be needed; arguments and the frame's base take their own.
  std::set<Reg> free;
  for (Reg reg = 1; reg < Reg(intervals.size()); ++reg)
    free.insert(free.end(), reg);
  using Active = std::pair<int, Reg>; // end, virtual register
  std::priority_queue<Active, std::vector<Active>, std::greater<>> active;
  for (Reg reg : order) {
    // A register read last at the position that defines another may be it.
    while (!active.empty() && active.top().first <= intervals[reg].begin) {
      free.insert(machine[active.top().second]);
      active.pop();
    }
    machine[reg] = reg <= routine.frameReg ? reg : *free.begin();
    free.erase(machine[reg]);
    active.emplace(intervals[reg].end, reg);
    if (machine[reg] > result.most) {
      result.most = machine[reg];
      result.fullest = intervals[reg].begin;
    }
  }
  return result;
}

/// Computes values again where they are read, so that they need no register in
/// between. What they are computed from is registers that live there anyway
/// (loop counters always do), or is computed again, too.
class Rematerialisation {
public:
  explicit Rematerialisation(Routine &routine) : routine(routine) {}

  /// Takes the value that is cheapest to compute again out of a register at
  /// `position`. False if there is none.
  bool relieve(const std::vector<Interval> &intervals, int position) {
    Reg cheapest = 0;
    int64_t least = 0;
    for (Reg reg = routine.frameReg + 1; reg < Reg(intervals.size()); ++reg) {
      const Interval &interval = intervals[reg];
      if (interval.begin >= position || interval.end <= position || !interval.definition ||
          repeated.count(reg))
        continue;
      int64_t cost = costOf(reg, intervals);
      if (!cheapest || cost < least)
        std::tie(cheapest, least) = std::pair(reg, cost);
    }
    if (!cheapest)
      return false;
    Item *definition = intervals[cheapest].definition;
    Item *done = nullptr;
    for (const Use &use : intervals[cheapest].uses) {
      if (use.item == done) // reads it more than once
        continue;
      done = use.item;
      Made made;
      Reg again = repeat(cheapest, use, intervals, made);
      forEachRead(*use.item, [&](Reg &reg) {
        if (reg == cheapest)
          reg = again;
      });
    }
    auto &items = definition->parent->items;
    llvm::erase_if(items, [&](auto &item) { return item.get() == definition; });
    return true;
  }

private:
  static bool isAtHand(const Interval &interval, const Use &use) {
    return !interval.definition || interval.covers(use.position);
  }

  /// What `reg` has to be computed from again, and itself.
  void collect(Reg reg, const Use &use, const std::vector<Interval> &intervals,
               std::set<Reg> &needed) const {
    if (!needed.insert(reg).second)
      return;
    forEachRead(*intervals[reg].definition, [&](Reg &operand) {
      if (operand && !isAtHand(intervals[operand], use))
        collect(operand, use, intervals, needed);
    });
  }

  /// Instructions, one in a loop as many as it may have iterations.
  int64_t costOf(Reg reg, const std::vector<Interval> &intervals) const {
    constexpr int64_t iterations = 8; // what a loop is taken for
    int64_t cost = 0;
    for (const Use &use : intervals[reg].uses) {
      int64_t times = 1;
      for (int depth = intervals[reg].depth; depth < use.item->parent->depth; ++depth)
        times *= iterations;
      std::set<Reg> needed;
      collect(reg, use, intervals, needed);
      cost += times * int64_t(needed.size());
    }
    return cost;
  }

  using Made = std::map<Reg, Reg>; ///< values computed again for one use

  /// Inserts the definition of `reg` and what it needs before the use; gives the
  /// new register.
  Reg repeat(Reg reg, const Use &use, const std::vector<Interval> &intervals, Made &made) {
    if (auto it = made.find(reg); it != made.end())
      return it->second;
    const Item &definition = *intervals[reg].definition;
    auto item = std::make_unique<Item>(definition.location);
    Instruction &in = item->instruction;
    in.opcode = definition.instruction.opcode;
    in.imm = definition.instruction.imm;
    in.ra = definition.instruction.ra;
    in.rb = definition.instruction.rb;
    for (Reg *operand : {&in.ra, &in.rb})
      if (*operand && !isAtHand(intervals[*operand], use))
        *operand = repeat(*operand, use, intervals, made);
    in.rd = routine.newReg();
    repeated.insert(in.rd);
    Reg result = made[reg] = in.rd;
    Block &block = *use.item->parent;
    item->parent = &block;
    auto at = llvm::find_if(block.items, [&](auto &other) { return other.get() == use.item; });
    block.items.insert(at, std::move(item));
    return result;
  }

  Routine &routine;
  std::set<Reg> repeated; ///< these live as short as they can
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
  Rematerialisation rematerialisation(routine);
  while (true) {
    std::vector<Interval> intervals = Liveness(routine).intervals;
    Assignment assignment = assign(routine, intervals);
    if (assignment.most <= usableRegisters) {
      rename(routine.body, assignment.machine);
      return assignment.most;
    }
    if (!rematerialisation.relieve(intervals, assignment.fullest))
      return assignment.most;
  }
}

} // namespace accel::codegen

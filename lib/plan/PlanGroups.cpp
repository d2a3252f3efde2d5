//===- PlanGroups.cpp - groups, schedules and resident tensors ------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One search decides how the program is cut into groups, how each group runs and
// which stored tensors stay in SRAM between groups: dynamic programming over the
// operations in program order. A state is a position and the set of tensors that
// are resident there. A step takes a group, a run of connected operations, and
// decides for each tensor that is first written in it whether it becomes resident
// (until its last reader). It costs the bytes of the group's best schedule in the
// space that the residents leave. Of each position the most promising states are
// kept; where all of them are, the result is exact for groups of that order.
//
//===----------------------------------------------------------------------===//

#include "acc/Plan/Bounds.h"
#include "acc/Plan/Effort.h"
#include "acc/Plan/ExplainPlan.h"
#include "acc/Plan/Passes.h"
#include "acc/Plan/Planner.h"
#include "acc/Plan/Routine.h"
#include "acc/Plan/ScheduleSearch.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

#include <map>
#include <random>

namespace accel {
#define GEN_PASS_DEF_PLANGROUPS
#include "acc/Plan/Passes.h.inc"
} // namespace accel

using namespace mlir;
using namespace accel;

namespace {

/// A group in the making: operations first..last of the program.
struct Segment {
  unsigned first, last;
  std::optional<ScheduledGroup> plan;
  DictionaryAttr alternatives = {}; ///< for reports
};

/// A stored tensor of the workspace along the program.
struct Life {
  unsigned first = UINT_MAX, last = 0; ///< operations that write or read it
  int64_t size = 0;                    ///< bytes of SRAM if it is resident
  bool eligible = true;                ///< can be read and written in place
};

/// What is decided up to a position.
struct State {
  SmallVector<unsigned, 4> resident; ///< roots that stay, ascending
  int64_t bytes = 0, steps = 0;
  unsigned position = 0, previous = 0; ///< where the last group began, and from which state
  SmallVector<unsigned, 4> added;      ///< roots that became resident with it
  SmallVector<std::pair<unsigned, unsigned>, 1> taken; ///< of these, whose memory they take
};

/// A tensor in DRAM of which rows could stay in SRAM.
struct Part {
  unsigned root;
  unsigned first, last; ///< segments that write and read it
  int64_t rowBytes, rows;
  int64_t moved = 0; ///< bytes that are read and written
};

class ProgramSearch {
public:
  ProgramSearch(ModuleOp module, const PlanGroupsOptions &options)
      : module(module), longest(options.longest > 0 ? options.longest : INT64_MAX),
        seed(options.seed), budget(options.budget), effortName(options.effort) {}

  /// Finds the operations, stored tensors and limits of the module.
  LogicalResult prepare();
  /// Decides: as the module's schedules say, at random, or well.
  LogicalResult choose();
  /// Makes the groups that were decided.
  void build();

  /// What was decided for one size of SRAM.
  struct Plan {
    int64_t sram, rung = 0, bytes = 0;
    std::vector<Segment> segments;
    llvm::SmallSetVector<unsigned, 8> resident;
    std::map<unsigned, unsigned> taken;
    std::map<unsigned, int64_t> rows;
  };
  const Plan *bestOrReason(int64_t sram);
  ArrayAttr schedulesOf(const Plan &plan);
  void refuse(int64_t rung);
  /// SRAM that plans for a chip with `sram` bytes may use.
  int64_t usable(int64_t sram) const;

  uint64_t searches() const { return search->searches(); }
  uint64_t models() const { return search->models(); }
  size_t groups() const { return segments.size(); }

private:
  GroupOps describe(unsigned first, unsigned last);
  StringRef obstacle(unsigned first, unsigned last);
  bool fusible(unsigned first, unsigned last) { return obstacle(first, last).empty(); }
  void findLives();
  std::optional<unsigned> takes(const GroupOps &ops, const External &output);
  LogicalResult decide(SearchRound round);
  bool extend(unsigned first, unsigned last, std::vector<std::vector<State>> &states);
  LogicalResult settle();
  struct Step;
  const Step &stepOf(unsigned first, unsigned last);
  ScheduleAttr finalSchedule(const Segment &segment, const GroupOps &ops);
  void take(const Plan &plan);
  Plan *planFor(int64_t sram);
  const Plan *best(int64_t sram);
  std::vector<Part> partial();
  void keepRows();
  SmallVector<int64_t> spaces() const;
  SmallVector<int64_t> spacesBesideRows();
  LogicalResult obey(ArrayAttr given);
  LogicalResult randomise();
  void explain();
  void build(unsigned index);

  ModuleOp module;
  const int64_t longest, seed, budget;
  const std::string effortName;
  Effort effort;
  /// Operations of a program that is planned for fewer sizes of SRAM, and what is known
  /// of whose groups is not kept between them: time and memory stay linear.
  static constexpr unsigned longProgram = 4096;
  func::FuncOp main;
  Limits limits;
  int64_t wholeSram = 0; ///< of the target; `limits` has what the budget leaves
  std::optional<Storage> storage;
  std::unique_ptr<ScheduleSearch> search;
  SmallVector<Operation *> program; ///< compute operations in order
  DenseMap<Operation *, unsigned> position;
  std::vector<Segment> segments;
  llvm::SmallSetVector<unsigned, 8> resident; ///< stored tensors in SRAM
  std::map<unsigned, Life> lives;             ///< by root
  std::map<unsigned, unsigned> taken;         ///< resident root -> the root whose memory it takes
  std::map<unsigned, int64_t> rows;           ///< in SRAM, of a root that is not resident

  /// A group that can be made, with the roots that it reads and writes.
  struct Step {
    ScheduleSearch::Entry *entry;
    SmallVector<unsigned, 4> inputs, outputs;
    SmallVector<unsigned, 4> fresh; ///< written first in it and can stay, large ones first
    SmallVector<std::pair<unsigned, unsigned>, 1> couldTake; ///< whose memory they could take
  };
  std::map<std::pair<unsigned, unsigned>, Step> steps; ///< by first and last operation

  std::map<int64_t, std::optional<Plan>> plans; ///< by size of SRAM
  std::map<int64_t, int64_t> refused;           ///< percent of a rung's SRAM that did not pack
  static constexpr int64_t leastPercent = 40;
  BoundGraph bounds;
  bool tooSmall = false; ///< an operation does not run in the SRAM
};

struct PlanGroups : accel::impl::PlanGroupsBase<PlanGroups> {
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

//===----------------------------------------------------------------------===//
// Describing a run of operations
//===----------------------------------------------------------------------===//

GroupOps ProgramSearch::describe(unsigned first, unsigned last) {
  GroupOps ops;
  llvm::SmallSetVector<Value, 8> inputs;
  auto inside = [&](Operation *op) {
    auto it = position.find(op);
    return it != position.end() && it->second >= first && it->second <= last;
  };
  auto external = [&](Value value) {
    External e;
    e.value = value;
    const Placement &place = storage->of(value);
    e.layout = place.layout;
    e.layout.offset = 0;
    e.inSram = resident.contains(place.root);
    if (auto it = rows.find(place.root); it != rows.end())
      e.rows = it->second;
    e.constant = storage->root(place.root).kind == RootKind::Weights;
    return e;
  };
  for (unsigned i = first; i <= last; ++i) {
    ops.members.push_back(program[i]);
    for (Value operand : program[i]->getOperands())
      if (!operand.getDefiningOp() || !inside(operand.getDefiningOp()))
        inputs.insert(operand);
  }
  for (Value input : inputs)
    ops.inputs.push_back(external(input));
  for (Operation *op : ops.members) {
    Value result = op->getResult(0);
    if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !inside(user); }))
      ops.outputs.push_back(external(result));
  }
  return ops;
}

/// Whether a value that `to` reads comes from `from..` through views only.
static bool reachesThroughView(Value value, llvm::function_ref<bool(Operation *)> inside) {
  Operation *op = value.getDefiningOp();
  SmallVector<Operation *> work;
  llvm::SmallPtrSet<Operation *, 8> seen;
  if (op && (isView(op) || isa<ConcatOp>(op)))
    work.push_back(op);
  while (!work.empty()) {
    Operation *view = work.pop_back_val();
    if (!seen.insert(view).second)
      continue;
    for (Value operand : view->getOperands())
      if (Operation *source = operand.getDefiningOp()) {
        if (inside(source))
          return true;
        if (isView(source) || isa<ConcatOp>(source))
          work.push_back(source);
      }
  }
  return false;
}

/// Why operation `last` cannot join the group first..last-1; empty if it can.
StringRef ProgramSearch::obstacle(unsigned first, unsigned last) {
  auto inside = [&](Operation *op) {
    auto it = position.find(op);
    return it != position.end() && it->second >= first && it->second < last;
  };
  Operation *op = program[last];
  bool connected = false;
  for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
    Operation *source = operand.getDefiningOp();
    // One load serves two readers of a tensor. By the group's members: a tensor may
    // have 100,000 readers elsewhere.
    connected |= storage->root(storage->of(operand).root).kind != RootKind::Weights &&
                 llvm::any_of(ArrayRef(program).slice(first, last - first), [&](Operation *member) {
                   return llvm::is_contained(member->getOperands(), operand);
                 });
    if (!source)
      continue;
    if (inside(source)) {
      connected = true;
      // A table must be stored; a weight produced by the group would need all of
      // it before the first row.
      if (isa<GatherOp>(op) && index == 0)
        return "its table comes from them and must be whole before its first row";
    } else if (reachesThroughView(operand, inside)) {
      return "it reads their result through a view";
    }
  }
  return connected ? "" : "it reads nothing that they make";
}

//===----------------------------------------------------------------------===//
// Deciding
//===----------------------------------------------------------------------===//

void ProgramSearch::findLives() {
  lives.clear();
  auto note = [&](Value value, unsigned at) {
    if (!storage->has(value))
      return;
    const Placement &place = storage->of(value);
    const Root &root = storage->root(place.root);
    if (root.kind != RootKind::Workspace)
      return;
    Life &life = lives[place.root];
    life.first = std::min(life.first, at);
    life.last = std::max(life.last, at);
    life.size = (tensorBytes(root.type) + 63) / 64 * 64;
    // Nested strides cannot be read or written in place.
    life.eligible &= place.layout.isStrided();
  };
  for (auto [at, op] : llvm::enumerate(program)) {
    note(op->getResult(0), at);
    for (Value operand : op->getOperands())
      note(operand, at);
  }
}

/// The root whose memory a result of a group could take if both are resident: that
/// of an operand which the result's producer alone reads, element by element, in the
/// place where it writes, and nothing reads later.
std::optional<unsigned> ProgramSearch::takes(const GroupOps &ops, const External &output) {
  Operation *op = output.value.getDefiningOp();
  auto whole = [&](Value value) {
    const Placement &place = storage->of(value);
    return place.layout == Layout::dense(storage->root(place.root).type.getShape());
  };
  if (!whole(output.value))
    return std::nullopt;
  for (Operation *user : output.value.getUsers())
    if (llvm::is_contained(ops.members, user))
      return std::nullopt; // a stripe may be computed again
  auto compute = cast<ComputeOpInterface>(op);
  for (auto [extra, attr] : llvm::zip(compute.getExtras(), compute.getMaps())) {
    unsigned root = storage->of(extra).root;
    auto life = lives.find(root);
    if (life == lives.end() || !life->second.eligible || life->second.last != position.lookup(op) ||
        !cast<AffineMapAttr>(attr).getValue().isIdentity() || !whole(extra) ||
        extra.getType() != output.value.getType() || llvm::count(op->getOperands(), extra) != 1)
      continue;
    bool alone = llvm::none_of(ops.members, [&](Operation *member) {
      return llvm::any_of(member->getOperands(), [&](Value operand) {
        return storage->of(operand).root == root && (member != op || operand != extra);
      });
    });
    if (alone)
      return root;
  }
  return std::nullopt;
}

/// The group first..last and what can be decided with it.
const ProgramSearch::Step &ProgramSearch::stepOf(unsigned first, unsigned last) {
  auto [it, isNew] = steps.try_emplace({first, last});
  Step &step = it->second;
  if (!isNew)
    return step;
  GroupOps ops = describe(first, last);
  step.entry = &search->entry(ops);
  llvm::SmallSetVector<unsigned, 4> fresh;
  for (const External &input : ops.inputs)
    step.inputs.push_back(storage->of(input.value).root);
  for (const External &output : ops.outputs) {
    unsigned root = storage->of(output.value).root;
    step.outputs.push_back(root);
    auto life = lives.find(root);
    if (life != lives.end() && life->second.eligible && life->second.first >= first)
      fresh.insert(root);
    if (std::optional<unsigned> from = takes(ops, output))
      step.couldTake.push_back({root, *from});
  }
  llvm::append_range(step.fresh, fresh);
  llvm::sort(step.fresh, [&](unsigned a, unsigned b) {
    return std::tuple(-lives[a].size, a) < std::tuple(-lives[b].size, b);
  });
  return step;
}

/// Steps from all states at `first` over the group first..last. False if the group
/// has no schedule even with everything around it resident: longer ones have none.
bool ProgramSearch::extend(unsigned first, unsigned last, std::vector<std::vector<State>> &states) {
  const Step &step = stepOf(first, last);
  ScheduleSearch::Entry &entry = *step.entry;
  const SmallVector<unsigned, 4> &inputs = step.inputs, &outputs = step.outputs;
  // Few tensors leave a group; of many the largest are decided one by one.
  constexpr size_t most = 3;
  SmallVector<unsigned> choices;
  for (unsigned root : step.fresh)
    if (lives[root].size <= limits.sramBytes && choices.size() < most)
      choices.push_back(root);

  std::vector<State> &target = states[last + 1];
  bool any = false;
  for (auto [index, state] : llvm::enumerate(states[first]))
    for (unsigned subset = 0; subset < 1u << choices.size(); ++subset) {
      SmallVector<unsigned, 4> here = state.resident, added;
      for (auto [bit, root] : llvm::enumerate(choices))
        if (subset >> bit & 1)
          added.push_back(root);
      llvm::append_range(here, added);
      State next;
      int64_t left = limits.sramBytes;
      for (unsigned root : here)
        left -= lives[root].size;
      for (unsigned root : added)
        for (const auto &pair : step.couldTake)
          if (pair.first == root && llvm::is_contained(state.resident, pair.second)) {
            left += lives[root].size;
            next.taken.push_back(pair);
          }
      if (left < 0)
        continue;
      SmallVector<bool> inputsHere, outputsHere;
      for (unsigned root : inputs)
        inputsHere.push_back(llvm::is_contained(here, root));
      for (unsigned root : outputs)
        outputsHere.push_back(llvm::is_contained(here, root));
      std::optional<ScheduleSearch::Entry::Cost> cost = entry.cost(inputsHere, outputsHere, left);
      if (!cost)
        continue;
      for (unsigned root : here)
        if (lives[root].last > last)
          next.resident.push_back(root);
      llvm::sort(next.resident);
      any = true;
      next.bytes = state.bytes + cost->dramBytes;
      next.steps = state.steps + cost->steps;
      next.position = first;
      next.previous = index;
      next.added = added;
      auto same =
          llvm::find_if(target, [&](const State &s) { return s.resident == next.resident; });
      if (same == target.end())
        target.push_back(std::move(next));
      else if (std::tuple(next.bytes, next.steps) < std::tuple(same->bytes, same->steps))
        *same = std::move(next);
    }
  return any || entry.cost(SmallVector<bool>(inputs.size(), true),
                           SmallVector<bool>(outputs.size(), true), limits.sramBytes);
}

LogicalResult ProgramSearch::decide(SearchRound round) {
  unsigned n = program.size();
  // Long programs are cut into shorter groups, so that planning stays linear.
  constexpr int64_t shortest = 6, groups = 400'000;
  int64_t affordable = std::max<int64_t>(shortest, groups / std::max(n, 1u));
  unsigned length = std::max<int64_t>(1, std::min({longest, round.longest, affordable}));
  std::vector<std::vector<State>> states(n + 1);
  states[0].emplace_back();
  LogicalResult result = success();
  for (unsigned first = 0; first < n; ++first) {
    if (n > longProgram) {
      steps.clear();
      round.width = std::min<size_t>(round.width, 2);
    }
    std::vector<State> &here = states[first];
    if (here.empty())
      continue;
    if (here.size() > round.width) {
      // A live tensor that is not resident will be read at least once.
      SmallVector<unsigned> live;
      for (auto &[root, life] : lives)
        if (life.first < first && life.last >= first)
          live.push_back(root);
      auto promise = [&](const State &state) {
        int64_t bytes = state.bytes;
        for (unsigned root : live)
          if (!llvm::is_contained(state.resident, root))
            bytes += lives[root].size;
        return std::tuple(bytes, state.steps, state.resident);
      };
      llvm::sort(here, [&](const State &a, const State &b) { return promise(a) < promise(b); });
      here.resize(round.width);
    }
    if (n > longProgram)
      here.shrink_to_fit(); // all stay, to find the way back
    // Every operation can run alone with nothing resident, or the model cannot run.
    const Step &alone = stepOf(first, first);
    std::string error;
    if (!alone.entry->cost(SmallVector<bool>(alone.inputs.size(), false),
                           SmallVector<bool>(alone.outputs.size(), false), limits.sramBytes) &&
        !search->find(describe(first, first), limits.sramBytes, error)) {
      program[first]->emitError("no tile fits on the target: ") << error;
      result = failure();
      tooSmall = true;
      states[first + 1].emplace_back();
      continue;
    }
    for (unsigned last = first; last < n && last - first < length; ++last) {
      if (last > first && !fusible(first, last))
        break;
      if (!extend(first, last, states))
        break;
    }
  }
  if (failed(result) || states[n].empty())
    return failure();
  unsigned best = 0;
  for (auto [index, state] : llvm::enumerate(states[n]))
    if (std::tuple(state.bytes, state.steps) <
        std::tuple(states[n][best].bytes, states[n][best].steps))
      best = index;
  for (unsigned at = n, index = best; at > 0;) {
    const State &state = states[at][index];
    segments.push_back({state.position, at - 1, std::nullopt});
    resident.insert(state.added.begin(), state.added.end());
    taken.insert(state.taken.begin(), state.taken.end());
    index = state.previous;
    at = state.position;
  }
  std::reverse(segments.begin(), segments.end());
  return success();
}

/// SRAM that residents leave to each group.
SmallVector<int64_t> ProgramSearch::spaces() const {
  SmallVector<int64_t> left(segments.size(), limits.sramBytes);
  for (unsigned root : resident) {
    const Life &life = lives.at(root);
    unsigned s =
        llvm::partition_point(segments, [&](const Segment &g) { return g.last < life.first; }) -
        segments.begin();
    // Where it is written it is in the memory of what it takes.
    for (s += taken.count(root); s < segments.size() && segments[s].first <= life.last; ++s)
      left[s] -= life.size;
  }
  return left;
}

/// SRAM that the first rows of a tensor take.
static int64_t bytesOf(const Part &part, int64_t rows) {
  return (rows * part.rowBytes + 63) / 64 * 64;
}

/// Tensors of the workspace in DRAM that are written and read as a whole and row by
/// row, with the segments that do.
std::vector<Part> ProgramSearch::partial() {
  std::map<unsigned, Part> parts;
  llvm::SmallSetVector<unsigned, 4> refused;
  for (auto [s, segment] : llvm::enumerate(segments)) {
    GroupOps ops = describe(segment.first, segment.last);
    auto note = [&](const External &e) {
      const Placement &place = storage->of(e.value);
      const Root &root = storage->root(place.root);
      if (root.kind != RootKind::Workspace || resident.contains(place.root))
        return;
      int d = rowDimension(e.value);
      if (d < 0 || root.type != e.value.getType() ||
          place.layout != Layout::dense(root.type.getShape())) {
        refused.insert(place.root);
        return;
      }
      int64_t count = root.type.getShape()[d];
      Part &part = parts
                       .try_emplace(place.root, Part{place.root, unsigned(s), unsigned(s),
                                                     tensorBytes(e.value) / count, count})
                       .first->second;
      part.last = s;
      part.moved += tensorBytes(e.value);
    };
    for (const External &input : ops.inputs) {
      note(input);
      // A table is read where it is.
      for (Operation *op : ops.members)
        if (isa<GatherOp>(op) && op->getOperand(0) == input.value)
          refused.insert(storage->of(input.value).root);
    }
    for (const External &output : ops.outputs)
      note(output);
  }
  std::vector<Part> result;
  for (auto &[root, part] : parts)
    if (!refused.contains(root))
      result.push_back(part);
  return result;
}

/// SRAM that residents and rows leave to each group.
SmallVector<int64_t> ProgramSearch::spacesBesideRows() {
  SmallVector<int64_t> left = spaces();
  if (!rows.empty())
    for (const Part &part : partial())
      if (auto it = rows.find(part.root); it != rows.end())
        for (unsigned s = part.first; s <= part.last; ++s)
          left[s] -= bytesOf(part, it->second);
  return left;
}

/// Where groups leave SRAM free, the first rows of tensors that do not stay do. The
/// schedule of a group becomes the one that needs the least SRAM for its bytes.
void ProgramSearch::keepRows() {
  std::vector<Part> parts = partial();
  SmallVector<int64_t> left = spaces();
  SmallVector<bool> touched(segments.size(), false);
  for (const Part &part : parts)
    for (unsigned s = part.first; s <= part.last; ++s)
      touched[s] = true;
  for (auto [s, segment] : llvm::enumerate(segments)) {
    if (!touched[s])
      continue;
    GroupOps ops = describe(segment.first, segment.last);
    std::string error;
    std::optional<ScheduledGroup> &plan = segment.plan;
    // Smaller and smaller, as long as it costs no byte.
    for (int64_t parts = 15; parts > 0; --parts) {
      int64_t space = left[s] * parts / 16;
      if (space >= plan->sramBytes)
        continue;
      std::optional<ScheduledGroup> smaller = search->find(ops, space, error);
      if (!smaller || smaller->dramBytes > plan->dramBytes)
        break;
      plan = smaller;
    }
    left[s] -= plan->sramBytes;
  }
  // Those first that move most for the space that they take.
  llvm::stable_sort(parts, [](const Part &a, const Part &b) {
    return __int128(a.moved) * (b.rowBytes * b.rows) > __int128(b.moved) * (a.rowBytes * a.rows);
  });
  for (const Part &part : parts) {
    int64_t space = *std::min_element(left.begin() + part.first, left.begin() + part.last + 1);
    int64_t kept = std::min(part.rows - 1, (space - 63) / part.rowBytes);
    if (kept <= 0)
      continue;
    rows[part.root] = kept;
    for (unsigned s = part.first; s <= part.last; ++s)
      left[s] -= bytesOf(part, kept);
  }
  if (rows.empty())
    return;
  for (auto [s, segment] : llvm::enumerate(segments))
    if (touched[s]) {
      std::string error;
      std::optional<GroupModel> model =
          GroupModel::build(describe(segment.first, segment.last), segment.plan->schedule,
                            {limits.sramBytes, limits.accBytes}, error);
      if (model)
        segment.plan->dramBytes = model->dramBytes;
    }
}

/// The schedule of each group in exactly the space that it has.
LogicalResult ProgramSearch::settle() {
  SmallVector<int64_t> space = spaces();
  for (auto [s, segment] : llvm::enumerate(segments)) {
    GroupOps ops = describe(segment.first, segment.last);
    std::string error;
    segment.plan = search->find(ops, space[s], error);
    if (!segment.plan)
      return program[segment.first]->emitError("no tile fits on the target: ") << error;
    std::optional<GroupModel> model =
        GroupModel::build(ops, segment.plan->schedule, {space[s], limits.accBytes}, error);
    if (!model || model->dramBytes != segment.plan->dramBytes)
      return program[segment.first]->emitError("the planner's cost of a group is not its model's: ")
             << segment.plan->dramBytes << " bytes in " << segment.plan->sramBytes
             << ", the model says " << (model ? std::to_string(model->dramBytes) : error);
  }
  return success();
}

/// Random legal groups, residents and schedules.
LogicalResult ProgramSearch::randomise() {
  std::mt19937_64 random(seed);
  unsigned n = program.size();
  std::string error;
  auto fits = [&](unsigned first, unsigned last, int64_t sram) {
    return search->find(describe(first, last), sram, error).has_value();
  };
  for (unsigned first = 0; first < n;) {
    unsigned last = first;
    while (last + 1 < n && last - first + 1 < std::min<int64_t>(longest, 8) && random() % 4 &&
           fusible(first, last + 1) && fits(first, last + 1, limits.sramBytes))
      ++last;
    segments.push_back({first, last, std::nullopt});
    first = last + 1;
  }
  for (auto &[root, life] : lives) {
    if (!life.eligible || life.size > limits.sramBytes || random() % 2)
      continue;
    resident.insert(root);
    SmallVector<int64_t> space = spaces();
    for (auto [s, segment] : llvm::enumerate(segments))
      if (life.first <= segment.last && life.last >= segment.first &&
          !fits(segment.first, segment.last, space[s])) {
        resident.remove(root);
        break;
      }
  }
  for (const Segment &segment : segments) {
    GroupOps ops = describe(segment.first, segment.last);
    for (const External &output : ops.outputs)
      if (std::optional<unsigned> from = takes(ops, output); from && random() % 2)
        if (unsigned root = storage->of(output.value).root;
            resident.contains(root) && resident.contains(*from))
          taken[root] = *from;
  }
  SmallVector<int64_t> space = spaces();
  for (const Part &part : partial()) {
    int64_t kept = 1 + random() % (part.rows - 1), bytes = bytesOf(part, kept);
    bool fit = random() % 2;
    for (unsigned s = part.first; fit && s <= part.last; ++s)
      fit = space[s] > bytes && fits(segments[s].first, segments[s].last, space[s] - bytes);
    if (!fit)
      continue;
    rows[part.root] = kept;
    for (unsigned s = part.first; s <= part.last; ++s)
      space[s] -= bytes;
  }
  for (auto [s, segment] : llvm::enumerate(segments)) {
    segment.plan = randomSchedule(describe(segment.first, segment.last),
                                  {space[s], limits.accBytes}, random(), error);
    if (!segment.plan)
      return program[segment.first]->emitError("no tile fits on the target: ") << error;
  }
  return success();
}

/// Takes groups and schedules as they are given.
LogicalResult ProgramSearch::obey(ArrayAttr given) {
  unsigned next = 0;
  SmallVector<ScheduleAttr> schedules;
  for (auto [index, attr] : llvm::enumerate(given)) {
    auto entry = dyn_cast<DictionaryAttr>(attr);
    auto members = entry ? entry.getAs<ArrayAttr>("members") : ArrayAttr();
    auto schedule = entry ? entry.getAs<ScheduleAttr>("schedule") : ScheduleAttr();
    if (!members || members.empty() || !schedule)
      return main.emitError("schedule file: entry ")
             << index << " needs `members` and a `schedule`";
    unsigned first = next;
    for (Attribute name : members) {
      auto text = dyn_cast<StringAttr>(name);
      if (next >= program.size() || !text || memberName(program[next]) != text.getValue())
        return main.emitError("schedule file: entry ")
               << index << " names " << name << " where the model has "
               << (next < program.size() ? "\"" + memberName(program[next]) + "\"" : "no operation")
               << "; entries must name all operations in program order";
      if (StringRef why = next > first ? obstacle(first, next) : ""; !why.empty())
        return program[next]->emitError("schedule file: entry ")
               << index << ": cannot be in one group with the operations before it: " << why;
      ++next;
    }
    segments.push_back({first, next - 1, std::nullopt});
    schedules.push_back(schedule);
  }
  if (next != program.size())
    return main.emitError("schedule file ends before operation ")
           << next << " (\"" << memberName(program[next]) << "\")";
  // Residency first: a stored tensor is in SRAM if any producer says so.
  for (auto [segment, schedule] : llvm::zip(segments, schedules)) {
    GroupOps ops = describe(segment.first, segment.last);
    for (int64_t index : schedule.getResident()) {
      if (index < 0 || index >= int64_t(ops.outputs.size()))
        return program[segment.first]->emitError("schedule: result ")
               << index << " to keep resident does not exist";
      unsigned root = storage->of(ops.outputs[index].value).root;
      if (storage->root(root).kind != RootKind::Workspace)
        return program[segment.first]->emitError("schedule: result ")
               << index << " is a model output and cannot stay in SRAM";
      resident.insert(root);
    }
  }
  std::vector<Part> canBeParts = partial();
  for (auto [segment, schedule] : llvm::zip(segments, schedules)) {
    GroupOps ops = describe(segment.first, segment.last);
    for (PartAttr attr : schedule.getParts()) {
      if (attr.getResult() < 0 || attr.getResult() >= int64_t(ops.outputs.size()))
        return program[segment.first]->emitError("schedule: result ")
               << attr.getResult() << " to keep rows of does not exist";
      unsigned root = storage->of(ops.outputs[attr.getResult()].value).root;
      auto part = llvm::find_if(canBeParts, [&](const Part &p) { return p.root == root; });
      if (part == canBeParts.end())
        return program[segment.first]->emitError("schedule: result ")
               << attr.getResult() << " cannot stay in part (it is resident, a model output, read "
               << "through a view or a table of a gather)";
      if (attr.getRows() < 1 || attr.getRows() >= part->rows)
        return program[segment.first]->emitError("schedule: ")
               << attr.getRows() << " rows of result " << attr.getResult() << ", it has "
               << part->rows << ", from 1 to one less can stay";
      rows[root] = attr.getRows();
    }
  }
  for (auto [segment, schedule] : llvm::zip(segments, schedules)) {
    GroupOps ops = describe(segment.first, segment.last);
    if (!schedule.getTakes().empty() && schedule.getTakes().size() != schedule.getResident().size())
      return program[segment.first]->emitError("schedule: `takes` has ")
             << schedule.getTakes().size() << " entries, `resident` "
             << schedule.getResident().size();
    for (auto [result, operand] : llvm::zip(schedule.getResident(), schedule.getTakes())) {
      if (operand < 0)
        continue;
      const External &output = ops.outputs[result];
      std::optional<unsigned> from = takes(ops, output);
      if (operand >= int64_t(ops.inputs.size()) || !from ||
          storage->of(ops.inputs[operand].value).root != *from || !resident.contains(*from))
        return program[segment.first]->emitError("schedule: result ")
               << result << " cannot take the memory of operand " << operand
               << " (a resident one of the same type that its producer alone reads, element by "
                  "element, and nothing reads later)";
      taken[storage->of(output.value).root] = *from;
    }
  }
  for (auto [segment, schedule, space] : llvm::zip(segments, schedules, spacesBesideRows())) {
    GroupOps ops = describe(segment.first, segment.last);
    if (space < 0)
      return program[segment.first]->emitError("schedule refused: residents take ")
             << limits.sramBytes - space << " bytes of SRAM here, there are " << limits.sramBytes;
    std::string error;
    std::optional<GroupModel> model =
        GroupModel::build(ops, schedule, {space, limits.accBytes}, error);
    if (!model) {
      InFlightDiagnostic refused = program[segment.first]->emitError("schedule refused: ") << error;
      if (space < limits.sramBytes)
        refused << ", because residents take " << limits.sramBytes - space << " of "
                << limits.sramBytes;
      return refused;
    }
    segment.plan = ScheduledGroup{schedule, model->dramBytes, model->sramBytes, 0};
  }
  return success();
}

/// Why the bytes of an external tensor move.
static Reason loadReason(const Storage &storage, const External &input, const LoadModel &load,
                         const GroupOps &ops) {
  if (input.inSram)
    return Reason::None;
  RootKind kind = storage.root(storage.of(input.value).root).kind;
  bool once = load.bytes <= tensorBytes(input.value.getType());
  if (kind == RootKind::Workspace || kind == RootKind::Output)
    return once ? Reason::SpillLoad : Reason::Reload;
  if (once)
    return Reason::CompulsoryLoad;
  return Reason::Reload;
}

/// The schedule of a group with the results that it keeps.
ScheduleAttr ProgramSearch::finalSchedule(const Segment &segment, const GroupOps &ops) {
  SmallVector<int64_t> kept, takes;
  for (auto [index, output] : llvm::enumerate(ops.outputs)) {
    if (!output.inSram)
      continue;
    kept.push_back(index);
    auto it = taken.find(storage->of(output.value).root);
    int64_t operand = -1;
    for (auto [i, input] : llvm::enumerate(ops.inputs))
      if (it != taken.end() && storage->of(input.value).root == it->second)
        operand = i;
    takes.push_back(operand);
  }
  if (llvm::all_of(takes, [](int64_t operand) { return operand < 0; }))
    takes.clear();
  ScheduleAttr s = segment.plan->schedule;
  SmallVector<PartAttr> parts;
  for (auto [index, output] : llvm::enumerate(ops.outputs))
    if (output.rows)
      parts.push_back(PartAttr::get(main.getContext(), index, output.rows));
  return ScheduleAttr::get(main.getContext(), s.getVersion(), s.getAnchor(), s.getLoops(),
                           s.getMembers(), s.getInputs(), kept, takes, parts);
}

/// Asks what else the plan could have been, whoever made it. SRAM is what plans may
/// use: less than the chip has where what used more did not pack.
void ProgramSearch::explain() {
  limits.sramBytes = wholeSram * budget / 100;
  if (auto usable = dyn_cast_or_null<IntegerAttr>(module->removeAttr(kUsableSramAttr)))
    limits.sramBytes = std::min(limits.sramBytes, usable.getInt());
  search->setSram(limits.sramBytes);
  PlanView view{
      program, {}, *storage,         *search,   {},
      {},      {}, limits.sramBytes, wholeSram, std::min(longest, effort.rounds.back().longest)};
  for (auto [segment, left] : llvm::zip(segments, spacesBesideRows()))
    view.groups.push_back(
        {segment.first, segment.last, segment.plan->dramBytes, segment.plan->sramBytes, left});
  view.describe = [this](unsigned first, unsigned last) { return describe(first, last); };
  view.obstacle = [this](unsigned first, unsigned last) { return obstacle(first, last); };
  view.isResident = [this](unsigned root) { return resident.contains(root); };
  for (auto [segment, alternatives] : llvm::zip(segments, explainPlan(view, main.getContext())))
    segment.alternatives = alternatives;
}

void ProgramSearch::build(unsigned index) {
  Segment &segment = segments[index];
  // Earlier groups have replaced some values: describe again.
  GroupOps ops = describe(segment.first, segment.last);
  MLIRContext *context = main.getContext();
  Builder attrs(context);
  std::string error;
  std::optional<GroupModel> model =
      GroupModel::build(ops, segment.plan->schedule, {INT64_MAX / 2, limits.accBytes}, error);

  auto describeExternal = [&](const External &e, Reason reason) -> Attribute {
    const Placement &place = storage->of(e.value);
    NamedAttrList list;
    list.set(kKindAttr, attrs.getStringAttr(kindName(storage->root(place.root).kind)));
    list.set(kLayoutAttr, e.layout.toAttr(context));
    list.set(kReasonAttr, ReasonAttr::get(context, reason));
    list.set(kSpaceAttr, SpaceAttr::get(context, e.inSram ? Space::Sram : Space::Dram));
    if (e.rows)
      list.set(kRowsAttr, attrs.getI64IntegerAttr(e.rows));
    return list.getDictionary(context);
  };
  SmallVector<Attribute> inputAttrs, outputAttrs;
  SmallVector<Value> inputs;
  SmallVector<Type> results;
  SmallVector<Location> locs;
  for (auto [input, load] : llvm::zip(ops.inputs, model->loads)) {
    inputs.push_back(input.value);
    inputAttrs.push_back(describeExternal(input, loadReason(*storage, input, load, ops)));
  }
  for (const External &output : ops.outputs) {
    results.push_back(output.value.getType());
    RootKind kind = storage->root(storage->of(output.value).root).kind;
    Reason reason = output.inSram              ? Reason::None
                    : kind == RootKind::Output ? Reason::CompulsoryStore
                                               : Reason::SpillStore;
    outputAttrs.push_back(describeExternal(output, reason));
  }
  for (Operation *op : ops.members)
    locs.push_back(op->getLoc());

  ScheduleAttr s = finalSchedule(segment, ops);
  OpBuilder builder(context);
  builder.setInsertionPointAfter(ops.members.back());
  auto group = GroupOp::create(builder, FusedLoc::get(context, locs), results, inputs, s);
  group->setAttr(kInputsAttr, attrs.getArrayAttr(inputAttrs));
  group->setAttr(kOutputsAttr, attrs.getArrayAttr(outputAttrs));
  if (segment.alternatives)
    group->setAttr(kAlternativesAttr, segment.alternatives);
  Block *body = builder.createBlock(&group.getBody());
  IRMapping mapping;
  for (Value input : inputs)
    mapping.map(input, body->addArgument(input.getType(), input.getLoc()));
  for (Operation *op : ops.members)
    builder.clone(*op, mapping);
  SmallVector<Value> yielded;
  for (const External &output : ops.outputs)
    yielded.push_back(mapping.lookup(output.value));
  YieldOp::create(builder, group.getLoc(), yielded);

  // Views between the members that read a result move behind the group.
  llvm::SmallPtrSet<Operation *, 16> members(ops.members.begin(), ops.members.end());
  llvm::SmallPtrSet<Operation *, 16> late;
  Operation *after = group;
  for (Operation *op = ops.members.front()->getNextNode(); op && op != group.getOperation();) {
    Operation *next = op->getNextNode();
    bool moves = !members.contains(op) && llvm::any_of(op->getOperands(), [&](Value operand) {
      Operation *source = operand.getDefiningOp();
      return source && (members.contains(source) || late.contains(source));
    });
    if (moves) {
      late.insert(op);
      op->moveAfter(after);
      after = op;
    }
    op = next;
  }
  for (auto [output, result] : llvm::zip(ops.outputs, group.getResults())) {
    Value old = output.value;
    old.replaceUsesWithIf(result,
                          [&](OpOperand &use) { return !members.contains(use.getOwner()); });
    storage->rename(old, result);
  }
  for (Operation *op : llvm::reverse(ops.members)) {
    position.erase(op);
    op->erase();
  }
}

//===----------------------------------------------------------------------===//
// Sizes of SRAM
//===----------------------------------------------------------------------===//

/// The plan for exactly `sram` bytes. It does not depend on the plans for other sizes:
/// with the rows that are kept in the end, no bytes that are known before rule it out.
ProgramSearch::Plan *ProgramSearch::planFor(int64_t sram) {
  auto [it, isNew] = plans.try_emplace(sram);
  std::optional<Plan> &known = it->second;
  if (!isNew)
    return known ? &*known : nullptr;
  if (search->setSram(sram))
    steps.clear(); // entries differ
  limits.sramBytes = sram;
  for (SearchRound round : effort.rounds) {
    segments.clear();
    resident.clear();
    taken.clear();
    rows.clear();
    if (failed(decide(round)) || failed(settle()))
      continue;
    keepRows();
    Plan plan{sram};
    for (const Segment &segment : segments)
      plan.bytes += segment.plan->dramBytes;
    plan.segments = segments;
    plan.resident = resident;
    plan.taken = taken;
    plan.rows = rows;
    if (!known || plan.bytes < known->bytes)
      known = std::move(plan);
  }
  return known ? &*known : nullptr;
}

/// The plan with the fewest bytes of all rungs up to `sram`; of equal ones that of
/// the highest.
const ProgramSearch::Plan *ProgramSearch::best(int64_t sram) {
  const Plan *best = nullptr;
  ScopedDiagnosticHandler quiet(main.getContext(), [](Diagnostic &) { return success(); });
  tooSmall = false;
  for (int64_t rung = rungAt(sram, effort.rungsPerOctave); rung > 0 && !tooSmall;
       rung = rungBelow(rung, effort.rungsPerOctave)) {
    // Nothing smaller can move fewer bytes.
    if (best && boundAt(bounds, rung + limits.accBytes) >= best->bytes)
      break;
    int64_t percent = 100;
    if (auto it = refused.find(rung); it != refused.end())
      percent = it->second - (it->second > 80 ? 5 : 10);
    if (percent < leastPercent)
      continue;
    if (Plan *plan = planFor(rung * percent / 100)) {
      plan->rung = rung;
      if (!best || plan->bytes < best->bytes)
        best = plan;
    }
  }
  return best;
}

LogicalResult ProgramSearch::prepare() {
  std::optional<Effort> named = effortNamed(effortName);
  if (!named)
    return module.emitError("effort '") << effortName << "' is not fast, default or best";
  effort = *named;
  FailureOr<Limits> target = limitsOf(module);
  if (failed(target))
    return failure();
  FailureOr<func::FuncOp> checked = requireForm(module, Form::Tensor);
  if (failed(checked))
    return failure();
  main = *checked;
  limits = *target;
  wholeSram = limits.sramBytes;
  limits.sramBytes = limits.sramBytes * budget / 100;
  bounds = BoundGraph::of(main);
  storage.emplace(Storage::analyse(main));
  for (Operation &op : main.getBody().front())
    if (isa<ComputeOpInterface>(op)) {
      position[&op] = program.size();
      program.push_back(&op);
    }
  if (program.size() > longProgram)
    effort.rungsPerOctave = 1;
  findLives();
  search = std::make_unique<ScheduleSearch>(limits);
  return success();
}

LogicalResult ProgramSearch::choose() {
  if (auto given = module->getAttrOfType<ArrayAttr>(kSchedulesAttr)) {
    module->removeAttr(kSchedulesAttr);
    return obey(given);
  }
  if (seed)
    return randomise();
  const Plan *plan = bestOrReason(limits.sramBytes);
  if (!plan)
    return failure();
  take(*plan);
  module->setAttr(kPlannedSramAttr, Builder(main.getContext()).getI64IntegerAttr(plan->rung));
  return success();
}

/// The best plan; below the lowest rung where the program fits, the plan for exactly
/// `sram` bytes, or why there is none.
const ProgramSearch::Plan *ProgramSearch::bestOrReason(int64_t sram) {
  if (const Plan *plan = best(sram))
    return plan;
  if (!refused.empty())
    return nullptr;  // what there is does not pack
  plans.erase(sram); // say it this time
  Plan *plan = planFor(sram);
  if (plan)
    plan->rung = sram;
  return plan;
}

void ProgramSearch::take(const Plan &plan) {
  segments = plan.segments;
  resident = plan.resident;
  taken = plan.taken;
  rows = plan.rows;
}

/// The schedules of a plan with the names of their operations.
ArrayAttr ProgramSearch::schedulesOf(const Plan &plan) {
  take(plan);
  Builder builder(main.getContext());
  SmallVector<Attribute> entries;
  for (const Segment &segment : segments) {
    SmallVector<Attribute> names;
    for (unsigned i = segment.first; i <= segment.last; ++i)
      names.push_back(builder.getStringAttr(memberName(program[i])));
    entries.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("members", builder.getArrayAttr(names)),
         builder.getNamedAttr("schedule",
                              finalSchedule(segment, describe(segment.first, segment.last)))}));
  }
  return builder.getArrayAttr(entries);
}

void ProgramSearch::refuse(int64_t rung) {
  auto [it, isNew] = refused.try_emplace(rung, 100);
  if (!isNew)
    it->second -= it->second > 80 ? 5 : 10;
}

int64_t ProgramSearch::usable(int64_t sram) const {
  auto it = refused.find(rungAt(sram, effort.rungsPerOctave));
  return it == refused.end() ? sram : it->first * (it->second - (it->second > 80 ? 5 : 10)) / 100;
}

void ProgramSearch::build() {
  explain();
  // Values of later groups are renamed while earlier ones are built: what later
  // groups read is looked up when it is their turn.
  for (unsigned s = 0; s < segments.size(); ++s)
    build(s);
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

struct Planner::Impl {
  OwningOpRef<ModuleOp> module; ///< analysis inserts copies
  ProgramSearch search;
  bool prepared;
  Impl(ModuleOp original, const PlanGroupsOptions &options)
      : module(original.clone()), search(*module, options), prepared(succeeded(search.prepare())) {}
};

Planner::Planner(ModuleOp module, const PlanGroupsOptions &options)
    : impl(std::make_unique<Impl>(module, options)) {}
Planner::~Planner() = default;

std::optional<ProgramPlan> Planner::best(int64_t sram) {
  if (!impl->prepared)
    return std::nullopt;
  const ProgramSearch::Plan *plan = impl->search.bestOrReason(sram);
  if (!plan)
    return std::nullopt;
  return ProgramPlan{plan->rung, plan->bytes, impl->search.schedulesOf(*plan),
                     impl->search.usable(sram)};
}

void Planner::refuse(const ProgramPlan &plan) { impl->search.refuse(plan.sramBytes); }

void PlanGroups::runOnOperation() {
  PlanGroupsOptions options;
  options.budget = budget;
  options.effort = effort;
  options.longest = longest;
  options.seed = seed;
  ProgramSearch search(getOperation(), options);
  if (failed(search.prepare()) || failed(search.choose()))
    return signalPassFailure();
  search.build();
  numGroups = search.groups();
  numSearches = search.searches();
  numModels = search.models();
}

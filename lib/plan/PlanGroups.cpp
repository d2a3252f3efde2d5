//===- PlanGroups.cpp - groups, schedules and resident tensors ------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three steps, each driven by the bytes of GroupModels:
//  1. cut: dynamic programming over the operations in program order; a group is
//     a connected run of operations whose values reach each other directly.
//  2. keep: stored tensors become resident in SRAM, best saving per byte and
//     lifetime first, as long as what the groups meanwhile lose is less.
//  3. fix: each group's schedule is searched again in the space that is left.
//
//===----------------------------------------------------------------------===//

#include "acc/Plan/Passes.h"
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

static int64_t bytesOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return tensor.getNumElements() * byteWidth(tensor.getElementType());
}

namespace {

/// A group in the making: operations first..last of the program.
struct Segment {
  unsigned first, last;
  std::optional<ScheduledGroup> plan;
};

struct PlanGroups : accel::impl::PlanGroupsBase<PlanGroups> {
  using Base::Base;
  void runOnOperation() override;

private:
  GroupOps describe(unsigned first, unsigned last);
  bool fusible(unsigned first, unsigned last);
  std::optional<ScheduledGroup> plan(const GroupOps &ops, int64_t sram, std::string &error);
  LogicalResult cut();
  void keepResident();
  LogicalResult fix();
  LogicalResult obey(ArrayAttr given);
  LogicalResult randomise();
  void build(unsigned index);
  bool isResident(Value value) const { return resident.contains(storage->of(value).root); }

  func::FuncOp main;
  Limits limits;
  std::optional<Storage> storage;
  SmallVector<Operation *> program; ///< compute operations in order
  DenseMap<Operation *, unsigned> position;
  std::vector<Segment> segments;
  SmallVector<unsigned> segmentOf;            ///< by operation
  llvm::SmallSetVector<unsigned, 8> resident; ///< stored tensors in SRAM
  SmallVector<int64_t> residentBytes;         ///< live in each segment
  llvm::StringMap<std::optional<ScheduledGroup>> memo;
  llvm::StringMap<std::string> memoError;
};

} // namespace

//===----------------------------------------------------------------------===//
// Describing a run of operations
//===----------------------------------------------------------------------===//

GroupOps PlanGroups::describe(unsigned first, unsigned last) {
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

/// Operation `last` can join the group first..last-1.
bool PlanGroups::fusible(unsigned first, unsigned last) {
  auto inside = [&](Operation *op) {
    auto it = position.find(op);
    return it != position.end() && it->second >= first && it->second < last;
  };
  Operation *op = program[last];
  bool connected = false;
  for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
    Operation *source = operand.getDefiningOp();
    if (!source)
      continue;
    if (inside(source)) {
      connected = true;
      // A table must be stored; a weight produced by the group would need all of
      // it before the first row.
      if (isa<GatherOp>(op) && index == 0)
        return false;
    } else if (reachesThroughView(operand, inside)) {
      return false;
    }
  }
  return connected;
}

std::optional<ScheduledGroup> PlanGroups::plan(const GroupOps &ops, int64_t sram,
                                               std::string &error) {
  std::string key = structuralKey(ops) + std::to_string(sram);
  auto [it, isNew] = memo.try_emplace(key);
  if (isNew) {
    it->second = searchSchedule(ops, {sram, limits.accBytes}, error);
    ++numSearches;
    if (!it->second)
      memoError[key] = error;
  } else if (!it->second) {
    error = memoError[key];
  }
  return it->second;
}

//===----------------------------------------------------------------------===//
// Step 1: cut
//===----------------------------------------------------------------------===//

LogicalResult PlanGroups::cut() {
  constexpr unsigned longest = 6;
  unsigned n = program.size();
  struct Choice {
    int64_t bytes = INT64_MAX;
    unsigned first = 0;
  };
  std::vector<Choice> best(n + 1);
  best[0].bytes = 0;
  LogicalResult result = success();
  for (unsigned first = 0; first < n; ++first) {
    if (best[first].bytes == INT64_MAX)
      continue;
    for (unsigned last = first; last < n && last - first < longest; ++last) {
      if (last > first && !fusible(first, last))
        break;
      std::string error;
      std::optional<ScheduledGroup> group = plan(describe(first, last), limits.sramBytes, error);
      if (!group) {
        if (last == first) {
          program[first]->emitError("no tile fits on the target: ") << error;
          result = failure();
          best[last + 1] = {best[first].bytes, first};
          continue;
        }
        break;
      }
      int64_t bytes = best[first].bytes + group->dramBytes;
      // At equal bytes the shorter group wins: it leaves more room.
      if (bytes < best[last + 1].bytes)
        best[last + 1] = {bytes, first};
    }
  }
  if (failed(result))
    return failure();
  for (unsigned end = n; end > 0; end = best[end].first)
    segments.push_back({best[end].first, end - 1, std::nullopt});
  std::reverse(segments.begin(), segments.end());
  segmentOf.resize(n);
  for (auto [s, segment] : llvm::enumerate(segments))
    for (unsigned i = segment.first; i <= segment.last; ++i)
      segmentOf[i] = s;
  return success();
}

//===----------------------------------------------------------------------===//
// Step 2: keep
//===----------------------------------------------------------------------===//

void PlanGroups::keepResident() {
  struct Candidate {
    unsigned root;
    unsigned from = UINT_MAX, to = 0;
    int64_t size = 0, saved = 0;
  };
  std::map<unsigned, Candidate> byRoot;
  unsigned n = segments.size();
  for (unsigned s = 0; s < n; ++s) {
    GroupOps ops = describe(segments[s].first, segments[s].last);
    auto note = [&](const External &e) {
      const Placement &place = storage->of(e.value);
      if (storage->root(place.root).kind != RootKind::Workspace)
        return;
      Candidate &c = byRoot[place.root];
      c.root = place.root;
      c.size = (bytesOf(storage->root(place.root).type) + 63) / 64 * 64;
      c.from = std::min(c.from, s);
      c.to = std::max(c.to, s);
      c.saved += bytesOf(e.value.getType());
      // Nested strides cannot be read or written in place.
      if (!e.layout.isStrided())
        c.saved = INT64_MIN / 2;
    };
    for (const External &input : ops.inputs)
      note(input);
    for (const External &output : ops.outputs)
      note(output);
  }
  std::vector<Candidate> order;
  for (auto &[root, candidate] : byRoot)
    if (candidate.saved > 0 && candidate.size <= limits.sramBytes)
      order.push_back(candidate);
  std::sort(order.begin(), order.end(), [](const Candidate &a, const Candidate &b) {
    // saved / (size * lifetime), compared without division
    auto cost = [](const Candidate &c) { return c.size * int64_t(c.to - c.from + 1); };
    __int128 left = __int128(a.saved) * cost(b), right = __int128(b.saved) * cost(a);
    return left != right ? left > right : a.root < b.root;
  });
  residentBytes.assign(n, 0);
  std::string error;
  // What a group costs with the space that is left, in steps of a sixteenth.
  auto bytesWith = [&](unsigned s, int64_t used) -> int64_t {
    int64_t space = limits.sramBytes - used, step = std::max<int64_t>(limits.sramBytes / 16, 1);
    if (space <= 0)
      return INT64_MAX / 4;
    // Powers of two and the whole keep the number of searches small.
    int64_t rounded = limits.sramBytes;
    if (used > 0) {
      rounded = limits.sramBytes;
      while (rounded > space)
        rounded = rounded > limits.sramBytes / 2 ? rounded - 2 * step : rounded / 2;
    }
    std::optional<ScheduledGroup> group =
        plan(describe(segments[s].first, segments[s].last), rounded, error);
    return group ? group->dramBytes : INT64_MAX / 4;
  };
  for (const Candidate &c : order) {
    int64_t loss = 0;
    resident.insert(c.root);
    bool fits = true;
    for (unsigned s = c.from; s <= c.to && fits; ++s) {
      int64_t now, then;
      resident.remove(c.root);
      now = bytesWith(s, residentBytes[s]);
      resident.insert(c.root);
      then = bytesWith(s, residentBytes[s] + c.size);
      fits = then < INT64_MAX / 4;
      loss += then - now; // negative: what the group saves
    }
    if (!fits || loss >= 0) {
      resident.remove(c.root);
      continue;
    }
    for (unsigned s = c.from; s <= c.to; ++s)
      residentBytes[s] += c.size;
  }
}

//===----------------------------------------------------------------------===//
// Step 3: fix, and groups in the IR
//===----------------------------------------------------------------------===//

LogicalResult PlanGroups::fix() {
  for (auto [s, segment] : llvm::enumerate(segments)) {
    std::string error;
    segment.plan =
        plan(describe(segment.first, segment.last), limits.sramBytes - residentBytes[s], error);
    if (!segment.plan)
      return program[segment.first]->emitError("no tile fits on the target: ") << error;
  }
  return success();
}

/// Random legal groups, residents and schedules.
LogicalResult PlanGroups::randomise() {
  std::mt19937_64 random(seed);
  unsigned n = program.size();
  std::string error;
  for (unsigned first = 0; first < n;) {
    unsigned last = first;
    while (last + 1 < n && last - first < 5 && random() % 3 && fusible(first, last + 1) &&
           searchSchedule(describe(first, last + 1), limits, error))
      ++last;
    segments.push_back({first, last, std::nullopt});
    first = last + 1;
  }
  if (random() % 2) {
    segmentOf.clear();
    keepResident();
  } else {
    residentBytes.assign(segments.size(), 0);
  }
  for (auto [s, segment] : llvm::enumerate(segments)) {
    segment.plan =
        randomSchedule(describe(segment.first, segment.last),
                       {limits.sramBytes - residentBytes[s], limits.accBytes}, random(), error);
    if (!segment.plan)
      return program[segment.first]->emitError("no tile fits on the target: ") << error;
  }
  return success();
}

/// Takes groups and schedules as they are given.
LogicalResult PlanGroups::obey(ArrayAttr given) {
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
      if (next > first && !fusible(first, next))
        return program[next]->emitError("schedule file: entry ")
               << index << ": cannot be in one group with the operations before it (its operands "
               << "come from them through a view or not at all)";
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
  for (auto [segment, schedule] : llvm::zip(segments, schedules)) {
    GroupOps ops = describe(segment.first, segment.last);
    std::string error;
    std::optional<GroupModel> model = GroupModel::build(ops, schedule, limits, error);
    if (!model)
      return program[segment.first]->emitError("schedule refused: ") << error;
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
  bool once = load.bytes <= bytesOf(input.value.getType());
  if (kind == RootKind::Workspace || kind == RootKind::Output)
    return once ? Reason::SpillLoad : Reason::Reload;
  if (once)
    return Reason::CompulsoryLoad;
  return Reason::Reload;
}

void PlanGroups::build(unsigned index) {
  Segment &segment = segments[index];
  // Earlier groups have replaced some values: describe again.
  GroupOps ops = describe(segment.first, segment.last);
  MLIRContext *context = &getContext();
  Builder attrs(context);
  std::string error;
  std::optional<GroupModel> model =
      GroupModel::build(ops, segment.plan->schedule, {INT64_MAX / 2, limits.accBytes}, error);

  auto describeExternal = [&](const External &e, Reason reason) -> Attribute {
    const Placement &place = storage->of(e.value);
    return attrs.getDictionaryAttr(
        {attrs.getNamedAttr(kKindAttr,
                            attrs.getStringAttr(kindName(storage->root(place.root).kind))),
         attrs.getNamedAttr(kLayoutAttr, e.layout.toAttr(context)),
         attrs.getNamedAttr(kReasonAttr, ReasonAttr::get(context, reason)),
         attrs.getNamedAttr(kSpaceAttr,
                            SpaceAttr::get(context, e.inSram ? Space::Sram : Space::Dram))});
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

  SmallVector<int64_t> kept;
  for (auto [index, output] : llvm::enumerate(ops.outputs))
    if (output.inSram)
      kept.push_back(index);
  ScheduleAttr s = segment.plan->schedule;
  s = ScheduleAttr::get(context, s.getVersion(), s.getAnchor(), s.getLoops(), s.getMembers(),
                        s.getInputs(), kept);
  OpBuilder builder(context);
  builder.setInsertionPointAfter(ops.members.back());
  auto group = GroupOp::create(builder, FusedLoc::get(context, locs), results, inputs, s);
  group->setAttr(kInputsAttr, attrs.getArrayAttr(inputAttrs));
  group->setAttr(kOutputsAttr, attrs.getArrayAttr(outputAttrs));
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
  ++numGroups;
}

void PlanGroups::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<Limits> target = limitsOf(module);
  if (failed(target))
    return signalPassFailure();
  FailureOr<func::FuncOp> checked = requireForm(module, Form::Tensor);
  if (failed(checked))
    return signalPassFailure();
  main = *checked;
  limits = *target;
  limits.sramBytes = limits.sramBytes * budget / 100;
  storage.emplace(Storage::analyse(main));
  program.clear();
  position.clear();
  for (Operation &op : main.getBody().front())
    if (isa<ComputeOpInterface>(op)) {
      position[&op] = program.size();
      program.push_back(&op);
    }
  if (auto given = module->getAttrOfType<ArrayAttr>(kSchedulesAttr)) {
    if (failed(obey(given)))
      return signalPassFailure();
    module->removeAttr(kSchedulesAttr);
  } else if (seed) {
    if (failed(randomise()))
      return signalPassFailure();
  } else {
    if (failed(cut()))
      return signalPassFailure();
    keepResident();
    if (failed(fix()))
      return signalPassFailure();
  }
  // Values of later groups are renamed while earlier ones are built: what later
  // groups read is looked up when it is their turn.
  for (unsigned s = 0; s < segments.size(); ++s)
    build(s);
}

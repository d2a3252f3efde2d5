//===- ExplainTraffic.cpp - why each byte of the prediction moves ---------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Candidate.h"
#include "acc/Plan/Passes.h"
#include "acc/Plan/Routine.h"

#include <map>

namespace accel {
#define GEN_PASS_DEF_EXPLAINTRAFFIC
#include "acc/Plan/Passes.h.inc"
} // namespace accel

using namespace mlir;
using namespace accel;

namespace {

/// What a group loads of one operand, in bytes; they add up to the load.
struct LoadParts {
  unsigned member = 0;   ///< that reads it first
  int64_t once = 0;      ///< what it needs, once
  int64_t halo = 0;      ///< read by neighbouring tiles too
  int64_t alignment = 0; ///< the layout is moved in larger pieces
  int64_t again = 0;     ///< the same in each iteration of a loop
  bool table = false;    ///< rows that an index names
};

struct RoutineParts {
  SmallVector<LoadParts> loads;
  SmallVector<int64_t> stores;
  SmallVector<unsigned> producers; ///< of the stores
  SmallVector<std::string> members;
  int64_t sramBytes = 0, dramBytes = 0;
};

/// Bytes and cause of one tensor in one group.
struct Entry {
  unsigned root, group;
  std::string node;
  bool write;
  Cause cause;
  int64_t bytes;
  int64_t more;
  std::string text;
};

/// A verdict of plan-groups.
struct Verdict {
  Cause cause = Cause::Capacity;
  int64_t more = 0, missed = 0;
  std::string text;
  bool given = false;
  static Verdict of(Attribute attr);
};

struct ExplainTraffic : accel::impl::ExplainTrafficBase<ExplainTraffic> {
  void runOnOperation() override;

private:
  std::optional<RoutineParts> partsOf(func::FuncOp routine);
  void explainCall(func::CallOp call, const RoutineParts &parts, unsigned group);
  void add(unsigned root, unsigned group, StringRef node, bool write, Cause cause, int64_t bytes,
           const Verdict &verdict);
  void giveBack();
  std::optional<Storage> storage;
  Limits limits;
  std::vector<Entry> entries;
  std::map<std::pair<unsigned, bool>, int64_t> owed; ///< compulsory bytes by root and direction
};

} // namespace

Verdict Verdict::of(Attribute attr) {
  Verdict result;
  auto fields = dyn_cast_or_null<DictionaryAttr>(attr);
  auto cause = fields ? fields.getAs<CauseAttr>("cause") : CauseAttr();
  if (!cause)
    return result;
  result.given = true;
  result.cause = cause.getValue();
  if (auto more = fields.getAs<IntegerAttr>("more"))
    result.more = more.getInt();
  if (auto missed = fields.getAs<IntegerAttr>("missed"))
    result.missed = missed.getInt();
  if (auto text = fields.getAs<StringAttr>("text"))
    result.text = text.str();
  return result;
}

/// Bytes of what a value reads of its stored tensor; repeats read the same.
static int64_t storedBytes(const External &external) {
  int64_t elements = 1;
  for (auto &modes : external.layout.dims)
    for (Mode mode : modes)
      elements *= mode.stride == 0 ? 1 : mode.size;
  return elements * byteWidth(cast<RankedTensorType>(external.value.getType()).getElementType());
}

std::optional<RoutineParts> ExplainTraffic::partsOf(func::FuncOp routine) {
  auto schedule = routine->getAttrOfType<ScheduleAttr>(kScheduleAttr);
  GroupOps ops = describeRoutine(routine);
  std::string error;
  std::optional<GroupModel> model = GroupModel::build(ops, schedule, limits, error);
  if (!model) {
    routine.emitError("schedule is not possible on this target: ") << error;
    return std::nullopt;
  }
  // The same without nested layouts: what is moved more is theirs.
  GroupOps plain = ops;
  bool nested = false;
  for (External &input : plain.inputs) {
    if (input.inSram || input.layout.isStrided())
      continue;
    nested = true;
    input.layout = Layout::dense(shapeOf(input.value));
  }
  std::optional<GroupModel> without;
  if (nested)
    without = GroupModel::build(plain, schedule, {INT64_MAX / 2, limits.accBytes}, error);

  RoutineParts parts;
  parts.sramBytes = model->sramBytes;
  parts.dramBytes = model->dramBytes;
  for (Operation *op : ops.members)
    parts.members.push_back(memberName(op));
  for (auto [i, load] : llvm::enumerate(model->loads)) {
    LoadParts part;
    part.member = load.gatherTable ? load.member : load.firstReader;
    part.table = load.gatherTable;
    int64_t distinct = storedBytes(ops.inputs[i]);
    int64_t pass = load.bytes / load.repeats;
    part.again = load.bytes - pass;
    // Repeats make the plain layout load more; it says nothing then.
    int64_t boxes = pass;
    if (without && without->loads[i].repeats == load.repeats)
      boxes = std::min(pass,
                       std::max(without->loads[i].bytes / load.repeats, std::min(pass, distinct)));
    part.alignment = pass - boxes;
    part.once = std::min(boxes, distinct);
    part.halo = boxes - part.once;
    if (part.table)
      std::swap(part.again, part.halo); // rows that come again
    parts.loads.push_back(part);
  }
  for (auto [output, bytes] : llvm::zip(ops.outputs, model->storeBytes)) {
    parts.stores.push_back(bytes);
    parts.producers.push_back(llvm::find(ops.members, output.value.getDefiningOp()) -
                              ops.members.begin());
  }
  return parts;
}

void ExplainTraffic::add(unsigned root, unsigned group, StringRef node, bool write, Cause cause,
                         int64_t bytes, const Verdict &verdict) {
  if (bytes)
    entries.push_back({root, group, node.str(), write, cause, bytes, verdict.more, verdict.text});
}

void ExplainTraffic::explainCall(func::CallOp call, const RoutineParts &parts, unsigned group) {
  auto found = call->getAttrOfType<DictionaryAttr>(kAlternativesAttr);
  auto list = [&](StringRef name) {
    auto array = found ? found.getAs<ArrayAttr>(name) : ArrayAttr();
    return array ? array.getValue() : ArrayRef<Attribute>();
  };
  ArrayRef<Attribute> names = list("members"), inputs = list("inputs"), outputs = list("outputs");
  auto node = [&](unsigned member) {
    auto name = member < names.size() ? dyn_cast<StringAttr>(names[member]) : StringAttr();
    return name ? name.str() : parts.members[member];
  };
  auto verdictOf = [](ArrayRef<Attribute> all, size_t index) {
    return index < all.size() ? Verdict::of(all[index]) : Verdict();
  };
  Verdict inside = Verdict::of(found ? found.get("inside") : Attribute());
  auto credit = [&](unsigned root, bool write, int64_t bytes) {
    auto it = owed.find({root, write});
    int64_t given = it == owed.end() ? 0 : std::min(bytes, it->second);
    if (given)
      it->second -= given;
    return given;
  };
  // What another schedule for the same space does not move is the search's.
  Verdict better;
  better.text = "a schedule that moves " + std::to_string(inside.missed) +
                " bytes fewer fits and was not taken";
  int64_t missed = inside.missed;
  auto own = [&](unsigned root, StringRef reader, Cause cause, int64_t bytes) {
    int64_t part = std::min(bytes, missed);
    missed -= part;
    add(root, group, reader, false, Cause::Search, part, better);
    Verdict why = inside;
    if (why.text.empty()) // no other schedule of the group was asked for
      why.text = cause == Cause::Halo        ? "tiles of this schedule overlap in what they read"
                 : cause == Cause::Alignment ? "nested strides are loaded in whole inner parts"
                                             : "this schedule loads it again for other tiles";
    add(root, group, reader, false, cause, bytes - part, why);
  };
  for (auto [i, operand] : llvm::enumerate(call.getOperands())) {
    const LoadParts &part = parts.loads[i];
    unsigned root = storage->of(operand).root;
    std::string reader = node(part.member);
    int64_t first = credit(root, false, part.once);
    add(root, group, reader, false, Cause::Compulsory, first, {});
    Verdict between = verdictOf(inputs, i);
    if (!between.given) {
      // Not moved between groups, and still not the first time.
      bool large = tensorBytes(storage->root(root).type) > limits.sramBytes;
      between.cause = large ? Cause::Capacity : Cause::Search;
      between.text = "another operand is the same data, an equal constant or another view of it; "
                     "each is loaded for itself";
    }
    add(root, group, reader, false, between.cause, part.once - first, between);
    own(root, reader, part.table ? Cause::DynamicShape : inside.cause, part.again);
    own(root, reader, Cause::Halo, part.halo);
    own(root, reader, Cause::Alignment, part.alignment);
  }
  for (auto [o, result] : llvm::enumerate(call.getResults())) {
    unsigned root = storage->of(result).root;
    std::string producer = node(parts.producers[o]);
    int64_t bytes = parts.stores[o], first = credit(root, true, bytes);
    add(root, group, producer, true, Cause::Compulsory, first, {});
    Verdict between = verdictOf(outputs, o);
    add(root, group, producer, true, between.cause, bytes - first, between);
  }
}

/// Compulsory bytes that no group loaded as its first: whoever moved them.
void ExplainTraffic::giveBack() {
  std::vector<Entry> split;
  for (Entry &entry : entries) {
    auto it = owed.find({entry.root, entry.write});
    if (entry.cause == Cause::Compulsory || it == owed.end() || !it->second)
      continue;
    int64_t bytes = std::min(entry.bytes, it->second);
    it->second -= bytes;
    entry.bytes -= bytes;
    split.push_back(
        {entry.root, entry.group, entry.node, entry.write, Cause::Compulsory, bytes, 0, ""});
  }
  entries.insert(entries.end(), split.begin(), split.end());
  llvm::erase_if(entries, [](const Entry &entry) { return entry.bytes == 0; });
}

void ExplainTraffic::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<Limits> target = limitsOf(module);
  if (failed(target))
    return signalPassFailure();
  limits = *target;
  FailureOr<func::FuncOp> main = requireForm(module, Form::Routines);
  if (failed(main))
    return signalPassFailure();
  DenseMap<StringAttr, RoutineParts> routines;
  for (auto routine : module.getOps<func::FuncOp>()) {
    if (!routine->hasAttr(kScheduleAttr))
      continue;
    std::optional<RoutineParts> parts = partsOf(routine);
    if (!parts)
      return signalPassFailure();
    routines[routine.getSymNameAttr()] = std::move(*parts);
  }
  entries.clear();
  owed.clear();
  storage.emplace(Storage::analyse(*main));
  for (unsigned r = 0; r < storage->numRoots(); ++r) {
    const Root &root = storage->root(r);
    IntegerAttr bytes;
    if (root.kind == RootKind::Input)
      bytes = main->getArgAttrOfType<IntegerAttr>(root.index, kCompulsoryAttr);
    else if (root.kind == RootKind::Weights)
      bytes = Value(root.value).getDefiningOp()->getAttrOfType<IntegerAttr>(kCompulsoryAttr);
    else if (root.kind == RootKind::Output)
      owed[{r, true}] = tensorBytes(root.type);
    if (bytes)
      owed[{r, false}] = bytes.getInt();
  }
  Builder builder(&getContext());
  auto number = [&](StringRef name, int64_t value) {
    return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
  };
  SmallVector<Attribute> groups;
  for (auto [group, call] : llvm::enumerate(main->getOps<func::CallOp>())) {
    const RoutineParts &parts = routines[call.getCalleeAttr().getAttr()];
    explainCall(call, parts, group);
    SmallVector<NamedAttribute> fields;
    if (auto found = call->getAttrOfType<DictionaryAttr>(kAlternativesAttr))
      for (StringRef name : {"members", "least", "space", "alternatives"})
        if (Attribute attr = found.get(name))
          fields.push_back(builder.getNamedAttr(name, attr));
    fields.push_back(number("bytes", parts.dramBytes));
    fields.push_back(number("sram", parts.sramBytes));
    groups.push_back(builder.getDictionaryAttr(fields));
    call->removeAttr(kAlternativesAttr);
  }
  giveBack();
  SmallVector<Attribute> explanation;
  for (const Entry &entry : entries) {
    SmallVector<NamedAttribute> fields{
        builder.getNamedAttr("tensor", builder.getStringAttr(rootName(*storage, entry.root))),
        builder.getNamedAttr("node", builder.getStringAttr(entry.node)),
        number("group", entry.group),
        builder.getNamedAttr("write", builder.getBoolAttr(entry.write)),
        builder.getNamedAttr("cause", CauseAttr::get(&getContext(), entry.cause)),
        number("bytes", entry.bytes)};
    if (entry.more)
      fields.push_back(number("more", entry.more));
    if (!entry.text.empty())
      fields.push_back(builder.getNamedAttr("text", builder.getStringAttr(entry.text)));
    explanation.push_back(builder.getDictionaryAttr(fields));
  }
  module->setAttr(kExplanationAttr, builder.getArrayAttr(explanation));
  module->setAttr(kGroupsAttr, builder.getArrayAttr(groups));
}

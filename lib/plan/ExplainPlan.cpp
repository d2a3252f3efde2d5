//===- ExplainPlan.cpp - what else a plan could have been -----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/ExplainPlan.h"

#include "acc/Plan/Routine.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"

#include <map>

using namespace mlir;
using namespace accel;

/// SRAM beyond which nothing is asked (bytes).
static constexpr int64_t kMostSram = int64_t(1) << 33;
/// How exactly SRAM is told (bytes).
static constexpr int64_t kGrain = 1024;

/// The least SRAM more with which `enough` holds, to kGrain; -1 if none does.
static int64_t leastMore(llvm::function_ref<bool(int64_t)> enough) {
  if (enough(0))
    return 0;
  if (!enough(kMostSram))
    return -1;
  int64_t high = 4 * kGrain, low = 0;
  while (!enough(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > kGrain) {
    int64_t middle = (low + high) / 2 / kGrain * kGrain;
    (enough(middle) ? high : low) = middle;
  }
  return high;
}

static std::string sizeText(int64_t bytes) {
  return bytes < 10 * 1024 ? std::to_string(bytes) + " bytes"
                           : std::to_string((bytes + 1023) / 1024) + " KiB";
}

namespace {

/// Where a stored tensor is used.
struct Use {
  unsigned first = UINT_MAX, last = 0; ///< operations that write or read it
  int64_t size = 0;                    ///< bytes of SRAM if it is resident
  bool strided = true;                 ///< can be read and written in place
};

struct Verdict {
  Cause cause = Cause::Compulsory; ///< Compulsory: nothing to explain
  int64_t more = 0, missed = 0;
  std::string text;
};

struct Alternative {
  std::string what;
  int64_t bytes = -1, now = 0, more = 0;
  std::string obstacle;
};

/// One question to the search, for different spaces.
class Question {
public:
  Question(const PlanView &view, const GroupOps &ops, int alsoResident = -1)
      : entry(view.search.entry(ops)) {
    auto resident = [&](const External &e) {
      return e.inSram || int(view.storage.of(e.value).root) == alsoResident;
    };
    for (const External &input : ops.inputs)
      inputs.push_back(resident(input));
    for (const External &output : ops.outputs)
      outputs.push_back(resident(output));
    least = compulsoryBytes(ops, inputs, outputs);
  }
  /// DRAM bytes in `sram` bytes; nothing if it does not fit.
  std::optional<int64_t> bytes(int64_t sram) {
    std::optional<ScheduleSearch::Entry::Cost> cost = entry.cost(inputs, outputs, sram);
    return cost ? std::optional(cost->dramBytes) : std::nullopt;
  }
  int64_t least; ///< that no schedule of the group avoids

private:
  ScheduleSearch::Entry &entry;
  SmallVector<bool> inputs, outputs;
};

class Explainer {
public:
  Explainer(const PlanView &view, MLIRContext *context) : view(view), builder(context) {}
  std::vector<DictionaryAttr> run();

private:
  void findUses();
  unsigned groupOf(unsigned operation) const {
    return llvm::partition_point(view.groups,
                                 [&](const PlanView::Group &g) { return g.last < operation; }) -
           view.groups.begin();
  }
  std::string nameOf(unsigned operation) const { return memberName(view.program[operation]); }
  std::string obstacleOf(unsigned first, unsigned last) const;
  int64_t spaceOf(unsigned first, unsigned last) const;
  Alternative join(unsigned from, unsigned to);
  Alternative keep(unsigned root);
  Alternative cut(const PlanView::Group &group);
  const Verdict &between(unsigned root);
  Verdict inside(const PlanView::Group &group, const GroupOps &ops);
  DictionaryAttr attribute(const Verdict &verdict);
  DictionaryAttr attribute(const Alternative &alternative);

  const PlanView &view;
  Builder builder;
  std::map<unsigned, Use> uses; ///< by root
  std::map<unsigned, Verdict> verdicts;
  std::map<unsigned, Alternative> kept;
  std::map<std::pair<unsigned, unsigned>, Alternative> joined; ///< by first and last group
};

} // namespace

void Explainer::findUses() {
  auto note = [&](Value value, unsigned at) {
    if (!view.storage.has(value))
      return;
    const Placement &place = view.storage.of(value);
    Use &use = uses[place.root];
    use.first = std::min(use.first, at);
    use.last = std::max(use.last, at);
    use.size = (tensorBytes(view.storage.root(place.root).type) + 63) / 64 * 64;
    use.strided &= place.layout.isStrided();
  };
  for (auto [at, op] : llvm::enumerate(view.program)) {
    note(op->getResult(0), at);
    for (Value operand : op->getOperands())
      note(operand, at);
  }
}

/// Why operations first..last cannot be one group; empty if they can.
std::string Explainer::obstacleOf(unsigned first, unsigned last) const {
  for (unsigned next = first + 1; next <= last; ++next)
    if (StringRef why = view.obstacle(first, next); !why.empty())
      return "\"" + nameOf(next) + "\" cannot be in one group with what runs from \"" +
             nameOf(first) + "\" on: " + why.str();
  if (last - first + 1 > view.longest)
    return "a group has at most " + std::to_string(view.longest) + " operations, this would have " +
           std::to_string(last - first + 1);
  return "";
}

/// SRAM for operations first..last as one group: residents that live only among
/// them are no longer needed.
int64_t Explainer::spaceOf(unsigned first, unsigned last) const {
  int64_t space = view.sram;
  for (auto &[root, use] : uses)
    if (view.isResident(root) && use.first <= last && use.last >= first &&
        !(use.first >= first && use.last <= last))
      space -= use.size;
  return space;
}

/// Groups from..to as one.
Alternative Explainer::join(unsigned from, unsigned to) {
  auto [it, isNew] = joined.try_emplace({from, to});
  Alternative &result = it->second;
  if (!isNew)
    return result;
  unsigned first = view.groups[from].first, last = view.groups[to].last;
  result.what = "one group from \"" + nameOf(first) + "\" to \"" + nameOf(last) + "\"";
  for (unsigned g = from; g <= to; ++g)
    result.now += view.groups[g].dramBytes;
  result.obstacle = obstacleOf(first, last);
  if (!result.obstacle.empty())
    return result;
  Question question(view, view.describe(first, last));
  int64_t space = spaceOf(first, last);
  if (std::optional<int64_t> bytes = question.bytes(space))
    result.bytes = *bytes;
  int64_t more = leastMore([&](int64_t extra) {
    std::optional<int64_t> bytes = question.bytes(space + extra);
    return bytes && *bytes < result.now;
  });
  if (result.bytes < 0 && more < 0)
    result.obstacle = "no schedule of the whole moves fewer bytes";
  else if (result.bytes < 0)
    result.obstacle = "its buffers need " + sizeText(more) + " more SRAM";
  result.more = std::max<int64_t>(more, 0);
  return result;
}

/// A stored tensor stays in SRAM from its first to its last use. Inputs and constants
/// are loaded once then.
Alternative Explainer::keep(unsigned root) {
  auto [it, isNew] = kept.try_emplace(root);
  Alternative &result = it->second;
  if (!isNew)
    return result;
  const Use &use = uses[root];
  result.what = rootTitle(view.storage, root) + " stays in SRAM";
  RootKind kind = view.storage.root(root).kind;
  if (kind == RootKind::Output) {
    result.obstacle = "a model output is in DRAM";
    return result;
  }
  int64_t once = kind == RootKind::Workspace ? 0 : tensorBytes(view.storage.root(root).type);
  unsigned from = groupOf(use.first), to = groupOf(use.last);
  std::vector<Question> questions;
  for (unsigned g = from; g <= to; ++g) {
    result.now += view.groups[g].dramBytes;
    questions.emplace_back(view, view.describe(view.groups[g].first, view.groups[g].last), root);
  }
  if (!use.strided) {
    result.obstacle = "its layout is nested, so it cannot be read or written in place";
    return result;
  }
  auto with = [&](int64_t extra) -> std::optional<int64_t> {
    int64_t total = once;
    for (unsigned g = from; g <= to; ++g) {
      std::optional<int64_t> bytes =
          questions[g - from].bytes(view.groups[g].space + extra - use.size);
      if (!bytes)
        return std::nullopt;
      total += *bytes;
    }
    return total;
  };
  if (std::optional<int64_t> bytes = with(0))
    result.bytes = *bytes;
  int64_t more = leastMore([&](int64_t extra) {
    std::optional<int64_t> bytes = with(extra);
    return bytes && *bytes < result.now;
  });
  result.more = std::max<int64_t>(more, 0);
  if (result.bytes < 0)
    result.obstacle =
        "it and the groups that run meanwhile need " + sizeText(result.more) + " more SRAM";
  return result;
}

/// The group in two, where that moves the fewest bytes.
Alternative Explainer::cut(const PlanView::Group &group) {
  Alternative result;
  result.now = group.dramBytes;
  for (unsigned last = group.first; last < group.last; ++last) {
    if (!obstacleOf(last + 1, group.last).empty())
      continue;
    std::optional<int64_t> head =
        Question(view, view.describe(group.first, last)).bytes(group.space);
    std::optional<int64_t> tail =
        Question(view, view.describe(last + 1, group.last)).bytes(group.space);
    if (!head || !tail || (result.bytes >= 0 && *head + *tail >= result.bytes))
      continue;
    result.bytes = *head + *tail;
    result.what = "two groups, cut behind \"" + nameOf(last) + "\"";
  }
  return result;
}

/// Why a tensor moves between groups.
const Verdict &Explainer::between(unsigned root) {
  auto [it, isNew] = verdicts.try_emplace(root);
  Verdict &result = it->second;
  if (!isNew)
    return result;
  const Use &use = uses[root];
  unsigned from = groupOf(use.first), to = groupOf(use.last);
  RootKind kind = view.storage.root(root).kind;
  bool made = kind == RootKind::Workspace || kind == RootKind::Output; // by an operation
  // Groups that read the same input or constant need not be neighbours.
  Alternative whole = from < to && (made || to == from + 1) ? join(from, to) : Alternative();
  Alternative stay = keep(root);
  for (const Alternative &better : {whole, stay})
    if (better.bytes >= 0 && better.bytes < better.now) {
      result.cause = Cause::Search;
      result.text = better.what + ": legal, fits, and would move " +
                    std::to_string(better.now - better.bytes) + " bytes fewer; the search " +
                    (made ? "did not take it" : "keeps only what operations make");
      return result;
    }
  bool forbidden = made && from < to && whole.bytes < 0 && !whole.more;
  SmallVector<int64_t, 2> ways;
  for (const Alternative &way : {whole, stay})
    if (way.more > 0)
      ways.push_back(way.more);
  result.more = ways.empty() ? 0 : *llvm::min_element(ways);
  int64_t lost = view.wholeSram - view.sram;
  if (result.more && result.more <= lost) {
    result.cause = Cause::Fragmentation;
    result.text = "it would fit with " + sizeText(result.more) + " more, and " + sizeText(lost) +
                  " were left out because buffers did not pack";
  } else if (kind != RootKind::Output && !use.strided) {
    result.cause = Cause::Alignment;
    result.text = stay.obstacle + "; another layout would let it stay";
  } else if (forbidden) {
    result.cause = Cause::IllegalFusion;
    result.text = whole.obstacle;
  } else {
    result.cause = Cause::Capacity;
    result.text = "too large to stay";
  }
  auto tell = [&](StringRef way, const Alternative &alternative) {
    if (alternative.more > 0 && alternative.bytes < 0)
      result.text += ("; " + way + " needs " + sizeText(alternative.more) + " more SRAM").str();
    else if (alternative.more > 0)
      result.text +=
          ("; " + way + " fits and would move " +
           std::to_string(alternative.bytes - alternative.now) +
           " bytes more elsewhere, fewer with " + sizeText(alternative.more) + " more SRAM")
              .str();
  };
  tell("keeping it whole", stay);
  tell("one group for all that use it", whole);
  if (kind == RootKind::Output)
    result.text += "; a model output is in DRAM, and readers load it";
  return result;
}

/// Why a group moves something of its own more than once.
Verdict Explainer::inside(const PlanView::Group &group, const GroupOps &ops) {
  Verdict result;
  Question question(view, ops);
  if (group.dramBytes <= question.least)
    return result;
  if (std::optional<int64_t> here = question.bytes(group.space); here && *here < group.dramBytes)
    result.missed = group.dramBytes - *here;
  int64_t more = leastMore([&](int64_t extra) {
    std::optional<int64_t> bytes = question.bytes(group.space + extra);
    return bytes && *bytes <= question.least;
  });
  bool gathers = llvm::any_of(ops.members, [](Operation *op) { return isa<GatherOp>(op); });
  result.cause = Cause::Capacity;
  if (more == 0) {
    result.text = "a schedule that moves everything once fits";
  } else if (more > 0) {
    result.more = more;
    int64_t lost = view.wholeSram - view.sram;
    if (more <= lost)
      result.cause = Cause::Fragmentation;
    result.text = "the group has " + sizeText(group.space) + " of SRAM; with " + sizeText(more) +
                  " more it moves everything once";
  } else if (gathers) {
    result.cause = Cause::DynamicShape;
    result.text = "which rows are read, and how often, is known when it runs";
  } else {
    result.text = "no schedule of this group moves everything once, whatever the SRAM";
  }
  return result;
}

DictionaryAttr Explainer::attribute(const Verdict &verdict) {
  if (verdict.cause == Cause::Compulsory)
    return builder.getDictionaryAttr({});
  return builder.getDictionaryAttr(
      {builder.getNamedAttr("cause", CauseAttr::get(builder.getContext(), verdict.cause)),
       builder.getNamedAttr("more", builder.getI64IntegerAttr(verdict.more)),
       builder.getNamedAttr("missed", builder.getI64IntegerAttr(verdict.missed)),
       builder.getNamedAttr("text", builder.getStringAttr(verdict.text))});
}

DictionaryAttr Explainer::attribute(const Alternative &alternative) {
  SmallVector<NamedAttribute> fields{
      builder.getNamedAttr("what", builder.getStringAttr(alternative.what)),
      builder.getNamedAttr("bytes", builder.getI64IntegerAttr(alternative.bytes)),
      builder.getNamedAttr("now", builder.getI64IntegerAttr(alternative.now)),
      builder.getNamedAttr("more", builder.getI64IntegerAttr(alternative.more))};
  if (!alternative.obstacle.empty())
    fields.push_back(builder.getNamedAttr("obstacle", builder.getStringAttr(alternative.obstacle)));
  return builder.getDictionaryAttr(fields);
}

std::vector<DictionaryAttr> Explainer::run() {
  findUses();
  std::vector<DictionaryAttr> result;
  for (auto [g, group] : llvm::enumerate(view.groups)) {
    GroupOps ops = view.describe(group.first, group.last);
    SmallVector<Attribute> members, inputs, outputs, alternatives;
    for (Operation *op : ops.members)
      members.push_back(builder.getStringAttr(memberName(op)));
    bool any = false; // something that need not move
    std::set<unsigned> told;
    auto external = [&](const External &e, bool writes) -> Attribute {
      unsigned root = view.storage.of(e.value).root;
      RootKind kind = view.storage.root(root).kind;
      // An output is stored in any case; an input or constant that one group reads
      // has no other to be kept for.
      bool moves =
          !e.inSram && !(writes && kind == RootKind::Output) &&
          (kind == RootKind::Workspace || groupOf(uses[root].first) != groupOf(uses[root].last));
      if (!moves)
        return attribute(Verdict());
      const Verdict &verdict = between(root);
      any = true;
      if (told.insert(root).second && kind != RootKind::Output)
        alternatives.push_back(attribute(keep(root)));
      return attribute(verdict);
    };
    for (const External &input : ops.inputs)
      inputs.push_back(external(input, false));
    for (const External &output : ops.outputs)
      outputs.push_back(external(output, true));
    Verdict own = inside(group, ops);
    any |= own.cause != Cause::Compulsory;
    if (any && g + 1 < view.groups.size())
      alternatives.push_back(attribute(join(g, g + 1)));
    if (any && group.first < group.last)
      if (Alternative two = cut(group); two.bytes >= 0)
        alternatives.push_back(attribute(two));
    int64_t least = Question(view, ops).least;
    result.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("version", builder.getI64IntegerAttr(1)),
         builder.getNamedAttr("members", builder.getArrayAttr(members)),
         builder.getNamedAttr("least", builder.getI64IntegerAttr(least)),
         builder.getNamedAttr("space", builder.getI64IntegerAttr(group.space)),
         builder.getNamedAttr("inside", attribute(own)),
         builder.getNamedAttr("inputs", builder.getArrayAttr(inputs)),
         builder.getNamedAttr("outputs", builder.getArrayAttr(outputs)),
         builder.getNamedAttr("alternatives", builder.getArrayAttr(alternatives))}));
  }
  return result;
}

std::vector<DictionaryAttr> accel::explainPlan(const PlanView &view, MLIRContext *context) {
  return Explainer(view, context).run();
}

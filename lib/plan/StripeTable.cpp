//===- StripeTable.cpp - all the ways to run a group in stripes -----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/StripeTable.h"

#include "llvm/ADT/STLExtras.h"

#include <random>

using namespace mlir;
using namespace accel;

static constexpr int64_t unlimited = INT64_MAX / 4;

struct StripeTable::Question {
  ArrayRef<bool> inputs, outputs; ///< resident
  int64_t sram;
};

//===----------------------------------------------------------------------===//
// Which stripes, which shapes
//===----------------------------------------------------------------------===//

/// Ways to cut the anchor: rows first, then within a row. Batches come one at a time
/// before rows are cut; they have no halos. `fine`: also below one row.
static SmallVector<SmallVector<LoopAttr>> cuts(const GroupOps &ops, bool fine) {
  Operation *anchor = ops.members.back();
  MLIRContext *context = anchor->getContext();
  ArrayRef<int64_t> shape = shapeOf(anchor->getResult(0));
  SmallVector<SmallVector<LoopAttr>> result;
  if (!fine)
    result.emplace_back();
  SmallVector<LoopAttr> prefix;
  bool below = false;
  for (unsigned d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1 || mustBeWhole(anchor, d) || largestTile(anchor, d) < shape[d])
      continue;
    if (below == fine)
      for (int64_t tile : tilesOf(shape[d])) {
        if (tile == shape[d])
          continue;
        SmallVector<LoopAttr> loops = prefix;
        loops.push_back(LoopAttr::get(context, d, tile));
        result.push_back(loops);
      }
    prefix.push_back(LoopAttr::get(context, d, 1));
    bool batch = isa<MatmulOp>(anchor) ? d + 2 < shape.size() : d == 0;
    if (!batch && below && ops.members.size() > 1)
      break;
    below |= !batch;
    if (below && !fine)
      break;
  }
  return result;
}

/// Columns outside of rows: rows roll, in buffers that are a part of the width.
static SmallVector<SmallVector<LoopAttr>> columnCuts(const GroupOps &ops) {
  Operation *anchor = ops.members.back();
  MLIRContext *context = anchor->getContext();
  ArrayRef<int64_t> shape = shapeOf(anchor->getResult(0));
  SmallVector<SmallVector<LoopAttr>> result;
  constexpr unsigned rows = 1, columns = 2;
  if (shape.size() != 4 || isa<MatmulOp>(anchor) || mustBeWhole(anchor, rows) ||
      mustBeWhole(anchor, columns))
    return result;
  SmallVector<LoopAttr> batches;
  if (shape[0] > 1 && !mustBeWhole(anchor, 0))
    batches.push_back(LoopAttr::get(context, 0, 1));
  for (int64_t parts : {2, 3, 4})
    for (int64_t height : {4, 2, 1})
      if (parts < shape[columns] && height < shape[rows]) {
        SmallVector<LoopAttr> loops = batches;
        loops.push_back(LoopAttr::get(context, columns, ceilDiv(shape[columns], parts)));
        loops.push_back(LoopAttr::get(context, rows, height));
        result.push_back(loops);
      }
  return result;
}

/// Whether every channel of a member comes from the same channel of others: no
/// member sums over channels that another one computes.
static bool channelsAreApart(const GroupOps &ops) {
  for (Operation *op : ops.members)
    for (OpOperand &use : op->getResult(0).getUses()) {
      Operation *user = use.getOwner();
      if (!llvm::is_contained(ops.members, user))
        continue;
      unsigned primaries = cast<ComputeOpInterface>(user).getPrimary().size();
      auto conv = dyn_cast<ConvOp>(user);
      if (use.getOperandNumber() < primaries && !isa<PoolOp>(user) &&
          !(conv && isDepthwise(conv) && use.getOperandNumber() == 0))
        return false;
    }
  return true;
}

/// Channels outside of rows: weights are loaded once, in parts that stay while the
/// rows of the other operands pass.
static SmallVector<SmallVector<LoopAttr>> channelCuts(const GroupOps &ops) {
  Operation *anchor = ops.members.back();
  MLIRContext *context = anchor->getContext();
  ArrayRef<int64_t> shape = shapeOf(anchor->getResult(0));
  SmallVector<SmallVector<LoopAttr>> result;
  unsigned rank = shape.size();
  if (rank < 2 || !llvm::any_of(ops.members, usesMxu) || mustBeWhole(anchor, rank - 1) ||
      !channelsAreApart(ops))
    return result;
  unsigned rows = isa<MatmulOp>(anchor) || rank != 4 ? rank - 2 : 1;
  SmallVector<LoopAttr> batches;
  for (unsigned d = 0; d < rows; ++d)
    if (shape[d] > 1)
      batches.push_back(LoopAttr::get(context, d, 1));
  int64_t before = shape[rank - 1];
  if (largestTile(anchor, rank - 1) < before)
    return result;
  for (int64_t parts : {2, 3, 4, 6, 8, 12, 16, 32, 64}) {
    int64_t channels = ceilDiv(ceilDiv(shape[rank - 1], parts), 16) * 16;
    if (channels >= before)
      continue; // more parts of 16 channels are the same parts
    before = channels;
    SmallVector<LoopAttr> outer{LoopAttr::get(context, rank - 1, channels)};
    llvm::append_range(outer, batches);
    result.push_back(outer);
    for (int64_t slices : {2, 4, 8, 16, 32})
      if (slices <= shape[rows]) {
        SmallVector<LoopAttr> loops = outer;
        loops.push_back(LoopAttr::get(context, rows, ceilDiv(shape[rows], slices)));
        result.push_back(loops);
      }
  }
  return result;
}

constexpr int64_t smallOperand = 4096; ///< bytes that are not worth streaming
constexpr unsigned numShapes = 4;

/// Shapes of a member: second operands stay; stream in tiles as wide as the
/// accumulators take; in narrow ones; in narrow ones of a part of the reduction.
static MemberPolicy shapeOfMember(unsigned index, bool leaf) {
  MemberPolicy shape;
  shape.leafOutput = leaf;
  if (index == 0)
    return shape;
  shape.residentWeights = smallOperand;
  shape.columnsOuter = true;
  shape.columns = index == 1 ? 0 : index == 2 ? 32 : 16;
  shape.reductionTile = index == 3 ? 64 : 0;
  return shape;
}

//===----------------------------------------------------------------------===//
// Rolling
//===----------------------------------------------------------------------===//

/// The one dimension that the innermost group loop moves, or -1.
static int movedDimension(const GroupModel &model, const Box &box) {
  int moved = -1;
  for (auto [d, range] : llvm::enumerate(box)) {
    CounterSet on = model.pool.dependsOn(range.lo) | model.pool.dependsOn(range.hi);
    if (!(on & counterBit(model.loops.back().counter)))
      continue;
    if (moved >= 0)
      return -1;
    moved = d;
  }
  return moved;
}

/// Whether stripes of a tensor overlap, and a circular buffer could serve its
/// readers.
static bool shouldRoll(const GroupModel &model, const GroupOps &ops, Value value, const Box &box) {
  int dim = movedDimension(model, box);
  if (dim < 0)
    return false;
  int64_t elements = cast<RankedTensorType>(value.getType()).getNumElements();
  if (model.totalElements(box, model.loops.size(), -1) <= elements)
    return false;
  for (Operation *op : ops.members)
    for (OpOperand &use : op->getOpOperands())
      if (use.get() == value && !canReadCircular(op, use.getOperandNumber(), dim))
        return false;
  return true;
}

/// Adds what should roll in `model` to the policy; true if something was added.
static bool addRolling(const GroupModel &model, const GroupOps &ops, GroupPolicy &policy) {
  bool added = false;
  for (auto [m, member] : llvm::enumerate(model.members))
    if (member.intermediate && !policy.rollingMembers[m] &&
        shouldRoll(model, ops, member.op->getResult(0), member.need))
      added = policy.rollingMembers[m] = true;
  for (const LoadModel &load : model.loads)
    if (!load.direct && !policy.rollingInputs[load.input] &&
        load.buffer.level == model.loops.size() &&
        shouldRoll(model, ops, ops.inputs[load.input].value, load.box))
      added = policy.rollingInputs[load.input] = true;
  return added;
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

StripeTable::StripeTable(const GroupOps &given, const Limits &limits) : ops(given), limits(limits) {
  for (External &input : ops.inputs)
    input.inSram = false;
  for (External &output : ops.outputs)
    output.inSram = false;
  unsigned count = ops.members.size();
  privates.resize(count);
  outputOf.assign(count, -1);
  for (auto [m, op] : llvm::enumerate(ops.members)) {
    for (auto [index, output] : llvm::enumerate(ops.outputs))
      if (output.value == op->getResult(0))
        outputOf[m] = index;
    unsigned last = m;
    for (unsigned reader = m + 1; reader < count; ++reader)
      if (llvm::is_contained(ops.members[reader]->getOperands(), op->getResult(0)))
        last = reader;
    lastReader.push_back(last);
  }
  for (auto [index, input] : llvm::enumerate(ops.inputs)) {
    unsigned first = count, last = 0;
    for (auto [m, op] : llvm::enumerate(ops.members))
      for (OpOperand &use : op->getOpOperands()) {
        if (use.get() != input.value)
          continue;
        first = std::min<unsigned>(first, m);
        last = m;
        streams |= tensorBytes(input.value) > smallOperand &&
                   (input.constant || isSecondOperand(op, use.getOperandNumber()));
      }
    readers.push_back({first, last});
    if (first == last)
      privates[first].push_back(index);
    else
      shared.push_back(index);
  }
  addCuts(/*fine=*/false);
}

/// What results between members, and the part of an input that a stripe reads, need
/// at least.
int64_t StripeTable::leastSram(const Question &question, Candidate &candidate) {
  if (candidate.space.results.empty())
    candidate.space = leastSpace(ops, candidate.stripes, candidate.rolling);
  const StripeSpace &space = candidate.space;
  SmallVector<int64_t> live = space.results;
  for (auto [input, bytes] : llvm::enumerate(space.inputs))
    if (!question.inputs[input])
      live[space.reader[input]] += bytes;
  return *llvm::max_element(live);
}

/// How often stripes load again what does not stay for all of them.
int64_t StripeTable::repeats(const Candidate &candidate) const {
  ArrayRef<int64_t> shape = shapeOf(ops.members.back()->getResult(0));
  int64_t stripes = 1;
  for (LoopAttr loop : candidate.stripes)
    if (loop.getDim() + 1 < int64_t(shape.size())) // channels of the anchor move its weights
      stripes *= ceilDiv(shape[loop.getDim()], loop.getTile());
  return stripes - 1;
}

/// Bytes of weights that stripes load again at least: what does not fit into the
/// SRAM is loaded for each of them.
int64_t StripeTable::leastReloads(const Question &question, const Candidate &candidate) const {
  int64_t weights = 0;
  for (auto [index, input] : llvm::enumerate(ops.inputs))
    if (input.constant && !question.inputs[index])
      weights += tensorBytes(input.value);
  return repeats(candidate) * std::max<int64_t>(0, weights - question.sram);
}

void StripeTable::addCandidate(ArrayRef<LoopAttr> stripes, bool rolling, bool leaf,
                               unsigned family) {
  Candidate &candidate = candidates.emplace_back();
  candidate.stripes.assign(stripes.begin(), stripes.end());
  candidate.rolling = rolling;
  candidate.leaf = leaf;
  candidate.family = family;
}

void StripeTable::addCuts(bool fine) {
  for (const SmallVector<LoopAttr> &stripes : cuts(ops, fine))
    for (bool leaf : {false, true})
      for (bool rolling : {true, false})
        if (!stripes.empty() || !rolling)
          addCandidate(stripes, rolling, leaf);
  if (!fine && ops.members.size() > 1) {
    for (const SmallVector<LoopAttr> &stripes : columnCuts(ops))
      addCandidate(stripes, /*rolling=*/true, /*leaf=*/false);
    for (const SmallVector<LoopAttr> &stripes : channelCuts(ops))
      addCandidate(stripes, /*rolling=*/false, /*leaf=*/true);
  }
  fineCuts |= fine;
}

/// Cuts of short groups in two loops, once.
void StripeTable::addPairCuts() {
  constexpr unsigned shortest = 2, longest = 4;
  if (twoLoops || ops.members.size() < shortest || ops.members.size() > longest)
    return;
  twoLoops = true;
  bool channels = llvm::any_of(ops.members, usesMxu) && channelsAreApart(ops);
  for (const PairCut &cut : pairCuts(ops, channels))
    addCandidate(cut.stripes, cut.rolling, /*leaf=*/false, cut.family);
}

std::optional<GroupModel> StripeTable::model(const GroupPolicy &group, const MemberPolicy &shape,
                                             ScheduleAttr &schedule) {
  schedule = makeSchedule(ops, limits, group, shape);
  ++numModels;
  return GroupModel::build(ops, schedule, {unlimited, limits.accBytes}, why);
}

/// Adds a shape to a candidate: what its model says. All models have depth 1.
void StripeTable::add(Candidate &candidate, const GroupModel &model, ScheduleAttr schedule) const {
  auto loadOf = [&](unsigned input) {
    const LoadModel &load = model.loads[input];
    int64_t level = load.buffer.level, loops = model.loops.size();
    Load result{load.buffer.bytes(), load.bytes, load.transfers, Place::Always,
                level > 0 && !load.rolling};
    if (load.direct) {
      result.bytes = 0;
      result.place = Place::None;
    } else if (level > loops) {
      result.place = Place::Inside;
    } else if (model.isTransient(load.buffer)) {
      result.place = Place::Transient;
    }
    return result;
  };
  if (candidate.schedules.empty()) {
    for (unsigned input : shared)
      candidate.shared.push_back(loadOf(input));
    candidate.members.resize(ops.members.size());
    candidate.storeBytes.assign(model.storeBytes.begin(), model.storeBytes.end());
  }
  candidate.schedules.push_back(schedule);
  for (auto [m, member] : llvm::enumerate(model.members)) {
    Shape &shape = candidate.members[m].emplace_back();
    for (unsigned input : privates[m])
      shape.loads.push_back(loadOf(input));
    shape.scratch = member.scratchBytes;
    shape.steps = 2 * model.trips(model.loops.size() + member.loops.size(), m);
    shape.result = member.buffer.bytes();
    shape.resultPlace = member.buffer.level > model.loops.size() ? Place::Inside
                        : model.isTransient(member.buffer)       ? Place::Transient
                                                                 : Place::Always;
    shape.resultDepth = !member.rolling && (member.buffer.level > 0 || !model.loops.empty());
  }
}

/// Measures the first shape of a candidate: finds what rolls and where inputs are
/// loaded. Both follow from what the model says of boxes.
bool StripeTable::measureFirst(Candidate &candidate) {
  if (candidate.known != Candidate::Unknown)
    return candidate.known != Candidate::Refused;
  candidate.known = Candidate::Refused;
  unsigned loops = candidate.stripes.size();
  std::pair<std::vector<int64_t>, bool> key({}, candidate.rolling);
  for (LoopAttr loop : candidate.stripes)
    key.first.push_back(loop.getDim());
  GroupPolicy group;
  if (auto seed = seeds.find(key); seed != seeds.end())
    group = seed->second;
  bool seeded = !group.inputLevels.empty() || loops == 0;
  if (group.rollingMembers.empty()) {
    group.rollingMembers.assign(ops.members.size(), false);
    group.rollingInputs.assign(ops.inputs.size(), false);
  }
  group.stripes = candidate.stripes;
  group.depth = 1;
  ScheduleAttr schedule;
  std::optional<GroupModel> first;
  for (unsigned round = 0; round <= ops.members.size() + 1; ++round) {
    first = model(group, shapeOfMember(0, candidate.leaf), schedule);
    if (!first)
      return false;
    bool again = false;
    if (!seeded) {
      for (const LoadModel &load : first->loads)
        group.inputLevels.push_back(load.direct ? loops : load.moved);
      again = llvm::any_of(group.inputLevels, [&](int64_t level) { return level < loops; });
      seeded = true;
    }
    if (candidate.rolling)
      again |= addRolling(*first, ops, group);
    if (!again)
      break;
  }
  seeds.try_emplace(key, group);
  if (candidate.rolling && !llvm::is_contained(group.rollingMembers, true) &&
      !llvm::is_contained(group.rollingInputs, true))
    return false; // the same as without
  // The output's tile has no loop of its own to stand in.
  if (candidate.leaf && first->members.back().buffer.level == loops)
    return false;
  candidate.group = std::move(group);
  add(candidate, *first, schedule);
  candidate.known = streams ? Candidate::First : Candidate::All;
  return true;
}

/// Measures the other shapes.
void StripeTable::measureAll(Candidate &candidate) {
  if (candidate.known != Candidate::First)
    return;
  candidate.known = Candidate::All;
  for (unsigned s = 1; s < numShapes; ++s) {
    ScheduleAttr schedule;
    std::optional<GroupModel> next =
        model(candidate.group, shapeOfMember(s, candidate.leaf), schedule);
    if (!next)
      return;
    add(candidate, *next, schedule);
  }
}

//===----------------------------------------------------------------------===//
// Answering
//===----------------------------------------------------------------------===//

namespace {
/// What one shape of one member adds.
struct Cost {
  int64_t always = 0; ///< SRAM over all iterations
  int64_t inside = 0; ///< SRAM while the member runs
  int64_t dram = 0, steps = 0;
};
} // namespace

/// The best combination of shapes for one cut, if it beats `best`; `need` becomes
/// the least SRAM that was seen. Starts with everything resident and gives up what
/// costs the fewest bytes for the space that it frees, until the rest fits. True if
/// nothing had to be given up: smaller stripes cannot do better.
bool StripeTable::answer(const Question &question, unsigned index, int64_t depth,
                         std::optional<Choice> &best, int64_t &need) {
  Candidate &candidate = candidates[index];
  if (!measureFirst(candidate))
    return false;
  unsigned count = candidate.members.size();
  int64_t always = 0, dram = 0, steps = 0;
  SmallVector<int64_t, 32> during(count, 0); // by member, without what it adds itself
  auto place = [&](int64_t bytes, Place where, bool rotates, unsigned from, unsigned to) {
    if (where == Place::Always || (where == Place::Transient && rotates && depth > 1))
      always += bytes * (rotates ? depth : 1);
    else if (where == Place::Transient)
      for (unsigned m = from; m <= to; ++m)
        during[m] += bytes;
  };
  for (auto [input, load] : llvm::zip(shared, candidate.shared)) {
    if (question.inputs[input])
      continue;
    place(load.bytes, load.place, load.depth, readers[input].first, readers[input].second);
    dram += load.dram;
    steps += load.transfers;
  }
  for (auto [output, bytes] : llvm::enumerate(candidate.storeBytes))
    if (!question.outputs[output])
      dram += bytes;
  std::vector<std::vector<Cost>> costs(count);
  auto costOf = [&](unsigned m) {
    bool direct = outputOf[m] >= 0 && question.outputs[outputOf[m]];
    for (size_t s = costs[m].size(); s < candidate.members[m].size(); ++s) {
      const Shape &shape = candidate.members[m][s];
      Cost &cost = costs[m].emplace_back();
      cost.steps = shape.steps;
      cost.inside = shape.scratch;
      if (!direct && shape.resultPlace == Place::Inside)
        cost.inside += shape.result * depth;
      for (auto [input, load] : llvm::zip(privates[m], shape.loads)) {
        if (question.inputs[input] && load.place != Place::None)
          continue;
        int64_t bytes = load.bytes * (load.depth ? depth : 1);
        bool inside = load.place == Place::Inside ||
                      (load.place == Place::Transient && !(load.depth && depth > 1));
        (inside ? cost.inside : cost.always) += bytes;
        if (!question.inputs[input])
          cost.dram += load.dram;
        cost.steps += load.transfers;
      }
    }
  };
  SmallVector<uint8_t> shapes(count, 0);
  int64_t fullest = 0; // without what other shapes could save
  for (unsigned m = 0; m < count; ++m)
    fullest = std::max(fullest, during[m] + candidate.members[m][0].scratch);
  bool hopeless = always + fullest > question.sram;
  for (unsigned m = 0; m < count; ++m) {
    const Shape &first = candidate.members[m][0];
    if (first.resultPlace != Place::Inside && !(outputOf[m] >= 0 && question.outputs[outputOf[m]]))
      place(first.result, first.resultPlace, first.resultDepth, m, lastReader[m]);
    costOf(m);
    always += costs[m][0].always;
    during[m] += costs[m][0].inside;
    dram += costs[m][0].dram;
    steps += costs[m][0].steps;
  }
  // Other shapes move no fewer bytes.
  auto beaten = [&] {
    return best && std::tuple(dram, steps) >= std::tuple(best->dramBytes, best->steps);
  };
  bool first = true;
  for (; !beaten(); first = false) {
    // The fullest moments.
    unsigned top = std::max_element(during.begin(), during.end()) - during.begin();
    int64_t second = 0;
    for (unsigned m = 0; m < count; ++m)
      if (m != top)
        second = std::max(second, during[m]);
    int64_t peak = always + during[top];
    need = std::min(need, peak);
    if (peak <= question.sram) {
      best = Choice{index, depth, shapes, dram, peak, steps};
      return first;
    }
    if (hopeless)
      return false;
    if (candidate.known == Candidate::First) {
      // What streams instead of staying comes again with each stripe.
      if (best && dram + repeats(candidate) * (peak - question.sram) > best->dramBytes)
        return false;
      measureAll(candidate);
      for (unsigned m = 0; m < count; ++m)
        costOf(m);
    }
    // Enough at once with the fewest bytes; otherwise the fewest bytes for the
    // space, then the most space.
    bool found = false, enough = false;
    unsigned member = 0, to = 0;
    int64_t bytes = 0, freed = 0, work = 0;
    for (unsigned m = 0; m < count; ++m)
      for (unsigned s = 1; s < costs[m].size(); ++s) {
        const Cost &now = costs[m][shapes[m]], &then = costs[m][s];
        int64_t here = during[m] - now.inside + then.inside;
        int64_t after =
            always - now.always + then.always + std::max(here, m == top ? second : during[top]);
        if (after >= peak)
          continue;
        int64_t more = then.dram - now.dram, free = peak - after;
        int64_t extra = then.steps - now.steps;
        bool fits = after <= question.sram, better;
        if (!found || fits != enough)
          better = !found || fits;
        else if (fits)
          better = std::tuple(more, extra) < std::tuple(bytes, work);
        else {
          __int128 left = __int128(more) * freed, right = __int128(bytes) * free;
          better = left != right ? left < right : free > freed;
        }
        if (better) {
          found = true, enough = fits, member = m, to = s;
          bytes = more, freed = free, work = extra;
        }
      }
    if (!found)
      return false;
    const Cost &now = costs[member][shapes[member]], &then = costs[member][to];
    always += then.always - now.always;
    during[member] += then.inside - now.inside;
    dram += then.dram - now.dram;
    steps += then.steps - now.steps;
    shapes[member] = to;
  }
  return first;
}

std::optional<StripeTable::Choice> StripeTable::best(ArrayRef<bool> inputs, ArrayRef<bool> outputs,
                                                     int64_t sram, int64_t *need) {
  int64_t compulsory = compulsoryBytes(ops, inputs, outputs);
  std::optional<Choice> best;
  int64_t least = INT64_MAX;
  Question question{inputs, outputs, sram};
  unsigned fitted = 0; // family of which a cut fits
  for (unsigned c = 0; c < candidates.size(); ++c) {
    unsigned family = candidates[c].family;
    if (family && family == fitted)
      continue; // smaller stripes move no fewer bytes
    int64_t floor = leastSram(question, candidates[c]);
    if (floor > sram) {
      least = std::min(least, floor);
    } else if (!best || compulsory + leastReloads(question, candidates[c]) <= best->dramBytes) {
      for (int64_t depth : {2, 1})
        if (answer(question, c, depth, best, least))
          fitted = family;
    }
    if (best && best->dramBytes <= compulsory)
      break;
    if (c + 1 < candidates.size())
      continue;
    if (!best && !fineCuts)
      addCuts(/*fine=*/true);
    else if (!best || best->dramBytes > compulsory + compulsory / 50)
      addPairCuts();
  }
  if (need)
    *need = least;
  return best;
}

std::optional<StripeTable::Choice> StripeTable::any(ArrayRef<bool> inputs, ArrayRef<bool> outputs,
                                                    int64_t sram, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::optional<Choice> chosen;
  int64_t need = INT64_MAX;
  for (unsigned attempt = 0; attempt < 4 * candidates.size() && !chosen; ++attempt)
    answer({inputs, outputs, sram}, random() % candidates.size(), 1 + random() % 2, chosen, need);
  return chosen;
}

ScheduleAttr StripeTable::schedule(const Choice &choice) const {
  const Candidate &candidate = candidates[choice.candidate];
  ScheduleAttr base = candidate.schedules[0];
  MLIRContext *context = base.getContext();
  SmallVector<MemberAttr> members;
  for (auto [m, shape] : llvm::enumerate(choice.shapes)) {
    MemberAttr member = candidate.schedules[shape].getMembers()[m];
    bool rotates = candidate.members[m][shape].resultDepth;
    members.push_back(MemberAttr::get(context, member.getLoops(), member.getRolling(),
                                      member.getLevel(), rotates ? choice.depth : 1,
                                      member.getInplace()));
  }
  SmallVector<OperandAttr> inputs;
  for (unsigned i = 0; i < readers.size(); ++i) {
    auto [first, last] = readers[i];
    unsigned shape = first == last ? choice.shapes[first] : 0;
    OperandAttr input = candidate.schedules[shape].getInputs()[i];
    bool rotates = input.getLevel() > 0 && !input.getRolling();
    inputs.push_back(OperandAttr::get(context, input.getLevel(), rotates ? choice.depth : 1,
                                      input.getRolling()));
  }
  return ScheduleAttr::get(context, base.getVersion(), base.getAnchor(), base.getLoops(), members,
                           inputs, {}, {}, {});
}

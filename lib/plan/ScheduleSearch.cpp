//===- ScheduleSearch.cpp - a good schedule for a given group -------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Candidates come from two families.
//  * stripes: a group loop over tiles of the anchor (rows first; then, if one row
//    is too much, columns, then channels); activations are loaded as the stripe
//    moves (rolling where there is a halo), weights stay or stream.
//  * blocks, for a single operation: no group loop, the operation's own loops
//    tile every dimension, also the reduction, in two orders. The best one is
//    then improved in single steps until none helps.
// Every candidate is judged by its GroupModel, which is what the tile stage will
// emit; the search itself knows no costs. One that does not fit counts by what it
// needs, so that steps lead to where it does.
//
//===----------------------------------------------------------------------===//

#include "acc/Plan/ScheduleSearch.h"

#include "llvm/ADT/STLExtras.h"

#include <random>

using namespace mlir;
using namespace accel;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

namespace {

/// The choices that make a candidate.
struct Policy {
  SmallVector<LoopAttr> stripes;
  int64_t accDivisor = 1;         ///< tiles fill this part of the accumulators
  int64_t columns = 0;            ///< of a matrix tile; 0: about square
  int64_t pixels = 0;             ///< rows of a matrix tile; 0: what the accumulators hold
  int64_t reductionTile = 0;      ///< 0: not split
  bool columnsOuter = false;      ///< output channels outside of the rows' loops
  bool streamActivations = false; ///< loaded inside of the own loops
  int64_t residentWeights = 0;    ///< constants up to this size are loaded once
  int hoist[2] = {0, 0};          ///< A and B are loaded so many own loops further out
  bool leafOutput = false;        ///< output tile inside of the own loops
  int64_t depth = 2;
  bool rolling = true;
};

/// Lexicographic: does it fit, DRAM bytes (or what it needs), steps, SRAM.
using Score = std::tuple<bool, int64_t, int64_t, int64_t>;

class Search {
public:
  Search(const GroupOps &ops, const Limits &limits, std::string &error, uint64_t seed = 0)
      : ops(ops), limits(limits), context(ops.members[0]->getContext()), error(error), seed(seed),
        random(seed) {}

  std::optional<ScheduledGroup> run();

private:
  void stripeFamily();
  void blockFamily();
  void climb();
  Score attempt(const Policy &policy);
  Score note(const Policy &policy, Score score);
  ScheduleAttr make(const Policy &policy);
  SmallVector<LoopAttr> ownLoops(Operation *op, const Policy &policy, ArrayRef<int64_t> extents);
  std::pair<int64_t, int64_t> matrixTile(Operation *op, const Policy &policy,
                                         ArrayRef<int64_t> extents);
  SmallVector<int64_t> extentsOf(unsigned member, const Policy &policy);

  const GroupOps &ops;
  const Limits &limits;
  MLIRContext *context;
  std::string &error;
  uint64_t seed; ///< 0: the best candidate; otherwise a random one
  std::mt19937_64 random;
  std::optional<ScheduledGroup> best;
  std::optional<Policy> bestPolicy; ///< also where nothing fits yet
  std::optional<Score> bestScore;
  uint64_t legal = 0;
  int64_t compulsory = 0; ///< bytes that no schedule avoids
  bool done() const { return !seed && best && best->dramBytes <= compulsory; }
  int64_t smallestNeed = INT64_MAX;
  std::string smallestError;
};

} // namespace

/// Extents of a member's result in one iteration of the stripes (about: halos
/// are left out, the model has the last word).
SmallVector<int64_t> Search::extentsOf(unsigned member, const Policy &policy) {
  SmallVector<int64_t> extents = iterationSizes(ops.members[member]);
  ArrayRef<int64_t> anchor = shapeOf(ops.members.back()->getResult(0));
  unsigned rank = shapeOf(ops.members[member]->getResult(0)).size();
  for (LoopAttr loop : policy.stripes)
    if (loop.getDim() < int64_t(rank) && !mustBeWhole(ops.members[member], loop.getDim())) {
      int64_t &extent = extents[loop.getDim()];
      extent = std::min(extent, ceilDiv(loop.getTile() * extent, anchor[loop.getDim()]) + 4);
      if (member + 1 == ops.members.size())
        extent = loop.getTile();
    }
  return extents;
}

SmallVector<LoopAttr> Search::ownLoops(Operation *op, const Policy &policy,
                                       ArrayRef<int64_t> extents) {
  SmallVector<LoopAttr> loops;
  auto add = [&](int64_t dim, int64_t tile) {
    if (tile < extents[dim])
      loops.push_back(LoopAttr::get(context, dim, tile));
  };
  if (isa<GatherOp>(op)) {
    // One index dimension moves in a transfer: the longest.
    unsigned indices = shapeOf(op->getOperand(1)).size(), longest = 0;
    for (unsigned d = 0; d < indices; ++d)
      if (extents[d] > extents[longest])
        longest = d;
    for (unsigned d = 0; d < indices; ++d)
      if (d != longest)
        add(d, 1);
    return loops;
  }
  if (auto reduce = dyn_cast<ReduceOp>(op)) {
    unsigned rank = shapeOf(reduce.getResult()).size();
    if (policy.accDivisor > 1 && extents[rank - 1] > 1) // a part of the last kept dimension
      add(rank - 1, std::max<int64_t>(1, ceilDiv(extents[rank - 1], policy.accDivisor)));
    if (policy.reductionTile && extents.size() > rank)
      add(rank, policy.reductionTile);
    return loops;
  }
  if (isa<SoftmaxOp, NormalizeOp>(op)) {
    // Rows in blocks that keep the temporaries small.
    unsigned rank = shapeOf(op->getResult(0)).size();
    int64_t row = 1;
    for (unsigned d = 0; d < rank; ++d)
      if (mustBeWhole(op, d))
        row *= extents[d] * 4;
    int64_t rows = std::max<int64_t>(1, limits.sramBytes / 16 / std::max<int64_t>(row, 1));
    for (unsigned d = rank; d-- > 0;) {
      if (mustBeWhole(op, d))
        continue;
      int64_t tile = std::min(rows, extents[d]);
      if (tile < extents[d])
        loops.insert(loops.begin(), LoopAttr::get(context, d, tile));
      rows = std::max<int64_t>(1, rows / tile);
    }
    if (isa<SoftmaxOp>(op) && policy.reductionTile && rank <= 5)
      add(rank - 1, policy.reductionTile);
    return loops;
  }
  if (!usesMxu(op))
    return loops;
  bool conv = isa<ConvOp>(op);
  unsigned column = shapeOf(op->getResult(0)).size() - 1, reduction = column + 1;
  auto [n, m] = matrixTile(op, policy, extents);
  int64_t columnTile = n;
  SmallVector<LoopAttr> rows;
  for (unsigned d = 0, batches = conv ? 1 : column - 1; d < batches; ++d)
    if (extents[d] > 1)
      rows.push_back(LoopAttr::get(context, d, 1));
  if (conv) {
    int64_t w = extents[2], tw = w <= m ? w : ceilDiv(w, ceilDiv(w, m));
    int64_t th = std::max<int64_t>(1, std::min(extents[1], m / tw));
    th = ceilDiv(extents[1], ceilDiv(extents[1], th));
    if (th < extents[1])
      rows.push_back(LoopAttr::get(context, 1, th));
    if (tw < w)
      rows.push_back(LoopAttr::get(context, 2, tw));
  } else {
    unsigned row = column - 1;
    int64_t tm = std::min(extents[row], m);
    tm = ceilDiv(extents[row], ceilDiv(extents[row], tm));
    if (tm < extents[row])
      rows.push_back(LoopAttr::get(context, row, tm));
  }
  bool grouped = conv && largestTile(op, 3) < iterationSizes(op)[3];
  bool tileColumns = columnTile < extents[column] || grouped;
  if (tileColumns && policy.columnsOuter)
    loops.push_back(LoopAttr::get(context, column, columnTile));
  llvm::append_range(loops, rows);
  if (tileColumns && !policy.columnsOuter)
    loops.push_back(LoopAttr::get(context, column, columnTile));
  if (policy.reductionTile && reduction < extents.size()) {
    int64_t granule = tileGranule(op, reduction);
    add(reduction, ceilDiv(policy.reductionTile, granule) * granule);
  }
  return loops;
}

/// Columns and pixels of a matrix tile.
std::pair<int64_t, int64_t> Search::matrixTile(Operation *op, const Policy &policy,
                                               ArrayRef<int64_t> extents) {
  bool conv = isa<ConvOp>(op);
  unsigned column = shapeOf(op->getResult(0)).size() - 1;
  int64_t accumulators = limits.accBytes / 4 / 2 / policy.accDivisor;
  int64_t columns = std::min(largestTile(op, column), extents[column]);
  // Half of the accumulators, so that two tiles alternate; wide tiles reuse A,
  // tall ones reuse B: about square.
  int64_t pixels = conv ? extents[1] * extents[2] : extents[column - 1];
  int64_t n = policy.columns ? std::min(policy.columns, columns) : columns;
  while (!policy.columns && n > 32 && n * std::min<int64_t>(pixels, n) > accumulators)
    n = ceilDiv(n, 2);
  if (n < columns && n > 16)
    n = ceilDiv(n, 16) * 16;
  n = std::max<int64_t>(1, std::min(n, accumulators));
  if (conv && largestTile(op, 3) < iterationSizes(op)[3])
    while (largestTile(op, 3) % n)
      --n;
  int64_t m = std::max<int64_t>(1, policy.pixels ? policy.pixels : accumulators / n);
  return {n, m};
}

ScheduleAttr Search::make(const Policy &policy) {
  unsigned numStripes = policy.stripes.size();
  SmallVector<MemberAttr> members;
  SmallVector<SmallVector<LoopAttr>> loopsOf;
  SmallVector<unsigned> reductions;
  for (auto [m, op] : llvm::enumerate(ops.members)) {
    SmallVector<LoopAttr> loops = ownLoops(op, policy, extentsOf(m, policy));
    unsigned firstReduction = loops.size();
    if (!isa<SoftmaxOp>(op)) // its last pass writes inside of all loops
      for (auto [k, loop] : llvm::enumerate(loops))
        if (reducesOver(op, loop.getDim()))
          firstReduction = std::min<unsigned>(firstReduction, k);
    bool inGroup = llvm::any_of(op->getResult(0).getUsers(), [&](Operation *user) {
      return llvm::is_contained(ops.members, user);
    });
    bool halo = false;
    for (OpOperand &use : op->getResult(0).getUses())
      if (isa<ConvOp, PoolOp>(use.getOwner()) && use.getOperandNumber() == 0 &&
          llvm::is_contained(ops.members, use.getOwner()))
        halo = true;
    bool rolling =
        policy.rolling && inGroup && numStripes && halo && policy.stripes.back().getDim() == 1;
    int64_t level = policy.leafOutput ? numStripes + firstReduction : numStripes;
    members.push_back(MemberAttr::get(context, loops, rolling, inGroup ? 0 : level,
                                      numStripes || policy.leafOutput ? policy.depth : 1, -1));
    loopsOf.push_back(loops);
    reductions.push_back(firstReduction);
  }
  SmallVector<OperandAttr> inputs;
  for (const External &input : ops.inputs) {
    auto type = cast<RankedTensorType>(input.value.getType());
    int64_t bytes = type.getNumElements() * byteWidth(type.getElementType());
    SmallVector<std::pair<unsigned, unsigned>> readers;
    bool halo = false;
    // By the group's members: a weight may have 100,000 readers elsewhere.
    for (auto [m, op] : llvm::enumerate(ops.members))
      for (OpOperand &use : op->getOpOperands())
        if (use.get() == input.value) {
          readers.push_back({unsigned(m), use.getOperandNumber()});
          halo |= isa<ConvOp, PoolOp>(op) && use.getOperandNumber() == 0;
        }
    int64_t level = 0;
    bool rolling = false;
    bool weightLike = input.constant;
    if (weightLike && bytes <= policy.residentWeights) {
      level = 0;
    } else if (readers.size() == 1) {
      auto [m, operand] = readers[0];
      Operation *op = ops.members[m];
      unsigned primaries = cast<ComputeOpInterface>(op).getPrimary().size();
      bool moves = weightLike || policy.streamActivations || (isa<MatmulOp>(op) && operand == 1);
      if (operand >= primaries && policy.leafOutput)
        moves = true;
      // Deepest own loop that moves the operand's box.
      unsigned deepest = operand >= primaries ? reductions[m] : loopsOf[m].size();
      int64_t own = 0;
      if (moves) {
        ExprPool pool;
        Box box;
        for (auto [d, size] : llvm::enumerate(iterationSizes(op)))
          box.push_back({pool.counter(d), pool.addConstant(pool.counter(d), 1)});
        Box read = accessedBox(pool, op, operand, box);
        uint64_t on = 0;
        for (const IndexRange &range : read)
          on |= pool.dependsOn(range.lo) | pool.dependsOn(range.hi);
        for (unsigned k = 0; k < deepest; ++k)
          if (on >> loopsOf[m][k].getDim() & 1)
            own = k + 1;
        if (operand < 2)
          own = std::max<int64_t>(0, own - policy.hoist[operand]);
      }
      level = own ? numStripes + own : (weightLike ? 0 : numStripes);
      if (!own && weightLike && bytes > policy.residentWeights && numStripes)
        level = numStripes; // streams with the stripes
      if (!own && !weightLike)
        rolling = policy.rolling && halo && numStripes && policy.stripes.back().getDim() == 1;
    } else {
      level = weightLike ? 0 : numStripes;
      rolling = policy.rolling && halo && numStripes && policy.stripes.back().getDim() == 1;
    }
    if (llvm::any_of(readers,
                     [&](auto r) { return isa<GatherOp>(ops.members[r.first]) && r.second == 0; }))
      level = 0;
    inputs.push_back(
        OperandAttr::get(context, level, level && !rolling ? policy.depth : 1, rolling));
  }
  return ScheduleAttr::get(context, 1, ops.members.size() - 1, policy.stripes, members, inputs, {});
}

Score Search::attempt(const Policy &policy) {
  ScheduleAttr schedule = make(policy);
  std::string why;
  Limits open = limits;
  std::optional<GroupModel> model = GroupModel::build(ops, schedule, open, why);
  if (!model) {
    // A rolling input that the stripes do not move: the same without rolling.
    if (policy.rolling && why.find("rolling") != std::string::npos) {
      Policy other = policy;
      other.rolling = false;
      return attempt(other);
    }
    size_t at = why.find("need ");
    int64_t need = at == std::string::npos ? INT64_MAX - 1 : std::atoll(why.c_str() + at + 5);
    if (need < smallestNeed) {
      smallestNeed = need;
      smallestError = why;
    }
    return note(policy, {true, need, 0, 0});
  }
  ScheduledGroup candidate = costOf(schedule, *model);
  if (seed) {
    // Reservoir sampling: each legal candidate with the same probability.
    if (random() % ++legal == 0)
      best = candidate;
    return {};
  }
  Score score{false, candidate.dramBytes, candidate.steps, candidate.sramBytes};
  if (!best || score < *bestScore)
    best = candidate;
  return note(policy, score);
}

Score Search::note(const Policy &policy, Score score) {
  if (!bestScore || score < *bestScore) {
    bestScore = score;
    bestPolicy = policy;
  }
  return score;
}

/// Matrix tiles of several shapes, then single steps from the best policy as long
/// as one improves it.
void Search::climb() {
  for (int64_t columns : {8, 32, 128})
    for (int64_t pixels : {8, 64, 256})
      for (bool columnsOuter : {false, true}) {
        Policy policy;
        policy.columns = columns;
        policy.pixels = pixels;
        policy.reductionTile = 32;
        policy.columnsOuter = columnsOuter;
        policy.streamActivations = policy.leafOutput = true;
        policy.residentWeights = 4096;
        policy.depth = 1;
        attempt(policy);
      }
  auto twice = [](int64_t &value) { value *= 2; };
  auto half = [](int64_t &value) { value = value > 1 ? value / 2 : value; };
  constexpr unsigned rounds = 40;
  for (unsigned round = 0; round < rounds && bestPolicy && !done(); ++round) {
    Score before = *bestScore;
    const Policy from = *bestPolicy;
    auto step = [&](auto change) {
      Policy policy = from;
      change(policy);
      attempt(policy);
    };
    if (!from.columns) {
      // From here on the tile's shape is explicit.
      std::tie(bestPolicy->columns, bestPolicy->pixels) =
          matrixTile(ops.members[0], from, iterationSizes(ops.members[0]));
      continue;
    }
    // One size, or two against each other: columns, pixels, reduction.
    int64_t Policy::*sizes[] = {&Policy::columns, &Policy::pixels, &Policy::reductionTile};
    for (auto one : sizes) {
      step([&](Policy &p) { twice(p.*one); });
      step([&](Policy &p) { half(p.*one); });
      for (auto other : sizes)
        if (one != other)
          step([&](Policy &p) { twice(p.*one), half(p.*other); });
    }
    step([&](Policy &p) { p.reductionTile = 0; });
    step([&](Policy &p) { p.columnsOuter = !p.columnsOuter; });
    step([&](Policy &p) { p.streamActivations = !p.streamActivations; });
    step([&](Policy &p) { p.residentWeights = p.residentWeights ? 0 : 4096; });
    step([&](Policy &p) { p.depth = 3 - p.depth; });
    for (int operand : {0, 1}) {
      step([&](Policy &p) { ++p.hoist[operand]; });
      step([&](Policy &p) { p.hoist[operand] = std::max(0, p.hoist[operand] - 1); });
    }
    if (!(*bestScore < before))
      return;
  }
}

/// Tile sizes worth trying for a dimension.
static SmallVector<int64_t> tilesOf(int64_t size) {
  SmallVector<int64_t> tiles;
  for (int64_t parts = 1; parts <= size; parts *= 2) {
    int64_t tile = ceilDiv(size, parts);
    if (tiles.empty() || tiles.back() != tile)
      tiles.push_back(tile);
  }
  if (tiles.back() != 1)
    tiles.push_back(1);
  return tiles;
}

void Search::stripeFamily() {
  Operation *anchor = ops.members.back();
  ArrayRef<int64_t> shape = shapeOf(anchor->getResult(0));
  SmallVector<SmallVector<LoopAttr>> options(1);
  SmallVector<LoopAttr> prefix;
  bool alone = ops.members.size() == 1;
  for (unsigned d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1 || mustBeWhole(anchor, d))
      continue;
    bool grouped = largestTile(anchor, d) < shape[d];
    if (grouped)
      continue;
    for (int64_t tile : tilesOf(shape[d])) {
      if (tile == shape[d])
        continue;
      SmallVector<LoopAttr> loops = prefix;
      loops.push_back(LoopAttr::get(context, d, tile));
      options.push_back(loops);
    }
    // Several operations share rows; finer tiles would recompute their halos. Batches of a
    // product have none.
    bool batch = isa<MatmulOp>(anchor) && d + 2 < shape.size();
    if (!alone && !batch && !(seed && random() % 2))
      break;
    prefix.push_back(LoopAttr::get(context, d, 1));
  }
  int64_t total = 0;
  for (const External &input : ops.inputs)
    if (input.constant) {
      auto type = cast<RankedTensorType>(input.value.getType());
      total += type.getNumElements() * byteWidth(type.getElementType());
    }
  SmallVector<int64_t> residents{INT64_MAX, 0};
  if (ops.members.size() > 1 && total > limits.sramBytes / 4)
    residents.insert(residents.begin() + 1, limits.sramBytes / 8);
  int failures = 0;
  for (auto &stripes : options) {
    bool had = best.has_value();
    int64_t before = had ? best->dramBytes : INT64_MAX;
    for (int64_t resident : residents)
      for (bool leaf : {false, true})
        for (int64_t depth : {2, 1}) {
          if (done())
            return;
          if (leaf && !alone && !seed)
            continue;
          Policy policy;
          policy.rolling = !seed || random() % 3;
          policy.stripes = stripes;
          policy.residentWeights = resident;
          policy.leafOutput = leaf;
          policy.depth = depth;
          attempt(policy);
        }
    // Thinner stripes only help while something gets better.
    if (!seed && had && best->dramBytes == before && ++failures > 3)
      break;
  }
}

void Search::blockFamily() {
  Operation *op = ops.members[0];
  SmallVector<int64_t> sizes = iterationSizes(op);
  unsigned rank = shapeOf(op->getResult(0)).size();
  SmallVector<int64_t> reductionTiles{0};
  if (isa<SoftmaxOp>(op)) {
    for (int64_t tile = 4096; tile >= 16; tile /= 4)
      if (tile < sizes[rank - 1])
        reductionTiles.push_back(tile);
  } else if (sizes.size() > rank) {
    if (isa<ReduceOp>(op)) {
      int64_t granule = tileGranule(op, rank);
      for (int64_t tile : tilesOf(sizes[rank]))
        if (int64_t whole = ceilDiv(tile, granule) * granule; whole < sizes[rank])
          reductionTiles.push_back(whole);
    } else {
      for (int64_t tile = 1024; tile >= 32; tile /= 2)
        if (tile < sizes[rank])
          reductionTiles.push_back(tile);
    }
  }
  for (int64_t reductionTile : reductionTiles)
    for (int64_t divisor : {1, 2, 4, 16, 64})
      for (bool columnsOuter : {false, true})
        for (bool activations : {true, false})
          for (int64_t resident : {int64_t(4096), int64_t(INT64_MAX), int64_t(0)})
            for (int64_t depth : {2, 1}) {
              if (done())
                return;
              if ((!usesMxu(op) && columnsOuter) ||
                  (!usesMxu(op) && !isa<ReduceOp>(op) && divisor > 1))
                continue;
              Policy policy;
              policy.reductionTile = reductionTile;
              policy.accDivisor = divisor;
              policy.columnsOuter = columnsOuter;
              policy.streamActivations = activations;
              policy.residentWeights = resident;
              policy.leafOutput = true;
              policy.depth = depth;
              attempt(policy);
            }
}

std::optional<ScheduledGroup> Search::run() {
  auto add = [&](const External &e) {
    auto type = cast<RankedTensorType>(e.value.getType());
    if (!e.inSram)
      compulsory += type.getNumElements() * byteWidth(type.getElementType());
  };
  for (const External &input : ops.inputs)
    add(input);
  for (const External &output : ops.outputs)
    add(output);
  stripeFamily();
  if (ops.members.size() == 1 && (seed || !best || best->dramBytes > compulsory)) {
    blockFamily();
    if (!seed && usesMxu(ops.members[0]))
      climb();
  }
  if (!best)
    error = smallestError;
  return best;
}

ScheduledGroup accel::costOf(ScheduleAttr schedule, const GroupModel &model) {
  ScheduledGroup group{schedule, model.dramBytes, model.sramBytes, 0};
  for (const LoadModel &load : model.loads)
    group.steps += load.transfers;
  for (auto [m, member] : llvm::enumerate(model.members))
    group.steps += 2 * model.trips(model.loops.size() + member.loops.size(), m);
  return group;
}

std::optional<ScheduledGroup> accel::searchSchedule(const GroupOps &ops, const Limits &limits,
                                                    std::string &error) {
  return Search(ops, limits, error).run();
}

std::optional<ScheduledGroup> accel::sampleSchedule(const GroupOps &ops, const Limits &limits,
                                                    uint64_t seed, std::string &error) {
  return Search(ops, limits, error, seed | 1).run();
}

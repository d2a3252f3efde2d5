//===- NestSearch.cpp - the best loop nest of one operation ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Only where loops stand relative to the loads matters, not their order between
// two loads. So a structure is an order of the loads of A and B, and for each
// dimension the gap in which its loop stands, if it has one. All structures are
// tried, those with the lowest bound first; a structure's bound is what it moves
// with tiles as large as can be. Within one:
//  * tile sizes matter only where the number of trips changes: of each number of
//    trips the smallest tile (and the largest where windows overlap);
//  * a loop that moves all that is loaded below it, without overlap, costs no
//    bytes: its tile is the smallest;
//  * bytes fall and SRAM grows with tiles: of the last one the largest that fits
//    (unless there are gaps between windows: all are tried);
//  * partial choices whose bound is no better than the best are left.
// The best nest then grows as long as its bytes stay and the space lasts: two
// buffers where they fit, larger leaves and free tiles.
//
//===----------------------------------------------------------------------===//

#include "NestSearch.h"

#include "LoopNest.h"
#include "acc/Plan/Candidate.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace accel;

namespace {

class NestSearch {
public:
  /// `smallest`: also tiles that leave most of the array idle. Only nests with at
  /// most `ceiling` bytes are looked for.
  NestSearch(const NestProblem &problem, const Limits &limits, bool smallest, int64_t ceiling);
  void run();

  std::optional<LoopNest> best;
  NestCost bestCost;
  int64_t need = INT64_MAX; ///< SRAM of the smallest nest
  unsigned ties = 0;        ///< nests with the fewest bytes that were compared

private:
  void structures();
  void assign(unsigned dim, unsigned gaps);
  void addStructure(unsigned gaps);
  void addVariant(LoopNest nest);
  bool isFree(const LoopNest &nest, unsigned loop) const;
  void tiles(LoopNest &nest, ArrayRef<int> dims);
  void note(const LoopNest &nest);
  bool fits(const NestCost &c) const {
    return c.sram <= limits.sramBytes && c.acc <= limits.accBytes;
  }
  bool beaten(const NestCost &c) const {
    return c.dram > ceiling || (best && c.dram >= bestCost.dram);
  }
  void grow(LoopNest &nest) const;
  void growTiles(LoopNest &nest) const;

  const NestProblem &problem;
  const Limits &limits;
  const int64_t ceiling;
  SmallVector<int64_t, 6> least;             ///< tile by dimension
  std::vector<SmallVector<int64_t>> options; ///< tiles by dimension, the largest first
  SmallVector<bool, 6> gaps;                 ///< by dimension: small tiles may read less
  SmallVector<unsigned, 2> streams;          ///< operands whose place is chosen
  SmallVector<unsigned, 4> gapOf;            ///< by stream: loops in gaps up to this are above it
  SmallVector<unsigned, 6> assigned;         ///< gap by dimension; 0: no loop
  struct Structure {
    int64_t bound;
    LoopNest nest;
  };
  std::vector<Structure> all;
};

} // namespace

/// Tiles of a dimension that differ in what they cost, smaller than the whole.
static SmallVector<int64_t> tileOptions(int64_t size, int64_t least, int64_t granule,
                                        bool overlaps) {
  SmallVector<int64_t> tiles;
  auto add = [&](int64_t tile) {
    tile = ceilDiv(std::max(tile, least), granule) * granule;
    if (tile < (tiles.empty() ? size : tiles.back()))
      tiles.push_back(tile);
  };
  for (int64_t trips = 2; trips <= size;) {
    int64_t tile = ceilDiv(size, trips);
    if (overlaps)
      add(std::max(tile, ceilDiv(size, trips - 1) - 1));
    add(tile);
    if (tile <= least)
      break;
    trips = std::max(trips + 1, ceilDiv(size, tile - 1));
  }
  return tiles;
}

NestSearch::NestSearch(const NestProblem &problem, const Limits &limits, bool smallest,
                       int64_t ceiling)
    : problem(problem), limits(limits), ceiling(ceiling) {
  constexpr int64_t lanes = 16, block = 32;
  for (auto [d, size] : llvm::enumerate(problem.sizes)) {
    int64_t granule = tileGranule(problem.op, d), tile = granule;
    if (!smallest && d >= problem.rank)
      tile = ceilDiv(block, granule) * granule;
    else if (!smallest && d + 2 >= problem.rank)
      tile = lanes;
    tile = std::min(tile, size);
    least.push_back(tile);
    bool overlaps = false;
    gaps.push_back(false);
    for (const NestOperand &operand : problem.operands)
      if (const NestAxis *axis = operand.movedBy(d)) {
        overlaps |= !axis->disjoint;
        gaps[d] |= axis->gaps;
      }
    options.push_back(tileOptions(size, tile, granule, overlaps));
  }
  for (unsigned x = 0; x < problem.operands.size(); ++x)
    if (!problem.operands[x].free && !problem.operands[x].extra)
      streams.push_back(x);
}

/// Whether the smallest tile is the best: a loop that moves all that is loaded
/// below it, without overlap. An own loop over a batch has no other.
bool NestSearch::isFree(const LoopNest &nest, unsigned loop) const {
  if (nest.loops[loop] < int(problem.batches) && loop >= nest.group)
    return true;
  for (unsigned x : streams) {
    if (nest.at[x] <= loop)
      continue;
    const NestAxis *axis = problem.operands[x].movedBy(nest.loops[loop]);
    if (!axis || (!axis->disjoint && !(nest.rolling && x == 0 && loop + 1 == nest.at[0])))
      return false;
  }
  return true;
}

/// Adds a structure with its bound, if its smallest tiles fit.
void NestSearch::addVariant(LoopNest nest) {
  nest.tile.assign(problem.sizes.begin(), problem.sizes.end());
  for (auto [k, dim] : llvm::enumerate(nest.loops))
    nest.tile[dim] = isFree(nest, k) ? least[dim] : options[dim].front();
  int64_t bound = problem.cost(nest, /*optimistic=*/true).dram;
  for (int dim : nest.loops)
    nest.tile[dim] = least[dim];
  NestCost smallest = problem.cost(nest);
  if (smallest.acc <= limits.accBytes)
    need = std::min(need, smallest.sram);
  if (fits(smallest) && bound <= ceiling)
    all.push_back({bound, std::move(nest)});
}

void NestSearch::addStructure(unsigned gaps) {
  LoopNest nest;
  nest.at.assign(problem.operands.size(), 0);
  nest.depth.assign(problem.operands.size() + 1, 1);
  nest.leaf.assign(least.begin(), least.begin() + problem.rank);
  for (unsigned d = 0; d < problem.batches; ++d)
    nest.leaf[d] = 1;
  int64_t reductionGap = 0;
  for (unsigned gap = 1; gap <= gaps; ++gap) {
    // Those over the reduction last: the less is accumulated.
    for (unsigned d = 0; d < problem.sizes.size(); ++d)
      if (assigned[d] == gap) {
        nest.loops.push_back(d);
        if (d >= problem.rank && !reductionGap)
          reductionGap = gap, nest.reduction = nest.loops.size() - 1;
      }
    for (auto [s, x] : llvm::enumerate(streams))
      if (gapOf[s] == gap)
        nest.at[x] = nest.loops.size();
  }
  unsigned n = nest.loops.size();
  if (!reductionGap)
    nest.reduction = n;
  // A load right below loops that do not move it belongs above them.
  for (auto [s, x] : llvm::enumerate(streams)) {
    bool moves = gapOf[s] == 0;
    for (unsigned d = 0; d < problem.sizes.size(); ++d)
      moves |= gapOf[s] > 0 && assigned[d] == gapOf[s] && problem.operands[x].movedBy(d);
    if (!moves)
      return;
  }
  for (auto [x, operand] : llvm::enumerate(problem.operands)) {
    if (!operand.extra || operand.free)
      continue;
    // Read element by element, with the leaves; small ones once.
    bool streamed = operand.bytes() > limits.sramBytes / 8;
    bool all = true;
    for (unsigned d = 0; d < problem.rank; ++d)
      all &= problem.sizes[d] <= 1 || operand.movedBy(d);
    nest.at[x] = streamed || all ? 1 : 0;
  }
  // Loops of the group leave their tiles to leaves; own loops accumulate in two
  // tiles by turns, and read only what windows with strides read.
  nest.group = nest.splits() ? 0 : n;
  addVariant(nest);
  bool leavesOut = llvm::any_of(problem.operands, [](const NestOperand &operand) {
    return llvm::any_of(operand.axes, [](const NestAxis &axis) {
      return axis.dim >= 0 && axis.whole() < axis.extent;
    });
  });
  if (nest.group && leavesOut) {
    LoopNest own = nest;
    own.group = 0;
    addVariant(std::move(own));
  }
  // The input in a circular buffer along one of the loops right above its load.
  unsigned at = nest.at[0];
  if (problem.operands[0].free || at == 0 || at > nest.reduction)
    return;
  for (unsigned k = at; k-- > 0 && assigned[nest.loops[k]] == assigned[nest.loops[at - 1]];)
    for (auto [a, axis] : llvm::enumerate(problem.operands[0].axes))
      if (axis.dim == nest.loops[k] && !axis.disjoint && canReadCircular(problem.op, 0, a)) {
        LoopNest rolling = nest;
        rolling.rolling = true;
        rolling.group = at;
        std::rotate(rolling.loops.begin() + k, rolling.loops.begin() + k + 1,
                    rolling.loops.begin() + at);
        addVariant(std::move(rolling));
      }
}

void NestSearch::assign(unsigned dim, unsigned gaps) {
  if (dim == problem.sizes.size())
    return addStructure(gaps);
  unsigned last = problem.sizes[dim] > 1 && !options[dim].empty() ? gaps : 0;
  for (assigned[dim] = 0; assigned[dim] <= last; ++assigned[dim])
    assign(dim + 1, gaps);
  assigned[dim] = 0;
}

/// All orders of the loads, and for each all places of loops.
void NestSearch::structures() {
  assigned.assign(problem.sizes.size(), 0);
  unsigned count = streams.size();
  SmallVector<SmallVector<unsigned>> orders{SmallVector<unsigned>(count, 0)};
  if (count == 1)
    orders.push_back({1});
  if (count == 2)
    orders.append({{0, 1}, {1, 0}, {1, 1}, {1, 2}, {2, 1}});
  for (const SmallVector<unsigned> &order : orders) {
    gapOf.assign(order.begin(), order.end());
    assign(0, count ? *llvm::max_element(order) : 0);
  }
}

void NestSearch::note(const LoopNest &nest) {
  NestCost c = problem.cost(nest);
  constexpr unsigned mostTies = 12;
  if (!fits(c) || c.dram > ceiling || (best && c.dram > bestCost.dram) ||
      (best && c.dram == bestCost.dram && ++ties > mostTies))
    return;
  LoopNest grown = nest;
  grow(grown);
  NestCost after = problem.cost(grown);
  if (!best || std::tuple(after.dram, after.steps) < std::tuple(bestCost.dram, bestCost.steps)) {
    best = std::move(grown);
    bestCost = after;
  }
}

/// Chooses the tiles of `dims`; those of other loops are chosen.
void NestSearch::tiles(LoopNest &nest, ArrayRef<int> dims) {
  if (dims.empty())
    return note(nest);
  int dim = dims[0];
  ArrayRef<int64_t> choices = options[dim];
  if (dims.size() == 1 && !gaps[dim]) {
    // Bytes fall with the tile: the largest that fits.
    auto tooLarge = [&](int64_t tile) {
      nest.tile[dim] = tile;
      return !fits(problem.cost(nest));
    };
    const int64_t *fitting = llvm::partition_point(choices, tooLarge);
    if (fitting == choices.end())
      return;
    nest.tile[dim] = *fitting;
    return note(nest);
  }
  for (int64_t tile : choices) {
    nest.tile[dim] = tile;
    for (int rest : dims.drop_front())
      nest.tile[rest] = options[rest].front();
    if (beaten(problem.cost(nest, /*optimistic=*/true)))
      break; // smaller tiles move no less
    for (int rest : dims.drop_front())
      nest.tile[rest] = options[rest].back();
    if (fits(problem.cost(nest)))
      tiles(nest, dims.drop_front());
  }
}

/// Larger leaves and tiles that cost no bytes, as the space lasts: each time the
/// one that saves the most instructions.
void NestSearch::growTiles(LoopNest &nest) const {
  int64_t dram = problem.cost(nest).dram;
  int64_t acc = problem.cost(nest).acc;
  // Two leaves alternate in the accumulators, if they can.
  int64_t accLimit = acc <= limits.accBytes / 2 ? limits.accBytes / 2 : limits.accBytes;
  auto allowed = [&](const NestCost &c) {
    return c.dram <= dram && c.sram <= limits.sramBytes && c.acc <= accLimit;
  };
  while (true) {
    std::optional<LoopNest> next;
    int64_t steps = problem.cost(nest).steps;
    auto attempt = [&](LoopNest grown) {
      NestCost c = problem.cost(grown);
      if (allowed(c) && c.steps < steps) {
        steps = c.steps;
        next = std::move(grown);
      }
    };
    for (unsigned d = problem.batches; d < problem.rank; ++d)
      if (problem.hasLeaf(nest, d) && nest.leaf[d] < nest.tile[d])
        for (int64_t leaf : {2 * nest.leaf[d], nest.tile[d]}) {
          LoopNest grown = nest;
          grown.leaf[d] = std::min(leaf, nest.tile[d]);
          attempt(std::move(grown));
        }
    for (auto [k, d] : llvm::enumerate(nest.loops))
      if (d >= int(problem.batches) || k < nest.group) {
        LoopNest grown = nest;
        int64_t larger = std::min(2 * nest.tile[d], options[d].front());
        grown.tile[d] = larger;
        attempt(std::move(grown));
      }
    if (!next)
      break;
    nest = std::move(*next);
  }
}

void NestSearch::grow(LoopNest &nest) const {
  for (unsigned x = 0; x < nest.depth.size(); ++x) {
    bool rotates =
        x < nest.at.size() ? nest.at[x] > 0 && !(nest.rolling && x == 0) : !nest.loops.empty();
    if (!rotates)
      continue;
    nest.depth[x] = 2;
    if (!fits(problem.cost(nest)))
      nest.depth[x] = 1;
  }
  growTiles(nest);
}

void NestSearch::run() {
  structures();
  SmallVector<std::pair<int64_t, unsigned>> order; // bound, then as they were found
  for (auto [index, structure] : llvm::enumerate(all))
    order.push_back({structure.bound, index});
  llvm::sort(order);
  for (auto [bound, index] : order) {
    if (best && bound > bestCost.dram)
      break;
    LoopNest &nest = all[index].nest;
    SmallVector<int> dims;
    for (auto [k, dim] : llvm::enumerate(nest.loops))
      if (isFree(nest, k))
        nest.tile[dim] = least[dim];
      else
        dims.push_back(dim);
    tiles(nest, dims);
  }
}

std::optional<ScheduledGroup> accel::searchNests(const GroupOps &ops, const Limits &limits,
                                                 bool &covered, int64_t &need) {
  std::optional<NestProblem> problem = NestProblem::of(ops);
  covered = problem.has_value();
  if (!problem)
    return std::nullopt;
  NestSearch search(*problem, limits, /*smallest=*/false, INT64_MAX);
  search.run();
  // Tiles that leave most of the array idle have to save 2 %.
  NestSearch finer(*problem, limits, /*smallest=*/true,
                   search.best ? search.bestCost.dram / 51 * 50 : INT64_MAX);
  finer.run();
  need = finer.need;
  const std::optional<LoopNest> &best = finer.best ? finer.best : search.best;
  if (!best)
    return std::nullopt;
  ScheduleAttr schedule = problem->schedule(*best);
  std::string why;
  std::optional<GroupModel> model = GroupModel::build(ops, schedule, limits, why);
  covered = model.has_value();
  return model ? std::optional(costOf(schedule, *model)) : std::nullopt;
}

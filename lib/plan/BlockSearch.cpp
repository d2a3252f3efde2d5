//===- BlockSearch.cpp - one operation in blocks ---------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loop nests of operations on the matrix engine are searched exactly (NestSearch).
// For the others, and where that search does not apply, tile sizes for all
// dimensions in a few orders; on the matrix engine the best of them is then
// improved in single steps until none helps. Every candidate is judged by its
// GroupModel. One that does not fit counts by what it needs, so that steps lead to
// where it does.
//
//===----------------------------------------------------------------------===//

#include "BlockSearch.h"

#include "NestSearch.h"
#include "acc/Plan/Candidate.h"

#include "llvm/ADT/STLExtras.h"

#include <random>

using namespace mlir;
using namespace accel;

namespace {

struct Policy : MemberPolicy {
  int64_t depth = 2;
};

/// Lexicographic: does it fit, DRAM bytes (or what it needs), steps, SRAM.
using Score = std::tuple<bool, int64_t, int64_t, int64_t>;

class BlockSearch {
public:
  BlockSearch(const GroupOps &ops, const Limits &limits, int64_t enough, uint64_t seed)
      : ops(ops), limits(limits), enough(enough), seed(seed), random(seed) {}

  void family();
  void climb();

  std::optional<ScheduledGroup> best;
  int64_t smallestNeed = INT64_MAX;

private:
  void attempt(const Policy &policy);
  void note(const Policy &policy, Score score);
  bool done() const { return !seed && best && best->dramBytes <= enough; }

  const GroupOps &ops;
  const Limits &limits;
  const int64_t enough;
  const uint64_t seed; ///< 0: the best candidate; otherwise a random one
  std::mt19937_64 random;
  std::optional<Policy> bestPolicy; ///< also where nothing fits yet
  std::optional<Score> bestScore;
  uint64_t legal = 0;
};

} // namespace

void BlockSearch::attempt(const Policy &policy) {
  GroupPolicy group;
  group.depth = policy.depth;
  ScheduleAttr schedule = makeSchedule(ops, limits, group, MemberPolicy(policy));
  std::string why;
  int64_t need = INT64_MAX;
  std::optional<GroupModel> model = GroupModel::build(ops, schedule, limits, why, &need);
  if (!model) {
    smallestNeed = std::min(smallestNeed, need);
    return note(policy, {true, need, 0, 0});
  }
  ScheduledGroup candidate = costOf(schedule, *model);
  if (seed) {
    // Reservoir sampling: each legal candidate with the same probability.
    if (random() % ++legal == 0)
      best = candidate;
    return;
  }
  Score score{false, candidate.dramBytes, candidate.steps, candidate.sramBytes};
  if (!best || score < *bestScore)
    best = candidate;
  note(policy, score);
}

void BlockSearch::note(const Policy &policy, Score score) {
  if (!bestScore || score < *bestScore) {
    bestScore = score;
    bestPolicy = policy;
  }
}

/// Matrix tiles of several shapes, then single steps from the best policy as long
/// as one improves it.
void BlockSearch::climb() {
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
          matrixTile(ops.members[0], limits, from, iterationSizes(ops.members[0]));
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

void BlockSearch::family() {
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

std::optional<ScheduledGroup> accel::searchBlocks(const GroupOps &ops, const Limits &limits,
                                                  int64_t enough, int64_t &need) {
  bool covered;
  std::optional<ScheduledGroup> nest = searchNests(ops, limits, covered, need);
  if (covered)
    return nest;
  BlockSearch search(ops, limits, enough, 0);
  search.family();
  if (usesMxu(ops.members[0]))
    search.climb();
  need = search.smallestNeed;
  return search.best;
}

std::optional<ScheduledGroup> accel::sampleBlocks(const GroupOps &ops, const Limits &limits,
                                                  uint64_t seed) {
  BlockSearch search(ops, limits, 0, seed | 1);
  search.family();
  return search.best;
}

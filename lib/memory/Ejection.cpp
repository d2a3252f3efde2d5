//===- Ejection.cpp - packing by repair -------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Starts from a packing in which some pieces found no place. Each step takes one
// of them, puts it where what is in the way weighs the least, and takes that
// out; then a few neighbours settle at the lowest or highest free place so that
// free bytes gather. A piece weighs by its size and by how often it had to push
// others: those that are hard to place end up staying. (Ejection with penalty
// counters: Nagata and Bräysy, 2009, for vehicle routes.)
//
// Good where alignments and fixed addresses break the skyline, or where the
// memory is full at few positions only. It proves nothing.
//===----------------------------------------------------------------------===//

#include "Grid.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace accel::memory {
namespace {

constexpr int64_t out = -1;
/// More than all that can move weighs; a few thousand of it do not overflow.
constexpr int64_t immovable = int64_t(1) << 50;
/// Weight of a piece of average size.
constexpr int64_t unitWeight = 256;
/// Steps without a better packing after which the best one is taken up again: in
/// a large problem one region would else undo what another gained.
constexpr int64_t patience = 300;
/// Neighbours that settle after a step that pushed something out.
constexpr int settling = 3;
/// Pieces taken out lately that may find a free place after a step.
constexpr size_t retries = 8;

int64_t root(int64_t value) {
  int64_t r = 0;
  while ((r + 1) * (r + 1) <= value)
    ++r;
  return r;
}

class Repair {
public:
  Repair(const Grid &grid, uint64_t seed);
  SearchResult run(int64_t steps);

private:
  struct Span {
    int64_t low, high, weight;
  };
  int64_t resistance(int i) const {
    return grid.pieces[i].fixed >= 0 ? immovable : penalty[i] * weight[i];
  }
  void gather(int i);
  int64_t freePlace(int i, bool highest);
  int64_t cheapestPlace(int i);
  void settle(int around);

  const Grid &grid;
  std::vector<std::vector<int>> meets; ///< pieces that are live together
  std::vector<int64_t> offsets, weight, penalty, last;
  std::vector<int> waiting; ///< pieces without a place, the newest last
  std::vector<Span> spans;  ///< of what is in the way of a piece, by low
  std::vector<std::pair<int64_t, int64_t>> tops;
  std::vector<int64_t> places;
  Random random;
};

Repair::Repair(const Grid &grid, uint64_t seed)
    : grid(grid), meets(grid.pieces.size()), offsets(grid.pieces.size(), out),
      weight(grid.pieces.size()), penalty(grid.pieces.size(), 1), last(grid.pieces.size(), out),
      random{seed} {
  size_t n = grid.pieces.size();
  std::vector<std::vector<int>> live(grid.sections);
  for (size_t i = 0; i < n; ++i)
    for (int s = grid.pieces[i].begin; s < grid.pieces[i].end; ++s)
      live[s].push_back(int(i));
  // Two pieces meet if one is live in the section where the other begins.
  for (size_t i = 0; i < n; ++i)
    for (int j : live[grid.pieces[i].begin])
      if (int(i) != j && (grid.pieces[j].begin < grid.pieces[i].begin || j < int(i))) {
        meets[i].push_back(j);
        meets[j].push_back(int(i));
      }
  int64_t sum = 0;
  for (size_t i = 0; i < n; ++i)
    sum += grid.pieces[i].size * int64_t(meets[i].size() + 1);
  int64_t mean = std::max<int64_t>(1, sum / std::max<int64_t>(1, int64_t(n)));
  // The square root of size and length: large pieces weigh more, not all.
  for (size_t i = 0; i < n; ++i)
    weight[i] = unitWeight / 20 + root(unitWeight * unitWeight * grid.pieces[i].size *
                                       int64_t(meets[i].size() + 1) / mean);
  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](int a, int b) { return weight[a] != weight[b] ? weight[a] > weight[b] : a < b; });
  for (int i : order)
    offsets[i] = grid.pieces[i].fixed; // out if it is free
  for (int i : order)
    if (offsets[i] == out && (offsets[i] = freePlace(i, false)) == out)
      waiting.push_back(i);
}

/// The spans of placed pieces that meet i, by their low end.
void Repair::gather(int i) {
  spans.clear();
  for (int j : meets[i])
    if (offsets[j] != out)
      spans.push_back({offsets[j], offsets[j] + grid.pieces[j].size, resistance(j)});
  std::sort(spans.begin(), spans.end(), [](const Span &a, const Span &b) { return a.low < b.low; });
}

int64_t Repair::freePlace(int i, bool highest) {
  const Piece &piece = grid.pieces[i];
  gather(i);
  int64_t at = 0, found = out;
  auto gapUpTo = [&](int64_t end) {
    if (at + piece.size > end)
      return false;
    found = highest ? (end - piece.size) / piece.alignment * piece.alignment : at;
    return !highest;
  };
  for (const Span &span : spans) {
    if (gapUpTo(span.low))
      return found;
    at = std::max(at, alignUp(span.high, piece.alignment));
  }
  gapUpTo(grid.capacity);
  return found;
}

/// Where what has to leave weighs the least; touching a neighbour or a border.
int64_t Repair::cheapestPlace(int i) {
  const Piece &piece = grid.pieces[i];
  gather(i);
  tops.clear();
  places.clear();
  places.push_back(0);
  if (piece.size <= grid.capacity)
    places.push_back((grid.capacity - piece.size) / piece.alignment * piece.alignment);
  for (int j : meets[i]) {
    if (offsets[j] == out)
      continue;
    int64_t top = offsets[j] + grid.pieces[j].size;
    tops.emplace_back(top, resistance(j));
    if (alignUp(top, piece.alignment) + piece.size <= grid.capacity)
      places.push_back(alignUp(top, piece.alignment));
    if (offsets[j] >= piece.size)
      places.push_back((offsets[j] - piece.size) / piece.alignment * piece.alignment);
  }
  std::sort(tops.begin(), tops.end());
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  // In the way of [at, at + size): what begins below its end without what ends
  // at or below at.
  int64_t below = 0, gone = 0, best = immovable, found = out;
  uint64_t equals = 0;
  size_t next = 0, ended = 0;
  for (int64_t at : places) {
    if (at + piece.size > grid.capacity)
      break;
    for (; next < spans.size() && spans[next].low < at + piece.size; ++next)
      below += spans[next].weight;
    for (; ended < tops.size() && tops[ended].first <= at; ++ended)
      gone += tops[ended].second;
    int64_t cost = below - gone + (at == last[i] ? penalty[i] * unitWeight / 2 : 0);
    if (cost < best) {
      best = cost;
      found = at;
      equals = 1;
    } else if (cost == best && found != out && random.next() % ++equals == 0) {
      found = at;
    }
  }
  return found;
}

void Repair::settle(int around) {
  for (size_t k = waiting.size(), least = k > retries ? k - retries : 0; k-- > least;) {
    int i = waiting[k];
    offsets[i] = freePlace(i, random.next() & 1);
    if (offsets[i] != out)
      waiting.erase(waiting.begin() + int64_t(k));
  }
  for (int k = 0; k < settling && !meets[around].empty(); ++k) {
    int i = meets[around][random.next() % meets[around].size()];
    if (offsets[i] == out || grid.pieces[i].fixed >= 0)
      continue;
    // Its own place is free, so that something is found.
    offsets[i] = freePlace(i, random.next() & 1);
  }
}

SearchResult Repair::run(int64_t steps) {
  SearchResult result;
  std::vector<int64_t> bestOffsets = offsets;
  std::vector<int> bestWaiting = waiting;
  int64_t bestWeight = std::numeric_limits<int64_t>::max(), since = 0;
  for (; !waiting.empty() && steps > 0; --steps) {
    int64_t weighs = 0;
    for (int i : waiting)
      weighs += weight[i];
    if (weighs < bestWeight) {
      bestWeight = weighs;
      bestOffsets = offsets;
      bestWaiting = waiting;
      since = 0;
    } else if (++since == patience) {
      offsets = bestOffsets;
      waiting = bestWaiting;
      since = 0;
    }
    // The newest, so that a chain of ejections stays in one region; now and then
    // another.
    size_t k = random.next() % 8 ? waiting.size() - 1 : random.next() % waiting.size();
    int i = waiting[k];
    waiting.erase(waiting.begin() + int64_t(k));
    int64_t at = cheapestPlace(i);
    if (at == out) {
      waiting.insert(waiting.begin(), i);
      ++penalty[i];
      continue;
    }
    offsets[i] = last[i] = at;
    bool pushed = false;
    for (int j : meets[i])
      if (offsets[j] != out && offsets[j] < at + grid.pieces[i].size &&
          at < offsets[j] + grid.pieces[j].size) {
        offsets[j] = out;
        waiting.push_back(j);
        pushed = true;
      }
    if (pushed) {
      ++penalty[i];
      settle(i);
    }
  }
  if (waiting.empty())
    result.offsets = offsets;
  return result;
}

} // namespace

SearchResult repairByEjection(const Grid &grid, int64_t steps, uint64_t seed) {
  return Repair(grid, seed).run(steps);
}

} // namespace accel::memory

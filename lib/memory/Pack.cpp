//===- Pack.cpp - buffers into one memory by live range --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Grid.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

namespace accel::memory {
namespace {

/// Above this many buffers only the linear sweep runs: the orders by size look
/// at every pair.
constexpr size_t sweepOnly = 4000;
/// How often a buffer that ended too high is moved to the front of the order.
constexpr int promotions = 64;
/// Above this many buffers nothing is searched: the searches hold all pairs that
/// are live together.
constexpr size_t searchable = 4000;
/// Steps in the first turn of each search: about equally long.
constexpr int64_t skylineSteps = 2000, ejectionSteps = 250;

bool meet(const Buffer &a, const Buffer &b) {
  return a.begin < b.end && b.begin < a.end && a.bytes > 0 && b.bytes > 0;
}

/// The lowest offset where `bytes` fit between `taken` (sorted by offset).
Bytes lowestGap(const std::vector<std::pair<Bytes, Bytes>> &taken, const Buffer &buffer) {
  Bytes at = 0;
  for (auto [begin, end] : taken) {
    if (at + buffer.bytes <= begin)
      break;
    at = std::max(at, alignUp(end, buffer.alignment));
  }
  return at;
}

Solution firstFit(const Problem &problem, const std::vector<size_t> &order) {
  Solution solution;
  solution.offsets.assign(problem.buffers.size(), 0);
  std::vector<size_t> placed;
  std::vector<std::pair<Bytes, Bytes>> taken;
  for (size_t i : order) {
    const Buffer &buffer = problem.buffers[i];
    taken.clear();
    for (size_t j : placed)
      if (meet(buffer, problem.buffers[j]))
        taken.emplace_back(solution.offsets[j], solution.offsets[j] + problem.buffers[j].bytes);
    std::sort(taken.begin(), taken.end());
    solution.offsets[i] = buffer.fixed ? *buffer.fixed : lowestGap(taken, buffer);
    solution.height = std::max(solution.height, solution.offsets[i] + buffer.bytes);
    placed.push_back(i);
  }
  return solution;
}

/// First fit in order of begin: only what is live at that position is in the
/// way, so that a chain of any length takes time linear in it.
Solution sweep(const Problem &problem, const std::vector<size_t> &byBegin) {
  Solution solution;
  solution.offsets.assign(problem.buffers.size(), 0);
  std::map<std::pair<Bytes, size_t>, size_t> active; // offset, index -> index
  std::multimap<Position, size_t> ends;
  std::vector<std::pair<Bytes, Bytes>> taken;
  for (size_t i : byBegin) {
    const Buffer &buffer = problem.buffers[i];
    while (!ends.empty() && ends.begin()->first <= buffer.begin) {
      size_t gone = ends.begin()->second;
      active.erase({solution.offsets[gone], gone});
      ends.erase(ends.begin());
    }
    if (buffer.bytes <= 0)
      continue;
    taken.clear();
    for (auto &[key, j] : active)
      taken.emplace_back(key.first, key.first + problem.buffers[j].bytes);
    solution.offsets[i] = lowestGap(taken, buffer);
    solution.height = std::max(solution.height, solution.offsets[i] + buffer.bytes);
    active.emplace(std::make_pair(solution.offsets[i], i), i);
    ends.emplace(buffer.end, i);
  }
  return solution;
}

/// The best of the cheap orders; ends as soon as one fits.
Solution firstFitOrders(const Problem &problem) {
  const std::vector<Buffer> &buffers = problem.buffers;
  auto sorted = [&](const std::function<bool(const Buffer &, const Buffer &)> &before) {
    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), size_t{0});
    // Equal ones stay in order of their index.
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return before(buffers[a], buffers[b]) || (!before(buffers[b], buffers[a]) && a < b);
    });
    return order;
  };
  auto length = [](const Buffer &b) { return b.end - b.begin; };
  bool anyFixed = std::any_of(buffers.begin(), buffers.end(), [](auto &b) { return b.fixed; });

  Solution best;
  best.height = std::numeric_limits<Bytes>::max();
  // The sweep knows only what has begun before.
  if (!anyFixed)
    best = sweep(problem, sorted([](auto &a, auto &b) { return a.begin < b.begin; }));
  if (best.height <= problem.capacity || (buffers.size() > sweepOnly && !anyFixed))
    return best;
  auto keep = [&](Solution candidate) {
    if (candidate.height < best.height)
      best = std::move(candidate);
  };
  std::vector<std::vector<size_t>> orders = {
      sorted([](auto &a, auto &b) { return a.bytes > b.bytes; }), sorted([&](auto &a, auto &b) {
        return length(a) != length(b) ? length(a) > length(b) : a.bytes > b.bytes;
      }),
      sorted([&](auto &a, auto &b) {
        return double(a.bytes) * double(length(a)) > double(b.bytes) * double(length(b));
      })};
  for (auto &order : orders) {
    // What is fixed comes first, always.
    auto movable = std::stable_partition(order.begin(), order.end(),
                                         [&](size_t i) { return buffers[i].fixed.has_value(); });
    // Whatever sticks out above the capacity goes first next time.
    for (int n = 0; n <= promotions && best.height > problem.capacity; ++n) {
      Solution now = firstFit(problem, order);
      auto high = std::find_if(movable, order.end(), [&](size_t i) {
        return now.offsets[i] + buffers[i].bytes > problem.capacity;
      });
      keep(std::move(now));
      if (high == order.end() || high == movable)
        break;
      std::rotate(movable, high, high + 1);
    }
    if (best.height <= problem.capacity)
      break;
  }
  return best;
}

/// Fixed offsets that cannot be: the first buffers that contradict.
std::vector<size_t> contradiction(const Problem &problem) {
  std::vector<size_t> fixed;
  for (size_t i = 0; i < problem.buffers.size(); ++i) {
    const Buffer &b = problem.buffers[i];
    if (!b.fixed || b.bytes <= 0)
      continue;
    if (*b.fixed < 0 || *b.fixed + b.bytes > problem.capacity ||
        (b.alignment > 1 && *b.fixed % b.alignment))
      return {i};
    for (size_t j : fixed) {
      const Buffer &other = problem.buffers[j];
      if (meet(b, other) && *b.fixed < *other.fixed + other.bytes &&
          *other.fixed < *b.fixed + b.bytes)
        return {j, i};
    }
    fixed.push_back(i);
  }
  return {};
}

/// Skylines and repair in turns, each turn longer than the one before.
SearchResult search(const Grid &grid, int64_t rounds) {
  SearchResult result;
  for (int64_t turn = 1; rounds > 0; rounds -= turn, turn *= 2) {
    result = searchSkylines(grid, turn * skylineSteps);
    if (result.offsets || result.exhausted)
      return result;
    result = repairByEjection(grid, turn * ejectionSteps * int64_t(1 + grid.pieces.size() / 100),
                              uint64_t(turn));
    if (result.offsets)
      return result;
  }
  return result;
}

} // namespace

Peak peakOf(const Problem &problem) {
  Grid grid(problem);
  std::vector<Bytes> change(size_t(grid.sections) + 1, 0);
  for (const Piece &piece : grid.pieces) {
    change[size_t(piece.begin)] += piece.size;
    change[size_t(piece.end)] -= piece.size;
  }
  Peak peak;
  Bytes live = 0;
  for (int s = 0; s < grid.sections; ++s) {
    live += change[size_t(s)];
    if (live * grid.granule > peak.bytes) {
      peak.bytes = live * grid.granule;
      peak.position = grid.begins[size_t(s)];
    }
  }
  for (size_t i = 0; i < problem.buffers.size(); ++i)
    if (problem.buffers[i].bytes > 0 && problem.buffers[i].begin <= peak.position &&
        peak.position < problem.buffers[i].end)
      peak.live.push_back(i);
  return peak;
}

Result pack(const Problem &problem, Effort effort) {
  Result result;
  result.clash = contradiction(problem);
  if (!result.clash.empty()) {
    const Buffer &buffer = problem.buffers[result.clash.back()];
    result.needed = *buffer.fixed + buffer.bytes;
    result.proved = true;
    return result;
  }
  Solution best = firstFitOrders(problem);
  result.needed = best.height;
  if (best.height <= problem.capacity) {
    result.solution = std::move(best);
    return result;
  }
  Peak peak = peakOf(problem);
  result.proved = peak.bytes > problem.capacity;
  Grid grid(problem);
  if (!result.proved && grid.pieces.size() <= searchable) {
    SearchResult found = search(grid, effort.rounds);
    result.proved = found.exhausted;
    if (found.offsets) {
      result.solution = grid.solution(problem, *found.offsets);
      result.needed = result.solution->height;
      return result;
    }
  }
  result.clash = std::move(peak.live);
  return result;
}

std::optional<Violation> firstViolation(const Problem &problem, const Solution &solution) {
  const std::vector<Buffer> &buffers = problem.buffers;
  for (size_t i = 0; i < buffers.size(); ++i) {
    Bytes at = solution.offsets[i];
    std::string place = "at " + std::to_string(at);
    if (at < 0 || at > problem.capacity - buffers[i].bytes)
      return Violation{i,
                       {},
                       place + " + " + std::to_string(buffers[i].bytes) +
                           " bytes leaves the capacity of " + std::to_string(problem.capacity)};
    if (buffers[i].alignment > 1 && at % buffers[i].alignment)
      return Violation{i, {}, place + " is not aligned to " + std::to_string(buffers[i].alignment)};
    if (buffers[i].fixed && at != *buffers[i].fixed)
      return Violation{i, {}, place + " is fixed at " + std::to_string(*buffers[i].fixed)};
    for (size_t j = 0; j < i; ++j)
      if (meet(buffers[i], buffers[j]) && at < solution.offsets[j] + buffers[j].bytes &&
          solution.offsets[j] < at + buffers[i].bytes)
        return Violation{i, j,
                         "overlap at byte " + std::to_string(std::max(at, solution.offsets[j]))};
  }
  return std::nullopt;
}

std::optional<std::string> verify(const Problem &problem, const Solution &solution) {
  if (solution.offsets.size() != problem.buffers.size())
    return "the solution has " + std::to_string(solution.offsets.size()) + " offsets for " +
           std::to_string(problem.buffers.size()) + " buffers";
  std::optional<Violation> broken = firstViolation(problem, solution);
  if (!broken)
    return std::nullopt;
  if (broken->other)
    return "buffers " + std::to_string(*broken->other) + " and " + std::to_string(broken->buffer) +
           " " + broken->what;
  return "buffer " + std::to_string(broken->buffer) + " " + broken->what;
}

} // namespace accel::memory

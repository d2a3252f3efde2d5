//===- Pack.cpp - buffers into one memory by live range --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Memory/Pack.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

namespace accel::memory {
namespace {

/// Above this many buffers only the linear sweep runs: the orders by size look
/// at every pair.
constexpr size_t sweepOnly = 4000;
/// How often a buffer that ended too high is moved to the front of the order.
constexpr int promotions = 64;

Bytes alignUp(Bytes value, Bytes alignment) {
  return alignment <= 1 ? value : (value + alignment - 1) / alignment * alignment;
}

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
    solution.offsets[i] = lowestGap(taken, buffer);
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

/// The buffers live where the most bytes are live.
std::vector<size_t> fullest(const Problem &problem) {
  std::map<Position, Bytes> change;
  for (const Buffer &b : problem.buffers) {
    change[b.begin] += b.bytes;
    change[b.end] -= b.bytes;
  }
  Position at = 0;
  Bytes live = 0, most = -1;
  for (auto [position, delta] : change) {
    live += delta;
    if (live > most) {
      most = live;
      at = position;
    }
  }
  std::vector<size_t> result;
  for (size_t i = 0; i < problem.buffers.size(); ++i)
    if (problem.buffers[i].begin <= at && at < problem.buffers[i].end)
      result.push_back(i);
  return result;
}

} // namespace

Result pack(const Problem &problem) {
  const std::vector<Buffer> &buffers = problem.buffers;
  auto sorted = [&](const std::function<bool(const Buffer &, const Buffer &)> &before) {
    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return before(buffers[a], buffers[b]); });
    return order;
  };
  auto length = [](const Buffer &b) { return b.end - b.begin; };

  Solution best = sweep(problem, sorted([](auto &a, auto &b) { return a.begin < b.begin; }));
  auto keep = [&](Solution candidate) {
    if (candidate.height < best.height)
      best = std::move(candidate);
  };
  if (best.height > problem.capacity && buffers.size() <= sweepOnly) {
    std::vector<std::vector<size_t>> orders = {
        sorted([](auto &a, auto &b) { return a.bytes > b.bytes; }), sorted([&](auto &a, auto &b) {
          return length(a) != length(b) ? length(a) > length(b) : a.bytes > b.bytes;
        }),
        sorted([&](auto &a, auto &b) {
          return double(a.bytes) * double(length(a)) > double(b.bytes) * double(length(b));
        })};
    for (auto &order : orders) {
      keep(firstFit(problem, order));
      // Whatever sticks out above the capacity goes first next time.
      for (int n = 0; n < promotions && best.height > problem.capacity; ++n) {
        Solution now = firstFit(problem, order);
        keep(now);
        auto high = std::find_if(order.begin(), order.end(), [&](size_t i) {
          return now.offsets[i] + buffers[i].bytes > problem.capacity;
        });
        if (high == order.end() || high == order.begin())
          break;
        std::rotate(order.begin(), high, high + 1);
      }
      if (best.height <= problem.capacity)
        break;
    }
  }
  Result result;
  result.needed = best.height;
  if (best.height <= problem.capacity)
    result.solution = std::move(best);
  else
    result.clash = fullest(problem);
  return result;
}

std::optional<std::string> verify(const Problem &problem, const Solution &solution) {
  const std::vector<Buffer> &buffers = problem.buffers;
  if (solution.offsets.size() != buffers.size())
    return "the solution has " + std::to_string(solution.offsets.size()) + " offsets for " +
           std::to_string(buffers.size()) + " buffers";
  for (size_t i = 0; i < buffers.size(); ++i) {
    Bytes at = solution.offsets[i];
    if (at < 0 || at + buffers[i].bytes > problem.capacity)
      return "buffer " + std::to_string(i) + " at " + std::to_string(at) + " + " +
             std::to_string(buffers[i].bytes) + " bytes leaves the capacity of " +
             std::to_string(problem.capacity);
    if (buffers[i].alignment > 1 && at % buffers[i].alignment)
      return "buffer " + std::to_string(i) + " at " + std::to_string(at) + " is not aligned to " +
             std::to_string(buffers[i].alignment);
    for (size_t j = 0; j < i; ++j)
      if (meet(buffers[i], buffers[j]) && at < solution.offsets[j] + buffers[j].bytes &&
          solution.offsets[j] < at + buffers[i].bytes)
        return "buffers " + std::to_string(j) + " and " + std::to_string(i) + " overlap at byte " +
               std::to_string(std::max(at, solution.offsets[j]));
  }
  return std::nullopt;
}

} // namespace accel::memory

//===- Pebbles.h - the least I/O of a small graph, by trying everything ---===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The red-blue pebble game of Hong and Kung (STOC 1981) with a weight in bytes
// for each vertex. Red: on the chip, at most `capacity` bytes at a time. Blue: in
// DRAM. Moves: load (blue gets red), store (red gets blue), compute (all
// predecessors are red; the result may take the place of one of them), forget.
// Values may be computed again. The least bytes of loads and stores that turn
// all outputs blue are found by A* over all states.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_TEST_PLAN_PEBBLES_H
#define ACC_TEST_PLAN_PEBBLES_H

#include <cstdint>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

namespace accel::test {

struct PebbleGraph {
  struct Vertex {
    int64_t bytes;
    uint32_t before = 0; ///< predecessors; none: an input, blue from the start
  };
  std::vector<Vertex> vertices;
  uint32_t outputs = 0;

  int add(int64_t bytes, const std::vector<int> &before = {}) {
    uint32_t mask = 0;
    for (int v : before)
      mask |= 1u << v;
    vertices.push_back({bytes, mask});
    return int(vertices.size()) - 1;
  }
};

/// The least bytes; nothing if `states` states do not settle it or it is not
/// possible at all.
inline std::optional<int64_t> leastTraffic(const PebbleGraph &graph, int64_t capacity,
                                           size_t states = 8'000'000) {
  using State = uint64_t; // red below, blue above
  unsigned n = graph.vertices.size();
  uint32_t inputs = 0;
  for (unsigned v = 0; v < n; ++v)
    if (!graph.vertices[v].before)
      inputs |= 1u << v;
  auto weight = [&](uint32_t set) {
    int64_t sum = 0;
    for (; set; set &= set - 1)
      sum += graph.vertices[__builtin_ctz(set)].bytes;
    return sum;
  };
  auto toGo = [&](State s) { return weight(graph.outputs & ~uint32_t(s >> 32)); };
  std::unordered_map<State, int64_t> best;
  using Entry = std::pair<int64_t, State>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  State start = State(inputs) << 32;
  best[start] = 0;
  open.push({toGo(start), start});
  while (!open.empty()) {
    auto [estimate, state] = open.top();
    open.pop();
    int64_t cost = estimate - toGo(state);
    if (cost > best[state])
      continue;
    uint32_t red = uint32_t(state), blue = uint32_t(state >> 32);
    if (!(graph.outputs & ~blue))
      return cost;
    if (best.size() > states)
      return std::nullopt;
    int64_t used = weight(red);
    auto reach = [&](uint32_t nextRed, uint32_t nextBlue, int64_t bytes) {
      State next = State(nextBlue) << 32 | nextRed;
      auto [it, isNew] = best.try_emplace(next, cost + bytes);
      if (!isNew && it->second <= cost + bytes)
        return;
      it->second = cost + bytes;
      open.push({cost + bytes + toGo(next), next});
    };
    for (unsigned v = 0; v < n; ++v) {
      uint32_t bit = 1u << v;
      int64_t bytes = graph.vertices[v].bytes;
      if (red & bit) {
        reach(red & ~bit, blue, 0);
        if (!(blue & bit))
          reach(red, blue | bit, bytes);
        continue;
      }
      if (blue & bit && used + bytes <= capacity)
        reach(red | bit, blue, bytes);
      uint32_t before = graph.vertices[v].before;
      if (!before || before & ~red)
        continue;
      if (used + bytes <= capacity)
        reach(red | bit, blue, 0);
      for (uint32_t left = before; left; left &= left - 1) {
        unsigned p = __builtin_ctz(left);
        if (used - graph.vertices[p].bytes + bytes <= capacity)
          reach((red & ~(1u << p)) | bit, blue, 0);
      }
    }
  }
  return std::nullopt;
}

} // namespace accel::test

#endif // ACC_TEST_PLAN_PEBBLES_H

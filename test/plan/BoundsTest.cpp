//===- BoundsTest.cpp - bounds against everything that can be enumerated --===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A bound that is too high is a bug. Small graphs are pebbled exhaustively. Where
// square roots begin to count no graph can be, so there every loop order and tile
// size is run through a cache with a policy that no program can beat by much: a
// schedule like any other, which must not move less than the bound.
//
//===----------------------------------------------------------------------===//

#include "Pebbles.h"

#include "acc/Plan/Bounds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <list>
#include <map>
#include <random>
#include <set>

namespace accel {
namespace {

using test::leastTraffic;
using test::PebbleGraph;

/// A tensor as vertices and as a bound graph sees it.
struct Small {
  PebbleGraph pebbles;
  BoundGraph bounds;
  std::vector<std::vector<int>> vertices; ///< by tensor

  int addTensor(int64_t width, std::vector<int> elements) {
    BoundTensor tensor;
    tensor.elements = elements.size();
    tensor.width = width;
    bounds.tensors.push_back(tensor);
    vertices.push_back(std::move(elements));
    return int(vertices.size()) - 1;
  }
  int input(int64_t elements, int64_t width) {
    std::vector<int> all;
    for (int64_t i = 0; i < elements; ++i)
      all.push_back(pebbles.add(width));
    int tensor = addTensor(width, all);
    bounds.tensors[tensor].loaded = elements * width;
    return tensor;
  }
  /// Each element of one or two tensors of a size.
  int map(std::vector<int> operands, int64_t width) {
    std::vector<int> all;
    for (size_t i = 0; i < vertices[operands[0]].size(); ++i) {
      std::vector<int> before;
      for (int operand : operands)
        before.push_back(vertices[operand][i]);
      all.push_back(pebbles.add(width, before));
    }
    int tensor = addTensor(width, all);
    bounds.tensors[tensor].source = operands[0];
    return tensor;
  }
  /// [m, k] times [k, n], one chain of multiply-adds for each result.
  int matmul(int a, int b, int64_t m, int64_t k, int64_t n, int64_t width) {
    std::vector<int> all;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        int sum = -1;
        for (int64_t l = 0; l < k; ++l) {
          std::vector<int> before{vertices[a][i * k + l], vertices[b][l * n + j]};
          if (sum >= 0)
            before.push_back(sum);
          sum = pebbles.add(width, before);
        }
        all.push_back(sum);
      }
    int tensor = addTensor(width, all);
    BoundTensor &t = bounds.tensors[tensor];
    t.source = a;
    t.ratio = double(n) / double(k);
    t.held = width;
    t.producer = bounds.products.size();
    BoundProduct product;
    product.a = a;
    product.b = b;
    product.result = tensor;
    product.macs = m * n * k;
    product.accumulators = m * n;
    product.accWidth = width;
    product.operation = bounds.operations.size();
    bounds.operations.push_back("matmul");
    bounds.products.push_back(product);
    return tensor;
  }
  /// A sum of `taps` neighbours at a stride.
  int window(int a, int64_t taps, int64_t stride, int64_t width) {
    std::vector<int> all;
    int64_t size = vertices[a].size();
    for (int64_t at = 0; at + taps <= size; at += stride)
      all.push_back(pebbles.add(
          width, std::vector<int>(vertices[a].begin() + at, vertices[a].begin() + at + taps)));
    int tensor = addTensor(width, all);
    bounds.tensors[tensor].source = a;
    bounds.tensors[tensor].ratio = double(windowReuse(taps, stride, 1)) / double(taps);
    bounds.tensors[tensor].held = bounds.tensors[a].width;
    return tensor;
  }
  void output(int tensor) {
    for (int v : vertices[tensor])
      pebbles.outputs |= 1u << v;
    BoundTensor &t = bounds.tensors[tensor];
    t.stored = t.elements * t.width;
  }
};

/// Optimum by capacity; the bound is never above it and, when all fits, equal.
void expectValid(const Small &small, int64_t from, int64_t to) {
  int64_t last = 0, settled = 0;
  for (int64_t capacity = from; capacity <= to; ++capacity) {
    std::optional<int64_t> least = leastTraffic(small.pebbles, capacity);
    if (!least)
      continue;
    ++settled;
    EXPECT_LE(boundAt(small.bounds, capacity), *least) << "capacity " << capacity;
    last = *least;
  }
  EXPECT_GT(settled, 0);
  EXPECT_EQ(last, compulsoryBytes(small.bounds)) << "with room for everything";
}

TEST(Pebbles, KnowsWhatASmallGraphNeeds) {
  // Two sums that share an operand: with three pebbles each input is loaded once.
  PebbleGraph g;
  int a = g.add(1), b = g.add(1), c = g.add(1);
  int s = g.add(1, {a, b}), t = g.add(1, {b, c});
  g.outputs = 1u << s | 1u << t;
  EXPECT_EQ(leastTraffic(g, 2), 5);
  EXPECT_EQ(leastTraffic(g, 1), std::nullopt) << "two operands never meet";
  // A value that is needed at both ends of a long chain is loaded again.
  PebbleGraph h;
  int x = h.add(4), w0 = h.add(4), w1 = h.add(4);
  int p = h.add(4, {x, w0}), q = h.add(4, {p, w1}), r = h.add(4, {q, x});
  h.outputs = 1u << r;
  EXPECT_EQ(leastTraffic(h, 12), 16);
  EXPECT_EQ(leastTraffic(h, 8), 20);
}

TEST(Bounds, PebbledMatmul) {
  Small s;
  int a = s.input(4, 1), b = s.input(4, 1);
  s.output(s.matmul(a, b, 2, 2, 2, 1));
  expectValid(s, 3, 9);
}

TEST(Bounds, PebbledMatmulWithWideAccumulators) {
  Small s;
  int a = s.input(4, 1), b = s.input(2, 2);
  s.output(s.matmul(a, b, 2, 2, 1, 4));
  expectValid(s, 7, 16);
}

TEST(Bounds, PebbledChainOfMatmuls) {
  // [2,1] x [1,2] x [2,1]: what is between may be computed again.
  Small s;
  int x = s.input(2, 1), w0 = s.input(2, 1), w1 = s.input(2, 1);
  int y = s.matmul(x, w0, 2, 1, 2, 1);
  s.output(s.matmul(s.map({y}, 1), w1, 2, 2, 1, 1));
  expectValid(s, 3, 8);
}

TEST(Bounds, PebbledResidual) {
  Small s;
  int x = s.input(3, 2), w = s.input(3, 4);
  int y = s.map({x, w}, 2);
  s.output(s.map({s.map({y}, 4), x}, 1));
  expectValid(s, 8, 20);
}

TEST(Bounds, PebbledWindows) {
  for (int64_t stride : {1, 2}) {
    Small s;
    int x = s.input(7, 1);
    s.output(s.window(s.window(x, 3, 1, 2), 3, stride, 1));
    expectValid(s, 6, 14);
  }
}

TEST(Bounds, PebbledRandomGraphs) {
  std::mt19937 random(4);
  auto pick = [&](int64_t low, int64_t high) {
    return low + int64_t(random() % uint64_t(high - low + 1));
  };
  int settled = 0;
  for (int round = 0; round < 40; ++round) {
    Small s;
    int64_t n = pick(1, 3);
    std::vector<int> same{s.input(n, pick(1, 4))};
    while (s.pebbles.vertices.size() + 2 * size_t(n) <= 15) {
      int x = same[random() % same.size()];
      switch (random() % 4) {
      case 0:
        same.push_back(s.input(n, pick(1, 4)));
        break;
      case 1:
        same.push_back(s.map({x}, pick(1, 4)));
        break;
      case 2:
        if (int y = same[random() % same.size()]; y != x)
          same.push_back(s.map({x, y}, pick(1, 4)));
        break;
      default: // [n, 1] x [1, 1]: a scaled column
        int w = s.input(1, pick(1, 4));
        same.push_back(s.matmul(x, w, n, 1, 1, pick(1, 4)));
      }
    }
    // What nobody reads leaves; inputs that nobody reads are not touched.
    uint32_t read = 0;
    for (const PebbleGraph::Vertex &v : s.pebbles.vertices)
      read |= v.before;
    for (int tensor : same)
      if (!(read >> s.vertices[tensor][0] & 1)) {
        if (s.bounds.tensors[tensor].loaded)
          s.bounds.tensors[tensor].loaded = 0;
        else
          s.output(tensor);
      }
    if (!s.pebbles.outputs)
      continue;
    for (int64_t capacity : {pick(4, 10), pick(8, 16), pick(16, 60)})
      if (std::optional<int64_t> least = leastTraffic(s.pebbles, capacity, 150'000)) {
        ++settled;
        ASSERT_LE(boundAt(s.bounds, capacity), *least)
            << "round " << round << ", capacity " << capacity;
        ASSERT_GE(boundAt(s.bounds, capacity), compulsoryBytes(s.bounds));
      }
  }
  EXPECT_GT(settled, 40);
}

//===----------------------------------------------------------------------===//
// Loomis and Whitney, and schedules that run through a cache
//===----------------------------------------------------------------------===//

TEST(Bounds, ProductsOfABoxNeedItsFaces) {
  // a*b*c multiply-adds have faces ab, bc, ca: what the phase argument allows for
  // these bytes is at least that.
  for (double wa : {1., 2., 4.})
    for (double wb : {1., 4.})
      for (int a = 1; a <= 12; ++a)
        for (int b = 1; b <= 12; ++b)
          for (int c = 1; c <= 12; ++c) {
            double bytes = wa * a * c + wb * c * b + 4.0 * a * b;
            EXPECT_LE(a * b * c * std::sqrt(wa * wb * 4), std::pow(bytes / 3, 1.5) * (1 + 1e-12));
          }
}

/// A cache of bytes that knows the future: it drops what is needed last. Values
/// that were changed are written when dropped and still needed.
class Cache {
public:
  struct Use {
    int64_t item;
    int64_t bytes;
    bool writes;
    bool fresh; ///< first value: not loaded
  };
  /// Items of a step have to be there together.
  std::vector<std::vector<Use>> steps;

  int64_t traffic(int64_t capacity, const std::set<int64_t> &outputs) const {
    std::map<int64_t, std::vector<size_t>> uses; // positions, last first
    for (size_t s = steps.size(); s-- > 0;)
      for (const Use &use : steps[s])
        uses[use.item].push_back(s);
    struct Line {
      int64_t bytes;
      bool dirty;
    };
    std::map<int64_t, Line> there;
    int64_t total = 0, used = 0;
    for (size_t s = 0; s < steps.size(); ++s) {
      std::set<int64_t> now;
      for (const Use &use : steps[s])
        now.insert(use.item);
      for (const Use &use : steps[s]) {
        uses[use.item].pop_back();
        auto it = there.find(use.item);
        if (it == there.end()) {
          while (used + use.bytes > capacity) {
            auto victim = there.end();
            size_t latest = 0;
            for (auto line = there.begin(); line != there.end(); ++line) {
              if (now.contains(line->first))
                continue;
              const std::vector<size_t> &ahead = uses[line->first];
              size_t next = ahead.empty() ? SIZE_MAX : ahead.back();
              if (victim == there.end() || next > latest) {
                victim = line;
                latest = next;
              }
            }
            if (victim == there.end())
              return INT64_MAX; // a step does not fit
            if (victim->second.dirty && (latest != SIZE_MAX || outputs.contains(victim->first)))
              total += victim->second.bytes;
            used -= victim->second.bytes;
            there.erase(victim);
          }
          if (!use.fresh)
            total += use.bytes;
          used += use.bytes;
          it = there.insert({use.item, {use.bytes, false}}).first;
        }
        it->second.dirty |= use.writes;
      }
    }
    for (auto &[item, line] : there)
      if (line.dirty && outputs.contains(item))
        total += line.bytes;
    return total;
  }
};

/// Blocks of tm x tn x tk in the given order of the loops over them.
Cache blockedMatmul(int64_t n, std::array<int64_t, 3> tile, std::array<int, 3> order, int64_t wa,
                    int64_t wb, int64_t wc, std::set<int64_t> &outputs) {
  Cache cache;
  std::array<int64_t, 3> at{}, in{};
  std::set<int64_t> started;
  auto blocks = [&](int d) { return (n + tile[d] - 1) / tile[d]; };
  for (int64_t x = 0; x < blocks(order[0]); ++x)
    for (int64_t y = 0; y < blocks(order[1]); ++y)
      for (int64_t z = 0; z < blocks(order[2]); ++z) {
        at[order[0]] = x * tile[order[0]];
        at[order[1]] = y * tile[order[1]];
        at[order[2]] = z * tile[order[2]];
        for (in[2] = at[2]; in[2] < std::min(n, at[2] + tile[2]); ++in[2])
          for (in[0] = at[0]; in[0] < std::min(n, at[0] + tile[0]); ++in[0])
            for (in[1] = at[1]; in[1] < std::min(n, at[1] + tile[1]); ++in[1]) {
              auto [i, j, k] = in;
              int64_t c = 2 * n * n + i * n + j;
              outputs.insert(c);
              cache.steps.push_back({{i * n + k, wa, false, false},
                                     {n * n + k * n + j, wb, false, false},
                                     {c, wc, true, started.insert(c).second}});
            }
      }
  return cache;
}

TEST(Bounds, NoBlockedMatmulIsBelow) {
  double closest = 10;
  for (int64_t n : {8, 12})
    for (std::array<int64_t, 3> w :
         {std::array<int64_t, 3>{1, 1, 1}, std::array<int64_t, 3>{1, 1, 4}})
      for (int64_t capacity : {16, 40, 90}) {
        int64_t bound =
            productBound({n * n * n, n * n, n * n, n * n, w[0], w[1], w[2], w[2], 1}, capacity);
        for (std::array<int64_t, 3> tile : {std::array<int64_t, 3>{1, 1, 1},
                                            {3, 3, 1},
                                            {4, 4, 1},
                                            {6, 6, 1},
                                            {8, 8, 1},
                                            {3, 3, 3},
                                            {4, 4, 4},
                                            {2, 8, 1},
                                            {12, 2, 1}})
          for (std::array<int, 3> order : {std::array<int, 3>{0, 1, 2}, {2, 0, 1}, {1, 2, 0}}) {
            std::set<int64_t> outputs;
            Cache cache = blockedMatmul(n, tile, order, w[0], w[1], w[2], outputs);
            int64_t moved = cache.traffic(capacity, outputs);
            if (moved == INT64_MAX)
              continue;
            EXPECT_LE(bound, moved) << n << " capacity " << capacity;
            closest = std::min(closest, double(moved) / double(bound));
          }
      }
  EXPECT_LT(closest, 1.5) << "the bound says something";
}

/// X[m,d] W1[d,d] W2[d,d] by rows of X: fused, what is between never leaves.
TEST(Bounds, NoChainOfMatmulsIsBelow) {
  constexpr int64_t m = 12, d = 12;
  BoundGraph graph;
  auto tensor = [&](int64_t elements, int64_t loaded) {
    BoundTensor t;
    t.elements = elements;
    t.width = 1;
    t.loaded = loaded;
    graph.tensors.push_back(t);
  };
  tensor(m * d, m * d);
  tensor(d * d, d * d);
  tensor(d * d, d * d);
  tensor(m * d, 0);
  tensor(m * d, 0);
  graph.tensors[3].source = 0;
  graph.tensors[3].producer = 0;
  graph.tensors[4].source = 3;
  graph.tensors[4].producer = 1;
  graph.tensors[4].stored = m * d;
  for (int t : {0, 1, 2})
    graph.tensors[t].loader = t / 2;
  graph.tensors[4].storer = 1;
  for (int p : {0, 1}) {
    BoundProduct product;
    product.operation = p;
    product.a = p == 0 ? 0 : 3;
    product.b = 1 + p;
    product.result = 3 + p;
    product.macs = m * d * d;
    product.accumulators = m * d;
    product.accWidth = 1;
    graph.products.push_back(product);
    graph.operations.push_back("matmul");
  }
  bool above = false;
  for (int64_t capacity : {8, 12, 16, 24, 40, 60, 100}) {
    int64_t bound = boundAt(graph, capacity);
    above |= bound > compulsoryBytes(graph);
    for (int64_t rows : {1, 2, 3, 4, 6, 12})
      for (int64_t columns : {1, 2, 3, 4, 6, 12}) {
        Cache cache;
        std::set<int64_t> outputs, started;
        auto layer = [&](int p, int64_t r0) {
          int64_t a = p == 0 ? 0 : 3 * m * d, b = (1 + p) * m * d, c = (3 + p) * m * d;
          for (int64_t j0 = 0; j0 < d; j0 += columns)
            for (int64_t k = 0; k < d; ++k)
              for (int64_t i = r0; i < std::min(m, r0 + rows); ++i)
                for (int64_t j = j0; j < std::min(d, j0 + columns); ++j) {
                  int64_t out = c + i * d + j;
                  if (p == 1)
                    outputs.insert(out);
                  cache.steps.push_back({{a + i * d + k, 1, false, false},
                                         {b + k * d + j, 1, false, false},
                                         {out, 1, true, started.insert(out).second}});
                }
        };
        for (bool fused : {true, false}) {
          cache.steps.clear();
          started.clear();
          if (fused)
            for (int64_t r = 0; r < m; r += rows)
              layer(0, r), layer(1, r);
          else
            for (int p : {0, 1})
              for (int64_t r = 0; r < m; r += rows)
                layer(p, r);
          int64_t moved = cache.traffic(capacity, outputs);
          EXPECT_LE(bound, moved) << capacity << ' ' << rows << ' ' << columns << ' ' << fused;
        }
      }
    BoundShares shares = boundShares(graph, capacity);
    EXPECT_EQ(shares.bound[0] + shares.bound[1], bound);
  }
  EXPECT_TRUE(above) << "the bound says something";
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

TEST(Bounds, MatmulByHand) {
  constexpr int64_t n = 4096, side = n * n;
  ProductSizes sizes{n * side, side, side, side, 4, 4, 4, 4, 1};
  // S = 1 MiB: 2 * 4096^3 * 8 / 1024 - 2^21 - 4*4096^2 reads, 4*4096^2 writes; the
  // phases' length of 2S - 7 takes a few thousand bytes off.
  double reads = 2.0 * n * side * 8 / 1024 - (1 << 21);
  EXPECT_NEAR(double(productBound(sizes, 1 << 20)), reads, 5000);
  EXPECT_LE(double(productBound(sizes, 1 << 20)), reads);
  // With room for one operand and more, every byte once.
  EXPECT_EQ(productBound(sizes, int64_t(1) << 30), 3 * 4 * side);
}

TEST(Bounds, ConvolutionReusesAnElementInEachWindow) {
  EXPECT_EQ(windowReuse(3, 1, 1), 3);
  EXPECT_EQ(windowReuse(3, 2, 1), 2);
  EXPECT_EQ(windowReuse(1, 2, 1), 1);
  EXPECT_EQ(windowReuse(3, 2, 2), 3); // taps 0, 2, 4 all meet an even position
  EXPECT_EQ(windowReuse(7, 4, 1), 2);
  // Exhaustively: how many (result, tap) meet one position.
  for (int64_t kernel = 1; kernel <= 7; ++kernel)
    for (int64_t stride = 1; stride <= 5; ++stride)
      for (int64_t dilation = 1; dilation <= 4; ++dilation) {
        std::map<int64_t, int64_t> met;
        for (int64_t o = 0; o < 40; ++o)
          for (int64_t k = 0; k < kernel; ++k)
            ++met[o * stride + k * dilation];
        int64_t most = 0;
        for (auto [position, count] : met)
          most = std::max(most, count);
        EXPECT_EQ(windowReuse(kernel, stride, dilation), most);
      }
}

TEST(Bounds, AttentionIsBelowWhatRowsOfQueriesNeed) {
  // Rows of Q and O stay, K and V stream for each block of them.
  for (int64_t s : {512, 2048, 16384})
    for (int64_t depth : {64, 128})
      for (int64_t chip : {1 << 15, 1 << 17, 1 << 20, 1 << 24}) {
        int64_t rows = std::max<int64_t>(1, (chip - 4 * depth * 2) / (4 * depth * 2 + 16));
        int64_t moved = 4 * depth * (2 * s + 2 * s * ((s + rows - 1) / rows));
        int64_t bound = attentionBound(1, s, s, depth, 4, 4, chip);
        EXPECT_LE(bound, moved);
        EXPECT_GE(bound, 4 * s * depth * 4);
      }
}

TEST(Bounds, NeverMoreForALargerChip) {
  BoundGraph graph;
  BoundTensor x;
  x.elements = 512 * 768;
  x.width = 4;
  x.loaded = 4 * x.elements;
  graph.tensors.push_back(x);
  for (int layer = 0; layer < 6; ++layer) {
    int64_t n = layer % 2 ? 768 : 3072, k = layer % 2 ? 3072 : 768;
    BoundTensor w, y;
    w.elements = n * k;
    w.width = 4;
    w.loaded = 4 * w.elements;
    w.loader = layer;
    y.elements = 512 * n;
    y.width = 4;
    y.source = int(graph.tensors.size()) - 1;
    y.ratio = double(n) / double(k);
    y.held = 4;
    y.producer = layer;
    if (layer == 5)
      y.stored = 4 * y.elements;
    BoundProduct product;
    product.operation = layer;
    product.a = y.source;
    product.b = graph.tensors.size();
    product.result = product.b + 1;
    product.macs = 512 * n * k;
    product.accumulators = 512 * n;
    graph.tensors.push_back(w);
    graph.tensors.push_back(y);
    graph.products.push_back(product);
    graph.operations.push_back("layer");
    // The next layer reads y.
    if (layer == 0)
      graph.tensors[0].loader = 0;
  }
  int64_t before = INT64_MAX;
  for (int64_t chip = 1 << 12; chip <= int64_t(1) << 28; chip += chip / 7) {
    int64_t bound = boundAt(graph, chip);
    EXPECT_LE(bound, before) << chip;
    EXPECT_GE(bound, compulsoryBytes(graph));
    before = bound;
  }
  EXPECT_EQ(before, compulsoryBytes(graph));
  EXPECT_GT(boundAt(graph, 1 << 15), 2 * compulsoryBytes(graph));
}

} // namespace
} // namespace accel

//===- Bounds.cpp - the fewest DRAM bytes that any schedule moves ---------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The numbers: see docs/bounds.md. Square roots are correctly rounded and each
// result is lowered by more than all rounding errors together, so results do not
// depend on the host.
//
//===----------------------------------------------------------------------===//

#include "acc/Plan/Bounds.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

using namespace accel;

/// Bytes by which a phase may exceed its length: the widest element, less one.
static constexpr int64_t kOvershoot = 7;

/// The largest integer that is surely not above `value`.
static int64_t down(double value) {
  constexpr double errors = 1e-9; // some 10^4 roundings of 2^-53
  if (value <= 0)
    return 0;
  double safe = value * (1 - errors);
  return safe < 9e18 ? int64_t(std::floor(safe)) : INT64_MAX / 4;
}

int64_t accel::windowReuse(int64_t kernel, int64_t stride, int64_t dilation) {
  int64_t step = stride / std::gcd(stride, dilation);
  return (kernel + step - 1) / step;
}

/// The least bytes that are read for MACs worth `weighted` = sum of
/// G*sqrt(w_A*w_B*w_acc/R): (2S - 7) bytes for every S*sqrt(S) of it, except in
/// the last phase. `cliques` is omega of the page.
static double phaseBytes(double weighted, int64_t chipBytes, int64_t cliques) {
  double phase = 2.0 * double(chipBytes) - double(kOvershoot);
  if (phase <= 0)
    return 0;
  double root = std::sqrt(double(chipBytes));
  double most = double(chipBytes) * root; // weighted MACs in one phase
  double spread = std::sqrt(2.0 * double(cliques - 1) / double(cliques));
  most = most * spread;
  return weighted / most * phase;
}

static double weightedMacs(int64_t macs, double aWidth, int64_t bWidth, int64_t accWidth,
                           int64_t reuse) {
  double product = aWidth * double(bWidth);
  product = product * double(accWidth);
  return double(macs) * std::sqrt(product / double(reuse));
}

int64_t accel::productBound(const ProductSizes &s, int64_t chipBytes) {
  int64_t loads = s.aElements * s.aWidth + s.bElements * s.bWidth;
  double weighted = weightedMacs(s.macs, double(s.aWidth), s.bWidth, s.accWidth, s.reuse);
  double reads = phaseBytes(weighted, chipBytes, 2);
  reads -= 2.0 * double(chipBytes);
  reads -= double(s.results * s.accWidth);
  return std::max(loads, down(reads)) + s.results * s.resultWidth;
}

int64_t accel::attentionBound(int64_t heads, int64_t queries, int64_t keys, int64_t depth,
                              int64_t width, int64_t accWidth, int64_t chipBytes) {
  int64_t reads = heads * (queries + 2 * keys) * depth * width;
  double scores = double(heads * queries) * double(keys);
  // The phase's length that gives most; S is best where whole rows decide.
  for (int64_t quarters : {1, 2, 4, 8}) {
    double phase = double(chipBytes) * double(quarters) / 4;
    double there = double(chipBytes) + phase + double(kOvershoot);
    double rows = there / (2.0 * double(width * depth));
    double made = rows * rows;
    double perPhase = made + there / double(accWidth);
    double phases = scores / perPhase - 1;
    reads = std::max(reads, down(phases * phase));
  }
  return reads + heads * queries * depth * width;
}

int64_t accel::compulsoryBytes(const BoundGraph &graph) {
  int64_t total = 0;
  for (const BoundTensor &tensor : graph.tensors)
    total += tensor.loaded + tensor.stored;
  return total;
}

namespace {

/// How elements of a tensor get to the chip: loaded as one of the tensors on a
/// path, the others being made of those.
struct Path {
  double width = 0; ///< bytes at least for each element that is there; 0: no bound
  std::vector<int> tensors;
  std::vector<int> producers; ///< products whose results are on it
  int root() const { return tensors.back(); }
};

/// A product that can take part in the phase argument.
struct Part {
  int product;
  Path path;
  double weighted; ///< G*sqrt(w/R)
  int64_t init;    ///< bytes of accumulators that start at zero
};

struct Excess {
  double bytes = 0;                          ///< above C
  std::vector<std::pair<int, double>> parts; ///< operation, its part
};

} // namespace

static Path pathOf(const BoundGraph &graph, int tensor) {
  Path path;
  double made = 1, width = HUGE_VAL; // elements made of one element of the tensor at hand
  for (int at = tensor; at >= 0; at = graph.tensors[at].source) {
    const BoundTensor &t = graph.tensors[at];
    if (t.unlimited)
      return {};
    path.tensors.push_back(at);
    if (t.producer >= 0)
      path.producers.push_back(t.producer);
    int64_t held = t.held ? std::min(t.held, t.width) : t.width;
    width = std::min(width, double(held) / made);
    made *= t.ratio;
  }
  path.width = width;
  return path;
}

/// The products whose second operand belongs to nobody else and is loaded, and
/// whose first comes by a path.
static std::vector<Part> partsOf(const BoundGraph &graph) {
  std::vector<Part> parts;
  std::vector<int> readers(graph.tensors.size(), 0);
  for (const BoundProduct &product : graph.products)
    ++readers[product.b];
  for (size_t p = 0; p < graph.products.size(); ++p) {
    const BoundProduct &product = graph.products[p];
    const BoundTensor &b = graph.tensors[product.b];
    if (readers[product.b] > 1 || b.source >= 0 || b.unlimited)
      continue;
    Path path = pathOf(graph, product.a);
    if (path.width <= 0)
      continue;
    double weighted =
        weightedMacs(product.macs, path.width, b.width, product.accWidth, product.reuse);
    parts.push_back({int(p), std::move(path), weighted, product.accumulators * product.accWidth});
  }
  // A second operand that is also on a path is not private.
  std::set<int> onPaths;
  for (const Part &part : parts)
    onPaths.insert(part.path.tensors.begin(), part.path.tensors.end());
  std::erase_if(parts,
                [&](const Part &part) { return onPaths.contains(graph.products[part.product].b); });
  return parts;
}

/// What the phase argument adds to C for the products in `parts` that gain by it.
static Excess excessOf(const BoundGraph &graph, const std::vector<const Part *> &parts,
                       int64_t chipBytes) {
  std::set<int> counted, roots;
  for (const Part *part : parts) {
    counted.insert(part->product);
    roots.insert(part->path.root());
  }
  int64_t cliques = 2;
  for (const Part *part : parts) {
    int64_t chain = std::count_if(part->path.producers.begin(), part->path.producers.end(),
                                  [&](int product) { return counted.contains(product); });
    cliques = std::max(cliques, chain + 2);
  }
  Excess excess;
  double gains = 0;
  for (const Part *part : parts) {
    const BoundProduct &product = graph.products[part->product];
    double gain = phaseBytes(part->weighted, chipBytes, cliques);
    gain -= double(part->init);
    gain -= double(graph.tensors[product.b].loaded);
    if (gain <= 0)
      continue;
    gains += gain;
    excess.parts.push_back({product.operation, gain});
  }
  // The last phase, and the roots' bytes, which the reads contain.
  excess.bytes = gains - 2.0 * double(chipBytes);
  for (int root : roots)
    excess.bytes -= double(graph.tensors[root].loaded);
  return excess;
}

static Excess bestExcess(const BoundGraph &graph, int64_t chipBytes) {
  std::vector<Part> parts = partsOf(graph);
  std::vector<const Part *> all;
  Excess best;
  auto consider = [&](const std::vector<const Part *> &chosen) {
    Excess excess = excessOf(graph, chosen, chipBytes);
    if (excess.bytes > best.bytes)
      best = std::move(excess);
  };
  for (const Part &part : parts) {
    all.push_back(&part);
    consider({&part});
  }
  consider(all);
  return best;
}

int64_t accel::boundAt(const BoundGraph &graph, int64_t chipBytes) {
  return compulsoryBytes(graph) + down(bestExcess(graph, chipBytes).bytes);
}

BoundShares accel::boundShares(const BoundGraph &graph, int64_t chipBytes) {
  BoundShares shares;
  shares.compulsory.assign(graph.operations.size(), 0);
  for (const BoundTensor &tensor : graph.tensors) {
    if (tensor.loader >= 0)
      shares.compulsory[tensor.loader] += tensor.loaded;
    if (tensor.storer >= 0)
      shares.compulsory[tensor.storer] += tensor.stored;
  }
  shares.bound = shares.compulsory;
  Excess excess = bestExcess(graph, chipBytes);
  int64_t left = down(excess.bytes);
  double sum = 0;
  for (auto [operation, gain] : excess.parts)
    sum += gain;
  for (size_t i = 0; i < excess.parts.size() && left > 0; ++i) {
    auto [operation, gain] = excess.parts[i];
    int64_t share =
        i + 1 == excess.parts.size() ? left : std::min(left, int64_t(excess.bytes * (gain / sum)));
    shares.bound[operation] += share;
    left -= share;
  }
  return shares;
}

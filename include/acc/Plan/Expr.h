//===- Expr.h - integer expressions over loop counters --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bounds of tiles are expressions over the counters of the loops around them:
// clamped, skewed by halos, maxima over several consumers. The planner evaluates
// them to count bytes; the tile stage emits them as scalar arithmetic. That both
// use the same expression is why predicted bytes equal counted bytes.
//
// Expressions are hash-consed in a pool and folded when built, so equal
// expressions have equal ids.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_EXPR_H
#define ACC_PLAN_EXPR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <vector>

namespace accel {

/// Index of an expression in its pool.
using ExprId = int32_t;

/// A set of loop counters. A group of 24 operations has about 80.
__extension__ typedef unsigned __int128 CounterSet;
constexpr unsigned maxCounters = 126;
constexpr CounterSet counterBit(unsigned number) { return CounterSet(1) << number; }

class ExprPool {
public:
  explicit ExprPool(unsigned expected = 512) : known(expected) { nodes.reserve(expected); }
  enum class Kind : uint8_t { Constant, Counter, Add, Mul, Min, Max, FloorDiv };
  struct Node {
    Kind kind;
    int64_t value; ///< constant, counter number, or right factor/divisor
    ExprId a, b;
    CounterSet counters; ///< set of counters that the expression depends on
  };

  ExprId constant(int64_t value);
  ExprId counter(unsigned number);
  ExprId add(ExprId a, ExprId b);
  ExprId addConstant(ExprId a, int64_t c) { return add(a, constant(c)); }
  ExprId mul(ExprId a, int64_t factor);
  ExprId sub(ExprId a, ExprId b) { return add(a, mul(b, -1)); }
  ExprId min(ExprId a, ExprId b);
  ExprId max(ExprId a, ExprId b);
  ExprId floorDiv(ExprId a, int64_t divisor);
  ExprId clamp(ExprId a, int64_t low, int64_t high) {
    return min(max(a, constant(low)), constant(high));
  }

  /// The expression with counter `number` replaced by itself minus one.
  ExprId previous(ExprId e, unsigned number);

  bool isConstant(ExprId e) const { return nodes[e].kind == Kind::Constant; }
  /// a / divisor, rounded down.
  static int64_t floorDivide(int64_t a, int64_t divisor);
  int64_t constantValue(ExprId e) const { return nodes[e].value; }
  CounterSet dependsOn(ExprId e) const { return nodes[e].counters; }
  const Node &node(ExprId e) const { return nodes[e]; }

private:
  ExprId make(Kind kind, int64_t value, ExprId a, ExprId b);
  ExprId previous(ExprId e, unsigned number, llvm::DenseMap<ExprId, ExprId> &known);
  std::vector<Node> nodes;
  struct Key {
    Kind kind;
    int64_t value;
    ExprId a, b;
    bool operator==(const Key &) const = default;
  };
  struct KeyInfo {
    static Key getEmptyKey() { return {Kind::Constant, 0, -2, -2}; }
    static Key getTombstoneKey() { return {Kind::Constant, 0, -3, -3}; }
    static unsigned getHashValue(const Key &key) {
      uint64_t h = uint64_t(key.value) * 0x9E3779B97F4A7C15u;
      h ^= (uint64_t(uint32_t(key.a)) << 32 | uint32_t(key.b)) + uint64_t(key.kind);
      h *= 0x9E3779B97F4A7C15u; // Fibonacci hashing: the upper half is well mixed
      return unsigned(h >> 32);
    }
    static bool isEqual(const Key &a, const Key &b) { return a == b; }
  };
  llvm::DenseMap<Key, ExprId, KeyInfo> known;
};

} // namespace accel

#endif // ACC_PLAN_EXPR_H

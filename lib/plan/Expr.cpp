//===- Expr.cpp - integer expressions over loop counters ------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Expr.h"

#include <algorithm>

using namespace accel;

int64_t ExprPool::floorDivide(int64_t a, int64_t b) {
  int64_t q = a / b;
  return (a % b != 0 && ((a < 0) != (b < 0))) ? q - 1 : q;
}

ExprId ExprPool::make(Kind kind, int64_t value, ExprId a, ExprId b) {
  auto [it, isNew] = known.try_emplace(Key{kind, value, a, b}, ExprId(nodes.size()));
  if (!isNew)
    return it->second;
  CounterSet counters = kind == Kind::Counter ? counterBit(value) : 0;
  if (a >= 0)
    counters |= nodes[a].counters;
  if (b >= 0)
    counters |= nodes[b].counters;
  nodes.push_back({kind, value, a, b, counters});
  return ExprId(nodes.size() - 1);
}

ExprId ExprPool::constant(int64_t value) { return make(Kind::Constant, value, -1, -1); }
ExprId ExprPool::counter(unsigned number) { return make(Kind::Counter, number, -1, -1); }

ExprId ExprPool::add(ExprId a, ExprId b) {
  if (isConstant(a))
    std::swap(a, b);
  if (isConstant(b)) {
    int64_t c = constantValue(b);
    if (c == 0)
      return a;
    if (isConstant(a))
      return constant(constantValue(a) + c);
    const Node n = nodes[a];
    if (n.kind == Kind::Add && isConstant(n.b))
      return add(n.a, constant(constantValue(n.b) + c));
    return make(Kind::Add, 0, a, b);
  }
  // Constants float to the right: (x + c) + y = (x + y) + c.
  if (const Node n = nodes[a]; n.kind == Kind::Add && isConstant(n.b))
    return add(add(n.a, b), n.b);
  if (const Node n = nodes[b]; n.kind == Kind::Add && isConstant(n.b))
    return add(add(a, n.a), n.b);
  if (a == b)
    return mul(a, 2);
  // x + (-1)*x = 0, the extent of a box whose ends agree.
  auto negates = [&](ExprId x, ExprId y) {
    return nodes[x].kind == Kind::Mul && nodes[x].value == -1 && nodes[x].a == y;
  };
  if (negates(a, b) || negates(b, a))
    return constant(0);
  // p*x + q*x = (p+q)*x
  auto factor = [&](ExprId x) -> std::pair<ExprId, int64_t> {
    return nodes[x].kind == Kind::Mul ? std::pair(nodes[x].a, nodes[x].value)
                                      : std::pair(x, int64_t(1));
  };
  auto [xa, fa] = factor(a);
  auto [xb, fb] = factor(b);
  if (xa == xb)
    return mul(xa, fa + fb);
  return make(Kind::Add, 0, std::min(a, b), std::max(a, b));
}

ExprId ExprPool::mul(ExprId a, int64_t factor) {
  if (factor == 1)
    return a;
  if (factor == 0)
    return constant(0);
  const Node n = nodes[a];
  if (n.kind == Kind::Constant)
    return constant(n.value * factor);
  if (n.kind == Kind::Mul)
    return mul(n.a, n.value * factor);
  if (n.kind == Kind::Add)
    return add(mul(n.a, factor), mul(n.b, factor));
  return make(Kind::Mul, factor, a, -1);
}

ExprId ExprPool::min(ExprId a, ExprId b) {
  if (a == b)
    return a;
  if (isConstant(a) && isConstant(b))
    return constant(std::min(constantValue(a), constantValue(b)));
  if (isConstant(a))
    std::swap(a, b);
  const Node n = nodes[a];
  if (isConstant(b) && n.kind == Kind::Min && isConstant(n.b))
    return min(n.a, constant(std::min(constantValue(n.b), constantValue(b))));
  return make(Kind::Min, 0, a, b);
}

ExprId ExprPool::max(ExprId a, ExprId b) {
  if (a == b)
    return a;
  if (isConstant(a) && isConstant(b))
    return constant(std::max(constantValue(a), constantValue(b)));
  if (isConstant(a))
    std::swap(a, b);
  const Node n = nodes[a];
  if (isConstant(b) && n.kind == Kind::Max && isConstant(n.b))
    return max(n.a, constant(std::max(constantValue(n.b), constantValue(b))));
  // A counter is never negative.
  if (isConstant(b) && constantValue(b) <= 0 &&
      (n.kind == Kind::Counter ||
       (n.kind == Kind::Mul && n.value > 0 && nodes[n.a].kind == Kind::Counter)))
    return a;
  return make(Kind::Max, 0, a, b);
}

ExprId ExprPool::floorDiv(ExprId a, int64_t divisor) {
  if (divisor == 1)
    return a;
  const Node n = nodes[a];
  if (n.kind == Kind::Constant)
    return constant(floorDivide(n.value, divisor));
  if (n.kind == Kind::Mul && n.value % divisor == 0)
    return mul(n.a, n.value / divisor);
  return make(Kind::FloorDiv, divisor, a, -1);
}

ExprId ExprPool::previous(ExprId e, unsigned number) {
  llvm::DenseMap<ExprId, ExprId> done;
  return previous(e, number, done);
}

ExprId ExprPool::previous(ExprId e, unsigned number, llvm::DenseMap<ExprId, ExprId> &done) {
  const Node n = nodes[e];
  if (!(n.counters >> number & 1))
    return e;
  if (auto it = done.find(e); it != done.end())
    return it->second;
  auto inner = [&](ExprId part) { return previous(part, number, done); };
  ExprId result = e;
  switch (n.kind) {
  case Kind::Constant:
    break;
  case Kind::Counter:
    result = addConstant(e, -1);
    break;
  case Kind::Add:
    result = add(inner(n.a), inner(n.b));
    break;
  case Kind::Mul:
    result = mul(inner(n.a), n.value);
    break;
  case Kind::FloorDiv:
    result = floorDiv(inner(n.a), n.value);
    break;
  // The folds of min and max assume counters >= 0, which does not hold for a
  // previous counter: build the nodes as they are.
  case Kind::Min:
  case Kind::Max: {
    ExprId a = inner(n.a), b = inner(n.b);
    if (isConstant(a) && isConstant(b))
      result = constant(n.kind == Kind::Min ? std::min(constantValue(a), constantValue(b))
                                            : std::max(constantValue(a), constantValue(b)));
    else
      result = make(n.kind, 0, a, b);
    break;
  }
  }
  done[e] = result;
  return result;
}

//===- LowerReduce.cpp - reductions over dimensions, softmax --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Lowering.h"

using namespace mlir;
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;
using Shape = Lowering::Shape;

/// Reduced dimensions from the attribute (old opsets) or input 1; all if none
/// are named. Empty with noop_with_empty_axes: no reduction at all.
static FailureOr<Shape> readAxes(Lowering &l) {
  int64_t rank = shapeOf(l.in(0)).size();
  if (l.isComputed(1)) {
    (void)l.refuse("axes are computed at run time", "make them constant");
    return failure();
  }
  Shape axes = l.intsOf("axes", 1).value_or(Shape());
  for (int64_t &axis : axes)
    axis = axis < 0 ? axis + rank : axis;
  llvm::sort(axes);
  if (axes.empty() && !l.node.getInt("noop_with_empty_axes", 0))
    axes.assign(llvm::seq<int64_t>(0, rank).begin(), llvm::seq<int64_t>(0, rank).end());
  return axes;
}

static int64_t countOf(Lowering &l, ArrayRef<int64_t> axes) {
  int64_t count = 1;
  for (int64_t axis : axes)
    count *= shapeOf(l.in(0))[axis];
  return count;
}

static LogicalResult lower(Lowering &l, ReduceKind kind, BodyFn body = nullptr, bool square = false,
                           bool absolute = false) {
  auto axes = readAxes(l);
  if (failed(axes))
    return failure();
  Type element = l.outType().getElementType();
  if (axes->empty() && !square && !absolute && !body)
    return l.done(l.in(0));
  Value input = l.in(0);
  if (elementOf(input).isInteger(1)) // max and min of bool
    input = l.convertTo(input, l.b.getIntegerType(8, false));
  Value result = l.reduce(kind, input, *axes, element, body, square, absolute);
  return l.done(l.reshape(result, l.outShape()));
}

static LogicalResult lowerSum(Lowering &l) { return lower(l, ReduceKind::Sum); }
static LogicalResult lowerMax(Lowering &l) { return lower(l, ReduceKind::Max); }
static LogicalResult lowerMin(Lowering &l) { return lower(l, ReduceKind::Min); }
static LogicalResult lowerProd(Lowering &l) { return lower(l, ReduceKind::Prod); }
static LogicalResult lowerL1(Lowering &l) {
  return lower(l, ReduceKind::Sum, nullptr, false, /*absolute=*/true);
}
static LogicalResult lowerSumSquare(Lowering &l) {
  return lower(l, ReduceKind::Sum, nullptr, /*square=*/true);
}
static LogicalResult lowerL2(Lowering &l) {
  return lower(
      l, ReduceKind::Sum,
      [](S &s, Values v) {
        return S::isFloat(v[0]) ? s.sqrt(v[0]) : s.sqrt(s.cast(v[0], s.builder().getF32Type()));
      },
      /*square=*/true);
}
static LogicalResult lowerLogSum(Lowering &l) {
  return lower(l, ReduceKind::Sum, [](S &s, Values v) { return s.log(v[0]); });
}
static LogicalResult lowerMean(Lowering &l) {
  auto axes = readAxes(l);
  if (failed(axes))
    return failure();
  double count = countOf(l, *axes);
  return lower(l, ReduceKind::Sum, [&](S &s, Values v) {
    return S::isFloat(v[0]) ? s.mul(v[0], s.like(v[0], 1 / count))
                            : s.div(v[0], s.like(v[0], count));
  });
}

/// log sum exp(x) = max + log sum exp(x - max), so that nothing overflows.
static LogicalResult lowerLogSumExp(Lowering &l) {
  auto axes = readAxes(l);
  if (failed(axes))
    return failure();
  Type element = l.outType().getElementType();
  Value top = l.reduce(ReduceKind::Max, l.in(0), *axes, element);
  Value powers = l.elementwise(element, {l.in(0), top},
                               [](S &s, Values v) { return s.exp(s.sub(v[0], v[1])); });
  Value sum = l.reduce(ReduceKind::Sum, powers, *axes, element);
  Value result =
      l.elementwise(element, {sum, top}, [](S &s, Values v) { return s.add(s.log(v[0]), v[1]); });
  return l.done(l.reshape(result, l.outShape()));
}

/// Over the last dimension; another axis is brought there by a view. Before
/// opset 13 all dimensions from the axis on are one.
static LogicalResult lowerSoftmaxOf(Lowering &l, bool log, bool hardmax = false) {
  Value x = l.in(0);
  int64_t rank = shapeOf(x).size();
  int64_t version = l.node.getInt("acc.since_version", 13);
  int64_t axis = l.axis("axis", version < 13 ? 1 : -1, rank);
  Type element = l.outType().getElementType();
  (void)hardmax;
  if (version < 13 && axis != rank - 1) {
    Shape flat(shapeOf(x).take_front(axis));
    flat.push_back(elementCount(shapeOf(x).drop_front(axis)));
    return l.done(l.reshape(l.softmax(l.reshape(x, flat), log, element), l.outShape()));
  }
  Shape perm(llvm::seq<int64_t>(0, rank).begin(), llvm::seq<int64_t>(0, rank).end());
  std::swap(perm[axis], perm[rank - 1]); // its own inverse
  return l.done(l.transpose(l.softmax(l.transpose(x, perm), log, element), perm));
}
static LogicalResult lowerSoftmax(Lowering &l) { return lowerSoftmaxOf(l, false); }
static LogicalResult lowerLogSoftmax(Lowering &l) { return lowerSoftmaxOf(l, true); }

LoweringTable accel::reduceLowerings() {
  static const StringRef reduce = "accel.reduce";
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"LogSoftmax", {lowerLogSoftmax, "accel.softmax log"}},
      {"ReduceL1", {lowerL1, reduce}},
      {"ReduceL2", {lowerL2, reduce}},
      {"ReduceLogSum", {lowerLogSum, reduce}},
      {"ReduceLogSumExp", {lowerLogSumExp, "accel.reduce max, then sum of exp"}},
      {"ReduceMax", {lowerMax, reduce}},
      {"ReduceMean", {lowerMean, reduce}},
      {"ReduceMin", {lowerMin, reduce}},
      {"ReduceProd", {lowerProd, reduce}},
      {"ReduceSum", {lowerSum, reduce}},
      {"ReduceSumSquare", {lowerSumSquare, reduce}},
      {"Softmax", {lowerSoftmax, "accel.softmax"}},
  };
  return table;
}

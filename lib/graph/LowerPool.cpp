//===- LowerPool.cpp - window reductions ----------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Window.h"

#include <cmath>

using namespace mlir;
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;

namespace {
struct Pool {
  Window window;
  Lowering::Shape in, out; // NHWC
};
} // namespace

/// The window and extents; the padding behind follows from the result, which
/// ceil_mode may have made larger.
static FailureOr<Pool> readPool(Lowering &l) {
  Lowering::Shape in(shapeOf(l.in(0))), out = l.outShape();
  auto kernel = l.node.getInts("kernel_shape");
  if (!kernel) {
    (void)l.refuse("kernel_shape is missing", "correct the model");
    return failure();
  }
  auto window = readWindow(l, in, *kernel);
  if (failed(window))
    return failure();
  Pool p{*window, {}, {}};
  bool planar = in.size() == 4;
  p.in = {in[0], planar ? in[2] : 1, in.back(), in[1]};
  p.out = {out[0], planar ? out[2] : 1, out.back(), out[1]};
  for (int d = 0; d < 2; ++d)
    p.window.pads[2 + d] = (p.out[1 + d] - 1) * window->strides[d] +
                           window->dilations[d] * (window->kernel[d] - 1) + 1 - p.in[1 + d] -
                           window->pads[d];
  return p;
}

static Value build(Lowering &l, const Pool &p, Value input, ReduceKind kind, BodyFn body,
                   ValueRange extras = {}, ArrayRef<AffineMap> maps = {}, bool square = false) {
  Type element = l.outType().getElementType();
  auto op = accel::PoolOp::create(l.b, l.loc, RankedTensorType::get(p.out, element),
                                  toChannelsLast(l, input), extras, l.b.getAffineMapArrayAttr(maps),
                                  kind, p.window.kernel, p.window.strides, p.window.pads,
                                  p.window.dilations, square);
  l.fillBody(op.getBody(), accumulatorType(elementOf(input)), extras, element, body);
  return fromChannelsLast(l, op, l.outShape().size());
}

static LogicalResult lowerMaxPool(Lowering &l) {
  if (l.node.numOutputs() > 1 && l.node.output(1) && !l.node.output(1).use_empty())
    return l.refuse("the result Indices is used", "remove it from the model");
  auto pool = readPool(l);
  if (failed(pool))
    return failure();
  l.results.push_back(build(l, *pool, l.in(0), ReduceKind::Max, nullptr));
  return success();
}

/// From a result's NHWC dimensions to [H, W].
static AffineMap rowsAndColumns(Lowering &l) {
  MLIRContext *context = l.b.getContext();
  return AffineMap::get(4, 0, {getAffineDimExpr(1, context), getAffineDimExpr(2, context)},
                        context);
}

/// Elements that window `o` along one dimension averages over.
static int64_t counted(const Window &w, int d, int64_t o, int64_t size, int64_t padBehind,
                       bool includePad) {
  int64_t low = includePad ? -w.pads[d] : 0, high = includePad ? size + padBehind : size;
  int64_t count = 0;
  for (int64_t k = 0; k < w.kernel[d]; ++k) {
    int64_t i = o * w.strides[d] - w.pads[d] + k * w.dilations[d];
    count += i >= low && i < high;
  }
  return std::max<int64_t>(count, 1);
}

/// How many elements each window averages over, [OH, OW].
static HostTensor countsOf(Lowering &l, const Pool &pool, const Window &given) {
  bool includePad = l.node.getInt("count_include_pad", 0);
  HostTensor counts(l.b.getF32Type(), {pool.out[1], pool.out[2]});
  for (int64_t y = 0; y < pool.out[1]; ++y)
    for (int64_t x = 0; x < pool.out[2]; ++x)
      counts.setFloat(y * pool.out[2] + x,
                      double(counted(given, 0, y, pool.in[1], given.pads[2], includePad) *
                             counted(given, 1, x, pool.in[2], given.pads[3], includePad)));
  return counts;
}

static LogicalResult lowerAveragePool(Lowering &l) {
  auto pool = readPool(l);
  if (failed(pool))
    return failure();
  auto given = readWindow(l, shapeOf(l.in(0)), *l.node.getInts("kernel_shape"));
  HostTensor factors = countsOf(l, *pool, *given);
  for (int64_t i = 0; i < factors.size(); ++i)
    factors.setFloat(i, 1.0 / factors.getFloat(i));
  if (factors.isSplat())
    return l.done(build(l, *pool, l.in(0), ReduceKind::Sum, [&](S &s, Values v) {
      return s.mul(v[0], s.like(v[0], factors.getFloat(0)));
    }));
  return l.done(build(l, *pool, l.in(0), ReduceKind::Sum,
                      [](S &s, Values v) { return s.mul(v[0], s.cast(v[1], v[0].getType())); },
                      {l.constant(factors)}, {rowsAndColumns(l)}));
}

/// With `count_include_pad` padding counts as real zeros, which are no elements of the
/// sum: what is taken away is the zero point of the elements alone.
FailureOr<Value> accel::buildAveragePool(Lowering &l, Value input, float scale, int64_t zero) {
  auto pool = readPool(l);
  if (failed(pool))
    return failure();
  auto given = readWindow(l, shapeOf(l.in(0)), *l.node.getInts("kernel_shape"));
  HostTensor counts = countsOf(l, *pool, *given);
  HostTensor summed(l.b.getF32Type(), {pool->out[1], pool->out[2]});
  for (int64_t y = 0; y < pool->out[1]; ++y)
    for (int64_t x = 0; x < pool->out[2]; ++x)
      summed.setFloat(y * pool->out[2] + x, double(counted(*given, 0, y, pool->in[1], 0, false) *
                                                   counted(*given, 1, x, pool->in[2], 0, false)));
  HostTensor factors = counts, zeros = summed;
  for (int64_t i = 0; i < counts.size(); ++i) {
    factors.setFloat(i, scale / counts.getFloat(i));
    zeros.setFloat(i, double(zero) * summed.getFloat(i));
  }
  Type f32 = l.b.getF32Type();
  SmallVector<Value> extras;
  for (const HostTensor *tensor : {&zeros, &factors})
    if (!tensor->isSplat())
      extras.push_back(l.constant(*tensor));
  return build(
      l, *pool, input, ReduceKind::Sum,
      [&](S &s, Values v) {
        Value sum = s.cast(v[0], f32);
        size_t next = 1;
        auto number = [&](const HostTensor &tensor) {
          return tensor.isSplat() ? s.constant(f32, tensor.getFloat(0)) : v[next++];
        };
        Value away = number(zeros), factor = number(factors);
        return s.mul(s.sub(sum, away), factor);
      },
      extras, SmallVector<AffineMap>(extras.size(), rowsAndColumns(l)));
}

static LogicalResult lowerLpPool(Lowering &l) {
  auto pool = readPool(l);
  if (failed(pool))
    return failure();
  double p = l.node.getInt("p", 2);
  if (p == 2)
    return l.done(build(
        l, *pool, l.in(0), ReduceKind::Sum, [](S &s, Values v) { return s.sqrt(v[0]); }, {}, {},
        /*square=*/true));
  Value powers = l.elementwise(elementOf(l.in(0)), {l.in(0)},
                               [&](S &s, Values v) { return s.power(s.abs(v[0]), p); });
  return l.done(build(l, *pool, powers, ReduceKind::Sum,
                      [&](S &s, Values v) { return s.power(v[0], 1 / p); }));
}

/// Reduces everything behind [N, C]; the dimensions stay with size 1.
static Value global(Lowering &l, ReduceKind kind, BodyFn body, bool square = false,
                    Value input = nullptr) {
  input = input ? input : l.in(0);
  Lowering::Shape shape(shapeOf(input));
  if (shape.size() > 4) {
    shape = {shape[0], shape[1], 1, elementCount(ArrayRef<int64_t>(shape).drop_front(2))};
    input = l.reshape(input, shape);
  }
  if (shape.size() == 2) { // no spatial dimension
    shape = {shape[0], shape[1], 1, 1};
    input = l.reshape(input, shape);
  }
  Value result =
      l.reduce(kind, toChannelsLast(l, input), {1, 2}, l.outType().getElementType(), body, square);
  return l.reshape(fromChannelsLast(l, result, 4), l.outShape());
}

static LogicalResult lowerGlobalAverage(Lowering &l) {
  double count = elementCount(shapeOf(l.in(0)).drop_front(2));
  return l.done(global(l, ReduceKind::Sum,
                       [&](S &s, Values v) { return s.mul(v[0], s.like(v[0], 1 / count)); }));
}
static LogicalResult lowerGlobalMax(Lowering &l) {
  return l.done(global(l, ReduceKind::Max, nullptr));
}
static LogicalResult lowerGlobalLp(Lowering &l) {
  double p = l.node.getInt("p", 2);
  if (p == 2)
    return l.done(
        global(l, ReduceKind::Sum, [](S &s, Values v) { return s.sqrt(v[0]); }, /*square=*/true));
  Value powers = l.elementwise(elementOf(l.in(0)), {l.in(0)},
                               [&](S &s, Values v) { return s.power(s.abs(v[0]), p); });
  return l.done(global(
      l, ReduceKind::Sum, [&](S &s, Values v) { return s.power(v[0], 1 / p); }, false, powers));
}

LoweringTable accel::poolLowerings() {
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"AveragePool", {lowerAveragePool, "accel.pool sum, factor in the body"}},
      {"GlobalAveragePool", {lowerGlobalAverage, "accel.reduce sum"}},
      {"GlobalLpPool", {lowerGlobalLp, "accel.reduce sum"}},
      {"GlobalMaxPool", {lowerGlobalMax, "accel.reduce max"}},
      {"LpPool", {lowerLpPool, "accel.pool sum"}},
      {"MaxPool", {lowerMaxPool, "accel.pool max"}},
  };
  return table;
}

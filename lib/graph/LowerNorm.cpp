//===- LowerNorm.cpp - normalisations -------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Lowering.h"

#include <cmath>

using namespace mlir;
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;
using Shape = Lowering::Shape;

/// A per-channel operand [C] in the shape [C, 1, 1...] that broadcasts to [N, C, ...].
static Value perChannel(Lowering &l, Value value, size_t rank) {
  Shape shape = {elementCount(shapeOf(value))};
  shape.append(rank - 2, 1);
  return l.reshape(value, shape);
}

/// Inference: x * a + b with a = scale / sqrt(variance + eps) and
/// b = bias - mean * a, computed here if they are constant (in double, rounded
/// once). fold-scales moves `a` into a preceding convolution's weights.
static LogicalResult lowerBatchNorm(Lowering &l) {
  if (l.node.getInt("training_mode", 0))
    return l.refuse("training mode", "export the model for inference");
  for (unsigned i = 1; i < l.node.numOutputs(); ++i)
    if (l.node.output(i) && !l.node.output(i).use_empty())
      return l.refuse("a statistics output is used", "export the model for inference");
  double eps = l.node.getFloat("epsilon", 1e-5);
  size_t rank = shapeOf(l.in(0)).size();
  Value a, b;
  auto scale = l.constantInput(1), bias = l.constantInput(2), mean = l.constantInput(3),
       variance = l.constantInput(4);
  if (scale && bias && mean && variance) {
    HostTensor ta(Float32Type::get(l.b.getContext()), scale->shape());
    HostTensor tb = HostTensor(ta.element(), scale->shape());
    for (int64_t c = 0; c < ta.size(); ++c) {
      double factor = scale->getFloat(c) / std::sqrt(variance->getFloat(c) + eps);
      ta.setFloat(c, factor);
      tb.setFloat(c, bias->getFloat(c) - mean->getFloat(c) * factor);
    }
    a = l.constant(ta), b = l.constant(tb);
  } else {
    Type f32 = l.b.getF32Type();
    a = l.elementwise(f32, {l.in(1), l.in(4)}, [&](S &s, Values v) {
      return s.div(v[0], s.sqrt(s.add(v[1], s.like(v[1], eps))));
    });
    b = l.elementwise(f32, {l.in(2), l.in(3), a},
                      [](S &s, Values v) { return s.sub(v[0], s.mul(v[1], v[2])); });
  }
  return l.done(l.elementwise(
      l.outType(), {l.in(0), perChannel(l, a, rank), perChannel(l, b, rank)}, [](S &s, Values v) {
        Type t = v[0].getType();
        return s.add(s.mul(v[0], s.cast(v[1], t)), s.cast(v[2], t));
      }));
}

/// normalised * scale + bias, either absent.
static Value affine(Lowering &l, RankedTensorType type, Value normal, Value scale, Value bias) {
  SmallVector<Value> operands = {normal};
  if (scale)
    operands.push_back(scale);
  if (bias)
    operands.push_back(bias);
  if (operands.size() == 1)
    return l.convertTo(normal, type.getElementType());
  return l.elementwise(type, operands, [&](S &s, Values v) {
    Value x = v[0];
    if (scale)
      x = s.mul(x, s.cast(v[1], x.getType()));
    return bias ? s.add(x, s.cast(v.back(), x.getType())) : x;
  });
}

static LogicalResult lowerLayerNormOf(Lowering &l, bool rms) {
  int64_t rank = shapeOf(l.in(0)).size(), axis = l.axis("axis", -1, rank);
  double eps = l.node.getFloat("epsilon", 1e-5);
  Shape dims(llvm::seq<int64_t>(axis, rank).begin(), llvm::seq<int64_t>(axis, rank).end());
  // Scale and bias work on the f32 value: it is not rounded in between.
  Type f32 = accumulatorType(elementOf(l.in(0)));
  Value normal = l.normalize(l.in(0), dims, eps, rms, f32);
  l.results.push_back(affine(l, l.outType(), normal, l.in(1), rms ? Value() : l.in(2)));
  auto used = [&](unsigned i) {
    return i < l.node.numOutputs() && l.node.output(i) && !l.node.output(i).use_empty();
  };
  if (rms || (!used(1) && !used(2)))
    return success();
  // Mean and 1 / sqrt(variance + eps) for those who read them.
  int64_t count = 1;
  for (int64_t d : dims)
    count *= shapeOf(l.in(0))[d];
  Value mean = l.reduce(ReduceKind::Sum, l.in(0), dims, f32, [&](S &s, Values v) {
    return s.mul(v[0], s.like(v[0], 1.0 / double(count)));
  });
  Value centred = l.elementwise(f32, {l.in(0), mean},
                                [&](S &s, Values v) { return s.sub(s.cast(v[0], f32), v[1]); });
  Value inverse = l.reduce(
      ReduceKind::Sum, centred, dims, f32,
      [&](S &s, Values v) {
        Value variance = s.mul(v[0], s.like(v[0], 1.0 / double(count)));
        return s.div(s.like(v[0], 1), s.sqrt(s.add(variance, s.like(v[0], eps))));
      },
      /*square=*/true);
  for (auto [i, value] : {std::pair(1u, mean), std::pair(2u, inverse)})
    l.results.push_back(used(i) ? l.convertTo(value, l.outType(i).getElementType()) : value);
  return success();
}
static LogicalResult lowerLayerNorm(Lowering &l) { return lowerLayerNormOf(l, false); }
static LogicalResult lowerRmsNorm(Lowering &l) { return lowerLayerNormOf(l, true); }

static LogicalResult lowerInstanceNorm(Lowering &l) {
  size_t rank = shapeOf(l.in(0)).size();
  Shape dims(llvm::seq<int64_t>(2, rank).begin(), llvm::seq<int64_t>(2, rank).end());
  Type f32 = accumulatorType(elementOf(l.in(0)));
  Value normal = l.normalize(l.in(0), dims, l.node.getFloat("epsilon", 1e-5), false, f32);
  return l.done(
      affine(l, l.outType(), normal, perChannel(l, l.in(1), rank), perChannel(l, l.in(2), rank)));
}

/// [N, C, ...] as [N, G, C/G * ...], normalised over the last dimension.
static LogicalResult lowerGroupNorm(Lowering &l) {
  ArrayRef<int64_t> s = shapeOf(l.in(0));
  int64_t groups = l.node.getInt("num_groups", 1), n = s[0], c = s[1];
  if (groups < 1 || c % groups)
    return l.refuse("num_groups does not divide the channels", "correct the model");
  Type f32 = accumulatorType(elementOf(l.in(0)));
  Value normal = l.normalize(l.reshape(l.in(0), {n, groups, elementCount(s) / n / groups}), {2},
                             l.node.getFloat("epsilon", 1e-5), false, f32);
  // Opset 18 scales by group, 21 by channel.
  auto operand = [&](Value value) {
    if (elementCount(shapeOf(value)) == groups && groups != c)
      value = l.reshape(l.broadcast(l.reshape(value, {groups, 1}), {groups, c / groups}), {c});
    return perChannel(l, value, s.size());
  };
  return l.done(affine(l, l.outType(), l.reshape(normal, s), operand(l.in(1)), operand(l.in(2))));
}

static LogicalResult lowerLpNorm(Lowering &l) {
  int64_t rank = shapeOf(l.in(0)).size(), axis = l.axis("axis", -1, rank);
  bool l1 = l.node.getInt("p", 2) == 1;
  Type element = l.outType().getElementType();
  Value norm = l.reduce(
      ReduceKind::Sum, l.in(0), {axis}, element,
      [&](S &s, Values v) { return l1 ? v[0] : s.sqrt(v[0]); }, !l1, l1);
  return l.done(l.elementwise(l.outType(), {l.in(0), norm}, [](S &s, Values v) {
    Value zero = s.like(v[0], 0);
    return s.select(s.compare(S::Compare::Eq, v[1], zero), zero, s.div(v[0], v[1]));
  }));
}

static LogicalResult lowerMeanVarianceNorm(Lowering &l) {
  auto axes = l.node.getInts("axes").value_or(Shape{0, 2, 3});
  int64_t rank = shapeOf(l.in(0)).size();
  for (int64_t &axis : axes)
    axis = axis < 0 ? axis + rank : axis;
  return l.done(l.normalize(l.in(0), axes, 1e-9, false, l.outType().getElementType()));
}

/// x / (bias + alpha/size * sum of squares of neighbouring channels)^beta. The
/// sum is a product with a banded matrix [C, C] over channels: the squares are
/// rows of the left side, channels last.
static LogicalResult lowerLrn(Lowering &l) {
  Value x = l.in(0);
  ArrayRef<int64_t> s = shapeOf(x);
  int64_t size = l.node.getInt("size", 1), rank = s.size(), c = s[1];
  double alpha = l.node.getFloat("alpha", 1e-4), beta = l.node.getFloat("beta", 0.75),
         bias = l.node.getFloat("bias", 1);
  HostTensor band(elementOf(x), {1, c, c});
  for (int64_t out = 0; out < c; ++out)
    for (int64_t in = std::max<int64_t>(0, out - (size - 1) / 2);
         in <= std::min<int64_t>(c - 1, out + size / 2); ++in)
      band.setFloat(in * c + out, alpha / size);
  Shape toLast = {0}, fromLast = {0, rank - 1};
  for (int64_t d = 2; d < rank; ++d)
    toLast.push_back(d), fromLast.push_back(d - 1);
  toLast.push_back(1);
  Value last = l.transpose(x, toLast);
  Value squares =
      l.elementwise(elementOf(x), {last}, [](S &s, Values v) { return s.mul(v[0], v[0]); });
  int64_t rows = elementCount(s) / c;
  Value sums = l.matmul(l.reshape(squares, {1, rows, c}), l.constant(band), false, elementOf(x));
  sums = l.reshape(sums, shapeOf(last));
  Value result = l.elementwise(elementOf(x), {last, sums}, [&](S &s, Values v) -> Value {
    Value base = s.add(v[1], s.like(v[1], bias));
    if (beta == 0.75) { // base^-0.75 = 1 / (sqrt(base) * sqrt(sqrt(base)))
      Value root = s.sqrt(base);
      return s.div(v[0], s.mul(root, s.sqrt(root)));
    }
    return s.div(v[0], s.power(base, beta));
  });
  return l.done(l.transpose(result, fromLast));
}

LoweringTable accel::normLowerings() {
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"BatchNormalization", {lowerBatchNorm, "folded into weights, else accel.map"}},
      {"GroupNormalization", {lowerGroupNorm, "accel.normalize"}},
      {"InstanceNormalization", {lowerInstanceNorm, "accel.normalize"}},
      {"LRN", {lowerLrn, "accel.matmul with a banded matrix"}},
      {"LayerNormalization", {lowerLayerNorm, "accel.normalize"}},
      {"LpNormalization", {lowerLpNorm, "accel.reduce and accel.map"}},
      {"MeanVarianceNormalization", {lowerMeanVarianceNorm, "accel.normalize"}},
      {"RMSNormalization", {lowerRmsNorm, "accel.normalize rms"}},
  };
  return table;
}

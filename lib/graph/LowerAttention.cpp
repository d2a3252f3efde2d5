//===- LowerAttention.cpp - scaled dot product attention ------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three operations with the same batch dimensions (docs/architecture.md):
//
//   scores [B, G, R, M, T] = Q [B, G, R, M, D] x K [B, G, 1, T, D], scaled, capped, masked
//   weights                = softmax(scores)
//   result [B, G, R, M, E] = weights x V [B, G, 1, T, E]
//
// G key heads serve R query heads each. Dimensions of size 1 are left out. Heads
// are split and joined by views, a shared key head is read R times where it lies.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Lowering.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;
using Shape = Lowering::Shape;

namespace {
/// What `qk_matmul_output` shows, in the order in which it is computed.
enum class Shown { Product = 0, Capped = 1, Masked = 2, Weights = 3 };

struct Attention {
  Lowering &l;
  Value q, k, v; // [batch, heads, length, size]
  int64_t batch = 0, groups = 0, repeats = 0, rows = 0, columns = 0, past = 0;

  LogicalResult run();
  LogicalResult readOperands();
  FailureOr<Value> readMask();
  Value lastColumn();
  Value show(Value value);

  /// [batch, groups, repeats, ...] without what is 1 in all operands.
  Shape batched(ArrayRef<int64_t> batches, ArrayRef<int64_t> matrix) const {
    Shape shape;
    for (auto [own, full] : llvm::zip_equal(batches, ArrayRef<int64_t>{batch, groups, repeats}))
      if (full != 1)
        shape.push_back(own);
    if (shape.empty())
      shape.push_back(1);
    llvm::append_range(shape, matrix);
    return shape;
  }
  bool used(unsigned output) const {
    return output < l.node.numOutputs() && l.node.output(output) &&
           !l.node.output(output).use_empty();
  }
};
} // namespace

/// Operands of rank 3 hold their heads side by side.
LogicalResult Attention::readOperands() {
  q = l.in(0), k = l.in(1), v = l.in(2);
  bool packed = shapeOf(q).size() == 3;
  int64_t queryHeads = l.node.getInt("q_num_heads", 0), keyHeads = l.node.getInt("kv_num_heads", 0);
  auto heads = [&](Value value, int64_t count) -> Value {
    ArrayRef<int64_t> s = shapeOf(value);
    if (s.size() != (packed ? 3u : 4u))
      return nullptr;
    if (!packed)
      return value;
    if (count < 1 || s[2] % count)
      return nullptr;
    return l.transpose(l.reshape(value, {s[0], s[1], count, s[2] / count}), {0, 2, 1, 3});
  };
  q = heads(q, queryHeads), k = heads(k, keyHeads), v = heads(v, keyHeads);
  if (!q || !k || !v)
    return l.refuse("Q, K and V must all have rank 4, or rank 3 with q_num_heads and kv_num_heads "
                    "that divide their last dimension",
                    "correct the model");
  if (bool(l.in(4)) != bool(l.in(5)))
    return l.refuse("only one of past_key and past_value is given", "give both or none");
  if (l.in(4)) {
    past = shapeOf(l.in(4))[2];
    k = l.concat({l.in(4), k}, 2), v = l.concat({l.in(5), v}, 2);
  }
  ArrayRef<int64_t> qs = shapeOf(q), ks = shapeOf(k), vs = shapeOf(v);
  batch = qs[0], groups = ks[1], rows = qs[2], columns = ks[2];
  if (ks[0] != batch || vs[0] != batch || ks[3] != qs[3] || vs[1] != groups || vs[2] != columns)
    return l.refuse("the shapes of Q, K and V do not fit each other", "correct the model");
  if (groups < 1 || qs[1] % groups)
    return l.refuse(Twine(qs[1]) + " query heads cannot share " + Twine(groups) + " key heads",
                    "correct the model");
  repeats = qs[1] / groups;
  if (elementOf(v) != elementOf(q) || elementOf(k) != elementOf(q))
    return l.refuse("Q, K and V have different element types", "cast them to one");
  return success();
}

/// The mask over the scores' dimensions, null if there is none. One that is too
/// short in its last dimension does not let the rest take part.
FailureOr<Value> Attention::readMask() {
  Value mask = l.in(3);
  if (!mask)
    return Value();
  Shape shape(shapeOf(mask));
  if (shape.empty() || shape.size() > 4)
    return l.refuse("attn_mask of rank " + Twine(shape.size()), "use a rank from 1 to 4");
  shape.insert(shape.begin(), 4 - shape.size(), 1);
  mask = l.reshape(mask, shape);
  if (shape[3] < columns) {
    bool isBool = elementOf(mask).isInteger(1);
    double fill = isBool ? 0 : -std::numeric_limits<double>::infinity();
    mask = l.pad(mask, {0, 0, 0, 0}, {0, 0, 0, columns - shape[3]}, fill);
  }
  int64_t heads = groups * repeats;
  if ((shape[0] != 1 && shape[0] != batch) || (shape[1] != 1 && shape[1] != heads) ||
      (shape[2] != 1 && shape[2] != rows) || shape[3] > columns)
    return l.refuse("attn_mask does not broadcast to the scores", "correct the model");
  Shape batches = {shape[0], shape[1] == heads ? groups : 1, shape[1] == heads ? repeats : 1};
  return l.reshape(mask, batched(batches, {shape[2], columns}));
}

/// For each row the first column that does not take part, by is_causal and
/// nonpad_kv_seqlen; null if all do.
Value Attention::lastColumn() {
  Type i32 = l.b.getI32Type();
  Value limit, length = l.in(6);
  if (l.node.getInt("is_causal", 0)) {
    HostTensor ends(i32, {rows, 1});
    for (int64_t i = 0; i < rows; ++i)
      ends.setInt(i, past + i + 1);
    limit = l.constant(ends);
  }
  if (!length)
    return limit;
  length = l.reshape(length, batched({batch, 1, 1}, {1, 1}));
  if (!limit)
    return l.convertTo(length, i32);
  return l.elementwise(i32, {length, limit},
                       [&](S &s, Values v) { return s.min(s.cast(v[0], i32), v[1]); });
}

Value Attention::show(Value value) {
  return l.reshape(l.convertTo(value, l.outType(3).getElementType()), l.outShape(3));
}

LogicalResult Attention::run() {
  if (failed(readOperands()))
    return failure();
  FailureOr<Value> mask = readMask();
  if (failed(mask))
    return failure();
  Value presentKey = k, presentValue = v, shown;
  int64_t size = shapeOf(q)[3], resultSize = shapeOf(v)[3];
  q = l.reshape(q, batched({batch, groups, repeats}, {rows, size}));
  k = l.reshape(k, batched({batch, groups, 1}, {columns, size}));
  v = l.reshape(v, batched({batch, groups, 1}, {columns, resultSize}));

  Type element = elementOf(q), scoreType = element;
  if (int64_t precision = l.node.getInt("softmax_precision", 0)) {
    scoreType = precision == 1    ? Type(l.b.getF32Type())
                : precision == 10 ? Type(l.b.getF16Type())
                : precision == 16 ? Type(l.b.getBF16Type())
                                  : Type();
    if (!scoreType)
      return l.refuse("softmax_precision " + Twine(precision),
                      "rows are computed in f32: use 1 (float), 10 (float16) or 16 (bfloat16)");
  }
  double scale = l.node.getFloat("scale", 1 / std::sqrt(double(size)));
  double cap = l.node.getFloat("softcap", 0);
  auto showing = Shown(l.node.getInt("qk_matmul_output_mode", 0));
  bool shows = used(3);

  Value scores = l.matmul(q, k, /*transposeRhs=*/true, scoreType, [&](S &s, Values v) {
    return scale == 1 ? v[0] : s.mul(v[0], s.like(v[0], scale));
  });
  if (shows && showing == Shown::Product)
    shown = show(scores);
  if (cap > 0)
    scores = l.elementwise(scoreType, {scores}, [&](S &s, Values v) {
      return s.mul(s.tanh(s.div(v[0], s.like(v[0], cap))), s.like(v[0], cap));
    });
  if (shows && showing == Shown::Capped)
    shown = show(scores);
  SmallVector<Value> operands = {scores};
  Value limit = lastColumn();
  if (*mask)
    operands.push_back(*mask);
  if (limit) {
    HostTensor positions(l.b.getI32Type(), {1, columns});
    for (int64_t j = 0; j < columns; ++j)
      positions.setInt(j, j);
    operands.append({limit, l.constant(positions)});
  }
  if (operands.size() > 1)
    scores = l.elementwise(scoreType, operands, [&](S &s, Values v) {
      Value x = v[0], out = s.like(x, -std::numeric_limits<double>::infinity());
      if (*mask && ScalarBuilder::isFloat(v[1]))
        x = s.add(x, s.cast(v[1], x.getType()));
      else if (*mask)
        x = s.select(v[1], x, out);
      if (!limit)
        return x;
      return s.select(s.compare(S::Compare::Lt, v.back(), v[v.size() - 2]), x, out);
    });
  if (shows && showing == Shown::Masked)
    shown = show(scores);
  Value weights = l.softmax(scores, /*log=*/false, element);
  if (shows && showing == Shown::Weights)
    shown = show(weights);
  Value y = l.matmul(weights, v, /*transposeRhs=*/false, l.outType().getElementType());
  y = l.reshape(y, {batch, groups * repeats, rows, resultSize});
  if (l.outShape().size() == 3)
    y = l.transpose(y, {0, 2, 1, 3});
  l.results.assign({l.reshape(y, l.outShape()), presentKey, presentValue, shown});
  return success();
}

static LogicalResult lowerAttention(Lowering &l) {
  return Attention{l, nullptr, nullptr, nullptr}.run();
}

LoweringTable accel::attentionLowerings() {
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"Attention", {lowerAttention, "accel.matmul, accel.softmax and accel.matmul"}},
  };
  return table;
}

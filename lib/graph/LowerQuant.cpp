//===- LowerQuant.cpp - quantise and dequantise as maps -------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What recover-qdq leaves over: conversions around operators that compute in
// float.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Lowering.h"

using namespace mlir;
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;
using Shape = Lowering::Shape;

/// Scale and zero point of one value, or of one for each index along `axis`.
static FailureOr<Value> alongAxis(Lowering &l, Value value) {
  Shape in(shapeOf(l.in(0)));
  ArrayRef<int64_t> shape = shapeOf(value);
  if (l.node.getInt("block_size", 0)) {
    (void)l.refuse("blocked quantisation", "quantise per tensor or per channel");
    return failure();
  }
  if (elementCount(shape) == 1)
    return l.reshape(value, {});
  Shape spread(in.size(), 1);
  spread[l.axis("axis", 1, in.size())] = shape[0];
  return l.reshape(value, spread);
}

static LogicalResult lowerDequantize(Lowering &l) {
  SmallVector<Value> operands = {l.in(0)};
  for (unsigned i = 1; i < 3; ++i)
    if (l.in(i)) {
      auto value = alongAxis(l, l.in(i));
      if (failed(value))
        return failure();
      operands.push_back(*value);
    }
  return l.done(l.elementwise(l.outType(), operands, [&](S &s, Values v) {
    Value x = v[0];
    if (v.size() > 2)
      x = s.sub(x, s.cast(v[2], x.getType()));
    return s.mul(s.cast(x, v[1].getType()), v[1]);
  }));
}

/// sat(rne(x / scale) + zero point): the sum is exact in f32 for 8 bits.
static LogicalResult lowerQuantize(Lowering &l) {
  SmallVector<Value> operands = {l.in(0)};
  for (unsigned i = 1; i < 3; ++i)
    if (l.in(i)) {
      auto value = alongAxis(l, l.in(i));
      if (failed(value))
        return failure();
      operands.push_back(*value);
    }
  auto zero = l.constantInput(2);
  bool isZero = zero && zero->isSplat() && zero->getFloat(0) == 0;
  return l.done(l.elementwise(
      l.outType(), operands,
      [&](S &s, Values v) -> Value {
        Value x = s.cast(v[0], v[1].getType());
        if (!isa<IntegerType>(l.outType().getElementType()))
          return s.div(x, v[1]);
        Value rounded = s.round(s.div(x, v[1]));
        return v.size() > 2 && !isZero ? s.add(rounded, s.cast(v[2], rounded.getType())) : rounded;
      },
      /*saturate=*/true));
}

LoweringTable accel::quantLowerings() {
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"DequantizeLinear", {lowerDequantize, "integer accel ops, else accel.map"}},
      {"QuantizeLinear", {lowerQuantize, "integer accel ops, else accel.map"}},
  };
  return table;
}

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

namespace {
/// Operands of a conversion as they broadcast: the value, its scale, perhaps a zero point.
struct Operands {
  SmallVector<Value> values;
  Shape shape; // of the value; blocks along the axis are a dimension of their own
};
} // namespace

/// Scale and zero point are of one value, of one for each index along `axis`, or of one
/// for each block of `block_size` elements there.
static FailureOr<Operands> readOperands(Lowering &l) {
  Shape in(shapeOf(l.in(0)));
  Operands operands{{}, in};
  int64_t block = l.node.getInt("block_size", 0), at = l.axis("axis", 1, in.size());
  if (block && (at < 0 || at >= int64_t(in.size()) || in[at] % block)) {
    (void)l.refuse("blocks that do not divide the axis", "pad the tensor to whole blocks");
    return failure();
  }
  if (block) {
    operands.shape[at] = block;
    operands.shape.insert(operands.shape.begin() + at, in[at] / block);
  }
  operands.values.push_back(l.reshape(l.in(0), operands.shape));
  for (unsigned i = 1; i < 3; ++i) {
    Value value = l.in(i);
    if (!value)
      continue;
    Shape spread(in.size(), 1);
    if (block) {
      spread.assign(shapeOf(value).begin(), shapeOf(value).end());
      spread.insert(spread.begin() + at + 1, 1);
    } else if (elementCount(shapeOf(value)) == 1) {
      spread.clear();
    } else {
      spread[at] = shapeOf(value)[0];
    }
    operands.values.push_back(l.reshape(value, spread));
  }
  return operands;
}

static RankedTensorType resultOf(Lowering &l, const Operands &operands) {
  return RankedTensorType::get(operands.shape, l.outType().getElementType());
}

static LogicalResult lowerDequantize(Lowering &l) {
  FailureOr<Operands> operands = readOperands(l);
  if (failed(operands))
    return failure();
  Value result = l.elementwise(resultOf(l, *operands), operands->values, [&](S &s, Values v) {
    Value x = v[0];
    if (v.size() > 2)
      x = s.sub(x, s.cast(v[2], x.getType()));
    return s.mul(s.cast(x, v[1].getType()), v[1]);
  });
  return l.done(l.reshape(result, l.outShape()));
}

/// sat(rne(x / scale) + zero point): the sum is exact in f32 for 8 bits.
static LogicalResult lowerQuantize(Lowering &l) {
  FailureOr<Operands> operands = readOperands(l);
  if (failed(operands))
    return failure();
  auto zero = l.constantInput(2);
  bool isZero = zero && zero->isSplat() && zero->getFloat(0) == 0;
  Value result = l.elementwise(
      resultOf(l, *operands), operands->values,
      [&](S &s, Values v) -> Value {
        Value x = s.cast(v[0], v[1].getType());
        if (!isa<IntegerType>(l.outType().getElementType()))
          return s.div(x, v[1]);
        Value rounded = s.round(s.div(x, v[1]));
        return v.size() > 2 && !isZero ? s.add(rounded, s.cast(v[2], rounded.getType())) : rounded;
      },
      /*saturate=*/true);
  return l.done(l.reshape(result, l.outShape()));
}

LoweringTable accel::quantLowerings() {
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"DequantizeLinear", {lowerDequantize, "integer accel ops, else accel.map"}},
      {"QuantizeLinear", {lowerQuantize, "integer accel ops, else accel.map"}},
  };
  return table;
}

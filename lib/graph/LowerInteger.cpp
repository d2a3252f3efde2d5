//===- LowerInteger.cpp - MatMulInteger and ConvInteger -------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   sum (a - za)(b - zb), exact in i32 (modulo 2^32, as ONNX has it)
//
// Constant zero points belong to the product. One that is computed (dynamic
// quantisation) or that differs from row to row is taken away afterwards:
//
//   sum (a - za)(b - zb) = sum a (b - zb) - za * sum (b - zb)
//
// and the last sum is a constant where the weights are.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Matmul.h"
#include "acc/Graph/Window.h"

using namespace mlir;
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;
using Shape = Lowering::Shape;

/// The one value of a zero point; none if it is computed or has several values.
static std::optional<int64_t> zeroOf(Lowering &l, unsigned position) {
  if (!l.in(position))
    return 0;
  auto tensor = l.constantInput(position);
  return tensor && tensor->isSplat() ? std::optional<int64_t>(tensor->getInt(0)) : std::nullopt;
}

/// Sums of w - zero over dimension `dim` of [batch, rows, columns], which stays with size 1.
static Value sumsOf(Lowering &l, Value w, int64_t zero, int64_t dim) {
  Type i32 = l.b.getI32Type();
  Shape shape(shapeOf(w));
  double taken = double(shape[dim]) * zero;
  std::optional<HostTensor> weights = constantOf(w);
  if (!weights)
    return l.reduce(ReduceKind::Sum, w, {dim}, i32, [&](S &s, Values v) {
      return taken ? s.sub(v[0], s.like(v[0], taken)) : v[0];
    });
  Shape summed = shape;
  summed[dim] = 1;
  std::vector<int64_t> sums(elementCount(summed), 0);
  int64_t inner = elementCount(ArrayRef<int64_t>(shape).drop_front(dim + 1)), size = shape[dim];
  for (int64_t i = 0; i < weights->size(); ++i)
    sums[i / (inner * size) * inner + i % inner] += weights->getInt(i) - zero;
  return l.constant(HostTensor::ofInts(i32, summed, sums));
}

static LogicalResult lowerMatMulInteger(Lowering &l) {
  auto za = zeroOf(l, 2), zb = zeroOf(l, 3);
  MatmulOperands o = matmulOperands(l, l.in(0), l.in(1));
  Type i32 = l.b.getI32Type();
  ArrayRef<int64_t> lhs = shapeOf(o.lhs), rhs = shapeOf(o.rhs);
  auto isOne = [](Value zero) { return elementCount(shapeOf(zero)) == 1; };
  int64_t rows = lhs[lhs.size() - 2], depth = lhs.back(), columns = rhs.back();
  if (!za && !isOne(l.in(2)) && elementCount(shapeOf(l.in(2))) != rows)
    return l.refuse("a zero point of the left side for each row of a batch", "use one a tensor");
  if (!zb && !isOne(l.in(3)) && elementCount(shapeOf(l.in(3))) != columns)
    return l.refuse("a zero point of the right side for each column of a batch",
                    "use one for each column");
  Shape shape(lhs);
  shape.back() = columns;
  auto product =
      MatmulOp::create(l.b, l.loc, RankedTensorType::get(shape, i32), o.lhs, o.rhs, ValueRange(),
                       l.b.getAffineMapArrayAttr({}), false, za.value_or(0), zb.value_or(0));
  l.fillBody(product.getBody(), i32, {}, i32, nullptr);
  Value result = product;
  Shape one(lhs.size(), 1);
  auto spread = [&](Value zero, size_t dim) {
    Shape own = one;
    own[dim] = elementCount(shapeOf(zero));
    return l.reshape(zero, own);
  };
  if (!za)
    result = l.elementwise(
        i32,
        {result, spread(l.in(2), lhs.size() - 2), sumsOf(l, o.rhs, zb.value_or(0), rhs.size() - 2)},
        [&](S &s, Values v) { return s.sub(v[0], s.mul(s.cast(v[1], i32), v[2])); });
  if (!zb) {
    // Here b is as it is stored, so that what is left is zb times the sum of a - za.
    SmallVector<Value> operands{result, spread(l.in(3), lhs.size() - 1),
                                sumsOf(l, o.lhs, za.value_or(0), lhs.size() - 1)};
    if (!za)
      operands.push_back(spread(l.in(2), lhs.size() - 2));
    result = l.elementwise(i32, operands, [&](S &s, Values v) {
      Value sum = v[2];
      if (!za)
        sum = s.sub(sum, s.mul(s.cast(v[3], i32), s.integer(i32, depth)));
      return s.sub(v[0], s.mul(s.cast(v[1], i32), sum));
    });
  }
  return l.done(l.reshape(result, l.outShape()));
}

/// Padding is the zero point, and adds nothing to the sum. What a zero point that is no
/// constant takes away are sums over what a window meets: products with ones.
static LogicalResult lowerConvInteger(Lowering &l) {
  auto zx = zeroOf(l, 2), zw = zeroOf(l, 3);
  Type i32 = l.b.getI32Type();
  Value x = l.in(0), w = l.in(1);
  Shape in(shapeOf(x)), out = l.outShape(), one(in.size(), 1);
  Shape perChannel = one;
  perChannel[1] = out[1];
  int64_t zeros = zw ? 1 : elementCount(shapeOf(l.in(3)));
  if (zeros != 1 && zeros != out[1])
    return l.refuse("zero points of weights that are not one for each channel",
                    "correct the model");
  auto product = [&](Value input, Value weight, ZeroPoints zero) {
    Shape shape(out);
    shape[0] = shapeOf(input)[0];
    return buildConv(
        l, input, weight, {}, RankedTensorType::get(shape, i32), [](S &, Values v) { return v[0]; },
        zero);
  };
  auto ones = [&](Value like, int64_t batch) {
    Shape shape(shapeOf(like));
    shape[0] = batch;
    HostTensor tensor(elementOf(like), shape);
    for (int64_t i = 0; i < tensor.size(); ++i)
      tensor.setInt(i, 1);
    return l.constant(tensor);
  };
  auto picture = [&] { // ones that take one byte
    Shape shape(in);
    shape[0] = 1;
    return l.broadcast(l.constant(HostTensor::ofInts(elementOf(x), one, {1})), shape);
  };
  auto less = [&](Value from, Value zero, Value sum) { // from - zero * sum
    return l.elementwise(i32, {from, zero, sum}, [&](S &s, Values v) {
      return s.sub(v[0], s.mul(s.cast(v[1], i32), v[2]));
    });
  };
  auto result = product(x, w, {zx.value_or(0), zw.value_or(0)});
  if (failed(result))
    return failure();
  Value zeroOfX = zx ? Value() : l.reshape(l.in(2), one);
  if (!zx) {
    auto weights = product(picture(), w, {0, zw.value_or(0)});
    if (failed(weights))
      return failure();
    *result = less(*result, zeroOfX, *weights);
  }
  if (!zw) {
    auto window = product(x, ones(w, out[1]), {zx.value_or(0), 0});
    auto count = product(picture(), ones(w, out[1]), {});
    if (failed(window) || failed(count))
      return failure();
    Value met = zx ? *window : less(*window, zeroOfX, *count);
    *result = less(*result, l.reshape(l.in(3), zeros == 1 ? one : perChannel), met);
  }
  return l.done(*result);
}

LoweringTable accel::integerLowerings() {
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"ConvInteger", {lowerConvInteger, "accel.conv of integers"}},
      {"MatMulInteger", {lowerMatMulInteger, "accel.matmul of integers"}},
  };
  return table;
}

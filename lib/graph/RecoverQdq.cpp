//===- RecoverQdq.cpp - integer operators from quantised float ones -------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   DequantizeLinear(x), DequantizeLinear(w) -> Conv | ConvTranspose | MatMul | Gemm
//     [-> Relu | Clip] -> QuantizeLinear
//
// computes sat(rne(f32(acc + bias) * m_c) + zp) with exact i32 sums and
// m_c = f32(sx * sw_c / sy), one f32 operation after the other. Without the
// QuantizeLinear the result is f32(acc + bias) * f32(sx * sw_c). QLinearConv and
// QLinearMatMul are such forms in one node.
//
// Operators that only move or compare elements do so with the integers, which
// are a quarter of the bytes: op(DQ(x)) = DQ(op(x)), and Q(concat(a, b)) =
// concat(Q(a), Q(b)). Q(DQ(x)) of the same scale and zero point is x. None of it
// changes a bit.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Matmul.h"
#include "acc/Graph/Passes.h"
#include "acc/Graph/Quantisation.h"
#include "acc/Graph/Window.h"
#include "accel/Forms.h"

#include <cmath>

using namespace mlir;

namespace accel {
#define GEN_PASS_DEF_RECOVERQDQ
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;

namespace {
/// Scales of an integer product and its bias in units of them.
class Product {
public:
  /// `channels`: number of results that have a scale of their own.
  Product(Lowering &l, const Quantisation &x, const Quantisation &w, const Tail &tail,
          int64_t channels)
      : l(l), tail(tail), factors(l.b.getF32Type(), {channels}) {
    for (int64_t c = 0; c < channels; ++c) {
      float product = x.scale[0] * w.scale[w.perTensor() ? 0 : c];
      units.push_back(product);
      factors.setFloat(c, tail.out ? product / tail.out->scale[0] : product);
    }
  }

  /// The bias: i32 as stored, or float values in units of the product's scale.
  bool setBias(Value value) {
    if (!value)
      return true;
    Operation *dq = defining(value, "DequantizeLinear");
    auto integers = dq ? smallConstant(dq->getOperand(0)) : std::nullopt;
    if (integers && integers->element().isInteger(32) && integers->size() == factors.size()) {
      bias = *integers;
      return true;
    }
    auto floats = smallConstant(value);
    if (!floats || floats->size() != factors.size())
      return false;
    bias = HostTensor(l.b.getI32Type(), {factors.size()});
    for (int64_t c = 0; c < factors.size(); ++c)
      bias->setInt(c, int64_t(std::nearbyint(double(float(floats->getFloat(c)) / units[c]))));
    return true;
  }

  /// Extras [channels]: bias, factors; splat factors stay in the body.
  SmallVector<Value> extras() {
    SmallVector<Value> values;
    if (bias)
      values.push_back(l.constant(*bias));
    if (!factors.isSplat())
      values.push_back(l.constant(factors));
    return values;
  }

  Value body(S &s, Values v) {
    Value acc = bias ? s.add(v[0], v[1]) : v[0];
    Type f32 = s.builder().getF32Type();
    Value x = s.mul(s.cast(acc, f32),
                    factors.isSplat() ? s.constant(f32, factors.getFloat(0)) : v.back());
    if (!tail.out)
      return x;
    float scale = tail.out->scale[0];
    if (tail.low)
      x = s.max(x, s.like(x, *tail.low / scale));
    if (tail.high)
      x = s.min(x, s.like(x, *tail.high / scale));
    x = s.round(x);
    return tail.out->zero ? s.add(x, s.like(x, double(tail.out->zero))) : x;
  }

private:
  Lowering &l;
  const Tail &tail;
  HostTensor factors;
  std::vector<float> units;
  std::optional<HostTensor> bias;
};
} // namespace

static void replace(Operation *op, const Tail &tail, Value value) {
  tail.last->getResult(0).replaceAllUsesWith(value);
  if (tail.last != op)
    return; // the chain is unused now
}

static bool recoverConv(Operation *op, bool transposed) {
  OnnxNode node(op);
  auto x = dequantised(node.input(0)), w = dequantised(node.input(1));
  // A scale for each channel of the result: dimension 0 of OIHW, 1 of IOHW.
  if (!x || !w || !x->perTensor() || !x->isEightBits() || !w->isEightBits() ||
      !constantAttrOf(w->integer) || (!w->perTensor() && w->axis != (transposed ? 1 : 0)) ||
      (!w->perTensor() && transposed && node.getInt("group", 1) != 1))
    return false;
  Tail tail = tailOf(op);
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape())
    return false;
  Operation *at = tail.last;
  Lowering l{OpBuilder(at), node};
  Product product(l, *x, *w, tail, type.getDimSize(1));
  if (!product.setBias(node.input(2)))
    return false;
  auto result = RankedTensorType::get(type.getShape(), tail.out ? elementOf(tail.out->integer)
                                                                : type.getElementType());
  auto build = transposed ? buildConvTranspose : buildConv;
  auto value = build(
      l, x->integer, w->integer, product.extras(), result,
      [&](S &s, Values v) { return product.body(s, v); }, {x->zero, w->zero}, tail.out.has_value());
  if (failed(value))
    return false;
  replace(op, tail, *value);
  return true;
}

/// MatMul and Gemm; both sides may be computed (attention).
static bool recoverMatmul(Operation *op, bool gemm) {
  OnnxNode node(op);
  auto x = dequantised(node.input(0)), w = dequantised(node.input(1));
  if (!x || !w || !x->perTensor() || !x->isEightBits() || !w->isEightBits())
    return false;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape() || type.getRank() < 2 || shapeOf(w->integer).size() < 2)
    return false;
  bool transposed = gemm && node.getInt("transB", 0);
  if (gemm && (node.getInt("transA", 0) || node.getFloat("alpha", 1) != 1 ||
               (node.input(2) && node.getFloat("beta", 1) != 1)))
    return false;
  int64_t columns = type.getShape().back(), rank = shapeOf(w->integer).size();
  if (!w->perTensor() && (rank != 2 || w->axis != (transposed ? 0 : 1)))
    return false;
  Tail tail = tailOf(op);
  Lowering l{OpBuilder(tail.last), node};
  Product product(l, *x, *w, tail, columns);
  if (gemm && !product.setBias(node.input(2)))
    return false;
  Value lhs, rhs;
  if (gemm) {
    ArrayRef<int64_t> s = shapeOf(x->integer);
    lhs = l.reshape(x->integer, {1, s[0], s[1]});
    rhs = gemmWeight(l, w->integer, transposed);
  } else {
    MatmulOperands operands = matmulOperands(l, x->integer, w->integer);
    lhs = operands.lhs, rhs = operands.rhs;
  }
  SmallVector<Value> extras = product.extras();
  Type element = tail.out ? elementOf(tail.out->integer) : type.getElementType();
  Lowering::Shape shape(shapeOf(lhs));
  shape.back() = columns;
  AffineMap column =
      AffineMap::get(shape.size(), 0, getAffineDimExpr(shape.size() - 1, l.b.getContext()));
  auto made =
      MatmulOp::create(l.b, l.loc, RankedTensorType::get(shape, element), lhs, rhs, extras,
                       l.b.getAffineMapArrayAttr(SmallVector<AffineMap>(extras.size(), column)),
                       false, x->zero, w->zero);
  l.fillBody(
      made.getBody(), l.b.getI32Type(), extras, element,
      [&](S &s, Values v) { return product.body(s, v); }, tail.out.has_value());
  replace(op, tail, l.reshape(made, type.getShape()));
  return true;
}

/// sum of integers, then (sum - n*zp) * (s / n).
static bool recoverGlobalAverage(Operation *op) {
  OnnxNode node(op);
  auto x = dequantised(node.input(0));
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!x || !x->perTensor() || !type || !type.hasStaticShape() || type.getRank() != 4)
    return false;
  Lowering l{OpBuilder(op), node};
  ArrayRef<int64_t> s = shapeOf(x->integer);
  double count = double(s[2]) * s[3];
  Value sum = l.reduce(ReduceKind::Sum, toChannelsLast(l, x->integer), {1, 2},
                       type.getElementType(), [&](S &s, Values v) {
                         Value centred = s.sub(v[0], s.like(v[0], count * x->zero));
                         Value real = s.cast(centred, s.builder().getF32Type());
                         return s.mul(real, s.like(real, x->scale[0] / count));
                       });
  op->getResult(0).replaceAllUsesWith(fromChannelsLast(l, sum, 4));
  return true;
}

/// The first operand of a node of known shape, if it is 8-bit integers with one scale.
static auto eightBitInput(Operation *op) {
  auto x = dequantised(OnnxNode(op).input(0));
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  bool fits = x && x->perTensor() && x->isEightBits() && type && type.hasStaticShape();
  return fits ? x : std::nullopt;
}

/// A window's sum of integers, from which the zero points that it counts are taken.
static bool recoverAverage(Operation *op) {
  auto x = eightBitInput(op);
  if (!x)
    return false;
  OnnxNode node(op); // the lowering refers to it
  Lowering l{OpBuilder(op), node};
  auto value = buildAveragePool(l, x->integer, x->scale[0], x->zero);
  if (failed(value))
    return false;
  op->getResult(0).replaceAllUsesWith(*value);
  return true;
}

/// Resizing that repeats or leaves out elements.
static bool isNearest(Operation *op) {
  StringRef kind = op->getName().stripDialect();
  return (kind == "Resize" || kind == "Upsample") &&
         OnnxNode(op).getString("mode", "nearest") == "nearest";
}

static bool recoverLinearResize(Operation *op) {
  auto x = eightBitInput(op);
  if (!x)
    return false;
  OnnxNode node(op); // the lowering refers to it
  Lowering l{OpBuilder(op), node};
  auto value = buildLinearResize(l, x->integer, x->scale[0], x->zero);
  if (value)
    op->getResult(0).replaceAllUsesWith(*value);
  return value.has_value();
}

namespace {
struct RecoverQdq : accel::impl::RecoverQdqBase<RecoverQdq> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Nodes);
    if (failed(main))
      return signalPassFailure();
    Block &block = main->getBody().front();
    bool any = false;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      StringRef kind = op.getName().getStringRef();
      any |= kind == "onnx.DequantizeLinear";
      if (kind == "onnx.QLinearConv" || kind == "onnx.QLinearMatMul")
        any |= expandQLinear(&op);
    }
    if (!any)
      return;
    for (Operation &op : llvm::make_early_inc_range(block))
      if (OnnxNode::isOnnx(&op) && op.getNumResults())
        recover(&op);
    for (Operation &op : llvm::make_early_inc_range(block))
      if (op.getName().getStringRef() == "onnx.DequantizeLinear" && !op.use_empty())
        foldDequantised(&op);
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if ((OnnxNode::isOnnx(&op) || isa<accel::ConstantOp>(op)) && op.getNumResults() &&
          op.use_empty())
        op.erase();
  }

  static void recover(Operation *op) {
    StringRef kind = op->getName().stripDialect();
    if (kind == "Conv" || kind == "ConvTranspose")
      recoverConv(op, kind == "ConvTranspose");
    else if (kind == "MatMul" || kind == "Gemm")
      recoverMatmul(op, kind == "Gemm");
    else if (kind == "GlobalAveragePool")
      recoverGlobalAverage(op);
    else if (kind == "AveragePool")
      recoverAverage(op);
    else if ((kind == "Resize" || kind == "Upsample") && !isNearest(op))
      recoverLinearResize(op);
    else if (kind == "Concat")
      joinQuantised(op);
    else if (kind == "QuantizeLinear")
      dropRequantisation(op);
    else if (kind == "MaxPool" || kind == "Reshape" || kind == "Flatten" || kind == "Transpose" ||
             kind == "Squeeze" || kind == "Unsqueeze" || kind == "Slice" || kind == "Gather" ||
             kind == "Expand" || kind == "Tile" || kind == "DepthToSpace" ||
             kind == "SpaceToDepth" || isNearest(op))
      moveBehind(op);
  }
};
} // namespace

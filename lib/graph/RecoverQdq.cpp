//===- RecoverQdq.cpp - integer operators from quantised float ones -------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   DequantizeLinear(x), DequantizeLinear(w) -> Conv | MatMul | Gemm
//     [-> Relu | Clip] -> QuantizeLinear
//
// computes sat(rne(f32(acc + bias) * m_c) + zp) with exact i32 sums and
// m_c = f32(sx * sw_c / sy), one f32 operation after the other. Without the
// QuantizeLinear the result is f32(acc + bias) * f32(sx * sw_c). Operators that
// only move or compare elements work on the integers themselves where both
// sides have the same scale and zero point.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Lowering.h"
#include "acc/Graph/Matmul.h"
#include "acc/Graph/Passes.h"
#include "acc/Graph/Window.h"
#include "accel/Forms.h"

#include "mlir/IR/IRMapping.h"
#include <cmath>

using namespace mlir;

namespace accel {
#define GEN_PASS_DEF_RECOVERQDQ
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;

static Operation *defining(Value value, StringRef kind) {
  Operation *op = value ? value.getDefiningOp() : nullptr;
  return op && OnnxNode::isOnnx(op) && op->getName().stripDialect() == kind ? op : nullptr;
}

static std::optional<HostTensor> smallConstant(Value value) {
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!type || !type.hasStaticShape() || type.getNumElements() > kFoldLimit)
    return std::nullopt;
  return constantOf(value);
}

namespace {
/// Scale and zero point of a QuantizeLinear or DequantizeLinear with constants.
struct Quantisation {
  std::vector<float> scale; // one, or one for each index along `axis`
  int64_t zero = 0;
  int64_t axis = 1;
  Value integer; // the quantised side
  bool perTensor() const { return scale.size() == 1; }
  bool operator==(const Quantisation &o) const {
    return perTensor() && o.perTensor() && scale == o.scale && zero == o.zero &&
           elementOf(integer) == elementOf(o.integer);
  }
};
} // namespace

static std::optional<Quantisation> read(Operation *op, Value integer) {
  if (!op)
    return std::nullopt;
  OnnxNode node(op);
  auto scale = smallConstant(node.input(1));
  auto type = dyn_cast<RankedTensorType>(integer.getType());
  if (!scale || !scale->element().isF32() || node.getInt("block_size", 0) || !type ||
      !type.hasStaticShape() || !type.getElementType().isInteger() ||
      type.getElementTypeBitWidth() > 16)
    return std::nullopt;
  Quantisation q;
  q.integer = integer;
  q.axis = node.getInt("axis", 1);
  if (q.axis < 0)
    q.axis += type.getRank();
  for (int64_t i = 0; i < scale->size(); ++i)
    q.scale.push_back(float(scale->getFloat(i)));
  if (node.input(2)) {
    auto zero = smallConstant(node.input(2));
    if (!zero || !zero->isSplat())
      return std::nullopt;
    q.zero = zero->getInt(0);
  }
  return q;
}
static std::optional<Quantisation> dequantised(Value value) {
  Operation *op = defining(value, "DequantizeLinear");
  return op ? read(op, op->getOperand(0)) : std::nullopt;
}
static std::optional<Quantisation> quantised(Operation *op) { return read(op, op->getResult(0)); }

static bool eightBits(const Quantisation &q) {
  return elementOf(q.integer).isInteger(8) || elementOf(q.integer).getIntOrFloatBitWidth() == 8;
}

namespace {
/// What follows the product: an activation, then perhaps a QuantizeLinear.
struct Tail {
  Operation *last; // its result is what the integer operator gives
  std::optional<Quantisation> out;
  std::optional<float> low, high;
};
} // namespace

static Tail tailOf(Operation *op) {
  Tail tail{op, std::nullopt, std::nullopt, std::nullopt};
  Operation *at = op;
  std::optional<float> low, high;
  while (at->getResult(0).hasOneUse()) {
    Operation *user = *at->getResult(0).user_begin();
    if (!OnnxNode::isOnnx(user) || user->getOperand(0) != at->getResult(0))
      break;
    OnnxNode node(user);
    if (node.kind() == "QuantizeLinear") {
      auto out = quantised(user);
      if (out && out->perTensor() && eightBits(*out))
        tail = Tail{user, out, low, high};
      break;
    }
    if (node.kind() == "Relu" && !low) {
      low = 0;
    } else if (node.kind() == "Clip" && !low && !high) {
      auto bound = [&](unsigned i) -> std::optional<float> {
        auto tensor = smallConstant(node.input(i));
        return tensor ? std::optional<float>(tensor->getFloat(0)) : std::nullopt;
      };
      if ((node.input(1) && !bound(1)) || (node.input(2) && !bound(2)))
        break;
      low = bound(1), high = bound(2);
    } else {
      break;
    }
    at = user;
  }
  return tail;
}

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
    return s.add(s.round(x), s.like(x, double(tail.out->zero)));
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

static bool recoverConv(Operation *op) {
  OnnxNode node(op);
  auto x = dequantised(node.input(0)), w = dequantised(node.input(1));
  if (!x || !w || !x->perTensor() || !eightBits(*x) || !eightBits(*w) ||
      !constantAttrOf(w->integer) || (!w->perTensor() && w->axis != 0))
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
  auto value = buildConv(
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
  if (!x || !w || !x->perTensor() || !eightBits(*x) || !eightBits(*w))
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

/// Q(op(DQ(x))) = op(x) for operators that only move or compare elements.
static bool recoverMove(Operation *op) {
  auto x = dequantised(op->getOperand(0));
  Tail tail = tailOf(op);
  if (!x || !tail.out || tail.low || tail.high || !(*x == *tail.out))
    return false;
  OpBuilder b(tail.last);
  IRMapping mapping;
  Operation *copy = b.clone(*op, mapping);
  copy->setOperand(0, x->integer);
  copy->getResult(0).setType(
      RankedTensorType::get(shapeOf(op->getResult(0)), elementOf(x->integer)));
  tail.last->getResult(0).replaceAllUsesWith(copy->getResult(0));
  return true;
}

namespace {
struct RecoverQdq : accel::impl::RecoverQdqBase<RecoverQdq> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Nodes);
    if (failed(main))
      return signalPassFailure();
    Block &block = main->getBody().front();
    bool any = llvm::any_of(block, [](Operation &op) {
      return op.getName().getStringRef() == "onnx.DequantizeLinear";
    });
    if (!any)
      return;
    for (Operation &op : llvm::make_early_inc_range(block))
      if (OnnxNode::isOnnx(&op) && op.getNumResults())
        recover(&op);
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if ((OnnxNode::isOnnx(&op) || isa<accel::ConstantOp>(op)) && op.getNumResults() &&
          op.use_empty())
        op.erase();
  }

  static void recover(Operation *op) {
    StringRef kind = op->getName().stripDialect();
    if (kind == "Conv")
      recoverConv(op);
    else if (kind == "MatMul" || kind == "Gemm")
      recoverMatmul(op, kind == "Gemm");
    else if (kind == "GlobalAveragePool")
      recoverGlobalAverage(op);
    else if (kind == "MaxPool" || kind == "Reshape" || kind == "Flatten" || kind == "Transpose" ||
             kind == "Squeeze" || kind == "Unsqueeze" || kind == "Slice" || kind == "Gather" ||
             kind == "Expand" || kind == "Tile" || kind == "DepthToSpace")
      recoverMove(op);
  }
};
} // namespace

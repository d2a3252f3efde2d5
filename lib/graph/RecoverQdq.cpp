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

static bool recoverConv(Operation *op, bool transposed) {
  OnnxNode node(op);
  auto x = dequantised(node.input(0)), w = dequantised(node.input(1));
  // A scale for each channel of the result: dimension 0 of OIHW, 1 of IOHW.
  if (!x || !w || !x->perTensor() || !eightBits(*x) || !eightBits(*w) ||
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

/// Resizing that repeats or leaves out elements.
static bool isNearest(Operation *op) {
  StringRef kind = op->getName().stripDialect();
  return (kind == "Resize" || kind == "Upsample") &&
         OnnxNode(op).getString("mode", "nearest") == "nearest";
}

/// A copy of `op` in front of `at` that reads `operands` and gives `element`.
static Value copyOf(Operation *op, Operation *at, ArrayRef<Value> operands, Type element) {
  OpBuilder b(at);
  Operation *copy = b.clone(*op);
  for (auto [i, operand] : llvm::enumerate(operands))
    copy->setOperand(i, operand);
  Value result = copy->getResult(0);
  result.setType(RankedTensorType::get(shapeOf(op->getResult(0)), element));
  return result;
}

/// The QuantizeLinear or DequantizeLinear `op` applied to `value`.
static Value applied(Operation *op, Operation *at, Value value) {
  OpBuilder b(at);
  Operation *copy = b.clone(*op);
  copy->setOperand(0, value);
  Value result = copy->getResult(0);
  result.setType(RankedTensorType::get(shapeOf(value), elementOf(result)));
  return result;
}

/// op(DQ(x)) = DQ(op(x)) for operators that only move or compare elements.
static bool recoverMove(Operation *op) {
  auto x = dequantised(op->getOperand(0));
  if (!x || !x->perTensor() ||
      !llvm::all_of(op->getResults().drop_front(), [](Value other) { return other.use_empty(); }))
    return false;
  Value moved = copyOf(op, op, x->integer, elementOf(x->integer));
  op->getResult(0).replaceAllUsesWith(applied(op->getOperand(0).getDefiningOp(), op, moved));
  return true;
}

/// Joins what is quantised, so that no float tensor has to be stored.
static bool recoverConcat(Operation *op) {
  Tail tail = tailOf(op);
  SmallVector<Value> integers;
  auto first = dequantised(op->getOperand(0));
  if (tail.out && !tail.low && !tail.high) {
    for (Value operand : op->getOperands()) {
      auto q = dequantised(operand);
      integers.push_back(q && *q == *tail.out ? q->integer : applied(tail.last, op, operand));
    }
    Value joined = copyOf(op, op, integers, elementOf(tail.out->integer));
    tail.last->getResult(0).replaceAllUsesWith(joined);
    return true;
  }
  for (Value operand : op->getOperands()) {
    auto q = dequantised(operand);
    if (!q || !first || !(*q == *first))
      return false;
    integers.push_back(q->integer);
  }
  Value joined = copyOf(op, op, integers, elementOf(first->integer));
  op->getResult(0).replaceAllUsesWith(applied(op->getOperand(0).getDefiningOp(), op, joined));
  return true;
}

/// Q(DQ(x)) with the same scale and zero point.
static bool dropRequantisation(Operation *op) {
  auto x = dequantised(op->getOperand(0)), y = quantised(op);
  if (!x || !y || !eightBits(*x) || !(*x == *y))
    return false;
  op->getResult(0).replaceAllUsesWith(x->integer);
  return true;
}

/// Q(op(DQ(x), DQ(w) [, DQ(bias)])) in the place of QLinearConv or QLinearMatMul.
static bool expandQLinear(Operation *op) {
  OnnxNode node(op);
  bool conv = node.kind() == "QLinearConv";
  auto sx = smallConstant(node.input(1)), sw = smallConstant(node.input(4));
  if (!sx || !sw || sx->size() != 1 || !node.input(2) || !node.input(5) || !node.input(7))
    return false;
  OpBuilder b(op);
  Type f32 = b.getF32Type();
  auto make = [&](StringRef kind, ArrayRef<Value> operands, Type type) {
    OperationState state(op->getLoc(), ("onnx." + kind).str());
    state.addOperands(operands);
    state.addTypes(type);
    return b.create(state);
  };
  auto real = [&](Value value) { return RankedTensorType::get(shapeOf(value), f32); };
  auto dequantise = [&](Value value, Value scale, Value zero, int64_t axis) {
    SmallVector<Value> operands{value, scale};
    if (zero)
      operands.push_back(zero);
    Operation *made = make("DequantizeLinear", operands, real(value));
    made->setAttr("axis", b.getIntegerAttr(b.getIntegerType(64, /*isSigned=*/true), axis));
    return made->getResult(0);
  };
  Value w = node.input(3);
  int64_t channelAxis = conv ? 0 : int64_t(shapeOf(w).size()) - 1;
  SmallVector<Value> operands{dequantise(node.input(0), node.input(1), node.input(2), 1),
                              dequantise(w, node.input(4), node.input(5), channelAxis)};
  if (conv && node.input(8)) {
    // int32 in units of the product's scale, one operation in f32 as the operator is defined.
    HostTensor unit(f32, {shapeOf(node.input(8))[0]});
    for (int64_t c = 0; c < unit.size(); ++c)
      unit.setFloat(c, float(sx->getFloat(0)) * float(sw->getFloat(sw->size() == 1 ? 0 : c)));
    Lowering l{b, node};
    operands.push_back(dequantise(node.input(8), l.constant(unit), Value(), 0));
  }
  Operation *product = make(conv ? "Conv" : "MatMul", operands, real(op->getResult(0)));
  if (conv)
    product->setAttrs(op->getAttrs());
  Operation *result = make("QuantizeLinear", {product->getResult(0), node.input(6), node.input(7)},
                           op->getResult(0).getType());
  op->getResult(0).replaceAllUsesWith(result->getResult(0));
  op->erase();
  return true;
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
    else if (kind == "Concat")
      recoverConcat(op);
    else if (kind == "QuantizeLinear")
      dropRequantisation(op);
    else if (kind == "MaxPool" || kind == "Reshape" || kind == "Flatten" || kind == "Transpose" ||
             kind == "Squeeze" || kind == "Unsqueeze" || kind == "Slice" || kind == "Gather" ||
             kind == "Expand" || kind == "Tile" || kind == "DepthToSpace" ||
             kind == "SpaceToDepth" || isNearest(op))
      recoverMove(op);
  }
};
} // namespace

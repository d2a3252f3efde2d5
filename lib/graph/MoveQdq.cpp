//===- MoveQdq.cpp - conversions between integers and floats --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Moved, joined, cancelled, folded; none of it changes a bit.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Quantisation.h"

using namespace mlir;
using namespace accel;

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

/// op(DQ(x)) = DQ(op(x)).
bool accel::moveBehind(Operation *op) {
  auto x = dequantised(op->getOperand(0));
  if (!x || !x->perTensor() ||
      !llvm::all_of(op->getResults().drop_front(), [](Value other) { return other.use_empty(); }))
    return false;
  Value moved = copyOf(op, op, x->integer, elementOf(x->integer));
  op->getResult(0).replaceAllUsesWith(applied(op->getOperand(0).getDefiningOp(), op, moved));
  return true;
}

bool accel::joinQuantised(Operation *op) {
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

bool accel::dropRequantisation(Operation *op) {
  auto x = dequantised(op->getOperand(0)), y = quantised(op);
  if (!x || !y || !x->isEightBits() || !(*x == *y))
    return false;
  op->getResult(0).replaceAllUsesWith(x->integer);
  return true;
}

bool accel::expandQLinear(Operation *op) {
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

bool accel::foldDequantised(Operation *op) {
  constexpr int64_t most = 4096; // larger ones stay narrow until somebody reads them
  OnnxNode node(op);
  auto x = dequantised(op->getResult(0));
  auto integers = x ? smallConstant(x->integer) : std::nullopt;
  if (!integers || !x->perTensor() || integers->size() > most ||
      !elementOf(op->getResult(0)).isF32())
    return false;
  HostTensor real(elementOf(op->getResult(0)), integers->shape());
  for (int64_t i = 0; i < real.size(); ++i)
    real.setFloat(i, float(integers->getInt(i) - x->zero) * x->scale[0]);
  Lowering l{OpBuilder(op), node};
  op->getResult(0).replaceAllUsesWith(l.constant(real));
  return true;
}

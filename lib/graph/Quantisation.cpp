//===- Quantisation.cpp - reading QuantizeLinear and its inverse ----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Quantisation.h"

using namespace mlir;
using namespace accel;

Operation *accel::defining(Value value, StringRef kind) {
  Operation *op = value ? value.getDefiningOp() : nullptr;
  return op && OnnxNode::isOnnx(op) && op->getName().stripDialect() == kind ? op : nullptr;
}

std::optional<HostTensor> accel::smallConstant(Value value) {
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!type || !type.hasStaticShape() || type.getNumElements() > kFoldLimit)
    return std::nullopt;
  return constantOf(value);
}

bool Quantisation::operator==(const Quantisation &other) const {
  return perTensor() && other.perTensor() && scale == other.scale && zero == other.zero &&
         elementOf(integer) == elementOf(other.integer);
}

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
std::optional<Quantisation> accel::dequantised(Value value) {
  Operation *op = defining(value, "DequantizeLinear");
  return op ? read(op, op->getOperand(0)) : std::nullopt;
}
std::optional<Quantisation> accel::quantised(Operation *op) { return read(op, op->getResult(0)); }

Tail accel::tailOf(Operation *op) {
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
      if (out && out->perTensor() && out->isEightBits())
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

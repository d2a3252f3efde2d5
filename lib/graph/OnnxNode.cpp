//===- OnnxNode.cpp - reading an operation of the onnx dialect ------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/OnnxNode.h"

#include "mlir/IR/Location.h"

using namespace mlir;
using namespace accel;

/// Values in ONNX order: an absent optional one is null.
template <typename Range>
static void spread(Operation *op, StringRef segments, Range values, SmallVectorImpl<Value> &to) {
  auto sizes = op->getAttrOfType<DenseI32ArrayAttr>(segments);
  if (!sizes) {
    for (Value value : values)
      to.push_back(isa<NoneType>(value.getType()) ? Value() : value);
    return;
  }
  unsigned at = 0;
  for (int32_t size : sizes.asArrayRef()) {
    if (size == 0)
      to.push_back(Value());
    for (int32_t i = 0; i < size; ++i) {
      Value value = values[at++];
      to.push_back(isa<NoneType>(value.getType()) ? Value() : value);
    }
  }
}

OnnxNode::OnnxNode(Operation *op) : operation(op) {
  spread(op, "operandSegmentSizes", op->getOperands(), inputs);
  spread(op, "resultSegmentSizes", op->getResults(), outputs);
  while (!inputs.empty() && !inputs.back())
    inputs.pop_back();
}

std::string accel::nodeName(Location loc) {
  if (auto named = dyn_cast<NameLoc>(loc))
    return named.getName().str();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::string name = nodeName(part); !name.empty())
        return name;
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return nodeName(call.getCallee());
  return "";
}

std::string OnnxNode::name() const { return nodeName(operation->getLoc()); }

Attribute OnnxNode::getAttr(StringRef attr) const { return operation->getAttr(attr); }

bool OnnxNode::has(StringRef attr) const { return bool(getAttr(attr)); }

int64_t OnnxNode::getInt(StringRef attr, int64_t missing) const {
  Attribute value = getAttr(attr);
  if (auto number = dyn_cast_or_null<IntegerAttr>(value))
    return number.getValue().getSExtValue();
  return missing;
}

double OnnxNode::getFloat(StringRef attr, double missing) const {
  auto number = dyn_cast_or_null<FloatAttr>(getAttr(attr));
  return number ? number.getValueAsDouble() : missing;
}

std::string OnnxNode::getString(StringRef attr, StringRef missing) const {
  auto text = dyn_cast_or_null<StringAttr>(getAttr(attr));
  return text ? text.getValue().str() : missing.str();
}

std::optional<SmallVector<int64_t>> OnnxNode::getInts(StringRef attr) const {
  Attribute value = getAttr(attr);
  if (auto dense = dyn_cast_or_null<DenseI64ArrayAttr>(value))
    return SmallVector<int64_t>(dense.asArrayRef());
  auto array = dyn_cast_or_null<ArrayAttr>(value);
  if (!array)
    return std::nullopt;
  SmallVector<int64_t> result;
  for (Attribute element : array) {
    auto number = dyn_cast<IntegerAttr>(element);
    if (!number)
      return std::nullopt;
    result.push_back(number.getValue().getSExtValue());
  }
  return result;
}

std::optional<SmallVector<double>> OnnxNode::getFloats(StringRef attr) const {
  Attribute value = getAttr(attr);
  SmallVector<double> result;
  if (auto dense = dyn_cast_or_null<DenseF32ArrayAttr>(value)) {
    result.assign(dense.asArrayRef().begin(), dense.asArrayRef().end());
    return result;
  }
  auto array = dyn_cast_or_null<ArrayAttr>(value);
  if (!array)
    return std::nullopt;
  for (Attribute element : array) {
    auto number = dyn_cast<FloatAttr>(element);
    if (!number)
      return std::nullopt;
    result.push_back(number.getValueAsDouble());
  }
  return result;
}

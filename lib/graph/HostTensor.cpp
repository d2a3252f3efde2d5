//===- HostTensor.cpp - a tensor of known values at compile time ----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/HostTensor.h"

#include "onnx/Onnx.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

using namespace mlir;
using namespace accel;

int64_t accel::elementBytes(Type type) {
  return std::max<int64_t>(1, (type.getIntOrFloatBitWidth() + 7) / 8);
}

int64_t accel::elementCount(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

SmallVector<int64_t> accel::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t d = int64_t(shape.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

HostTensor::HostTensor(Type element, ArrayRef<int64_t> shape)
    : type(element), dims(shape), count(elementCount(shape)), width(elementBytes(element)),
      owned(std::make_shared<std::vector<char>>(count * width)), view(*owned) {}

HostTensor::HostTensor(Type element, ArrayRef<int64_t> shape, ArrayRef<char> bytes,
                       std::shared_ptr<void> owner)
    : type(element), dims(shape), count(elementCount(shape)), width(elementBytes(element)),
      keeper(std::move(owner)), view(bytes) {}

HostTensor HostTensor::ofInts(Type element, ArrayRef<int64_t> shape, ArrayRef<int64_t> values) {
  HostTensor tensor(element, shape);
  for (auto [index, value] : llvm::enumerate(values))
    tensor.setInt(index, value);
  return tensor;
}

HostTensor HostTensor::ofFloats(Type element, ArrayRef<int64_t> shape, ArrayRef<double> values) {
  HostTensor tensor(element, shape);
  for (auto [index, value] : llvm::enumerate(values))
    tensor.setFloat(index, value);
  return tensor;
}

template <typename T> static T loadAs(const char *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <typename T> static void storeAs(char *to, T value) { std::memcpy(to, &value, sizeof(T)); }

double HostTensor::getFloat(int64_t index) const {
  auto floats = dyn_cast<FloatType>(type);
  if (!floats)
    return double(getInt(index));
  const char *at = view.data() + index * width;
  if (floats.isF32())
    return loadAs<float>(at);
  if (floats.isF64())
    return loadAs<double>(at);
  uint64_t bits = 0;
  std::memcpy(&bits, at, width);
  APFloat value(floats.getFloatSemantics(), APInt(floats.getWidth(), bits, false, true));
  bool lost;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

int64_t HostTensor::getInt(int64_t index) const {
  if (isFloat())
    return int64_t(getFloat(index));
  const char *at = view.data() + index * width;
  bool isUnsigned = this->isUnsigned();
  switch (width) {
  case 1:
    return isUnsigned ? int64_t(uint8_t(*at)) : int64_t(int8_t(*at));
  case 2:
    return isUnsigned ? int64_t(loadAs<uint16_t>(at)) : int64_t(loadAs<int16_t>(at));
  case 4:
    return isUnsigned ? int64_t(loadAs<uint32_t>(at)) : int64_t(loadAs<int32_t>(at));
  default:
    return loadAs<int64_t>(at);
  }
}

void HostTensor::setFloat(int64_t index, double value) {
  auto floats = dyn_cast<FloatType>(type);
  if (!floats)
    return setInt(index, int64_t(value));
  char *at = owned->data() + index * width;
  if (floats.isF32())
    return storeAs(at, float(value));
  if (floats.isF64())
    return storeAs(at, value);
  APFloat narrow(value);
  bool lost;
  narrow.convert(floats.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
  uint64_t bits = narrow.bitcastToAPInt().getZExtValue();
  std::memcpy(at, &bits, width);
}

void HostTensor::setInt(int64_t index, int64_t value) {
  if (isFloat())
    return setFloat(index, double(value));
  if (type.isInteger(1))
    value = value != 0;
  std::memcpy(owned->data() + index * width, &value, width);
}

void HostTensor::copyFrom(const HostTensor &other, int64_t from, int64_t to) {
  std::memcpy(owned->data() + to * width, other.view.data() + from * width, width);
}

SmallVector<int64_t> HostTensor::ints() const {
  SmallVector<int64_t> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = getInt(i);
  return values;
}

HostTensor HostTensor::reshaped(ArrayRef<int64_t> shape) const {
  HostTensor other = *this;
  other.dims.assign(shape.begin(), shape.end());
  return other;
}

bool HostTensor::isSplat() const {
  for (int64_t i = 1; i < count; ++i)
    if (std::memcmp(view.data(), view.data() + i * width, width))
      return false;
  return count > 0;
}

DenseElementsAttr HostTensor::toAttr() const {
  RankedTensorType shaped = tensorType();
  if (count && type.getIntOrFloatBitWidth() % 8 == 0)
    return DenseElementsAttr::getFromRawBuffer(shaped, isSplat() ? view.take_front(width)
                                                                 : view.take_front(count * width));
  if (type.isInteger(1)) {
    SmallVector<bool> values(count);
    for (int64_t i = 0; i < count; ++i)
      values[i] = getInt(i);
    return DenseElementsAttr::get(shaped, values);
  }
  SmallVector<Attribute> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = isFloat() ? Attribute(FloatAttr::get(type, getFloat(i)))
                          : Attribute(IntegerAttr::get(type, getInt(i)));
  return DenseElementsAttr::get(shaped, values);
}

HostTensor HostTensor::fromAttr(DenseElementsAttr attr) {
  auto shaped = cast<RankedTensorType>(attr.getType());
  Type element = shaped.getElementType();
  bool wholeBytes = element.getIntOrFloatBitWidth() % 8 == 0;
  if (wholeBytes && !attr.isSplat()) // The context keeps the bytes.
    return HostTensor(element, shaped.getShape(), attr.getRawData());
  HostTensor tensor(element, shaped.getShape());
  if (wholeBytes) {
    for (int64_t i = 0; i < tensor.count; ++i)
      std::memcpy(tensor.owned->data() + i * tensor.width, attr.getRawData().data(), tensor.width);
    return tensor;
  }
  if (isa<FloatType>(element)) {
    for (auto [index, value] : llvm::enumerate(attr.getValues<APFloat>())) {
      bool lost;
      value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
      tensor.setFloat(index, value.convertToDouble());
    }
    return tensor;
  }
  bool isUnsigned = tensor.isUnsigned();
  for (auto [index, value] : llvm::enumerate(attr.getValues<APInt>()))
    tensor.setInt(index, isUnsigned ? int64_t(value.getZExtValue()) : value.getSExtValue());
  return tensor;
}

std::optional<HostTensor> accel::readConstant(Attribute value, RankedTensorType type) {
  if (auto dense = dyn_cast_or_null<DenseElementsAttr>(value)) {
    if (dense.getNumElements() != type.getNumElements())
      return std::nullopt;
    return HostTensor::fromAttr(dense).reshaped(type.getShape());
  }
  auto file = dyn_cast_or_null<accel::onnx::FileAttr>(value);
  if (!file)
    return std::nullopt;
  auto raw = accel::onnx::WeightFiles::of(type.getContext()).bytes(file);
  if (!raw || int64_t(raw->size()) < accel::onnx::rawByteSize(type))
    return std::nullopt;
  if (type.getElementTypeBitWidth() % 8 == 0)
    return HostTensor(type.getElementType(), type.getShape(), *raw);
  return HostTensor::fromAttr(accel::onnx::denseFromRaw(type, *raw));
}

//===- WeightBytes.cpp - ONNX's raw tensor layout and dense attributes ----===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX packs types below a byte, low bits first, and gives bool a byte; MLIR's
// dense attributes give every type whole bytes but pack bool.
//
//===----------------------------------------------------------------------===//

#include "onnx/Onnx.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace accel::onnx;

/// Bits of an element in raw ONNX data, 0 if it has no fixed size.
static int64_t rawBits(Type type) {
  if (type.isInteger(1))
    return 8;
  if (type.isIntOrFloat())
    return type.getIntOrFloatBitWidth();
  if (auto complex = dyn_cast<ComplexType>(type))
    return 2 * complex.getElementType().getIntOrFloatBitWidth();
  return 0;
}

int64_t accel::onnx::rawByteSize(ShapedType type) {
  int64_t bits = type ? rawBits(type.getElementType()) : 0;
  if (!bits || !type.hasStaticShape())
    return -1;
  int64_t count = 1;
  for (int64_t dim : type.getShape())
    if (llvm::MulOverflow(count, dim, count))
      return -1;
  if (llvm::MulOverflow(count, bits, bits) || bits > INT64_MAX - 7)
    return -1;
  return (bits + 7) / 8;
}

/// Width in bits below a byte, otherwise 0.
static unsigned packedBits(Type type) {
  int64_t bits = rawBits(type);
  return bits < 8 ? bits : 0;
}

DenseElementsAttr accel::onnx::denseFromRaw(ShapedType type, ArrayRef<char> raw) {
  Type element = type.getElementType();
  int64_t count = type.getNumElements();
  if (element.isInteger(1)) {
    SmallVector<bool> values;
    for (char byte : raw)
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, values);
  }
  if (unsigned bits = packedBits(element)) {
    std::vector<char> wide(count);
    for (int64_t i = 0; i < count; ++i) {
      int64_t at = i * bits;
      wide[i] = (static_cast<unsigned char>(raw[at / 8]) >> (at % 8)) & ((1 << bits) - 1);
    }
    return DenseElementsAttr::getFromRawBuffer(type, wide);
  }
  return DenseElementsAttr::getFromRawBuffer(type, raw);
}

std::vector<char> accel::onnx::rawFromDense(DenseElementsAttr attr) {
  Type element = attr.getElementType();
  int64_t count = attr.getNumElements();
  if (element.isInteger(1)) {
    std::vector<char> raw;
    for (bool value : attr.getValues<bool>())
      raw.push_back(value);
    return raw;
  }
  ArrayRef<char> data = attr.getRawData();
  if (unsigned bits = packedBits(element)) {
    std::vector<char> raw(rawByteSize(attr.getType()));
    for (int64_t i = 0; i < count; ++i) {
      int64_t at = i * bits;
      raw[at / 8] |= (data[attr.isSplat() ? 0 : i] & ((1 << bits) - 1)) << (at % 8);
    }
    return raw;
  }
  if (!attr.isSplat())
    return std::vector<char>(data.begin(), data.end());
  std::vector<char> raw;
  raw.reserve(data.size() * count);
  for (int64_t i = 0; i < count; ++i)
    raw.insert(raw.end(), data.begin(), data.end());
  return raw;
}

Attribute accel::onnx::makeConstant(ShapedType type, std::vector<char> raw) {
  if (int64_t(raw.size()) <= kDenseLimit)
    return denseFromRaw(type, raw);
  MLIRContext *context = type.getContext();
  return WeightFiles::of(context).own(context, std::move(raw));
}

std::optional<ArrayRef<char>> accel::onnx::rawBytes(Attribute value, MLIRContext *context,
                                                    std::vector<char> &storage,
                                                    std::string *error) {
  if (auto file = dyn_cast_or_null<FileAttr>(value))
    return WeightFiles::of(context).bytes(file, error);
  if (auto dense = dyn_cast_or_null<DenseElementsAttr>(value)) {
    if (rawBits(dense.getElementType())) {
      storage = rawFromDense(dense);
      return ArrayRef<char>(storage);
    }
  }
  if (error)
    *error = "the constant is not a tensor of numbers";
  return std::nullopt;
}

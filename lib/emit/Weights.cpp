//===- Weights.cpp - constants become chunks of the artifact ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Weights.h"

#include "acc/Emit/Packing.h"

#include <memory>

using namespace mlir;

namespace accel::emit {
namespace {

/// Bytes of a constant: a mapped file's or a copy of a dense attribute's.
struct Constant {
  std::vector<char> copy;
  ArrayRef<char> bytes;
};

FailureOr<std::shared_ptr<Constant>> read(Operation *op, Attribute value, ShapedType type,
                                          const WeightReader &reader) {
  auto constant = std::make_shared<Constant>();
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    size_t count = size_t(dense.getNumElements());
    Type element = dense.getElementType();
    if (element.isInteger(1)) { // packed bits in the attribute, bytes in memory
      for (bool bit : dense.getValues<bool>())
        constant->copy.push_back(bit);
    } else if (dense.isSplat()) {
      ArrayRef<char> one = dense.getRawData();
      constant->copy.reserve(one.size() * count);
      for (size_t i = 0; i < count; ++i)
        constant->copy.insert(constant->copy.end(), one.begin(), one.end());
    } else {
      constant->bytes = dense.getRawData();
      return constant;
    }
    constant->bytes = constant->copy;
    return constant;
  }
  if (reader) {
    FailureOr<ArrayRef<char>> bytes = reader(value, type);
    if (succeeded(bytes)) {
      constant->bytes = *bytes;
      return constant;
    }
  }
  return op->emitError("emit: the bytes of this constant cannot be read: ") << value;
}

} // namespace

LogicalResult addWeights(TensorOp tensor, const rt::TensorInfo &info, const WeightReader &reader,
                         rt::ArtifactBuilder &builder) {
  auto memref = cast<MemRefType>(tensor.getResult().getType());
  auto packing = std::make_shared<Packing>();
  packing->resultType = memref.getElementType();
  ShapedType source = memref;
  if (PackAttr pack = tensor.getPackAttr()) {
    source = dyn_cast<ShapedType>(pack.getSource().getValue());
    if (!source)
      return tensor.emitError("emit: the pack's source is no tensor type");
    packing->kind = pack.getKind().str();
    packing->groups = pack.getGroups();
    if (DenseI64ArrayAttr perm = pack.getPerm())
      packing->perm.assign(perm.asArrayRef().begin(), perm.asArrayRef().end());
    if (Attribute scale = pack.getScale()) {
      int64_t channels = 0;
      if (auto dense = dyn_cast<DenseElementsAttr>(scale))
        channels = dense.getNumElements();
      else
        channels = memref.getShape().back() * pack.getGroups();
      auto type = RankedTensorType::get({channels}, Float32Type::get(tensor.getContext()));
      auto factors = read(tensor, scale, type, reader);
      if (failed(factors))
        return failure();
      packing->scale.resize((*factors)->bytes.size() / sizeof(float));
      std::memcpy(packing->scale.data(), (*factors)->bytes.data(),
                  packing->scale.size() * sizeof(float));
    }
  }
  packing->shape.assign(source.getShape().begin(), source.getShape().end());
  packing->sourceType = source.getElementType();
  auto constant = read(tensor, tensor.getValueAttr(), source, reader);
  if (failed(constant))
    return failure();
  std::string problem = check(*packing, (*constant)->bytes.size());
  if (!problem.empty())
    return tensor.emitError("emit: cannot pack '") << tensor.getName() << "': " << problem;
  if (source.getNumElements() != memref.getNumElements())
    return tensor.emitError("emit: '") << tensor.getName() << "' has " << memref.getNumElements()
                                       << " elements, its source " << source.getNumElements();
  builder.AddWeights(info.region, info.offset, info.bytes,
                     [packing, constant = *constant](rt::WeightSink &sink) {
                       absl::Status status;
                       pack(*packing, constant->bytes, [&](const char *bytes, size_t count) {
                         status = sink.Append(bytes, count);
                         return status.ok();
                       });
                       return status;
                     });
  return success();
}

} // namespace accel::emit

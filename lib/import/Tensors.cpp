//===- Tensors.cpp - types and tensors between ONNX and MLIR --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"
#include "WireScan.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::TensorProto;
using ::onnx::TypeProto;

template <typename TensorType>
static Type importTensorType(const TensorType &type, MLIRContext *context) {
  Type element = ir::elementType(type.elem_type(), context);
  if (!element)
    return ir::UnknownType::get(context);
  if (!type.has_shape())
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> dims;
  for (const auto &dim : type.shape().dim())
    dims.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value()
                                                               : ShapedType::kDynamic);
  return RankedTensorType::get(dims, element);
}

Type accel::import::importType(const TypeProto &type, MLIRContext *context) {
  switch (type.value_case()) {
  case TypeProto::kTensorType:
    return importTensorType(type.tensor_type(), context);
  case TypeProto::kSparseTensorType:
    return ir::SparseType::get(context, importTensorType(type.sparse_tensor_type(), context));
  case TypeProto::kSequenceType:
    return ir::SeqType::get(context, importType(type.sequence_type().elem_type(), context));
  case TypeProto::kOptionalType:
    return ir::OptionalType::get(context, importType(type.optional_type().elem_type(), context));
  case TypeProto::kMapType: {
    Type key = ir::elementType(type.map_type().key_type(), context);
    return ir::MapType::get(context, key ? key : ir::UnknownType::get(context),
                            importType(type.map_type().value_type(), context));
  }
  case TypeProto::kOpaqueType:
    return ir::OpaqueType::get(context, type.opaque_type().domain(), type.opaque_type().name());
  default:
    return ir::UnknownType::get(context);
  }
}

template <typename TensorProtoType>
static void exportTensorType(Type type, TensorProtoType &proto) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped)
    return;
  proto.set_elem_type(ir::elementNumber(shaped.getElementType()));
  if (!shaped.hasRank())
    return;
  auto *shape = proto.mutable_shape();
  for (int64_t dim : shaped.getShape()) {
    auto *added = shape->add_dim();
    if (!ShapedType::isDynamic(dim))
      added->set_dim_value(dim);
  }
}

void accel::import::exportType(Type type, TypeProto &proto) {
  if (isa<TensorType>(type)) {
    exportTensorType(type, *proto.mutable_tensor_type());
  } else if (auto sparse = dyn_cast<ir::SparseType>(type)) {
    exportTensorType(sparse.getElement(), *proto.mutable_sparse_tensor_type());
  } else if (auto sequence = dyn_cast<ir::SeqType>(type)) {
    exportType(sequence.getElement(), *proto.mutable_sequence_type()->mutable_elem_type());
  } else if (auto optional = dyn_cast<ir::OptionalType>(type)) {
    exportType(optional.getElement(), *proto.mutable_optional_type()->mutable_elem_type());
  } else if (auto map = dyn_cast<ir::MapType>(type)) {
    proto.mutable_map_type()->set_key_type(ir::elementNumber(map.getKey()));
    exportType(map.getValue(), *proto.mutable_map_type()->mutable_value_type());
  } else if (auto opaque = dyn_cast<ir::OpaqueType>(type)) {
    proto.mutable_opaque_type()->set_domain(opaque.getDomain().str());
    proto.mutable_opaque_type()->set_name(opaque.getName().str());
  }
}

bool accel::import::isDimName(StringRef name) {
  return !name.empty() && name != "?" && !name.starts_with("unk__");
}

ArrayAttr accel::import::dimNames(const TypeProto &type, MLIRContext *context) {
  if (!type.has_tensor_type() || !type.tensor_type().has_shape())
    return {};
  SmallVector<Attribute> names;
  bool any = false;
  for (const auto &dim : type.tensor_type().shape().dim()) {
    bool own = isDimName(dim.dim_param());
    any |= own;
    names.push_back(StringAttr::get(context, own ? dim.dim_param() : ""));
  }
  return any ? ArrayAttr::get(context, names) : ArrayAttr();
}

//===----------------------------------------------------------------------===//
// Tensor values
//===----------------------------------------------------------------------===//

template <typename Field>
static void append(std::vector<char> &raw, const Field &values, unsigned bytes) {
  for (auto value : values) {
    char buffer[8];
    std::memcpy(buffer, &value, sizeof(value));
    raw.insert(raw.end(), buffer, buffer + std::min<size_t>(bytes, sizeof(value)));
  }
}

/// Raw bytes of a tensor that is stored inline, whatever field it uses.
static std::vector<char> inlineBytes(const TensorProto &tensor, unsigned elementBits) {
  std::vector<char> raw;
  unsigned bytes = std::max(1u, elementBits / 8);
  if (tensor.has_raw_data())
    raw.assign(tensor.raw_data().begin(), tensor.raw_data().end());
  else if (tensor.int32_data_size())
    append(raw, tensor.int32_data(), bytes);
  else if (tensor.uint64_data_size())
    append(raw, tensor.uint64_data(), bytes);
  else if (tensor.int64_data_size())
    append(raw, tensor.int64_data(), 8);
  else if (tensor.float_data_size())
    append(raw, tensor.float_data(), 4);
  else
    append(raw, tensor.double_data(), 8);
  return raw;
}

Attribute accel::import::importTensor(const TensorProto &tensor, const Model &model,
                                      RankedTensorType &type, std::string &why) {
  MLIRContext *context = model.context;
  Type element = ir::elementType(tensor.data_type(), context);
  auto refuse = [&](const Twine &what) {
    why = ("tensor '" + tensor.name() + "' " + what).str();
    return Attribute();
  };
  if (!element)
    return refuse("has the unknown element type " + Twine(tensor.data_type()));
  for (int64_t dim : tensor.dims())
    if (dim < 0)
      return refuse("has the negative dimension " + Twine(dim));
  type = RankedTensorType::get(SmallVector<int64_t>(tensor.dims().begin(), tensor.dims().end()),
                               element);

  if (isa<ir::StringType>(element)) {
    int64_t count = 1;
    for (int64_t dim : type.getShape())
      if (llvm::MulOverflow(count, dim, count))
        return refuse("has more than 2^63 elements");
    if (count != tensor.string_data_size())
      return refuse("has " + Twine(tensor.string_data_size()) + " strings, its shape needs " +
                    Twine(count));
    SmallVector<StringRef> strings;
    for (const std::string &text : tensor.string_data())
      strings.push_back(text);
    return DenseStringElementsAttr::get(type, strings);
  }

  int64_t needed = ir::rawByteSize(type);
  if (needed < 0)
    return refuse("has more than 2^63 bytes");
  auto wrongSize = [&](int64_t has) {
    return refuse("has " + Twine(has) + " bytes of data, its type and shape need " + Twine(needed));
  };
  if (auto number = tokenNumber(tensor.raw_data()); number && *number < model.tensors.size()) {
    ir::FileAttr file = model.tensors[*number];
    if (file.getLength() != needed)
      return wrongSize(file.getLength());
    if (needed > ir::kDenseLimit)
      return file;
    std::vector<char> storage; // int32_data is wider in the file than in memory
    auto bytes = ir::rawBytes(file, context, storage, &why);
    return bytes ? ir::denseFromRaw(type, *bytes) : Attribute();
  }
  unsigned bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
  std::vector<char> raw = inlineBytes(tensor, element.isInteger(1) ? 8 : bits);
  if (int64_t(raw.size()) != needed)
    return wrongSize(raw.size());
  return ir::makeConstant(type, std::move(raw));
}

bool accel::import::exportTensor(Attribute value, ShapedType type, TensorProto &tensor,
                                 std::string &why) {
  tensor.set_data_type(ir::elementNumber(type.getElementType()));
  for (int64_t dim : type.getShape())
    tensor.add_dims(dim);
  if (auto strings = dyn_cast<DenseStringElementsAttr>(value)) {
    for (StringRef text : strings.getValues<StringRef>())
      tensor.add_string_data(text.str());
    return true;
  }
  std::vector<char> storage;
  auto bytes = ir::rawBytes(value, type.getContext(), storage, &why);
  if (!bytes)
    return false;
  tensor.set_raw_data(bytes->data(), bytes->size());
  return true;
}

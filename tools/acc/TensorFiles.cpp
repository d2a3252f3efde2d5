//===- TensorFiles.cpp - inputs and outputs as files ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TensorFiles.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstring>

using namespace accel;

namespace {
struct TypeInfo {
  const char *npy, *name;
  int onnx, bytes;
};
} // namespace

/// By ISA code, see the ISA manual: f32 is 1, f16 2, ...
static const TypeInfo kTypes[] = {{"", "undefined", 0, 0},        {"<f4", "float", 1, 4},
                                  {"<f2", "float16", 10, 2},      {"<u2", "bfloat16", 16, 2},
                                  {"<f8", "double", 11, 8},       {"|i1", "int8", 3, 1},
                                  {"|u1", "uint8", 2, 1},         {"<i2", "int16", 5, 2},
                                  {"<u2", "uint16", 4, 2},        {"<i4", "int32", 6, 4},
                                  {"<u4", "uint32", 12, 4},       {"<i8", "int64", 7, 8},
                                  {"<u8", "uint64", 13, 8},       {"|b1", "bool", 9, 1},
                                  {"|u1", "float8e4m3fn", 17, 1}, {"|u1", "float8e4m3fnuz", 18, 1},
                                  {"|u1", "float8e5m2", 19, 1},   {"|u1", "float8e5m2fnuz", 20, 1},
                                  {"|u1", "int4", 22, 1},         {"|u1", "uint4", 21, 1},
                                  {"|u1", "float4e2m1", 23, 1},   {"|u1", "float8e8m0", 24, 1}};

static const TypeInfo &infoOf(uint8_t dtype) {
  return kTypes[dtype < std::size(kTypes) ? dtype : 0];
}

const char *tool::onnxTypeName(uint8_t dtype) { return infoOf(dtype).name; }

std::string tool::fileName(const std::string &tensor) {
  std::string name;
  for (char c : tensor) {
    bool plain = llvm::isAlnum(c) || c == '.' || c == '_' || c == '-';
    if ((uint8_t(c) & 0xC0) != 0x80) // bytes of UTF-8 behind the first: one character, one _
      name += plain ? c : '_';
  }
  return name;
}

static std::string shapeText(const std::vector<int64_t> &dims) {
  return absl::StrCat("[", absl::StrJoin(dims, ", "), "]");
}

static absl::Status wrong(const std::string &path, const std::string &what, const rt::IoInfo &io) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what, "; input '", io.name, "' is ",
                                                 infoOf(io.dtype).name, shapeText(io.dims)));
}

/// A size out of its range is named, any other difference shows both shapes.
static absl::Status checkShape(const std::string &path, const std::vector<int64_t> &dims,
                               const rt::IoInfo &io) {
  absl::Status status = rt::CheckShape("input", io, dims);
  if (status.ok())
    return status;
  return io.isDynamic() ? absl::InvalidArgumentError(absl::StrCat(path, ": ", status.message()))
                        : wrong(path, "has shape " + shapeText(dims), io);
}

static absl::StatusOr<tool::Tensor> readNpy(const std::string &path, const std::string &text,
                                            const rt::IoInfo &io) {
  if (text.size() < 12 || text.compare(0, 6, "\x93NUMPY") != 0)
    return wrong(path, "not a .npy file", io);
  size_t start = uint8_t(text[6]) >= 2 ? 12 : 10, length = 0;
  for (size_t i = 8; i < start; ++i)
    length |= size_t(uint8_t(text[i])) << 8 * (i - 8);
  if (length > text.size() - start)
    return wrong(path, "truncated header", io);
  std::string header = text.substr(start, length);
  auto field = [&](const std::string &key) -> std::string {
    size_t at = header.find("'" + key + "'");
    if (at == std::string::npos || (at = header.find(':', at)) == std::string::npos)
      return "";
    size_t from = header.find_first_not_of(' ', at + 1);
    if (from == std::string::npos)
      return "";
    size_t to = key == "shape" ? header.find(')', from) : header.find(',', from);
    return header.substr(from, to == std::string::npos ? to : to - from + (key == "shape"));
  };
  std::string descr = field("descr"), order = field("fortran_order"), shape = field("shape");
  if (descr.size() < 4 || order.empty() || shape.size() < 2 || shape[0] != '(')
    return wrong(path, "unreadable header", io);
  descr = descr.substr(1, descr.size() - 2);
  std::string expected = infoOf(io.dtype).npy;
  if (descr.substr(1) != expected.substr(1) || descr[0] == '>')
    return wrong(path, "has element type " + descr, io);
  std::vector<int64_t> dims;
  for (size_t i = 1; i < shape.size();) {
    if (isdigit(uint8_t(shape[i]))) {
      char *end;
      dims.push_back(std::strtoll(&shape[i], &end, 10));
      i = end - shape.data();
    } else {
      ++i;
    }
  }
  if (absl::Status status = checkShape(path, dims, io); !status.ok())
    return status;
  if (order[0] == 'T' && dims.size() > 1)
    return wrong(path, "is in Fortran order, C order is needed", io);
  if (int64_t(text.size() - start - length) != rt::BytesOf(io, dims))
    return wrong(path, absl::StrCat("has ", text.size() - start - length, " bytes of data"), io);
  const auto *data = reinterpret_cast<const uint8_t *>(text.data()) + start + length;
  return tool::Tensor{dims, {data, data + rt::BytesOf(io, dims)}};
}

template <typename T, typename Field>
static void append(std::vector<uint8_t> &bytes, const Field &values) {
  for (auto value : values) {
    T narrow = T(value);
    const auto *p = reinterpret_cast<const uint8_t *>(&narrow);
    bytes.insert(bytes.end(), p, p + sizeof(T));
  }
}

static absl::StatusOr<tool::Tensor> readPb(const std::string &path, const std::string &text,
                                           const rt::IoInfo &io) {
  ONNX_NAMESPACE::TensorProto tensor;
  if (!tensor.ParseFromString(text))
    return wrong(path, "not an ONNX TensorProto", io);
  std::vector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  if (absl::Status status = checkShape(path, dims, io); !status.ok())
    return status;
  if (tensor.data_type() != infoOf(io.dtype).onnx)
    return wrong(path, absl::StrCat("has ONNX element type ", tensor.data_type()), io);
  std::vector<uint8_t> bytes(tensor.raw_data().begin(), tensor.raw_data().end());
  if (!tensor.has_raw_data()) {
    append<float>(bytes, tensor.float_data());
    append<double>(bytes, tensor.double_data());
    append<int64_t>(bytes, tensor.int64_data());
    if (infoOf(io.dtype).bytes == 8)
      append<uint64_t>(bytes, tensor.uint64_data());
    else
      append<uint32_t>(bytes, tensor.uint64_data());
    switch (infoOf(io.dtype).bytes) {
    case 1:
      append<uint8_t>(bytes, tensor.int32_data());
      break;
    case 2:
      append<uint16_t>(bytes, tensor.int32_data());
      break;
    default:
      append<int32_t>(bytes, tensor.int32_data());
    }
  }
  if (int64_t(bytes.size()) != rt::BytesOf(io, dims))
    return wrong(path, absl::StrCat("has ", bytes.size(), " bytes of data"), io);
  return tool::Tensor{dims, std::move(bytes)};
}

absl::StatusOr<tool::Tensor> tool::readTensor(const std::string &path, const rt::IoInfo &io) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": cannot be read: ", file.getError().message()));
  std::string text = (*file)->getBuffer().str();
  bool pb = path.size() > 3 && path.compare(path.size() - 3, 3, ".pb") == 0;
  return pb ? readPb(path, text, io) : readNpy(path, text, io);
}

std::string tool::npyFile(const rt::IoInfo &io, absl::Span<const uint8_t> bytes) {
  std::string header =
      absl::StrCat("{'descr': '", infoOf(io.dtype).npy, "', 'fortran_order': False, 'shape': (",
                   absl::StrJoin(io.dims, ", "), io.dims.size() == 1 ? ",)" : ")", ", }");
  // The data start at a multiple of 64 bytes.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += char(header.size() & 255);
  text += char(header.size() >> 8);
  text += header;
  text.append(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  return text;
}

std::string tool::pbFile(const rt::IoInfo &io, absl::Span<const uint8_t> bytes) {
  ONNX_NAMESPACE::TensorProto tensor;
  tensor.set_name(io.name);
  for (int64_t dim : io.dims)
    tensor.add_dims(dim);
  tensor.set_data_type(infoOf(io.dtype).onnx);
  tensor.set_raw_data(bytes.data(), bytes.size());
  return tensor.SerializeAsString();
}

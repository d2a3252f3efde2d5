//===- Npy.cpp - numpy files as host tensors ------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Npy.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace mlir;
using namespace accel;

static llvm::Error fail(const llvm::Twine &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), what);
}

/// numpy's name of an element type; types that it lacks are written as bits.
static std::string descrOf(Type type) {
  int64_t bytes = elementBytes(type);
  if (type.isInteger(1))
    return "|b1";
  bool real = type.isF32() || type.isF64() || type.isF16();
  char kind = real ? 'f' : type.isUnsignedInteger() || isa<FloatType>(type) ? 'u' : 'i';
  return (bytes == 1 ? "|" : "<") + std::string(1, kind) + std::to_string(bytes);
}

llvm::Expected<HostTensor> accel::readNpy(StringRef path, RankedTensorType type) {
  auto buffer = llvm::MemoryBuffer::getFile(path, false, false);
  if (!buffer)
    return fail(path + ": " + buffer.getError().message());
  StringRef text = (*buffer)->getBuffer();
  if (text.size() < 10 || !text.starts_with("\x93NUMPY"))
    return fail(path + ": not a .npy file");
  bool wide = text[6] >= 2;
  size_t start = wide ? 12 : 10, length = 0;
  if (text.size() < start)
    return fail(path + ": truncated header");
  for (size_t i = 8; i < start; ++i)
    length |= size_t(uint8_t(text[i])) << (8 * (i - 8));
  if (length > text.size() - start)
    return fail(path + ": truncated header");
  StringRef header = text.substr(start, length), data = text.substr(start + length);
  std::string descr = "'" + descrOf(type.getElementType()) + "'";
  if (!header.contains(descr))
    return fail(path + ": element type is not " + descr + " in " + header);
  if (header.contains("'fortran_order': True"))
    return fail(path + ": Fortran order; save a C-ordered array");
  StringRef shape = header.split("'shape':").second.split('(').second.split(')').first;
  SmallVector<int64_t> dims;
  SmallVector<StringRef> parts;
  shape.split(parts, ',', -1, false);
  for (StringRef part : parts) {
    int64_t size;
    if (!part.trim().empty() && !part.trim().getAsInteger(10, size))
      dims.push_back(size);
  }
  if (ArrayRef<int64_t>(dims) != type.getShape())
    return fail(path + ": shape (" + shape + ") is not the input's");
  HostTensor tensor(type.getElementType(), dims);
  if (data.size() < tensor.bytes().size())
    return fail(path + ": truncated data");
  std::memcpy(tensor.data(), data.data(), tensor.bytes().size());
  return tensor;
}

llvm::Error accel::writeNpy(StringRef path, const HostTensor &tensor) {
  std::error_code error;
  llvm::raw_fd_ostream out(path, error);
  if (error)
    return fail(path + ": " + error.message());
  std::string header =
      "{'descr': '" + descrOf(tensor.element()) + "', 'fortran_order': False, 'shape': (";
  for (int64_t size : tensor.shape())
    header += std::to_string(size) + ",";
  header += "), }";
  header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  out << StringRef("\x93NUMPY\x01\x00", 8) << char(header.size() & 255) << char(header.size() >> 8)
      << header;
  out.write(tensor.bytes().data(), tensor.size() * elementBytes(tensor.element()));
  return llvm::Error::success();
}

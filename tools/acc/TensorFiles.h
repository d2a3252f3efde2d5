//===- TensorFiles.h - inputs and outputs as files ------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_TOOLS_ACC_TENSOR_FILES_H
#define ACC_TOOLS_ACC_TENSOR_FILES_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "acc/runtime/artifact.h"

#include <string>
#include <vector>

namespace accel::tool {

struct Tensor {
  std::vector<int64_t> dims;
  std::vector<uint8_t> bytes;
};

/// Reads a .npy file (C order) or an ONNX TensorProto (.pb) that must have the
/// type and a shape of `io`; errors name the file and what was expected.
absl::StatusOr<Tensor> readTensor(const std::string &path, const rt::IoInfo &io);

/// The bytes of a .npy or .pb file with this tensor. numpy has no bf16, fp8 and
/// sub-byte types: their bits are written as unsigned integers.
std::string npyFile(const rt::IoInfo &io, absl::Span<const uint8_t> bytes);
std::string pbFile(const rt::IoInfo &io, absl::Span<const uint8_t> bytes);

/// ONNX's name of an ISA element type, such as `float` or `int64`.
const char *onnxTypeName(uint8_t dtype);

/// The name of an output's file: characters outside [A-Za-z0-9._-] become _.
std::string fileName(const std::string &tensor);

} // namespace accel::tool

#endif // ACC_TOOLS_ACC_TENSOR_FILES_H

//===- WireScan.h - an ONNX file without its large tensors -------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks the protobuf wire format of a mapped model and writes a skeleton in which
// every large tensor holds a token of 16 bytes instead of its data. Weights so
// never pass through protobuf, the checker or shape inference.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_LIB_IMPORT_WIRESCAN_H
#define ACC_LIB_IMPORT_WIRESCAN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace accel::import {

/// Data of one tensor that was cut out: a range of the file, or, where the file
/// stores variable-length integers, the decoded bytes.
struct CutTensor {
  uint64_t offset = 0, length = 0; // bytes in the file
  std::vector<char> decoded;       // used if length is 0
};

struct Skeleton {
  std::string bytes;
  std::vector<CutTensor> tensors; // token number -> data
  std::string error;              // not empty: the file is no ONNX model
};

Skeleton scanModel(llvm::ArrayRef<char> file);

/// The raw_data that stands for tensor `number`, and back.
std::string tensorToken(uint64_t number);
std::optional<uint64_t> tokenNumber(llvm::StringRef rawData);

/// Integer tensors of up to this many bytes stay whole: shape inference reads
/// them.
inline constexpr uint64_t kShapeDataLimit = 64 * 1024;
/// Subgraphs may be nested this deep.
inline constexpr unsigned kMaxNesting = 1024;

} // namespace accel::import

#endif // ACC_LIB_IMPORT_WIRESCAN_H

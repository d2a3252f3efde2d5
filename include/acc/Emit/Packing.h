//===- Packing.h - how weights are laid out in the artifact ----*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A packing is a permutation of a constant's elements with, at most, a factor
// for each output channel and a narrower element type. It is computed while the
// artifact is written, from the mapped file, piece by piece: memory does not
// grow with the weights.
//===----------------------------------------------------------------------===//

#ifndef ACC_EMIT_PACKING_H
#define ACC_EMIT_PACKING_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"

#include <functional>
#include <string>
#include <vector>

namespace accel::emit {

/// Takes bytes in order; false stops the packing (the disk is full, ...).
using ByteSink = std::function<bool(const char *bytes, size_t count)>;

struct Packing {
  std::string kind = "identity";     ///< see #accel.pack
  llvm::SmallVector<int64_t> shape;  ///< of the source
  mlir::Type sourceType, resultType; ///< element types
  llvm::SmallVector<int64_t> perm;
  int64_t groups = 1;
  std::vector<float> scale; ///< one for each output channel, or empty
};

/// Why the packing makes no sense, or an empty string.
std::string check(const Packing &packing, size_t sourceBytes);

/// Streams the packed bytes of a source that `check` accepted.
bool pack(const Packing &packing, llvm::ArrayRef<char> source, const ByteSink &sink);

} // namespace accel::emit

#endif

//===- Pack.h - buffers into one memory by live range ----------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain structs in, plain structs out; nothing here knows MLIR.
//
//     offset
//       ^   +-----+         Two buffers may share bytes exactly if their live
//       |   |  b  +-----+   ranges do not meet. Positions are those of a
//       |   +-----+  c  |   sequence (calls in main, operations in a routine);
//       |   +-----+-----+   a range is half open: [begin, end).
//       |   |     a     |
//       +---+-----------+--> position
//
// pack() tries a few deterministic orders, each first fit at the lowest free
// offset, and keeps the lowest result. verify() is a naive check apart from it.
//===----------------------------------------------------------------------===//

#ifndef ACC_MEMORY_PACK_H
#define ACC_MEMORY_PACK_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace accel::memory {

/// Positions in a sequence, not bytes.
using Position = int64_t;
/// Sizes and offsets in bytes.
using Bytes = int64_t;

struct Buffer {
  Position begin = 0, end = 1; ///< live in [begin, end)
  Bytes bytes = 0;
  Bytes alignment = 64;
};

struct Problem {
  std::vector<Buffer> buffers;
  Bytes capacity = 0;
};

struct Solution {
  std::vector<Bytes> offsets; ///< one for each buffer of the problem
  Bytes height = 0;           ///< the first free byte above all of them
};

struct Result {
  std::optional<Solution> solution;
  /// Without a solution: the buffers that are live at the fullest position, and
  /// the bytes that the best order found would have needed.
  std::vector<size_t> clash;
  Bytes needed = 0;
};

Result pack(const Problem &problem);

/// A sentence that names the first broken rule, or nothing.
std::optional<std::string> verify(const Problem &problem, const Solution &solution);

} // namespace accel::memory

#endif

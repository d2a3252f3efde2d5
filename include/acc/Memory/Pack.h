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
// pack() goes from cheap to thorough and stops as soon as everything lies within
// the capacity: first fit in a few orders, then a search over skylines that can
// also prove that no packing exists, then repair by ejection. Effort is counted
// in steps, so that results are the same on every machine. verify() is a naive
// check apart from all of them.
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
  std::optional<Bytes> fixed; ///< the only offset that will do
};

struct Problem {
  std::vector<Buffer> buffers;
  Bytes capacity = 0;
};

struct Solution {
  std::vector<Bytes> offsets; ///< one for each buffer of the problem
  Bytes height = 0;           ///< the first free byte above all of them
};

/// How much search follows when first fit misses the capacity, in units of about
/// 20 milliseconds for a hundred buffers; more for more. 0: none.
struct Effort {
  int64_t rounds = 64;
  static Effort none() { return {0}; }
};

struct Result {
  std::optional<Solution> solution;
  /// Without a solution: the buffers that are live at the fullest position, and
  /// the bytes that the best order found would have needed.
  std::vector<size_t> clash;
  Bytes needed = 0;
  /// No packing within the capacity exists; otherwise none was found.
  bool proved = false;
};

Result pack(const Problem &problem, Effort effort = {});

/// The first broken rule.
struct Violation {
  size_t buffer;
  std::optional<size_t> other; ///< that it overlaps with
  std::string what;
};
std::optional<Violation> firstViolation(const Problem &problem, const Solution &solution);

/// The same as a sentence with the numbers of the buffers, or nothing.
std::optional<std::string> verify(const Problem &problem, const Solution &solution);

/// Where the most bytes are live (sizes rounded up to the granule that all
/// offsets are multiples of): no packing is lower than that.
struct Peak {
  Position position = 0;
  Bytes bytes = 0;
  std::vector<size_t> live; ///< the buffers
};
Peak peakOf(const Problem &problem);

} // namespace accel::memory

#endif

//===- OracleOp.h - an operation as the oracle sees it --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_LIB_PLAN_ORACLE_OP_H
#define ACC_LIB_PLAN_ORACLE_OP_H

#include "acc/Plan/Oracle.h"

#include <vector>

namespace accel::oracle {

struct Span {
  int64_t lo, hi;
  int64_t extent() const { return std::max<int64_t>(0, hi - lo); }
};

/// One dimension of an operand: which iteration dimension moves it, and how.
struct Axis {
  enum class Kind { Whole, Scaled, Window, Stepped } kind = Kind::Whole;
  int dim = -1;       ///< iteration dimension; -1 if none moves it
  int64_t size = 0;   ///< of the operand
  int64_t factor = 1; ///< Scaled: index = factor * position; Stepped: step
  int64_t offset = 0; ///< Stepped
  int64_t kernel = 1, stride = 1, dilation = 1, pad = 0, inputDilation = 1;

  Span read(Span box) const;
  /// Whether neighbouring tiles read no element twice.
  bool disjoint() const { return kind != Kind::Window || (kernel - 1) * dilation < stride; }
};

struct Operand {
  std::vector<Axis> axes;
  int64_t width = 0; ///< bytes of an element
  bool extra = false;
  const Axis *movedBy(int dim) const {
    for (const Axis &axis : axes)
      if (axis.dim == dim)
        return &axis;
    return nullptr;
  }
  int64_t bytes() const {
    int64_t elements = 1;
    for (const Axis &axis : axes)
      elements *= axis.size;
    return elements * width;
  }
};

struct Nest {
  mlir::Operation *op = nullptr;
  llvm::SmallVector<int64_t> sizes; ///< of the iteration space
  unsigned rank = 0;                ///< dimensions of the result come first
  bool matrix = false;
  unsigned batches = 1; ///< first dimensions, of which the matrix engine takes one at a time
  int64_t width = 0;    ///< of the result
  std::vector<Operand> operands;
  int64_t granule(unsigned dim) const { return tileGranule(op, dim); }
  int64_t resultBytes() const {
    int64_t elements = 1;
    for (unsigned d = 0; d < rank; ++d)
      elements *= sizes[d];
    return elements * width;
  }
};

/// Nothing, with the reason, if the oracle does not cover the operation.
std::optional<Nest> describe(mlir::Operation *op, std::string &why);

inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
/// Buffers and accumulators take whole units of 64 bytes.
inline int64_t buffer(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/// Tile sizes of a dimension that differ in what they cost: for each number of
/// trips the smallest tile (the least space); where windows overlap also the
/// others, because borders may make one cheaper. Few trips first.
llvm::SmallVector<int64_t> tilesOf(int64_t size, int64_t granule, bool overlaps);

} // namespace accel::oracle

#endif // ACC_LIB_PLAN_ORACLE_OP_H

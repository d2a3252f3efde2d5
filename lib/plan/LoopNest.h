//===- LoopNest.h - a single operation as loops around loads ----*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A schedule of one operation is a sequence of loops over tiles of distinct
// dimensions, each operand loaded somewhere among them, and below the last load
// leaves: tiles of the result that fit in the accumulators. Bytes and SRAM of such
// a nest are sums and products of what single dimensions read. Example, a matmul
// with loops m, n, k and both operands loaded below k:
//   bytes = (MN + MK*ceil(N/tn) + KN*ceil(M/tm)) * width
//   SRAM  = (tm*tk + tk*tn + tm*tn) * width.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_LIB_PLAN_LOOP_NEST_H
#define ACC_LIB_PLAN_LOOP_NEST_H

#include "acc/Plan/ScheduleSearch.h"

namespace accel {

/// Positions that one dimension of an operand reads, by what moves it.
class NestAxis {
public:
  int dim = -1;       ///< iteration dimension; -1: none
  int64_t extent = 1; ///< of the operand

  /// All tiles of a size together, and the largest of them.
  struct Extents {
    int64_t sum = -1;  ///< elements that all tiles read
    int64_t fresh = 0; ///< without those that the tile before has read
    int64_t most = 0;
  };
  const Extents &tiled(int64_t tile) const;
  int64_t whole() const { return tiled(size).most; }
  /// No element is read by two tiles.
  bool disjoint = true;
  /// Between two iterations there are elements that none reads: small tiles read
  /// less.
  bool gaps = false;

  /// First and last+1 positions that iteration i reads; empty: factor * i and
  /// factor * (i + 1).
  std::vector<int64_t> first, last;
  int64_t factor = 1;
  int64_t size = 1; ///< of the iteration dimension

private:
  mutable std::vector<Extents> known; ///< by tile
};

struct NestOperand {
  unsigned input;    ///< of the group
  int64_t width;     ///< bytes of an element
  bool free = false; ///< read in place: a resident
  bool extra = false;
  llvm::SmallVector<NestAxis> axes;
  const NestAxis *movedBy(int dim) const {
    for (const NestAxis &axis : axes)
      if (axis.dim == dim)
        return &axis;
    return nullptr;
  }
  int64_t bytes() const; ///< what the operation reads of it
};

/// A candidate. Positions count loops from the outside.
struct LoopNest {
  llvm::SmallVector<int, 6> loops;     ///< dimensions
  llvm::SmallVector<unsigned, 4> at;   ///< loops around the load, by operand
  unsigned group = 0;                  ///< of the loops are the group's
  bool rolling = false;                ///< operand 0 is, along the last loop above it
  unsigned reduction = 0;              ///< loops above the first over a reduction; or all
  llvm::SmallVector<int64_t, 6> tile;  ///< by dimension; its size if there is no loop
  llvm::SmallVector<int64_t, 6> leaf;  ///< by dimension of the result
  llvm::SmallVector<int64_t, 4> depth; ///< buffers that rotate, by operand, then the result
  bool splits() const { return reduction < loops.size(); }
};

struct NestCost {
  int64_t dram = 0, sram = 0, acc = 0, steps = 0;
};

/// One operation on the matrix engine with its surroundings.
class NestProblem {
public:
  /// Nothing if operands are not products of single dimensions (grouped
  /// convolutions, repeated operands, residents in nested strides).
  static std::optional<NestProblem> of(const GroupOps &ops);

  /// With `optimistic`, no more bytes than with any smaller tiles: between windows
  /// nothing is read.
  NestCost cost(const LoopNest &nest, bool optimistic = false) const;
  ScheduleAttr schedule(const LoopNest &nest) const;
  /// Whether a leaf of a result dimension may be smaller than its tile.
  bool hasLeaf(const LoopNest &nest, unsigned dim) const;

  mlir::Operation *op;
  unsigned rank = 0;    ///< dimensions of the result come first
  unsigned batches = 1; ///< first dimensions, of which the matrix engine takes one at a time
  llvm::SmallVector<int64_t, 6> sizes;
  std::vector<NestOperand> operands;
  bool storesResult = true;
  int64_t resultWidth = 4;
};

} // namespace accel

#endif // ACC_LIB_PLAN_LOOP_NEST_H

//===- Grid.h - a packing problem in small integers ------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the searches work on: positions become sections between neighbouring
// begins and ends, bytes become granules, the largest unit that all alignments,
// fixed offsets and the capacity are multiples of. Rounding sizes up to granules
// loses nothing: every offset is a multiple of one.
//===----------------------------------------------------------------------===//

#ifndef ACC_LIB_MEMORY_GRID_H
#define ACC_LIB_MEMORY_GRID_H

#include "acc/Memory/Pack.h"

namespace accel::memory {

struct Piece {
  int begin, end; ///< sections
  int64_t size;   ///< granules, as are the next two
  int64_t alignment;
  int64_t fixed; ///< -1: free
  size_t buffer; ///< index in the problem
};

struct Grid {
  explicit Grid(const Problem &problem);
  /// Offsets of pieces as a solution of the problem.
  Solution solution(const Problem &problem, const std::vector<int64_t> &offsets) const;

  Bytes granule = 1;
  int64_t capacity = 0; ///< granules
  int sections = 0;
  std::vector<Piece> pieces;    ///< of buffers that have bytes
  std::vector<Position> begins; ///< of sections
};

struct SearchResult {
  std::optional<std::vector<int64_t>> offsets; ///< granules, one for each piece
  bool exhausted = false;                      ///< there is no solution
};

/// Depth first over skylines; complete, within the steps (Skyline.cpp).
SearchResult searchSkylines(const Grid &grid, int64_t steps);

/// Repair of an incomplete packing; `seed` chooses among equals (Ejection.cpp).
SearchResult repairByEjection(const Grid &grid, int64_t steps, uint64_t seed);

inline int64_t alignUp(int64_t value, int64_t alignment) {
  return alignment <= 1 ? value : (value + alignment - 1) / alignment * alignment;
}

/// splitmix64: the same numbers with every standard library.
struct Random {
  uint64_t state;
  uint64_t next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
};

} // namespace accel::memory

#endif

//===- HardSets.h - packing problems with a known solution -----*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rectangle (positions x bytes) is cut into pieces without waste, so that a
// packing exists by construction; then the pieces lose a hundredth. What is left
// is full to 99 % where the most bytes are live, and knowing the sizes and live
// ranges alone, the cut is hard to find again.
//
//   guillotine   every cut goes through a whole piece
//   pinwheel     some pieces are cut into five that no straight cut divides
//   sweep        neighbours in memory end together and others take their bytes,
//                as in the published challenge sets of MiniMalloc (ASPLOS 2023)
//   network      a sweep that is full at few positions and emptier elsewhere
//===----------------------------------------------------------------------===//

#ifndef ACC_TEST_MEMORY_HARDSETS_H
#define ACC_TEST_MEMORY_HARDSETS_H

#include "acc/Memory/Pack.h"

#include <string>
#include <vector>

namespace accel::memory {

struct HardSet {
  std::string name; ///< e.g. "sweep-400-mixed-3"
  Problem problem;
  Solution witness;
};

enum class Cut { Guillotine, Pinwheel, Sweep, Network };

struct HardSetOptions {
  Cut cut = Cut::Guillotine;
  size_t buffers = 100;
  bool mixed = false;    ///< larger alignments, some buffers at fixed addresses
  bool fine = false;     ///< many small buffers at a time rather than few large ones
  bool headroom = false; ///< the hundredth is free above all pieces, not taken from each
  bool solid = false;    ///< as full everywhere as at the peak
  uint64_t seed = 1;
};

HardSet makeHardSet(const HardSetOptions &options);

/// Every combination of the options, with sizes from 100 to 1,000 buffers.
std::vector<HardSetOptions> allHardSets(int seeds);

/// Most bytes live at one position.
Bytes peakBytes(const Problem &problem);

} // namespace accel::memory

#endif

//===- Fits.h - does a changing set of buffers fit? ------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For a search that changes one buffer and asks again. The last packing is kept:
//
//   Fits fits(sramBytes);
//   size_t tile = fits.add({0, 4, 65536});
//   size_t weights = fits.add({2, 9, 131072});
//   if (fits.ask() == Fits::Answer::Yes) ...
//   fits.change(tile, {0, 4, 98304});
//   fits.ask();
//
// Cost of ask() with n buffers: if what changed finds a place beside the others,
// O(n) for each change, and sorting of what it meets. Else O(n log n) for the
// most bytes live at once, which often says no. Else a pack() with the effort
// given, which starts with first fit in a few orders, O(n^2).
//===----------------------------------------------------------------------===//

#ifndef ACC_MEMORY_FITS_H
#define ACC_MEMORY_FITS_H

#include "acc/Memory/Pack.h"

namespace accel::memory {

class Fits {
public:
  enum class Answer {
    Yes,
    No,      ///< there is no packing
    NotFound ///< none was found with the effort
  };

  explicit Fits(Bytes capacity) { problem.capacity = capacity; }

  /// The number by which the buffer is known from now on.
  size_t add(const Buffer &buffer);
  void change(size_t number, const Buffer &buffer);
  /// Takes no place any more; its number is not used again.
  void remove(size_t number);

  Answer ask(Effort effort = Effort::none());

  /// The packing of the last ask() that said yes, by number.
  const std::vector<Bytes> &offsets() const { return places; }

private:
  bool placeChanged();

  Problem problem;
  std::vector<Bytes> places; ///< of all buffers but the changed ones
  std::vector<char> isPlaced;
  std::vector<size_t> changed; ///< numbers without a place
};

/// One question without a history.
Fits::Answer fits(const Problem &problem, Effort effort = Effort::none());

} // namespace accel::memory

#endif

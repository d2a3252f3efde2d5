//===- vec_space.h - How a vector operation is cut into strips ------------===//
//
// The iteration space falls into unreduced dimensions (U) and reduced ones (R).
// Dimensions that every stream walks as one are merged, U is ordered so that
// the first output is written along its rows. A strip is up to kStrip
// consecutive points of the flattened U; rows shorter than a strip are taken
// whole, so that a stream that repeats every row looks the same in each strip.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_KERNELS_VEC_SPACE_H
#define ACC_RUNTIME_KERNELS_VEC_SPACE_H

#include "stream_walk.h"
#include "vec_compiled.h"

namespace accel::rt {

/// Dimensions from outermost to innermost, flattened row-major.
struct DimList {
  int dims[kDims];
  int count = 0;
  int64_t points = 1;
};

struct Strip {
  int64_t first = 0; // flat index
  int64_t count = 0;
};

struct VecSpace {
  VecOp op; // merged sizes
  DimList unreduced, reduced;
  bool lanesReduced = false; // strips of R for each point of U, not the reverse
  int64_t rowLength = 1;     // innermost unreduced dimension
  int64_t stripLength = 1;
  int64_t strips = 0;

  VecSpace(const VecOp &op, const CompiledVProg &prog, int threads);
  Strip StripAt(int64_t i) const;
  /// Every strip starts and ends with a row.
  bool WholeRows() const { return rowLength <= stripLength; }
};

/// Calls fn(idx, innerDim, begin, end, position) for each row part of a strip of
/// `list`: points [begin, end) of innerDim stand at `position` of the strip.
/// The list's entries of idx are overwritten.
template <typename Fn>
void ForEachRow(const DimList &list, const int64_t size[kDims], Strip strip, int64_t *idx,
                Fn &&fn) {
  if (list.count == 0) {
    fn(idx, kDims - 1, idx[kDims - 1], idx[kDims - 1] + 1, int64_t(0));
    return;
  }
  const int inner = list.dims[list.count - 1];
  int64_t rest = strip.first;
  for (int i = list.count - 1; i >= 0; --i) {
    idx[list.dims[i]] = rest % size[list.dims[i]];
    rest /= size[list.dims[i]];
  }
  int64_t begin = idx[inner];
  for (int64_t at = 0; at < strip.count;) {
    const int64_t left = strip.count - at;
    const int64_t n = size[inner] - begin < left ? size[inner] - begin : left;
    fn(idx, inner, begin, begin + n, at);
    at += n;
    begin = 0;
    for (int i = list.count - 2; i >= 0; --i) {
      if (++idx[list.dims[i]] < size[list.dims[i]])
        break;
      idx[list.dims[i]] = 0;
    }
  }
}

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_VEC_SPACE_H

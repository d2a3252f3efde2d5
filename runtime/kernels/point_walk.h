//===- point_walk.h - Points of a box in row-major order ------------------===//
#ifndef ACC_RUNTIME_KERNELS_POINT_WALK_H
#define ACC_RUNTIME_KERNELS_POINT_WALK_H

#include "acc/runtime/kernels.h"

namespace accel::rt {

/// Advances the first `dims` indices by one point; false after the last.
inline bool NextPoint(const int64_t *size, int dims, int64_t *index) {
  for (int d = dims - 1; d >= 0; --d) {
    if (++index[d] < size[d])
      return true;
    index[d] = 0;
  }
  return false;
}

/// Address of a point of a stream without a window, the first `dims` indices.
inline int64_t AddressOf(const KStream &s, const int64_t *index, int dims) {
  int64_t at = s.base;
  for (int d = 0; d < dims; ++d)
    at += index[d] * s.stride[d];
  return at;
}

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_POINT_WALK_H

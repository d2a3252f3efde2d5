//===- stream_box.h - The bytes between a stream's ends -------------------===//
//
// Checked before every execution of an instruction, so it must be cheap: a few
// operations a dimension, no enumeration of points. The box is exact for
// strides; for windows it is the hull of the in-bounds positions, and a
// coordinate that wraps takes its whole circular buffer.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_STREAM_BOX_H
#define ACC_RUNTIME_SIM_STREAM_BOX_H

#include "decoded.h"
#include <algorithm>

namespace accel::rt {

struct Box {
  int64_t lo = 0, hi = 0; // [lo, hi) in bytes
  bool empty() const { return lo >= hi; }
};

inline int64_t FloorDivide(int64_t a, int64_t b) {
  int64_t q = a / b;
  return q - (a % b != 0 && (a < 0) != (b < 0));
}

/// Adds the coordinate's bytes to the box; false if the product overflows.
/// Sets `nothing` if all of its positions are out of bounds.
inline bool AddCoordBox(const WindowCoord &w, const int64_t size[kDims], Box &box, bool &nothing) {
  int64_t lo = w.start, hi = w.start;
  for (auto [dim, mul] : {std::pair(w.dimA, w.mulA), std::pair(w.dimB, w.mulB)}) {
    if (dim >= kDims)
      continue;
    int64_t reach = mul * (size[dim] - 1);
    (reach < 0 ? lo : hi) += reach;
  }
  if (w.div > 1) {
    // Where only multiples exist, the first is at or above the low end.
    lo = w.exact ? -FloorDivide(-lo, w.div) : FloorDivide(lo, w.div);
    hi = FloorDivide(hi, w.div);
    if (lo > hi) {
      nothing = true;
      return true;
    }
  }
  if (w.bound != kUnbounded) {
    lo = std::max<int64_t>(lo, 0);
    hi = std::min<int64_t>(hi, int64_t(w.bound) - 1);
    if (lo > hi) {
      nothing = true;
      return true;
    }
  }
  lo -= w.org;
  hi -= w.org;
  if (w.mod) {
    int64_t m = w.mod;
    int64_t turn = FloorDivide(lo, m);
    if (turn == FloorDivide(hi, m)) {
      lo -= turn * m;
      hi -= turn * m;
    } else {
      lo = 0;
      hi = m - 1;
    }
  }
  int64_t a, b;
  if (__builtin_mul_overflow(lo, w.stride, &a) || __builtin_mul_overflow(hi, w.stride, &b))
    return false;
  if (a > b)
    std::swap(a, b);
  if (a < -kMaxAddress || b > kMaxAddress)
    return false;
  box.lo += a;
  box.hi += b;
  return true;
}

/// False if an address overflows. All sizes must be ≥ 1; |base| ≤ 2^47.
inline bool ComputeBox(const KStream &s, const int64_t size[kDims], Box &box) {
  box.lo = box.hi = s.base;
  for (int d = 0; d < kDims; ++d) {
    int64_t reach = s.stride[d] * (size[d] - 1);
    (reach < 0 ? box.lo : box.hi) += reach;
  }
  box.hi += KTypeBytes(s.type);
  if (!s.windowed)
    return true;
  bool nothing = false;
  for (const WindowCoord &w : s.coord)
    if (w.Used() && !AddCoordBox(w, size, box, nothing))
      return false;
  if (nothing)
    box = {};
  return true;
}

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_STREAM_BOX_H

//===- stream_walk.h - Addresses of a stream, point by point and by row ---===//
//
// PointOffset is the definition of a stream's address. WalkRow gives the same
// addresses along one dimension as few linear segments, so that inner loops
// see neither windows nor wrap-around nor padding.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_KERNELS_STREAM_WALK_H
#define ACC_RUNTIME_KERNELS_STREAM_WALK_H

#include "acc/runtime/kernels.h"

namespace accel::rt {

inline int64_t FloorDiv(int64_t a, int64_t b) {
  int64_t q = a / b;
  return q - (a % b != 0 && (a < 0) != (b < 0));
}
inline int64_t FloorMod(int64_t a, int64_t b) { return a - FloorDiv(a, b) * b; }

/// Adds the coordinate's bytes to `offset`; false if out of bounds.
inline bool AddCoord(const WindowCoord &w, const int64_t idx[kDims], int64_t &offset) {
  int64_t v = w.start;
  if (w.dimA < kDims)
    v += idx[w.dimA] * w.mulA;
  if (w.dimB < kDims)
    v += idx[w.dimB] * w.mulB;
  if (w.div > 1) {
    if (w.exact && FloorMod(v, w.div) != 0)
      return false;
    v = FloorDiv(v, w.div);
  }
  if (w.bound != kUnbounded && (v < 0 || v >= int64_t(w.bound)))
    return false;
  int64_t p = v - w.org;
  if (w.mod)
    p = FloorMod(p, w.mod);
  offset += p * w.stride;
  return true;
}

/// Byte offset of a point; false if its window is out of bounds.
inline bool PointOffset(const KStream &s, const int64_t idx[kDims], int64_t &offset) {
  offset = s.base;
  for (int d = 0; d < kDims; ++d)
    offset += idx[d] * s.stride[d];
  if (!s.windowed)
    return true;
  return AddCoord(s.coord[0], idx, offset) && AddCoord(s.coord[1], idx, offset);
}

/// Whether the stream's window moves with dimension d.
inline bool WindowUses(const KStream &s, int d) {
  if (!s.windowed)
    return false;
  for (const WindowCoord &w : s.coord)
    if (w.dimA == d || w.dimB == d)
      return true;
  return false;
}

/// `count` points of a row from `begin`: at offset, offset + step, … or, if
/// not inside, out of bounds.
struct RowSegment {
  int64_t begin, count;
  int64_t offset, step;
  bool inside;
};

namespace walk_detail {
constexpr int64_t kForever = int64_t(1) << 62;

struct Piece {
  bool inside;
  int64_t bytes, step, count;
};

/// Steps of size `by` ≥ 1 to cover `distance` > 0; most slopes are 1.
inline int64_t Steps(int64_t distance, int64_t by) {
  return by == 1 ? distance : (distance + by - 1) / by;
}

/// The coordinate along a row: value u = u0 + slope·i at i, linear for `count`
/// points from there.
inline Piece PieceAt(const WindowCoord &w, int64_t u, int64_t slope) {
  int64_t v = u;
  int64_t count = kForever;
  if (w.div > 1) {
    int64_t rest = FloorMod(u, w.div);
    v = FloorDiv(u, w.div);
    if (slope != 0)
      count = !w.exact && slope == 1 ? w.div - rest : 1;
    if (w.exact && rest != 0)
      return {false, 0, 0, count};
    slope = 0; // constant within the piece
  }
  if (w.bound != kUnbounded) {
    int64_t bound = w.bound;
    if (v < 0) {
      if (slope > 0)
        count = Steps(-v, slope);
      return {false, 0, 0, count};
    }
    if (v >= bound) {
      if (slope < 0)
        count = Steps(v - bound + 1, -slope);
      return {false, 0, 0, count};
    }
    if (slope > 0)
      count = Steps(bound - v, slope);
    else if (slope < 0)
      count = v / -slope + 1;
  }
  int64_t p = v - w.org;
  if (w.mod) {
    p = FloorMod(p, w.mod);
    int64_t n = kForever;
    if (slope > 0)
      n = Steps(int64_t(w.mod) - p, slope);
    else if (slope < 0)
      n = p / -slope + 1;
    if (n < count)
      count = n;
  }
  return {true, p * w.stride, slope * w.stride, count};
}

inline void RowCoord(const WindowCoord &w, const int64_t idx[kDims], int dim, int64_t &u0,
                     int64_t &slope) {
  u0 = w.start;
  slope = 0;
  if (w.dimA == dim)
    slope += w.mulA;
  else if (w.dimA < kDims)
    u0 += idx[w.dimA] * w.mulA;
  if (w.dimB == dim)
    slope += w.mulB;
  else if (w.dimB < kDims)
    u0 += idx[w.dimB] * w.mulB;
}
} // namespace walk_detail

/// Calls fn(RowSegment) for points [begin, end) of dimension `dim`, the other
/// indices being idx's (idx[dim] is ignored), in ascending order.
template <typename Fn>
inline void WalkRow(const KStream &s, const int64_t idx[kDims], int dim, int64_t begin, int64_t end,
                    Fn &&fn) {
  if (begin >= end)
    return;
  int64_t base = s.base;
  for (int d = 0; d < kDims; ++d)
    if (d != dim)
      base += idx[d] * s.stride[d];
  int64_t step = s.stride[dim];
  if (!s.windowed) {
    fn(RowSegment{begin, end - begin, base + begin * step, step, true});
    return;
  }
  int64_t u0[2], slope[2];
  for (int c = 0; c < 2; ++c)
    walk_detail::RowCoord(s.coord[c], idx, dim, u0[c], slope[c]);
  // A coordinate that does not move along the row is one piece.
  auto y = walk_detail::PieceAt(s.coord[0], u0[0] + slope[0] * begin, slope[0]);
  auto x = walk_detail::PieceAt(s.coord[1], u0[1] + slope[1] * begin, slope[1]);
  for (int64_t i = begin; i < end;) {
    if (i != begin && slope[0] != 0)
      y = walk_detail::PieceAt(s.coord[0], u0[0] + slope[0] * i, slope[0]);
    if (i != begin && slope[1] != 0)
      x = walk_detail::PieceAt(s.coord[1], u0[1] + slope[1] * i, slope[1]);
    int64_t n = end - i;
    bool inside = y.inside && x.inside;
    if (inside) {
      n = n < y.count ? n : y.count;
      n = n < x.count ? n : x.count;
    } else if (!y.inside && !x.inside) {
      int64_t longest = y.count > x.count ? y.count : x.count;
      n = n < longest ? n : longest;
    } else {
      int64_t c = y.inside ? x.count : y.count;
      n = n < c ? n : c;
    }
    fn(RowSegment{i, n, base + i * step + y.bytes + x.bytes, step + y.step + x.step, inside});
    i += n;
  }
}

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_STREAM_WALK_H

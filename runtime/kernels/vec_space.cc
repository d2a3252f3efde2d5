//===- vec_space.cc - How a vector operation is cut into strips -----------===//
#include "vec_space.h"
#include <algorithm>

namespace accel::rt {
namespace {

/// Bytes that one step of dimension d moves a stream.
int64_t Movement(const KStream &s, int d) {
  int64_t move = s.stride[d];
  if (s.windowed)
    for (const WindowCoord &w : s.coord) {
      if (w.dimA == d)
        move += w.mulA * w.stride;
      if (w.dimB == d)
        move += w.mulB * w.stride;
    }
  return std::abs(move);
}

template <typename Fn> bool AllStreams(const VecOp &op, const VProg &prog, Fn &&fn) {
  for (size_t i = 0; i < prog.outs.size(); ++i)
    if (!fn(op.out[i]))
      return false;
  for (size_t i = 0; i < prog.ins.size(); ++i)
    if (!fn(op.in[i]))
      return false;
  return true;
}

void MergeList(VecOp &op, const CompiledVProg &prog, DimList &list) {
  for (int i = list.count - 1; i > 0; --i) {
    const int d = list.dims[i], o = list.dims[i - 1];
    if (prog.usesIota[d] || prog.usesIota[o] || !AllStreams(op, prog.source, [&](const KStream &s) {
          return !WindowUses(s, d) && !WindowUses(s, o) && s.stride[o] == s.stride[d] * op.size[d];
        }))
      continue;
    op.size[d] *= op.size[o];
    op.size[o] = 1;
    for (int j = i - 1; j + 1 < list.count; ++j)
      list.dims[j] = list.dims[j + 1];
    --list.count;
  }
}

} // namespace

VecSpace::VecSpace(const VecOp &given, const CompiledVProg &prog, int threads) : op(given) {
  for (int d = 0; d < kDims; ++d) {
    DimList &list = op.reduceMask >> d & 1 ? reduced : unreduced;
    list.points *= op.size[d];
    if (op.size[d] > 1)
      list.dims[list.count++] = d;
  }
  std::sort(unreduced.dims, unreduced.dims + unreduced.count, [&](int a, int b) {
    const int64_t ma = Movement(op.out[0], a), mb = Movement(op.out[0], b);
    return ma != mb ? ma > mb : a < b;
  });
  MergeList(op, prog, unreduced);
  MergeList(op, prog, reduced);

  rowLength = unreduced.count ? op.size[unreduced.dims[unreduced.count - 1]] : 1;
  if (reduced.count) {
    // Lanes go where the first input is contiguous, if that gives enough.
    const int r = reduced.dims[reduced.count - 1];
    const bool alongR =
        prog.source.ins.empty() || Movement(op.in[0], r) == KTypeBytes(op.in[0].type);
    lanesReduced = alongR ? reduced.points >= 16 || unreduced.points < 8 : unreduced.points < 8;
  }
  if (lanesReduced)
    stripLength = std::clamp<int64_t>(unreduced.points / (4 * threads), 1, kStrip);
  else if (rowLength > kStrip)
    stripLength = kStrip;
  else
    stripLength = kStrip / rowLength * rowLength;
  if (lanesReduced)
    strips = (unreduced.points + stripLength - 1) / stripLength;
  else if (WholeRows())
    strips = (unreduced.points + stripLength - 1) / stripLength;
  else
    strips = unreduced.points / rowLength * ((rowLength + kStrip - 1) / kStrip);
}

Strip VecSpace::StripAt(int64_t i) const {
  if (lanesReduced || WholeRows()) {
    const int64_t first = i * stripLength;
    return {first, std::min(stripLength, unreduced.points - first)};
  }
  const int64_t perRow = (rowLength + kStrip - 1) / kStrip;
  const int64_t row = i / perRow, begin = i % perRow * kStrip;
  return {row * rowLength + begin, std::min(kStrip, rowLength - begin)};
}

} // namespace accel::rt

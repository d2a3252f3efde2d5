//===- mxu_geometry.cc - Row tables of an MXU instruction -----------------===//
#include "mxu_geometry.h"
#include "stream_walk.h"
#include <algorithm>

namespace accel::rt {
namespace {

/// Cuts K into segments and blocks. With one kernel position consecutive
/// channel blocks are one run.
void CutK(const int64_t size[kDims], MxuGeometry &g) {
  g.segments.clear();
  g.blocks.clear();
  int64_t run = g.positions == 1 ? kPanelDepth : kKBlock;
  for (int64_t cb = 0; cb < g.c; cb += run)
    for (int64_t p = 0; p < g.positions; ++p)
      g.segments.push_back({p, cb, std::min(run, g.c - cb)});
  g.maxBlock = 0;
  int64_t begin = 0, kk = 0, kBegin = 0;
  int64_t count = int64_t(g.segments.size());
  for (int64_t s = 0; s < count; ++s) {
    int64_t length = g.segments[size_t(s)].length;
    if (kk + length - kBegin > kPanelDepth) {
      g.blocks.push_back({begin, s, kBegin, kk});
      begin = s;
      kBegin = kk;
    }
    kk += length;
    g.maxBlock = std::max(g.maxBlock, kk - kBegin);
  }
  g.blocks.push_back({begin, count, kBegin, kk});
}

} // namespace

bool MxuIsRegular(const MxuOp &op) {
  return !op.b.windowed && !WindowUses(op.c, 2) && !WindowUses(op.a, 5);
}

void BuildMxuGeometry(const MxuOp &op, const uint8_t *absent, MxuGeometry &g) {
  const int64_t *size = op.size;
  g.m = size[0] * size[1];
  g.n = size[2];
  g.positions = size[3] * size[4];
  g.c = size[5];
  g.k = g.positions * g.c;
  CutK(size, g);

  g.out.resize(size_t(g.m));
  g.rows.resize(size_t(g.m * g.positions));
  int64_t idx[kDims] = {};
  for (idx[0] = 0; idx[0] < size[0]; ++idx[0]) {
    uint8_t **out = g.out.data() + idx[0] * size[1];
    WalkRow(op.c, idx, 1, 0, size[1], [&](const RowSegment &s) {
      for (int64_t i = 0; i < s.count; ++i)
        out[s.begin + i] = s.inside ? op.c.mem + s.offset + i * s.step : nullptr;
    });
  }
  const uint8_t **row = g.rows.data();
  for (idx[3] = 0; idx[3] < size[3]; ++idx[3])
    for (idx[4] = 0; idx[4] < size[4]; ++idx[4])
      for (idx[0] = 0; idx[0] < size[0]; ++idx[0], row += size[1])
        WalkRow(op.a, idx, 1, 0, size[1], [&](const RowSegment &s) {
          const uint8_t *at = s.inside ? op.a.mem + s.offset : absent;
          int64_t step = s.inside ? s.step : 0;
          for (int64_t i = 0; i < s.count; ++i)
            row[s.begin + i] = at + i * step;
        });
}

} // namespace accel::rt

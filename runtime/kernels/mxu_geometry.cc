//===- mxu_geometry.cc - Row tables of an MXU instruction -----------------===//
#include "mxu_geometry.h"
#include "stream_walk.h"
#include <algorithm>

namespace accel::rt {
namespace {

/// Cuts K into segments and panels of whole chains.
void CutK(MxuGeometry &g) {
  g.segments.clear();
  g.panels.assign(1, {});
  g.maxPanel = 0;
  for (int64_t channel = 0; channel < g.c; channel += g.chainChannels) {
    const int64_t length = std::min(g.chainChannels, g.c - channel), chain = length * g.positions;
    MxuGeometry::Panel *panel = &g.panels.back();
    const int64_t depth = panel->kEnd - panel->kBegin;
    if (depth > 0 && depth + chain > kPanelDepth) {
      g.panels.push_back({panel->segEnd, panel->segEnd, panel->kEnd, panel->kEnd});
      panel = &g.panels.back();
    }
    for (int64_t p = 0; p < g.positions; ++p)
      g.segments.push_back({p, channel, length});
    panel->segEnd += g.positions;
    panel->kEnd += chain;
    g.maxPanel = std::max(g.maxPanel, panel->kEnd - panel->kBegin);
  }
}

} // namespace

bool MxuIsRegular(const MxuOp &op) {
  return !op.b.windowed && !WindowUses(op.c, 2) && !WindowUses(op.a, 5);
}

void BuildMxuGeometry(const MxuOp &op, const uint8_t *absent, int64_t chainChannels,
                      MxuGeometry &g) {
  const int64_t *size = op.size;
  g.m = size[0] * size[1];
  g.n = size[2];
  g.positions = size[3] * size[4];
  g.c = size[5];
  g.k = g.positions * g.c;
  g.chainChannels = chainChannels;
  CutK(g);

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

//===- byte_runs.cc - Which bytes a stream touches ------------------------===//
//
// The verifier asks for the box, the sanitizer for the runs. Dimensions that
// the window does not move with merge into as long runs as their strides
// allow; of a window's coordinates only the distinct in-bounds positions
// count, so a 3x3 convolution reports its rows once and not nine times.
//
//===----------------------------------------------------------------------===//
#include "stream_walk.h"
#include <algorithm>
#include <vector>

namespace accel::rt {
namespace {

/// Positions [first, first + count) of a coordinate, in units of its stride.
struct Interval {
  int64_t first, count;
};

struct AxisStep {
  int64_t stride, size;
};

/// A stream as bytes: run-length `run` at lo + every combination of `axes`.
struct Pattern {
  int64_t lo = 0;
  int64_t run = 0;
  AxisStep axes[kDims];
  int axisCount = 0;
};

/// Merges the listed dims. Negative strides are turned around; overlapping or
/// touching steps join into one run.
Pattern MergeAxes(const KStream &s, const int64_t size[kDims], const bool use[kDims]) {
  Pattern p;
  p.lo = s.base;
  p.run = KTypeBytes(s.type);
  AxisStep list[kDims];
  int n = 0;
  for (int d = 0; d < kDims; ++d) {
    if (!use[d] || size[d] <= 1 || s.stride[d] == 0)
      continue;
    int64_t st = s.stride[d];
    if (st < 0) {
      p.lo += st * (size[d] - 1);
      st = -st;
    }
    list[n++] = {st, size[d]};
  }
  std::sort(list, list + n, [](AxisStep a, AxisStep b) { return a.stride < b.stride; });
  for (int i = 0; i < n; ++i) {
    if (p.axisCount == 0 && list[i].stride <= p.run) {
      p.run += list[i].stride * (list[i].size - 1);
      continue;
    }
    if (p.axisCount) {
      AxisStep &last = p.axes[p.axisCount - 1];
      if (list[i].stride == last.stride * last.size) {
        last.size *= list[i].size;
        continue;
      }
    }
    p.axes[p.axisCount++] = list[i];
  }
  return p;
}

/// Distinct in-bounds positions of a coordinate over its dims, as intervals.
std::vector<Interval> Positions(const WindowCoord &w, const int64_t size[kDims]) {
  std::vector<int64_t> ps;
  int64_t na = w.dimA < kDims ? size[w.dimA] : 1, nb = w.dimB < kDims ? size[w.dimB] : 1;
  WindowCoord unit = w;
  unit.stride = 1;
  for (int64_t a = 0; a < na; ++a)
    for (int64_t b = 0; b < nb; ++b) {
      int64_t idx[kDims] = {};
      if (w.dimA < kDims)
        idx[w.dimA] = a;
      if (w.dimB < kDims)
        idx[w.dimB] = b;
      int64_t p = 0;
      if (AddCoord(unit, idx, p))
        ps.push_back(w.stride == 0 ? 0 : p);
    }
  std::sort(ps.begin(), ps.end());
  ps.erase(std::unique(ps.begin(), ps.end()), ps.end());
  std::vector<Interval> out;
  for (int64_t p : ps) {
    if (!out.empty() && out.back().first + out.back().count == p)
      ++out.back().count;
    else
      out.push_back({p, 1});
  }
  return out;
}

/// Joins adjacent runs on their way to the callback.
struct Joiner {
  RunFn fn;
  void *ctx;
  int64_t at = 0, length = 0;
  void Add(int64_t offset, int64_t n) {
    if (length && offset == at + length) {
      length += n;
      return;
    }
    Flush();
    at = offset;
    length = n;
  }
  void Flush() {
    if (length)
      fn(ctx, at, length);
    length = 0;
  }
};

void EmitPattern(const Pattern &p, int64_t shift, int64_t run, int axis, Joiner &out) {
  if (axis < 0) {
    out.Add(p.lo + shift, run);
    return;
  }
  for (int64_t i = 0; i < p.axes[axis].size; ++i)
    EmitPattern(p, shift + i * p.axes[axis].stride, run, axis - 1, out);
}

/// Points of a coordinate that are worth collecting; hostile sizes go point by
/// point, which needs no memory.
constexpr int64_t kMaxPositions = int64_t(1) << 22;

/// The window's coordinates and the strides address independently: no dim
/// feeds both coordinates.
bool Separable(const KStream &s, const int64_t size[kDims]) {
  const WindowCoord &y = s.coord[0], &x = s.coord[1];
  for (const WindowCoord &w : s.coord)
    if ((w.dimA < kDims ? size[w.dimA] : 1) >
        kMaxPositions / std::max<int64_t>(w.dimB < kDims ? size[w.dimB] : 1, 1))
      return false;
  for (int d = 0; d < kDims; ++d) {
    bool iny = y.dimA == d || y.dimB == d, inx = x.dimA == d || x.dimB == d;
    if ((iny && inx) || ((iny || inx) && s.stride[d] != 0))
      return false;
  }
  return true;
}

void EmitPointwise(const KStream &s, const int64_t size[kDims], Joiner &out) {
  int64_t e = KTypeBytes(s.type);
  int64_t idx[kDims] = {};
  while (true) {
    WalkRow(s, idx, kDims - 1, 0, size[kDims - 1], [&](const RowSegment &g) {
      if (!g.inside)
        return;
      if (g.step == e || g.count == 1)
        out.Add(g.offset, g.count * e);
      else if (g.step == 0)
        out.Add(g.offset, e);
      else
        for (int64_t i = 0; i < g.count; ++i)
          out.Add(g.offset + i * g.step, e);
    });
    int d = kDims - 2;
    for (; d >= 0; --d) {
      if (++idx[d] < size[d])
        break;
      idx[d] = 0;
    }
    if (d < 0)
      return;
  }
}

bool AnyEmpty(const int64_t size[kDims]) {
  return std::any_of(size, size + kDims, [](int64_t n) { return n <= 0; });
}

} // namespace

void ForEachRunErased(const KStream &s, const int64_t size[kDims], RunFn fn, void *ctx) {
  if (AnyEmpty(size))
    return;
  Joiner out{fn, ctx};
  bool use[kDims];
  for (int d = 0; d < kDims; ++d)
    use[d] = !WindowUses(s, d);
  if (s.windowed && !Separable(s, size)) {
    EmitPointwise(s, size, out);
    out.Flush();
    return;
  }
  Pattern p = MergeAxes(s, size, use);
  if (!s.windowed) {
    EmitPattern(p, 0, p.run, p.axisCount - 1, out);
    out.Flush();
    return;
  }
  std::vector<Interval> ys = Positions(s.coord[0], size), xs = Positions(s.coord[1], size);
  int64_t sy = s.coord[0].stride, sx = s.coord[1].stride;
  for (const Interval &y : ys)
    for (int64_t i = 0; i < y.count; ++i) {
      int64_t atY = (y.first + i) * sy;
      for (const Interval &x : xs) {
        if (sx == p.run && p.axisCount == 0) {
          out.Add(p.lo + atY + x.first * sx, x.count * sx);
          continue;
        }
        for (int64_t j = 0; j < x.count; ++j)
          EmitPattern(p, atY + (x.first + j) * sx, p.run, p.axisCount - 1, out);
      }
    }
  out.Flush();
}

bool StreamBox(const KStream &s, const int64_t size[kDims], int64_t &lo, int64_t &hi) {
  if (AnyEmpty(size))
    return false;
  if (s.windowed && !Separable(s, size)) {
    bool any = false;
    ForEachRun(s, size, [&](int64_t offset, int64_t length) {
      lo = any ? std::min(lo, offset) : offset;
      hi = any ? std::max(hi, offset + length) : offset + length;
      any = true;
    });
    return any;
  }
  bool use[kDims];
  for (int d = 0; d < kDims; ++d)
    use[d] = !WindowUses(s, d);
  Pattern p = MergeAxes(s, size, use);
  lo = p.lo;
  hi = p.lo + p.run;
  for (int i = 0; i < p.axisCount; ++i)
    hi += p.axes[i].stride * (p.axes[i].size - 1);
  if (!s.windowed)
    return true;
  for (const WindowCoord &w : s.coord) {
    std::vector<Interval> ps = Positions(w, size);
    if (ps.empty())
      return false;
    int64_t first = ps.front().first * w.stride;
    int64_t last = (ps.back().first + ps.back().count - 1) * w.stride;
    lo += std::min(first, last);
    hi += std::max(first, last);
  }
  return true;
}

} // namespace accel::rt

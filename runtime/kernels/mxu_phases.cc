//===- mxu_phases.cc - Transposed convolutions without their zeros --------===//
//
// A transposed convolution reads its input dilated: of the taps of an output
// only each stride-th meets a value, the others a zero. Outputs whose taps fall
// together form a phase, and a phase is an ordinary convolution over fewer taps,
// in chains of the same channels.
//
// Skipped terms are 0·b. They change a sum only if b is not finite, or if the
// sum is −0 (after which +0 is +0): the first is looked for before, the second
// afterwards, and the instruction then runs in full.
//
//===----------------------------------------------------------------------===//
#include "mxu_engines.h"
#include "row_convert.h"
#include "scratch.h"
#include "stream_walk.h"
#include <algorithm>
#include <cstring>
#include <numeric>

namespace accel::rt {
namespace {

/// The stream at each `step`-th index of dimension d, from `first` on.
void Thin(KStream &s, int d, int64_t first, int64_t step) {
  s.base += first * s.stride[d];
  s.stride[d] *= step;
  if (!s.windowed)
    return;
  for (WindowCoord &w : s.coord)
    for (auto [dim, mul] : {std::pair(w.dimA, &w.mulA), std::pair(w.dimB, &w.mulB)})
      if (dim == d) {
        w.start += first * *mul;
        *mul *= step;
      }
}
void ThinSize(int64_t &size, int64_t first, int64_t step) {
  size = (size - first + step - 1) / step;
}

bool Dilated(const WindowCoord &w) { return w.exact && w.div > 1; }

/// Outputs that meet the same taps: every step-th of the kernel's rows (0) and
/// columns (1), from `first` on. `op` lacks B, whose rows run through the taps.
struct Phase {
  MxuOp op;
  int64_t first[2] = {0, 0}, step[2] = {1, 1};
};

/// Calls fn(phase) for every phase of coordinate `i` and those after it. False:
/// not of this form, or a call said so.
template <typename Fn> bool ForEachPhase(const Phase &phase, int i, const Fn &fn) {
  const MxuOp &op = phase.op;
  while (i < 2 && !Dilated(op.a.coord[i]))
    ++i;
  if (i == 2)
    return fn(phase);
  const WindowCoord &w = op.a.coord[i];
  int dimM = -1, dimK = -1;
  int64_t mulM = 0, mulK = 0;
  for (auto [dim, mul] : {std::pair(w.dimA, w.mulA), std::pair(w.dimB, w.mulB)}) {
    if (dim == kNoDim)
      continue;
    if (dim <= 1 && dimM < 0)
      dimM = dim, mulM = mul;
    else if ((dim == 3 || dim == 4) && dimK < 0)
      dimK = dim, mulK = mul;
    else
      return false;
  }
  // A kernel dimension that two coordinates share would be thinned twice.
  if (dimM < 0 || dimK < 0 || mulM == 0 || mulK == 0 || phase.step[dimK - 3] != 1)
    return false;
  // Positions of an output and taps of a phase repeat after so many steps.
  const int64_t stepM = w.div / std::gcd(mulM, w.div), stepK = w.div / std::gcd(mulK, w.div);
  for (int64_t m = 0; m < std::min(stepM, op.size[dimM]); ++m) {
    int64_t k = 0;
    while (k < stepK && (w.start + m * mulM + k * mulK) % w.div != 0)
      ++k;
    if (k >= std::min(stepK, op.size[dimK]))
      return false; // outputs without a tap
    Phase part = phase;
    part.first[dimK - 3] = k;
    part.step[dimK - 3] = stepK;
    MxuOp &thin = part.op;
    ThinSize(thin.size[dimM], m, stepM);
    ThinSize(thin.size[dimK], k, stepK);
    Thin(thin.a, dimM, m, stepM);
    Thin(thin.c, dimM, m, stepM);
    Thin(thin.a, dimK, k, stepK);
    WindowCoord &dense = thin.a.coord[i];
    for (int64_t *v : {&dense.start, &dense.mulA, &dense.mulB})
      *v /= w.div;
    dense.div = 1;
    dense.exact = false;
    if (!ForEachPhase(part, i + 1, fn))
      return false;
  }
  return true;
}

/// Calls fn(kh, kw, count) for runs of `count` rows of B in the order of kk.
template <typename Fn> void ForEachTap(const MxuOp &op, const Fn &fn) {
  for (int64_t c = 0; c < op.size[5]; c += kKBlock)
    for (int64_t kh = 0; kh < op.size[3]; ++kh)
      for (int64_t kw = 0; kw < op.size[4]; ++kw)
        fn(kh, kw, std::min(kKBlock, op.size[5] - c));
}

bool AnyInRow(const uint8_t *row, int64_t step, int64_t n, uint32_t mask, uint32_t bits) {
  bool any = false;
  for (int64_t i = 0; i < n; ++i) {
    uint32_t v;
    std::memcpy(&v, row + i * step, 4);
    any |= (v & mask) == bits;
  }
  return any;
}

bool AllFinite(const MxuOp &op) {
  const KStream &b = op.b;
  const uint8_t *row = b.mem + b.base;
  for (int64_t k = op.size[3] * op.size[4] * op.size[5]; k > 0; --k, row += b.stride[5])
    if (AnyInRow(row, b.stride[2], op.size[2], 0x7f800000u, 0x7f800000u))
      return false;
  return true;
}

bool AnyMinusZero(const MxuOp &op) {
  bool any = false;
  int64_t idx[kDims] = {};
  for (idx[0] = 0; idx[0] < op.size[0] && !any; ++idx[0])
    WalkRow(op.c, idx, 1, 0, op.size[1], [&](const RowSegment &s) {
      for (int64_t i = 0; s.inside && i < s.count; ++i)
        any |= AnyInRow(op.c.mem + s.offset + i * s.step, op.c.stride[2], op.size[2], ~0u,
                        0x80000000u);
    });
  return any;
}

/// The phase's rows of B, one after the other.
void PackTaps(const MxuOp &op, const Phase &phase, float *to) {
  const uint8_t *row = op.b.mem + op.b.base;
  const auto kept = [&](int d, int64_t k) {
    return k >= phase.first[d] && (k - phase.first[d]) % phase.step[d] == 0;
  };
  ForEachTap(op, [&](int64_t kh, int64_t kw, int64_t count) {
    const bool keep = kept(0, kh) && kept(1, kw);
    for (int64_t i = 0; i < count; ++i, row += op.b.stride[5])
      if (keep) {
        RowToF32(KType::F32, row, op.b.stride[2], op.size[2], to);
        to += op.size[2];
      }
  });
}

} // namespace

bool RunMxuPhases(const MxuOp &op, ThreadPool &pool) {
  if (!op.a.windowed || op.accumulate || op.b.type != KType::F32 || op.c.mem == op.a.mem ||
      op.c.mem == op.b.mem || (!Dilated(op.a.coord[0]) && !Dilated(op.a.coord[1])))
    return false;
  // Before the scan of B: is the form right?
  const Phase whole{op};
  if (!ForEachPhase(whole, 0, [](const Phase &) { return true; }) || !AllFinite(op))
    return false;
  static thread_local Scratch taps;
  return ForEachPhase(whole, 0, [&](const Phase &phase) {
    MxuOp part = phase.op;
    const int64_t k = part.size[3] * part.size[4] * part.size[5], bytes = part.size[2] * 4;
    auto *b = static_cast<float *>(taps.Get(k * bytes));
    PackTaps(op, phase, b);
    part.b = KStream();
    part.b.mem = reinterpret_cast<uint8_t *>(b);
    part.b.limit = k * bytes;
    part.b.stride[2] = 4;
    part.b.stride[5] = bytes;
    RunMxuFloats(part, ChainChannels(op.size[3] * op.size[4]), pool);
    return !AnyMinusZero(part);
  });
}

} // namespace accel::rt

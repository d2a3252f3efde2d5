//===- mxu_dw.cc - Depthwise mode of the matrix engine --------------------===//
//
// Channels lie along the vector lanes. A register tile holds kRows output
// positions of one or two vectors of channels, so that a vector of B serves
// kRows multiply-adds. Every sum is one chain, its kernel positions ascend.
//
//===----------------------------------------------------------------------===//
#include "mxu_engines.h"
#include "mxu_geometry.h"
#include "row_convert.h"
#include "scratch.h"
#include <algorithm>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "mxu_dw.cc"
#include "hwy/foreach_target.h"
// Target-dependent from here.
#include "fma-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace accel::rt {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
const hn::ScalableTag<float> kF32;
const hn::ScalableTag<int32_t> kI32;
constexpr int64_t kLanes = HWY_MAX_BYTES / 4;
constexpr int kRows = 4;

/// Products of one kind: f32, or 8-bit differences into i32.
struct FloatTile {
  using T = float;
  using A = float;
  using B = float;
  using V = hn::Vec<decltype(kF32)>;
  static HWY_INLINE V Zero() { return hn::Zero(kF32); }
  static HWY_INLINE V LoadC(const T *p) { return hn::LoadU(kF32, p); }
  static HWY_INLINE void StoreC(V v, T *p) { hn::StoreU(Canonical(kF32, v), kF32, p); }
  static HWY_INLINE V LoadA(const A *p, int32_t) { return hn::LoadU(kF32, p); }
  static HWY_INLINE V LoadB(const B *p) { return hn::LoadU(kF32, p); }
  static HWY_INLINE V MulAdd(V a, V b, V c) { return Fma(kF32, a, b, c); }
  static HWY_INLINE V Add(V a, V b) { return hn::Add(a, b); }
  static HWY_INLINE T One(A a, int32_t, B b, T c) { return std::fma(a, b, c); }
  static HWY_INLINE T Plus(T a, T b) { return a + b; }
  static HWY_INLINE T Final(T c) { return c == c ? c : std::bit_cast<float>(0x7fc00000u); }
};
template <typename Byte> struct ByteTile {
  using T = int32_t;
  using A = Byte;
  using B = int32_t;
  using V = hn::Vec<decltype(kI32)>;
  static HWY_INLINE V Zero() { return hn::Zero(kI32); }
  static HWY_INLINE V LoadC(const T *p) { return hn::LoadU(kI32, p); }
  static HWY_INLINE void StoreC(V v, T *p) { hn::StoreU(v, kI32, p); }
  static HWY_INLINE V LoadA(const A *p, int32_t za) {
    const hn::Rebind<Byte, decltype(kI32)> db;
    return hn::Sub(hn::PromoteTo(kI32, hn::LoadU(db, p)), hn::Set(kI32, za));
  }
  static HWY_INLINE V LoadB(const B *p) { return hn::LoadU(kI32, p); }
  static HWY_INLINE V MulAdd(V a, V b, V c) { return hn::Add(c, hn::Mul(a, b)); }
  static HWY_INLINE V Add(V a, V b) { return hn::Add(a, b); }
  static HWY_INLINE T One(A a, int32_t za, B b, T c) {
    return int32_t(uint32_t(c) + uint32_t(a - za) * uint32_t(b));
  }
  static HWY_INLINE T Plus(T a, T b) { return int32_t(uint32_t(a) + uint32_t(b)); }
  static HWY_INLINE T Final(T c) { return c; }
};

/// One tile: R output rows, channels [c0, c0 + NV vectors). rows[p·rowStride +
/// r] is A's channel 0 of kernel position p, b[p·bStride] B's.
template <class K, int R, int NV>
HWY_INLINE void Tile(const uint8_t *const *rows, int64_t rowStride, int64_t positions,
                     const typename K::B *b, int64_t bStride, int64_t c0, int32_t za,
                     typename K::T *const *out, bool add) {
  using A = typename K::A;
  typename K::V acc[R][NV];
#pragma unroll
  for (int r = 0; r < R; ++r)
#pragma unroll
    for (int v = 0; v < NV; ++v)
      acc[r][v] = K::Zero();
  for (int64_t p = 0; p < positions; ++p) {
    typename K::V bv[NV];
#pragma unroll
    for (int v = 0; v < NV; ++v)
      bv[v] = K::LoadB(b + p * bStride + c0 + v * kLanes);
#pragma unroll
    for (int r = 0; r < R; ++r) {
      const A *a = reinterpret_cast<const A *>(rows[p * rowStride + r]) + c0;
#pragma unroll
      for (int v = 0; v < NV; ++v)
        acc[r][v] = K::MulAdd(K::LoadA(a + v * kLanes, za), bv[v], acc[r][v]);
    }
  }
#pragma unroll
  for (int r = 0; r < R; ++r)
#pragma unroll
    for (int v = 0; v < NV; ++v) {
      typename K::T *at = out[r] + c0 + v * kLanes;
      K::StoreC(add ? K::Add(K::LoadC(at), acc[r][v]) : acc[r][v], at);
    }
}

template <class K, int R>
void Rows(const uint8_t *const *rows, int64_t rowStride, int64_t positions, const typename K::B *b,
          int64_t bStride, int64_t channels, int32_t za, typename K::T *const *out, bool add) {
  int64_t c = 0;
  // Three vectors use all 16 registers; never so that one is left alone.
  for (int64_t left; left = (channels - c) / kLanes, left == 3 || left > 4; c += 3 * kLanes)
    Tile<K, R, 3>(rows, rowStride, positions, b, bStride, c, za, out, add);
  for (; c + 2 * kLanes <= channels; c += 2 * kLanes)
    Tile<K, R, 2>(rows, rowStride, positions, b, bStride, c, za, out, add);
  for (; c + kLanes <= channels; c += kLanes)
    Tile<K, R, 1>(rows, rowStride, positions, b, bStride, c, za, out, add);
  for (; c < channels; ++c)
    for (int r = 0; r < R; ++r) {
      typename K::T sum = 0;
      for (int64_t p = 0; p < positions; ++p)
        sum = K::One(reinterpret_cast<const typename K::A *>(rows[p * rowStride + r])[c], za,
                     b[p * bStride + c], sum);
      out[r][c] = K::Final(add ? K::Plus(out[r][c], sum) : sum);
    }
}

/// Output rows [m0, m1). `convertA`: A's rows are not contiguous channels of
/// the tile's type and go through a buffer.
template <class K>
void RunPart(const MxuOp &op, const MxuGeometry &g, const typename K::B *b, int64_t bStride,
             int64_t m0, int64_t m1, bool convertA) {
  static thread_local Scratch converted, stagedOut, discard;
  using T = typename K::T;
  const int64_t channels = g.n, cStep = op.c.stride[2];
  std::vector<const uint8_t *> local;
  for (int64_t m = m0; m < m1;) {
    const int64_t r = m1 - m >= kRows ? kRows : 1;
    const uint8_t *const *rows = g.rows.data() + m;
    int64_t rowStride = g.m;
    if (convertA) {
      const int64_t width = channels * int64_t(sizeof(typename K::A));
      auto *to = static_cast<uint8_t *>(converted.Get(g.positions * r * width));
      local.resize(size_t(g.positions * r));
      for (int64_t i = 0; i < g.positions * r; ++i, to += width) {
        const uint8_t *from = g.Row(i / r, m + i % r);
        if constexpr (std::is_same_v<typename K::A, float>)
          RowToF32(op.a.type, from, op.a.stride[2], channels, reinterpret_cast<float *>(to));
        else
          for (int64_t c = 0; c < channels; ++c)
            to[c] = from[c * op.a.stride[2]];
        local[size_t(i)] = to;
      }
      rows = local.data();
      rowStride = r;
    }
    T *out[kRows];
    T *stage = nullptr;
    if (cStep != 4)
      stage = static_cast<T *>(stagedOut.Get(channels * 4 * kRows));
    for (int64_t i = 0; i < r; ++i) {
      uint8_t *at = g.out[size_t(m + i)];
      out[i] = reinterpret_cast<T *>(at);
      if (!at) {
        out[i] = static_cast<T *>(discard.Get(channels * 4, true));
      } else if (stage) {
        out[i] = stage + i * channels;
        for (int64_t c = 0; c < channels; ++c)
          std::memcpy(&out[i][c], at + c * cStep, 4);
      }
    }
    if (r == kRows)
      Rows<K, kRows>(rows, rowStride, g.positions, b, bStride, channels, op.za, out, op.accumulate);
    else
      Rows<K, 1>(rows, rowStride, g.positions, b, bStride, channels, op.za, out, op.accumulate);
    if (stage)
      for (int64_t i = 0; i < r; ++i)
        if (uint8_t *at = g.out[size_t(m + i)])
          for (int64_t c = 0; c < channels; ++c)
            std::memcpy(at + c * cStep, &out[i][c], 4);
    m += r;
  }
}

template <class Fn> void SplitRows(const MxuGeometry &g, ThreadPool &pool, const Fn &fn) {
  const int parts = g.m * g.n * g.positions < kMxuInlineMacs / 2 ? 1 : pool.threads();
  pool.Run(parts, [&](int part) {
    PartRange r = CutRange(g.m, kRows, part, parts);
    if (r.begin < r.end)
      fn(r.begin, r.end);
  });
}

void DwF32(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool) {
  // B as [positions][channels] floats.
  static thread_local Scratch buffer;
  const KStream &b = op.b;
  const int64_t kw = op.size[4];
  auto *copy = static_cast<float *>(buffer.Get(g.positions * g.n * 4));
  for (int64_t p = 0; p < g.positions; ++p)
    RowToF32(b.type, b.mem + b.base + p / kw * b.stride[3] + p % kw * b.stride[4], b.stride[2], g.n,
             copy + p * g.n);
  const bool convert = op.a.type != KType::F32 || op.a.stride[2] != 4;
  SplitRows(g, pool,
            [&](int64_t m0, int64_t m1) { RunPart<FloatTile>(op, g, copy, g.n, m0, m1, convert); });
}

void DwI8(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool) {
  static thread_local Scratch buffer;
  const KStream &b = op.b;
  const int64_t kw = op.size[4];
  auto *copy = static_cast<int32_t *>(buffer.Get(g.positions * g.n * 4));
  for (int64_t p = 0; p < g.positions; ++p)
    for (int64_t c = 0; c < g.n; ++c) {
      const uint8_t v =
          b.mem[b.base + p / kw * b.stride[3] + p % kw * b.stride[4] + c * b.stride[2]];
      copy[p * g.n + c] = (b.type == KType::I8 ? int8_t(v) : int32_t(v)) - op.zb;
    }
  const bool convert = op.a.stride[2] != 1;
  SplitRows(g, pool, [&](int64_t m0, int64_t m1) {
    if (op.a.type == KType::I8)
      RunPart<ByteTile<int8_t>>(op, g, copy, g.n, m0, m1, convert);
    else
      RunPart<ByteTile<uint8_t>>(op, g, copy, g.n, m0, m1, convert);
  });
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace accel::rt
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace accel::rt {
HWY_EXPORT(DwF32);
HWY_EXPORT(DwI8);
void RunMxuDwF32(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool) {
  HWY_DYNAMIC_DISPATCH(DwF32)(op, g, pool);
}
void RunMxuDwI8(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool) {
  HWY_DYNAMIC_DISPATCH(DwI8)(op, g, pool);
}
} // namespace accel::rt
#endif // HWY_ONCE

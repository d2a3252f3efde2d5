//===- mxu_i8.cc - Matrix product of 8-bit integers into i32 --------------===//
//
// Operands become 16-bit differences from their zero points (exact: at most
// 9 bits and a sign), in pairs of kk; one multiply-add instruction then takes
// two kk a lane without any saturation. i32 sums wrap, so the order of kk does
// not matter and padding is a difference of zero.
//
//===----------------------------------------------------------------------===//
#include "mxu_engines.h"
#include "mxu_geometry.h"
#include "scratch.h"
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "mxu_i8.cc"
#include "hwy/foreach_target.h"
// Target-dependent from here.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace accel::rt {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
const hn::ScalableTag<int32_t> kI32;
const hn::ScalableTag<int16_t> kI16;
using V32 = hn::Vec<decltype(kI32)>;
using V16 = hn::Vec<decltype(kI16)>;

constexpr int kMr = HWY_MAX_BYTES >= 64 ? 8 : 6;
constexpr int kNv = 2;
constexpr int64_t kLanes = HWY_MAX_BYTES / 4;
constexpr int64_t kNr = kNv * kLanes;

/// sum + a_even·b_even + a_odd·b_odd for each pair of 16-bit lanes.
HWY_INLINE V32 PairMulAdd(V16 a, V16 b, V32 sum) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE4
  V32 unused = hn::Zero(kI32);
  return hn::ReorderWidenMulAccumulate(kI32, a, b, sum, unused);
#else
  const V32 x = hn::BitCast(kI32, a), y = hn::BitCast(kI32, b);
  const V32 x0 = hn::ShiftRight<16>(hn::ShiftLeft<16>(x));
  const V32 y0 = hn::ShiftRight<16>(hn::ShiftLeft<16>(y));
  const V32 x1 = hn::ShiftRight<16>(x), y1 = hn::ShiftRight<16>(y);
  return hn::Add(sum, hn::Add(hn::Mul(x0, y0), hn::Mul(x1, y1)));
#endif
}

/// C[MR, 2 vectors] (+)= A·B over `pairs` pairs of kk; a row r of A starts at
/// a + r·aStride (pairs), B's pairs are kNr wide.
template <int MR>
HWY_NOINLINE void Tile(const int32_t *a, int64_t aStride, const int16_t *HWY_RESTRICT b,
                       int64_t pairs, int32_t *const *c, bool load) {
  V32 acc[MR][kNv];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int v = 0; v < kNv; ++v)
      acc[r][v] = load ? hn::LoadU(kI32, c[r] + v * kLanes) : hn::Zero(kI32);
  for (int64_t k = 0; k < pairs; ++k, b += 2 * kNr) {
    V16 bv[kNv];
#pragma unroll
    for (int v = 0; v < kNv; ++v)
      bv[v] = hn::LoadU(kI16, b + v * 2 * kLanes);
#pragma unroll
    for (int r = 0; r < MR; ++r) {
      const V16 av = hn::BitCast(kI16, hn::Set(kI32, a[r * aStride + k]));
#pragma unroll
      for (int v = 0; v < kNv; ++v)
        acc[r][v] = PairMulAdd(av, bv[v], acc[r][v]);
    }
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int v = 0; v < kNv; ++v)
      hn::StoreU(acc[r][v], kI32, c[r] + v * kLanes);
}

using TileFn = void (*)(const int32_t *, int64_t, const int16_t *, int64_t, int32_t *const *, bool);
template <int... MR> TileFn PickTile(int64_t rows, std::integer_sequence<int, MR...>) {
  static constexpr TileFn kTable[] = {Tile<MR + 1>...};
  return kTable[rows - 1];
}

template <typename T>
void Differences(const uint8_t *src, int64_t step, int64_t n, int32_t zero, int16_t *dst) {
  if (step == 1) {
    const T *s = reinterpret_cast<const T *>(src);
    for (int64_t i = 0; i < n; ++i)
      dst[i] = int16_t(s[i] - zero);
    return;
  }
  for (int64_t i = 0; i < n; ++i)
    dst[i] = int16_t(T(src[i * step]) - zero);
}
void RowDifferences(KType type, const uint8_t *src, int64_t step, int64_t n, int32_t zero,
                    int16_t *dst) {
  if (type == KType::U8)
    Differences<uint8_t>(src, step, n, zero, dst);
  else
    Differences<int8_t>(src, step, n, zero, dst);
}

void PackA(const MxuOp &op, const MxuGeometry &g, const MxuGeometry::Panel &block, int64_t m0,
           int64_t count, int64_t depth, int16_t *to) {
  const int64_t step = op.a.stride[5];
  const int64_t deep = block.kEnd - block.kBegin;
  for (int64_t r = 0; r < count; ++r, to += depth) {
    int16_t *at = to;
    for (int64_t s = block.segBegin; s < block.segEnd; ++s) {
      const auto &seg = g.segments[size_t(s)];
      const uint8_t *row = g.Row(seg.position, m0 + r);
      if (row)
        RowDifferences(op.a.type, row + seg.channel * step, step, seg.length, op.za, at);
      else
        std::memset(at, 0, size_t(seg.length) * 2);
      at += seg.length;
    }
    if (deep & 1)
      *at = 0;
  }
}

/// Columns [n0, n0+count) of the block as pairs of kk: [pair][kNr][2].
void PackB(const KStream &b, int32_t zb, int64_t kBegin, int64_t kEnd, int64_t n0, int64_t count,
           int16_t *to) {
  const uint8_t *from = b.mem + b.base + n0 * b.stride[2];
  if (b.stride[5] == 1 && b.stride[2] != 1) {
    // Transposed: pairs are adjacent already.
    const int64_t deep = kEnd - kBegin, bytes = (deep + 2) * 2;
    static thread_local Scratch buffer;
    auto *column = static_cast<int16_t *>(buffer.Get(bytes));
    for (int64_t j = 0; j < kNr; ++j) {
      std::memset(column, 0, size_t(bytes));
      if (j < count)
        RowDifferences(b.type, from + j * b.stride[2] + kBegin, 1, deep, zb, column);
      for (int64_t p = 0; p < (deep + 1) / 2; ++p)
        std::memcpy(to + (p * kNr + j) * 2, column + 2 * p, 4);
    }
    return;
  }
  int16_t even[kNr] = {}, odd[kNr] = {};
  for (int64_t k = kBegin; k < kEnd; k += 2, to += 2 * kNr) {
    RowDifferences(b.type, from + k * b.stride[5], b.stride[2], count, zb, even);
    if (k + 1 < kEnd)
      RowDifferences(b.type, from + (k + 1) * b.stride[5], b.stride[2], count, zb, odd);
    else
      std::memset(odd, 0, sizeof(odd));
    for (int64_t j = 0; j < kNr; ++j) {
      to[2 * j] = even[j];
      to[2 * j + 1] = odd[j];
    }
  }
}

void RunPart(const MxuOp &op, const MxuGeometry &g, int64_t m0, int64_t m1, int64_t n0,
             int64_t n1) {
  static thread_local Scratch packA, packB;
  const int64_t rows = m1 - m0, cStep = op.c.stride[2];
  const int64_t depth = (g.maxPanel + 1) / 2 * 2;
  auto *a = static_cast<int16_t *>(packA.Get(rows * depth * 2));
  auto *b = static_cast<int16_t *>(packB.Get(depth * kNr * 2));
  HWY_ALIGN int32_t edge[kMr][kNr];
  for (size_t bi = 0; bi < g.panels.size(); ++bi) {
    const auto &block = g.panels[bi];
    const int64_t pairs = (block.kEnd - block.kBegin + 1) / 2;
    const bool load = op.accumulate || bi > 0;
    PackA(op, g, block, m0, rows, depth, a);
    for (int64_t n = n0; n < n1; n += kNr) {
      const int64_t count = std::min(kNr, n1 - n);
      const bool whole = cStep == 4 && count == kNr;
      PackB(op.b, op.zb, block.kBegin, block.kEnd, n, count, b);
      for (int64_t m = m0; m < m1; m += kMr) {
        const int64_t mr = std::min<int64_t>(kMr, m1 - m);
        int32_t *c[kMr];
        for (int64_t r = 0; r < mr; ++r) {
          uint8_t *at = g.out[size_t(m + r)];
          c[r] = at && whole ? reinterpret_cast<int32_t *>(at + n * 4) : edge[r];
          if (c[r] == edge[r] && load)
            for (int64_t j = 0; j < count; ++j)
              if (at)
                std::memcpy(&edge[r][j], at + (n + j) * cStep, 4);
        }
        PickTile(mr, std::make_integer_sequence<int, kMr>())(
            reinterpret_cast<const int32_t *>(a + (m - m0) * depth), depth / 2, b, pairs, c, load);
        for (int64_t r = 0; r < mr; ++r)
          if (uint8_t *at = g.out[size_t(m + r)]; at && c[r] == edge[r])
            for (int64_t j = 0; j < count; ++j)
              std::memcpy(at + (n + j) * cStep, &edge[r][j], 4);
      }
    }
  }
}

void MxuI8(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  if (RunMxuI8Vnni(op, g, pool))
    return;
#endif
  int parts = g.m * g.n * g.k < 2 * kMxuInlineMacs ? 1 : pool.threads();
  const bool columns = g.n >= 8 * kNr * parts && g.m <= 4 * kMr * parts;
  pool.Run(parts, [&](int part) {
    PartRange r = columns ? CutRange(g.n, kNr, part, parts) : CutRange(g.m, kMr, part, parts);
    if (r.begin >= r.end)
      return;
    if (columns)
      RunPart(op, g, 0, g.m, r.begin, r.end);
    else
      RunPart(op, g, r.begin, r.end, 0, g.n);
  });
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace accel::rt
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace accel::rt {
HWY_EXPORT(MxuI8);
void RunMxuI8(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool) {
  HWY_DYNAMIC_DISPATCH(MxuI8)(op, g, pool);
}
} // namespace accel::rt
#endif // HWY_ONCE

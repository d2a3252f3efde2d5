//===- mxu_i8_vnni.cc - 8-bit products, four to an instruction ------------===//
//
// AVX-512 VNNI adds four products u8·s8 to an i32 lane, wrapping. A's bytes are
// made unsigned and B's signed by flipping their top bit, which moves the zero
// points along; then
//   Σ(a−za)(b−zb) = Σa·b − za·Σb − zb·Σa + k·za·zb   (modulo 2³²),
// where all but the first sum belong to a column or a row. Padding holds za.
//
//===----------------------------------------------------------------------===//
#include "mxu_engines.h"
#include "mxu_geometry.h"
#include "scratch.h"
#include <algorithm>
#include <utility>

#include "hwy/base.h"

#if HWY_ARCH_X86
#include <immintrin.h>

namespace accel::rt {
namespace {

#define ACC_VNNI __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")))

constexpr int kMr = 8;
constexpr int64_t kColumns = 32; // two vectors of i32

uint8_t FlipA(const MxuOp &op) { return op.a.type == KType::I8 ? 0x80 : 0; }
uint8_t FlipB(const MxuOp &op) { return op.b.type == KType::U8 ? 0x80 : 0; }

/// C[MR, 32] = (C +) start + A·B over quads of kk. A row of A is `aStride` bytes, a
/// quad of B [32][4].
template <int MR>
ACC_VNNI void Tile(const uint8_t *a, int64_t aStride, const uint8_t *b, int64_t quads,
                   int32_t *const *c, bool add, const int32_t *columnStart,
                   const int32_t *rowStart) {
  __m512i sum[MR][2];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int v = 0; v < 2; ++v) {
      sum[r][v] = _mm512_add_epi32(_mm512_loadu_si512(columnStart + 16 * v),
                                   _mm512_set1_epi32(rowStart[r]));
      if (add)
        sum[r][v] = _mm512_add_epi32(sum[r][v], _mm512_loadu_si512(c[r] + 16 * v));
    }
  for (int64_t q = 0; q < quads; ++q, b += 4 * kColumns) {
    const __m512i b0 = _mm512_loadu_si512(b), b1 = _mm512_loadu_si512(b + 64);
#pragma unroll
    for (int r = 0; r < MR; ++r) {
      int32_t four;
      std::memcpy(&four, a + r * aStride + 4 * q, 4);
      const __m512i av = _mm512_set1_epi32(four);
      sum[r][0] = _mm512_dpbusd_epi32(sum[r][0], av, b0);
      sum[r][1] = _mm512_dpbusd_epi32(sum[r][1], av, b1);
    }
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int v = 0; v < 2; ++v)
      _mm512_storeu_si512(c[r] + 16 * v, sum[r][v]);
}

using TileFn = void (*)(const uint8_t *, int64_t, const uint8_t *, int64_t, int32_t *const *, bool,
                        const int32_t *, const int32_t *);
template <int... MR> TileFn PickTile(int64_t rows, std::integer_sequence<int, MR...>) {
  static constexpr TileFn kTable[] = {Tile<MR + 1>...};
  return kTable[rows - 1];
}

/// Adds the bytes of each column of a packed quad to `sums`.
ACC_VNNI void AddQuad(const uint8_t *quad, int32_t *sums) {
  const __m512i ones = _mm512_set1_epi8(1);
#pragma unroll
  for (int v = 0; v < 2; ++v)
    _mm512_storeu_si512(sums + 16 * v, _mm512_dpbusd_epi32(_mm512_loadu_si512(sums + 16 * v), ones,
                                                           _mm512_loadu_si512(quad + 64 * v)));
}

/// Rows of 32 columns at four kk as [32][4], top bits flipped.
ACC_VNNI void PackQuad(const uint8_t *const rows[4], uint8_t flip, uint8_t *to) {
  const __m256i f = _mm256_set1_epi8(char(flip));
  __m256i r[4];
#pragma unroll
  for (int i = 0; i < 4; ++i)
    r[i] = _mm256_xor_si256(f, _mm256_loadu_si256(reinterpret_cast<const __m256i *>(rows[i])));
  // Each of lanes 0 and 1 holds columns 0 to 15 and 16 to 31.
  const __m256i low01 = _mm256_unpacklo_epi8(r[0], r[1]), high01 = _mm256_unpackhi_epi8(r[0], r[1]);
  const __m256i low23 = _mm256_unpacklo_epi8(r[2], r[3]), high23 = _mm256_unpackhi_epi8(r[2], r[3]);
  const __m256i part[4] = {_mm256_unpacklo_epi16(low01, low23), _mm256_unpackhi_epi16(low01, low23),
                           _mm256_unpacklo_epi16(high01, high23),
                           _mm256_unpackhi_epi16(high01, high23)};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i *>(to + 16 * i), _mm256_castsi256_si128(part[i]));
    _mm_storeu_si128(reinterpret_cast<__m128i *>(to + 64 + 16 * i),
                     _mm256_extracti128_si256(part[i], 1));
  }
}

/// The same where the four kk of a column are adjacent: B transposed.
void PackTransposedQuad(const uint8_t *columns, int64_t stride, int64_t count, uint8_t flip,
                        uint8_t *to) {
  const uint32_t flips = flip * 0x01010101u;
  for (int64_t j = 0; j < count; ++j) {
    uint32_t four;
    std::memcpy(&four, columns + j * stride, 4);
    four ^= flips;
    std::memcpy(to + 4 * j, &four, 4);
  }
  std::memset(to + 4 * count, 0, size_t(4 * (kColumns - count)));
}

/// Columns [n0, n0 + count) of a panel, what is missing of 32 columns and of the
/// last quad zero. `sums` are those of the columns.
void PackB(const MxuOp &op, int64_t kBegin, int64_t kEnd, int64_t n0, int64_t count, uint8_t *to,
           int32_t *sums) {
  const KStream &b = op.b;
  const uint8_t flip = FlipB(op);
  const uint8_t *from = b.mem + b.base + n0 * b.stride[2];
  std::fill_n(sums, kColumns, 0);
  for (int64_t k = kBegin; k < kEnd; k += 4, to += 4 * kColumns) {
    const int64_t deep = std::min<int64_t>(4, kEnd - k);
    if (b.stride[5] == 1 && deep == 4) {
      PackTransposedQuad(from + k, b.stride[2], count, flip, to);
      AddQuad(to, sums);
      continue;
    }
    uint8_t staged[4][kColumns];
    const uint8_t *rows[4];
    for (int64_t i = 0; i < 4; ++i) {
      const uint8_t *row = from + (k + i) * b.stride[5];
      if (i < deep && b.stride[2] == 1 && count == kColumns) {
        rows[i] = row;
        continue;
      }
      rows[i] = staged[i];
      const int64_t present = i < deep ? count : 0;
      for (int64_t j = 0; j < present; ++j)
        staged[i][j] = row[j * b.stride[2]];
      std::memset(staged[i] + present, flip, size_t(kColumns - present)); // flipped: 0
    }
    PackQuad(rows, flip, to);
    AddQuad(to, sums);
  }
}

/// Rows [m0, m0 + count) of a panel, `depth` bytes each; the bytes of each row are
/// added up where `sums` is given.
void PackA(const MxuOp &op, const MxuGeometry &g, const MxuGeometry::Panel &part, int64_t m0,
           int64_t count, int64_t depth, uint8_t *to, int32_t *sums) {
  const int64_t step = op.a.stride[5];
  const uint8_t flip = FlipA(op), zero = uint8_t(uint8_t(op.za) ^ flip);
  for (int64_t r = 0; r < count; ++r, to += depth) {
    uint8_t *at = to;
    for (int64_t s = part.segBegin; s < part.segEnd; ++s) {
      const auto &seg = g.segments[size_t(s)];
      const uint8_t *row = g.Row(seg.position, m0 + r);
      if (!row)
        std::memset(at, zero, size_t(seg.length));
      else if (step == 1 && !flip)
        std::memcpy(at, row + seg.channel, size_t(seg.length));
      else
        for (int64_t i = 0; i < seg.length; ++i)
          at[i] = uint8_t(row[(seg.channel + i) * step] ^ flip);
      at += seg.length;
    }
    if (sums)
      for (const uint8_t *x = to; x < at; ++x)
        sums[r] += *x;
    std::fill(at, to + depth, uint8_t(0));
  }
}

void RunPart(const MxuOp &op, const MxuGeometry &g, int64_t m0, int64_t m1, int64_t n0,
             int64_t n1) {
  static thread_local Scratch packA, packB, rowSums;
  const int64_t rows = m1 - m0, cStep = op.c.stride[2], depth = (g.maxPanel + 3) / 4 * 4;
  // Zero points of the flipped bytes, as numbers without sign.
  const uint32_t za = uint32_t(op.za + FlipA(op)), zb = uint32_t(op.zb - FlipB(op));
  auto *a = static_cast<uint8_t *>(packA.Get(rows * depth));
  auto *b = static_cast<uint8_t *>(packB.Get(depth * kColumns));
  auto *rowStart = static_cast<int32_t *>(rowSums.Get(rows * 4));
  int32_t columnStart[kColumns], edge[kMr][kColumns];
  bool add = op.accumulate;
  for (const MxuGeometry::Panel &part : g.panels) {
    const int64_t deep = part.kEnd - part.kBegin;
    std::fill_n(rowStart, rows, 0);
    PackA(op, g, part, m0, rows, depth, a, zb ? rowStart : nullptr);
    for (int64_t r = 0; r < rows; ++r)
      rowStart[r] = int32_t(0 - zb * uint32_t(rowStart[r]));
    for (int64_t n = n0; n < n1; n += kColumns) {
      const int64_t count = std::min(kColumns, n1 - n);
      const bool whole = cStep == 4 && count == kColumns;
      PackB(op, part.kBegin, part.kEnd, n, count, b, columnStart);
      for (int32_t &start : columnStart)
        start = int32_t(za * (zb * uint32_t(deep) - uint32_t(start)));
      for (int64_t m = m0; m < m1; m += kMr) {
        const int64_t mr = std::min<int64_t>(kMr, m1 - m);
        int32_t *c[kMr];
        for (int64_t r = 0; r < mr; ++r) {
          uint8_t *at = g.out[size_t(m + r)];
          c[r] = at && whole ? reinterpret_cast<int32_t *>(at + n * 4) : edge[r];
          if (c[r] == edge[r] && add && at)
            for (int64_t j = 0; j < count; ++j)
              std::memcpy(&edge[r][j], at + (n + j) * cStep, 4);
        }
        PickTile(mr, std::make_integer_sequence<int, kMr>())(a + (m - m0) * depth, depth, b,
                                                             (deep + 3) / 4, c, add, columnStart,
                                                             rowStart + (m - m0));
        for (int64_t r = 0; r < mr; ++r)
          if (uint8_t *at = g.out[size_t(m + r)]; at && c[r] == edge[r])
            for (int64_t j = 0; j < count; ++j)
              std::memcpy(at + (n + j) * cStep, &edge[r][j], 4);
      }
    }
    add = true;
  }
}

} // namespace

bool RunMxuI8Vnni(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool) {
  static const bool exists = __builtin_cpu_supports("avx512vnni") &&
                             __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512vl");
  const int32_t za = op.za + FlipA(op), zb = op.zb - FlipB(op);
  if (!exists || za < 0 || za > 255 || zb < -128 || zb > 127)
    return false;
  const int parts = g.m * g.n * g.k < 4 * kMxuInlineMacs ? 1 : pool.threads();
  const bool columns = g.n >= 4 * kColumns * parts && g.m <= 4 * kMr * parts;
  pool.Run(parts, [&](int part) {
    PartRange r = columns ? CutRange(g.n, kColumns, part, parts) : CutRange(g.m, kMr, part, parts);
    if (r.begin >= r.end)
      return;
    if (columns)
      RunPart(op, g, 0, g.m, r.begin, r.end);
    else
      RunPart(op, g, r.begin, r.end, 0, g.n);
  });
  return true;
}

} // namespace accel::rt

#else // HWY_ARCH_X86

bool accel::rt::RunMxuI8Vnni(const MxuOp &, const MxuGeometry &, ThreadPool &) { return false; }

#endif // HWY_ARCH_X86

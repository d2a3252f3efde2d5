//===- mxu_f32.cc - Matrix product with ordered f32 FMAs ------------------===//
//
// Register tiles of kMr rows by two vectors (see ShapeFor): for each kk one load of B per
// vector and one broadcast of A per row, both feeding fused multiply-adds, so
// that 2 FMA ports stay busy. kk ascends through a chain, which is summed in
// registers and then added to the accumulator memory.
//
// A and B are read where they lie; transposed, converted or strided panels of
// B and short or converted channel runs of A are packed once a panel of K.
//
//===----------------------------------------------------------------------===//
#include "mxu_engines.h"
#include "mxu_geometry.h"
#include "row_convert.h"
#include "scratch.h"
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "mxu_f32.cc"
#include "hwy/foreach_target.h"
// Target-dependent from here.
#include "fma-inl.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace accel::rt {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
const hn::ScalableTag<float> kF32;
constexpr int64_t kLanes = HWY_MAX_BYTES / 4;
#if HWY_MAX_BYTES >= 32
const hn::Half<decltype(kF32)> kHalf; // for what a panel leaves over
constexpr int64_t kHalfLanes = kLanes / 2;
#else
const decltype(kF32) kHalf;
constexpr int64_t kHalfLanes = kLanes;
#endif

// 16 vector registers: 6·2 or 4·3 sums, B, and 1 of A. AVX-512 and others have 32.
constexpr int kMr = HWY_MAX_BYTES >= 64 ? 8 : 6;
constexpr int kMr3 = HWY_MAX_BYTES >= 64 ? 8 : 4;
constexpr int64_t kMaxWidth = 8 * kLanes;

/// Columns that one register tile takes.
struct Shape {
  int vectors;
  bool half;
  int rows; // at most

  int64_t width() const { return vectors * (half ? kHalfLanes : kLanes); }
};

/// The next columns of `left`. Few rows take wider tiles, so that enough sums
/// are in flight to hide the latency of an FMA (4 cycles, 2 ports: 8 sums).
/// Other panels are two vectors wide; what is left at the end takes the tile
/// that wastes the fewest lanes.
Shape ShapeFor(int64_t rows, int64_t left) {
  if (rows == 1 && left >= 8 * kLanes)
    return {8, false, 1};
  if (rows <= 3 && left >= 4 * kLanes)
    return {4, false, 3};
  if (left > 3 * kLanes)
    return {2, false, kMr};
  if (left > 2 * kLanes + kHalfLanes)
    return {3, false, kMr3};
  if (left > 3 * kHalfLanes)
    return {2, false, kMr};
  if (left > kLanes)
    return {3, true, kMr3};
  if (left > kHalfLanes)
    return {1, false, kMr};
  return {1, true, kMr};
}

/// Everything a register tile reads: for segment s, row r starts at
/// rows[s.position·rowStride + r] + s.channel·4. Every chainSegments of them are
/// one chain.
struct TileInput {
  const MxuGeometry::Segment *segments;
  int64_t segmentCount, chainSegments;
  const uint8_t *const *rows;
  int64_t rowStride;
};

/// C[MR, NV vectors] (+)= A·B; B row kk at b + kk·bStride.
template <class D, int MR, int NV>
HWY_NOINLINE void Tile(const TileInput &in, const float *HWY_RESTRICT b, int64_t bStride,
                       float *const *c, bool add) {
  const D d;
  constexpr int64_t kStep = int64_t(hn::MaxLanes(D()));
  const MxuGeometry::Segment *seg = in.segments, *const end = seg + in.segmentCount;
  while (seg != end) {
    hn::Vec<D> sum[MR][NV];
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int v = 0; v < NV; ++v)
        sum[r][v] = hn::Zero(d);
    for (const auto *chainEnd = seg + in.chainSegments; seg != chainEnd; ++seg) {
      const uint8_t *const *rows = in.rows + seg->position * in.rowStride;
      const float *a[MR];
#pragma unroll
      for (int r = 0; r < MR; ++r)
        a[r] = reinterpret_cast<const float *>(rows[r]) + seg->channel;
      const int64_t length = seg->length;
      for (int64_t k = 0; k < length; ++k, b += bStride) {
        hn::Vec<D> bv[NV];
#pragma unroll
        for (int v = 0; v < NV; ++v)
          bv[v] = hn::LoadU(d, b + v * kStep);
#pragma unroll
        for (int r = 0; r < MR; ++r) {
          const hn::Vec<D> av = hn::Set(d, a[r][k]);
#pragma unroll
          for (int v = 0; v < NV; ++v)
            sum[r][v] = Fma(d, av, bv[v], sum[r][v]);
        }
      }
    }
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int v = 0; v < NV; ++v) {
        float *at = c[r] + v * kStep;
        hn::StoreU(Canonical(d, add ? hn::Add(hn::LoadU(d, at), sum[r][v]) : sum[r][v]), d, at);
      }
    add = true;
  }
}

using TileFn = void (*)(const TileInput &, const float *, int64_t, float *const *, bool);

template <class D, int NV, int... MR>
TileFn PickTile(D, int64_t rows, std::integer_sequence<int, MR...>) {
  static constexpr TileFn kTable[] = {Tile<D, MR + 1, NV>...};
  return kTable[rows - 1];
}
TileFn TileFor(int64_t rows, Shape shape) {
  constexpr std::make_integer_sequence<int, kMr> upToMr;
  constexpr std::make_integer_sequence<int, kMr3> upToMr3;
  switch (shape.vectors) {
  case 8:
    return Tile<decltype(kF32), 1, 8>;
  case 4:
    return PickTile<decltype(kF32), 4>(kF32, rows, std::make_integer_sequence<int, 3>());
  case 3:
    return shape.half ? PickTile<decltype(kHalf), 3>(kHalf, rows, upToMr3)
                      : PickTile<decltype(kF32), 3>(kF32, rows, upToMr3);
  case 2:
    return PickTile<decltype(kF32), 2>(kF32, rows, upToMr);
  default:
    return shape.half ? PickTile<decltype(kHalf), 1>(kHalf, rows, upToMr)
                      : PickTile<decltype(kF32), 1>(kF32, rows, upToMr);
  }
}

/// Copies n floats.
HWY_INLINE void CopyRow(const uint8_t *from, int64_t n, float *to) {
  const float *f = reinterpret_cast<const float *>(from);
  const hn::CappedTag<float, 4> d4;
  constexpr int64_t kFour = int64_t(hn::MaxLanes(d4));
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    hn::StoreU(hn::LoadU(kF32, f + i), kF32, to + i);
  for (; i + kFour <= n; i += kFour)
    hn::StoreU(hn::LoadU(d4, f + i), d4, to + i);
  for (; i < n; ++i)
    to[i] = f[i];
}

/// Rows of B that are fetched before they are packed.
constexpr int64_t kPrefetchRows = 8;

/// Columns [n0, n0 + count) of rows kk of block: packed to `width` floats a
/// row, the rest zero.
void PackB(const KStream &b, int64_t kBegin, int64_t kEnd, int64_t n0, int64_t count, int64_t width,
           float *to) {
  const uint8_t *from = b.mem + b.base + n0 * b.stride[2];
  if (b.type == KType::F32 && b.stride[5] == 4 && b.stride[2] != 4) {
    // Transposed: each column is a contiguous run of kk.
    for (int64_t j = count; j < width; ++j)
      for (int64_t k = 0; k < kEnd - kBegin; ++k)
        to[k * width + j] = 0;
    TransposeF32(from + kBegin * 4, b.stride[2], count, kEnd - kBegin, to, width);
    return;
  }
  if (b.type == KType::F32 && b.stride[2] == 4) {
    const int64_t ahead = kPrefetchRows * b.stride[5];
    for (int64_t k = kBegin; k < kEnd; ++k, to += width) {
      const uint8_t *row = from + k * b.stride[5];
      for (int64_t i = 0; i < count * 4; i += 64)
        hwy::Prefetch(row + ahead + i);
      CopyRow(row, count, to);
      for (int64_t j = count; j < width; ++j)
        to[j] = 0;
    }
    return;
  }
  for (int64_t k = kBegin; k < kEnd; ++k, to += width) {
    RowToF32(b.type, from + k * b.stride[5], b.stride[2], count, to);
    for (int64_t j = count; j < width; ++j)
      to[j] = 0;
  }
}

/// Copies n floats and up to 3 more, where both sides have room.
HWY_INLINE void CopyFloats(const uint8_t *from, int64_t n, float *to) {
  const hn::CappedTag<float, 4> d;
  for (int64_t i = 0; i < n; i += int64_t(hn::Lanes(d)))
    hn::StoreU(hn::LoadU(d, reinterpret_cast<const float *>(from) + i), d, to + i);
}

/// Rows [m0, m0 + count) of one panel of K as [count][depth] floats, depth at
/// least 4 more than the panel. Segments whose addresses follow one another
/// (the taps of a kernel row over few channels) are copied as one run. What a
/// copy writes too much, the next run of the row overwrites.
void PackA(const MxuOp &op, const MxuGeometry &g, const MxuGeometry::Panel &part, int64_t m0,
           int64_t count, int64_t depth, float *to) {
  const KStream &a = op.a;
  const int64_t step = a.stride[5];
  const bool floats = a.type == KType::F32 && step == 4;
  const uint8_t *safeEnd = a.mem + a.limit - 12;
  const int64_t kw = g.c <= g.chainChannels ? op.size[4] : 1;
  for (int64_t s = part.segBegin; s < part.segEnd;) {
    const auto &seg = g.segments[size_t(s)];
    const int64_t taps = std::min(kw - seg.position % kw, part.segEnd - s);
    const int64_t n = seg.length, shift = seg.channel * step;
    const uint8_t *const *first = &g.rows[size_t(seg.position * g.m + m0)];
    for (int64_t r = 0; r < count; ++r) {
      float *at = to + r * depth;
      const uint8_t *row = first[r] + shift;
      if (taps > 1 && first[(taps - 1) * g.m + r] + shift == row + (taps - 1) * n * step &&
          floats && row + taps * n * 4 <= safeEnd) {
        CopyFloats(row, taps * n, at);
        continue;
      }
      for (int64_t t = 0; t < taps; ++t, at += n) {
        row = first[t * g.m + r] + shift;
        // The page of zeros lies elsewhere and has room.
        if (floats && (row + n * 4 <= safeEnd || row >= safeEnd + 12))
          CopyFloats(row, n, at);
        else
          RowToF32(a.type, row, step, n, at);
      }
    }
    to += taps * n;
    s += taps;
  }
}

/// One part of the instruction: rows [m0,m1) by columns [n0,n1).
class Part {
public:
  Part(const MxuOp &op, const MxuGeometry &g, bool direct) : op_(op), g_(g), direct_(direct) {}

  void Run(int64_t m0, int64_t m1, int64_t n0, int64_t n1) {
    const KStream &b = op_.b;
    const int64_t rows = m1 - m0;
    // Rows of B that lie in SRAM stream into L1 faster than they are copied.
    const bool inPlace = b.type == KType::F32 && b.stride[2] == 4 && b.stride[5] % 4 == 0;
    static thread_local Scratch packA, packB;
    depth_ = g_.maxPanel + 4;
    bool add = op_.accumulate;
    for (const MxuGeometry::Panel &part : g_.panels) {
      const int64_t deep = part.kEnd - part.kBegin;
      if (!direct_) {
        packedA_ = static_cast<float *>(packA.Get(rows * depth_ * 4 + 64));
        PackA(op_, g_, part, m0, rows, depth_, packedA_);
        CutPacked(deep);
      }
      for (int64_t n = n0; n < n1;) {
        const Shape shape = ShapeFor(inPlace ? rows : kMr, n1 - n);
        const int64_t width = shape.width(), count = std::min(width, n1 - n);
        const float *panel;
        int64_t stride;
        if (inPlace && count == width) {
          panel = reinterpret_cast<const float *>(b.mem + b.base + part.kBegin * b.stride[5]) + n;
          stride = b.stride[5] / 4;
        } else {
          stride = width;
          float *to = static_cast<float *>(packB.Get(deep * width * 4));
          PackB(b, part.kBegin, part.kEnd, n, count, width, to);
          panel = to;
        }
        Columns(part, m0, m1, n, count, shape, panel, stride, add);
        n += count;
      }
      add = true;
    }
  }

private:
  /// The chains of a packed panel, each one segment.
  void CutPacked(int64_t deep) {
    const int64_t chain = g_.chainChannels * g_.positions;
    packedChains_.clear();
    for (int64_t k = 0; k < deep; k += chain)
      packedChains_.push_back({0, k, std::min(chain, deep - k)});
  }

  /// One panel's part of columns [n, n + count).
  void Columns(const MxuGeometry::Panel &part, int64_t m0, int64_t m1, int64_t n, int64_t count,
               Shape shape, const float *panel, int64_t stride, bool add) {
    const int64_t cStep = op_.c.stride[2];
    const bool whole = cStep == 4 && count == shape.width();
    HWY_ALIGN float edge[kMr][kMaxWidth];
    for (int64_t m = m0; m < m1; m += shape.rows) {
      const int64_t rows = std::min<int64_t>(shape.rows, m1 - m);
      const uint8_t *packed[kMr];
      TileInput in;
      if (direct_) {
        in = {&g_.segments[size_t(part.segBegin)], part.segEnd - part.segBegin, g_.positions,
              &g_.rows[size_t(m)], g_.m};
      } else {
        for (int64_t r = 0; r < rows; ++r)
          packed[r] = reinterpret_cast<const uint8_t *>(packedA_ + (m - m0 + r) * depth_);
        in = {packedChains_.data(), int64_t(packedChains_.size()), 1, packed, 0};
      }
      float *c[kMr];
      bool stage[kMr];
      for (int64_t r = 0; r < rows; ++r) {
        uint8_t *at = g_.out[size_t(m + r)];
        stage[r] = !at || !whole;
        c[r] = stage[r] ? edge[r] : reinterpret_cast<float *>(at + n * 4);
        if (!stage[r] || !add)
          continue;
        if (!at)
          std::fill_n(edge[r], count, 0.0f);
        else if (cStep == 4)
          CopyRow(at + n * 4, count, edge[r]);
        else
          for (int64_t j = 0; j < count; ++j)
            std::memcpy(&edge[r][j], at + (n + j) * cStep, 4);
      }
      TileFor(rows, shape)(in, panel, stride, c, add);
      for (int64_t r = 0; r < rows; ++r) {
        uint8_t *at = g_.out[size_t(m + r)];
        if (!at || !stage[r])
          continue;
        const auto *from = reinterpret_cast<const uint8_t *>(edge[r]);
        if (cStep == 4)
          CopyRow(from, count, reinterpret_cast<float *>(at + n * 4));
        else
          for (int64_t j = 0; j < count; ++j)
            std::memcpy(at + (n + j) * cStep, &edge[r][j], 4);
      }
    }
  }

  const MxuOp &op_;
  const MxuGeometry &g_;
  bool direct_;
  float *packedA_ = nullptr;
  int64_t depth_ = 0;
  std::vector<MxuGeometry::Segment> packedChains_;
};

void MxuF32(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool) {
  // Short runs of channels would spend their time changing row pointers.
  const bool direct = op.a.type == KType::F32 && op.a.stride[5] == 4 && g.c >= 12;
  const int64_t work = g.m * g.n * g.k;
  int parts = work < kMxuInlineMacs ? 1 : pool.threads();
  // By columns nothing is packed twice; by rows B is.
  const bool columns = direct && g.n >= 4 * kLanes * parts;
  const int64_t tiles = columns ? g.n / (2 * kLanes) : (g.m + kMr - 1) / kMr;
  parts = int(std::min<int64_t>(parts, std::max<int64_t>(tiles, 1)));
  pool.Run(parts, [&](int part) {
    PartRange r =
        columns ? CutRange(g.n, 2 * kLanes, part, parts) : CutRange(g.m, kMr, part, parts);
    if (r.begin >= r.end)
      return;
    if (columns)
      Part(op, g, direct).Run(0, g.m, r.begin, r.end);
    else
      Part(op, g, direct).Run(r.begin, r.end, 0, g.n);
  });
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace accel::rt
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace accel::rt {
HWY_EXPORT(MxuF32);
void RunMxuF32(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool) {
  HWY_DYNAMIC_DISPATCH(MxuF32)(op, g, pool);
}
} // namespace accel::rt
#endif // HWY_ONCE

//===- reference.cc - DMA and MXU, element by element ---------------------===//
#include "reference.h"
#include "absl/strings/str_cat.h"
#include "number_formats.h"
#include "stream_walk.h"

namespace accel::rt::reference {
namespace {

/// Channels that the MXU reduces before it moves to the next kernel position;
/// they are a chain. With one position a chain has this many channels.
constexpr int64_t kKBlock = 32, kChain = 128;

/// Calls fn(idx) for every point in row-major order.
template <typename Fn> void ForEachPoint(const int64_t size[kDims], Fn &&fn) {
  for (int d = 0; d < kDims; ++d)
    if (size[d] <= 0)
      return;
  int64_t idx[kDims] = {};
  for (int d = 0; d >= 0;) {
    fn(idx);
    for (d = kDims - 1; d >= 0; --d) {
      if (++idx[d] < size[d])
        break;
      idx[d] = 0;
    }
  }
}

uint64_t LoadAt(const KStream &s, int64_t offset) {
  return LoadBits(s.mem + offset, KTypeBytes(s.type));
}

/// One product and sum. Out-of-bounds operands are absent (inside = false).
void Accumulate(const MxuOp &op, const int64_t a_idx[kDims], const int64_t b_idx[kDims], float &f,
                int32_t &i) {
  int64_t ao, bo;
  bool ina = PointOffset(op.a, a_idx, ao), inb = PointOffset(op.b, b_idx, bo);
  if (IsFloat(op.a.type)) {
    float a = ina ? DecodeF32(op.a.type, LoadAt(op.a, ao)) : 0.0f;
    float b = inb ? DecodeF32(op.b.type, LoadAt(op.b, bo)) : 0.0f;
    f = std::fma(a, b, f);
    return;
  }
  int64_t a = ina ? DecodeInt(op.a.type, LoadAt(op.a, ao)) - op.za : 0;
  int64_t b = inb ? DecodeInt(op.b.type, LoadAt(op.b, bo)) - op.zb : 0;
  i = int32_t(uint32_t(i) + uint32_t(a) * uint32_t(b));
}

/// Runs `chain(number, f, i)` for each of `chains` from zero; the sum of a chain is
/// added to the accumulator at C's point.
template <typename Chain>
void UpdateAccumulator(const MxuOp &op, const int64_t c_idx[kDims], int64_t chains, Chain &&chain) {
  int64_t offset;
  if (!PointOffset(op.c, c_idx, offset))
    return;
  float f = 0;
  int32_t i = 0;
  if (op.accumulate) {
    std::memcpy(&f, op.c.mem + offset, 4);
    std::memcpy(&i, op.c.mem + offset, 4);
  }
  for (int64_t number = 0; number < chains; ++number) {
    float partial = 0;
    chain(number, partial, i);
    f = op.accumulate || number > 0 ? f + partial : partial;
  }
  f = CanonicalF32(f);
  std::memcpy(op.c.mem + offset, IsFloat(op.a.type) ? (void *)&f : (void *)&i, 4);
}

} // namespace

void Mxu(const MxuOp &op) {
  const int64_t *size = op.size;
  int64_t points[kDims] = {size[0], size[1], size[2], 1, 1, 1};
  for (int d = 3; d < kDims; ++d)
    if (size[d] <= 0)
      return;
  const int64_t positions = size[3] * size[4], channels = positions == 1 ? kChain : kKBlock;
  const int64_t chains = (size[5] + channels - 1) / channels;
  ForEachPoint(points, [&](const int64_t *p) {
    UpdateAccumulator(op, p, chains, [&](int64_t chain, float &f, int32_t &i) {
      const int64_t begin = chain * channels;
      int64_t kk = begin * positions;
      for (int64_t kh = 0; kh < size[3]; ++kh)
        for (int64_t kw = 0; kw < size[4]; ++kw)
          for (int64_t c = begin; c < begin + channels && c < size[5]; ++c, ++kk) {
            int64_t a[kDims] = {p[0], p[1], 0, kh, kw, c};
            int64_t b[kDims] = {0, 0, p[2], 0, 0, kk};
            Accumulate(op, a, b, f, i);
          }
    });
  });
}

void MxuDw(const MxuOp &op) {
  const int64_t *size = op.size;
  int64_t points[kDims] = {size[0], size[1], size[2], 1, 1, 1};
  if (size[3] <= 0 || size[4] <= 0 || size[5] <= 0)
    return;
  ForEachPoint(points, [&](const int64_t *p) {
    UpdateAccumulator(op, p, 1, [&](int64_t, float &f, int32_t &i) {
      for (int64_t kh = 0; kh < size[3]; ++kh)
        for (int64_t kw = 0; kw < size[4]; ++kw) {
          int64_t a[kDims] = {p[0], p[1], p[2], kh, kw, 0};
          int64_t b[kDims] = {0, 0, p[2], kh, kw, 0};
          Accumulate(op, a, b, f, i);
        }
    });
  });
}

absl::Status Dma(const DmaOp &op) {
  const bool gather = op.kind == DmaKind::Gather, scatter = op.kind == DmaKind::Scatter;
  absl::Status status;
  auto indexAt = [&](int64_t i, int64_t &index) {
    int64_t idx[kDims] = {i}, offset;
    PointOffset(op.index, idx, offset);
    index = DecodeInt(op.index.type, LoadAt(op.index, offset));
    if (index < 0)
      index += op.indexBound;
    return index >= 0 && index < op.indexBound;
  };
  if (gather || scatter)
    for (int64_t i = 0; i < op.size[0] && status.ok(); ++i)
      if (int64_t index; !indexAt(i, index))
        return absl::OutOfRangeError("index out of range");
  uint64_t pad = op.src.padBits;
  ForEachPoint(op.size, [&](const int64_t *p) {
    int64_t s[kDims], d[kDims];
    std::copy(p, p + kDims, s);
    std::copy(p, p + kDims, d);
    if (gather)
      indexAt(p[0], s[0]);
    if (scatter)
      indexAt(p[0], d[0]);
    int64_t so, to;
    if (!PointOffset(op.dst, d, to))
      return;
    uint64_t bits = op.fillBits;
    if (op.kind != DmaKind::Fill) {
      bits = PointOffset(op.src, s, so) ? LoadAt(op.src, so) : pad;
      bits = ConvertBits(op.src.type, op.dst.type, bits);
    }
    StoreBits(op.dst.mem + to, bits, KTypeBytes(op.dst.type));
  });
  return absl::OkStatus();
}

} // namespace accel::rt::reference

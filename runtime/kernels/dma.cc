//===- dma.cc - Copies, fills, transposes, conversions, gathers -----------===//
//
// Source and destination do not overlap, so the order of the copy is free.
// The iteration space is first merged; then one of three plans runs:
//   plane   src contiguous along one dimension, dst along another: transpose
//   blocks  rows of equal blocks of bytes (a block is a contiguous run on both
//           sides, or one element); padding and wrap-around cut rows into
//           segments
//   convert rows of elements whose types differ
//
//===----------------------------------------------------------------------===//
#include "absl/strings/str_cat.h"
#include "number_formats.h"
#include "row_convert.h"
#include "stream_walk.h"
#include <algorithm>
#include <cstring>

namespace accel::rt {
namespace {

/// Bytes from which a copy is worth a second thread.
constexpr int64_t kSplitBytes = 256 << 10;
/// Bytes from which the C library would use `rep movsb`.
constexpr int64_t kLongCopy = 2048;
/// Rows of up to kShortRow bytes are fetched kRowsAhead before their turn.
constexpr int64_t kShortRow = 1024, kRowsAhead = 16;

/// Copies `count` blocks of kBytes.
template <int64_t kBytes>
void CopyFixed(uint8_t *dst, int64_t dstStep, const uint8_t *src, int64_t srcStep, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(dst + i * dstStep, src + i * srcStep, kBytes);
}

void CopyBlocks(uint8_t *dst, int64_t dstStep, const uint8_t *src, int64_t srcStep, int64_t count,
                int64_t bytes) {
  if (count == 1 || (dstStep == bytes && srcStep == bytes)) {
    const int64_t n = bytes * count;
    n < kLongCopy ? (void)std::memcpy(dst, src, size_t(n)) : CopyBytes(dst, src, n);
    return;
  }
  switch (bytes) {
  case 1:
    return CopyFixed<1>(dst, dstStep, src, srcStep, count);
  case 2:
    return CopyFixed<2>(dst, dstStep, src, srcStep, count);
  case 4:
    return CopyFixed<4>(dst, dstStep, src, srcStep, count);
  case 8:
    return CopyFixed<8>(dst, dstStep, src, srcStep, count);
  case 12:
    return CopyFixed<12>(dst, dstStep, src, srcStep, count);
  case 16:
    return CopyFixed<16>(dst, dstStep, src, srcStep, count);
  case 32:
    return CopyFixed<32>(dst, dstStep, src, srcStep, count);
  default:
    // Short rows far apart: the hardware fetches each one's lines too late.
    for (int64_t i = 0; i < count; ++i) {
      if (bytes <= kShortRow)
        for (int64_t line = 0; line < bytes; line += 64)
          __builtin_prefetch(src + (i + kRowsAhead) * srcStep + line);
      if (bytes < kLongCopy)
        std::memcpy(dst + i * dstStep, src + i * srcStep, size_t(bytes));
      else
        CopyBytes(dst + i * dstStep, src + i * srcStep, bytes);
    }
  }
}

void FillRun(uint8_t *dst, uint64_t bits, int64_t element, int64_t bytes) {
  const uint8_t first = uint8_t(bits);
  bool same = true;
  for (int64_t i = 1; i < element; ++i)
    same &= uint8_t(bits >> (8 * i)) == first;
  if (same) {
    std::memset(dst, first, size_t(bytes));
    return;
  }
  for (int64_t i = 0; i < bytes; i += element)
    std::memcpy(dst + i, &bits, size_t(element));
}

void FillBlocks(uint8_t *dst, int64_t dstStep, int64_t count, int64_t bytes, uint64_t bits,
                int64_t element) {
  if (dstStep == bytes)
    return FillRun(dst, bits, element, bytes * count);
  for (int64_t i = 0; i < count; ++i)
    FillRun(dst + i * dstStep, bits, element, bytes);
}

void ConvertRow(KType from, const uint8_t *src, int64_t srcStep, KType to, uint8_t *dst,
                int64_t dstStep, int64_t n) {
  const bool wide = from == KType::F64 || to == KType::F64 || to == KType::I64 ||
                    to == KType::U64 || (!IsFloat(from) && !IsFloat(to));
  if (!wide) {
    float part[256];
    for (int64_t i = 0; i < n; i += 256) {
      const int64_t count = std::min<int64_t>(256, n - i);
      RowToF32(from, src + i * srcStep, srcStep, count, part);
      RowFromF32(to, part, dst + i * dstStep, dstStep, count);
    }
    return;
  }
  const int64_t fromBytes = KTypeBytes(from), toBytes = KTypeBytes(to);
  for (int64_t i = 0; i < n; ++i)
    StoreBits(dst + i * dstStep, ConvertBits(from, to, LoadBits(src + i * srcStep, fromBytes)),
              toBytes);
}

/// dst[k·dstRow + j·e] = src[j·srcRow + k·e] for j < rows, k < columns.
template <typename T>
void TransposeElements(const uint8_t *src, int64_t srcRow, int64_t rows, int64_t columns,
                       uint8_t *dst, int64_t dstRow) {
  // Tiles of a cache line on each side.
  constexpr int64_t kTile = 64 / int64_t(sizeof(T));
  for (int64_t j0 = 0; j0 < rows; j0 += kTile)
    for (int64_t k0 = 0; k0 < columns; k0 += kTile) {
      const int64_t j1 = std::min(j0 + kTile, rows), k1 = std::min(k0 + kTile, columns);
      for (int64_t k = k0; k < k1; ++k)
        for (int64_t j = j0; j < j1; ++j)
          std::memcpy(dst + k * dstRow + j * int64_t(sizeof(T)),
                      src + j * srcRow + k * int64_t(sizeof(T)), sizeof(T));
    }
}

void TransposePlane(const uint8_t *src, int64_t srcRow, int64_t rows, int64_t columns, uint8_t *dst,
                    int64_t dstRow, int64_t element) {
  switch (element) {
  case 1:
    return TransposeElements<uint8_t>(src, srcRow, rows, columns, dst, dstRow);
  case 2:
    return TransposeElements<uint16_t>(src, srcRow, rows, columns, dst, dstRow);
  case 8:
    return TransposeElements<uint64_t>(src, srcRow, rows, columns, dst, dstRow);
  default:
    if (dstRow % 4 == 0 && srcRow % 4 == 0)
      return TransposeF32(src, srcRow, rows, columns, reinterpret_cast<float *>(dst), dstRow / 4);
    return TransposeElements<uint32_t>(src, srcRow, rows, columns, dst, dstRow);
  }
}

/// A copy or fill with its loops chosen.
class Transfer {
public:
  explicit Transfer(const DmaOp &op) : op_(op), fill_(op.kind == DmaKind::Fill) {
    std::copy(op.size, op.size + kDims, size_);
    dstBytes_ = KTypeBytes(op.dst.type);
    convert_ = !fill_ && op.src.type != op.dst.type;
    pad_ = fill_ ? op.fillBits : ConvertBits(op.src.type, op.dst.type, op.src.padBits);
    Merge();
    Choose();
  }

  int64_t Bytes() const {
    int64_t n = dstBytes_;
    for (int64_t s : size_)
      n *= s;
    return n;
  }
  /// The outermost loop, for splitting; its trips.
  int64_t OuterTrips() const { return outer_ < 0 ? 1 : size_[outer_]; }

  void Run(int64_t begin, int64_t end) const {
    int64_t idx[kDims] = {};
    if (outer_ < 0)
      return Inner(idx);
    for (idx[outer_] = begin; idx[outer_] < end; ++idx[outer_])
      Loop(0, idx);
  }

private:
  bool Windowed(int d) const {
    return WindowUses(op_.dst, d) || (!fill_ && WindowUses(op_.src, d));
  }

  /// Joins dimension pairs that both sides walk as one.
  void Merge() {
    for (int d = kDims - 1; d > 0; --d) {
      if (size_[d] == 1 || Windowed(d))
        continue;
      for (int o = d - 1; o >= 0; --o) {
        if (size_[o] == 1)
          continue;
        if (Windowed(o) || op_.dst.stride[o] != op_.dst.stride[d] * size_[d] ||
            (!fill_ && op_.src.stride[o] != op_.src.stride[d] * size_[d]))
          break;
        size_[d] *= size_[o];
        size_[o] = 1;
      }
    }
  }

  void Choose() {
    int alongDst = -1, alongSrc = -1;
    const int64_t srcBytes = fill_ ? dstBytes_ : KTypeBytes(op_.src.type);
    for (int d = 0; d < kDims; ++d) {
      if (size_[d] == 1 || Windowed(d))
        continue;
      if (op_.dst.stride[d] == dstBytes_)
        alongDst = d;
      if (fill_ || op_.src.stride[d] == srcBytes)
        alongSrc = d;
    }
    block_ = dstBytes_;
    bool used[kDims] = {};
    if (convert_) {
      row_ = PickRow(used);
    } else if (fill_ ? alongDst >= 0 : alongDst >= 0 && alongDst == alongSrc) {
      block_ = size_[alongDst] * dstBytes_;
      used[alongDst] = true;
      row_ = PickRow(used);
    } else if (alongDst >= 0 && alongSrc >= 0 && !fill_) {
      plane_ = alongDst;
      row_ = alongSrc;
      used[plane_] = true;
    } else {
      row_ = PickRow(used);
    }
    if (row_ >= 0)
      used[row_] = true;
    for (int d = 0; d < kDims; ++d)
      if (!used[d] && size_[d] > 1) {
        if (outer_ < 0)
          outer_ = d;
        else
          loops_[loopCount_++] = d;
      }
  }

  /// The dimension of rows: the tightest of at least 16 points, else the
  /// longest.
  int PickRow(const bool used[kDims]) const {
    int best = -1;
    auto spread = [&](int d) {
      return std::abs(op_.dst.stride[d]) + (fill_ ? 0 : std::abs(op_.src.stride[d]));
    };
    for (int d = kDims - 1; d >= 0; --d) {
      if (used[d] || size_[d] == 1)
        continue;
      const bool isLong = size_[d] >= 16, bestLong = best >= 0 && size_[best] >= 16;
      if (best < 0 || (isLong && !bestLong) ||
          (isLong == bestLong && (isLong ? spread(d) < spread(best) : size_[d] > size_[best])))
        best = d;
    }
    return best;
  }

  void Loop(int level, int64_t *idx) const {
    if (level == loopCount_)
      return Inner(idx);
    const int d = loops_[level];
    for (idx[d] = 0; idx[d] < size_[d]; ++idx[d])
      Loop(level + 1, idx);
    idx[d] = 0;
  }

  void Inner(const int64_t *idx) const {
    const KStream &dst = op_.dst, &src = op_.src;
    if (plane_ >= 0)
      return Plane(idx);
    const int row = row_ < 0 ? kDims - 1 : row_;
    const int64_t n = row_ < 0 ? 1 : size_[row_];
    WalkRow(dst, idx, row, 0, n, [&](const RowSegment &to) {
      if (!to.inside)
        return;
      if (fill_)
        return FillBlocks(dst.mem + to.offset, to.step, to.count, block_, pad_, dstBytes_);
      WalkRow(src, idx, row, to.begin, to.begin + to.count, [&](const RowSegment &from) {
        uint8_t *at = dst.mem + to.offset + (from.begin - to.begin) * to.step;
        if (!from.inside)
          FillBlocks(at, to.step, from.count, block_, pad_, dstBytes_);
        else if (convert_)
          ConvertRow(src.type, src.mem + from.offset, from.step, dst.type, at, to.step, from.count);
        else
          CopyBlocks(at, to.step, src.mem + from.offset, from.step, from.count, block_);
      });
    });
  }

  /// Transposes src rows along row_ into dst rows along plane_; neither moves
  /// a window, but the window may still pad the whole plane.
  void Plane(const int64_t *idx) const {
    const KStream &dst = op_.dst, &src = op_.src;
    int64_t to, from;
    if (!PointOffset(dst, idx, to))
      return;
    if (!PointOffset(src, idx, from)) {
      for (int64_t k = 0; k < size_[row_]; ++k)
        FillRun(dst.mem + to + k * dst.stride[row_], pad_, dstBytes_, size_[plane_] * dstBytes_);
      return;
    }
    TransposePlane(src.mem + from, src.stride[plane_], size_[plane_], size_[row_], dst.mem + to,
                   dst.stride[row_], dstBytes_);
  }

  const DmaOp &op_;
  bool fill_, convert_ = false;
  int64_t size_[kDims];
  int64_t dstBytes_ = 0, block_ = 0;
  uint64_t pad_ = 0;
  int row_ = -1, plane_ = -1, outer_ = -1;
  int loops_[kDims], loopCount_ = 0;
};

/// Moves a stream to position `index` of dimension 0.
KStream AtIndex(const KStream &s, int64_t index) {
  KStream r = s;
  r.base += index * s.stride[0];
  if (s.windowed)
    for (WindowCoord &w : r.coord) {
      if (w.dimA == 0)
        w.start += index * w.mulA;
      if (w.dimB == 0)
        w.start += index * w.mulB;
    }
  return r;
}

/// Entry i of the index list, counted from the start.
absl::Status IndexAt(const DmaOp &op, int64_t i, int64_t &index) {
  int64_t idx[kDims] = {i}, offset;
  PointOffset(op.index, idx, offset);
  const int64_t v =
      DecodeInt(op.index.type, LoadBits(op.index.mem + offset, KTypeBytes(op.index.type)));
  index = v < 0 ? v + op.indexBound : v;
  if (index >= 0 && index < op.indexBound)
    return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat("index out of range: entry ", i, " is ", v,
                                            ", the indexed dimension has ", op.indexBound));
}

absl::Status ExecIndexed(const DmaOp &op) {
  int64_t index;
  for (int64_t i = 0; i < op.size[0]; ++i)
    if (absl::Status s = IndexAt(op, i, index); !s.ok())
      return s;
  const bool gather = op.kind == DmaKind::Gather;
  for (int64_t i = 0; i < op.size[0]; ++i) {
    // Again checked: a scatter may have overwritten the list.
    if (absl::Status s = IndexAt(op, i, index); !s.ok())
      return s;
    DmaOp one = op;
    one.kind = DmaKind::Copy;
    one.size[0] = 1;
    one.dst = AtIndex(op.dst, gather ? i : index);
    one.src = AtIndex(op.src, gather ? index : i);
    Transfer t(one);
    t.Run(0, t.OuterTrips());
  }
  return absl::OkStatus();
}

} // namespace

absl::Status ExecDma(const DmaOp &op, ThreadPool &pool) {
  for (int64_t n : op.size)
    if (n <= 0)
      return absl::OkStatus();
  if (op.kind == DmaKind::Gather || op.kind == DmaKind::Scatter)
    return ExecIndexed(op);
  Transfer t(op);
  const int64_t trips = t.OuterTrips();
  const int parts = t.Bytes() < kSplitBytes ? 1 : int(std::min<int64_t>(pool.threads(), trips));
  pool.Run(parts, [&](int part) {
    PartRange r = CutRange(trips, 1, part, parts);
    if (r.begin < r.end || parts == 1)
      t.Run(r.begin, r.end);
  });
  return absl::OkStatus();
}

} // namespace accel::rt

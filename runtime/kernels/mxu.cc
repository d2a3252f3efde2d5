//===- mxu.cc - Matrix engine entry points --------------------------------===//
#include "mxu_engines.h"
#include "number_formats.h"
#include "reference.h"
#include "scratch.h"
#include "stream_walk.h"
#include <algorithm>

namespace accel::rt {
namespace {

bool IsByteInt(KType t) { return t == KType::I8 || t == KType::U8; }
bool IsMxuFloat(KType t) { return IsFloat(t) && t != KType::F64 && t != KType::E8M0; }

bool AnyEmpty(const int64_t size[kDims]) {
  return std::any_of(size, size + kDims, [](int64_t n) { return n <= 0; });
}

/// Zero points for which a − za fits 16 bits, as it does for every zero point
/// of an 8-bit type.
bool ZeroPointsFit(const MxuOp &op) {
  return op.za >= -128 && op.za <= 255 && op.zb >= -128 && op.zb <= 255;
}

/// Bounds on the tables that an instruction may make the host allocate. No
/// program comes near; artifacts are not trusted.
constexpr int64_t kMaxTable = int64_t(1) << 24; // entries
constexpr int64_t kMaxPage = int64_t(64) << 20; // bytes
bool TablesFit(const MxuOp &op, int64_t pageBytes) {
  const int64_t positions = op.size[3] * op.size[4];
  return positions <= kMaxTable / 16 && op.size[5] <= kMaxTable &&
         positions * op.size[5] <= kMaxTable && op.size[2] <= kMaxTable &&
         positions * op.size[2] <= kMaxTable && pageBytes <= kMaxPage;
}

/// One page of zeros serves as every padded row of channels; strided channels
/// walk it by their step.
int64_t PageBytes(const MxuOp &op) {
  const int64_t step = std::max<int64_t>(op.a.stride[5], 8);
  if (step >= kMaxPage)
    return kMaxPage + 1;
  const bool padded = IsFloat(op.a.type) && op.a.windowed && op.size[5] < kMaxPage;
  return padded ? op.size[5] * step + 64 : 64;
}

/// The stream from index `i` of dimension d on.
void Advance(KStream &s, int d, int64_t i) {
  s.base += i * s.stride[d];
  if (s.windowed)
    for (WindowCoord &w : s.coord)
      w.start += i * ((w.dimA == d ? w.mulA : 0) + (w.dimB == d ? w.mulB : 0));
}

/// Calls run(part) for slices of the rows whose tables fit.
template <typename Fn> void SliceRows(const MxuOp &op, const Fn &run) {
  const int64_t perRow = std::max<int64_t>(op.size[3] * op.size[4], 1);
  const int64_t limit = std::max<int64_t>(kMaxTable / 4 / perRow, 1);
  if (op.size[0] * op.size[1] <= limit)
    return run(op);
  for (int64_t m0 = 0; m0 < op.size[0]; ++m0)
    for (int64_t m1 = 0; m1 < op.size[1]; m1 += limit) {
      MxuOp part = op;
      part.size[0] = 1;
      part.size[1] = std::min(limit, op.size[1] - m1);
      for (KStream *s : {&part.a, &part.c}) {
        Advance(*s, 0, m0);
        Advance(*s, 1, m1);
      }
      run(part);
    }
}

} // namespace

bool MxuTypes(KType a, KType b, KType &acc) {
  if (IsMxuFloat(a) && IsMxuFloat(b)) {
    acc = KType::F32;
    return true;
  }
  acc = KType::I32;
  return IsByteInt(a) && IsByteInt(b);
}

void ExecMxu(const MxuOp &op, ThreadPool &pool) {
  if (AnyEmpty(op.size))
    return;
  const bool floats = IsFloat(op.a.type);
  if (!MxuIsRegular(op) || (!floats && !ZeroPointsFit(op)) || op.a.stride[5] < 0 ||
      !TablesFit(op, PageBytes(op)))
    return reference::Mxu(op);
  const int64_t chainChannels = ChainChannels(op.size[3] * op.size[4]);
  if (floats) {
    if (!RunMxuPhases(op, pool))
      RunMxuFloats(op, chainChannels, pool);
    return;
  }
  SliceRows(op, [&](const MxuOp &part) {
    static thread_local MxuGeometry geometry;
    BuildMxuGeometry(part, nullptr, chainChannels, geometry);
    RunMxuI8(part, geometry, pool);
  });
}

void RunMxuFloats(const MxuOp &op, int64_t chainChannels, ThreadPool &pool) {
  SliceRows(op, [&](const MxuOp &part) {
    static thread_local MxuGeometry geometry;
    static thread_local Scratch zeros;
    auto *page = static_cast<const uint8_t *>(zeros.Get(PageBytes(op), true));
    BuildMxuGeometry(part, page, chainChannels, geometry);
    RunMxuF32(part, geometry, pool);
  });
}

void ExecMxuDw(const MxuOp &op, ThreadPool &pool) {
  if (AnyEmpty(op.size))
    return;
  const bool floats = IsFloat(op.a.type);
  const int32_t lo = op.a.type == KType::I8 ? -128 : 0;
  const bool zaFits = op.za >= lo && op.za <= lo + 255; // a padded row is made of it
  const int64_t step = std::max<int64_t>(op.a.stride[2], 8);
  const int64_t pageBytes =
      step < kMaxPage && op.size[2] < kMaxPage ? op.size[2] * step + 64 : kMaxPage + 1;
  if (op.size[5] != 1 || WindowUses(op.a, 2) || WindowUses(op.c, 2) || op.b.windowed ||
      op.a.stride[2] < 0 || (!floats && !(zaFits && ZeroPointsFit(op))) ||
      !TablesFit(op, op.a.windowed ? pageBytes : 64))
    return reference::MxuDw(op);
  SliceRows(op, [&](const MxuOp &part) {
    static thread_local MxuGeometry geometry;
    static thread_local Scratch zeros, page;
    const int64_t bytes = op.a.windowed ? pageBytes : 64;
    if (floats) {
      BuildMxuGeometry(part, static_cast<const uint8_t *>(zeros.Get(bytes, true)), 1, geometry);
      RunMxuDwF32(part, geometry, pool);
      return;
    }
    auto *padded = static_cast<uint8_t *>(page.Get(bytes));
    if (op.a.windowed)
      std::memset(padded, uint8_t(op.za), size_t(bytes));
    BuildMxuGeometry(part, padded, 1, geometry);
    RunMxuDwI8(part, geometry, pool);
  });
}

} // namespace accel::rt

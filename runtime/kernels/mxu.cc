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
  if (!MxuIsRegular(op) || (!floats && !ZeroPointsFit(op)))
    return reference::Mxu(op);
  static thread_local MxuGeometry geometry;
  static thread_local Scratch zeros;
  // One page of zeros serves as every padded row of channels; strided
  // channels walk it by their step.
  const int64_t step = std::max<int64_t>(std::abs(op.a.stride[5]), 8);
  if (floats) {
    if (op.a.stride[5] < 0)
      return reference::Mxu(op);
    auto *page = static_cast<const uint8_t *>(zeros.Get(op.size[5] * step + 64, true));
    BuildMxuGeometry(op, page, geometry);
    RunMxuF32(op, geometry, pool);
    return;
  }
  BuildMxuGeometry(op, nullptr, geometry);
  RunMxuI8(op, geometry, pool);
}

void ExecMxuDw(const MxuOp &op, ThreadPool &pool) {
  if (AnyEmpty(op.size))
    return;
  const bool floats = IsFloat(op.a.type);
  const int32_t lo = op.a.type == KType::I8 ? -128 : 0;
  const bool zaFits = op.za >= lo && op.za <= lo + 255; // a padded row is made of it
  if (op.size[5] != 1 || WindowUses(op.a, 2) || WindowUses(op.c, 2) || op.b.windowed ||
      op.a.stride[2] < 0 || (!floats && !(zaFits && ZeroPointsFit(op))))
    return reference::MxuDw(op);
  static thread_local MxuGeometry geometry;
  static thread_local Scratch zeros, page;
  const int64_t bytes = op.size[2] * std::max<int64_t>(op.a.stride[2], 8) + 64;
  if (floats) {
    BuildMxuGeometry(op, static_cast<const uint8_t *>(zeros.Get(bytes, true)), geometry);
    RunMxuDwF32(op, geometry, pool);
    return;
  }
  auto *padded = static_cast<uint8_t *>(page.Get(bytes));
  if (op.a.windowed)
    std::memset(padded, uint8_t(op.za), size_t(bytes));
  BuildMxuGeometry(op, padded, geometry);
  RunMxuDwI8(op, geometry, pool);
}

} // namespace accel::rt

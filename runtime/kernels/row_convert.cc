//===- row_convert.cc - Rows of elements to and from compute types --------===//
//
// Loops that the compiler vectorises stay plain C++: inside Highway's regions
// they are compiled once per target.
//
//===----------------------------------------------------------------------===//
#include "row_convert.h"
#include "number_formats.h"
#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "row_convert.cc"
#include "hwy/foreach_target.h"
// Target-dependent from here.
#include "fma-inl.h"
#include "hwy/highway.h"

#ifndef ACC_RUNTIME_KERNELS_ROW_CONVERT_ONCE
#define ACC_RUNTIME_KERNELS_ROW_CONVERT_ONCE
namespace accel::rt {
/// Values of the 256 codes of an 8-bit float type.
static const float *ByteTable(KType type) {
  using Table = std::array<float, 256>;
  auto make = [](KType t) {
    Table v;
    for (int i = 0; i < 256; ++i)
      v[size_t(i)] = DecodeF32(t, uint64_t(i));
    return v;
  };
  static const Table fn = make(KType::F8E4M3FN), fnuz = make(KType::F8E4M3FNUZ),
                     e5 = make(KType::F8E5M2), e5uz = make(KType::F8E5M2FNUZ),
                     e8 = make(KType::E8M0);
  switch (type) {
  case KType::F8E4M3FN:
    return fn.data();
  case KType::F8E4M3FNUZ:
    return fnuz.data();
  case KType::F8E5M2:
    return e5.data();
  case KType::F8E5M2FNUZ:
    return e5uz.data();
  default:
    return e8.data();
  }
}
} // namespace accel::rt
#endif

HWY_BEFORE_NAMESPACE();
namespace accel::rt {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
const hn::ScalableTag<float> kF32;
const hn::ScalableTag<int32_t> kI32;

template <typename T>
void WidenRow(const uint8_t *src, int64_t step, int64_t n, float *HWY_RESTRICT dst) {
  if (step == int64_t(sizeof(T))) {
    for (int64_t i = 0; i < n; ++i) {
      T v;
      std::memcpy(&v, src + i * int64_t(sizeof(T)), sizeof(T));
      dst[i] = static_cast<float>(v);
    }
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    T v;
    std::memcpy(&v, src + i * step, sizeof(T));
    dst[i] = static_cast<float>(v);
  }
}

void HalfRow(const uint8_t *src, int64_t step, int64_t n, float *dst) {
  int64_t i = 0;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  if (step == 2) {
    const hn::Rebind<hwy::float16_t, decltype(kF32)> df16;
    const int64_t lanes = int64_t(hn::Lanes(kF32));
    for (; i + lanes <= n; i += lanes) {
      auto h = hn::LoadU(df16, reinterpret_cast<const hwy::float16_t *>(src + i * 2));
      hn::StoreU(hn::PromoteTo(kF32, h), kF32, dst + i);
    }
  }
#endif
  for (; i < n; ++i) {
    uint16_t v;
    std::memcpy(&v, src + i * step, 2);
    dst[i] = F16ToF32(v);
  }
}

void ToF32(KType type, const uint8_t *src, int64_t step, int64_t n, float *dst) {
  switch (type) {
  case KType::F32:
    if (step == 4)
      std::memcpy(dst, src, size_t(n) * 4);
    else
      WidenRow<float>(src, step, n, dst);
    return;
  case KType::F16:
    return HalfRow(src, step, n, dst);
  case KType::BF16:
    if (step == 2)
      for (int64_t i = 0; i < n; ++i) {
        uint16_t v;
        std::memcpy(&v, src + i * 2, 2);
        uint32_t w = uint32_t(v) << 16;
        std::memcpy(dst + i, &w, 4);
      }
    else
      for (int64_t i = 0; i < n; ++i) {
        uint16_t v;
        std::memcpy(&v, src + i * step, 2);
        uint32_t w = uint32_t(v) << 16;
        std::memcpy(dst + i, &w, 4);
      }
    return;
  case KType::F64:
    return WidenRow<double>(src, step, n, dst);
  case KType::I8:
    return WidenRow<int8_t>(src, step, n, dst);
  case KType::U8:
    return WidenRow<uint8_t>(src, step, n, dst);
  case KType::I16:
    return WidenRow<int16_t>(src, step, n, dst);
  case KType::U16:
    return WidenRow<uint16_t>(src, step, n, dst);
  case KType::I32:
    return WidenRow<int32_t>(src, step, n, dst);
  case KType::U32:
    return WidenRow<uint32_t>(src, step, n, dst);
  case KType::I64:
    return WidenRow<int64_t>(src, step, n, dst);
  case KType::U64:
    return WidenRow<uint64_t>(src, step, n, dst);
  case KType::Bool:
    for (int64_t i = 0; i < n; ++i)
      dst[i] = src[i * step] ? 1.0f : 0.0f;
    return;
  default: {
    const float *table = ByteTable(type);
    for (int64_t i = 0; i < n; ++i)
      dst[i] = table[src[i * step]];
    return;
  }
  }
}

/// Rounds and saturates to [lo, hi] within 16 bits.
template <typename T> void NarrowRow(const float *src, uint8_t *dst, int64_t step, int64_t n) {
  const auto lo = hn::Set(kF32, float(std::numeric_limits<T>::min()));
  const auto hi = hn::Set(kF32, float(std::numeric_limits<T>::max()));
  const int64_t lanes = int64_t(hn::Lanes(kF32));
  HWY_ALIGN int32_t part[256 + HWY_MAX_BYTES / 4];
  HWY_ALIGN float tail[HWY_MAX_BYTES / 4] = {};
  for (int64_t b = 0; b < n; b += 256) {
    const int64_t count = std::min<int64_t>(256, n - b);
    for (int64_t i = 0; i < count; i += lanes) {
      const float *at = src + b + i;
      if (i + lanes > count) {
        std::memcpy(tail, at, size_t(count - i) * 4);
        at = tail;
      }
      auto v = hn::LoadU(kF32, at);
      v = hn::IfThenElseZero(hn::Eq(v, v), v);
      v = hn::Min(hn::Max(v, lo), hi);
      hn::StoreU(hn::NearestInt(v), kI32, part + i);
    }
    uint8_t *to = dst + b * step;
    if (step == int64_t(sizeof(T))) {
      for (int64_t i = 0; i < count; ++i) {
        T v = T(part[i]);
        std::memcpy(to + i * int64_t(sizeof(T)), &v, sizeof(T));
      }
    } else {
      for (int64_t i = 0; i < count; ++i) {
        T v = T(part[i]);
        std::memcpy(to + i * step, &v, sizeof(T));
      }
    }
  }
}

void FloatRow(const float *src, uint8_t *dst, int64_t step, int64_t n) {
  int64_t i = 0;
  if (step == 4) {
    const int64_t lanes = int64_t(hn::Lanes(kF32));
    float *to = reinterpret_cast<float *>(dst);
    for (; i + lanes <= n; i += lanes)
      hn::StoreU(Canonical(kF32, hn::LoadU(kF32, src + i)), kF32, to + i);
  }
  for (; i < n; ++i) {
    float v = CanonicalF32(src[i]);
    std::memcpy(dst + i * step, &v, 4);
  }
}

void HalfStore(const float *src, uint8_t *dst, int64_t step, int64_t n) {
  int64_t i = 0;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  if (step == 2) {
    const hn::Rebind<hwy::float16_t, decltype(kF32)> df16;
    const int64_t lanes = int64_t(hn::Lanes(kF32));
    for (; i + lanes <= n; i += lanes) {
      auto v = hn::DemoteTo(df16, Canonical(kF32, hn::LoadU(kF32, src + i)));
      hn::StoreU(v, df16, reinterpret_cast<hwy::float16_t *>(dst + i * 2));
    }
  }
#endif
  for (; i < n; ++i) {
    uint16_t v = F32ToF16(src[i]);
    std::memcpy(dst + i * step, &v, 2);
  }
}

void FromF32(KType type, const float *src, uint8_t *dst, int64_t step, int64_t n) {
  switch (type) {
  case KType::F32:
    return FloatRow(src, dst, step, n);
  case KType::F16:
    return HalfStore(src, dst, step, n);
  case KType::I8:
    return NarrowRow<int8_t>(src, dst, step, n);
  case KType::U8:
    return NarrowRow<uint8_t>(src, dst, step, n);
  case KType::I16:
    return NarrowRow<int16_t>(src, dst, step, n);
  case KType::U16:
    return NarrowRow<uint16_t>(src, dst, step, n);
  case KType::BF16:
    for (int64_t i = 0; i < n; ++i) {
      uint32_t u = std::bit_cast<uint32_t>(src[i]);
      uint32_t r = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
      uint16_t v = uint16_t((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : r);
      std::memcpy(dst + i * step, &v, 2);
    }
    return;
  default: {
    const int64_t bytes = KTypeBytes(type);
    for (int64_t i = 0; i < n; ++i)
      StoreBits(dst + i * step, ConvertBits(KType::F32, type, std::bit_cast<uint32_t>(src[i])),
                bytes);
    return;
  }
  }
}

void Transpose(const uint8_t *from, int64_t rowStep, int64_t rows, int64_t length, float *to,
               int64_t toStride) {
  const hn::Full128<float> d;
  const hn::Full128<double> dd;
  (void)d, (void)dd;
  int64_t j = 0;
#if HWY_TARGET != HWY_SCALAR
  for (; j + 4 <= rows; j += 4) {
    const float *r0 = reinterpret_cast<const float *>(from + j * rowStep);
    const float *r1 = reinterpret_cast<const float *>(from + (j + 1) * rowStep);
    const float *r2 = reinterpret_cast<const float *>(from + (j + 2) * rowStep);
    const float *r3 = reinterpret_cast<const float *>(from + (j + 3) * rowStep);
    int64_t k = 0;
    for (; k + 4 <= length; k += 4) {
      const auto a = hn::LoadU(d, r0 + k), b = hn::LoadU(d, r1 + k);
      const auto c = hn::LoadU(d, r2 + k), e = hn::LoadU(d, r3 + k);
      const auto ab0 = hn::BitCast(dd, hn::InterleaveLower(d, a, b));
      const auto ab1 = hn::BitCast(dd, hn::InterleaveUpper(d, a, b));
      const auto ce0 = hn::BitCast(dd, hn::InterleaveLower(d, c, e));
      const auto ce1 = hn::BitCast(dd, hn::InterleaveUpper(d, c, e));
      float *o = to + k * toStride + j;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dd, ab0, ce0)), d, o);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dd, ab0, ce0)), d, o + toStride);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dd, ab1, ce1)), d, o + 2 * toStride);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dd, ab1, ce1)), d, o + 3 * toStride);
    }
    for (; k < length; ++k) {
      float *o = to + k * toStride + j;
      o[0] = r0[k], o[1] = r1[k], o[2] = r2[k], o[3] = r3[k];
    }
  }
#endif
  for (; j < rows; ++j)
    for (int64_t k = 0; k < length; ++k)
      std::memcpy(to + k * toStride + j, from + j * rowStep + k * 4, 4);
}

template <bool kCanonical, class D>
HWY_INLINE void MoveVector(D d, const uint8_t *src, uint8_t *dst) {
  auto v = hn::LoadU(d, reinterpret_cast<const float *>(src));
  if constexpr (kCanonical)
    v = Canonical(d, v);
  hn::StoreU(v, d, reinterpret_cast<float *>(dst));
}
template <bool kCanonical>
HWY_INLINE void MoveRows(const uint8_t *src, int64_t srcStep, uint8_t *dst, int64_t dstStep,
                         int64_t rows, int64_t n) {
  const hn::CappedTag<float, 4> d4;
  constexpr int64_t kLanes = int64_t(hn::MaxLanes(kF32)), kFour = int64_t(hn::MaxLanes(d4));
  for (; rows > 0; --rows, src += srcStep, dst += dstStep) {
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
      MoveVector<kCanonical>(kF32, src + i * 4, dst + i * 4);
    for (; i + kFour <= n; i += kFour)
      MoveVector<kCanonical>(d4, src + i * 4, dst + i * 4);
    for (; i < n; ++i) {
      float v;
      std::memcpy(&v, src + i * 4, 4);
      if (kCanonical)
        v = CanonicalF32(v);
      std::memcpy(dst + i * 4, &v, 4);
    }
  }
}
void CopyRows(const uint8_t *src, int64_t srcStep, uint8_t *dst, int64_t dstStep, int64_t rows,
              int64_t n) {
  MoveRows<false>(src, srcStep, dst, dstStep, rows, n);
}
void StoreRows(const uint8_t *src, int64_t srcStep, uint8_t *dst, int64_t dstStep, int64_t rows,
               int64_t n) {
  MoveRows<true>(src, srcStep, dst, dstStep, rows, n);
}

void Copy(uint8_t *dst, const uint8_t *src, int64_t bytes) {
  const hn::ScalableTag<uint8_t> d;
  const int64_t lanes = int64_t(hn::Lanes(d));
  int64_t i = 0;
  for (; i + 4 * lanes <= bytes; i += 4 * lanes) {
    const auto a = hn::LoadU(d, src + i), b = hn::LoadU(d, src + i + lanes);
    const auto c = hn::LoadU(d, src + i + 2 * lanes), e = hn::LoadU(d, src + i + 3 * lanes);
    hn::StoreU(a, d, dst + i);
    hn::StoreU(b, d, dst + i + lanes);
    hn::StoreU(c, d, dst + i + 2 * lanes);
    hn::StoreU(e, d, dst + i + 3 * lanes);
  }
  if (i < bytes)
    std::memcpy(dst + i, src + i, size_t(bytes - i));
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace accel::rt
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace accel::rt {
HWY_EXPORT(ToF32);
HWY_EXPORT(FromF32);
HWY_EXPORT(Transpose);
HWY_EXPORT(CopyRows);
HWY_EXPORT(StoreRows);
HWY_EXPORT(Copy);
void RowToF32(KType type, const uint8_t *src, int64_t step, int64_t n, float *dst) {
  HWY_DYNAMIC_DISPATCH(ToF32)(type, src, step, n, dst);
}
void RowFromF32(KType type, const float *src, uint8_t *dst, int64_t step, int64_t n) {
  HWY_DYNAMIC_DISPATCH(FromF32)(type, src, dst, step, n);
}
void TransposeF32(const uint8_t *from, int64_t rowStep, int64_t rows, int64_t length, float *to,
                  int64_t toStride) {
  HWY_DYNAMIC_DISPATCH(Transpose)(from, rowStep, rows, length, to, toStride);
}
void CopyRows32(const uint8_t *src, int64_t srcStep, uint8_t *dst, int64_t dstStep, int64_t rows,
                int64_t n) {
  HWY_DYNAMIC_DISPATCH(CopyRows)(src, srcStep, dst, dstStep, rows, n);
}
void StoreRowsF32(const uint8_t *src, int64_t srcStep, uint8_t *dst, int64_t dstStep, int64_t rows,
                  int64_t n) {
  HWY_DYNAMIC_DISPATCH(StoreRows)(src, srcStep, dst, dstStep, rows, n);
}
void CopyBytes(uint8_t *dst, const uint8_t *src, int64_t bytes) {
  HWY_DYNAMIC_DISPATCH(Copy)(dst, src, bytes);
}
} // namespace accel::rt
#endif // HWY_ONCE

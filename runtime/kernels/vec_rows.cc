//===- vec_rows.cc - Rows between streams and vector registers ------------===//
#include "number_formats.h"
#include "row_convert.h"
#include "vec_compiled.h"
#include <algorithm>

namespace accel::rt {
namespace {

template <class T> T LoadAs(const uint8_t *p) {
  T v;
  std::memcpy(&v, p, sizeof(T));
  return v;
}

/// Integers keep their value or wrap; Bool is 0 or 1.
template <class From, class To>
void WidenInts(const uint8_t *src, int64_t step, int64_t n, void *dst) {
  To *to = static_cast<To *>(dst);
  if (step == int64_t(sizeof(From)))
    for (int64_t i = 0; i < n; ++i)
      to[i] = To(LoadAs<From>(src + i * int64_t(sizeof(From))));
  else
    for (int64_t i = 0; i < n; ++i)
      to[i] = To(LoadAs<From>(src + i * step));
}

template <class To>
void LoadInts(KType from, const uint8_t *src, int64_t step, int64_t n, void *dst) {
  switch (from) {
  case KType::I8:
    return WidenInts<int8_t, To>(src, step, n, dst);
  case KType::U8:
    return WidenInts<uint8_t, To>(src, step, n, dst);
  case KType::I16:
    return WidenInts<int16_t, To>(src, step, n, dst);
  case KType::U16:
    return WidenInts<uint16_t, To>(src, step, n, dst);
  case KType::I32:
    return WidenInts<int32_t, To>(src, step, n, dst);
  case KType::U32:
    return WidenInts<uint32_t, To>(src, step, n, dst);
  case KType::I64:
    return WidenInts<int64_t, To>(src, step, n, dst);
  case KType::U64:
    return WidenInts<uint64_t, To>(src, step, n, dst);
  case KType::Bool: {
    To *to = static_cast<To *>(dst);
    for (int64_t i = 0; i < n; ++i)
      to[i] = src[i * step] != 0;
    return;
  }
  default: {
    const KType as = sizeof(To) == 4 ? KType::I32 : KType::I64;
    To *to = static_cast<To *>(dst);
    for (int64_t i = 0; i < n; ++i)
      to[i] = To(ConvertBits(from, as, LoadBits(src + i * step, KTypeBytes(from))));
    return;
  }
  }
}

template <class From, class To>
void NarrowInts(const void *src, uint8_t *dst, int64_t step, int64_t n) {
  const From *from = static_cast<const From *>(src);
  for (int64_t i = 0; i < n; ++i) {
    To v = To(from[i]);
    std::memcpy(dst + i * step, &v, sizeof(To));
  }
}
template <class From, class To>
void StoreInts(const void *src, uint8_t *dst, int64_t step, int64_t n) {
  if (step == int64_t(sizeof(To)))
    NarrowInts<From, To>(src, dst, sizeof(To), n);
  else
    NarrowInts<From, To>(src, dst, step, n);
}

template <class From>
void StoreFromInt(KType to, const void *src, uint8_t *dst, int64_t step, int64_t n) {
  const From *from = static_cast<const From *>(src);
  switch (to) {
  case KType::I8:
  case KType::U8:
    return StoreInts<From, uint8_t>(src, dst, step, n);
  case KType::I16:
  case KType::U16:
    return StoreInts<From, uint16_t>(src, dst, step, n);
  case KType::I32:
  case KType::U32:
    return StoreInts<From, uint32_t>(src, dst, step, n);
  case KType::I64:
  case KType::U64:
    return StoreInts<From, int64_t>(src, dst, step, n);
  case KType::Bool:
    for (int64_t i = 0; i < n; ++i)
      dst[i * step] = from[i] != 0;
    return;
  default: {
    const KType as = sizeof(From) == 4 ? KType::I32 : KType::I64;
    for (int64_t i = 0; i < n; ++i)
      StoreBits(dst + i * step, ConvertBits(as, to, uint64_t(int64_t(from[i]))), KTypeBytes(to));
    return;
  }
  }
}

} // namespace

void LoadRow(KType from, VType to, const uint8_t *src, int64_t step, int64_t n, void *dst) {
  switch (to) {
  case VType::F32:
    return RowToF32(from, src, step, n, static_cast<float *>(dst));
  case VType::I32:
    return LoadInts<int32_t>(from, src, step, n, dst);
  case VType::I64:
    return LoadInts<int64_t>(from, src, step, n, dst);
  case VType::F64: {
    auto *d = static_cast<double *>(dst);
    for (int64_t i = 0; i < n; ++i)
      d[i] = std::bit_cast<double>(
          ConvertBits(from, KType::F64, LoadBits(src + i * step, KTypeBytes(from))));
    return;
  }
  }
}

void StoreRow(VType from, KType to, const void *src, uint8_t *dst, int64_t step, int64_t n) {
  switch (from) {
  case VType::F32:
    return RowFromF32(to, static_cast<const float *>(src), dst, step, n);
  case VType::I32:
    return StoreFromInt<int32_t>(to, src, dst, step, n);
  case VType::I64:
    return StoreFromInt<int64_t>(to, src, dst, step, n);
  case VType::F64: {
    const auto *s = static_cast<const double *>(src);
    for (int64_t i = 0; i < n; ++i) {
      const double v = CanonicalF64(s[i]);
      StoreBits(dst + i * step, ConvertBits(KType::F64, to, std::bit_cast<uint64_t>(v)),
                KTypeBytes(to));
    }
    return;
  }
  }
}

void FillPad(VType type, uint32_t padBits, int64_t n, void *dst) {
  switch (type) {
  case VType::F32:
  case VType::I32:
    std::fill_n(static_cast<uint32_t *>(dst), n, padBits);
    return;
  case VType::I64:
    std::fill_n(static_cast<int64_t *>(dst), n, int64_t(int32_t(padBits)));
    return;
  case VType::F64:
    std::fill_n(static_cast<double *>(dst), n, double(std::bit_cast<float>(padBits)));
    return;
  }
}

} // namespace accel::rt

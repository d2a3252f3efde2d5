//===- number_formats.h - Scalar conversions between element types --------===//
//
// Exact widening to f32 and round-to-nearest-even narrowing, one scalar at a
// time: the definition that vector paths must match bit for bit. A NaN leaves
// as the type's canonical NaN.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_KERNELS_NUMBER_FORMATS_H
#define ACC_RUNTIME_KERNELS_NUMBER_FORMATS_H

#include "acc/runtime/kernels.h"
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace accel::rt {

constexpr uint32_t kCanonicalNaN = 0x7fc00000u;

inline float CanonicalF32(float v) { return v != v ? std::bit_cast<float>(kCanonicalNaN) : v; }
inline double CanonicalF64(double v) {
  return v != v ? std::bit_cast<double>(uint64_t(0x7ff8) << 48) : v;
}

/// A small float format: sign, `Exp` exponent bits, `Man` mantissa bits.
/// Finite: no infinities (fn); Uz: no negative zero, NaN is 0x80 (fnuz).
template <int Exp, int Man, int Bias, bool Finite, bool Uz> struct SmallFloat {
  static constexpr int kBits = 1 + Exp + Man;
  static constexpr uint32_t kSign = 1u << (kBits - 1);
  static constexpr uint32_t kMagMask = kSign - 1;
  static constexpr uint32_t kExpMax = (1u << Exp) - 1;
  static constexpr uint32_t kInf = Finite ? 0 : kExpMax << Man;
  static constexpr uint32_t kNaN = Uz ? kSign : (Finite ? kMagMask : (kInf | 1u << (Man - 1)));
  static constexpr uint32_t kMaxFinite = Uz ? kMagMask : (Finite ? kMagMask - 1 : kInf - 1);

  static float Decode(uint32_t v) {
    uint32_t mag = v & kMagMask;
    bool neg = v & kSign;
    if (Uz ? v == kNaN : (Finite ? mag == kMagMask : mag > kInf))
      return std::bit_cast<float>(kCanonicalNaN);
    if (!Finite && mag == kInf)
      return neg ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
    int e = int(mag >> Man);
    uint32_t m = mag & ((1u << Man) - 1);
    float r = e == 0 ? std::ldexp(float(m), 1 - Bias - Man)
                     : std::ldexp(float(m | 1u << Man), e - Bias - Man);
    return neg ? -r : r;
  }

  /// Saturate: values beyond the largest finite one become it (ONNX Cast's
  /// saturate=1 of the fp8 types); otherwise infinity.
  template <bool Saturate> static uint32_t Encode(float f) {
    uint32_t u = std::bit_cast<uint32_t>(f);
    uint32_t sign = (u >> 31) ? kSign : 0;
    uint32_t a = u & 0x7fffffffu;
    if (a > 0x7f800000u)
      return kNaN;
    if (a == 0x7f800000u)
      return Uz ? kNaN : sign | (Saturate ? kMaxFinite : kInf);
    int e = int(a >> 23) - 127; // f32 subnormals are far below every format's
    uint64_t m = (a & 0x7fffffu) | (a >> 23 ? 0x800000u : 0);
    int minE = 1 - Bias;
    // Value = m · 2^(e-23); keep Man bits below max(e, minE).
    int shift = 23 - Man + (e < minE ? minE - e : 0);
    uint32_t mag;
    if (shift > 40) {
      mag = 0;
    } else {
      uint64_t q = m >> shift, rest = m & ((uint64_t(1) << shift) - 1);
      uint64_t half = uint64_t(1) << (shift - 1);
      if (rest > half || (rest == half && (q & 1)))
        ++q;
      int be = e < minE ? 0 : e - minE; // q carries the implicit bit
      uint64_t wide = (uint64_t(be) << Man) + q;
      mag = wide > kMaxFinite ? (Saturate ? kMaxFinite : kInf) : uint32_t(wide);
    }
    if (Uz && mag == 0)
      return 0;
    return sign | mag;
  }
};

using F16Format = SmallFloat<5, 10, 15, false, false>;
using E4M3FN = SmallFloat<4, 3, 7, true, false>;
using E4M3FNUZ = SmallFloat<4, 3, 8, true, true>;
using E5M2 = SmallFloat<5, 2, 15, false, false>;
using E5M2FNUZ = SmallFloat<5, 2, 16, true, true>;

inline float F16ToF32(uint16_t v) { return F16Format::Decode(v); }
inline uint16_t F32ToF16(float f) { return uint16_t(F16Format::Encode<false>(f)); }
inline float BF16ToF32(uint16_t v) { return CanonicalF32(std::bit_cast<float>(uint32_t(v) << 16)); }
inline uint16_t F32ToBF16(float f) {
  if (f != f)
    return 0x7fc0;
  uint32_t u = std::bit_cast<uint32_t>(f);
  return uint16_t((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}
inline float E8M0ToF32(uint8_t v) {
  return v == 0xff ? std::bit_cast<float>(kCanonicalNaN) : std::ldexp(1.0f, int(v) - 127);
}
/// Scales are magnitudes: the smallest power of two not below |f|.
inline uint8_t F32ToE8M0(float f) {
  uint32_t a = std::bit_cast<uint32_t>(f) & 0x7fffffffu;
  if (a > 0x7f800000u)
    return 0xff;
  if (a <= 0x00400000u) // ≤ 2^-127
    return 0;
  uint32_t up = (a + 0x7fffffu) >> 23;
  return uint8_t(up > 0xfe ? 0xfe : up);
}

/// Rounds to nearest even and saturates to [lo, hi]; NaN gives 0.
inline int64_t RoundSaturate(double v, int64_t lo, int64_t hi) {
  if (v != v)
    return 0;
  double r = std::nearbyint(v);
  if (r <= double(lo))
    return lo;
  if (r >= double(hi))
    return hi;
  return int64_t(r);
}
inline uint64_t RoundSaturateU64(double v) {
  if (!(v > 0))
    return 0;
  double r = std::nearbyint(v);
  return r >= 18446744073709551616.0 ? ~uint64_t(0) : uint64_t(r);
}

constexpr bool IsFloat(KType t) {
  switch (t) {
  case KType::F32:
  case KType::F16:
  case KType::BF16:
  case KType::F64:
  case KType::F8E4M3FN:
  case KType::F8E4M3FNUZ:
  case KType::F8E5M2:
  case KType::F8E5M2FNUZ:
  case KType::E8M0:
    return true;
  default:
    return false;
  }
}

/// Smallest and largest value of an integer type of up to 64 bits (U64's
/// largest does not fit and is handled apart).
inline void IntLimits(KType t, int64_t &lo, int64_t &hi) {
  switch (t) {
  case KType::I8:
    lo = -128, hi = 127;
    break;
  case KType::U8:
    lo = 0, hi = 255;
    break;
  case KType::I16:
    lo = -32768, hi = 32767;
    break;
  case KType::U16:
    lo = 0, hi = 65535;
    break;
  case KType::I32:
    lo = INT32_MIN, hi = INT32_MAX;
    break;
  case KType::U32:
    lo = 0, hi = UINT32_MAX;
    break;
  case KType::Bool:
    lo = 0, hi = 1;
    break;
  default:
    lo = INT64_MIN, hi = INT64_MAX;
    break;
  }
}

/// Raw element bits, zero-extended.
inline uint64_t LoadBits(const uint8_t *p, int64_t bytes) {
  uint64_t v = 0;
  std::memcpy(&v, p, size_t(bytes));
  return v;
}
inline void StoreBits(uint8_t *p, uint64_t v, int64_t bytes) { std::memcpy(p, &v, size_t(bytes)); }

/// Value of a float-typed element as f32 (F64 rounds).
inline float DecodeF32(KType t, uint64_t bits) {
  switch (t) {
  case KType::F32:
    return std::bit_cast<float>(uint32_t(bits));
  case KType::F16:
    return F16ToF32(uint16_t(bits));
  case KType::BF16:
    return BF16ToF32(uint16_t(bits));
  case KType::F64:
    return float(std::bit_cast<double>(bits));
  case KType::F8E4M3FN:
    return E4M3FN::Decode(uint8_t(bits));
  case KType::F8E4M3FNUZ:
    return E4M3FNUZ::Decode(uint8_t(bits));
  case KType::F8E5M2:
    return E5M2::Decode(uint8_t(bits));
  case KType::F8E5M2FNUZ:
    return E5M2FNUZ::Decode(uint8_t(bits));
  case KType::E8M0:
    return E8M0ToF32(uint8_t(bits));
  default:
    return 0;
  }
}
inline uint64_t EncodeF32(KType t, float v) {
  switch (t) {
  case KType::F32:
    return std::bit_cast<uint32_t>(CanonicalF32(v));
  case KType::F16:
    return F32ToF16(v);
  case KType::BF16:
    return F32ToBF16(v);
  case KType::F64:
    return std::bit_cast<uint64_t>(CanonicalF64(double(v)));
  case KType::F8E4M3FN:
    return E4M3FN::Encode<true>(v);
  case KType::F8E4M3FNUZ:
    return E4M3FNUZ::Encode<true>(v);
  case KType::F8E5M2:
    return E5M2::Encode<true>(v);
  case KType::F8E5M2FNUZ:
    return E5M2FNUZ::Encode<true>(v);
  case KType::E8M0:
    return F32ToE8M0(v);
  default:
    return 0;
  }
}

/// Sign- or zero-extended integer element (Bool: any nonzero byte is 1).
inline int64_t DecodeInt(KType t, uint64_t bits) {
  switch (t) {
  case KType::I8:
    return int8_t(bits);
  case KType::I16:
    return int16_t(bits);
  case KType::I32:
    return int32_t(bits);
  case KType::Bool:
    return (bits & 0xff) != 0;
  default:
    return int64_t(bits);
  }
}

/// Conversion of one element between stream types (DMA's rule): float to
/// integer rounds to nearest even and saturates, integer to integer saturates,
/// to Bool is "not zero".
inline uint64_t ConvertBits(KType from, KType to, uint64_t bits) {
  if (from == to)
    return bits;
  if (IsFloat(from)) {
    if (IsFloat(to)) {
      if (from == KType::F64 && to != KType::F64)
        return EncodeF32(to, float(std::bit_cast<double>(bits)));
      return EncodeF32(to, DecodeF32(from, bits));
    }
    double v = from == KType::F64 ? std::bit_cast<double>(bits) : DecodeF32(from, bits);
    if (to == KType::Bool)
      return v != 0;
    if (to == KType::U64)
      return RoundSaturateU64(v);
    int64_t lo, hi;
    IntLimits(to, lo, hi);
    return uint64_t(RoundSaturate(v, lo, hi));
  }
  int64_t v = DecodeInt(from, bits);
  bool big = from == KType::U64 && v < 0;
  if (to == KType::F64)
    return std::bit_cast<uint64_t>(big ? double(uint64_t(v)) : double(v));
  if (IsFloat(to))
    return EncodeF32(to, big ? float(uint64_t(v)) : float(v));
  if (to == KType::Bool)
    return v != 0;
  if (to == KType::U64)
    return from == KType::U64 ? uint64_t(v) : uint64_t(v < 0 ? 0 : v);
  int64_t lo, hi;
  IntLimits(to, lo, hi);
  return uint64_t(big ? hi : v < lo ? lo : v > hi ? hi : v);
}

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_NUMBER_FORMATS_H

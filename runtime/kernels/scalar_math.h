//===- scalar_math.h - Functions computed one value at a time -------------===//
//
// f64 functions of the vector engine, f32 pow (through f64), and the reduction
// of large f32 angles. Only IEEE operations and std::fma, hence the same bits
// on every machine; none of libm's functions, whose variants differ.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_KERNELS_SCALAR_MATH_H
#define ACC_RUNTIME_KERNELS_SCALAR_MATH_H

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace accel::rt {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// 2^n for any n in double's range, subnormals too, by one exact product.
inline double ScaleByPower(double v, int64_t n) {
  auto power = [](int64_t e) { return std::bit_cast<double>(uint64_t(e + 1023) << 52); };
  if (n > 1023)
    return v * power(1023) * power(n - 1023 > 1023 ? 1023 : n - 1023);
  if (n < -1022)
    return v * power(n + 1022 < -1022 ? -1022 : n + 1022) * power(-1022);
  return v * power(n);
}

/// exp(hi + lo), |lo| ≪ |hi|. Taylor to r^13 on |r| ≤ ln2/2: 1 ulp.
inline double Exp64(double hi, double lo = 0) {
  if (hi != hi)
    return hi;
  if (hi > 710)
    return kInfinity;
  if (hi < -746)
    return 0;
  const double n = std::nearbyint(hi * 1.4426950408889634);
  double r = std::fma(n, -6.93147180369123816490e-01, hi);
  r = std::fma(n, -1.90821492927058770002e-10, r) + lo;
  double p = 1.0 / 6227020800.0;
  for (double c :
       {1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
        1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0})
    p = std::fma(p, r, c);
  return ScaleByPower(p, int64_t(n));
}

/// ln(x) = 2·atanh(s) + e·ln2, s = (m−1)/(m+1), m in [√½, √2).
inline double Log64(double x) {
  if (x != x || x == kInfinity)
    return x;
  if (x <= 0)
    return x == 0 ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
  int64_t e = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 18014398509481984.0; // 2^54
    e = -54;
  }
  uint64_t bits = std::bit_cast<uint64_t>(x);
  e += int64_t(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xfffffffffffffull) | uint64_t(1023) << 52);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++e;
  }
  const double f = m - 1, s = f / (m + 1), z = s * s;
  double p = 1.0 / 23;
  for (double c : {1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7,
                   1.0 / 5, 1.0 / 3})
    p = std::fma(p, z, c);
  // 2s = f − s·f, so that the leading term keeps f's bits.
  const double tail = std::fma(2 * s * z, p, -s * f);
  return std::fma(double(e), 6.93147180369123816490e-01,
                  f + std::fma(double(e), 1.90821492927058770002e-10, tail));
}

/// e^x − 1 without cancellation near 0.
inline double Expm164(double x) {
  if (std::fabs(x) > 0.4)
    return Exp64(x) - 1;
  double p = 0;
  for (int i = 18; i >= 1; --i)
    p = (p + 1) * (x / i); // x/i·(1 + x/(i+1)·(…))
  return p;
}

inline double Tanh64(double x) {
  if (x != x)
    return x;
  if (std::fabs(x) > 20)
    return x > 0 ? 1.0 : -1.0;
  const double e = Expm164(2 * std::fabs(x)), t = e / (e + 2);
  return std::copysign(t, x);
}

inline double Sigmoid64(double x) {
  const double e = Exp64(-std::fabs(x));
  return (x < 0 ? e : 1.0) / (1 + e);
}

inline double Erf64(double x) {
  const double t = std::fabs(x);
  if (x != x || t > 6)
    return x != x ? x : std::copysign(1.0, x);
  const double scale = Exp64(-t * t) * 1.1283791670955126; // 2/√π
  if (t < 2.5) {
    // Σ 2^n t^(2n+1) / (1·3·…·(2n+1)): all terms positive.
    double term = t, sum = t;
    for (int n = 1; n < 60; ++n) {
      term *= 2 * t * t / (2 * n + 1);
      sum += term;
    }
    return std::copysign(scale * sum, x);
  }
  // erfc by its continued fraction.
  double f = t;
  for (int k = 60; k >= 1; --k)
    f = t + 0.5 * k / f;
  return std::copysign(1 - scale * 0.5 / f, x);
}

/// The first 192 bits of 2/π behind the binary point.
inline uint64_t TwoOverPiBits(int first) {
  constexpr uint64_t kBits[] = {0, 0xA2F9836E4E441529ull, 0xFC2757D1F534DDC0ull,
                                0xDB6295993C439041ull, 0xFE5163ABDEBBC561ull};
  // Bit 1 is the first behind the point; bits before it are zero.
  const int at = first - 1 + 64;
  const int word = at / 64, shift = at % 64;
  return shift == 0 ? kBits[word] : kBits[word] << shift | kBits[word + 1] >> (64 - shift);
}

/// Payne-Hanek: x = (quadrant + fraction)·π/2 with |fraction| ≤ ½, for finite
/// |x| ≥ 2^10; gives quadrant mod 4 and fraction·π/2.
inline int ReduceLargeAngle(float x, float &r) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const int e = int(bits >> 23 & 0xff) - 150; // |x| = m·2^e
  const unsigned __int128 m = (bits & 0x7fffffu) | 0x800000u;
  // Bits of 2/π whose product with 2^e is 2 or less; higher ones give
  // multiples of 4. w counts units of 2^-94.
  const int first = e - 1;
  unsigned __int128 w =
      (unsigned __int128)TwoOverPiBits(first) << 32 | TwoOverPiBits(first + 64) >> 32;
  w = (m * w) & (((unsigned __int128)1 << 96) - 1); // mod 4
  int quadrant = int(uint64_t(w >> 94));
  __int128 fraction = __int128(w & (((unsigned __int128)1 << 94) - 1));
  if (fraction >> 93) { // above ½: next quadrant, negative fraction
    fraction -= (__int128)1 << 94;
    ++quadrant;
  }
  // 94 → 62 bits is plenty for f32.
  double f = double(int64_t(fraction >> 32)) * (1.0 / 4611686018427387904.0);
  double angle = f * 1.5707963267948966;
  if (bits >> 31) {
    angle = -angle;
    quadrant = -quadrant;
  }
  r = float(angle);
  return quadrant & 3;
}

/// sin (quarter = 0) or cos (quarter = 1) of an f64 angle; exact reduction up
/// to about 2^30, no promise beyond.
inline double SinCos64(double x, int quarter) {
  if (!(std::fabs(x) < kInfinity))
    return std::numeric_limits<double>::quiet_NaN();
  const double n = std::nearbyint(x * 0.6366197723675814);
  double r = std::fma(n, -1.5707963267948966, x);
  r = std::fma(n, -6.123233995736766e-17, r);
  const double z = r * r;
  const int q = int((int64_t(std::fmod(n, 4.0)) + quarter) & 3);
  double p;
  if (q & 1) {
    p = 0;
    for (int i = 20; i >= 2; i -= 2)
      p = (1 + p) * (-z / double(i * (i - 1)));
    p = 1 + p;
  } else {
    p = 0;
    for (int i = 21; i >= 3; i -= 2)
      p = (1 + p) * (-z / double(i * (i - 1)));
    p = r + r * p;
  }
  return q & 2 ? -p : p;
}

/// x^y with C's special cases.
inline double Pow64(double x, double y) {
  if (y == 0 || x == 1)
    return 1;
  if (x != x || y != y)
    return std::numeric_limits<double>::quiet_NaN();
  const double ay = std::fabs(y), ax = std::fabs(x);
  const bool whole = ay >= 9007199254740992.0 || std::nearbyint(y) == y;
  const bool odd = whole && ay < 9007199254740992.0 && std::fmod(ay, 2.0) == 1;
  if (ay == kInfinity) {
    if (ax == 1)
      return 1;
    return (ax > 1) == (y > 0) ? kInfinity : 0;
  }
  double r;
  if (ax == 0)
    r = y > 0 ? 0 : kInfinity;
  else if (ax == kInfinity)
    r = y > 0 ? kInfinity : 0;
  else if (x < 0 && !whole)
    return std::numeric_limits<double>::quiet_NaN();
  else {
    const double l = Log64(ax), p = y * l;
    r = std::fabs(p) < 800 ? Exp64(p, std::fma(y, l, -p)) : (p > 0 ? kInfinity : 0);
  }
  return odd && std::signbit(x) ? -r : r;
}
inline float Pow32(float x, float y) {
  if (y == 2)
    return x * x;
  return float(Pow64(double(x), double(y)));
}

inline double Atan64(double x) {
  const double t = std::fabs(x);
  if (x != x)
    return x;
  // Halve the angle twice, then the series.
  double a = t > 1 ? 1 / t : t;
  for (int i = 0; i < 3; ++i)
    a = a / (1 + std::sqrt(std::fma(a, a, 1.0)));
  const double z = a * a;
  double p = 1.0 / 25;
  for (int i = 23; i >= 1; i -= 2)
    p = std::fma(-z, p, 1.0 / i);
  double r = 8 * a * p;
  if (t > 1)
    r = 1.5707963267948966 - (r - 6.123233995736766e-17);
  return std::copysign(r, x);
}

/// Sign of the divisor (Python's %), of the dividend (C's fmod).
template <typename T> inline T FloatMod(T a, T b) {
  T r = std::fmod(a, b); // exact, hence the same everywhere
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_SCALAR_MATH_H

//===- math-inl.h - Elementary functions in f32 vectors -------------------===//
//
// Included once per Highway target. Each function is a fixed sequence of IEEE
// operations and FMAs: the same bits on every target and in every lane.
// Coefficients are minimax fits (Lawson iteration in double precision), rounded
// to f32. Largest error found by test/runtime/kernels/math_test.cc, in ulp of
// the exact result:
//
//   exp 0.95  log 0.75  tanh 1.2  erf 0.9  sigmoid 2.0  sin 1.55  cos 1.55
//   atan 1.75  pow 1
//
// Subnormal arguments and results are kept.
//
//===----------------------------------------------------------------------===//
#if defined(ACC_RUNTIME_KERNELS_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ACC_RUNTIME_KERNELS_MATH_INL_H
#undef ACC_RUNTIME_KERNELS_MATH_INL_H
#else
#define ACC_RUNTIME_KERNELS_MATH_INL_H
#endif

#include "fma-inl.h"
#include "scalar_math.h"

HWY_BEFORE_NAMESPACE();
namespace accel::rt {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::ScalableTag<float>;
using DI = hn::ScalableTag<int32_t>;
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;

HWY_INLINE VF K(float v) { return hn::Set(DF(), v); }
HWY_INLINE VF Fma(VF a, VF b, VF c) { return Fma(DF(), a, b, c); }

/// c0 + x·(c1 + x·(…)), each step one FMA.
HWY_INLINE VF Horner(VF, float c) { return K(c); }
template <typename... Rest> HWY_INLINE VF Horner(VF x, float c, Rest... rest) {
  return Fma(Horner(x, rest...), x, K(c));
}

/// 2^n of an integral n in [-126, 127].
HWY_INLINE VF PowerOfTwo(VI n) {
  return hn::BitCast(DF(), hn::ShiftLeft<23>(hn::Add(n, hn::Set(DI(), 127))));
}

/// x = n·ln2 + r, |r| ≤ ln2/2; e^r = 1 + r + r²·q(r); scaled by 2^n in two
/// factors, the first of which is exact.
HWY_INLINE VF Exp(VF x) {
  // Beyond these the result is +inf or 0 after scaling.
  const VF c = hn::Min(hn::Max(x, K(-110.0f)), K(90.0f));
  const VF n = RoundEven(DF(), hn::Mul(c, K(1.44269504f)));
  VF r = Fma(n, K(-0.693145752f), c); // 15 bits: n·hi is exact
  r = Fma(n, K(-1.42860677e-6f), r);
  const VF q = Horner(r, 4.999999404e-01f, 1.666651964e-01f, 4.166840017e-02f, 8.368851617e-03f,
                      1.381431823e-03f);
  const VF p = hn::Add(Fma(hn::Mul(r, r), q, r), K(1.0f));
  const VI i = hn::ConvertTo(DI(), n);
  const VI half = hn::ShiftRight<1>(i);
  const VF y = hn::Mul(hn::Mul(p, PowerOfTwo(half)), PowerOfTwo(hn::Sub(i, half)));
  return hn::IfThenElse(hn::Eq(x, x), y, hn::Add(x, K(0.0f)));
}

/// x = m·2^e, m in [√½, √2); f = m − 1; ln m = f − f²/2 + f³·p(f).
HWY_INLINE VF Log(VF x) {
  const DF d;
  const DI di;
  const auto tiny = hn::Lt(x, K(1.17549435e-38f));
  const VF s = hn::IfThenElse(tiny, hn::Mul(x, K(8388608.0f)), x); // 2^23
  const VI bits = hn::BitCast(di, s);
  // Exponent such that the mantissa lands in [√½, √2).
  const VI shifted = hn::Sub(bits, hn::Set(di, 0x3f3504f3));
  const VI e = hn::ShiftRight<23>(shifted);
  const VF m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(e)));
  const VF ef = hn::Sub(hn::ConvertTo(d, e), hn::IfThenElseZero(tiny, K(23.0f)));
  const VF f = hn::Sub(m, K(1.0f));
  const VF z = hn::Mul(f, f);
  const VF p = Horner(f, 3.333331347e-01f, -2.500000894e-01f, 2.000211924e-01f, -1.666799635e-01f,
                      1.421955079e-01f, -1.240559146e-01f, 1.188817471e-01f, -1.167564094e-01f,
                      6.746601313e-02f);
  // Small terms first: e·ln2_lo + f³p − f²/2, then f, then e·ln2_hi.
  VF y = hn::Mul(hn::Mul(z, f), p);
  y = Fma(ef, K(-2.12194440e-4f), y);
  y = Fma(K(-0.5f), z, y);
  y = hn::Add(f, y);
  y = Fma(ef, K(0.693359375f), y);
  const VF inf = K(std::numeric_limits<float>::infinity());
  const VF nan = hn::BitCast(d, hn::Set(di, 0x7fc00000));
  y = hn::IfThenElse(hn::Eq(x, inf), x, y);
  y = hn::IfThenElse(hn::Eq(x, K(0.0f)), hn::Neg(inf), y);
  return hn::IfThenElse(hn::Ge(x, K(0.0f)), y, nan); // negative or NaN
}

/// |x| < 0.625: odd polynomial; else 1 − 2/(e^2|x| + 1).
HWY_INLINE VF Tanh(VF x) {
  const DF d;
  const VF a = hn::Abs(x);
  const VF z = hn::Mul(x, x);
  const VF p = Horner(z, -3.333328366e-01f, 1.333149076e-01f, -5.374349654e-02f, 2.065057866e-02f,
                      -5.717036780e-03f);
  const VF small = Fma(hn::Mul(x, z), p, x);
  const VF e = Exp(hn::Add(a, a));
  const VF big = hn::Sub(K(1.0f), hn::Div(K(2.0f), hn::Add(e, K(1.0f))));
  const VF signedBig = hn::Or(hn::AndNot(hn::BitCast(d, hn::Set(DI(), INT32_MIN)), big),
                              hn::And(hn::BitCast(d, hn::Set(DI(), INT32_MIN)), x));
  return hn::IfThenElse(hn::Lt(a, K(0.625f)), small, signedBig);
}

/// |x| < 0.9375: odd polynomial; else 1 − e^(−t + t·g(t)).
HWY_INLINE VF Erf(VF x) {
  const DF d;
  const VF sign = hn::BitCast(d, hn::Set(DI(), INT32_MIN));
  const VF a = hn::Abs(x);
  const VF z = hn::Mul(x, x);
  const VF p = Horner(z, 1.283791661e-01f, -3.761263192e-01f, 1.128368601e-01f, -2.685885131e-02f,
                      5.199600011e-03f, -8.125806344e-04f, 8.296610031e-05f);
  const VF small = Fma(x, p, x);
  const VF t = hn::Min(a, K(4.0f)); // erf(4) rounds to 1
  const VF g = Horner(t, -1.286577880e-01f, -6.351132393e-01f, -1.063003689e-01f, 2.381719649e-02f,
                      -3.668724792e-03f, 3.293093177e-04f, -1.188546139e-05f);
  const VF big = hn::Sub(K(1.0f), Exp(Fma(g, t, hn::Neg(t))));
  const VF y =
      hn::IfThenElse(hn::Lt(a, K(0.9375f)), small, hn::Or(hn::AndNot(sign, big), hn::And(sign, x)));
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

/// 1/(1+e^−x) for x ≥ 0, e^x/(1+e^x) below: never overflows.
HWY_INLINE VF Sigmoid(VF x) {
  const VF e = Exp(hn::Neg(hn::Abs(x)));
  const VF top = hn::IfThenElse(hn::Lt(x, K(0.0f)), e, K(1.0f));
  return hn::Div(top, hn::Add(K(1.0f), e));
}

/// sin of (quadrant + quarter)·π/2 + r, |r| ≤ π/4.
HWY_INLINE VF SinOfQuadrant(VI quadrant, VF r) {
  const DI di;
  const DF d;
  const VF z = hn::Mul(r, r);
  const VF s =
      Fma(hn::Mul(r, z),
          Horner(z, -1.666666716e-01f, 8.333329111e-03f, -1.983925613e-04f, 2.717564485e-06f), r);
  const VF c = Fma(hn::Mul(z, z), Horner(z, 4.166664556e-02f, -1.388730598e-03f, 2.443120320e-05f),
                   Fma(z, K(-0.5f), K(1.0f)));
  const auto odd = hn::Eq(hn::And(quadrant, hn::Set(di, 1)), hn::Set(di, 1));
  const VF v = hn::IfThenElse(hn::RebindMask(d, odd), c, s);
  const VI sign = hn::ShiftLeft<30>(hn::And(quadrant, hn::Set(di, 2)));
  return hn::Xor(v, hn::BitCast(d, sign));
}

/// sin (quarter 0) or cos (quarter 1). Cody-Waite reduction with FMAs up to
/// 2^16, exact integer reduction of the lanes beyond.
HWY_INLINE VF SinCos(VF x, int quarter) {
  const DF d;
  const DI di;
  const VF n = RoundEven(DF(), hn::Mul(x, K(0.636619772f)));
  VF r = Fma(n, K(-1.57079637f), x);
  r = Fma(n, K(4.37113883e-8f), r);
  r = Fma(n, K(1.71512489e-15f), r);
  const auto large = hn::Not(hn::Lt(hn::Abs(x), K(65536.0f)));
  VI quadrant = hn::ConvertTo(di, hn::IfThenZeroElse(large, n));
  if (HWY_UNLIKELY(!hn::AllFalse(d, large))) {
    HWY_ALIGN float xs[hn::MaxLanes(d)], rs[hn::MaxLanes(d)];
    HWY_ALIGN int32_t qs[hn::MaxLanes(di)];
    hn::Store(x, d, xs);
    hn::Store(r, d, rs);
    hn::Store(quadrant, di, qs);
    for (size_t i = 0; i < hn::Lanes(d); ++i) {
      if (std::fabs(xs[i]) < 65536.0f)
        continue;
      if (std::fabs(xs[i]) < std::numeric_limits<float>::infinity())
        qs[i] = ReduceLargeAngle(xs[i], rs[i]);
      else
        rs[i] = std::numeric_limits<float>::quiet_NaN(), qs[i] = 0;
    }
    r = hn::Load(d, rs);
    quadrant = hn::Load(di, qs);
  }
  return SinOfQuadrant(hn::Add(quadrant, hn::Set(di, quarter)), r);
}

/// |x| > 2.414: −1/x, offset π/2; |x| > 0.4142: (x−1)/(x+1), offset π/4.
HWY_INLINE VF Atan(VF x) {
  const DF d;
  const VF sign = hn::BitCast(d, hn::Set(DI(), INT32_MIN));
  const VF a = hn::Abs(x);
  const auto far = hn::Gt(a, K(2.41421356f)), mid = hn::Gt(a, K(0.414213562f));
  const VF top = hn::IfThenElse(far, K(-1.0f), hn::Sub(a, K(1.0f)));
  const VF bottom = hn::IfThenElse(far, a, hn::Add(a, K(1.0f)));
  const VF t = hn::IfThenElse(mid, hn::Div(top, bottom), a);
  const VF offset = hn::IfThenElse(far, K(1.57079633f), hn::IfThenElseZero(mid, K(0.785398163f)));
  const VF low =
      hn::IfThenElse(far, K(-4.37113883e-8f), hn::IfThenElseZero(mid, K(-2.18556942e-8f)));
  const VF z = hn::Mul(t, t);
  const VF p = Horner(z, -3.333331645e-01f, 1.999848336e-01f, -1.424373835e-01f, 1.059513614e-01f,
                      -6.081148237e-02f);
  const VF y = hn::Add(offset, hn::Add(t, Fma(hn::Mul(t, z), p, low)));
  const VF r = hn::Or(hn::AndNot(sign, y), hn::And(sign, x));
  return hn::IfThenElse(hn::Eq(x, x), r, x);
}

} // namespace HWY_NAMESPACE
} // namespace accel::rt
HWY_AFTER_NAMESPACE();

#endif

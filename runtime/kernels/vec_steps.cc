//===- vec_steps.cc - Steps of vector programs over strips ----------------===//
//
// One loop a step over registers that lie in L1. Float steps are written with
// Highway; integer steps are plain loops, which the compiler vectorises for
// each target. Both give the bits that vprog.h defines.
//
//===----------------------------------------------------------------------===//
#include "number_formats.h"
#include "vec_compiled.h"
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vec_steps.cc"
#include "hwy/foreach_target.h"
// Target-dependent from here.
#include "hwy/highway.h"
#include "math-inl.h"
#include "minmax-inl.h"

// Operands either coincide with the result or are apart from it.
#define ACC_PARALLEL_LOOP _Pragma("clang loop vectorize(assume_safety)")

HWY_BEFORE_NAMESPACE();
namespace accel::rt {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <class T, class F> HWY_INLINE void Map1(const void *a, void *r, int64_t n, F f) {
  const hn::ScalableTag<T> d;
  const T *x = static_cast<const T *>(a);
  T *y = static_cast<T *>(r);
  for (int64_t i = 0; i < n; i += int64_t(hn::Lanes(d)))
    hn::StoreU(f(hn::LoadU(d, x + i)), d, y + i);
}
template <class T, class F>
HWY_INLINE void Map2(const void *a, const void *b, void *r, int64_t n, F f) {
  const hn::ScalableTag<T> d;
  const T *x = static_cast<const T *>(a), *y = static_cast<const T *>(b);
  T *z = static_cast<T *>(r);
  for (int64_t i = 0; i < n; i += int64_t(hn::Lanes(d)))
    hn::StoreU(f(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, z + i);
}
template <class A, class R, class F> HWY_INLINE void Each1(const void *a, void *r, int64_t n, F f) {
  const A *x = static_cast<const A *>(a);
  R *y = static_cast<R *>(r);
  ACC_PARALLEL_LOOP for (int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
}
template <class A, class R, class F>
HWY_INLINE void Each2(const void *a, const void *b, void *r, int64_t n, F f) {
  const A *x = static_cast<const A *>(a), *y = static_cast<const A *>(b);
  R *z = static_cast<R *>(r);
  ACC_PARALLEL_LOOP for (int64_t i = 0; i < n; ++i) z[i] = f(x[i], y[i]);
}

/// Steps that f32 and f64 share. False: not one of them.
template <class T>
bool FloatStep(const VStep &s, const void *a, const void *b, const void *c, void *r, int64_t n) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const T inf = std::numeric_limits<T>::infinity();
  switch (s.op) {
  case VOp::Add:
    Map2<T>(a, b, r, n, [](V x, V y) HWY_ATTR { return hn::Add(x, y); });
    break;
  case VOp::Sub:
    Map2<T>(a, b, r, n, [](V x, V y) HWY_ATTR { return hn::Sub(x, y); });
    break;
  case VOp::Mul:
    Map2<T>(a, b, r, n, [](V x, V y) HWY_ATTR { return hn::Mul(x, y); });
    break;
  case VOp::Div:
    Map2<T>(a, b, r, n, [](V x, V y) HWY_ATTR { return hn::Div(x, y); });
    break;
  case VOp::Max:
    // c marks a constant b, not NaN: 1 nonzero or −0, 2 is +0 (which −0 yields to).
    if (s.c == 1)
      Map2<T>(a, b, r, n, [](V x, V k) HWY_ATTR { return hn::IfThenElse(hn::Gt(k, x), k, x); });
    else if (s.c == 2)
      Map2<T>(a, b, r, n,
              [](V x, V k) HWY_ATTR { return hn::Add(hn::IfThenElse(hn::Gt(k, x), k, x), k); });
    else
      Map2<T>(a, b, r, n, [d](V x, V y) HWY_ATTR { return FloatMax(d, x, y); });
    break;
  case VOp::Min:
    if (s.c == 1)
      Map2<T>(a, b, r, n, [](V x, V k) HWY_ATTR { return hn::IfThenElse(hn::Lt(k, x), k, x); });
    else
      Map2<T>(a, b, r, n, [d](V x, V y) HWY_ATTR { return FloatMin(d, x, y); });
    break;
  case VOp::Fma: {
    const T *x = static_cast<const T *>(a), *y = static_cast<const T *>(b),
            *z = static_cast<const T *>(c);
    T *o = static_cast<T *>(r);
    for (int64_t i = 0; i < n; i += int64_t(hn::Lanes(d)))
      hn::StoreU(Fma(d, hn::LoadU(d, x + i), hn::LoadU(d, y + i), hn::LoadU(d, z + i)), d, o + i);
    break;
  }
  case VOp::Neg:
    Map1<T>(a, r, n, [](V x) HWY_ATTR { return hn::Neg(x); });
    break;
  case VOp::Abs:
    Map1<T>(a, r, n, [](V x) HWY_ATTR { return hn::Abs(x); });
    break;
  case VOp::Sqrt:
    Map1<T>(a, r, n, [](V x) HWY_ATTR { return hn::Sqrt(x); });
    break;
  case VOp::Rsqrt:
    Map1<T>(a, r, n, [d](V x) HWY_ATTR { return hn::Div(hn::Set(d, T(1)), hn::Sqrt(x)); });
    break;
  case VOp::Recip:
    Map1<T>(a, r, n, [d](V x) HWY_ATTR { return hn::Div(hn::Set(d, T(1)), x); });
    break;
  case VOp::Floor:
    Each1<T, T>(a, r, n, [](T x) HWY_ATTR { return std::floor(x); });
    break;
  case VOp::Ceil:
    Each1<T, T>(a, r, n, [](T x) HWY_ATTR { return std::ceil(x); });
    break;
  case VOp::Rne:
    Each1<T, T>(a, r, n, [](T x) HWY_ATTR { return std::nearbyint(x); });
    break;
  case VOp::Trunc:
    Each1<T, T>(a, r, n, [](T x) HWY_ATTR { return std::trunc(x); });
    break;
  case VOp::Sign:
    Each1<T, T>(a, r, n, [](T x) HWY_ATTR { return x != x ? x : T(x > 0) - T(x < 0); });
    break;
  case VOp::Mod:
    Each2<T, T>(a, b, r, n, [](T x, T y) HWY_ATTR { return FloatMod(x, y); });
    break;
  case VOp::FMod:
    Each2<T, T>(a, b, r, n, [](T x, T y) HWY_ATTR { return std::fmod(x, y); });
    break;
  case VOp::IsNan:
    Each1<T, int32_t>(a, r, n, [](T x) HWY_ATTR { return int32_t(x != x); });
    break;
  case VOp::IsInf:
    Each1<T, int32_t>(a, r, n,
                      [inf](T x) HWY_ATTR { return int32_t(x == inf) | int32_t(x == -inf); });
    break;
  default:
    return false;
  }
  return true;
}

void StepF32(const VStep &s, const void *a, const void *b, const void *c, void *r, int64_t n) {
  if (FloatStep<float>(s, a, b, c, r, n))
    return;
  switch (s.op) {
  case VOp::Exp:
    return Map1<float>(a, r, n, [](VF x) HWY_ATTR { return Exp(x); });
  case VOp::Log:
    return Map1<float>(a, r, n, [](VF x) HWY_ATTR { return Log(x); });
  case VOp::Tanh:
    return Map1<float>(a, r, n, [](VF x) HWY_ATTR { return Tanh(x); });
  case VOp::Erf:
    return Map1<float>(a, r, n, [](VF x) HWY_ATTR { return Erf(x); });
  case VOp::Sigmoid:
    return Map1<float>(a, r, n, [](VF x) HWY_ATTR { return Sigmoid(x); });
  case VOp::Sin:
    return Map1<float>(a, r, n, [](VF x) HWY_ATTR { return SinCos(x, 0); });
  case VOp::Cos:
    return Map1<float>(a, r, n, [](VF x) HWY_ATTR { return SinCos(x, 1); });
  case VOp::Atan:
    return Map1<float>(a, r, n, [](VF x) HWY_ATTR { return Atan(x); });
  case VOp::Pow:
    return Each2<float, float>(a, b, r, n, [](float x, float y) HWY_ATTR { return Pow32(x, y); });
  default:
    return;
  }
}

void StepF64(const VStep &s, const void *a, const void *b, const void *c, void *r, int64_t n) {
  if (FloatStep<double>(s, a, b, c, r, n))
    return;
  const auto *x = static_cast<const double *>(a), *y = static_cast<const double *>(b);
  auto *z = static_cast<double *>(r);
  for (int64_t i = 0; i < n; ++i)
    switch (s.op) {
    case VOp::Exp:
      z[i] = Exp64(x[i]);
      break;
    case VOp::Log:
      z[i] = Log64(x[i]);
      break;
    case VOp::Tanh:
      z[i] = Tanh64(x[i]);
      break;
    case VOp::Erf:
      z[i] = Erf64(x[i]);
      break;
    case VOp::Sigmoid:
      z[i] = Sigmoid64(x[i]);
      break;
    case VOp::Sin:
      z[i] = SinCos64(x[i], 0);
      break;
    case VOp::Cos:
      z[i] = SinCos64(x[i], 1);
      break;
    case VOp::Atan:
      z[i] = Atan64(x[i]);
      break;
    case VOp::Pow:
      z[i] = Pow64(x[i], y[i]);
      break;
    default:
      break;
    }
}

/// x^y by squaring, wrapping; a negative y truncates the reciprocal.
template <class T, class U> T IntPow(T x, T y) {
  if (y < 0)
    return x == 1 ? 1 : x == -1 ? (y & 1 ? -1 : 1) : 0;
  U r = 1, p = U(x);
  for (U e = U(y); e; e >>= 1, p *= p)
    if (e & 1)
      r *= p;
  return T(r);
}

template <class T, class U>
void StepInt(const VStep &s, const void *a, const void *b, const void *c, void *r, int64_t n) {
  constexpr T kBits = sizeof(T) * 8;
  switch (s.op) {
  case VOp::Add:
    return Each2<U, U>(a, b, r, n, [](U x, U y) HWY_ATTR { return U(x + y); });
  case VOp::Sub:
    return Each2<U, U>(a, b, r, n, [](U x, U y) HWY_ATTR { return U(x - y); });
  case VOp::Mul:
    return Each2<U, U>(a, b, r, n, [](U x, U y) HWY_ATTR { return U(x * y); });
  case VOp::Div:
    return Each2<T, T>(a, b, r, n, [](T x, T y) HWY_ATTR {
      return y == 0 ? T(0) : y == -1 ? T(U(0) - U(x)) : T(x / y);
    });
  case VOp::Mod:
    return Each2<T, T>(a, b, r, n, [](T x, T y) HWY_ATTR {
      if (y == 0 || y == -1)
        return T(0);
      T m = T(x % y);
      return T(m != 0 && (m < 0) != (y < 0) ? m + y : m);
    });
  case VOp::FMod:
    return Each2<T, T>(a, b, r, n,
                       [](T x, T y) HWY_ATTR { return y == 0 || y == -1 ? T(0) : T(x % y); });
  case VOp::Min:
    return Each2<T, T>(a, b, r, n, [](T x, T y) HWY_ATTR { return x < y ? x : y; });
  case VOp::Max:
    return Each2<T, T>(a, b, r, n, [](T x, T y) HWY_ATTR { return x > y ? x : y; });
  case VOp::Fma: {
    const U *x = static_cast<const U *>(a), *y = static_cast<const U *>(b),
            *z = static_cast<const U *>(c);
    U *o = static_cast<U *>(r);
    ACC_PARALLEL_LOOP for (int64_t i = 0; i < n; ++i) o[i] = x[i] * y[i] + z[i];
    return;
  }
  case VOp::Neg:
    return Each1<U, U>(a, r, n, [](U x) HWY_ATTR { return U(U(0) - x); });
  case VOp::Abs:
    return Each1<U, U>(a, r, n, [](U x) HWY_ATTR { return T(x) < 0 ? U(U(0) - x) : x; });
  case VOp::Sign:
    return Each1<T, T>(a, r, n, [](T x) HWY_ATTR { return T((x > 0) - (x < 0)); });
  case VOp::And:
    return Each2<U, U>(a, b, r, n, [](U x, U y) HWY_ATTR { return U(x & y); });
  case VOp::Or:
    return Each2<U, U>(a, b, r, n, [](U x, U y) HWY_ATTR { return U(x | y); });
  case VOp::Xor:
    return Each2<U, U>(a, b, r, n, [](U x, U y) HWY_ATTR { return U(x ^ y); });
  case VOp::Not:
    return Each1<U, U>(a, r, n, [](U x) HWY_ATTR { return U(~x); });
  case VOp::Shl:
    return Each2<U, U>(a, b, r, n, [](U x, U y) HWY_ATTR {
      return y < U(kBits) ? U(x << (y & U(kBits - 1))) : U(0);
    });
  case VOp::Shr:
    return Each2<U, U>(a, b, r, n, [](U x, U y) HWY_ATTR {
      return y < U(kBits) ? U(x >> (y & U(kBits - 1))) : U(0);
    });
  case VOp::Sar:
    return Each2<T, T>(a, b, r, n,
                       [](T x, T y) HWY_ATTR { return T(x >> (U(y) < U(kBits) ? y : kBits - 1)); });
  case VOp::Pow:
    return Each2<T, T>(a, b, r, n, [](T x, T y) HWY_ATTR { return IntPow<T, U>(x, y); });
  default:
    return;
  }
}

template <class T> void Compare(VOp op, const void *a, const void *b, void *r, int64_t n) {
  switch (op) {
  case VOp::CmpEq:
    return Each2<T, int32_t>(a, b, r, n, [](T x, T y) HWY_ATTR { return int32_t(x == y); });
  case VOp::CmpNe:
    return Each2<T, int32_t>(a, b, r, n, [](T x, T y) HWY_ATTR { return int32_t(x != y); });
  case VOp::CmpLt:
    return Each2<T, int32_t>(a, b, r, n, [](T x, T y) HWY_ATTR { return int32_t(x < y); });
  case VOp::CmpLe:
    return Each2<T, int32_t>(a, b, r, n, [](T x, T y) HWY_ATTR { return int32_t(x <= y); });
  case VOp::CmpGt:
    return Each2<T, int32_t>(a, b, r, n, [](T x, T y) HWY_ATTR { return int32_t(x > y); });
  default:
    return Each2<T, int32_t>(a, b, r, n, [](T x, T y) HWY_ATTR { return int32_t(x >= y); });
  }
}

template <class U> void Select(const void *a, const void *b, const void *c, void *r, int64_t n) {
  const auto *k = static_cast<const int32_t *>(a);
  const U *x = static_cast<const U *>(b), *y = static_cast<const U *>(c);
  U *z = static_cast<U *>(r);
  int32_t copy[kStrip];
  if (sizeof(U) == 8 && r == a) { // a wider result over the condition
    std::memcpy(copy, k, size_t(n) * 4);
    k = copy;
  }
  ACC_PARALLEL_LOOP for (int64_t i = 0; i < n; ++i) z[i] = k[i] ? x[i] : y[i];
}

/// Conversions between registers. Widths may differ in place, so a strip is
/// staged.
template <class From, class To> void Convert(const void *a, void *r, int64_t n) {
  const From *x = static_cast<const From *>(a);
  To *y = static_cast<To *>(r);
  From copy[kStrip];
  if (a == r && sizeof(From) != sizeof(To)) {
    std::memcpy(copy, x, size_t(n) * sizeof(From));
    x = copy;
  }
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    const From lo = From(std::numeric_limits<To>::min());
    const From hi = -lo; // one above the largest
    ACC_PARALLEL_LOOP for (int64_t i = 0; i < n; ++i) {
      const From v = x[i] == x[i] ? std::nearbyint(x[i]) : From(0);
      const From inRange = v < lo ? lo : v >= hi ? From(0) : v;
      y[i] = v >= hi ? std::numeric_limits<To>::max() : To(inRange);
    }
  } else {
    ACC_PARALLEL_LOOP for (int64_t i = 0; i < n; ++i) y[i] = static_cast<To>(x[i]);
  }
}

template <class From> void ConvertTo(VType to, const void *a, void *r, int64_t n) {
  switch (to) {
  case VType::F32:
    return Convert<From, float>(a, r, n);
  case VType::I32:
    return Convert<From, int32_t>(a, r, n);
  case VType::I64:
    return Convert<From, int64_t>(a, r, n);
  case VType::F64:
    return Convert<From, double>(a, r, n);
  }
}

void FillImm(const VStep &s, void *r, int64_t n) {
  const double f = std::bit_cast<double>(s.imm);
  switch (s.type) {
  case VType::F32:
    std::fill_n(static_cast<float *>(r), n, float(f));
    return;
  case VType::F64:
    std::fill_n(static_cast<double *>(r), n, f);
    return;
  case VType::I32:
    std::fill_n(static_cast<int32_t *>(r), n, int32_t(s.imm));
    return;
  case VType::I64:
    std::fill_n(static_cast<int64_t *>(r), n, int64_t(s.imm));
    return;
  }
}

void RunStep(const VStep &s, const void *a, const void *b, const void *c, void *r, int64_t n) {
  const bool wide = VTypeBytes(s.type) == 8;
  switch (s.op) {
  case VOp::Imm:
    return FillImm(s, r, n);
  case VOp::Iota:
    return; // filled by the strip walker
  case VOp::Mov:
    if (a != r)
      std::memcpy(r, a, size_t(n * (wide ? 8 : 4)));
    return;
  case VOp::CmpEq:
  case VOp::CmpNe:
  case VOp::CmpLt:
  case VOp::CmpLe:
  case VOp::CmpGt:
  case VOp::CmpGe: {
    // An i32 result may lie over a 64-bit operand: it only ever trails it.
    switch (s.type) {
    case VType::F32:
      return Compare<float>(s.op, a, b, r, n);
    case VType::I32:
      return Compare<int32_t>(s.op, a, b, r, n);
    case VType::I64:
      return Compare<int64_t>(s.op, a, b, r, n);
    case VType::F64:
      return Compare<double>(s.op, a, b, r, n);
    }
    return;
  }
  case VOp::Select:
    return wide ? Select<uint64_t>(a, b, c, r, n) : Select<uint32_t>(a, b, c, r, n);
  case VOp::Cvt:
    switch (VType(s.b)) {
    case VType::F32:
      return ConvertTo<float>(s.type, a, r, n);
    case VType::I32:
      return ConvertTo<int32_t>(s.type, a, r, n);
    case VType::I64:
      return ConvertTo<int64_t>(s.type, a, r, n);
    case VType::F64:
      return ConvertTo<double>(s.type, a, r, n);
    }
    return;
  default:
    break;
  }
  switch (s.type) {
  case VType::F32:
    return StepF32(s, a, b, c, r, n);
  case VType::F64:
    return StepF64(s, a, b, c, r, n);
  case VType::I32:
    return StepInt<int32_t, uint32_t>(s, a, b, c, r, n);
  case VType::I64:
    return StepInt<int64_t, uint64_t>(s, a, b, c, r, n);
  }
}

void Steps(const VStep *steps, int64_t count, const VRegs &regs, int64_t n) {
  // Whole vectors on every target; registers have room for it.
  n = (n + 15) / 16 * 16;
  for (int64_t i = 0; i < count; ++i) {
    const VStep &s = steps[i];
    RunStep(s, regs[s.a], regs[s.b & 15], regs[s.c & 15], regs[s.dst], n);
  }
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace accel::rt
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace accel::rt {
HWY_EXPORT(Steps);
void RunSteps(const VStep *steps, int64_t count, const VRegs &regs, int64_t n) {
  HWY_DYNAMIC_DISPATCH(Steps)(steps, count, regs, n);
}
} // namespace accel::rt
#endif // HWY_ONCE

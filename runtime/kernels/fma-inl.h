//===- fma-inl.h - Fused multiply-add on every target ---------------------===//
//
// Included once per Highway target. Where the CPU has no FMA, each lane goes
// through std::fma: slow, and the same bits.
//
//===----------------------------------------------------------------------===//
#if defined(ACC_RUNTIME_KERNELS_FMA_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ACC_RUNTIME_KERNELS_FMA_INL_H
#undef ACC_RUNTIME_KERNELS_FMA_INL_H
#else
#define ACC_RUNTIME_KERNELS_FMA_INL_H
#endif

#include "hwy/highway.h"
#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace accel::rt {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// a·b + c, rounded once.
template <class D, class V> HWY_INLINE V Fma(D d, V a, V b, V c) {
#if HWY_NATIVE_FMA
  (void)d;
  return hn::MulAdd(a, b, c);
#else
  using T = hn::TFromD<D>;
  HWY_ALIGN T x[hn::MaxLanes(d)], y[hn::MaxLanes(d)], z[hn::MaxLanes(d)];
  hn::Store(a, d, x);
  hn::Store(b, d, y);
  hn::Store(c, d, z);
  for (size_t i = 0; i < hn::Lanes(d); ++i)
    z[i] = std::fma(x[i], y[i], z[i]);
  return hn::Load(d, z);
#endif
}

/// Nearest even. Highway's emulated vectors lose the sign of zero.
template <class D, class V> HWY_INLINE V RoundEven(D d, V v) {
#if HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
  using T = hn::TFromD<D>;
  HWY_ALIGN T x[hn::MaxLanes(d)];
  hn::Store(v, d, x);
  for (size_t i = 0; i < hn::Lanes(d); ++i)
    x[i] = std::nearbyint(x[i]);
  return hn::Load(d, x);
#else
  (void)d;
  return hn::Round(v);
#endif
}

/// NaNs become the canonical one.
template <class D, class V> HWY_INLINE V Canonical(D d, V v) {
  using T = hn::TFromD<D>;
  const hn::RebindToUnsigned<D> du;
  using U = hn::TFromD<decltype(du)>;
  // Quiet bit and exponent set, sign and payload clear.
  constexpr U kBits = sizeof(T) == 4 ? U(0x7fc00000u) : U(uint64_t(0x7ff8) << 48);
  return hn::IfThenElse(hn::Eq(v, v), v, hn::BitCast(d, hn::Set(du, kBits)));
}

} // namespace HWY_NAMESPACE
} // namespace accel::rt
HWY_AFTER_NAMESPACE();

#endif

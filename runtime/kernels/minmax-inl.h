//===- minmax-inl.h - Ordered minimum and maximum -------------------------===//
//
// Included once per Highway target. NaN if either is; −0 below +0: then the
// result does not depend on the order of a reduction.
//
//===----------------------------------------------------------------------===//
#if defined(ACC_RUNTIME_KERNELS_MINMAX_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ACC_RUNTIME_KERNELS_MINMAX_INL_H
#undef ACC_RUNTIME_KERNELS_MINMAX_INL_H
#else
#define ACC_RUNTIME_KERNELS_MINMAX_INL_H
#endif

#include "hwy/highway.h"
#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace accel::rt {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class V> HWY_INLINE V FloatMax(D d, V a, V b) {
  const V m = hn::And(hn::IfThenElse(hn::Gt(a, b), a, b), hn::IfThenElse(hn::Gt(b, a), b, a));
  (void)d;
  return hn::IfThenElse(hn::And(hn::Eq(a, a), hn::Eq(b, b)), m, hn::Add(a, b));
}
template <class D, class V> HWY_INLINE V FloatMin(D d, V a, V b) {
  const V m = hn::Or(hn::IfThenElse(hn::Lt(a, b), a, b), hn::IfThenElse(hn::Lt(b, a), b, a));
  (void)d;
  return hn::IfThenElse(hn::And(hn::Eq(a, a), hn::Eq(b, b)), m, hn::Add(a, b));
}
/// Scalar twins, for sequential reductions.
template <class T> HWY_INLINE T ScalarMax(T a, T b) {
  if (a != a || b != b)
    return a + b;
  return a > b || (a == b && !std::signbit(a)) ? a : b;
}
template <class T> HWY_INLINE T ScalarMin(T a, T b) {
  if (a != a || b != b)
    return a + b;
  return a < b || (a == b && std::signbit(a)) ? a : b;
}

} // namespace HWY_NAMESPACE
} // namespace accel::rt
HWY_AFTER_NAMESPACE();

#endif

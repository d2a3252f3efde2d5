//===- vec_reduce.cc - Reductions of the vector engine --------------------===//
#include "vec_compiled.h"
#include <algorithm>
#include <limits>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vec_reduce.cc"
#include "hwy/foreach_target.h"
// Target-dependent from here.
#include "hwy/highway.h"
#include "minmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace accel::rt {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <class T> HWY_INLINE T Combine(VReduce kind, T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    switch (kind) {
    case VReduce::Sum:
      return a + b;
    case VReduce::Prod:
      return a * b;
    case VReduce::Max:
      return ScalarMax(a, b);
    default:
      return ScalarMin(a, b);
    }
  } else {
    using U = std::make_unsigned_t<T>;
    switch (kind) {
    case VReduce::Sum:
      return T(U(a) + U(b));
    case VReduce::Prod:
      return T(U(a) * U(b));
    case VReduce::Max:
      return a > b ? a : b;
    default:
      return a < b ? a : b;
    }
  }
}

template <class D, class V> HWY_INLINE V CombineVector(D d, VReduce kind, V a, V b) {
  switch (kind) {
  case VReduce::Sum:
    return hn::Add(a, b);
  case VReduce::Prod:
    return hn::Mul(a, b);
  case VReduce::Max:
    return FloatMax(d, a, b);
  default:
    return FloatMin(d, a, b);
  }
}

template <class T> void Into(VReduce kind, void *acc, const void *x, int64_t n) {
  T *p = static_cast<T *>(acc);
  const T *v = static_cast<const T *>(x);
  int64_t i = 0;
  if constexpr (std::is_floating_point_v<T>) {
    const hn::ScalableTag<T> d;
    const int64_t lanes = int64_t(hn::Lanes(d));
    for (; i + lanes <= n; i += lanes)
      hn::StoreU(CombineVector(d, kind, hn::LoadU(d, p + i), hn::LoadU(d, v + i)), d, p + i);
    const hn::CappedTag<T, 4> few;
    const int64_t fewLanes = int64_t(hn::Lanes(few));
    for (; i + fewLanes <= n; i += fewLanes)
      hn::StoreU(CombineVector(few, kind, hn::LoadU(few, p + i), hn::LoadU(few, v + i)), few,
                 p + i);
  }
  for (; i < n; ++i)
    p[i] = Combine(kind, p[i], v[i]);
}

template <class T>
void IntoRows(VReduce kind, uint8_t *acc, int64_t laneBytes, int64_t first, const uint8_t *x,
              int64_t step, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r)
    Into<T>(kind, acc + (first + r) % kReduceLanes * laneBytes, x + r * step, n);
}

template <class T> void Lanes16(VReduce kind, void *partials, const void *x, int64_t n) {
  T *p = static_cast<T *>(partials);
  const T *v = static_cast<const T *>(x);
  int64_t i = 0;
  if constexpr (std::is_same_v<T, float>) {
    const hn::CappedTag<float, 16> d;
    constexpr size_t kParts = 16 / hn::MaxLanes(d);
    hn::Vec<decltype(d)> acc[kParts];
    for (size_t k = 0; k < kParts; ++k)
      acc[k] = hn::LoadU(d, p + k * hn::MaxLanes(d));
    for (; i + 16 <= n; i += 16)
#pragma unroll
      for (size_t k = 0; k < kParts; ++k)
        acc[k] = CombineVector(d, kind, acc[k], hn::LoadU(d, v + i + k * hn::MaxLanes(d)));
    for (size_t k = 0; k < kParts; ++k)
      hn::StoreU(acc[k], d, p + k * hn::MaxLanes(d));
  }
  for (; i < n; ++i)
    p[i % 16] = Combine(kind, p[i % 16], v[i]);
}

template <class T> void Sequential(VReduce kind, void *acc, const void *x, int64_t n) {
  const T *v = static_cast<const T *>(x);
  T sum = *static_cast<T *>(acc);
  // Max and Min give the same in any order: take the fast one.
  if (kind == VReduce::Max || kind == VReduce::Min) {
    T part[16];
    std::fill_n(part, 16, sum);
    Lanes16<T>(kind, part, v, n);
    for (T p : part)
      sum = Combine(kind, sum, p);
  } else {
    for (int64_t i = 0; i < n; ++i)
      sum = Combine(kind, sum, v[i]);
  }
  *static_cast<T *>(acc) = sum;
}

template <class T> void Tree(VReduce kind, void *partials, int64_t stride, int64_t n) {
  T *p = static_cast<T *>(partials);
  for (int64_t w = kReduceLanes / 2; w; w /= 2)
    if (stride == 1 && n == 1)
      Into<T>(kind, p, p + w, w);
    else
      for (int64_t l = 0; l < w; ++l)
        Into<T>(kind, p + l * stride, p + (l + w) * stride, n);
}

template <class T> void Identity(VReduce kind, void *acc, int64_t n) {
  using L = std::numeric_limits<T>;
  T v = 0;
  switch (kind) {
  case VReduce::Sum:
    v = 0;
    break;
  case VReduce::Prod:
    v = 1;
    break;
  case VReduce::Max:
    v = L::has_infinity ? -L::infinity() : L::lowest();
    break;
  default:
    v = L::has_infinity ? L::infinity() : L::max();
    break;
  }
  std::fill_n(static_cast<T *>(acc), n, v);
}

#define ACC_BY_TYPE(fn, type, ...)                                                                 \
  switch (type) {                                                                                  \
  case VType::F32:                                                                                 \
    return fn<float>(__VA_ARGS__);                                                                 \
  case VType::I32:                                                                                 \
    return fn<int32_t>(__VA_ARGS__);                                                               \
  case VType::I64:                                                                                 \
    return fn<int64_t>(__VA_ARGS__);                                                               \
  case VType::F64:                                                                                 \
    return fn<double>(__VA_ARGS__);                                                                \
  }

void DoInto(VReduce kind, VType type, void *acc, const void *x, int64_t n) {
  ACC_BY_TYPE(Into, type, kind, acc, x, n)
}
void DoIntoRows(VReduce kind, VType type, uint8_t *acc, int64_t laneBytes, int64_t first,
                const uint8_t *x, int64_t step, int64_t rows, int64_t n) {
  ACC_BY_TYPE(IntoRows, type, kind, acc, laneBytes, first, x, step, rows, n)
}
void DoLanes(VReduce kind, VType type, void *p, const void *x, int64_t n) {
  ACC_BY_TYPE(Lanes16, type, kind, p, x, n)
}
void DoSequential(VReduce kind, VType type, void *acc, const void *x, int64_t n) {
  ACC_BY_TYPE(Sequential, type, kind, acc, x, n)
}
void DoTree(VReduce kind, VType type, void *p, int64_t stride, int64_t n) {
  ACC_BY_TYPE(Tree, type, kind, p, stride, n)
}
void DoIdentity(VReduce kind, VType type, void *acc, int64_t n) {
  ACC_BY_TYPE(Identity, type, kind, acc, n)
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace accel::rt
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace accel::rt {
HWY_EXPORT(DoInto);
HWY_EXPORT(DoIntoRows);
HWY_EXPORT(DoLanes);
HWY_EXPORT(DoSequential);
HWY_EXPORT(DoTree);
HWY_EXPORT(DoIdentity);
void ReduceInto(VReduce kind, VType type, void *acc, const void *x, int64_t n) {
  HWY_DYNAMIC_DISPATCH(DoInto)(kind, type, acc, x, n);
}
void ReduceRowsInto(VReduce kind, VType type, uint8_t *acc, int64_t laneBytes, int64_t first,
                    const uint8_t *x, int64_t step, int64_t rows, int64_t n) {
  HWY_DYNAMIC_DISPATCH(DoIntoRows)(kind, type, acc, laneBytes, first, x, step, rows, n);
}
void ReduceLanes(VReduce kind, VType type, void *partials, const void *x, int64_t n) {
  HWY_DYNAMIC_DISPATCH(DoLanes)(kind, type, partials, x, n);
}
void ReduceSequential(VReduce kind, VType type, void *acc, const void *x, int64_t n) {
  HWY_DYNAMIC_DISPATCH(DoSequential)(kind, type, acc, x, n);
}
void ReduceTree(VReduce kind, VType type, void *partials, int64_t stride, int64_t n) {
  HWY_DYNAMIC_DISPATCH(DoTree)(kind, type, partials, stride, n);
}
void ReduceIdentity(VReduce kind, VType type, void *acc, int64_t n) {
  HWY_DYNAMIC_DISPATCH(DoIdentity)(kind, type, acc, n);
}
} // namespace accel::rt
#endif // HWY_ONCE

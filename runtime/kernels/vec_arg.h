//===- vec_arg.h - Reductions that give an index --------------------------===//
#ifndef ACC_RUNTIME_KERNELS_VEC_ARG_H
#define ACC_RUNTIME_KERNELS_VEC_ARG_H

#include "vec_compiled.h"

namespace accel::rt {

constexpr bool IsArg(VReduce k) { return k >= VReduce::ArgMax; }

template <class T> bool Beats(VReduce kind, T value, T best) {
  switch (kind) {
  case VReduce::ArgMax:
    return value > best;
  case VReduce::ArgMin:
    return value < best;
  case VReduce::ArgMaxLast:
    return value >= best;
  default:
    return value <= best;
  }
}

/// Index of the extreme so far, over `count` neighbours (stride 1) or along a
/// strip into one (stride 0). Index i of x has running index first + i·move.
template <class T, class Index>
void ArgTyped(VReduce kind, void *best, void *index, const void *x, int64_t n, int64_t running,
              bool along) {
  T *b = static_cast<T *>(best);
  Index *at = static_cast<Index *>(index);
  const T *v = static_cast<const T *>(x);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t slot = along ? 0 : i, r = along ? running + i : running;
    if (r == 0 || Beats(kind, v[i], b[slot])) {
      b[slot] = v[i];
      at[slot] = Index(r);
    }
  }
}

/// along: one result over n consecutive running indices from `running`; else n
/// results, all at index `running`.
inline void ArgReduce(VReduce kind, VType type, void *best, void *index, const void *x, int64_t n,
                      int64_t running, bool along) {
  switch (type) {
  case VType::F32:
    return ArgTyped<float, int32_t>(kind, best, index, x, n, running, along);
  case VType::I32:
    return ArgTyped<int32_t, int32_t>(kind, best, index, x, n, running, along);
  case VType::I64:
    return ArgTyped<int64_t, int64_t>(kind, best, index, x, n, running, along);
  case VType::F64:
    return ArgTyped<double, int64_t>(kind, best, index, x, n, running, along);
  }
}

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_VEC_ARG_H

//===- InterpretKernels.cpp - rows of products for the evaluator ----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain loops; the compiler vectorises over n, so the order over k stays. With
// a fused multiply-add in the machine they are fast, without it std::fma gives
// the same bits.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Interpret.h"

#include <cmath>

#if defined(__x86_64__)
#define ACC_FUSED __attribute__((target_clones("arch=haswell", "default")))
#else
#define ACC_FUSED
#endif

static constexpr int64_t kColumns = 32;

ACC_FUSED void accel::multiplyRow(float *acc, int64_t n, const float *a, const float *b,
                                  int64_t k) {
  int64_t i = 0;
  for (; i + kColumns <= n; i += kColumns) { // sums stay in registers
    float sums[kColumns];
    for (int64_t j = 0; j < kColumns; ++j)
      sums[j] = acc[i + j];
    for (int64_t row = 0; row < k; ++row)
      for (int64_t j = 0; j < kColumns; ++j)
        sums[j] = __builtin_fmaf(a[row], b[row * n + i + j], sums[j]);
    for (int64_t j = 0; j < kColumns; ++j)
      acc[i + j] = sums[j];
  }
  for (int64_t row = 0; row < k; ++row)
    for (int64_t j = i; j < n; ++j)
      acc[j] = __builtin_fmaf(a[row], b[row * n + j], acc[j]);
}

ACC_FUSED void accel::multiplyRow(double *acc, int64_t n, const double *a, const double *b,
                                  int64_t k) {
  int64_t i = 0;
  for (; i + kColumns <= n; i += kColumns) { // sums stay in registers
    double sums[kColumns];
    for (int64_t j = 0; j < kColumns; ++j)
      sums[j] = acc[i + j];
    for (int64_t row = 0; row < k; ++row)
      for (int64_t j = 0; j < kColumns; ++j)
        sums[j] = __builtin_fma(a[row], b[row * n + i + j], sums[j]);
    for (int64_t j = 0; j < kColumns; ++j)
      acc[i + j] = sums[j];
  }
  for (int64_t row = 0; row < k; ++row)
    for (int64_t j = i; j < n; ++j)
      acc[j] = __builtin_fma(a[row], b[row * n + j], acc[j]);
}

template <typename T, typename U>
static void multiplyIntegers(T *acc, int64_t n, const T *a, const T *b, int64_t k) {
  for (int64_t row = 0; row < k; ++row)
    for (int64_t i = 0; i < n; ++i)
      acc[i] = T(U(acc[i]) + U(a[row]) * U(b[row * n + i]));
}
void accel::multiplyRow(int32_t *acc, int64_t n, const int32_t *a, const int32_t *b, int64_t k) {
  multiplyIntegers<int32_t, uint32_t>(acc, n, a, b, k);
}
void accel::multiplyRow(int64_t *acc, int64_t n, const int64_t *a, const int64_t *b, int64_t k) {
  multiplyIntegers<int64_t, uint64_t>(acc, n, a, b, k);
}

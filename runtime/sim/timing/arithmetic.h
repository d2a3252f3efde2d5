//===- arithmetic.h - Whole numbers that do not overflow ------------------===//
#ifndef ACC_RUNTIME_SIM_TIMING_ARITHMETIC_H
#define ACC_RUNTIME_SIM_TIMING_ARITHMETIC_H

#include "acc/runtime/timing.h"
#include <algorithm>
#include <initializer_list>

namespace accel::rt {

/// For a >= 0, b > 0.
constexpr int64_t CeilDivide(int64_t a, int64_t b) { return a / b + (a % b != 0); }

/// a · b, at most kMaxOccupancy; for a, b >= 0.
constexpr int64_t CappedProduct(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kMaxOccupancy : std::min(product, kMaxOccupancy);
}
constexpr int64_t CappedProduct(int64_t a, int64_t b, int64_t c) {
  return CappedProduct(CappedProduct(a, b), c);
}
constexpr int64_t CappedSum(std::initializer_list<int64_t> terms) {
  int64_t sum = 0;
  for (int64_t term : terms)
    sum = std::min(sum + term, kMaxOccupancy);
  return sum;
}

/// The least L with 2^L >= n.
constexpr int64_t CeilLog2(int64_t n) {
  int64_t levels = 0;
  while (levels < 62 && (int64_t(1) << levels) < n)
    ++levels;
  return levels;
}

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_TIMING_ARITHMETIC_H

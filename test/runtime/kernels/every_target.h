//===- every_target.h - Run a check on each SIMD level --------------------===//
#ifndef ACC_TEST_RUNTIME_KERNELS_EVERY_TARGET_H
#define ACC_TEST_RUNTIME_KERNELS_EVERY_TARGET_H

#include "hwy/highway.h"
#include "hwy/targets.h"
#include <cstdint>

namespace accel::rt {

/// Calls fn(name) once for every SIMD level that this CPU and build have.
template <typename Fn> void ForEveryTarget(Fn &&fn) {
  hwy::SetSupportedTargetsForTest(0);
  for (auto left = hwy::SupportedTargets() & HWY_TARGETS; left; left &= left - 1) {
    auto target = left & (~left + 1);
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    fn(hwy::TargetName(target));
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

/// Small deterministic generator (SplitMix64).
struct Random {
  uint64_t state;
  uint64_t Next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  /// Integer of [lo, hi].
  int64_t Int(int64_t lo, int64_t hi) { return lo + int64_t(Next() % uint64_t(hi - lo + 1)); }
  bool Coin(int percent) { return Int(0, 99) < percent; }
  float Float() { return float(Int(-4096, 4096)) / 1024.0f; }
};

} // namespace accel::rt

#endif // ACC_TEST_RUNTIME_KERNELS_EVERY_TARGET_H

//===- thread_pool.h - Deterministic fork-join pool -----------------------===//
//
// Work is cut into parts by the caller's arithmetic only, never by which
// thread is free: part p of P covers the same elements on every run. One
// thread means inline execution without any synchronisation.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_THREAD_POOL_H
#define ACC_RUNTIME_THREAD_POOL_H

#include <cstdint>
#include <memory>

namespace accel::rt {

class ThreadPool {
public:
  /// `threads` ≥ 1 counts the calling thread. Threads are started here and
  /// joined by the destructor.
  explicit ThreadPool(int threads = 1);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int threads() const { return threads_; }

  /// Calls fn(part) for part = 0..parts-1 (at most 65535), each on whichever
  /// thread is free, and returns when all are done. Not reentrant: fn must not
  /// call Run.
  template <typename Fn> void Run(int parts, const Fn &fn) {
    if (threads_ == 1 || parts <= 1) {
      for (int p = 0; p < parts; ++p)
        fn(p);
      return;
    }
    RunErased(parts, [](const void *f, int part) { (*static_cast<const Fn *>(f))(part); }, &fn);
  }

private:
  using Thunk = void (*)(const void *, int);
  void RunErased(int parts, Thunk thunk, const void *fn);
  struct Impl;
  int threads_;
  std::unique_ptr<Impl> impl_;
};

/// Part `part` of `parts` of [0, count), cut at multiples of `grain`.
struct PartRange {
  int64_t begin, end;
};
inline PartRange CutRange(int64_t count, int64_t grain, int part, int parts) {
  int64_t grains = (count + grain - 1) / grain;
  int64_t b = grains * part / parts * grain;
  int64_t e = grains * (part + 1) / parts * grain;
  return {b < count ? b : count, e < count ? e : count};
}

} // namespace accel::rt

#endif // ACC_RUNTIME_THREAD_POOL_H

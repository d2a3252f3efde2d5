//===- thread_pool.cc - Deterministic fork-join pool ----------------------===//
//
// Instructions last microseconds, so workers spin briefly on a generation
// counter before they sleep.
//
//===----------------------------------------------------------------------===//
#include "acc/runtime/thread_pool.h"
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace accel::rt {
namespace {
/// About 20 µs: longer than the gap between two instructions of a busy run,
/// far shorter than a time slice.
constexpr int kSpins = 4000;

void Pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}
} // namespace

struct ThreadPool::Impl {
  std::atomic<uint64_t> generation{0};
  std::atomic<int> running{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::condition_variable wake;
  int sleepers = 0; // under mutex
  int parts = 0;
  Thunk thunk = nullptr;
  const void *fn = nullptr;
  std::vector<std::thread> workers;

  void Work(int self, int threads) {
    uint64_t seen = 0;
    while (true) {
      int spins = kSpins;
      while (generation.load(std::memory_order_acquire) == seen && --spins)
        Pause();
      if (generation.load(std::memory_order_acquire) == seen) {
        std::unique_lock<std::mutex> lock(mutex);
        ++sleepers;
        wake.wait(lock, [&] { return generation.load() != seen; });
        --sleepers;
      }
      ++seen;
      if (stop)
        return;
      for (int p = self; p < parts; p += threads)
        thunk(fn, p);
      running.fetch_sub(1, std::memory_order_release);
    }
  }

  void Announce() {
    std::lock_guard<std::mutex> lock(mutex);
    generation.fetch_add(1, std::memory_order_release);
    if (sleepers)
      wake.notify_all();
  }
};

ThreadPool::ThreadPool(int threads) : threads_(threads < 1 ? 1 : threads) {
  if (threads_ == 1)
    return;
  impl_ = std::make_unique<Impl>();
  for (int t = 1; t < threads_; ++t)
    impl_->workers.emplace_back([this, t] { impl_->Work(t, threads_); });
}

ThreadPool::~ThreadPool() {
  if (!impl_)
    return;
  impl_->stop = true;
  impl_->Announce();
  for (std::thread &w : impl_->workers)
    w.join();
}

void ThreadPool::RunErased(int parts, Thunk thunk, const void *fn) {
  impl_->parts = parts;
  impl_->thunk = thunk;
  impl_->fn = fn;
  impl_->running.store(threads_ - 1, std::memory_order_relaxed);
  impl_->Announce();
  for (int p = 0; p < parts; p += threads_)
    thunk(fn, p);
  for (int spins = kSpins; impl_->running.load(std::memory_order_acquire) != 0;) {
    if (spins > 0) {
      --spins;
      Pause();
    } else {
      std::this_thread::yield();
    }
  }
}

} // namespace accel::rt

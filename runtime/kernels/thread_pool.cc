//===- thread_pool.cc - Deterministic fork-join pool ----------------------===//
//
// Instructions last microseconds, so workers spin briefly for the next run
// before they sleep. Whoever is free takes the next part, the calling thread
// too: a worker that the machine has no processor for holds nobody up.
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

/// A run in one word: its number, how many parts it has, the next part that
/// nobody has taken. A part can only be taken while its run lasts.
struct Ticket {
  static constexpr int kPartBits = 16;
  static uint64_t Start(uint32_t run, int parts) {
    return uint64_t(run) << 32 | uint64_t(parts) << kPartBits;
  }
  static uint32_t Run(uint64_t t) { return uint32_t(t >> 32); }
  static int Parts(uint64_t t) { return int(t >> kPartBits & 0xffff); }
  static int Next(uint64_t t) { return int(t & 0xffff); }
};

struct ThreadPool::Impl {
  std::atomic<uint64_t> ticket{0};
  std::atomic<int> done{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::condition_variable wake;
  int sleepers = 0; // under mutex
  uint32_t run = 0; // of the calling thread
  Thunk thunk = nullptr;
  const void *fn = nullptr;
  std::vector<std::thread> workers;

  /// Takes parts of a run until none is left.
  void TakeParts(uint32_t of) {
    uint64_t t = ticket.load(std::memory_order_acquire);
    while (Ticket::Run(t) == of && Ticket::Next(t) < Ticket::Parts(t)) {
      if (!ticket.compare_exchange_weak(t, t + 1, std::memory_order_acq_rel))
        continue;
      thunk(fn, Ticket::Next(t));
      done.fetch_add(1, std::memory_order_release);
      t = ticket.load(std::memory_order_acquire);
    }
  }

  void Work() {
    uint32_t seen = 0;
    const auto now = [this] { return Ticket::Run(ticket.load(std::memory_order_acquire)); };
    while (true) {
      for (int spins = kSpins; now() == seen && --spins;)
        Pause();
      if (now() == seen) {
        std::unique_lock<std::mutex> lock(mutex);
        ++sleepers;
        wake.wait(lock, [&] { return now() != seen; });
        --sleepers;
      }
      if (stop)
        return;
      seen = now();
      TakeParts(seen);
    }
  }

  void Announce(int parts) {
    std::lock_guard<std::mutex> lock(mutex);
    ticket.store(Ticket::Start(++run, parts), std::memory_order_release);
    if (sleepers)
      wake.notify_all();
  }
};

ThreadPool::ThreadPool(int threads) : threads_(threads < 1 ? 1 : threads) {
  if (threads_ == 1)
    return;
  impl_ = std::make_unique<Impl>();
  for (int t = 1; t < threads_; ++t)
    impl_->workers.emplace_back([this] { impl_->Work(); });
}

ThreadPool::~ThreadPool() {
  if (!impl_)
    return;
  impl_->stop = true;
  impl_->Announce(0);
  for (std::thread &w : impl_->workers)
    w.join();
}

void ThreadPool::RunErased(int parts, Thunk thunk, const void *fn) {
  impl_->thunk = thunk;
  impl_->fn = fn;
  impl_->done.store(0, std::memory_order_relaxed);
  impl_->Announce(parts);
  impl_->TakeParts(impl_->run);
  for (int spins = kSpins; impl_->done.load(std::memory_order_acquire) != parts;) {
    if (spins > 0) {
      --spins;
      Pause();
    } else {
      std::this_thread::yield();
    }
  }
}

} // namespace accel::rt

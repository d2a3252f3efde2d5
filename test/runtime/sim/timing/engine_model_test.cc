//===- engine_model_test.cc - Closed forms, and a model by cycles ---------===//
//
// On the machine `edge`, except where said: 16 B/cycle, 200 cycles of latency,
// 100 for writes, 16 of setup, 4 of SRAM and of a semaphore, queues 32 deep.
//
//===----------------------------------------------------------------------===//
#include "engine_model.h"
#include "stepping_model.h"
#include "unit_machine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <deque>
#include <random>

namespace accel::rt {
namespace {

constexpr int kLd0 = 1, kLd1 = 2, kSt = 3, kMxu = 4, kVec = 5;
constexpr int64_t kTick = kTicksPerCycle;

/// A program of instructions with their tokens.
class Stream {
public:
  using Tokens = std::vector<isa::Token>;

  TimedInstr &Add(int engine, const Tokens &waits, const Tokens &signals) {
    tokens_.resize(tokens_.size() + 4);
    for (size_t i = 0; i < waits.size(); ++i)
      tokens_[tokens_.size() - 4 + i] = waits[i];
    for (size_t i = 0; i < signals.size(); ++i)
      tokens_[tokens_.size() - 2 + i] = signals[i];
    first_.push_back(tokens_.size() - 4);
    TimedInstr in;
    in.engine = uint8_t(engine);
    in.dispatchTicks = kTick;
    list_.push_back(in);
    return list_.back();
  }
  TimedInstr &Compute(int engine, int64_t cycles, const Tokens &waits = {},
                      const Tokens &signals = {}) {
    TimedInstr &in = Add(engine, waits, signals);
    in.kind = TimedInstr::Kind::Compute;
    in.busyTicks = cycles * kTick;
    return in;
  }
  TimedInstr &Move(int engine, int64_t cycles, const Tokens &waits = {},
                   const Tokens &signals = {}) {
    TimedInstr &in = Add(engine, waits, signals);
    in.kind = engine == kSt ? TimedInstr::Kind::Write : TimedInstr::Kind::Read;
    in.transfer.dramTicks = cycles * kTick;
    in.writesSram = engine != kSt;
    return in;
  }
  const std::vector<TimedInstr> &list() {
    for (size_t i = 0; i < list_.size(); ++i) {
      list_[i].wait = &tokens_[first_[i]];
      list_[i].signal = &tokens_[first_[i] + 2];
    }
    return list_;
  }

private:
  std::vector<TimedInstr> list_;
  std::vector<isa::Token> tokens_;
  std::vector<size_t> first_;
};

TimingStats Timed(const MachineFigures &m, Stream &stream, size_t nodes = 4) {
  EngineModel model(m, nodes);
  for (const TimedInstr &in : stream.list())
    model.Dispatch(in);
  model.Finish();
  const TimingStats &stats = model.stats();
  int64_t ofNodes = 0;
  for (const NodeTiming &n : stats.nodes)
    ofNodes += n.ticks;
  EXPECT_EQ(ofNodes, stats.ticks);
  for (const EngineTiming &e : stats.engine) {
    int64_t sum = e.busyTicks;
    for (int64_t idle : e.idleTicks)
      sum += idle;
    EXPECT_EQ(sum, stats.ticks) << "engine " << &e - stats.engine.data();
  }
  return stats;
}

int64_t Idle(const TimingStats &stats, int engine, Stall cause) {
  return stats.engine[size_t(engine)].idleTicks[size_t(cause)] / kTick;
}

TEST(EngineModel, OneLoad) {
  Stream s;
  s.Move(kLd0, 1000);
  // dispatch, setup, latency, data, into SRAM
  EXPECT_EQ(Timed(Edge(), s).Cycles(), 1 + 16 + 200 + 1000 + 4);
}

TEST(EngineModel, AStreamOfLoadsHasOneLatency) {
  Stream s;
  for (int i = 0; i < 50; ++i)
    s.Move(kLd0, 100);
  TimingStats stats = Timed(Edge(), s);
  EXPECT_EQ(stats.Cycles(), 1 + 16 + 200 + 50 * 100 + 4);
  EXPECT_EQ(stats.dramTicks, 5000 * kTick);
  EXPECT_EQ(Idle(stats, kLd0, Stall::Latency), 216);
}

TEST(EngineModel, OneTransferAtATimePaysEachLatency) {
  Stream s;
  for (int i = 0; i < 50; ++i)
    s.Move(kLd0, 100);
  EXPECT_EQ(Timed(Edge({{"dma_outstanding", 1}}), s).Cycles(), 1 + 50 * (16 + 200 + 100 + 4));
  // With two on the way a pair takes setup, latency, data and SRAM once; the
  // second data end 100 later.
  EXPECT_EQ(Timed(Edge({{"dma_outstanding", 2}}), s).Cycles(), 1 + 25 * (16 + 200 + 100 + 4) + 100);
}

TEST(EngineModel, EnginesShareTheBandwidth) {
  Stream s;
  for (int i = 0; i < 50; ++i) {
    s.Move(kLd0, 100);
    s.Move(kLd1, 100);
  }
  TimingStats stats = Timed(Edge(), s);
  EXPECT_EQ(stats.Cycles(), 1 + 16 + 200 + 100 * 100 + 4);
  // LD1 waits for each transfer of LD0 that is older, which began a cycle earlier.
  EXPECT_EQ(Idle(stats, kLd1, Stall::Bandwidth), 50 * 100 - 1);
}

TEST(EngineModel, DoubleBufferedAndComputeBound) {
  // Buffers free: semaphore 1, filled: 2. MXU takes 300 for what loads in 100.
  Stream s;
  s.Add(kMxu, {}, {{1, 2}});
  for (int i = 0; i < 40; ++i) {
    s.Move(kLd0, 100, {{1, 1}}, {{2, 1}});
    s.Compute(kMxu, 300, {{2, 1}}, {{1, 1}});
  }
  TimingStats stats = Timed(Edge(), s);
  // SYNC at 1, its token at 5; the load is there at 5 + 16 + 200 + 100 + 4, its
  // token 4 later. A refill takes 4 + 16 + 200 + 100 + 4 + 4 = 328 and is asked
  // for every 300: a pair of buffers gives one each 314 on average.
  EXPECT_EQ(stats.engine[kMxu].busyTicks, 40 * 300 * kTick);
  EXPECT_EQ(Timed(Edge({{"dram_latency_cycles", 100}}), s).Cycles(),
            5 + 16 + 100 + 100 + 4 + 4 + 40 * 300);
}

TEST(EngineModel, DoubleBufferedAndMemoryBound) {
  Stream s;
  s.Add(kMxu, {}, {{1, 2}});
  for (int i = 0; i < 40; ++i) {
    s.Move(kLd0, 1000, {{1, 1}}, {{2, 1}});
    s.Compute(kMxu, 300, {{2, 1}}, {{1, 1}});
  }
  TimingStats stats = Timed(Edge(), s);
  // Data without a gap; then into SRAM, token, the last product.
  EXPECT_EQ(stats.Cycles(), 5 + 16 + 200 + 40 * 1000 + 4 + 4 + 300);
  // MXU's first is dispatched at 3.
  EXPECT_EQ(Idle(stats, kMxu, Stall::FromLd0), stats.Cycles() - 40 * 300 - 3);
}

TEST(EngineModel, AQueueOfOneStopsTheSequencer) {
  // VEC works 100 cycles on each of 10; CTRL can be two ahead: one in the queue.
  Stream s;
  for (int i = 0; i < 10; ++i)
    s.Compute(kVec, 100);
  s.Compute(kMxu, 50);
  TimingStats shallow = Timed(Edge({{"queue_depth", 1}}), s);
  // The second is dispatched at 2, the third when the second starts, at 101, and
  // so on: the tenth when the ninth starts, at 801. Each dispatch takes 1, MXU's
  // ends at 803.
  EXPECT_EQ(shallow.Cycles(), 1 + 10 * 100);
  EXPECT_EQ(Idle(shallow, kMxu, Stall::Queue), 803 - 11);
  EXPECT_EQ(Idle(shallow, kMxu, Stall::Dispatch), 11);
  TimingStats deep = Timed(Edge(), s);
  EXPECT_EQ(deep.Cycles(), 1 + 10 * 100);
  EXPECT_EQ(Idle(deep, kMxu, Stall::Queue), 0);
  EXPECT_EQ(Idle(deep, kMxu, Stall::Dispatch), 11);
}

TEST(EngineModel, OldStandstillsCountAsDispatch) {
  // More of them than are kept: idle ticks still add up (checked in Timed).
  Stream s;
  for (int i = 0; i < 6000; ++i)
    s.Compute(kVec, 100);
  s.Compute(kMxu, 50);
  TimingStats stats = Timed(Edge({{"queue_depth", 1}}), s);
  EXPECT_GT(Idle(stats, kMxu, Stall::Queue), 4000 * 90);
  EXPECT_GT(Idle(stats, kMxu, Stall::Dispatch), 1900 * 90);
}

TEST(EngineModel, DispatchBound) {
  // 20 cycles of dispatch for 5 of work.
  Stream s;
  for (int i = 0; i < 100; ++i)
    s.Compute(kVec, 5).dispatchTicks = 20 * kTick;
  TimingStats stats = Timed(Edge(), s);
  EXPECT_EQ(stats.Cycles(), 100 * 20 + 5);
  EXPECT_EQ(Idle(stats, kVec, Stall::Dispatch), 20 + 99 * 15);
}

TEST(EngineModel, StoresHaveTheirOwnLatency) {
  Stream s;
  s.Move(kSt, 100, {}, {{1, 1}});
  s.Compute(kVec, 10, {{1, 1}});
  EXPECT_EQ(Timed(Edge(), s).Cycles(), 1 + 16 + 4 + 100 + 100 + 4 + 10);
}

TEST(EngineModel, ReadingOwnResultsWaitsForThem) {
  Stream s;
  s.Compute(kVec, 100).latencyTicks = 40 * kTick;
  s.Compute(kVec, 100).readsOwnResults = true;
  TimingStats stats = Timed(Edge(), s);
  EXPECT_EQ(stats.Cycles(), 1 + 100 + 40 + 100);
  EXPECT_EQ(Idle(stats, kVec, Stall::Dependency), 40);
}

TEST(EngineModel, CodeIsFetchedFirst) {
  EngineModel model(Edge(), 0);
  model.FetchCode(1600, kNone);
  Stream s;
  s.Compute(kVec, 10);
  model.Dispatch(s.list()[0]);
  model.Finish();
  EXPECT_EQ(model.stats().Cycles(), 200 + 100 + 1 + 10);
  EXPECT_EQ(Idle(model.stats(), kVec, Stall::Code), 300);
}

TEST(EngineModel, NodesShareTheTimeByWhatTheyAdd) {
  Stream s;
  s.Compute(kMxu, 100).node = 0;
  s.Compute(kVec, 60).node = 1; // hidden
  s.Compute(kVec, 60).node = 2; // adds what is not
  TimingStats stats = Timed(Edge(), s);
  EXPECT_EQ(stats.nodes[0].ticks, 101 * kTick);
  EXPECT_EQ(stats.nodes[1].ticks, 0);
  EXPECT_EQ(stats.nodes[2].ticks, (2 + 120 - 101) * kTick);
}

/// A program whose waits are met by earlier signals; all times whole cycles.
Stream RandomStream(std::mt19937 &random) {
  auto pick = [&](int n) { return int(random() % unsigned(n)); };
  Stream s;
  // Semaphore 6 · producer + consumer.
  int64_t there[isa::kSemaphoreCount] = {};
  int length = 5 + pick(60), style = pick(3);
  for (int i = 0; i < length; ++i) {
    int engine = 1 + pick(5);
    Stream::Tokens waits, signals;
    for (int from = 1; from <= 5 && waits.size() < 2; ++from) {
      int semaphore = 6 * from + engine;
      if (there[semaphore] && pick(3)) {
        int count = 1 + pick(int(std::min<int64_t>(there[semaphore], 2)));
        waits.push_back({uint8_t(semaphore), uint8_t(count)});
        there[semaphore] -= count;
      }
    }
    for (int n = pick(3); n > 0; --n) {
      int semaphore = 6 * engine + 1 + pick(5), count = 1 + pick(2);
      signals.push_back({uint8_t(semaphore), uint8_t(count)});
      there[semaphore] += count;
    }
    if (pick(8) == 0)
      s.Add(engine, waits, signals);
    else if (engine == kMxu || engine == kVec) {
      TimedInstr &in = s.Compute(engine, 1 + pick(style ? 40 : 200), waits, signals);
      in.latencyTicks = pick(30) * kTick;
      in.readsOwnResults = pick(4) == 0;
    } else {
      TimedInstr &in = s.Move(engine, 1 + pick(style == 1 ? 10 : 100), waits, signals);
      if (pick(6) == 0) {
        in.kind = TimedInstr::Kind::Local;
        in.transfer.dramTicks = 0;
        in.readsOwnResults = true;
      }
      in.transfer.portTicks = pick(60) * kTick;
    }
  }
  return s;
}

TEST(EngineModel, AgreesWithSteppingThroughEveryCycle) {
  for (unsigned seed = 0; seed < 1500; ++seed) {
    std::mt19937 random(seed);
    MachineFigures m = Edge({{"dram_latency_cycles", 1 + random() % 50},
                             {"dram_write_latency_cycles", random() % 30},
                             {"dma_setup_cycles", 1 + random() % 8},
                             {"dma_outstanding", 1 + random() % 4},
                             {"queue_depth", 1 + random() % 6},
                             {"sram_latency_cycles", random() % 4},
                             {"semaphore_latency_cycles", random() % 5}});
    Stream s = RandomStream(random);
    int64_t stepped = SteppingModel(m, s.list()).Run();
    ASSERT_EQ(Timed(m, s).ticks, stepped * kTick) << "seed " << seed;
  }
}

TEST(DramSchedule, OlderTransfersKeepTheirPlace) {
  DramSchedule d;
  EXPECT_EQ(d.Take(100, 50), 150);
  EXPECT_EQ(d.Take(300, 50), 350);
  // 40 before, 150 between, the rest behind.
  EXPECT_EQ(d.Take(60, 200), 360);
  EXPECT_EQ(d.Take(0, 60), 60);
  EXPECT_EQ(d.Take(0, 1), 361);
  EXPECT_EQ(d.Take(5, 0), 5);
}

TEST(DramSchedule, AgreesWithCountingTicks) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    DramSchedule d;
    std::vector<bool> taken(20000);
    int64_t floor = 0;
    for (int i = 0; i < 100; ++i) {
      int64_t due = floor + int64_t(random() % 200), ticks = int64_t(random() % 40);
      int64_t at = due, last = due;
      for (int64_t left = ticks; left; ++at)
        if (!taken[size_t(at)]) {
          taken[size_t(at)] = true;
          last = at + 1;
          --left;
        }
      ASSERT_EQ(d.Take(due, ticks), last) << "seed " << seed << " transfer " << i;
      if (random() % 3 == 0)
        d.Forget(floor += int64_t(random() % 60));
    }
  }
}

} // namespace
} // namespace accel::rt

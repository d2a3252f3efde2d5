//===- engine_model.h - When every instruction runs -----------------------===//
//
// CTRL dispatches into queues, engines start an instruction when it is at the
// head, they are free and its waits are met, DRAM serves the oldest. Every time
// is a maximum of times of instructions that were dispatched before, plus a
// constant, because
//   - tokens come from earlier instructions (dispatch order is a legal serial
//     execution) and each semaphore has one engine that gives and one that takes,
//   - a queue has room when an earlier instruction has left it,
//   - DRAM prefers what is older (dram_schedule.h).
// So one pass in dispatch order finds the times that an event queue would find,
// and needs none.
//
// Every idle tick of an engine has a cause and a node: see Stall.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_TIMING_ENGINE_MODEL_H
#define ACC_RUNTIME_SIM_TIMING_ENGINE_MODEL_H

#include "acc/runtime/isa.h"
#include "acc/runtime/timing.h"
#include "acc/runtime/timing_stats.h"
#include "dram_schedule.h"
#include <vector>

namespace accel::rt {

/// An engine instruction as the model sees it. Times are ticks.
struct TimedInstr {
  enum class Kind : uint8_t {
    Sync,    // waits and signals only
    Compute, // busy, then latency
    Read,    // DRAM to SRAM
    Write,   // SRAM to DRAM
    Local    // inside of SRAM
  };
  Kind kind = Kind::Sync;
  uint8_t engine = 0;
  uint32_t node = kNone;
  int64_t dispatchTicks = 0;
  const isa::Token *wait = nullptr, *signal = nullptr; // two each
  int64_t busyTicks = 0, latencyTicks = 0;             // Compute
  int64_t idealTicks = 0; // MXU: its products at the peak of their type
  TransferCost transfer;  // Read, Write, Local
  /// It reads what the engine may still be writing.
  bool readsOwnResults = false;
  bool writesSram = false; // of a transfer
};

/// When an instruction ran, for traces.
struct TimedSpan {
  int64_t dispatched = 0;     // ticks
  int64_t start = 0;          // left the queue
  int64_t begin = 0, end = 0; // the engine was busy with it
  int64_t finish = 0;         // signals given
};

class EngineModel {
public:
  EngineModel(const MachineFigures &machine, size_t nodes);

  void Reset();
  /// CTRL executes instructions of its own.
  void Scalars(int64_t count) { ctrl_ = Plus(ctrl_, count * scalarTicks_); }
  /// CTRL waits until so much code has come. It goes before other transfers,
  /// whose bandwidth it takes.
  void FetchCode(int64_t bytes, uint32_t node);
  /// Code that streams past CTRL while it executes: takes bandwidth only.
  void StreamCode(int64_t bytes);
  /// CTRL reads a scalar from SRAM.
  void LoadScalar();
  /// SYNC on CTRL. Waits are met by earlier signals (the caller has checked).
  void CtrlSync(const isa::Token *wait, const isa::Token *signal, uint32_t node);
  /// CTRL dispatches to another engine.
  TimedSpan Dispatch(const TimedInstr &in);
  /// After the last instruction: engines are idle to the end.
  void Finish();

  const TimingStats &stats() const { return stats_; }

private:
  static constexpr int64_t kMaxTime = int64_t(1) << 61;
  static int64_t Plus(int64_t a, int64_t b) { return a + b < kMaxTime ? a + b : kMaxTime; }

  struct Tokens {
    int64_t time; // ticks, at the engine that waits
    int64_t count;
    int32_t engine;
  };
  /// First in, first out: the tokens that a semaphore holds.
  struct Semaphore {
    std::vector<Tokens> queue;
    size_t head = 0;
  };
  struct EngineState {
    int64_t free = 0;              // can start the next
    int64_t finish = 0;            // of its last; in order
    int64_t dataEnd = 0;           // accounted for up to here
    int64_t sramWritten = 0;       // finish of its last transfer into SRAM
    std::vector<int64_t> left;     // ring: when the last `depth` left the queue
    std::vector<int64_t> onTheWay; // ring: finish of the last `outstanding`
    size_t leftAt = 0, onTheWayAt = 0;
  };
  /// Times in which CTRL stood still, with sums of all up to their ends. What
  /// is older than the last kBlocks counts as dispatch.
  static constexpr size_t kBlocks = 4096;
  static constexpr Stall kBlockCauses[] = {Stall::Queue, Stall::Code, Stall::CtrlWait};
  struct Block {
    int64_t begin = 0, end = 0;
    int64_t sum[3] = {};
  };

  int64_t TakeTokens(const isa::Token *wait, Stall &cause);
  void GiveTokens(const isa::Token *signal, int64_t time, int engine);
  void StandStill(int64_t until, Stall cause);
  void IdleWhileDispatching(int engine, uint32_t node, int64_t &from);
  void Idle(int engine, uint32_t node, Stall cause, int64_t &from, int64_t to);
  void Busy(const TimedInstr &in, int64_t ticks);
  void Advance(int64_t time, uint32_t node);
  NodeTiming &NodeOf(uint32_t node) {
    return stats_.nodes[node < stats_.nodes.size() ? node : stats_.nodes.size() - 1];
  }
  void RunTransfer(const TimedInstr &in, EngineState &e, int64_t start, TimedSpan &span);

  MachineFigures m_;
  int64_t scalarTicks_, latencyTicks_, writeLatencyTicks_, setupTicks_, sramTicks_, tokenTicks_;
  int64_t ctrl_ = 0;
  std::vector<Block> blocks_; // ring
  size_t blocked_ = 0;        // how many there were
  EngineState engine_[kTimedEngines];
  Semaphore semaphore_[isa::kSemaphoreCount];
  DramSchedule dram_;
  TimingStats stats_;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_TIMING_ENGINE_MODEL_H

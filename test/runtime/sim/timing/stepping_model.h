//===- stepping_model.h - The machine, one cycle after the other ----------===//
//
// What EngineModel finds in one pass, found by looking at every cycle: queues,
// engines, tokens and DRAM are simulated as state that changes. Slow and plain,
// to test the other one by.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_TEST_RUNTIME_SIM_TIMING_STEPPING_MODEL_H
#define ACC_TEST_RUNTIME_SIM_TIMING_STEPPING_MODEL_H

#include "engine_model.h"
#include <deque>
#include <vector>

namespace accel::rt {

/// Times of instructions in cycles; all of their ticks must be whole cycles.
class SteppingModel {
public:
  SteppingModel(const MachineFigures &m, const std::vector<TimedInstr> &program)
      : m_(m), program_(program), state_(program.size()) {}

  /// Cycles until the last instruction has finished.
  int64_t Run() {
    size_t left = program_.size();
    for (int64_t now = 0; left; ++now) {
      for (bool moved = true; moved;) {
        moved = Dispatch(now);
        for (int e = 1; e < kTimedEngines; ++e)
          moved |= Start(e, now) || Finish(e, now, left);
      }
      ServeDram(now);
      end_ = now;
    }
    return end_;
  }

private:
  struct State {
    int64_t arrival = -1, start = -1, due = -1, dataBegin = -1, dataEnd = -1, finish = -1;
    int64_t served = 0;
    bool finished = false;
  };
  struct Engine {
    std::deque<size_t> queue;    // dispatched, not started
    std::deque<size_t> onTheWay; // started, not finished
    int64_t free = 0, finished = 0;
    int64_t sramWritten = 0; // instructions on the way that write SRAM
  };
  static int64_t Cycles(int64_t ticks) { return ticks / kTicksPerCycle; }
  static bool IsTransfer(const TimedInstr &in) { return in.kind >= TimedInstr::Kind::Read; }

  bool Dispatch(int64_t now) {
    if (next_ == program_.size() || ctrl_ > now)
      return false;
    const TimedInstr &in = program_[next_];
    Engine &e = engine_[in.engine];
    if (int64_t(e.queue.size()) >= m_.queueDepth)
      return false;
    ctrl_ = now + Cycles(in.dispatchTicks);
    state_[next_].arrival = ctrl_;
    e.queue.push_back(next_++);
    return true;
  }

  bool Start(int engine, int64_t now) {
    Engine &e = engine_[engine];
    if (e.queue.empty())
      return false;
    size_t i = e.queue.front();
    const TimedInstr &in = program_[i];
    State &s = state_[i];
    if (s.arrival > now || e.free > now)
      return false;
    int64_t need[isa::kSemaphoreCount] = {};
    for (int w = 0; w < 2; ++w)
      need[in.wait[w].semaphore] += in.wait[w].count;
    for (int sem = 1; sem < isa::kSemaphoreCount; ++sem) {
      int64_t there = 0;
      for (int64_t visible : tokens_[sem])
        there += visible <= now;
      if (there < need[sem])
        return false;
    }
    int64_t transfers = 0;
    for (size_t other : e.onTheWay)
      transfers += IsTransfer(program_[other]);
    if (IsTransfer(in) && transfers >= m_.dmaOutstanding)
      return false;
    if (in.readsOwnResults)
      for (size_t other : e.onTheWay)
        if (!IsTransfer(in) || program_[other].writesSram)
          return false;
    for (int sem = 1; sem < isa::kSemaphoreCount; ++sem)
      for (; need[sem]; --need[sem])
        tokens_[sem].pop_front();
    s.start = now;
    e.queue.pop_front();
    e.onTheWay.push_back(i);
    if (IsTransfer(in)) {
      e.free = now + m_.dmaSetupCycles;
      s.due = e.free +
              (in.kind == TimedInstr::Kind::Read ? m_.dramLatencyCycles : m_.sramLatencyCycles);
    } else {
      e.free = now + Cycles(in.busyTicks);
      s.finish = e.free + Cycles(in.latencyTicks);
    }
    return true;
  }

  /// Begins and ends data phases in order; gives signals in order.
  bool Finish(int engine, int64_t now, size_t &left) {
    Engine &e = engine_[engine];
    bool moved = false;
    bool before = true; // earlier transfers have all their data
    for (size_t i : e.onTheWay) {
      const TimedInstr &in = program_[i];
      State &s = state_[i];
      if (!IsTransfer(in))
        continue;
      if (before && s.due <= now && s.dataBegin < 0) {
        s.dataBegin = now;
        moved = true;
      }
      if (s.dataBegin >= 0 && s.dataEnd < 0 && s.served == Cycles(in.transfer.dramTicks) &&
          s.dataBegin + Cycles(in.transfer.portTicks) <= now) {
        s.dataEnd = now;
        s.finish = now + (in.kind == TimedInstr::Kind::Write ? m_.dramWriteLatencyCycles
                                                             : m_.sramLatencyCycles);
        moved = true;
      }
      before &= s.dataEnd >= 0;
    }
    while (!e.onTheWay.empty()) {
      size_t i = e.onTheWay.front();
      State &s = state_[i];
      if (s.finish < 0 || s.finish > now)
        break;
      for (int g = 0; g < 2; ++g)
        for (int n = 0; n < program_[i].signal[g].count; ++n)
          tokens_[program_[i].signal[g].semaphore].push_back(now + m_.semaphoreLatencyCycles);
      e.onTheWay.pop_front();
      --left;
      moved = true;
    }
    return moved;
  }

  /// One cycle of DRAM for the oldest transfer whose data is due.
  void ServeDram(int64_t now) {
    for (size_t i = 0; i < next_; ++i) {
      State &s = state_[i];
      if (s.dataBegin >= 0 && s.served < Cycles(program_[i].transfer.dramTicks)) {
        ++s.served;
        return;
      }
    }
  }

  const MachineFigures m_;
  const std::vector<TimedInstr> program_;
  std::vector<State> state_;
  Engine engine_[kTimedEngines];
  std::deque<int64_t> tokens_[isa::kSemaphoreCount]; // when each is visible
  size_t next_ = 0;
  int64_t ctrl_ = 0, end_ = 0;
};

} // namespace accel::rt

#endif // ACC_TEST_RUNTIME_SIM_TIMING_STEPPING_MODEL_H

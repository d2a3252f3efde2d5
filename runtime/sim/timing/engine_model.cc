//===- engine_model.cc - When every instruction runs ----------------------===//
#include "engine_model.h"
#include "arithmetic.h"
#include <cstdlib>

namespace accel::rt {

namespace {
constexpr int kCtrlEngine = int(isa::Engine::Ctrl), kFirstEngine = int(isa::Engine::Ld0);
} // namespace

const char *StallName(Stall stall) {
  static const char *const names[kStalls] = {
      "from_ctrl", "from_ld0", "from_ld1",  "from_st",    "from_mxu", "from_vec",  "dispatch",
      "queue",     "code",     "ctrl_wait", "dependency", "latency",  "bandwidth", "end"};
  return names[int(stall)];
}

int64_t TimingStats::Cycles() const { return CeilDivide(ticks, kTicksPerCycle); }

EngineModel::EngineModel(const MachineFigures &machine, size_t nodes)
    : m_(machine), scalarTicks_(m_.ctrlScalarCycles * kTicksPerCycle),
      latencyTicks_(m_.dramLatencyCycles * kTicksPerCycle),
      writeLatencyTicks_(m_.dramWriteLatencyCycles * kTicksPerCycle),
      setupTicks_(m_.dmaSetupCycles * kTicksPerCycle),
      sramTicks_(m_.sramLatencyCycles * kTicksPerCycle),
      tokenTicks_(m_.semaphoreLatencyCycles * kTicksPerCycle) {
  stats_.nodes.resize(nodes + 1);
  Reset();
}

void EngineModel::Reset() {
  ctrl_ = 0;
  blocks_.assign(kBlocks, Block());
  blocked_ = 0;
  for (EngineState &e : engine_) {
    e = EngineState();
    e.left.assign(size_t(m_.queueDepth), 0);
    e.onTheWay.assign(size_t(m_.dmaOutstanding), 0);
  }
  for (Semaphore &s : semaphore_)
    s = Semaphore();
  dram_.Reset();
  size_t nodes = stats_.nodes.size();
  stats_ = TimingStats();
  stats_.clockHz = m_.clockHz;
  stats_.nodes.resize(nodes);
}

/// The instruction's waits take their tokens; returns when the last of them is
/// there.
int64_t EngineModel::TakeTokens(const isa::Token *wait, Stall &cause) {
  int64_t time = 0;
  for (int i = 0; i < 2; ++i) {
    if (!wait[i].semaphore)
      continue;
    Semaphore &s = semaphore_[wait[i].semaphore];
    int64_t need = wait[i].count;
    while (need > 0 && s.head < s.queue.size()) {
      Tokens &t = s.queue[s.head];
      if (t.time >= time) {
        time = t.time;
        cause = Stall(int(Stall::FromCtrl) + t.engine);
      }
      int64_t taken = std::min(need, t.count);
      t.count -= taken;
      need -= taken;
      if (!t.count)
        ++s.head;
    }
    if (s.head == s.queue.size()) {
      s.queue.clear();
      s.head = 0;
    } else if (s.head > 256 && s.head * 2 > s.queue.size()) {
      s.queue.erase(s.queue.begin(), s.queue.begin() + ptrdiff_t(s.head));
      s.head = 0;
    }
  }
  return time;
}

void EngineModel::GiveTokens(const isa::Token *signal, int64_t time, int engine) {
  for (int i = 0; i < 2; ++i)
    if (signal[i].semaphore && signal[i].count)
      semaphore_[signal[i].semaphore].queue.push_back(
          {Plus(time, tokenTicks_), signal[i].count, engine});
}

/// CTRL stands still until `until`.
void EngineModel::StandStill(int64_t until, Stall cause) {
  if (until <= ctrl_)
    return;
  stats_.engine[kCtrlEngine].idleTicks[int(cause)] += until - ctrl_;
  Block next = blocked_ ? blocks_[(blocked_ - 1) % kBlocks] : Block();
  next.begin = ctrl_;
  next.end = until;
  for (int i = 0; i < 3; ++i)
    if (kBlockCauses[i] == cause)
      next.sum[i] += until - ctrl_;
  blocks_[blocked_++ % kBlocks] = next;
  ctrl_ = until;
}

/// The engine was idle from `from` until now, while CTRL had not come to its
/// instruction: for the times in which CTRL stood still, that is the cause.
void EngineModel::IdleWhileDispatching(int engine, uint32_t node, int64_t &from) {
  if (from >= ctrl_)
    return;
  size_t oldest = blocked_ > kBlocks ? blocked_ - kBlocks : 0, low = oldest, high = blocked_;
  while (low < high) { // the first that ends later than `from`
    size_t middle = (low + high) / 2;
    if (blocks_[middle % kBlocks].end > from)
      high = middle;
    else
      low = middle + 1;
  }
  if (low < blocked_) {
    const Block &first = blocks_[low % kBlocks], &last = blocks_[(blocked_ - 1) % kBlocks];
    // The sums before it; of the oldest that is left they are gone, and so is it.
    Block before = low == 0 ? Block() : blocks_[(low > oldest ? low - 1 : low) % kBlocks];
    const int64_t missed = std::max<int64_t>(from - first.begin, 0); // of the first
    for (int i = 0; i < 3; ++i) {
      int64_t ticks = last.sum[i] - before.sum[i];
      if (first.sum[i] > before.sum[i])
        ticks -= missed;
      Idle(engine, node, kBlockCauses[i], from, Plus(from, ticks));
    }
  }
  Idle(engine, node, Stall::Dispatch, from, ctrl_);
}

void EngineModel::FetchCode(int64_t bytes, uint32_t node) {
  int64_t ticks = m_.DramTicks(bytes);
  stats_.dramTicks = Plus(stats_.dramTicks, ticks);
  stats_.dramBusTicks = Plus(stats_.dramBusTicks, ticks);
  int64_t due = Plus(ctrl_, latencyTicks_);
  dram_.Take(due, ticks);
  StandStill(Plus(due, ticks), Stall::Code);
  Advance(ctrl_, node);
}

void EngineModel::StreamCode(int64_t bytes) {
  int64_t ticks = m_.DramTicks(bytes);
  stats_.dramTicks = Plus(stats_.dramTicks, ticks);
  stats_.dramBusTicks = Plus(stats_.dramBusTicks, ticks);
  dram_.Take(ctrl_, ticks);
}

void EngineModel::LoadScalar() { ctrl_ = Plus(ctrl_, scalarTicks_ + sramTicks_); }

void EngineModel::CtrlSync(const isa::Token *wait, const isa::Token *signal, uint32_t node) {
  Scalars(1);
  Stall cause = Stall::CtrlWait;
  StandStill(TakeTokens(wait, cause), Stall::CtrlWait);
  GiveTokens(signal, ctrl_, kCtrlEngine);
  Advance(ctrl_, node);
}

/// [from, to) of the engine's time was idle; `from` moves on to `to`.
void EngineModel::Idle(int engine, uint32_t node, Stall cause, int64_t &from, int64_t to) {
  if (to <= from)
    return;
  stats_.engine[engine].idleTicks[int(cause)] += to - from;
  NodeTiming &n = NodeOf(node);
  n.engine[engine].idleTicks[int(cause)] += to - from;
  from = to;
}

void EngineModel::Busy(const TimedInstr &in, int64_t ticks) {
  NodeTiming &n = NodeOf(in.node);
  for (int64_t *sum : {&stats_.engine[in.engine].busyTicks, &n.engine[in.engine].busyTicks})
    *sum = Plus(*sum, ticks);
  for (int64_t *sum : {&stats_.mxuIdealTicks, &n.mxuIdealTicks})
    *sum = Plus(*sum, in.idealTicks);
  for (int64_t *sum : {&stats_.dramBusTicks, &n.dramBusTicks})
    *sum = Plus(*sum, in.transfer.busTicks);
  stats_.dramTicks = Plus(stats_.dramTicks, in.transfer.dramTicks);
}

/// The end of the program is not before `time`.
void EngineModel::Advance(int64_t time, uint32_t node) {
  if (time <= stats_.ticks)
    return;
  NodeOf(node).ticks += time - stats_.ticks;
  stats_.ticks = time;
}

TimedSpan EngineModel::Dispatch(const TimedInstr &in) {
  EngineState &e = engine_[in.engine];
  // Room in the queue when the instruction `depth` before has left it.
  StandStill(e.left[e.leftAt], Stall::Queue);
  ctrl_ = Plus(ctrl_, in.dispatchTicks);
  dram_.Forget(ctrl_);

  Stall cause = Stall::Dispatch;
  int64_t tokens = TakeTokens(in.wait, cause);
  int64_t start = std::max({ctrl_, e.free, tokens});
  bool isTransfer = in.kind == TimedInstr::Kind::Read || in.kind == TimedInstr::Kind::Write ||
                    in.kind == TimedInstr::Kind::Local;
  if (isTransfer)
    start = std::max(start, e.onTheWay[e.onTheWayAt]);
  int64_t ready = start;
  if (in.readsOwnResults)
    start = std::max(start, isTransfer ? e.sramWritten : e.finish);
  e.left[e.leftAt] = start;
  if (++e.leftAt == e.left.size())
    e.leftAt = 0;

  TimedSpan span;
  span.dispatched = ctrl_;
  span.start = start;
  // What the engine waited for, one after the other.
  int64_t &at = e.dataEnd;
  IdleWhileDispatching(in.engine, in.node, at);
  Idle(in.engine, in.node, cause, at, tokens);
  // A transfer that waits for one of `outstanding` waits for its latency.
  Idle(in.engine, in.node, Stall::Latency, at, ready);
  Idle(in.engine, in.node, Stall::Dependency, at, start);
  if (isTransfer) {
    RunTransfer(in, e, start, span);
  } else {
    span.begin = start;
    span.end = Plus(start, in.busyTicks);
    e.free = span.end;
    e.finish = std::max(e.finish, Plus(span.end, in.latencyTicks));
    if (in.kind == TimedInstr::Kind::Compute) {
      e.dataEnd = span.end;
      Busy(in, in.busyTicks);
    }
  }
  span.finish = e.finish;
  GiveTokens(in.signal, e.finish, in.engine);
  Advance(e.finish, in.node);
  return span;
}

/// Setup and latency overlap with the data of earlier transfers; the data come
/// in order.
void EngineModel::RunTransfer(const TimedInstr &in, EngineState &e, int64_t start,
                              TimedSpan &span) {
  bool isRead = in.kind == TimedInstr::Kind::Read, isWrite = in.kind == TimedInstr::Kind::Write;
  int64_t due = Plus(start, setupTicks_ + (isRead ? latencyTicks_ : sramTicks_));
  Idle(in.engine, in.node, Stall::Latency, e.dataEnd, due);
  span.begin = std::max(due, e.dataEnd);
  int64_t served = dram_.Take(span.begin, in.transfer.dramTicks);
  span.end = std::min(std::max(served, Plus(span.begin, in.transfer.portTicks)), kMaxTime);
  int64_t busy = std::max(in.transfer.dramTicks, in.transfer.portTicks);
  Busy(in, busy);
  int64_t contended = span.begin;
  Idle(in.engine, in.node, Stall::Bandwidth, contended, span.end - busy);
  e.dataEnd = span.end;
  e.free = Plus(start, setupTicks_);
  e.finish = std::max(e.finish, Plus(span.end, isWrite ? writeLatencyTicks_ : sramTicks_));
  if (in.writesSram)
    e.sramWritten = e.finish;
  e.onTheWay[e.onTheWayAt] = e.finish;
  if (++e.onTheWayAt == e.onTheWay.size())
    e.onTheWayAt = 0;
}

void EngineModel::Finish() {
  Advance(ctrl_, kNone);
  for (int i = kFirstEngine; i < kTimedEngines; ++i)
    Idle(i, kNone, Stall::End, engine_[i].dataEnd, stats_.ticks);
  EngineTiming &ctrl = stats_.engine[kCtrlEngine];
  ctrl.idleTicks[int(Stall::End)] = stats_.ticks - ctrl_;
  ctrl.busyTicks = ctrl_;
  for (int cause = 0; cause < int(Stall::End); ++cause)
    ctrl.busyTicks -= ctrl.idleTicks[cause];
}

} // namespace accel::rt

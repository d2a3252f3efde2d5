//===- timing_stats.h - What a run took on the target ---------------------===//
#ifndef ACC_RUNTIME_TIMING_STATS_H
#define ACC_RUNTIME_TIMING_STATS_H

#include <array>
#include <cstdint>
#include <vector>

namespace accel::rt {

constexpr int kTimedEngines = 6; // by isa::Engine

/// Why an engine was idle.
enum class Stall : uint8_t {
  FromCtrl = 0, // waits for a token that CTRL gives; the next five: those engines
  FromLd0,
  FromLd1,
  FromSt,
  FromMxu,
  FromVec,
  Dispatch,   // CTRL has not come to the instruction yet
  Queue,      // nor could it: another engine's queue was full
  Code,       // nor could it: it waited for code
  CtrlWait,   // nor could it: it waited for a token itself
  Dependency, // the instruction reads what the engine itself still writes
  Latency,    // of DRAM, until the first byte
  Bandwidth,  // DRAM served older transfers
  End         // nothing was left to do
};
constexpr int kStalls = 14;
const char *StallName(Stall stall);

/// Ticks; see kTicksPerCycle.
struct EngineTiming {
  int64_t busyTicks = 0;
  std::array<int64_t, kStalls> idleTicks = {};
};

struct NodeTiming {
  /// How far its instructions moved the end of the program: adds up to all.
  int64_t ticks = 0;
  int64_t mxuIdealTicks = 0, dramBusTicks = 0;
  std::array<EngineTiming, kTimedEngines> engine;
};

struct TimingStats {
  int64_t ticks = 0; // until the last result is there
  int64_t clockHz = 0;
  int64_t dramTicks = 0;     // DRAM served something
  int64_t dramBusTicks = 0;  // what it moved would take at the full bandwidth
  int64_t mxuIdealTicks = 0; // all products, each at the peak of its type
  /// Of each engine but CTRL busy and idle ticks add up to `ticks`.
  std::array<EngineTiming, kTimedEngines> engine;
  std::vector<NodeTiming> nodes; // as in the artifact; the last: of no node

  int64_t Cycles() const;
  double Seconds() const { return double(Cycles()) / double(clockHz); }
};

} // namespace accel::rt

#endif // ACC_RUNTIME_TIMING_STATS_H

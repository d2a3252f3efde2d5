//===- dram_schedule.h - Who has DRAM when --------------------------------===//
//
// DRAM serves the oldest instruction, in dispatch order, whose data is due (age-
// based arbitration; a burst is never interrupted, but bursts are small against
// everything else). So what an instruction gets never depends on younger ones,
// and the schedule can be made in dispatch order: each transfer takes the
// earliest time from when it is due that older ones have left.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_TIMING_DRAM_SCHEDULE_H
#define ACC_RUNTIME_SIM_TIMING_DRAM_SCHEDULE_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace accel::rt {

/// Times are ticks.
class DramSchedule {
public:
  void Reset();
  /// Takes `ticks` of the time that is free from `due` on; returns when the
  /// last of it ends. Zero ticks end at `due`.
  int64_t Take(int64_t due, int64_t ticks);
  /// No later call has an earlier `due`.
  void Forget(int64_t before);

private:
  struct Busy {
    int64_t begin, end;
  };
  std::vector<Busy> busy_; // ascending, apart from each other; from first_ on
  size_t first_ = 0;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_TIMING_DRAM_SCHEDULE_H

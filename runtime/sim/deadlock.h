//===- deadlock.h - Who waits for whom ------------------------------------===//
//
// A wait that earlier instructions do not meet breaks the rule that dispatch
// order is a legal serial execution. The probe then goes on as the machine
// would: CTRL dispatches into queues of the target's depth, engines run
// instructions whose waits are met (moving no data), until either the blocked
// wait is met after all or nothing can move; it reports the wait-for graph.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_DEADLOCK_H
#define ACC_RUNTIME_SIM_DEADLOCK_H

#include "machine.h"
#include <deque>

namespace accel::rt {

class DeadlockProbe {
public:
  /// `semaphore`: counts when `blocked` could not start.
  DeadlockProbe(const DecodedProgram &program, const uint64_t *semaphore, const InstrCode &blocked,
                const Place &place);

  /// CTRL dispatches an engine instruction or a SYNC. Returns the final report
  /// as soon as there is one, OK to go on.
  absl::Status Dispatch(const InstrCode &in, const Place &place);
  /// CTRL cannot go on for the reason given.
  absl::Status Conclude(const std::string &why);

private:
  struct Pending {
    const InstrCode *instr;
    Place place;
  };
  bool Ready(const InstrCode &in) const;
  void Finish(const InstrCode &in);
  void Pump();
  std::string Graph() const;
  std::string Name(const Pending &p) const;
  absl::Status Stuck(const std::string &ctrl);
  absl::Status BlockedCtrl(const InstrCode &in, const Place &place);

  const DecodedProgram &program_;
  uint64_t semaphore_[kSemaphores];
  std::deque<Pending> queue_[kEngines];
  Pending first_; // the wait that broke the rule
  bool firstPassed_ = false;
  int64_t steps_ = 0;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_DEADLOCK_H

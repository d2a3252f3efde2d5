//===- sanitizer.h - Hazards, initialisation, deadlock --------------------===//
//
// The functional simulator executes in dispatch order, which gives the right
// bits even if a token is missing. The sanitizer keeps what each engine may
// know under the weakest machine that the ISA allows: an engine starts an
// instruction when it was dispatched, its own earlier instructions are done
// and its waits are met; nothing else is ordered. An access is a hazard unless
// the accesses that it must follow are ordered before it by those rules.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_SANITIZER_H
#define ACC_RUNTIME_SIM_SANITIZER_H

#include "machine.h"
#include "shadow.h"
#include <deque>

namespace accel::rt {

class Sanitizer {
public:
  static absl::StatusOr<std::unique_ptr<Sanitizer>> Create(const DecodedProgram &program);
  void Reset();

  /// Waits are met: the engine learns what the tokens carry.
  absl::Status Begin(const InstrCode &in, const Place &place);
  /// Operands of the instruction that Begin announced.
  absl::Status Access(const LiveOp &op, bool accumulate);
  /// After execution: what was written where only the results say how much.
  absl::Status Results(const LiveOp &op);
  absl::Status ScalarRead(const Place &place, int64_t address, int64_t bytes);
  /// The instruction is complete: its tokens carry what the engine knows.
  void End(const InstrCode &in);
  /// At HALT: every byte of every output was written.
  absl::Status CheckOutputs(const std::vector<std::vector<int64_t>> &dims) const;

private:
  explicit Sanitizer(const DecodedProgram &program) : program_(program) {}
  struct Tokens {
    uint64_t upTo; // tokens signalled so far, this signal included
    VectorClock clock;
  };
  struct SemaphoreState {
    std::deque<Tokens> signals;
    uint64_t signalled = 0, taken = 0;
  };

  Shadow *ShadowOf(Space space, uint8_t region);
  absl::Status Stream(const StreamCode &code, const KStream &k, const int64_t size[kDims],
                      int index, bool write);
  absl::Status CheckOverlap(const LiveOp &op, int out, int in) const;
  absl::Status Indexed(const LiveOp &op, int index, bool write);
  absl::Status Whole(const LiveOp &op, int index, bool write);

  // sanitizer_lists.cc
  absl::Status ReadLists(const LiveOp &op);
  absl::Status ReadSort(const LiveOp &op);
  absl::Status WroteSort(const LiveOp &op);
  absl::Status Scattered(const LiveOp &op);
  absl::Status Elements(const LiveOp &op, int index, int64_t address, int64_t count, bool write);
  absl::Status Report(const Hazard &hazard, Space space, uint8_t region, int stream,
                      bool write) const;
  std::string Describe(int engine, const Place &place) const;

  const DecodedProgram &program_;
  Shadow sram_, acc_;
  std::vector<std::unique_ptr<Shadow>> region_; // by id; null: read-only
  VectorClock clock_[kEngines];
  std::vector<Place> log_[kEngines]; // event number − 1 → instruction
  SemaphoreState semaphore_[kSemaphores];
  int engine_ = 0; // of the current instruction
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_SANITIZER_H

//===- timekeeper.h - From dispatched instructions to their times ---------===//
//
// Listens to the machine's dispatch: finds what each instruction costs from its
// descriptor and resolved sizes, once as long as they stay the same, and hands
// it to the engine model. It never looks at data and changes nothing.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_TIMEKEEPER_H
#define ACC_RUNTIME_SIM_TIMEKEEPER_H

#include "decoded.h"
#include "stream_box.h"
#include "timing/engine_model.h"
#include <memory>

namespace accel::rt {

class Timekeeper {
public:
  /// Fails if the artifact lacks figures that the model needs.
  static absl::StatusOr<std::unique_ptr<Timekeeper>> Create(const DecodedProgram &program);

  void Reset() {
    model_.Reset();
    instructions_ = 0;
    vecWrites_ = 0;
  }

  /// `instructions`: dispatched so far with this one, CTRL's own included.
  void Sync(const InstrCode &in, int64_t instructions, uint32_t node);
  void LoadScalar(int64_t instructions);
  void FetchCode(int64_t bytes, int64_t instructions, uint32_t node);
  void StreamCode(int64_t bytes) { model_.StreamCode(bytes); }
  /// An engine instruction with its resolved sizes and boxes; `busBytes` of its
  /// transfer with DRAM. `nothing`: a size is 0.
  void Dispatch(const InstrCode &in, const EngineCode &code, uint32_t routine, uint32_t node,
                const int64_t size[kDims], const Box *box, bool nothing, int64_t busBytes,
                int64_t instructions);
  /// After HALT.
  const TimingStats &Finish(int64_t instructions);

private:
  Timekeeper(const DecodedProgram &program, const MachineFigures &machine);

  /// What an instruction costs, for the sizes it had last.
  struct Cost {
    bool known = false;
    int64_t size[kDims] = {};
    int64_t busBytes = -1;
    TimedInstr timed;
    VecProgramCost program; // VEC, for any sizes
  };
  void Measure(const EngineCode &code, const InstrCode &in, const int64_t size[kDims],
               int64_t busBytes, Cost &cost) const;
  void MeasureTransfer(const EngineCode &code, const InstrCode &in, const int64_t size[kDims],
                       int64_t busBytes, TimedInstr &timed) const;
  Occupancy VecOccupancyOf(const EngineCode &code, const int64_t size[kDims],
                           const VecProgramCost &program) const;
  bool ReadsOwnResults(const EngineCode &code, const Box *box) const;
  void CountScalars(int64_t instructions);

  const MachineFigures machine_;
  EngineModel model_;
  std::vector<std::vector<Cost>> costs_; // by routine, as RoutineCode::engine
  int64_t instructions_ = 0;             // that the model knows of
  /// What the last instructions of VEC wrote.
  static constexpr int kVecWrites = 4;
  struct Written {
    Space space = Space::None;
    Box box;
  } written_[kVecWrites];
  uint32_t vecWrites_ = 0;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_TIMEKEEPER_H

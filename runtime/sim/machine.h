//===- machine.h - Executes a decoded program -----------------------------===//
//
// One Machine is one simulated core with its memories. `Run` walks the program
// in dispatch order: CTRL instructions are executed here, engine instructions
// get their registers patched in, are checked against their memories, counted
// and handed to the kernels.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_MACHINE_H
#define ACC_RUNTIME_SIM_MACHINE_H

#include "acc/runtime/stats.h"
#include "decoded.h"
#include "ledger.h"
#include "memory.h"
#include "stream_box.h"
#include "timekeeper.h"
#include <deque>
#include <memory>

namespace accel::rt {

class DeadlockProbe;
class Sanitizer;

/// Where the program is: what error messages and the sanitizer name.
struct Place {
  uint32_t routine = 0, pc = 0;
  uint32_t mainPc = 0;   // the call in main that led here
  uint32_t node = kNone; // index in ArtifactData::nodes
};

/// An engine instruction ready to execute, patched in place at each dispatch.
struct LiveOp {
  const EngineCode *code = nullptr;
  int64_t *size = nullptr;           // of the kernel operation
  KStream *stream[kMaxStreams] = {}; // of the kernel operation
  Box box[kMaxStreams];
  bool alwaysInside = false; // no register in it: checked once
  DmaOp *dma = nullptr;
  MxuOp *mxu = nullptr;
  VecOp *vec = nullptr;
  SortOp *sort = nullptr;
  CompactOp *compact = nullptr;
  ScatterOp *scatter = nullptr;
  RandomOp *random = nullptr;
  TransferCache transfer;
};

class Machine {
public:
  static absl::StatusOr<std::unique_ptr<Machine>>
  Create(std::shared_ptr<const DecodedProgram> program, const SimOptions &options);
  ~Machine();

  /// Host address of a region, to put inputs in and take outputs from.
  uint8_t *region(uint8_t id) { return regionData_[id]; }
  const uint8_t *region(uint8_t id) const { return regionData_[id]; }
  /// `inputDims`: the sizes of each input.
  absl::Status Run(const std::vector<std::vector<int64_t>> &inputDims, Stats &stats);
  /// The sizes of an output, after a successful run.
  const std::vector<int64_t> &outputDims(size_t output) const { return outputDims_[output]; }

private:
  Machine(std::shared_ptr<const DecodedProgram> program, const SimOptions &options);
  absl::Status Allocate();
  absl::Status AllocateMemory();
  void Prepare(const EngineCode &code, const InstrCode &in, LiveOp &op);

  absl::Status Execute();
  absl::Status Engine(const InstrCode &in, LiveOp &op);
  void Time(const InstrCode &in, const LiveOp &op, bool nothing, int64_t busBytes);
  absl::Status Resolve(LiveOp &op, bool &nothing);
  absl::Status CheckBox(LiveOp &op, int stream);
  absl::Status ResolveScalars(LiveOp &op);
  absl::Status Bounded(int64_t &value, uint8_t reg, int64_t bound, const char *what) const;
  absl::Status Kernel(const InstrCode &in, LiveOp &op, bool accumulate);
  absl::Status LoadScalar(const InstrCode &in);
  absl::Status TakeTokens(const InstrCode &in);
  void GiveTokens(const InstrCode &in);
  absl::Status Scalar(const InstrCode &in);
  absl::Status CountDram(const InstrCode &in, LiveOp &op);
  absl::Status EnterRoutine(uint32_t routine);
  void Fetch(uint32_t routine);
  absl::Status ReceiveSizes(const std::vector<std::vector<int64_t>> &inputDims);
  absl::Status DeliverSizes();

  Place Here() const;
  uint32_t NodeHere() const;
  NodeStats *NodeStatsHere();
  /// A status that names place, node and instruction.
  absl::Status Fail(absl::StatusCode code, const std::string &what) const;

  struct Frame {
    uint32_t routine = 0, pc = 0; // where to continue in the caller
    const CallNodes *nodes = nullptr;
  };
  struct OpenLoop {
    uint32_t pc = 0;
    int64_t trip = 0, trips = 0;
  };

  std::shared_ptr<const DecodedProgram> program_;
  SimOptions options_;
  ThreadPool pool_;
  std::shared_ptr<const ConstantRegions> constants_;
  Pages sram_, acc_;
  std::vector<Pages> pages_;
  uint8_t *regionData_[256] = {};
  std::deque<DmaOp> dmaOps_;
  std::deque<MxuOp> mxuOps_;
  std::deque<VecOp> vecOps_;
  std::deque<SortOp> sortOps_;
  std::deque<CompactOp> compactOps_;
  std::deque<ScatterOp> scatterOps_;
  std::deque<RandomOp> randomOps_;
  std::vector<std::vector<LiveOp>> ops_;                  // by routine, as RoutineCode::engine
  std::vector<std::vector<const CallNodes *>> callNodes_; // by routine, by pc

  // State of one run.
  int64_t r_[kRegisters] = {};
  uint64_t semaphore_[kSemaphores] = {};
  std::vector<int64_t> counters_;
  std::vector<Frame> frames_;
  std::vector<OpenLoop> loops_;
  uint32_t routine_ = 0, pc_ = 0, mainPc_ = 0, fetched_ = 0;
  const CallNodes *nodes_ = nullptr;
  int64_t points_ = 0;
  std::vector<std::vector<int64_t>> outputDims_;
  Ledger ledger_;
  std::unique_ptr<Sanitizer> sanitizer_;
  std::unique_ptr<Timekeeper> time_;     // with SimOptions::timing
  std::unique_ptr<DeadlockProbe> probe_; // after a wait that was not met
  Stats *stats_ = nullptr;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_MACHINE_H

//===- timing.h - How long an instruction takes ---------------------------===//
//
// Closed formulae for the occupancy of one instruction on its engine, from the
// figures of the target. The simulator uses them for every instruction that it
// dispatches, the compiler's planner to compare schedules; docs/timing.md
// derives them. All arithmetic is on integers, so that a time never depends on
// the host.
//
//   absl::StatusOr<MachineFigures> m = MachineFigures::Of(artifact.target);
//   Occupancy o = MxuOccupancy(*m, {.rows = 112, .columns = 64, .depth = 576});
//   o.busyCycles      until the engine takes its next instruction
//   o.latencyCycles   from then until results are there and signals are given
//
// Units: cycles of the target's clock; where bandwidths divide, ticks, of which
// kTicksPerCycle are a cycle. Bytes are bytes.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_TIMING_H
#define ACC_RUNTIME_TIMING_H

#include "acc/runtime/artifact.h"
#include "acc/runtime/vprog.h"
#include <optional>

namespace accel::rt {

constexpr int64_t kTicksPerCycle = 256;
/// No formula gives more cycles or ticks: far above any instruction.
constexpr int64_t kMaxOccupancy = int64_t(1) << 50;

/// The figures of a target file that decide about time, under their keys there.
struct MachineFigures {
  int64_t clockHz = 0;
  // mxu: products are made by an array of rows (reduction) x columns (outputs).
  int64_t mxuRows = 0, mxuColumns = 0;
  int64_t mxuInt8Macs = 0, mxuF16Macs = 0, mxuF32Macs = 0; // a cycle
  int64_t mxuDepthwiseMacs = 0;                            // a cycle, of int8
  int64_t mxuLoadBytesPerCycle = 0;                        // of the operand that is held
  // vec
  int64_t vecLanes = 0, vecSteps = 0; // points a cycle; steps that a point goes through in a cycle
  int64_t vecTranscendentalDivisor = 0, vecWideDivisor = 0; // cycles relative to an f32 addition
  int64_t vecLatencyCycles = 0;                             // of one step
  // sram: each bank gives one word of bankBytes a cycle
  int64_t sramBanks = 0, sramBankBytes = 0, sramLatencyCycles = 0;
  // dram
  int64_t dramBytesPerCycleQ16 = 0; // 1/65536 byte a cycle
  int64_t dramBurstBytes = 0, dramLatencyCycles = 0, dramWriteLatencyCycles = 0;
  int64_t dramRowBytes = 0, dramRowTicks = 0; // between two activations
  // dma
  int64_t dmaBytesPerCycle = 0, dmaSetupCycles = 0, dmaOutstanding = 0;
  // ctrl, semaphore, queue
  int64_t ctrlScalarCycles = 0, ctrlSlotCycles = 0;
  int64_t semaphoreLatencyCycles = 0;
  int64_t queueDepth = 0;

  /// `figure` returns the value of a key such as "mxu_rows" (table and key of
  /// the target file). Fails on the first that is missing or out of range.
  static absl::StatusOr<MachineFigures>
  Of(const std::function<std::optional<double>(const char *)> &figure);
  static absl::StatusOr<MachineFigures> Of(const TargetInfo &target);

  /// Products a cycle at best with operands of this type (of depthwise
  /// convolutions the same share of mxuDepthwiseMacs as of mxuInt8Macs).
  int64_t MxuPeakMacs(KType type) const;
  /// Time in which DRAM moves so many bytes at its full bandwidth, rounded up.
  int64_t DramTicks(int64_t bytes) const;
};

struct Occupancy {
  int64_t busyCycles = 0, latencyCycles = 0;
};

//===----------------------------------------------------------------------===//
// Memory walks
//===----------------------------------------------------------------------===//

/// What a stream touches: a grid of elements, innermost dimension last.
struct Walk {
  int64_t size[kDims] = {1, 1, 1, 1, 1, 1};
  int64_t strideBytes[kDims] = {};
  int64_t elementBytes = 1;
};

/// Number of blocks of `blockBytes` (words of SRAM, rows of DRAM) that the walk
/// touches, in the best order of its dimensions and from an aligned address:
/// steps within a block merge, those beyond one count one by one. A dimension
/// of stride 0 counts once.
int64_t BlocksTouched(const Walk &walk, int64_t blockBytes);

//===----------------------------------------------------------------------===//
// MXU
//===----------------------------------------------------------------------===//

/// C[rows, columns] (+)= A[rows, depth] · B[depth, columns]. A convolution has
/// one row for each output position and depth = kernel height · width ·
/// channels.
struct MxuWork {
  int64_t rows = 1, columns = 1, depth = 1;
  KType type = KType::I8; // of the wider operand
  /// Elements that lie side by side in SRAM, along the depth and along the rows
  /// of A or columns of B. The defaults are rows of A and of B one behind the
  /// other; 0 stands for all.
  struct Runs {
    int64_t depth = 1, lines = 1;
  };
  Runs a{0, 1}, b{1, 0};
};

/// A weight-stationary systolic array of R x C (Kung, "Why systolic
/// architectures?", 1982; TPU v1, ISCA 2017): fold by fold, R x C elements of
/// one operand are held and the other streams through, one row a cycle, while
/// those of the next fold are loaded. Either operand is held, whichever takes
/// less. Of one fold with the load at one row a cycle that is the 2R + C + T - 2
/// of SCALE-Sim (Samajdar et al., ISPASS 2020, section III-A).
Occupancy MxuOccupancy(const MachineFigures &m, const MxuWork &work);

/// C[rows, channels] (+)= Σ over `taps` of A · B.
Occupancy MxuDepthwiseOccupancy(const MachineFigures &m, int64_t rows, int64_t channels,
                                int64_t taps, KType type);

//===----------------------------------------------------------------------===//
// VEC
//===----------------------------------------------------------------------===//

/// What a vector program costs, found once a program.
struct VecProgramCost {
  int64_t body = 0, post = 0;           // in f32 additions, a point
  int64_t bodySteps = 0, postSteps = 0; // in order, for the latency
  bool reduces = false;
  bool lanes = false; // all reductions keep kLanes partials
};
VecProgramCost CostOf(const MachineFigures &m, const VProg &program);

struct VecWork {
  int64_t points = 1;
  int64_t outputs = 1;   // points of the dimensions that are not reduced
  int64_t sramWords = 0; // words that all streams touch, see BlocksTouched
};

/// ceil(points / lanes) groups, each through the chain of `vec.steps` units as
/// often as its steps need; never faster than the streams' words or, in a
/// reduction, than its chain of dependent steps. Then the post steps.
Occupancy VecOccupancy(const MachineFigures &m, const VecProgramCost &program, const VecWork &work);

/// Bitonic sorting network (Batcher, AFIPS 1968): L(L+1)/2 stages of compare-
/// exchange for 2^L elements; a merge of two sorted runs is its last L.
Occupancy VecSortOccupancy(const MachineFigures &m, int64_t rows, int64_t elements, bool merge);
/// One pass: a prefix sum of the flags places the elements.
Occupancy VecCompactOccupancy(const MachineFigures &m, int64_t points);
/// Rows one after the other, since an index may come twice: a combination waits
/// for the one before.
Occupancy VecScatterOccupancy(const MachineFigures &m, int64_t rows, int64_t rowPoints,
                              bool combines);
/// Philox4x32-10: ten rounds of kPhiloxRoundSteps for four words.
constexpr int64_t kPhiloxRounds = 10, kPhiloxRoundSteps = 8;
Occupancy VecRandomOccupancy(const MachineFigures &m, int64_t words);

//===----------------------------------------------------------------------===//
// LD, ST
//===----------------------------------------------------------------------===//

struct TransferWork {
  int64_t busBytes = 0;  // on the DRAM side, whole bursts; 0: inside of SRAM
  int64_t dramRows = 0;  // activations, see BlocksTouched
  int64_t sramWords = 0; // both sides if both are in SRAM
};
struct TransferCost {
  int64_t dramTicks = 0; // DRAM is taken for so long
  int64_t busTicks = 0;  // its bytes would take at the full bandwidth
  int64_t portTicks = 0; // the engine's port to SRAM is
};
/// dramTicks = max(bytes / bandwidth, rows · time between activations): rows
/// of different banks open while others transfer (JEDEC JESD209-4 and JESD235:
/// tRRD and tFAW bound their rate).
TransferCost CostOf(const MachineFigures &m, const TransferWork &work);

/// CTRL patches and sends an instruction with a descriptor of so many slots.
int64_t DispatchCycles(const MachineFigures &m, int64_t slots);

} // namespace accel::rt

#endif // ACC_RUNTIME_TIMING_H

//===- timekeeper.cc - From dispatched instructions to their times --------===//
#include "timekeeper.h"
#include "acc/runtime/status_macros.h"
#include "acc/runtime/vprog.h"
#include <cstring>

namespace accel::rt {
namespace {

constexpr uint8_t kMerge = 2; // flag of VEC_SORT

/// The walk of a stream: a window moves its dimensions as strides do.
Walk WalkOf(const EngineCode &code, int index, const int64_t size[kDims]) {
  const KStream &k = code.stream[index].k;
  Walk walk;
  WalkedSize(code, index, size, walk.size);
  std::memcpy(walk.strideBytes, k.stride, sizeof(walk.strideBytes));
  walk.elementBytes = KTypeBytes(k.type);
  if (k.windowed)
    for (const WindowCoord &w : k.coord) {
      int64_t div = std::max<int64_t>(w.div, 1);
      if (w.dimA < kDims)
        walk.strideBytes[w.dimA] += w.mulA * w.stride / div;
      if (w.dimB < kDims)
        walk.strideBytes[w.dimB] += w.mulB * w.stride / div;
    }
  return walk;
}

int64_t Product(const int64_t size[kDims], int from, int to) {
  int64_t product = 1;
  for (int d = from; d < to; ++d)
    product *= size[d];
  return product;
}

/// How A lies: channels side by side, and kernel columns behind them if all of
/// a position's channels are taken together; else positions side by side.
MxuWork::Runs RunsOfA(const Walk &a, const int64_t size[kDims]) {
  MxuWork::Runs runs{1, 1};
  const int64_t element = a.elementBytes;
  if (size[5] == 1 || a.strideBytes[5] == element) {
    bool whole = size[3] * size[4] == 1 || size[5] <= isa::kKBlock;
    runs.depth = whole ? size[5] : isa::kKBlock;
    if (whole && size[4] > 1 && a.strideBytes[4] == size[5] * element)
      runs.depth *= size[4];
  }
  if (size[1] > 1 && a.strideBytes[1] == element)
    runs.lines = size[1];
  return runs;
}

MxuWork::Runs RunsOfB(const KStream &b, int64_t columns, int64_t depth) {
  const int64_t element = KTypeBytes(b.type);
  return {b.stride[5] == element ? depth : 1, b.stride[2] == element ? columns : 1};
}

} // namespace

absl::StatusOr<std::unique_ptr<Timekeeper>> Timekeeper::Create(const DecodedProgram &program) {
  absl::StatusOr<MachineFigures> machine = MachineFigures::Of(program.data().target);
  ACC_RETURN_IF_ERROR(machine.status());
  return std::unique_ptr<Timekeeper>(new Timekeeper(program, *machine));
}

Timekeeper::Timekeeper(const DecodedProgram &program, const MachineFigures &machine)
    : machine_(machine), model_(machine, program.data().nodes.size()) {
  for (const RoutineCode &routine : program.routines)
    costs_.emplace_back(routine.engine.size());
}

void Timekeeper::MeasureTransfer(const EngineCode &code, const InstrCode &in,
                                 const int64_t size[kDims], int64_t busBytes,
                                 TimedInstr &timed) const {
  TransferWork work;
  bool readsSram = false;
  timed.kind = TimedInstr::Kind::Local;
  timed.writesSram = code.stream[0].space == Space::Sram;
  for (int i = 0; i < code.streams; ++i) {
    Walk walk = WalkOf(code, i, size);
    if (code.stream[i].space == Space::Sram) {
      work.sramWords += BlocksTouched(walk, machine_.sramBankBytes);
      readsSram |= i > 0;
      continue;
    }
    timed.kind = code.stream[i].write ? TimedInstr::Kind::Write : TimedInstr::Kind::Read;
    work.busBytes = busBytes;
    if (in.op != Op::Dma) { // an index picks each row
      walk.size[0] = 1;
      work.dramRows = size[0] * BlocksTouched(walk, machine_.dramRowBytes);
    } else {
      work.dramRows = BlocksTouched(walk, machine_.dramRowBytes);
    }
  }
  timed.transfer = CostOf(machine_, work);
  timed.readsOwnResults = readsSram;
}

Occupancy Timekeeper::VecOccupancyOf(const EngineCode &code, const int64_t size[kDims],
                                     const VecProgramCost &program) const {
  int64_t points = Product(size, 0, kDims);
  switch (code.op) {
  case Op::VecSort: {
    bool merge = code.flags & kMerge;
    return VecSortOccupancy(machine_, Product(size, 0, merge ? 4 : 5),
                            merge ? 2 * size[5] : size[5], merge);
  }
  case Op::VecCompact:
    return VecCompactOccupancy(machine_, points);
  case Op::VecScatter:
    return VecScatterOccupancy(machine_, size[0], Product(size, 1, kDims), code.zb != 0);
  case Op::VecRandom:
    return VecRandomOccupancy(machine_, points * (KTypeBytes(code.stream[0].k.type) > 4 ? 2 : 1));
  default: {
    VecWork work;
    work.points = points;
    work.outputs = 1;
    for (int d = 0; d < kDims; ++d)
      if (!(code.reduceMask >> d & 1))
        work.outputs *= size[d];
    for (int i = 0; i < code.streams; ++i)
      if (code.stream[i].space == Space::Sram)
        work.sramWords += BlocksTouched(WalkOf(code, i, size), machine_.sramBankBytes);
    return VecOccupancy(machine_, program, work);
  }
  }
}

void Timekeeper::Measure(const EngineCode &code, const InstrCode &in, const int64_t size[kDims],
                         int64_t busBytes, Cost &cost) const {
  TimedInstr &timed = cost.timed;
  if (!cost.known) {
    timed.engine = in.engine;
    timed.dispatchTicks =
        DispatchCycles(machine_, code.slotBytes / isa::kSlotBytes) * kTicksPerCycle;
    timed.wait = in.wait;
    timed.signal = in.signal;
    if (code.vprog)
      cost.program = CostOf(machine_, SourceOf(*code.vprog));
  }
  cost.known = true;
  std::memcpy(cost.size, size, sizeof(cost.size));
  cost.busBytes = busBytes;
  if (in.engine != kMxu && in.engine != kVec) {
    MeasureTransfer(code, in, size, busBytes, timed);
    return;
  }
  timed.kind = TimedInstr::Kind::Compute;
  Occupancy occupancy;
  if (in.engine == kVec) {
    occupancy = VecOccupancyOf(code, size, cost.program);
  } else {
    KType a = code.stream[1].k.type, b = code.stream[2].k.type;
    MxuWork work;
    work.type = KTypeBytes(a) >= KTypeBytes(b) ? a : b;
    work.rows = size[0] * size[1];
    if (in.op == Op::MxuDw) {
      occupancy = MxuDepthwiseOccupancy(machine_, work.rows, size[2], size[3] * size[4], work.type);
    } else {
      work.columns = size[2];
      work.depth = Product(size, 3, kDims);
      Walk walk = WalkOf(code, 1, size);
      std::copy(size, size + kDims, walk.size);
      work.a = RunsOfA(walk, size);
      work.b = RunsOfB(code.stream[2].k, work.columns, work.depth);
      occupancy = MxuOccupancy(machine_, work);
    }
    timed.idealTicks = Product(size, 0, kDims) * kTicksPerCycle / machine_.MxuPeakMacs(work.type);
  }
  timed.busyTicks = occupancy.busyCycles * kTicksPerCycle;
  timed.latencyTicks = occupancy.latencyCycles * kTicksPerCycle;
}

/// Of VEC: an input meets what one of the last instructions wrote.
bool Timekeeper::ReadsOwnResults(const EngineCode &code, const Box *box) const {
  for (uint32_t w = vecWrites_ > kVecWrites ? vecWrites_ - kVecWrites : 0; w < vecWrites_; ++w) {
    const Written &written = written_[w % kVecWrites];
    for (int i = 0; i < code.streams; ++i)
      if (!code.stream[i].write && code.stream[i].space == written.space &&
          box[i].lo < written.box.hi && written.box.lo < box[i].hi)
        return true;
  }
  return false;
}

/// CTRL's own instructions since the last call; `instructions` counts the
/// instruction at hand too.
void Timekeeper::CountScalars(int64_t instructions) {
  model_.Scalars(instructions - instructions_ - 1);
  instructions_ = instructions;
}

void Timekeeper::Dispatch(const InstrCode &in, const EngineCode &code, uint32_t routine,
                          uint32_t node, const int64_t size[kDims], const Box *box, bool nothing,
                          int64_t busBytes, int64_t instructions) {
  CountScalars(instructions);
  if (nothing) {
    TimedInstr timed;
    timed.engine = in.engine;
    timed.node = node;
    timed.dispatchTicks =
        DispatchCycles(machine_, code.slotBytes / isa::kSlotBytes) * kTicksPerCycle;
    timed.wait = in.wait;
    timed.signal = in.signal;
    model_.Dispatch(timed);
    return;
  }
  Cost &cost = costs_[routine][in.code];
  if (!cost.known || cost.busBytes != busBytes ||
      (code.dynamicSize && std::memcmp(cost.size, size, sizeof(cost.size)) != 0))
    Measure(code, in, size, busBytes, cost);
  cost.timed.node = node;
  if (in.engine == kVec) {
    cost.timed.readsOwnResults = ReadsOwnResults(code, box);
    for (int i = 0; i < code.streams; ++i)
      if (code.stream[i].write)
        written_[vecWrites_++ % kVecWrites] = {code.stream[i].space, box[i]};
  }
  model_.Dispatch(cost.timed);
}

void Timekeeper::Sync(const InstrCode &in, int64_t instructions, uint32_t node) {
  CountScalars(instructions);
  if (in.engine == kCtrl) {
    model_.CtrlSync(in.wait, in.signal, node);
    return;
  }
  TimedInstr timed;
  timed.engine = in.engine;
  timed.node = node;
  timed.dispatchTicks = DispatchCycles(machine_, 0) * kTicksPerCycle;
  timed.wait = in.wait;
  timed.signal = in.signal;
  model_.Dispatch(timed);
}

void Timekeeper::LoadScalar(int64_t instructions) {
  CountScalars(instructions);
  model_.LoadScalar();
}

void Timekeeper::FetchCode(int64_t bytes, int64_t instructions, uint32_t node) {
  CountScalars(instructions + 1);
  instructions_ = instructions;
  model_.FetchCode(bytes, node);
}

const TimingStats &Timekeeper::Finish(int64_t instructions) {
  CountScalars(instructions + 1);
  model_.Finish();
  return model_.stats();
}

} // namespace accel::rt

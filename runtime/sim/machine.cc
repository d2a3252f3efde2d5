//===- machine.cc - Control flow and scalar instructions ------------------===//
#include "machine.h"
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "deadlock.h"
#include "disassemble.h"
#include "sanitizer.h"
#include <algorithm>
#include <chrono>
#include <cstring>

namespace accel::rt {

absl::Status Machine::Fail(absl::StatusCode code, const std::string &what) const {
  const ArtifactData &data = program_->data();
  uint32_t node = NodeHere();
  return absl::Status(
      code,
      absl::StrCat("at ", PlaceName(data, routine_, pc_),
                   routine_ ? absl::StrCat(", called from main pc ", mainPc_) : "",
                   node == kNone ? "" : absl::StrCat(", node \"", data.nodes[node].name, "\""),
                   ": ", what, " [", Disassemble(*program_, routine_, pc_), "]"));
}

Machine::Machine(std::shared_ptr<const DecodedProgram> program, const SimOptions &options)
    : program_(std::move(program)), options_(options), pool_(std::max(options.threads, 1)),
      ledger_(*program_) {}
Machine::~Machine() = default;

absl::StatusOr<std::unique_ptr<Machine>>
Machine::Create(std::shared_ptr<const DecodedProgram> program, const SimOptions &options) {
  std::unique_ptr<Machine> m(new Machine(std::move(program), options));
  ACC_RETURN_IF_ERROR(m->Allocate());
  return m;
}

absl::Status Machine::AllocateMemory() {
  const ArtifactData &data = program_->data();
  absl::StatusOr<std::shared_ptr<const ConstantRegions>> constants =
      ConstantRegions::Create(program_->artifact);
  ACC_RETURN_IF_ERROR(constants.status());
  constants_ = *std::move(constants);
  auto allocate = [](Pages &pages, int64_t bytes, const std::string &what) {
    absl::StatusOr<Pages> a = Pages::Allocate(bytes, what);
    if (a.ok())
      pages = *std::move(a);
    return a.status();
  };
  ACC_RETURN_IF_ERROR(allocate(sram_, data.target.sramBytes, "SRAM"));
  ACC_RETURN_IF_ERROR(allocate(acc_, data.target.accBytes, "accumulators"));
  for (const RegionInfo &r : data.regions) {
    regionData_[r.id] = const_cast<uint8_t *>(constants_->data(r.id));
    if (regionData_[r.id])
      continue;
    Pages pages;
    ACC_RETURN_IF_ERROR(
        allocate(pages, r.bytes, absl::StrCat("region ", r.id, " (", RegionKindName(r.kind), ")")));
    regionData_[r.id] = pages.data();
    pages_.push_back(std::move(pages));
  }
  return absl::OkStatus();
}

absl::Status Machine::Allocate() {
  const DecodedProgram &p = *program_;
  const ArtifactData &data = p.data();
  if (!options_.timingOnly)
    ACC_RETURN_IF_ERROR(AllocateMemory());
  ops_.resize(p.routines.size());
  callNodes_.resize(p.routines.size());
  for (size_t i = 0; i < p.routines.size(); ++i) {
    const RoutineCode &routine = p.routines[i];
    ops_[i].resize(routine.engine.size());
    for (const InstrCode &in : routine.instrs)
      if (in.code != kNone)
        Prepare(routine.engine[in.code], in, ops_[i][in.code]);
    callNodes_[i].assign(routine.instrs.size(), nullptr);
  }
  for (const CallNodes &c : data.calls)
    callNodes_[c.routine][c.pc] = &c;
  if (options_.sanitize) {
    absl::StatusOr<std::unique_ptr<Sanitizer>> sanitizer = Sanitizer::Create(p);
    ACC_RETURN_IF_ERROR(sanitizer.status());
    sanitizer_ = *std::move(sanitizer);
  }
  if (options_.timing || options_.timingOnly) {
    absl::StatusOr<std::unique_ptr<Timekeeper>> time = Timekeeper::Create(p);
    ACC_RETURN_IF_ERROR(time.status());
    time_ = *std::move(time);
  }
  return absl::OkStatus();
}

uint32_t Machine::NodeHere() const {
  const std::vector<uint32_t> &map = program_->data().routines[routine_].nodeOfPc;
  if (pc_ >= map.size())
    return kNone;
  uint32_t node = map[pc_];
  const CallNodes *nodes = nodes_;
  for (size_t depth = frames_.size(); depth > 0 && node != kNone; --depth) {
    node = nodes && node < nodes->nodes.size() ? nodes->nodes[node] : kNone;
    nodes = frames_[depth - 1].nodes;
  }
  return node < program_->data().nodes.size() ? node : kNone;
}

Place Machine::Here() const { return {routine_, pc_, mainPc_, NodeHere()}; }

NodeStats *Machine::NodeStatsHere() {
  uint32_t node = NodeHere();
  return node == kNone ? nullptr : &stats_->nodes[node];
}

/// Sizes of inputs into the registers of main. One register is one size.
absl::Status Machine::ReceiveSizes(const std::vector<std::vector<int64_t>> &inputDims) {
  const ArtifactData &data = program_->data();
  std::pair<size_t, size_t> from[kRegisters];
  bool isSet[kRegisters] = {};
  for (size_t i = 0; i < data.inputs.size(); ++i)
    for (size_t d = 0; d < data.inputs[i].ranges.size(); ++d) {
      const DimRange &r = data.inputs[i].ranges[d];
      if (!r.reg)
        continue;
      if (isSet[r.reg] && r_[r.reg] != inputDims[i][d]) {
        auto [j, e] = from[r.reg];
        return absl::InvalidArgumentError(absl::StrCat(
            "dimension ", d, r.name.empty() ? "" : absl::StrCat(" (", r.name, ")"), " of input \"",
            data.inputs[i].name, "\" is ", inputDims[i][d], ", dimension ", e, " of input \"",
            data.inputs[j].name, "\" is ", inputDims[j][e], ": they must be equal"));
      }
      isSet[r.reg] = true;
      from[r.reg] = {i, d};
      r_[r.reg] = inputDims[i][d];
    }
  for (size_t i = 0; i < data.counters.size(); ++i)
    if (data.counters[i].kind == CounterKind::InputDim)
      counters_[i] = inputDims[data.counters[i].routine][data.counters[i].pc];
  return absl::OkStatus();
}

/// Sizes of outputs out of the registers that main leaves.
absl::Status Machine::DeliverSizes() {
  outputDims_.clear();
  for (const IoInfo &io : program_->data().outputs) {
    std::vector<int64_t> dims = io.dims;
    for (size_t d = 0; d < io.ranges.size(); ++d)
      if (io.ranges[d].reg)
        dims[d] = r_[io.ranges[d].reg];
    ACC_RETURN_IF_ERROR(CheckShape("output", io, dims));
    outputDims_.push_back(std::move(dims));
  }
  return absl::OkStatus();
}

absl::Status Machine::Run(const std::vector<std::vector<int64_t>> &inputDims, Stats &stats) {
  auto begin = std::chrono::steady_clock::now();
  const DecodedProgram &p = *program_;
  const ArtifactData &data = p.data();
  stats = Stats();
  stats.compulsoryBytes = data.compulsoryBytes;
  stats.boundBytes = data.boundBytes;
  stats.codeBytes = p.artifact.codeBytes;
  for (const NodeInfo &n : data.nodes) {
    NodeStats s;
    s.name = n.name;
    s.op = n.op;
    s.compulsoryBytes = n.compulsoryBytes;
    s.boundBytes = n.boundBytes;
    stats.nodes.push_back(std::move(s));
  }
  stats_ = &stats;
  std::memset(r_, 0, sizeof(r_));
  std::memset(semaphore_, 0, sizeof(semaphore_));
  counters_.assign(data.counters.size(), 0);
  ACC_RETURN_IF_ERROR(ReceiveSizes(inputDims));
  frames_.clear();
  loops_.clear();
  routine_ = pc_ = mainPc_ = fetched_ = 0;
  nodes_ = nullptr;
  points_ = 0;
  if (!options_.timingOnly) {
    sram_.Clear();
    acc_.Clear();
  }
  for (auto &routine : ops_)
    for (LiveOp &op : routine)
      op.transfer = TransferCache();
  ledger_.Reset();
  probe_.reset();
  if (sanitizer_)
    sanitizer_->Reset();
  stats.programBytes = p.routines[0].bytes;
  if (time_) {
    time_->Reset();
    time_->StreamCode(stats.programBytes);
  }
  absl::Status status = Execute();
  // Whatever came of weights that are gone, that is what must be said.
  if (constants_)
    if (absl::Status files = constants_->Check(); !files.ok())
      status = files;
  if (status.ok())
    for (int s = 1; s < kSemaphores && status.ok(); ++s)
      if (semaphore_[s])
        status = Fail(absl::StatusCode::kFailedPrecondition,
                      absl::StrCat("semaphore ", s, " is at ", semaphore_[s],
                                   " at HALT, must be 0 (signalled by ", EngineName(p.signaller[s]),
                                   ", waited for by ",
                                   p.waiter[s] < 0 ? "nothing" : EngineName(p.waiter[s]), ")"));
  if (status.ok())
    status = DeliverSizes();
  if (status.ok() && sanitizer_)
    status = sanitizer_->CheckOutputs(outputDims_);
  if (status.ok())
    status = ledger_.Finish(counters_, stats);
  if (status.ok() && time_)
    stats.timing = time_->Finish(stats.instructions);
  stats.hostSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  stats_ = nullptr;
  return status;
}

namespace {

int64_t Wrap(uint64_t v) { return int64_t(v); }

int64_t FloorMod(int64_t a, int64_t b) {
  int64_t m = a % b;
  return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

} // namespace

/// Register arithmetic wraps at 64 bits, as the hardware does.
absl::Status Machine::Scalar(const InstrCode &in) {
  int64_t a = r_[in.ra], b = r_[in.rb], v = 0;
  switch (in.op) {
  case Op::Li:
    v = in.imm;
    break;
  case Op::Add:
    v = Wrap(uint64_t(a) + uint64_t(b));
    break;
  case Op::Sub:
    v = Wrap(uint64_t(a) - uint64_t(b));
    break;
  case Op::Mul:
    v = Wrap(uint64_t(a) * uint64_t(b));
    break;
  case Op::AddI:
    v = Wrap(uint64_t(a) + uint64_t(in.imm));
    break;
  case Op::MulI:
    v = Wrap(uint64_t(a) * uint64_t(in.imm));
    break;
  case Op::DivI:
    b = in.imm;
    [[fallthrough]];
  case Op::Div:
    if (b == 0)
      return Fail(absl::StatusCode::kInvalidArgument, absl::StrCat("division by zero"));
    v = b == -1 ? Wrap(0 - uint64_t(a)) : FloorDivide(a, b);
    break;
  case Op::ModI:
    b = in.imm;
    [[fallthrough]];
  case Op::Mod:
    if (b == 0)
      return Fail(absl::StatusCode::kInvalidArgument, absl::StrCat("division by zero"));
    v = b == -1 ? 0 : FloorMod(a, b);
    break;
  case Op::Min:
    v = std::min(a, b);
    break;
  case Op::Max:
    v = std::max(a, b);
    break;
  case Op::MinI:
    v = std::min(a, in.imm);
    break;
  case Op::MaxI:
    v = std::max(a, in.imm);
    break;
  case Op::CmpLt:
    v = a < b;
    break;
  case Op::CmpEq:
    v = a == b;
    break;
  case Op::CmpLtI:
    v = a < in.imm;
    break;
  case Op::CmpEqI:
    v = a == in.imm;
    break;
  case Op::And:
    v = a & b;
    break;
  case Op::Or:
    v = a | b;
    break;
  case Op::Xor:
    v = a ^ b;
    break;
  case Op::Shl:
    v = b < 0 || b > 63 ? 0 : Wrap(uint64_t(a) << b);
    break;
  case Op::Shr:
    v = a >> (b < 0 || b > 63 ? 63 : b);
    break;
  default:
    return Fail(absl::StatusCode::kInternal, absl::StrCat("not a scalar instruction"));
  }
  if (in.rd)
    r_[in.rd] = v;
  return absl::OkStatus();
}

absl::Status Machine::LoadScalar(const InstrCode &in) {
  if (options_.timingOnly)
    return Fail(absl::StatusCode::kFailedPrecondition,
                "a value in SRAM decides what happens next, and timing without data has none: "
                "run with data and --timing");
  if (time_)
    time_->LoadScalar(stats_->instructions);
  KType type = KType(in.rb);
  int64_t bytes = KTypeBytes(type), limit = program_->data().target.sramBytes;
  int64_t address;
  if (__builtin_add_overflow(r_[in.ra], in.imm, &address) || address < 0 || address > limit - bytes)
    return Fail(
        absl::StatusCode::kOutOfRange,
        absl::StrCat("reads SRAM at ", r_[in.ra], " + ", in.imm, ", SRAM has ", limit, " bytes"));
  if (sanitizer_)
    ACC_RETURN_IF_ERROR(sanitizer_->ScalarRead(Here(), address, bytes));
  const uint8_t *p = sram_.data() + address;
  auto load = [&](auto value) {
    std::memcpy(&value, p, sizeof(value));
    return int64_t(value);
  };
  int64_t v = 0;
  switch (type) {
  case KType::I8:
    v = load(int8_t());
    break;
  case KType::Bool:
  case KType::U8:
    v = load(uint8_t());
    break;
  case KType::I16:
    v = load(int16_t());
    break;
  case KType::U16:
    v = load(uint16_t());
    break;
  case KType::I32:
    v = load(int32_t());
    break;
  case KType::U32:
    v = load(uint32_t());
    break;
  default:
    v = load(int64_t());
    break;
  }
  if (in.rd)
    r_[in.rd] = v;
  return absl::OkStatus();
}

absl::Status Machine::EnterRoutine(uint32_t routine) {
  for (const RegisterRange &range : program_->routines[routine].entry)
    if (r_[range.reg] < range.min || r_[range.reg] > range.max ||
        (uint64_t(r_[range.reg]) - uint64_t(range.min)) % uint64_t(range.step))
      return Fail(absl::StatusCode::kOutOfRange,
                  absl::StrCat("r", int(range.reg), " is ", r_[range.reg], ", routine ", routine,
                               " takes ", range.min, "..", range.max));
  Fetch(routine);
  return absl::OkStatus();
}

/// Instruction memory holds one routine; main is not in it.
void Machine::Fetch(uint32_t routine) {
  if (routine == 0 || fetched_ == routine)
    return;
  stats_->programBytes += program_->routines[routine].bytes;
  fetched_ = routine;
  if (time_)
    time_->FetchCode(program_->routines[routine].bytes, stats_->instructions, NodeHere());
}

absl::Status Machine::Execute() {
  const DecodedProgram &p = *program_;
  const std::vector<InstrCode> *code = &p.routines[0].instrs;
  ledger_.Advance(0);
  for (;;) {
    const InstrCode &in = (*code)[pc_];
    ++stats_->instructions;
    if (options_.maxInstructions && stats_->instructions > options_.maxInstructions)
      return Fail(absl::StatusCode::kResourceExhausted,
                  absl::StrCat("stopped after ", options_.maxInstructions,
                               " instructions (--max-instructions)"));
    if (options_.cancel && options_.cancel->load(std::memory_order_relaxed))
      return absl::CancelledError("the run was cancelled");
    if (in.counter != kNone &&
        program_->data().counters[in.counter].kind == CounterKind::Executions)
      ++counters_[in.counter];
    if (frames_.empty()) {
      mainPc_ = pc_;
      ledger_.Advance(pc_);
    }
    ++stats_->engineInstructions[in.engine];
    switch (in.op) {
    case Op::Nop:
      break;
    case Op::Halt:
      return probe_ ? probe_->Conclude("is at HALT") : absl::OkStatus();
    case Op::Loop:
    case Op::While: {
      int64_t trips = in.imm;
      bool isWhile = in.op == Op::While;
      if (!isWhile && in.ra)
        trips = std::min(r_[in.ra], in.imm);
      if (isWhile ? r_[in.ra] == 0 : trips <= 0) {
        pc_ = in.target;
        continue;
      }
      if (isWhile && trips == 0)
        return Fail(absl::StatusCode::kResourceExhausted,
                    absl::StrCat("WHILE exceeds its bound 0"));
      if (!isWhile && in.rd)
        r_[in.rd] = 0;
      if (in.counter != kNone && program_->data().counters[in.counter].kind == CounterKind::Trips)
        ++counters_[in.counter];
      loops_.push_back({pc_, 0, trips});
      break;
    }
    case Op::If:
      if (r_[in.ra] == 0) {
        pc_ = in.target;
        continue;
      }
      break;
    case Op::End: {
      const InstrCode &opener = (*code)[in.target];
      if (opener.op == Op::If)
        break;
      OpenLoop &loop = loops_.back();
      ++loop.trip;
      bool again = opener.op == Op::While ? r_[opener.ra] != 0 : loop.trip < loop.trips;
      if (!again) {
        loops_.pop_back();
        break;
      }
      if (opener.op == Op::While && loop.trip >= loop.trips)
        return Fail(absl::StatusCode::kResourceExhausted,
                    absl::StrCat("WHILE at pc ", in.target, " exceeds its bound of ", loop.trips,
                                 " trips"));
      if (opener.op == Op::Loop && opener.rd)
        r_[opener.rd] = loop.trip;
      if (opener.counter != kNone &&
          program_->data().counters[opener.counter].kind == CounterKind::Trips)
        ++counters_[opener.counter];
      pc_ = in.target + 1;
      if (frames_.empty()) { // main is streamed: its body once more
        stats_->programBytes += opener.streamedBytes;
        if (time_)
          time_->StreamCode(opener.streamedBytes);
      }
      continue;
    }
    case Op::Call: {
      ACC_RETURN_IF_ERROR(EnterRoutine(in.aux));
      frames_.push_back({routine_, pc_ + 1, nodes_});
      nodes_ = callNodes_[routine_][pc_];
      routine_ = in.aux;
      code = &p.routines[routine_].instrs;
      pc_ = 0;
      continue;
    }
    case Op::Ret:
      routine_ = frames_.back().routine;
      pc_ = frames_.back().pc;
      nodes_ = frames_.back().nodes;
      frames_.pop_back();
      Fetch(routine_);
      code = &p.routines[routine_].instrs;
      continue;
    case Op::Lds:
      if (probe_)
        return probe_->Conclude(
            absl::StrCat("needs a value from SRAM at ", PlaceName(p.data(), routine_, pc_)));
      ACC_RETURN_IF_ERROR(LoadScalar(in));
      break;
    case Op::Sync:
      if (probe_) {
        ACC_RETURN_IF_ERROR(probe_->Dispatch(in, Here()));
        break;
      }
      ACC_RETURN_IF_ERROR(TakeTokens(in));
      if (!probe_)
        GiveTokens(in);
      if (time_)
        time_->Sync(in, stats_->instructions, NodeHere());
      break;
    case Op::Dma:
    case Op::DmaGather:
    case Op::DmaScatter:
    case Op::Mxu:
    case Op::MxuDw:
    case Op::Vec:
    case Op::VecSort:
    case Op::VecCompact:
    case Op::VecScatter:
    case Op::VecRandom:
      ACC_RETURN_IF_ERROR(Engine(in, ops_[routine_][in.code]));
      break;
    default:
      ACC_RETURN_IF_ERROR(Scalar(in));
      break;
    }
    ++pc_;
  }
}

} // namespace accel::rt

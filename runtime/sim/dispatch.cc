//===- dispatch.cc - Engine instructions ----------------------------------===//
//
// From registers to a kernel call: sizes and addresses are patched into the
// prepared operation, its boxes compared with its memories (the check that
// makes out-of-bounds access impossible, whatever the static verifier could
// prove), its DRAM traffic counted.
//
//===----------------------------------------------------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "deadlock.h"
#include "index_list.h"
#include "machine.h"
#include "sanitizer.h"
#include <cstring>

namespace accel::rt {

void Machine::Prepare(const EngineCode &code, const InstrCode &in, LiveOp &op) {
  op.code = &code;
  switch (in.op) {
  case Op::Dma:
  case Op::DmaGather:
  case Op::DmaScatter: {
    op.dma = &dmaOps_.emplace_back();
    op.size = op.dma->size;
    op.stream[0] = &op.dma->dst;
    op.stream[1] = &op.dma->src;
    op.stream[2] = &op.dma->index;
    op.dma->kind = in.op == Op::DmaGather    ? DmaKind::Gather
                   : in.op == Op::DmaScatter ? DmaKind::Scatter
                   : code.flags & 1          ? DmaKind::Fill
                                             : DmaKind::Copy;
    op.dma->fillBits = code.fillBits;
    op.dma->indexBound = code.limit();
    break;
  }
  case Op::VecSort: {
    SortOp &s = *(op.sort = &sortOps_.emplace_back());
    op.size = s.size;
    KStream *streams[] = {&s.values, &s.indices, &s.src, &s.srcIndices, &s.taken};
    std::copy(streams, streams + 5, op.stream);
    s.hasIndices = code.streams > 3;
    s.descending = code.flags & 1;
    s.merge = code.flags & 2;
    s.nanLast = code.flags & 4;
    s.stopEarly = code.flags & 8;
    s.run[0] = s.run[1] = code.size[5];
    if (code.limit())
      s.most = code.limit();
    break;
  }
  case Op::VecCompact: {
    CompactOp &s = *(op.compact = &compactOps_.emplace_back());
    op.size = s.size;
    KStream *streams[] = {&s.kept, &s.count, &s.flags, &s.src};
    std::copy(streams, streams + 4, op.stream);
    s.positions = code.flags & 1;
    s.room = code.limit();
    s.first = code.zb;
    break;
  }
  case Op::VecScatter: {
    ScatterOp &s = *(op.scatter = &scatterOps_.emplace_back());
    op.size = s.size;
    KStream *streams[] = {&s.dst, &s.src, &s.index};
    std::copy(streams, streams + 3, op.stream);
    s.combine = Combine(code.zb);
    s.rows = code.limit();
    s.skip = code.flags & 1;
    break;
  }
  case Op::VecRandom: {
    RandomOp &s = *(op.random = &randomOps_.emplace_back());
    op.size = s.size;
    op.stream[0] = &s.dst;
    op.stream[1] = &s.seed;
    s.hasSeed = code.streams == 2;
    s.key = uint64_t(uint32_t(code.za)) | uint64_t(uint32_t(code.zb)) << 32;
    break;
  }
  case Op::Mxu:
  case Op::MxuDw:
    op.mxu = &mxuOps_.emplace_back();
    op.size = op.mxu->size;
    op.stream[0] = &op.mxu->c;
    op.stream[1] = &op.mxu->a;
    op.stream[2] = &op.mxu->b;
    op.mxu->za = code.za;
    op.mxu->zb = code.zb;
    break;
  default:
    op.vec = &vecOps_.emplace_back();
    op.size = op.vec->size;
    for (int i = 0; i < code.streams; ++i)
      op.stream[i] = i < code.outs ? &op.vec->out[i] : &op.vec->in[i - code.outs];
    op.vec->reduceMask = code.reduceMask;
    op.vec->scalars = r_;
    break;
  }
  std::memcpy(op.size, code.size, sizeof(code.size));
  for (int i = 0; i < code.streams; ++i) {
    const StreamCode &s = code.stream[i];
    KStream &k = *op.stream[i];
    k = s.k;
    k.mem = s.space == Space::Sram  ? sram_.data()
            : s.space == Space::Acc ? acc_.data()
                                    : regionData_[s.region];
    k.limit = s.space == Space::Sram  ? program_->data().target.sramBytes
              : s.space == Space::Acc ? program_->data().target.accBytes
                                      : program_->regionBytes[s.region];
  }
}

absl::Status Machine::TakeTokens(const InstrCode &in) {
  for (const Token &t : in.wait) {
    if (!t.semaphore)
      continue;
    if (semaphore_[t.semaphore] >= t.count) {
      semaphore_[t.semaphore] -= t.count;
      continue;
    }
    if (!sanitizer_)
      return Fail(absl::StatusCode::kFailedPrecondition,
                  absl::StrCat(EngineName(in.engine), " waits for ", int(t.count), " of semaphore ",
                               int(t.semaphore), ", which earlier instructions leave at ",
                               semaphore_[t.semaphore], " (",
                               EngineName(program_->signaller[t.semaphore]),
                               " signals it): dispatch order is not a legal serial "
                               "execution; --sanitize shows who waits for whom"));
    if (&t == &in.wait[1] && in.wait[0].semaphore)
      semaphore_[in.wait[0].semaphore] += in.wait[0].count; // not started after all
    probe_ = std::make_unique<DeadlockProbe>(*program_, semaphore_, in, Here());
    return probe_->Dispatch(in, Here());
  }
  return sanitizer_ ? sanitizer_->Begin(in, Here()) : absl::OkStatus();
}

void Machine::GiveTokens(const InstrCode &in) {
  for (const Token &t : in.signal)
    if (t.semaphore)
      semaphore_[t.semaphore] += t.count;
  if (sanitizer_)
    sanitizer_->End(in);
}

/// `nothing`: a size is zero, so the instruction only waits and signals.
absl::Status Machine::Resolve(LiveOp &op, bool &nothing) {
  const EngineCode &c = *op.code;
  if (op.alwaysInside)
    return absl::OkStatus();
  int64_t points = 1;
  for (int d = 0; d < kDims; ++d) {
    int64_t n = c.size[d];
    if (c.sizeReg[d]) {
      int64_t v = r_[c.sizeReg[d]];
      if (v < 0 || v > n)
        return Fail(absl::StatusCode::kOutOfRange,
                    absl::StrCat("size of dimension ", d, " is r", int(c.sizeReg[d]), " = ", v,
                                 ", its bound is ", n));
      n = v;
    }
    op.size[d] = n;
    points *= n;
  }
  nothing = points == 0;
  if (nothing)
    return absl::OkStatus();
  if (op.sort)
    op.sort->run[0] = op.sort->run[1] = op.size[5];
  if (c.readsScalars())
    ACC_RETURN_IF_ERROR(ResolveScalars(op));
  bool allStatic = !c.dynamicSize && !c.readsScalars();
  for (int i = 0; i < c.streams; ++i) {
    const StreamCode &s = c.stream[i];
    KStream &k = *op.stream[i];
    allStatic &= s.isStatic;
    if (!s.isStatic) {
      int64_t base = s.k.base;
      for (int b = 0; b < s.baseRegs; ++b) {
        int64_t v = r_[s.baseReg[b]];
        if (v < -kMaxAddress || v > kMaxAddress)
          return Fail(absl::StatusCode::kOutOfRange,
                      absl::StrCat("stream ", i, ": base register r", int(s.baseReg[b]), " = ", v));
        base += v;
      }
      k.base = base;
      if (s.k.windowed)
        for (int w = 0; w < 2; ++w) {
          int64_t start = r_[s.startReg[w]], org = r_[s.orgReg[w]];
          if (start < -kMaxPosition || start > kMaxPosition || org < -kMaxPosition ||
              org > kMaxPosition)
            return Fail(absl::StatusCode::kOutOfRange,
                        absl::StrCat("stream ", i, ": window start ", start, ", origin ", org));
          k.coord[w].start = s.k.coord[w].start + start;
          k.coord[w].org = org;
          int64_t bound = s.k.coord[w].bound;
          ACC_RETURN_IF_ERROR(Bounded(bound, s.boundReg[w], bound, "bound of a window"));
          k.coord[w].bound = uint32_t(bound);
        }
    }
    ACC_RETURN_IF_ERROR(CheckBox(op, i));
  }
  op.alwaysInside = allStatic;
  return absl::OkStatus();
}

/// Replaces `value` by that of a register, which must be in 0..bound.
absl::Status Machine::Bounded(int64_t &value, uint8_t reg, int64_t bound, const char *what) const {
  if (!reg)
    return absl::OkStatus();
  value = r_[reg];
  if (value >= 0 && value <= bound)
    return absl::OkStatus();
  return Fail(absl::StatusCode::kOutOfRange,
              absl::StrCat(what, " is r", int(reg), " = ", value, ", must be in 0..", bound));
}

/// Numbers that come from registers beside sizes, bases and windows.
absl::Status Machine::ResolveScalars(LiveOp &op) {
  const EngineCode &c = *op.code;
  if (op.mxu) {
    int64_t za = c.za, zb = c.zb;
    if (__builtin_add_overflow(za, r_[c.zaReg], &za) ||
        __builtin_add_overflow(zb, r_[c.zbReg], &zb) || za != int32_t(za) || zb != int32_t(zb))
      return Fail(absl::StatusCode::kOutOfRange, "a zero point exceeds 32 bits");
    op.mxu->za = int32_t(za);
    op.mxu->zb = int32_t(zb);
  } else if (op.dma) {
    return Bounded(op.dma->indexBound, c.zaReg, c.limit(), "number of rows");
  } else if (op.sort) {
    ACC_RETURN_IF_ERROR(Bounded(op.sort->most, c.initReg, c.limit(), "k"));
    ACC_RETURN_IF_ERROR(Bounded(op.sort->run[0], c.zaReg, op.size[5], "length of run 0"));
    return Bounded(op.sort->run[1], c.zbReg, op.size[5], "length of run 1");
  } else if (op.compact) {
    op.compact->first = int64_t(uint64_t(int64_t(c.zb)) + uint64_t(r_[c.zbReg]));
    return Bounded(op.compact->present, c.initReg, c.limit(), "number of elements that are there");
  } else if (op.scatter) {
    op.scatter->first = r_[c.initReg];
    return Bounded(op.scatter->rows, c.zaReg, c.limit(), "number of rows");
  } else if (op.random) {
    op.random->first = r_[c.initReg];
  }
  return absl::OkStatus();
}

absl::Status Machine::CheckBox(LiveOp &op, int i) {
  const KStream &k = *op.stream[i];
  const StreamCode &s = op.code->stream[i];
  int64_t size[kDims];
  WalkedSize(*op.code, i, op.size, size);
  if (s.space != Space::Dram && k.base % KTypeBytes(k.type))
    return Fail(absl::StatusCode::kInvalidArgument,
                absl::StrCat("stream ", i, ": address ", k.base,
                             " is not a multiple of the element's ", KTypeBytes(k.type), " bytes"));
  bool fits = ComputeBox(k, size, op.box[i]);
  const Box &box = op.box[i];
  if (fits && (box.empty() || (box.lo >= 0 && box.hi <= k.limit)))
    return absl::OkStatus();
  return Fail(absl::StatusCode::kOutOfRange,
              absl::StrCat("stream ", i, " ", s.write ? "writes" : "reads", " bytes [", box.lo,
                           ", ", box.hi, ") of ",
                           s.space == Space::Sram  ? "SRAM"
                           : s.space == Space::Acc ? "the accumulators"
                                                   : absl::StrCat("region ", int(s.region)),
                           ", which has ", k.limit, " bytes"));
}

absl::Status Machine::CountDram(const InstrCode &in, LiveOp &op) {
  const EngineCode &c = *op.code;
  int i = c.dram;
  const StreamCode &s = c.stream[i];
  KStream &k = *op.stream[i];
  bool indexed = op.dma->kind == (s.write ? DmaKind::Scatter : DmaKind::Gather);
  if (!indexed) {
    ledger_.Count(k, op.size, op.box[i], s.region, in.reason, s.write, op.transfer, *stats_,
                  NodeStatsHere());
    return absl::OkStatus();
  }
  // Each index is a transfer of its own.
  int64_t size[kDims], base = k.base, count = op.size[0];
  std::memcpy(size, op.size, sizeof(size));
  size[0] = 1;
  for (int64_t n = 0; n < count; ++n) {
    absl::StatusOr<int64_t> index = 0; // without data every row counts as the first
    if (!options_.timingOnly)
      index = ReadIndex(*op.dma, n);
    if (!index.ok())
      return Fail(index.status().code(), std::string(index.status().message()));
    k.base = base + *index * k.stride[0];
    Box box;
    ComputeBox(k, size, box);
    if (!box.empty())
      ledger_.Count(k, size, box, s.region, in.reason, s.write, op.transfer, *stats_,
                    NodeStatsHere());
  }
  k.base = base;
  return absl::OkStatus();
}

absl::Status Machine::Engine(const InstrCode &in, LiveOp &op) {
  if (probe_)
    return probe_->Dispatch(in, Here());
  ACC_RETURN_IF_ERROR(TakeTokens(in));
  if (probe_)
    return absl::OkStatus();
  bool nothing = false;
  ACC_RETURN_IF_ERROR(Resolve(op, nothing));
  NodeStats *node = NodeStatsHere();
  if (node)
    ++node->instructions;
  if (nothing) {
    if (time_)
      Time(in, op, true, 0);
    GiveTokens(in);
    return absl::OkStatus();
  }
  int64_t points = 1;
  for (int d = 0; d < kDims; ++d)
    points *= op.size[d];
  points_ += points;
  if (options_.maxPoints && points_ > options_.maxPoints)
    return Fail(absl::StatusCode::kResourceExhausted,
                absl::StrCat("stopped after ", options_.maxPoints, " iteration points"));
  const EngineCode &c = *op.code;
  for (int i = 0; i < c.streams; ++i) {
    if (c.stream[i].space == Space::Sram)
      stats_->sramPeakBytes = std::max(stats_->sramPeakBytes, op.box[i].hi);
    else if (c.stream[i].space == Space::Acc)
      stats_->accPeakBytes = std::max(stats_->accPeakBytes, op.box[i].hi);
  }
  bool accumulate = false;
  if (op.mxu)
    accumulate = c.flags == 1 || (c.flags == 2 && r_[c.initReg] != 0);
  else if (op.vec)
    accumulate = (c.flags & 1) && r_[c.initReg] != 0;
  if (sanitizer_)
    ACC_RETURN_IF_ERROR(sanitizer_->Access(op, accumulate));
  if (op.mxu) {
    stats_->macs += points;
    if (node)
      node->macs += points;
  }
  const int64_t busBefore = stats_->busBytes;
  if (!options_.timingOnly)
    ACC_RETURN_IF_ERROR(Kernel(in, op, accumulate));
  else if (c.dram >= 0)
    ACC_RETURN_IF_ERROR(CountDram(in, op));
  if (sanitizer_)
    ACC_RETURN_IF_ERROR(sanitizer_->Results(op));
  if (time_)
    Time(in, op, false, stats_->busBytes - busBefore);
  GiveTokens(in);
  return absl::OkStatus();
}

void Machine::Time(const InstrCode &in, const LiveOp &op, bool nothing, int64_t busBytes) {
  time_->Dispatch(in, *op.code, routine_, NodeHere(), op.size, op.box, nothing, busBytes,
                  stats_->instructions);
}

absl::Status Machine::Kernel(const InstrCode &in, LiveOp &op, bool accumulate) {
  const EngineCode &c = *op.code;
  absl::Status status;
  if (op.mxu) {
    op.mxu->accumulate = accumulate;
    if (in.op == Op::Mxu)
      ExecMxu(*op.mxu, pool_);
    else
      ExecMxuDw(*op.mxu, pool_);
  } else if (op.vec) {
    op.vec->resume = accumulate;
    ExecVec(*op.vec, *c.vprog, pool_);
  } else if (op.sort) {
    ExecSort(*op.sort, pool_);
  } else if (op.compact) {
    status = ExecCompact(*op.compact);
  } else if (op.scatter) {
    status = ExecScatter(*op.scatter);
  } else if (op.random) {
    ExecRandom(*op.random);
  } else {
    if (c.dram >= 0)
      ACC_RETURN_IF_ERROR(CountDram(in, op));
    status = ExecDma(*op.dma, pool_);
  }
  return status.ok() ? status : Fail(status.code(), std::string(status.message()));
}

} // namespace accel::rt

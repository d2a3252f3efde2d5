//===- sanitizer.cc - Hazards and initialisation --------------------------===//
#include "sanitizer.h"
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "disassemble.h"
#include "index_list.h"
#include <algorithm>
#include <cstring>
#include <limits>

namespace accel::rt {

absl::StatusOr<std::unique_ptr<Sanitizer>> Sanitizer::Create(const DecodedProgram &program) {
  std::unique_ptr<Sanitizer> s(new Sanitizer(program));
  auto create = [](Shadow &shadow, int64_t bytes, bool initialised, bool isDram, const char *what) {
    absl::StatusOr<Shadow> made = Shadow::Create(bytes, initialised, isDram, what);
    if (made.ok())
      shadow = *std::move(made);
    return made.status();
  };
  const ArtifactData &data = program.data();
  ACC_RETURN_IF_ERROR(create(s->sram_, data.target.sramBytes, false, false, "shadow of SRAM"));
  ACC_RETURN_IF_ERROR(
      create(s->acc_, data.target.accBytes, false, false, "shadow of accumulators"));
  s->region_.resize(256);
  for (const RegionInfo &r : data.regions)
    if (!IsReadOnly(r.kind)) {
      s->region_[r.id] = std::make_unique<Shadow>();
      ACC_RETURN_IF_ERROR(create(*s->region_[r.id], r.bytes, r.kind == RegionKind::State, true,
                                 "shadow of a DRAM region"));
    }
  return s;
}

void Sanitizer::Reset() {
  sram_.Clear();
  acc_.Clear();
  for (auto &r : region_)
    if (r)
      r->Clear();
  for (int e = 0; e < kEngines; ++e) {
    clock_[e] = VectorClock();
    log_[e].clear();
  }
  for (SemaphoreState &s : semaphore_)
    s = SemaphoreState();
}

absl::Status Sanitizer::Begin(const InstrCode &in, const Place &place) {
  int e = in.engine;
  VectorClock &vc = clock_[e];
  vc.Join(clock_[kCtrl]); // dispatched after all that CTRL knows
  for (const Token &t : in.wait) {
    if (!t.semaphore)
      continue;
    SemaphoreState &s = semaphore_[t.semaphore];
    s.taken += t.count;
    // The wait proves that the signal which completed the count happened, and
    // no later one.
    while (!s.signals.empty() && s.signals.front().upTo < s.taken)
      s.signals.pop_front();
    if (!s.signals.empty())
      vc.Join(s.signals.front().clock);
  }
  if (vc.clock[e] >= Event::kMaxNumber)
    return absl::ResourceExhaustedError(
        "the sanitizer counts at most 2^29 instructions of an engine");
  ++vc.clock[e];
  log_[e].push_back(place);
  engine_ = e;
  return absl::OkStatus();
}

void Sanitizer::End(const InstrCode &in) {
  for (const Token &t : in.signal) {
    if (!t.semaphore)
      continue;
    SemaphoreState &s = semaphore_[t.semaphore];
    s.signalled += t.count;
    s.signals.push_back({s.signalled, clock_[in.engine]});
  }
}

Shadow *Sanitizer::ShadowOf(Space space, uint8_t region) {
  return space == Space::Sram ? &sram_ : space == Space::Acc ? &acc_ : region_[region].get();
}

std::string Sanitizer::Describe(int engine, const Place &place) const {
  const ArtifactData &data = program_.data();
  std::string text =
      absl::StrCat(EngineName(engine), " at ", PlaceName(data, place.routine, place.pc));
  if (place.routine)
    absl::StrAppend(&text, " called from main pc ", place.mainPc);
  if (place.node != kNone)
    absl::StrAppend(&text, ", node \"", data.nodes[place.node].name, "\"");
  absl::StrAppend(&text, " [", Disassemble(program_, place.routine, place.pc), "]");
  return text;
}

absl::Status Sanitizer::Report(const Hazard &h, Space space, uint8_t region, int stream,
                               bool write) const {
  std::string where = space == Space::Sram  ? "SRAM"
                      : space == Space::Acc ? "the accumulators"
                                            : absl::StrCat("region ", int(region));
  std::string bytes = absl::StrCat("bytes [", h.begin, ", ", h.end, ") of ", where);
  std::string self = Describe(engine_, log_[engine_].back());
  if (stream >= 0)
    absl::StrAppend(&self, ", stream ", stream);
  if (h.kind == Hazard::Uninitialised)
    return absl::FailedPreconditionError(
        absl::StrCat("sanitizer: read of uninitialised memory: ", self, " reads ", bytes,
                     ", which nothing wrote"));
  const char *kind = h.kind == Hazard::ReadAfterWrite    ? "read-after-write"
                     : h.kind == Hazard::WriteAfterWrite ? "write-after-write"
                                                         : "write-after-read";
  const char *otherDoes = h.kind == Hazard::WriteAfterRead ? "reads" : "writes";
  int e = h.other.engine();
  std::string other = Describe(e, log_[e][h.other.number() - 1]);
  return absl::FailedPreconditionError(
      absl::StrCat("sanitizer: ", kind, " hazard: ", self, write ? " writes " : " reads ", bytes,
                   " without waiting for ", other, ", which ", otherDoes, " them"));
}

absl::Status Sanitizer::Stream(const StreamCode &code, const KStream &k, const int64_t size[kDims],
                               int index, bool write) {
  Shadow *shadow = ShadowOf(code.space, code.region);
  if (!shadow)
    return absl::OkStatus(); // constants and inputs: written before the run
  Hazard first;
  const VectorClock &vc = clock_[engine_];
  ForEachRun(k, size, [&](int64_t offset, int64_t length) {
    if (first.kind)
      return;
    first = write ? shadow->Write(engine_, vc, offset, offset + length)
                  : shadow->Read(engine_, vc, offset, offset + length);
  });
  return first.kind ? Report(first, code.space, code.region, index, write) : absl::OkStatus();
}

absl::Status Sanitizer::Indexed(const LiveOp &op, int index, bool write) {
  int64_t size[kDims];
  std::memcpy(size, op.size, sizeof(size));
  size[0] = 1;
  KStream k = *op.stream[index];
  for (int64_t n = 0; n < op.size[0]; ++n) {
    absl::StatusOr<int64_t> at = ReadIndex(*op.dma, n);
    if (!at.ok())
      return absl::OkStatus(); // the kernel names the index
    k.base = op.stream[index]->base + *at * k.stride[0];
    ACC_RETURN_IF_ERROR(Stream(op.code->stream[index], k, size, index, write));
  }
  return absl::OkStatus();
}

namespace {

bool SameCoord(const WindowCoord &a, const WindowCoord &b) {
  return a.start == b.start && a.org == b.org && a.dimA == b.dimA && a.dimB == b.dimB &&
         a.mulA == b.mulA && a.mulB == b.mulB && a.bound == b.bound && a.mod == b.mod &&
         a.stride == b.stride && a.div == b.div && a.exact == b.exact;
}

/// Both streams touch the same bytes at every point.
bool SameWalk(const KStream &a, const KStream &b) {
  if (a.base != b.base || KTypeBytes(a.type) != KTypeBytes(b.type) || a.windowed != b.windowed ||
      std::memcmp(a.stride, b.stride, sizeof(a.stride)) != 0)
    return false;
  return !a.windowed || (SameCoord(a.coord[0], b.coord[0]) && SameCoord(a.coord[1], b.coord[1]));
}

} // namespace

/// An instruction reads and writes its points in an order that the ISA leaves
/// open, so an output may meet an input only point by point.
absl::Status Sanitizer::CheckOverlap(const LiveOp &op, int out, int in) const {
  const StreamCode &o = op.code->stream[out], &i = op.code->stream[in];
  const Box &a = op.box[out], &b = op.box[in];
  if (o.space != i.space || o.region != i.region || a.hi <= b.lo || b.hi <= a.lo)
    return absl::OkStatus();
  if (op.vec && SameWalk(*op.stream[out], *op.stream[in]))
    return absl::OkStatus();
  std::vector<std::pair<int64_t, int64_t>> written;
  int64_t outSize[kDims], inSize[kDims];
  WalkedSize(*op.code, out, op.size, outSize);
  WalkedSize(*op.code, in, op.size, inSize);
  ForEachRun(*op.stream[out], outSize, [&](int64_t offset, int64_t length) {
    written.emplace_back(offset, offset + length);
  });
  std::sort(written.begin(), written.end());
  int64_t at = -1;
  ForEachRun(*op.stream[in], inSize, [&](int64_t offset, int64_t length) {
    auto next = std::upper_bound(written.begin(), written.end(),
                                 std::pair(offset, std::numeric_limits<int64_t>::max()));
    if (next != written.end() && next->first < offset + length)
      at = next->first;
    else if (next != written.begin() && std::prev(next)->second > offset)
      at = offset;
  });
  if (at < 0)
    return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("sanitizer: ", Describe(engine_, log_[engine_].back()), ": stream ", out,
                   " writes byte ", at, ", which stream ", in, i.write ? " writes" : " reads",
                   " at another point of the same instruction"));
}

/// The stream over all that it walks.
absl::Status Sanitizer::Whole(const LiveOp &op, int index, bool write) {
  int64_t size[kDims];
  WalkedSize(*op.code, index, op.size, size);
  return Stream(op.code->stream[index], *op.stream[index], size, index, write);
}

absl::Status Sanitizer::Access(const LiveOp &op, bool accumulate) {
  const EngineCode &c = *op.code;
  if (!op.dma && !op.mxu && !op.vec)
    return ReadLists(op);
  bool gather = op.dma && op.dma->kind == DmaKind::Gather;
  bool scatter = op.dma && op.dma->kind == DmaKind::Scatter;
  if (gather || scatter)
    ACC_RETURN_IF_ERROR(Whole(op, 2, false));
  if (!op.mxu && !gather && !scatter)
    for (int out = 0; out < c.streams; ++out)
      for (int in = 0; in < c.streams; ++in)
        if (c.stream[out].write && !c.stream[in].write)
          ACC_RETURN_IF_ERROR(CheckOverlap(op, out, in));
  for (bool write : {false, true})
    for (int i = 0; i < c.streams; ++i) {
      const StreamCode &s = c.stream[i];
      // Of a vector program only the outputs that a reduction goes on from.
      bool goesOn = accumulate && (!op.vec || (c.postOuts >> i & 1));
      if (s.write ? !(write || goesOn) : write)
        continue;
      if (op.dma && i == 2)
        continue;
      if ((gather && i == 1) || (scatter && i == 0)) {
        ACC_RETURN_IF_ERROR(Indexed(op, i, write));
        continue;
      }
      ACC_RETURN_IF_ERROR(Whole(op, i, write));
    }
  return absl::OkStatus();
}

absl::Status Sanitizer::ScalarRead(const Place &place, int64_t address, int64_t bytes) {
  ++clock_[kCtrl].clock[kCtrl];
  log_[kCtrl].push_back(place);
  engine_ = kCtrl;
  Hazard h = sram_.Read(kCtrl, clock_[kCtrl], address, address + bytes);
  return h.kind ? Report(h, Space::Sram, 0, -1, false) : absl::OkStatus();
}

absl::Status Sanitizer::CheckOutputs(const std::vector<std::vector<int64_t>> &dims) const {
  const std::vector<IoInfo> &outputs = program_.data().outputs;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const IoInfo &io = outputs[i];
    const Shadow *shadow = region_[io.region].get();
    if (!shadow)
      continue;
    int64_t unwritten = -1;
    ForEachPiece(io, dims[i], [&](int64_t at, int64_t, int64_t bytes) {
      if (unwritten >= 0)
        return;
      int64_t begin = io.offset + at, found = shadow->FirstUnwritten(begin, begin + bytes);
      if (found < begin + bytes)
        unwritten = found - io.offset;
    });
    if (unwritten >= 0)
      return absl::FailedPreconditionError(absl::StrCat("sanitizer: output \"", io.name,
                                                        "\": byte ", unwritten, " of ", io.bytes,
                                                        " was never written"));
  }
  return absl::OkStatus();
}

} // namespace accel::rt

//===- ledger.cc - DRAM bytes by tensor, reason and direction -------------===//
#include "ledger.h"
#include "absl/strings/str_cat.h"
#include <algorithm>
#include <cstring>
#include <numeric>

namespace accel::rt {
namespace {

bool Uses(const WindowCoord &w, int d) { return w.dimA == d || w.dimB == d; }

bool InBounds(const WindowCoord &w, int64_t a, int64_t b) {
  if (w.bound == kUnbounded && !w.exact)
    return true;
  int64_t v = w.start + a * w.mulA + b * w.mulB;
  if (w.div > 1) {
    int64_t q = FloorDivide(v, w.div);
    if (w.exact && q * w.div != v)
      return false;
    v = q;
  }
  return w.bound == kUnbounded || (v >= 0 && v < int64_t(w.bound));
}

int64_t SizeOf(const int64_t size[kDims], uint8_t d) { return d < kDims ? size[d] : 1; }

int64_t CountCoord(const WindowCoord &w, const int64_t size[kDims]) {
  int64_t na = SizeOf(size, w.dimA), nb = SizeOf(size, w.dimB);
  if (w.bound == kUnbounded && !(w.exact && w.div > 1))
    return na * nb;
  int64_t n = 0;
  for (int64_t a = 0; a < na; ++a)
    for (int64_t b = 0; b < nb; ++b)
      n += InBounds(w, a, b);
  return n;
}

/// Elements in bounds; dimensions that do not move the address count once.
int64_t CountElements(const KStream &s, const int64_t size[kDims]) {
  int64_t n = 1;
  bool inWindow[kDims] = {};
  bool shared = false;
  if (s.windowed) {
    for (int d = 0; d < kDims; ++d) {
      inWindow[d] = Uses(s.coord[0], d) || Uses(s.coord[1], d);
      shared |= Uses(s.coord[0], d) && Uses(s.coord[1], d);
    }
    shared |= s.coord[0].dimA != kNoDim && s.coord[0].dimA == s.coord[0].dimB;
    shared |= s.coord[1].dimA != kNoDim && s.coord[1].dimA == s.coord[1].dimB;
  }
  for (int d = 0; d < kDims; ++d)
    if (!inWindow[d] && s.stride[d] != 0)
      n *= size[d];
  if (!s.windowed)
    return n;
  if (!shared)
    return n * CountCoord(s.coord[0], size) * CountCoord(s.coord[1], size);
  // Coordinates that share a dimension: point by point.
  int64_t bound[kDims], idx[kDims] = {}, inside = 0;
  for (int d = 0; d < kDims; ++d)
    bound[d] = inWindow[d] ? size[d] : 1;
  for (;;) {
    bool in = true;
    for (const WindowCoord &w : s.coord)
      in &= InBounds(w, w.dimA < kDims ? idx[w.dimA] : 0, w.dimB < kDims ? idx[w.dimB] : 0);
    inside += in;
    int d = kDims - 1;
    while (d >= 0 && ++idx[d] == bound[d])
      idx[d--] = 0;
    if (d < 0)
      break;
  }
  return n * inside;
}

} // namespace

Transfer MeasureTransfer(const KStream &s, const int64_t size[kDims], int64_t burst) {
  Transfer t;
  t.payload = CountElements(s, size) * KTypeBytes(s.type);
  ForEachRun(s, size, [&](int64_t offset, int64_t length) {
    int64_t first = offset / burst, last = (offset + length - 1) / burst;
    t.bus += (last - first + 1) * burst;
  });
  return t;
}

Ledger::Ledger(const DecodedProgram &program) : program_(program), live_(256) {
  size_t n = program.data().tensors.size();
  begins_.resize(n);
  std::iota(begins_.begin(), begins_.end(), 0u);
  ends_ = begins_;
  const std::vector<TensorInfo> &tensors = program.data().tensors;
  std::sort(begins_.begin(), begins_.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(tensors[a].liveBegin, a) < std::pair(tensors[b].liveBegin, b);
  });
  std::sort(ends_.begin(), ends_.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(tensors[a].liveEnd, a) < std::pair(tensors[b].liveEnd, b);
  });
}

absl::Status Ledger::CheckTensors(const ArtifactData &data) {
  // One sweep over the ends of lives, as a run makes it.
  std::vector<uint32_t> begins(data.tensors.size());
  std::iota(begins.begin(), begins.end(), 0u);
  std::vector<uint32_t> ends = begins;
  auto &t = data.tensors;
  std::sort(begins.begin(), begins.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(t[a].liveBegin, a) < std::pair(t[b].liveBegin, b);
  });
  std::sort(ends.begin(), ends.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(t[a].liveEnd, a) < std::pair(t[b].liveEnd, b);
  });
  std::vector<std::map<int64_t, uint32_t>> live(256);
  size_t gone = 0;
  for (uint32_t i : begins) {
    for (; gone < ends.size() && t[ends[gone]].liveEnd < t[i].liveBegin; ++gone)
      if (t[ends[gone]].bytes)
        live[t[ends[gone]].region].erase(t[ends[gone]].offset);
    if (!t[i].bytes)
      continue;
    auto &map = live[t[i].region];
    auto next = map.lower_bound(t[i].offset);
    uint32_t other = kNone;
    if (next != map.end() && t[next->second].offset < t[i].offset + t[i].bytes)
      other = next->second;
    if (next != map.begin()) {
      uint32_t before = std::prev(next)->second;
      if (t[before].offset + t[before].bytes > t[i].offset)
        other = before;
    }
    if (other != kNone)
      return absl::InvalidArgumentError(
          absl::StrCat("program refused: tensors \"", t[other].name, "\" and \"", t[i].name,
                       "\" overlap in region ", int(t[i].region), " at offset ", t[i].offset,
                       " while both are alive"));
    map.emplace(t[i].offset, i);
  }
  return absl::OkStatus();
}

void Ledger::Reset() {
  for (auto &map : live_)
    map.clear();
  nextBegin_ = nextEnd_ = at_ = 0;
  cells_.clear();
  cellOf_.clear();
  for (const PredictionInfo &p : program_.data().predictions)
    Cell(p.tensor, p.reason, p.write);
}

void Ledger::Enter(uint32_t tensor) {
  const TensorInfo &t = program_.data().tensors[tensor];
  if (t.bytes)
    live_[t.region][t.offset] = {t.offset + t.bytes, tensor};
}

/// Another tensor may have its place already.
void Ledger::Leave(uint32_t tensor) {
  const TensorInfo &t = program_.data().tensors[tensor];
  auto &map = live_[t.region];
  auto it = map.find(t.offset);
  if (it != map.end() && it->second.tensor == tensor)
    map.erase(it);
}

void Ledger::Advance(uint32_t pc) {
  const std::vector<TensorInfo> &t = program_.data().tensors;
  if (pc < at_)
    Return(pc);
  at_ = pc;
  for (; nextBegin_ < begins_.size() && t[begins_[nextBegin_]].liveBegin <= pc; ++nextBegin_) {
    // Tensors that ended before this one begins leave first.
    for (; nextEnd_ < ends_.size() && t[ends_[nextEnd_]].liveEnd < t[begins_[nextBegin_]].liveBegin;
         ++nextEnd_)
      Leave(ends_[nextEnd_]);
    Enter(begins_[nextBegin_]);
  }
  for (; nextEnd_ < ends_.size() && t[ends_[nextEnd_]].liveEnd < pc; ++nextEnd_)
    Leave(ends_[nextEnd_]);
}

/// Back to an earlier instruction: what began since leaves, what ended since is
/// there again. The work is that of the lives that the loop's body changed.
void Ledger::Return(uint32_t pc) {
  const std::vector<TensorInfo> &t = program_.data().tensors;
  for (; nextBegin_ > 0 && t[begins_[nextBegin_ - 1]].liveBegin > pc; --nextBegin_)
    Leave(begins_[nextBegin_ - 1]);
  for (; nextEnd_ > 0 && t[ends_[nextEnd_ - 1]].liveEnd >= pc; --nextEnd_)
    if (t[ends_[nextEnd_ - 1]].liveBegin <= pc)
      Enter(ends_[nextEnd_ - 1]);
}

uint32_t Ledger::Find(uint8_t region, int64_t lo, int64_t hi) const {
  const auto &map = live_[region];
  auto it = map.upper_bound(lo);
  if (it == map.begin())
    return kNone;
  --it;
  return hi <= it->second.end ? it->second.tensor : kNone;
}

uint32_t Ledger::Cell(uint32_t tensor, Reason reason, bool write) {
  uint64_t key = uint64_t(tensor) << 8 | uint64_t(reason) << 1 | uint64_t(write);
  auto [it, isNew] = cellOf_.emplace(key, uint32_t(cells_.size()));
  if (isNew)
    cells_.push_back({tensor, reason, write, 0, 0});
  return it->second;
}

/// A transfer that touches several tensors, or none: run by run.
void Ledger::AddPieces(const KStream &s, const int64_t size[kDims], uint8_t region, int64_t payload,
                       Reason reason, bool write) {
  const auto &map = live_[region];
  ForEachRun(s, size, [&](int64_t offset, int64_t length) {
    while (length > 0 && payload > 0) {
      auto it = map.upper_bound(offset);
      int64_t end = it == map.end() ? offset + length : std::min(offset + length, it->first);
      uint32_t tensor = kNone;
      if (it != map.begin() && offset < std::prev(it)->second.end) {
        tensor = std::prev(it)->second.tensor;
        end = std::min(offset + length, std::prev(it)->second.end);
      }
      int64_t piece = std::min(end - offset, payload);
      cells_[Cell(tensor, reason, write)].counted += piece;
      payload -= piece;
      length -= end - offset;
      offset = end;
    }
  });
  if (payload > 0) // bytes moved more than once by overlapping strides
    cells_[Cell(kNone, reason, write)].counted += payload;
}

void Ledger::Count(const KStream &s, const int64_t size[kDims], const Box &box, uint8_t region,
                   Reason reason, bool write, TransferCache &cache, Stats &stats, NodeStats *node) {
  int64_t burst = program_.data().target.burstBytes;
  int64_t phase = s.base & (burst - 1);
  bool same =
      cache.valid && cache.phase == phase && std::memcmp(cache.size, size, sizeof(cache.size)) == 0;
  if (same && s.windowed)
    for (int i = 0; i < 2; ++i)
      same &= cache.start[i] == s.coord[i].start && cache.org[i] == s.coord[i].org &&
              cache.bound[i] == s.coord[i].bound;
  if (!same) {
    cache.transfer = MeasureTransfer(s, size, burst);
    cache.valid = true;
    cache.phase = phase;
    std::memcpy(cache.size, size, sizeof(cache.size));
    for (int i = 0; i < 2; ++i) {
      cache.start[i] = s.coord[i].start;
      cache.org[i] = s.coord[i].org;
      cache.bound[i] = s.coord[i].bound;
    }
  }
  const Transfer &t = cache.transfer;
  (write ? stats.writeBytes : stats.readBytes) += t.payload;
  stats.busBytes += t.bus;
  if (node) {
    (write ? node->writeBytes : node->readBytes) += t.payload;
    node->busBytes += t.bus;
  }
  if (t.payload == 0)
    return;
  uint32_t tensor = Find(region, box.lo, box.hi);
  if (tensor == kNone) {
    AddPieces(s, size, region, t.payload, reason, write);
    return;
  }
  if (cache.tensor != tensor || cache.cell == kNone) {
    cache.tensor = tensor;
    cache.cell = Cell(tensor, reason, write);
  }
  cells_[cache.cell].counted += t.payload;
}

absl::Status Ledger::Finish(const std::vector<int64_t> &counters, Stats &stats) const {
  const ArtifactData &data = program_.data();
  std::vector<LedgerEntry> cells = cells_;
  for (const PredictionInfo &p : data.predictions) {
    uint64_t key = uint64_t(p.tensor) << 8 | uint64_t(p.reason) << 1 | uint64_t(p.write);
    int64_t sum = 0;
    for (const PredictionInfo::Term &term : p.terms) {
      int64_t product = term.coef;
      for (uint32_t c : term.counters)
        if (__builtin_mul_overflow(product, counters[c], &product))
          product = -1;
      sum = int64_t(uint64_t(sum) + uint64_t(product));
    }
    cells[cellOf_.at(key)].predicted = sum;
  }
  std::sort(cells.begin(), cells.end(), [](const LedgerEntry &a, const LedgerEntry &b) {
    return std::make_tuple(a.tensor, a.reason, a.write) <
           std::make_tuple(b.tensor, b.reason, b.write);
  });
  std::string list;
  int wrong = 0;
  stats.predictedBytes = 0;
  for (const LedgerEntry &c : cells) {
    stats.predictedBytes += c.predicted;
    if (c.predicted == c.counted)
      continue;
    if (++wrong <= 8)
      absl::StrAppend(&list, "\n  ", c.write ? "write of " : "read of ",
                      c.tensor == kNone
                          ? std::string("bytes that belong to no tensor")
                          : absl::StrCat("tensor \"", data.tensors[c.tensor].name, "\""),
                      ", reason ", ReasonName(c.reason), ": predicted ", c.predicted,
                      " bytes, counted ", c.counted);
  }
  stats.ledger = std::move(cells);
  if (!wrong)
    return absl::OkStatus();
  if (wrong > 8)
    absl::StrAppend(&list, "\n  and ", wrong - 8, " more");
  return absl::InternalError(
      absl::StrCat("DRAM traffic differs from the compiler's prediction (contract C1):", list));
}

} // namespace accel::rt

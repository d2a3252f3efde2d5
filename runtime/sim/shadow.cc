//===- shadow.cc - Who wrote and read each byte ---------------------------===//
#include "shadow.h"
#include "acc/runtime/status_macros.h"
#include <algorithm>
#include <cstring>

namespace accel::rt {

absl::StatusOr<Shadow> Shadow::Create(int64_t bytes, bool initialised, bool isDram,
                                      const std::string &what) {
  Shadow s;
  s.shift_ = isDram ? 7 : 5;
  s.block_ = int64_t(1) << s.shift_;
  int64_t blocks = (bytes + s.block_ - 1) >> s.shift_;
  absl::StatusOr<Pages> pages = Pages::Allocate(blocks * int64_t(sizeof(Block)), what);
  ACC_RETURN_IF_ERROR(pages.status());
  s.pages_ = *std::move(pages);
  s.blocks_ = reinterpret_cast<Block *>(s.pages_.data()); // zeros: no history
  s.initialised_ = initialised;
  return s;
}

void Shadow::Clear() {
  pages_.Clear();
  details_.clear();
  free_.clear();
}

template <bool kWrite>
Hazard Shadow::Check(const State &s, int e, const VectorClock &vc, bool initialised) {
  Event writer{s.writer};
  if (!kWrite && s.writer == 0 && !initialised)
    return {Hazard::Uninitialised, 0, 0, {}};
  if (s.writer != 0 && writer.engine() != e && writer.number() > vc.clock[writer.engine()])
    return {kWrite ? Hazard::WriteAfterWrite : Hazard::ReadAfterWrite, 0, 0, writer};
  if (kWrite)
    for (int r = 0; r < kEngines; ++r)
      if (r != e && s.reader[r] > vc.clock[r])
        return {Hazard::WriteAfterRead, 0, 0, Event::Of(r, s.reader[r])};
  return {};
}

template <bool kWrite> void Shadow::Record(State &s, int e, uint32_t number) {
  if (kWrite) {
    s = State();
    s.writer = Event::Of(e, number).bits;
  } else {
    s.reader[e] = number;
  }
}

/// Bytes [from, to) of a block that has or gets several histories.
template <bool kWrite>
Hazard Shadow::Part(Block &b, int e, const VectorClock &vc, int64_t blockBegin, int from, int to) {
  uint32_t number = vc.clock[e];
  if (!b.detail) {
    if (Hazard h = Check<kWrite>(b.state, e, vc, initialised_); h.kind) {
      h.begin = blockBegin + from;
      h.end = blockBegin + to;
      return h;
    }
    State next = b.state;
    Record<kWrite>(next, e, number);
    if (next == b.state)
      return {};
    if (from == 0 && to == block_) {
      b.state = next;
      return {};
    }
    if (free_.empty()) {
      details_.emplace_back();
      b.detail = uint32_t(details_.size());
    } else {
      b.detail = free_.back();
      free_.pop_back();
    }
    std::vector<Segment> &list = details_[b.detail - 1];
    list.clear();
    if (from > 0)
      list.push_back({0, uint8_t(from), b.state});
    list.push_back({uint8_t(from), uint8_t(to), next});
    if (to < block_)
      list.push_back({uint8_t(to), uint8_t(block_), b.state});
    return {};
  }
  std::vector<Segment> &list = details_[b.detail - 1];
  Segment next[kLargestBlock];
  int n = 0;
  auto add = [&](int begin, int end, const State &s) {
    if (begin >= end)
      return;
    if (n && next[n - 1].state == s)
      next[n - 1].end = uint8_t(end);
    else
      next[n++] = {uint8_t(begin), uint8_t(end), s};
  };
  for (const Segment &seg : list) {
    int lo = std::max<int>(seg.begin, from), hi = std::min<int>(seg.end, to);
    if (lo >= hi) {
      add(seg.begin, seg.end, seg.state);
      continue;
    }
    if (Hazard h = Check<kWrite>(seg.state, e, vc, initialised_); h.kind) {
      h.begin = blockBegin + lo;
      h.end = blockBegin + hi;
      return h;
    }
    State s = seg.state;
    Record<kWrite>(s, e, number);
    add(seg.begin, lo, seg.state);
    add(lo, hi, s);
    add(hi, seg.end, seg.state);
  }
  if (n == 1) {
    b.state = next[0].state;
    free_.push_back(b.detail);
    b.detail = 0;
    return {};
  }
  list.assign(next, next + n);
  return {};
}

template <bool kWrite>
Hazard Shadow::Access(int e, const VectorClock &vc, int64_t begin, int64_t end) {
  uint32_t number = vc.clock[e];
  int64_t first = begin >> shift_, last = (end - 1) >> shift_;
  // Blocks of a tile mostly share one history: it is checked once.
  State good;
  bool haveGood = false;
  for (int64_t i = first; i <= last; ++i) {
    Block &b = blocks_[i];
    int64_t at = i << shift_;
    int from = int(std::max(begin - at, int64_t(0)));
    int to = int(std::min(end - at, block_));
    Hazard h;
    if (b.detail || from != 0 || to != block_) {
      h = Part<kWrite>(b, e, vc, at, from, to);
    } else {
      bool same = haveGood && (kWrite ? b.state == good : b.state.writer == good.writer);
      if (!same) {
        h = Check<kWrite>(b.state, e, vc, initialised_);
        h.begin = at + from;
        h.end = at + to;
      }
      if (!h.kind) {
        good = b.state;
        haveGood = true;
        Record<kWrite>(b.state, e, number);
      }
    }
    if (!h.kind)
      continue;
    // The message names all bytes that share the history.
    for (; !b.detail && ++i <= last && !blocks_[i].detail && blocks_[i].state == b.state;)
      h.end = std::min(end, (i + 1) << shift_);
    return h;
  }
  return {};
}

Hazard Shadow::Read(int e, const VectorClock &vc, int64_t begin, int64_t end) {
  return Access<false>(e, vc, begin, end);
}
Hazard Shadow::Write(int e, const VectorClock &vc, int64_t begin, int64_t end) {
  return Access<true>(e, vc, begin, end);
}

int64_t Shadow::FirstUnwritten(int64_t begin, int64_t end) const {
  if (initialised_)
    return end;
  for (int64_t at = begin; at < end;) {
    const Block &b = blocks_[at >> shift_];
    int64_t base = at >> shift_ << shift_;
    if (!b.detail) {
      if (!b.state.writer)
        return at;
    } else {
      for (const Segment &s : details_[b.detail - 1])
        if (!s.state.writer && base + s.end > at && base + s.begin < end)
          return std::max(at, base + int64_t(s.begin));
    }
    at = base + block_;
  }
  return end;
}

} // namespace accel::rt

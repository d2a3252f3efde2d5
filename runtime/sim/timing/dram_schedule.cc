//===- dram_schedule.cc - Who has DRAM when -------------------------------===//
#include "dram_schedule.h"
#include <algorithm>

namespace accel::rt {

void DramSchedule::Reset() {
  busy_.clear();
  first_ = 0;
}

void DramSchedule::Forget(int64_t before) {
  while (first_ < busy_.size() && busy_[first_].end <= before)
    ++first_;
  if (first_ == busy_.size())
    Reset();
  else if (first_ > 64 && first_ * 2 > busy_.size()) {
    busy_.erase(busy_.begin(), busy_.begin() + ptrdiff_t(first_));
    first_ = 0;
  }
}

int64_t DramSchedule::Take(int64_t due, int64_t ticks) {
  if (ticks <= 0)
    return due;
  // The first interval that ends at `due` or later, nearly always the last one.
  size_t at = busy_.size();
  while (at > first_ && busy_[at - 1].end >= due)
    --at;
  int64_t now = due, left = ticks;
  size_t last = at; // intervals [at, last) join the new one
  while (last < busy_.size()) {
    const Busy &b = busy_[last];
    if (b.begin > now) {
      int64_t gap = b.begin - now;
      if (left < gap)
        break;
      left -= gap;
    }
    now = std::max(now, b.end);
    ++last;
    if (left == 0)
      break;
  }
  int64_t end;
  if (left > 0) {
    end = now + left;
    now = end;
  } else {
    // It ended where the last of the joined intervals begins.
    end = busy_[last - 1].begin;
  }
  if (last == at) {
    busy_.insert(busy_.begin() + ptrdiff_t(at), {due, now});
    return end;
  }
  busy_[at] = {std::min(due, busy_[at].begin), now};
  busy_.erase(busy_.begin() + ptrdiff_t(at) + 1, busy_.begin() + ptrdiff_t(last));
  return end;
}

} // namespace accel::rt

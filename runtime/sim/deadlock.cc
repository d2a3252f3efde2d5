//===- deadlock.cc - Who waits for whom -----------------------------------===//
#include "deadlock.h"
#include "absl/strings/str_cat.h"
#include "disassemble.h"
#include <cstring>

namespace accel::rt {
namespace {
constexpr int64_t kMaxSteps = 1 << 20; // dispatches before the probe gives up
}

DeadlockProbe::DeadlockProbe(const DecodedProgram &program, const uint64_t *semaphore,
                             const InstrCode &blocked, const Place &place)
    : program_(program), first_{&blocked, place} {
  std::memcpy(semaphore_, semaphore, sizeof(semaphore_));
}

bool DeadlockProbe::Ready(const InstrCode &in) const {
  // Two waits for one semaphore add up.
  for (const Token &t : in.wait) {
    uint64_t need = 0;
    for (const Token &u : in.wait)
      if (u.semaphore == t.semaphore)
        need += u.count;
    if (t.semaphore && semaphore_[t.semaphore] < need)
      return false;
  }
  return true;
}

void DeadlockProbe::Finish(const InstrCode &in) {
  for (const Token &t : in.wait)
    if (t.semaphore)
      semaphore_[t.semaphore] -= t.count;
  for (const Token &t : in.signal)
    if (t.semaphore)
      semaphore_[t.semaphore] += t.count;
}

void DeadlockProbe::Pump() {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto &queue : queue_)
      while (!queue.empty() && Ready(*queue.front().instr)) {
        Finish(*queue.front().instr);
        const Pending &p = queue.front();
        firstPassed_ |= p.instr == first_.instr;
        queue.pop_front();
        moved = true;
      }
  }
}

std::string DeadlockProbe::Name(const Pending &p) const {
  std::string text = absl::StrCat(EngineName(p.instr->engine), " at ",
                                  PlaceName(program_.data(), p.place.routine, p.place.pc));
  if (p.place.routine)
    absl::StrAppend(&text, " called from main pc ", p.place.mainPc);
  if (p.place.node != kNone)
    absl::StrAppend(&text, ", node \"", program_.data().nodes[p.place.node].name, "\"");
  absl::StrAppend(&text, " [", Disassemble(program_, p.place.routine, p.place.pc), "]");
  return text;
}

std::string DeadlockProbe::Graph() const {
  std::string text;
  for (const auto &queue : queue_) {
    if (queue.empty())
      continue;
    const Pending &p = queue.front();
    for (const Token &t : p.instr->wait) {
      if (!t.semaphore || semaphore_[t.semaphore] >= t.count)
        continue;
      int by = program_.signaller[t.semaphore];
      absl::StrAppend(&text, "\n  ", Name(p), " waits for ", int(t.count), " of semaphore ",
                      int(t.semaphore), " (now ", semaphore_[t.semaphore], ") from ",
                      EngineName(by));
      if (by > kCtrl && queue_[by].empty())
        absl::StrAppend(&text, ", which is idle");
    }
  }
  return text;
}

absl::Status DeadlockProbe::Stuck(const std::string &ctrl) {
  return absl::FailedPreconditionError(
      absl::StrCat("sanitizer: deadlock; wait-for graph:", Graph(), "\n  CTRL ", ctrl));
}

absl::Status DeadlockProbe::Conclude(const std::string &why) {
  if (firstPassed_)
    return absl::FailedPreconditionError(absl::StrCat(
        "sanitizer: dispatch order is not a legal serial execution: the wait of ", Name(first_),
        " is met only by later instructions; with queues ", program_.data().target.queueDepth,
        " deep the machine goes on, with shallower ones it deadlocks"));
  return Stuck(why);
}

absl::Status DeadlockProbe::BlockedCtrl(const InstrCode &in, const Place &place) {
  for (const Token &t : in.wait)
    if (t.semaphore && semaphore_[t.semaphore] < t.count)
      return Stuck(absl::StrCat("at ", PlaceName(program_.data(), place.routine, place.pc),
                                " waits for ", int(t.count), " of semaphore ", int(t.semaphore),
                                " (now ", semaphore_[t.semaphore], ") from ",
                                EngineName(program_.signaller[t.semaphore])));
  return Stuck("waits twice for a semaphore");
}

absl::Status DeadlockProbe::Dispatch(const InstrCode &in, const Place &place) {
  if (++steps_ > kMaxSteps)
    return Conclude("was followed for 2^20 more dispatches");
  if (in.engine == kCtrl) {
    if (!Ready(in))
      return BlockedCtrl(in, place);
    Finish(in);
  } else {
    auto &queue = queue_[in.engine];
    if (int64_t(queue.size()) >= program_.data().target.queueDepth)
      return Stuck(absl::StrCat("at ", PlaceName(program_.data(), place.routine, place.pc),
                                " waits for room in the queue of ", EngineName(in.engine),
                                ", which is ", queue.size(), " deep"));
    queue.push_back({&in, place});
  }
  Pump();
  return firstPassed_ ? Conclude("") : absl::OkStatus();
}

} // namespace accel::rt

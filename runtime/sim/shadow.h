//===- shadow.h - Who wrote and read each byte ----------------------------===//
//
// Byte-exact, but kept by blocks: a block whose bytes have one history is one
// State; others hold a list of segments. Tiles touch whole blocks nearly
// always, so a check costs a few operations a block. On-chip memories have
// small blocks; DRAM, which is large and moved in long runs, larger ones.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_SHADOW_H
#define ACC_RUNTIME_SIM_SHADOW_H

#include "decoded.h"
#include "memory.h"

namespace accel::rt {

/// clock[e]: how many instructions of engine e are known to be complete.
struct VectorClock {
  uint32_t clock[kEngines] = {};
  void Join(const VectorClock &o) {
    for (int e = 0; e < kEngines; ++e)
      clock[e] = clock[e] > o.clock[e] ? clock[e] : o.clock[e];
  }
};

/// An instruction execution: engine and its number there (from 1).
struct Event {
  uint32_t bits = 0;
  static constexpr uint32_t kMaxNumber = (1u << 29) - 1;
  static constexpr uint32_t kInitial = 7u << 29; // before the run
  static Event Of(int engine, uint32_t number) { return {uint32_t(engine) << 29 | number}; }
  int engine() const { return int(bits >> 29); }
  uint32_t number() const { return bits & kMaxNumber; }
};

struct Hazard {
  enum Kind { None, Uninitialised, ReadAfterWrite, WriteAfterWrite, WriteAfterRead };
  Kind kind = None;
  int64_t begin = 0, end = 0; // bytes
  Event other;                // None for Uninitialised
};

class Shadow {
public:
  Shadow() = default;
  /// `initialised`: the memory has content before the run.
  static absl::StatusOr<Shadow> Create(int64_t bytes, bool initialised, bool isDram,
                                       const std::string &what);
  void Clear();

  /// Engine `e`, whose knowledge is `vc`, reads or writes [begin, end); the
  /// access is number vc.clock[e]. Returns the first hazard and records the
  /// access where there is none.
  Hazard Read(int e, const VectorClock &vc, int64_t begin, int64_t end);
  Hazard Write(int e, const VectorClock &vc, int64_t begin, int64_t end);
  /// First byte of [begin, end) that nothing wrote, or `end`.
  int64_t FirstUnwritten(int64_t begin, int64_t end) const;

private:
  struct State {
    uint32_t writer; // Event bits; 0: never
    uint32_t reader[kEngines];
    bool operator==(const State &o) const = default;
  };
  struct Block {
    State state;
    uint32_t detail; // index in details_ + 1; 0: one history
  };
  struct Segment {
    uint8_t begin, end; // within the block
    State state;
  };
  static constexpr int kLargestBlock = 128; // Segment counts in bytes

  template <bool kWrite> Hazard Access(int e, const VectorClock &vc, int64_t begin, int64_t end);
  template <bool kWrite>
  Hazard Part(Block &b, int e, const VectorClock &vc, int64_t blockBegin, int from, int to);
  template <bool kWrite>
  static Hazard Check(const State &s, int e, const VectorClock &vc, bool initialised);
  template <bool kWrite> static void Record(State &s, int e, uint32_t number);

  Pages pages_;
  Block *blocks_ = nullptr;
  bool initialised_ = false;
  int64_t block_ = 32; // bytes
  int shift_ = 5;
  std::vector<std::vector<Segment>> details_;
  std::vector<uint32_t> free_;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_SHADOW_H

//===- intervals.cc - Proves operand addresses before a run ---------------===//
//
// Abstract interpretation over intervals: each routine once, registers that it
// receives with their declared ranges (checked at every CALL), loop counters
// with their bounds. A register that a loop body writes is unknown at the
// body's start unless the body sets it first; so one pass over the code is a
// fixed point and the time is linear.
//
// Intervals do not see that, say, a base and a size shrink together at the
// border of a tensor, so not every legal program can be proven. The machine
// checks the box of every stream of every execution anyway; here only what is
// wrong for all values is refused, and the report says how much was proven.
//
//===----------------------------------------------------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "decoded.h"
#include "disassemble.h"
#include "stream_box.h"
#include <algorithm>
#include <bitset>
#include <limits>

namespace accel::rt {
namespace {

using Wide = __int128;

struct Interval {
  int64_t lo = std::numeric_limits<int64_t>::min();
  int64_t hi = std::numeric_limits<int64_t>::max();
  bool constant() const { return lo == hi; }
  bool unknown() const {
    return lo == std::numeric_limits<int64_t>::min() && hi == std::numeric_limits<int64_t>::max();
  }
};

constexpr Interval kUnknown;

/// Register arithmetic wraps: an interval that leaves 64 bits is unknown.
Interval Fit(Wide lo, Wide hi) {
  if (lo < kUnknown.lo || hi > kUnknown.hi)
    return kUnknown;
  return {int64_t(lo), int64_t(hi)};
}

Interval Join(Interval a, Interval b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

Interval Times(Interval a, Interval b) {
  Wide p[4] = {Wide(a.lo) * b.lo, Wide(a.lo) * b.hi, Wide(a.hi) * b.lo, Wide(a.hi) * b.hi};
  return Fit(*std::min_element(p, p + 4), *std::max_element(p, p + 4));
}

Interval Divided(Interval a, int64_t d) {
  if (d <= 0)
    return kUnknown;
  return {FloorDivide(a.lo, d), FloorDivide(a.hi, d)};
}

Interval Modulo(Interval a, int64_t d) {
  if (d <= 0)
    return kUnknown;
  int64_t turn = FloorDivide(a.lo, d);
  if (turn == FloorDivide(a.hi, d))
    return Fit(Wide(a.lo) - Wide(turn) * d, Wide(a.hi) - Wide(turn) * d);
  return {0, d - 1};
}

struct State {
  Interval r[kRegisters];
  State() { r[0] = {0, 0}; }
  void Set(uint8_t reg, Interval v) {
    if (reg)
      r[reg] = v;
  }
};

using RegisterSet = std::bitset<kRegisters>;

class Analyser {
public:
  explicit Analyser(DecodedProgram &p) : p_(p) {}

  absl::Status Run() {
    Writes();
    for (routine_ = 0; routine_ < p_.routines.size(); ++routine_) {
      State s;
      if (routine_ == 0)
        for (Interval &r : s.r)
          r = {0, 0}; // registers are zero when a run begins
      for (const RegisterRange &range : p_.routines[routine_].entry)
        s.Set(range.reg, {range.min, range.max});
      ACC_RETURN_IF_ERROR(Block(0, uint32_t(p_.routines[routine_].instrs.size()), s));
    }
    return absl::OkStatus();
  }

private:
  const InstrCode &At(uint32_t pc) const { return p_.routines[routine_].instrs[pc]; }

  /// Registers that each routine, with what it calls, may write. Calls are not
  /// recursive and at most 8 deep: repeated until nothing changes.
  void Writes() {
    writes_.resize(p_.routines.size());
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = 0; i < p_.routines.size(); ++i) {
        RegisterSet set = writes_[i];
        for (const InstrCode &in : p_.routines[i].instrs)
          set |= WrittenBy(in);
        changed |= set != writes_[i];
        writes_[i] = set;
      }
    }
  }

  RegisterSet WrittenBy(const InstrCode &in) const {
    RegisterSet set;
    if (in.op == Op::Call)
      return writes_[in.aux];
    if (in.op < Op::Sync && in.rd)
      set.set(in.rd);
    return set;
  }

  void Forget(uint32_t begin, uint32_t end, State &s) const {
    for (uint32_t pc = begin; pc < end; ++pc) {
      RegisterSet set = WrittenBy(At(pc));
      for (int r = 1; r < kRegisters; ++r)
        if (set[size_t(r)])
          s.r[r] = kUnknown;
    }
  }

  absl::Status Block(uint32_t begin, uint32_t end, State &s) {
    for (uint32_t pc = begin; pc < end;) {
      const InstrCode &in = At(pc);
      switch (in.op) {
      case Op::Loop:
      case Op::While: {
        State before = s;
        Forget(pc, in.target, s);
        State inside = s;
        if (in.op == Op::Loop && in.imm > 0) {
          int64_t trips = in.imm;
          if (in.ra)
            trips = std::min(trips, before.r[in.ra].hi);
          inside.Set(in.rd, {0, std::max<int64_t>(trips - 1, 0)});
        }
        ACC_RETURN_IF_ERROR(Block(pc + 1, in.target - 1, inside));
        for (int r = 1; r < kRegisters; ++r)
          s.r[r] = Join(before.r[r], inside.r[r]);
        pc = in.target;
        continue;
      }
      case Op::If: {
        State taken = s;
        ACC_RETURN_IF_ERROR(Block(pc + 1, in.target - 1, taken));
        for (int r = 1; r < kRegisters; ++r)
          s.r[r] = Join(s.r[r], taken.r[r]);
        pc = in.target;
        continue;
      }
      case Op::Call:
        ACC_RETURN_IF_ERROR(Arguments(in, pc, s));
        for (int r = 1; r < kRegisters; ++r)
          if (writes_[in.aux][size_t(r)])
            s.r[r] = kUnknown;
        break;
      case Op::Lds:
        s.Set(in.rd, LoadedRange(KType(in.rb)));
        break;
      default:
        if (in.op < Op::Sync)
          s.Set(in.rd, Scalar(in, s));
        else if (in.code != kNone)
          ACC_RETURN_IF_ERROR(Operands(p_.routines[routine_].engine[in.code], pc, s));
        break;
      }
      ++pc;
    }
    return absl::OkStatus();
  }

  static Interval LoadedRange(KType t) {
    switch (t) {
    case KType::Bool:
    case KType::U8:
      return {0, 255};
    case KType::I8:
      return {-128, 127};
    case KType::I16:
      return {-32768, 32767};
    case KType::U16:
      return {0, 65535};
    case KType::I32:
      return {-(int64_t(1) << 31), (int64_t(1) << 31) - 1};
    case KType::U32:
      return {0, (int64_t(1) << 32) - 1};
    default:
      return kUnknown;
    }
  }

  static Interval Scalar(const InstrCode &in, const State &s) {
    Interval a = s.r[in.ra], b = s.r[in.rb], i = {in.imm, in.imm};
    switch (in.op) {
    case Op::Li:
      return i;
    case Op::Add:
      return Fit(Wide(a.lo) + b.lo, Wide(a.hi) + b.hi);
    case Op::AddI:
      return Fit(Wide(a.lo) + in.imm, Wide(a.hi) + in.imm);
    case Op::Sub:
      return Fit(Wide(a.lo) - b.hi, Wide(a.hi) - b.lo);
    case Op::Mul:
      return Times(a, b);
    case Op::MulI:
      return Times(a, i);
    case Op::Div:
      return b.constant() ? Divided(a, b.lo) : kUnknown;
    case Op::DivI:
      return Divided(a, in.imm);
    case Op::Mod:
      return b.constant() ? Modulo(a, b.lo) : kUnknown;
    case Op::ModI:
      return Modulo(a, in.imm);
    case Op::MinI:
      b = i;
      [[fallthrough]];
    case Op::Min:
      return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
    case Op::MaxI:
      b = i;
      [[fallthrough]];
    case Op::Max:
      return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
    case Op::CmpLt:
    case Op::CmpEq:
    case Op::CmpLtI:
    case Op::CmpEqI:
      return {0, 1};
    case Op::And:
      if (a.lo >= 0 || b.lo >= 0)
        return {0, a.lo < 0 ? b.hi : b.lo < 0 ? a.hi : std::min(a.hi, b.hi)};
      return kUnknown;
    case Op::Shl:
      if (b.constant() && b.lo >= 0 && b.lo < 62)
        return Times(a, {int64_t(1) << b.lo, int64_t(1) << b.lo});
      return kUnknown;
    case Op::Shr:
      if (b.constant() && b.lo >= 0 && b.lo < 64)
        return {a.lo >> b.lo, a.hi >> b.lo};
      return kUnknown;
    default:
      return kUnknown;
    }
  }

  absl::Status Arguments(const InstrCode &in, uint32_t pc, const State &s) const {
    for (const RegisterRange &range : p_.routines[in.aux].entry) {
      const Interval &v = s.r[range.reg];
      if (v.hi < range.min || v.lo > range.max)
        return absl::InvalidArgumentError(
            absl::StrCat("program refused: ", PlaceName(p_.data(), routine_, pc), ": r",
                         int(range.reg), " is in ", v.lo, "..", v.hi, ", routine ", in.aux,
                         " takes ", range.min, "..", range.max));
    }
    return absl::OkStatus();
  }

  absl::Status Operands(const EngineCode &c, uint32_t pc, const State &s) const {
    int64_t size[kDims];
    bool never = false, exactSize = true;
    for (int d = 0; d < kDims; ++d) {
      size[d] = c.size[d];
      if (c.sizeReg[d]) {
        const Interval &v = s.r[c.sizeReg[d]];
        if (v.hi < 0 || v.lo > size[d])
          return absl::InvalidArgumentError(absl::StrCat(
              "program refused: ", PlaceName(p_.data(), routine_, pc), ": size of dimension ", d,
              " is in ", v.lo, "..", v.hi, ", its bound is ", size[d]));
        exactSize &= v.constant();
        size[d] = std::min(size[d], v.hi);
      }
      never |= size[d] == 0;
    }
    for (int i = 0; i < c.streams; ++i) {
      ++p_.report.streams;
      if (never) {
        ++p_.report.provenStreams;
        continue;
      }
      int64_t walked[kDims];
      WalkedSize(c, i, size, walked);
      ACC_RETURN_IF_ERROR(Stream(c, i, walked, exactSize, pc, s));
    }
    return absl::OkStatus();
  }

  absl::Status Stream(const EngineCode &c, int index, const int64_t size[kDims], bool exactSize,
                      uint32_t pc, const State &s) const {
    const StreamCode &code = c.stream[index];
    Wide lo = code.k.base, hi = code.k.base;
    bool exact = exactSize && !code.k.windowed;
    for (int b = 0; b < code.baseRegs; ++b) {
      const Interval &v = s.r[code.baseReg[b]];
      lo += v.lo;
      hi += v.hi;
      exact &= v.constant();
    }
    for (int d = 0; d < kDims; ++d) {
      Wide reach = Wide(code.k.stride[d]) * (size[d] - 1);
      (reach < 0 ? lo : hi) += reach;
    }
    hi += KTypeBytes(code.k.type);
    if (code.k.windowed)
      for (int w = 0; w < 2; ++w)
        Coordinate(code, w, size, s, lo, hi);
    int64_t limit = code.space == Space::Sram  ? p_.data().target.sramBytes
                    : code.space == Space::Acc ? p_.data().target.accBytes
                                               : p_.regionBytes[code.region];
    if (lo >= 0 && hi <= limit) {
      ++p_.report.provenStreams;
      return absl::OkStatus();
    }
    // Which of its rows a list selects, only a run knows.
    bool indexed = c.op == Op::DmaGather || c.op == Op::DmaScatter;
    if (!exact || indexed)
      return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "program refused: ", PlaceName(p_.data(), routine_, pc), ": stream ", index, " ",
        code.write ? "writes" : "reads", " bytes [", int64_t(lo), ", ", int64_t(hi), ") of ",
        code.space == Space::Sram  ? "SRAM"
        : code.space == Space::Acc ? "the accumulators"
                                   : absl::StrCat("region ", int(code.region)),
        ", which has ", limit, " bytes [", Disassemble(p_, routine_, pc), "]"));
  }

  static void Coordinate(const StreamCode &code, int w, const int64_t size[kDims], const State &s,
                         Wide &lo, Wide &hi) {
    const WindowCoord &k = code.k.coord[w];
    if (!k.Used() && !code.startReg[w])
      return;
    Interval start = s.r[code.startReg[w]], org = s.r[code.orgReg[w]];
    Wide from = Wide(k.start) + start.lo, to = Wide(k.start) + start.hi;
    for (auto [dim, mul] : {std::pair(k.dimA, k.mulA), std::pair(k.dimB, k.mulB)})
      if (dim < kDims) {
        Wide reach = Wide(mul) * (size[dim] - 1);
        (reach < 0 ? from : to) += reach;
      }
    if (k.div > 1) {
      from = from / k.div - 1;
      to = to / k.div + 1;
    }
    if (k.bound != kUnbounded) {
      from = std::max<Wide>(from, 0);
      to = std::max<Wide>(std::min<Wide>(to, Wide(k.bound) - 1), from);
    }
    from -= org.hi;
    to -= org.lo;
    if (k.mod) {
      Wide m = k.mod, turn = from >= 0 ? from / m : -((-from + m - 1) / m);
      if (to < (turn + 1) * m) {
        from -= turn * m;
        to -= turn * m;
      } else {
        from = 0;
        to = m - 1;
      }
    }
    // Positions may reach 2^66: products are clamped far outside of any memory.
    constexpr Wide kFar = Wide(1) << 66;
    from = std::clamp<Wide>(from, -kFar, kFar) * k.stride;
    to = std::clamp<Wide>(to, -kFar, kFar) * k.stride;
    lo += std::min(from, to);
    hi += std::max(from, to);
  }

  DecodedProgram &p_;
  std::vector<RegisterSet> writes_;
  uint32_t routine_ = 0;
};

} // namespace

absl::Status AnalyseRanges(DecodedProgram &program) { return Analyser(program).Run(); }

} // namespace accel::rt

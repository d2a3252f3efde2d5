//===- intervals.cc - Proves what registers hold before a run -------------===//
//
// Abstract interpretation of every routine once, callees first: which registers
// are written where they are read, and which values they can have. A routine
// starts from its declared registers, which each CALL must meet, and leaves
// behind intervals of what it wrote.
//
// At the start of a loop's body a register that the body writes is
//   * the counter: 0 up to trips − 1;
//   * stepped (each trip adds the same constant, whatever the body does with it on
//     the way): the value before the loop plus trip · constant;
//   * else an interval that holds for every trip: what the body makes of any
//     value, joined with the value before (always right), or narrower where a
//     guess proves inductive.
// So the work is linear in the code but for guesses, whose number is bounded.
//
// A program is refused if an operand could leave its memory, if a size or an
// argument could leave its range, or if a register is read that nothing wrote.
//
//===----------------------------------------------------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "operand_proof.h"
#include "stream_box.h"
#include <algorithm>

namespace accel::rt {
namespace {

/// Steps of all proofs, and instructions looked at again for guesses.
constexpr int64_t kFreeWork = 2000000, kWorkEach = 64;

class Analyser {
public:
  explicit Analyser(DecodedProgram &p) : p_(p), atoms_(Budget(p)), guesses_(Budget(p)) {}

  absl::Status Run() {
    Order();
    Writes();
    exits_.resize(p_.routines.size());
    for (uint32_t r : order_) {
      routine_ = r;
      atoms_.Clear();
      State s(atoms_);
      for (const RegisterRange &range : p_.routines[r].entry)
        s.Set(range.reg, {range.min, range.max}, StepsOf(range));
      ACC_RETURN_IF_ERROR(Block(0, uint32_t(p_.routines[r].instrs.size()), s));
      Leave(s);
    }
    return absl::OkStatus();
  }

private:
  static int64_t Budget(const DecodedProgram &p) {
    int64_t n = 0;
    for (const RoutineCode &r : p.routines)
      n += int64_t(r.instrs.size());
    return kFreeWork + kWorkEach * n;
  }

  const InstrCode &At(uint32_t pc) const { return p_.routines[routine_].instrs[pc]; }

  template <typename... Args> absl::Status Bad(uint32_t pc, const Args &...args) const {
    return absl::InvalidArgumentError(
        absl::StrCat("program refused: ", PlaceName(p_.data(), routine_, pc), ": ", args...));
  }

  static Residue StepsOf(const RegisterRange &range) {
    return Residue::OfConstant(range.min).Join(
        Residue::OfConstant(int64_t(uint64_t(range.min) + uint64_t(range.step))));
  }

  /// Callees before callers; calls do not recurse.
  void Order() {
    std::vector<uint8_t> seen(p_.routines.size());
    struct Visit {
      uint32_t routine;
      size_t pc;
    };
    for (uint32_t root = 0; root < p_.routines.size(); ++root) {
      if (seen[root])
        continue;
      seen[root] = true;
      std::vector<Visit> stack = {{root, 0}};
      while (!stack.empty()) {
        const std::vector<InstrCode> &code = p_.routines[stack.back().routine].instrs;
        size_t &pc = stack.back().pc;
        while (pc < code.size() && (code[pc].op != Op::Call || seen[code[pc].aux]))
          ++pc;
        if (pc == code.size()) {
          order_.push_back(stack.back().routine);
          stack.pop_back();
          continue;
        }
        seen[code[pc].aux] = true;
        stack.push_back({code[pc].aux, 0});
      }
    }
  }

  /// Registers that each routine, with what it calls, may write.
  void Writes() {
    writes_.resize(p_.routines.size());
    for (uint32_t r : order_)
      for (const InstrCode &in : p_.routines[r].instrs)
        writes_[r] |= WrittenBy(in);
  }

  RegisterSet WrittenBy(const InstrCode &in) const {
    RegisterSet set;
    if (in.op == Op::Call)
      return writes_[in.aux];
    if (in.op < Op::Sync && in.rd)
      set.set(in.rd);
    return set;
  }

  /// What a caller finds after the call.
  void Leave(State &s) {
    for (int r = 1; r < kRegisters; ++r)
      if (writes_[routine_][size_t(r)])
        exits_[routine_].push_back(
            {uint8_t(r), s.defined[size_t(r)], s.RangeOf(r), s.ResidueOf(r)});
  }

  absl::Status Block(uint32_t begin, uint32_t end, State &s) {
    for (uint32_t pc = begin; pc < end;) {
      const InstrCode &in = At(pc);
      if (quiet_)
        --guesses_;
      ACC_RETURN_IF_ERROR(Reads(in, pc, s));
      switch (in.op) {
      case Op::Loop:
      case Op::While:
        ACC_RETURN_IF_ERROR(Loop(pc, s));
        pc = in.target;
        continue;
      case Op::If:
        ACC_RETURN_IF_ERROR(If(pc, s));
        pc = in.target;
        continue;
      case Op::Call:
        ACC_RETURN_IF_ERROR(Call(in, pc, s));
        break;
      case Op::Lds:
        ACC_RETURN_IF_ERROR(Load(in, pc, s));
        break;
      default:
        if (in.op < Op::Sync)
          s.Scalar(in);
        else if (in.code != kNone && !quiet_)
          ACC_RETURN_IF_ERROR(
              ProveOperands(p_, p_.routines[routine_].engine[in.code], {routine_, pc}, s));
        break;
      }
      ++pc;
    }
    return absl::OkStatus();
  }

  /// Every register that the instruction reads was written on every way here.
  absl::Status Reads(const InstrCode &in, uint32_t pc, const State &s) const {
    if (quiet_)
      return absl::OkStatus();
    int missing = 0;
    auto read = [&](uint8_t reg) {
      if (reg && !s.defined[reg] && !missing)
        missing = reg;
    };
    if (in.op < Op::Sync) {
      read(in.ra);
      if (in.op != Op::Lds)
        read(in.rb);
    } else if (in.code != kNone) {
      ForEachRegister(p_.routines[routine_].engine[in.code], read);
    }
    return missing ? Bad(pc, "reads r", missing, ", which nothing wrote before on some way here")
                   : absl::OkStatus();
  }

  absl::Status If(uint32_t pc, State &s) {
    const InstrCode &in = At(pc);
    State taken = s;
    std::vector<Atoms::Narrowed> log;
    atoms_.Assume(taken.Get(in.ra), log);
    absl::Status status = Block(pc + 1, in.target - 1, taken);
    atoms_.Undo(log);
    ACC_RETURN_IF_ERROR(status);
    s.Join(taken);
    return absl::OkStatus();
  }

  absl::Status Call(const InstrCode &in, uint32_t pc, State &s) {
    if (!quiet_)
      for (const RegisterRange &range : p_.routines[in.aux].entry) {
        if (!s.defined[range.reg])
          return Bad(pc, "routine ", in.aux, " takes r", int(range.reg),
                     ", which nothing wrote before on some way here");
        Form v = s.Get(range.reg), below = Form::Of(range.min), above = v;
        Residue step = StepsOf(range);
        Residue residue = atoms_.ResidueOf(v).Join(step);
        bool inside = below.Add(v, -1) && above.Add(Form::Of(range.max), -1) &&
                      atoms_.AtMostZero(below) && atoms_.AtMostZero(above);
        if (inside && residue.step == step.step)
          continue;
        Interval have = s.RangeOf(range.reg);
        return Bad(pc, "r", int(range.reg), " is in ", have.lo, "..", have.hi, ", routine ", in.aux,
                   " takes ", range.min, "..", range.max,
                   inside ? absl::StrCat(" step ", range.step) : "");
      }
    for (const Exit &e : exits_[in.aux]) {
      bool wasDefined = s.defined[e.reg];
      s.Set(e.reg, e.range, e.residue);
      s.defined[e.reg] = wasDefined || e.defined;
    }
    return absl::OkStatus();
  }

  absl::Status Load(const InstrCode &in, uint32_t pc, State &s) {
    KType type = KType(in.rb);
    Form address = s.Get(in.ra), end = Form::Of(0);
    int64_t limit = p_.data().target.sramBytes - KTypeBytes(type);
    bool inside = address.Add(Form::Of(in.imm));
    Form below = Form::Of(0);
    end = address;
    inside = inside && below.Add(address, -1) && end.Add(Form::Of(limit), -1) &&
             atoms_.AtMostZero(below) && atoms_.AtMostZero(end);
    if (!inside && !quiet_)
      return Bad(pc, "LDS could read outside of SRAM, which has ", p_.data().target.sramBytes,
                 " bytes: r", int(in.ra), " is in ", s.RangeOf(in.ra).lo, "..",
                 s.RangeOf(in.ra).hi);
    s.Set(in.rd, LoadedRange(type), {});
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
      return {};
    }
  }

  //===-- Loops -----------------------------------------------------------===//

  /// What the body does to registers, from its text alone.
  struct Body {
    RegisterSet writes, exposed;   // exposed: read before a certain write
    int64_t step[kRegisters] = {}; // 0: not stepped
  };

  Body Look(uint32_t begin, uint32_t end) const {
    Body b;
    RegisterSet certain;
    int count[kRegisters] = {}, depth = 0;
    auto read = [&](uint8_t reg) {
      if (!certain[reg])
        b.exposed.set(reg);
    };
    for (uint32_t pc = begin; pc < end; ++pc) {
      const InstrCode &in = At(pc);
      if (in.op == Op::Call) {
        for (const RegisterRange &r : p_.routines[in.aux].entry)
          read(r.reg);
      } else if (in.op < Op::Sync) {
        read(in.ra);
        if (in.op != Op::Lds)
          read(in.rb);
      } else if (in.code != kNone) {
        ForEachRegister(p_.routines[routine_].engine[in.code], read);
      }
      RegisterSet set = WrittenBy(in);
      b.writes |= set;
      for (int r = 1; set.any() && r < kRegisters; ++r)
        if (set[size_t(r)])
          count[r] += in.op == Op::Call ? 2 : 1;
      if (depth == 0 && in.op == Op::AddI && in.rd == in.ra)
        b.step[in.rd] = in.imm;
      else if (depth == 0 && in.op < Op::Loop && in.rd)
        certain.set(in.rd);
      if (in.op == Op::Loop || in.op == Op::While || in.op == Op::If)
        ++depth;
      else if (in.op == Op::End)
        --depth;
    }
    for (int r = 0; r < kRegisters; ++r)
      if (count[r] != 1)
        b.step[r] = 0;
    return b;
  }

  absl::Status Loop(uint32_t pc, State &s) {
    const InstrCode &in = At(pc);
    const bool isWhile = in.op == Op::While;
    Body body = Look(pc + 1, in.target - 1);
    // Trips: at most `most`, and `trips` if that is what decides.
    int64_t most = in.imm;
    Form trips = Form::Of(in.imm);
    bool isExact = !isWhile;
    if (!isWhile && in.ra) {
      trips = s.Get(in.ra);
      Interval range = s.RangeOf(in.ra);
      isExact = range.lo >= 0 && range.hi <= in.imm;
      most = std::min(in.imm, range.hi);
    }
    const bool always = isExact && atoms_.Lowest(trips) >= 1;
    if (!isWhile && in.rd)
      body.writes.set(in.rd), body.step[in.rd] = 0, body.exposed.reset(in.rd);

    Form last = trips; // trips − 1
    if (!last.Add(Form::Of(-1)))
      last = Form::Of(most);
    const State before = s;
    RegisterSet guessed; // registers without a closed form
    State head = s;
    Form trip = atoms_.Counter(std::max<int64_t>(most - 1, 0), isWhile ? Form::Of(most) : last);
    for (int r = 1; r < kRegisters; ++r) {
      if (!body.writes[size_t(r)])
        continue;
      Form stepped = head.Get(uint8_t(r));
      if (body.step[r] && stepped.Add(trip, body.step[r]) && head.SetForm(uint8_t(r), stepped))
        continue;
      body.step[r] = 0;
      head.Forget(uint8_t(r));
      if (body.exposed[size_t(r)] && before.defined[size_t(r)])
        guessed.set(size_t(r));
    }
    if (!isWhile && in.rd)
      head.SetForm(in.rd, trip);
    head.defined = before.defined;
    if (!isWhile && in.rd)
      head.defined.set(in.rd);
    if (guessed.any())
      ACC_RETURN_IF_ERROR(Close(pc, before, trip, guessed, body.step, head));
    if (guessed.any())
      ACC_RETURN_IF_ERROR(Guess(pc, before, guessed, head));

    State inside = head;
    ACC_RETURN_IF_ERROR(Block(pc + 1, in.target - 1, inside));
    if (always)
      s = inside;
    else
      s.Join(inside);
    State entry = before;
    for (int r = 1; r < kRegisters; ++r)
      if (body.step[r]) {
        Form after = entry.Get(uint8_t(r));
        Form count = isExact ? trips : atoms_.Free({0, std::max<int64_t>(most, 0)});
        if (!after.Add(count, body.step[r]) || !s.SetForm(uint8_t(r), after))
          s.Forget(uint8_t(r));
        s.defined[size_t(r)] = before.defined[size_t(r)];
      }
    if (isWhile)
      s.Set(in.ra, {0, 0}, Residue::OfConstant(0));
    return absl::OkStatus();
  }

  /// The body, to see what it makes of `head`.
  absl::Status Try(uint32_t pc, const State &head, State &end) {
    const bool wasQuiet = quiet_;
    quiet_ = true;
    end = head;
    absl::Status status = Block(pc + 1, At(pc).target - 1, end);
    quiet_ = wasQuiet;
    return status;
  }

  /// Finds out whether the body adds a constant to each register in `which`: then
  /// they are stepped, and `which` is empty. The body is tried with values up to
  /// 2^60, which the steps then must not leave.
  absl::Status Close(uint32_t pc, const State &before, const Form &trip, RegisterSet &which,
                     int64_t step[kRegisters], State &head) {
    constexpr int64_t kFar = int64_t(1) << 60;
    if (guesses_ <= 0)
      return absl::OkStatus();
    State any = head, end(atoms_), entry = before, closed = head;
    Form start[kRegisters];
    for (int r = 1; r < kRegisters; ++r)
      if (which[size_t(r)]) {
        any.Set(uint8_t(r), {-kFar, kFar}, {});
        start[r] = any.Get(uint8_t(r));
      }
    ACC_RETURN_IF_ERROR(Try(pc, any, end));
    int64_t found[kRegisters] = {};
    for (int r = 1; r < kRegisters; ++r) {
      if (!which[size_t(r)])
        continue;
      Form change = end.Get(uint8_t(r)), value = entry.Get(uint8_t(r));
      if (!change.Add(start[r], -1) || !change.isConstant() || !value.Add(trip, change.constant) ||
          atoms_.Lowest(value) < -kFar || atoms_.Highest(value) > kFar)
        return absl::OkStatus();
      found[r] = change.constant;
      closed.SetForm(uint8_t(r), value);
    }
    for (int r = 1; r < kRegisters; ++r)
      if (which[size_t(r)])
        step[r] = found[r];
    head = closed;
    which.reset();
    return absl::OkStatus();
  }

  /// Narrows the registers in `which`, of which `head` says nothing yet.
  absl::Status Guess(uint32_t pc, const State &before, RegisterSet which, State &head) {
    if (guesses_ <= 0)
      return absl::OkStatus();
    State any(atoms_), end(atoms_);
    any = head;
    ACC_RETURN_IF_ERROR(Try(pc, any, end));
    // The body's results of any value at all, and the value before.
    Interval sure[kRegisters], narrow[kRegisters];
    Residue residue[kRegisters];
    State entry = before;
    for (int r = 1; r < kRegisters; ++r) {
      if (!which[size_t(r)])
        continue;
      const Interval b = entry.RangeOf(r), e = end.RangeOf(r);
      sure[r] = {std::min(b.lo, e.lo), std::max(b.hi, e.hi)};
      residue[r] = entry.ResidueOf(r).Join(end.ResidueOf(r));
      head.Set(uint8_t(r), sure[r], residue[r]);
    }
    // It only grows, or only shrinks: true if the body keeps it so.
    for (bool grows : {true, false}) {
      if (guesses_ <= 0)
        return absl::OkStatus();
      State guess = head;
      for (int r = 1; r < kRegisters; ++r)
        if (which[size_t(r)]) {
          const Interval b = entry.RangeOf(r);
          narrow[r] = grows ? Interval{b.lo, sure[r].hi} : Interval{sure[r].lo, b.hi};
          guess.Set(uint8_t(r), narrow[r], residue[r]);
        }
      ACC_RETURN_IF_ERROR(Try(pc, guess, end));
      bool holds = true;
      for (int r = 1; r < kRegisters; ++r)
        if (which[size_t(r)]) {
          const Interval e = end.RangeOf(r);
          holds &= e.lo >= narrow[r].lo && e.hi <= narrow[r].hi;
        }
      if (holds) {
        head = guess;
        return absl::OkStatus();
      }
    }
    return absl::OkStatus();
  }

  struct Exit {
    uint8_t reg;
    bool defined;
    Interval range;
    Residue residue;
  };

  DecodedProgram &p_;
  Atoms atoms_;
  int64_t guesses_;
  std::vector<uint32_t> order_;
  std::vector<RegisterSet> writes_;
  std::vector<std::vector<Exit>> exits_;
  uint32_t routine_ = 0;
  bool quiet_ = false;
};

} // namespace

absl::Status AnalyseRanges(DecodedProgram &program) { return Analyser(program).Run(); }

} // namespace accel::rt

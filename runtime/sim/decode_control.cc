//===- decode_control.cc - Instructions, tokens, nesting ------------------===//
#include "acc/runtime/status_macros.h"
#include "disassemble.h"
#include "routine_decoder.h"
#include <cstring>

namespace accel::rt {
namespace {

bool IsControl(Op op) { return op <= Op::Lds && op != Op(0x19); }

bool KnownOp(uint8_t op) {
  return op <= 0x18 || (op >= 0x20 && op <= 0x26) || op == 0x30 || (op >= 0x40 && op <= 0x42) ||
         op == 0x50 || op == 0x51 || (op >= 0x60 && op <= 0x64);
}

/// Which operand fields an opcode uses.
struct Fields {
  bool rd, ra, rb, imm, aux;
};
Fields FieldsOf(Op op) {
  switch (op) {
  case Op::Nop:
  case Op::Halt:
  case Op::Ret:
  case Op::End:
    return {};
  case Op::Li:
    return {true, false, false, true, false};
  case Op::Loop:
    return {true, true, false, true, true};
  case Op::If:
    return {false, true, false, false, true};
  case Op::While:
    return {false, true, false, true, true};
  case Op::Call:
    return {false, false, false, false, true};
  case Op::Lds:
    return {true, true, true, true, false};
  case Op::AddI:
  case Op::MulI:
  case Op::DivI:
  case Op::ModI:
  case Op::MinI:
  case Op::MaxI:
  case Op::CmpLtI:
  case Op::CmpEqI:
    return {true, true, false, true, false};
  default:
    return {true, true, true, false, false};
  }
}

} // namespace

absl::Status RoutineDecoder::Run() {
  size_t count = info_.code.size() / 16;
  out_.instrs.resize(count);
  out_.bytes = int64_t(info_.code.size() + info_.slots.size());
  for (pc_ = 0; pc_ < count; ++pc_) {
    const uint8_t *bytes = info_.code.data() + size_t(pc_) * 16;
    if (!KnownOp(bytes[0]))
      return Bad("unknown opcode ", int(bytes[0]));
    InstrCode &in = out_.instrs[pc_];
    in.op = Op(bytes[0]);
    if (IsControl(in.op))
      ACC_RETURN_IF_ERROR(Control(bytes, in));
    else
      ACC_RETURN_IF_ERROR(Engine(bytes, in));
  }
  for (uint16_t v : vprogs_)
    out_.bytes += int64_t(p_.data().vprogs[v].size());
  return Nesting();
}

absl::Status RoutineDecoder::Control(const uint8_t *bytes, InstrCode &in) {
  enc::CtrlInstr c;
  std::memcpy(&c, bytes, sizeof(c));
  Fields use = FieldsOf(in.op);
  if (c.rd >= kRegisters || c.ra >= kRegisters || (in.op != Op::Lds && c.rb >= kRegisters))
    return Bad("register number above 63");
  if ((!use.rd && c.rd) || (!use.ra && c.ra) || (!use.rb && c.rb) || (!use.imm && c.imm) ||
      (!use.aux && c.aux))
    return Bad("unused field of opcode ", int(c.op), " is not zero");
  in.rd = c.rd;
  in.ra = c.ra;
  in.rb = c.rb;
  in.imm = c.imm;
  in.aux = c.aux;
  if ((in.op == Op::DivI || in.op == Op::ModI) && c.imm == 0)
    return Bad("division by the constant 0");
  if ((in.op == Op::Loop || in.op == Op::While) && c.imm < 0)
    return Bad("negative trip bound ", c.imm);
  if (in.op == Op::Call && (c.aux == 0 || c.aux >= p_.routines.size()))
    return Bad("CALL of routine ", c.aux, " of ", p_.routines.size());
  if (in.op == Op::Lds && (KTypeBytes(KType(c.rb)) == 0 || c.rb > uint8_t(KType::Bool) ||
                           (c.rb >= uint8_t(KType::F32) && c.rb <= uint8_t(KType::F64))))
    return Bad("LDS of element type ", int(c.rb), "; it must be an integer type");
  if (in.op == Op::Lds && (c.imm < -kMaxAddress || c.imm > kMaxAddress))
    return Bad("LDS offset ", c.imm);
  return absl::OkStatus();
}

absl::Status RoutineDecoder::Tokens(const enc::EngineInstr &e, InstrCode &in) {
  for (int i = 0; i < 4; ++i) {
    Token t{e.tokens[2 * i], e.tokens[2 * i + 1]};
    bool wait = i < 2;
    if (t.semaphore >= kSemaphores)
      return Bad("semaphore ", int(t.semaphore), " above 127");
    if ((t.semaphore == 0) != (t.count == 0))
      return Bad(wait ? "wait" : "signal", " of semaphore ", int(t.semaphore), " with count ",
                 int(t.count));
    (wait ? in.wait[i] : in.signal[i - 2]) = t;
    if (!t.semaphore)
      continue;
    int8_t &owner = wait ? p_.waiter[t.semaphore] : p_.signaller[t.semaphore];
    if (owner >= 0 && owner != in.engine)
      return Bad("semaphore ", int(t.semaphore), wait ? " is waited for" : " is signalled", " by ",
                 EngineName(in.engine), " here and by ", EngineName(owner), " elsewhere");
    owner = int8_t(in.engine);
  }
  return absl::OkStatus();
}

absl::Status RoutineDecoder::Engine(const uint8_t *bytes, InstrCode &in) {
  enc::EngineInstr e;
  std::memcpy(&e, bytes, sizeof(e));
  in.engine = e.engine;
  if (e.zero || e.engine >= kEngines)
    return Bad("engine ", int(e.engine), ", reserved byte ", int(e.zero));
  bool isDma = in.op >= Op::Dma && in.op <= Op::DmaScatter;
  bool isMxu = in.op == Op::Mxu || in.op == Op::MxuDw;
  bool isVec = in.op >= Op::Vec;
  if (isDma   ? (e.engine < kLd0 || e.engine > kSt)
      : isMxu ? e.engine != kMxu
              : isVec && e.engine != kVec)
    return Bad("opcode ", int(e.op), " on engine ", EngineName(e.engine));
  if (int(e.reason) >= kReasons)
    return Bad("unknown reason ", int(e.reason));
  if ((!isVec && e.vprog) || (!isDma && e.reason))
    return Bad("unused field of opcode ", int(e.op), " is not zero");
  in.reason = Reason(e.reason);
  ACC_RETURN_IF_ERROR(Tokens(e, in));
  if (in.op == Op::Sync)
    return e.desc ? Bad("SYNC with a descriptor") : absl::OkStatus();
  if (in.op > Op::Vec)
    return absl::UnimplementedError(
        absl::StrCat("program refused: ", PlaceName(p_.data(), index_, pc_), ": ", OpName(in.op),
                     " is reserved by ISA version 1; this simulator does not execute it"));
  EngineCode code;
  ACC_RETURN_IF_ERROR(Descriptors(e, in, code));
  if (isDma)
    ACC_RETURN_IF_ERROR(CheckDma(in, code));
  else if (isMxu)
    ACC_RETURN_IF_ERROR(CheckMxu(in, code));
  else
    ACC_RETURN_IF_ERROR(CheckVec(e, code));
  if (in.reason != Reason::None && code.dram < 0)
    return Bad("a reason for DRAM traffic on a transfer inside of SRAM");
  in.code = uint32_t(out_.engine.size());
  out_.engine.push_back(std::move(code));
  return absl::OkStatus();
}

/// Openers and ENDs match, at most 8 deep; main is a straight line that ends
/// with HALT, other routines end with RET.
absl::Status RoutineDecoder::Nesting() {
  std::vector<uint32_t> open;
  std::vector<InstrCode> &code = out_.instrs;
  for (pc_ = 0; pc_ < code.size(); ++pc_) {
    InstrCode &in = code[pc_];
    switch (in.op) {
    case Op::Loop:
    case Op::If:
    case Op::While:
      if (index_ == 0)
        return Bad("main is a straight line of instructions and calls");
      if (open.size() == kMaxNesting)
        return Bad("control nested deeper than ", kMaxNesting);
      if (in.aux == 0 || in.aux >= code.size() - pc_ || code[pc_ + in.aux].op != Op::End)
        return Bad("its body of ", in.aux, " instructions does not end with END");
      in.target = pc_ + in.aux + 1;
      if (!open.empty() && in.target > code[open.back()].target - 1)
        return Bad("its body reaches out of the enclosing one");
      code[pc_ + in.aux].target = pc_;
      open.push_back(pc_);
      break;
    case Op::End:
      if (open.empty() || code[open.back()].target != pc_ + 1)
        return Bad("END without an opener");
      open.pop_back();
      break;
    case Op::Halt:
      if (index_ != 0 || pc_ + 1 != code.size())
        return Bad("HALT anywhere but at the end of main");
      break;
    case Op::Ret:
      if (index_ == 0 || pc_ + 1 != code.size())
        return Bad("RET anywhere but at the end of a routine");
      break;
    default:
      break;
    }
  }
  pc_ = uint32_t(code.size() - 1);
  Op last = code.back().op;
  if (last != (index_ == 0 ? Op::Halt : Op::Ret))
    return Bad("the routine must end with ", index_ == 0 ? "HALT" : "RET");
  return absl::OkStatus();
}

} // namespace accel::rt

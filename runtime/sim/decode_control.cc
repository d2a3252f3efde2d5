//===- decode_control.cc - Instructions, tokens, nesting ------------------===//
//
// What one instruction shows by itself is checked by isa.h; here is what needs
// the program around it.
//
//===----------------------------------------------------------------------===//
#include "acc/runtime/status_macros.h"
#include "routine_decoder.h"

namespace accel::rt {

absl::Status RoutineDecoder::Run() {
  size_t count = info_.code.size() / isa::kInstrBytes;
  out_.instrs.resize(count);
  out_.bytes = int64_t(info_.code.size() + info_.slots.size());
  for (pc_ = 0; pc_ < count; ++pc_) {
    isa::Instr instr = isa::DecodeInstr(info_.code.data() + size_t(pc_) * isa::kInstrBytes);
    if (absl::Status s = isa::VerifyInstr(instr); !s.ok())
      return At(s);
    InstrCode &in = out_.instrs[pc_];
    in.op = Op(instr.opcode());
    if (instr.isControl)
      ACC_RETURN_IF_ERROR(Control(instr.control, in));
    else
      ACC_RETURN_IF_ERROR(Engine(instr, in));
  }
  for (uint16_t v : vprogs_)
    out_.bytes += int64_t(p_.data().vprogs[v].size());
  return Nesting();
}

absl::Status RoutineDecoder::Control(const isa::CtrlWord &w, InstrCode &in) {
  in.rd = w.rd;
  in.ra = w.ra;
  in.rb = w.rb;
  in.imm = w.imm;
  in.aux = w.aux;
  if (in.op == Op::Call && w.aux >= p_.routines.size())
    return Bad("CALL of routine ", w.aux, " of ", p_.routines.size());
  return absl::OkStatus();
}

absl::Status RoutineDecoder::Tokens(const isa::EngineWord &w, InstrCode &in) {
  for (int i = 0; i < 4; ++i) {
    const Token &t = w.tokens[i];
    bool wait = i < 2;
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

absl::Status RoutineDecoder::Engine(const isa::Instr &instr, InstrCode &in) {
  in.engine = instr.engine.engine;
  in.reason = Reason(instr.engine.reason);
  ACC_RETURN_IF_ERROR(Tokens(instr.engine, in));
  if (in.op == Op::Sync)
    return absl::OkStatus();
  absl::StatusOr<isa::Descriptor> d = isa::DecodeDescriptor(info_.slots, instr.engine.desc);
  if (!d.ok())
    return At(d.status());
  if (absl::Status s = isa::VerifyDescriptor(instr, *d); !s.ok())
    return At(s);
  EngineCode code;
  code.op = in.op;
  code.slotBytes = d->slots() * isa::kSlotBytes;
  ACC_RETURN_IF_ERROR(Operation(d->op, code));
  for (size_t i = 0; i < d->streams.size(); ++i)
    ACC_RETURN_IF_ERROR(Stream(int(i), d->streams[i], code));
  if (in.op == Op::Mxu || in.op == Op::MxuDw)
    ACC_RETURN_IF_ERROR(CheckMxu(in, code));
  else if (in.op == Op::Vec)
    ACC_RETURN_IF_ERROR(CheckVec(instr.engine.vprog, code));
  else if (in.engine == kVec)
    ACC_RETURN_IF_ERROR(CheckLists(code));
  else
    ACC_RETURN_IF_ERROR(CheckDma(in, code));
  if (in.reason != Reason::None && code.dram < 0)
    return Bad("a reason for DRAM traffic on a transfer inside of SRAM");
  in.code = uint32_t(out_.engine.size());
  out_.engine.push_back(std::move(code));
  return absl::OkStatus();
}

/// Openers and ENDs match, at most 8 deep; main ends with HALT, other routines
/// end with RET.
absl::Status RoutineDecoder::Nesting() {
  std::vector<uint32_t> open;
  std::vector<InstrCode> &code = out_.instrs;
  for (pc_ = 0; pc_ < code.size(); ++pc_) {
    InstrCode &in = code[pc_];
    switch (in.op) {
    case Op::Loop:
    case Op::If:
    case Op::While:
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
  if (index_ == 0)
    StreamedBodies();
  pc_ = uint32_t(code.size() - 1);
  Op last = code.back().op;
  if (last != (index_ == 0 ? Op::Halt : Op::Ret))
    return Bad("the routine must end with ", index_ == 0 ? "HALT" : "RET");
  return absl::OkStatus();
}

/// Main is streamed: each further trip of a loop brings its body again,
/// instructions and the descriptors that they name.
void RoutineDecoder::StreamedBodies() {
  std::vector<InstrCode> &code = out_.instrs;
  std::vector<int64_t> before(code.size() + 1); // bytes of the instructions in front
  for (size_t i = 0; i < code.size(); ++i) {
    before[i + 1] = before[i] + isa::kInstrBytes;
    if (code[i].code != kNone)
      before[i + 1] += out_.engine[code[i].code].slotBytes;
  }
  for (size_t i = 0; i < code.size(); ++i)
    if (code[i].op == Op::Loop || code[i].op == Op::While)
      code[i].streamedBytes = before[code[i].target] - before[i + 1];
}

} // namespace accel::rt

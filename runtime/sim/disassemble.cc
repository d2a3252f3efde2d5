//===- disassemble.cc - One instruction as text ---------------------------===//
#include "disassemble.h"
#include "absl/strings/str_cat.h"

namespace accel::rt {

const char *OpName(Op op) {
  switch (op) {
  case Op::Nop:
    return "NOP";
  case Op::Halt:
    return "HALT";
  case Op::Li:
    return "LI";
  case Op::Add:
    return "ADD";
  case Op::Sub:
    return "SUB";
  case Op::Mul:
    return "MUL";
  case Op::Div:
    return "DIV";
  case Op::Mod:
    return "MOD";
  case Op::Min:
    return "MIN";
  case Op::Max:
    return "MAX";
  case Op::AddI:
    return "ADDI";
  case Op::MulI:
    return "MULI";
  case Op::DivI:
    return "DIVI";
  case Op::ModI:
    return "MODI";
  case Op::MinI:
    return "MINI";
  case Op::MaxI:
    return "MAXI";
  case Op::CmpLt:
    return "CMPLT";
  case Op::CmpEq:
    return "CMPEQ";
  case Op::And:
    return "AND";
  case Op::Or:
    return "OR";
  case Op::Xor:
    return "XOR";
  case Op::Shl:
    return "SHL";
  case Op::Shr:
    return "SHR";
  case Op::CmpLtI:
    return "CMPLTI";
  case Op::CmpEqI:
    return "CMPEQI";
  case Op::Loop:
    return "LOOP";
  case Op::End:
    return "END";
  case Op::If:
    return "IF";
  case Op::While:
    return "WHILE";
  case Op::Call:
    return "CALL";
  case Op::Ret:
    return "RET";
  case Op::Lds:
    return "LDS";
  case Op::Sync:
    return "SYNC";
  case Op::Dma:
    return "DMA";
  case Op::DmaGather:
    return "DMA_GATHER";
  case Op::DmaScatter:
    return "DMA_SCATTER";
  case Op::Mxu:
    return "MXU";
  case Op::MxuDw:
    return "MXU_DW";
  case Op::Vec:
    return "VEC";
  case Op::VecSort:
    return "VEC_SORT";
  case Op::VecCompact:
    return "VEC_COMPACT";
  case Op::VecScatter:
    return "VEC_SCATTER";
  case Op::VecRandom:
    return "VEC_RANDOM";
  }
  return "?";
}

namespace {

std::string StreamText(const StreamCode &s) {
  std::string text = s.space == Space::Sram  ? "sram"
                     : s.space == Space::Acc ? "acc"
                                             : absl::StrCat("dram", int(s.region));
  absl::StrAppend(&text, "+", s.k.base);
  for (int i = 0; i < s.baseRegs; ++i)
    absl::StrAppend(&text, "+r", int(s.baseReg[i]));
  return text;
}

std::string SizeText(const EngineCode &c) {
  std::string text;
  bool leading = true;
  for (int d = 0; d < kDims; ++d) {
    if (leading && d + 1 < kDims && c.size[d] == 1 && !c.sizeReg[d])
      continue;
    absl::StrAppend(&text, leading ? "" : "x",
                    c.sizeReg[d] ? absl::StrCat("r", int(c.sizeReg[d]), "<=", c.size[d])
                                 : absl::StrCat(c.size[d]));
    leading = false;
  }
  return text;
}

} // namespace

std::string Disassemble(const DecodedProgram &program, uint32_t routine, uint32_t pc) {
  const RoutineCode &code = program.routines[routine];
  const InstrCode &in = code.instrs[pc];
  std::string text = OpName(in.op);
  if (in.op < Op::Sync) {
    if (in.rd || in.ra || in.rb)
      absl::StrAppend(&text, " r", int(in.rd), ", r", int(in.ra), ", r", int(in.rb));
    if (in.imm)
      absl::StrAppend(&text, ", ", in.imm);
    if (in.op == Op::Call)
      absl::StrAppend(&text, " ", in.aux, " \"", program.data().routines[in.aux].name, "\"");
    return text;
  }
  if (in.op == Op::Sync || (in.op >= Op::Dma && in.op <= Op::DmaScatter))
    absl::StrAppend(&text, " ", EngineName(in.engine));
  if (in.code != kNone) {
    const EngineCode &c = code.engine[in.code];
    absl::StrAppend(&text, " ", SizeText(c));
    for (int i = 0; i < c.streams; ++i)
      absl::StrAppend(&text, i ? ", " : " ", StreamText(c.stream[i]));
  }
  for (const Token &t : in.wait)
    if (t.semaphore)
      absl::StrAppend(&text, " wait s", int(t.semaphore), ">=", int(t.count));
  for (const Token &t : in.signal)
    if (t.semaphore)
      absl::StrAppend(&text, " signal s", int(t.semaphore), "+", int(t.count));
  if (in.reason != Reason::None)
    absl::StrAppend(&text, " ", ReasonName(in.reason));
  return text;
}

} // namespace accel::rt

//===- disassemble.cc - Instructions and steps as text --------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/isa.h"
#include <bit>

namespace accel::rt::isa {
namespace {

std::string Name(const EnumInfo &info, uint8_t value) {
  const char *name = EnumName(info, value);
  return name ? name : absl::StrCat("?", int(value));
}

std::string StreamText(const Stream &s) {
  std::string text = Name(kSpaceInfo, s.desc.space);
  if (s.desc.space == uint8_t(Space::Dram))
    absl::StrAppend(&text, int(s.desc.region));
  absl::StrAppend(&text, "[", s.desc.base);
  for (uint8_t reg : s.desc.baseReg)
    if (reg)
      absl::StrAppend(&text, " + r", int(reg));
  absl::StrAppend(&text, "] ", Name(kDTypeInfo, s.desc.dtype));
  return s.window ? text + " windowed" : text;
}

void AppendTokens(std::string &text, const char *what, const Token *tokens) {
  const char *before = " [";
  bool any = false;
  for (int i = 0; i < 2; ++i) {
    if (!tokens[i].semaphore)
      continue;
    absl::StrAppend(&text, any ? "" : absl::StrCat(" ", what), before, "s",
                    int(tokens[i].semaphore), ": ", int(tokens[i].count));
    before = ", ";
    any = true;
  }
  if (any)
    text += "]";
}

std::string ControlText(const InstrInfo &info, const CtrlWord &w) {
  std::string text;
  auto add = [&](const OperandInfo &o, const char *prefix, int64_t value) {
    if (o.role == Role::Unused)
      return;
    absl::StrAppend(&text, text.empty() ? " " : ", ", o.role == Role::Value ? prefix : "r", value);
  };
  add(info.rd, "", w.rd);
  add(info.ra, "", w.ra);
  if (info.opcode == Opcode::Lds)
    absl::StrAppend(&text, ", ", Name(kDTypeInfo, w.rb));
  else
    add(info.rb, "", w.rb);
  add(info.imm, "", w.imm);
  add(info.aux, info.opcode == Opcode::Call ? "routine " : "length ", w.aux);
  return info.mnemonic + text;
}

} // namespace

std::string Disassemble(const Instr &in, const Descriptor *descriptor) {
  const InstrInfo *info = FindInstr(in.opcode());
  if (!info)
    return absl::StrCat("?", int(in.opcode()));
  if (in.isControl)
    return ControlText(*info, in.control);
  std::string text = info->mnemonic;
  const EngineWord &w = in.engine;
  if (std::popcount(info->engines) > 1)
    absl::StrAppend(&text, " ", Name(kEngineInfo, w.engine));
  if (info->hasProgram)
    absl::StrAppend(&text, " program ", w.vprog);
  if (descriptor) {
    bool isLeading = true;
    for (int d = 0; d < kDimCount; ++d) {
      uint8_t reg = descriptor->op.sizeReg[d];
      if (isLeading && d + 1 < kDimCount && descriptor->op.size[d] == 1 && !reg)
        continue;
      absl::StrAppend(&text, isLeading ? " " : "x",
                      reg ? absl::StrCat("(r", int(reg), "<=", descriptor->op.size[d], ")")
                          : absl::StrCat(descriptor->op.size[d]));
      isLeading = false;
    }
    for (size_t i = 0; i < descriptor->streams.size(); ++i)
      absl::StrAppend(&text, i ? ", " : " ", StreamText(descriptor->streams[i]));
  }
  AppendTokens(text, "wait", w.tokens);
  AppendTokens(text, "signal", w.tokens + 2);
  if (w.reason)
    absl::StrAppend(&text, " ", Name(kReasonInfo, w.reason));
  return text;
}

std::string Disassemble(const ProgramStep &s) {
  if (s.op >= kVecOpCount)
    return absl::StrCat("?", int(s.op));
  const StepInfo &info = Steps()[s.op];
  std::string text =
      absl::StrCat("v", int(s.dst), " = ", info.name, ".", Name(kVecTypeInfo, s.type));
  const uint8_t operand[] = {s.a, s.b, s.c};
  for (int o = 0; o < info.operands; ++o)
    absl::StrAppend(&text, o ? ", v" : " v", int(operand[o]));
  if (info.op == VecOp::Cvt)
    absl::StrAppend(&text, " from ", Name(kVecTypeInfo, s.b));
  if (info.op == VecOp::Iota)
    absl::StrAppend(&text, " d", int(s.a));
  if (info.op == VecOp::Reg)
    absl::StrAppend(&text, " r", int(s.a));
  if (info.op != VecOp::Imm)
    return text;
  bool isFloat = s.type == uint8_t(VecType::F32) || s.type == uint8_t(VecType::F64);
  return absl::StrCat(text, " ",
                      isFloat ? absl::StrCat(std::bit_cast<double>(s.imm))
                              : absl::StrCat(int64_t(s.imm)));
}

} // namespace accel::rt::isa

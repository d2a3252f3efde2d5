//===- disassemble.cc - One instruction of a program as text --------------===//
#include "disassemble.h"

namespace accel::rt {

std::string Disassemble(const DecodedProgram &program, uint32_t routine, uint32_t pc) {
  const RoutineInfo &info = program.data().routines[routine];
  isa::Instr instr = isa::DecodeInstr(info.code.data() + size_t(pc) * isa::kInstrBytes);
  if (instr.isControl || Op(instr.opcode()) == Op::Sync)
    return isa::Disassemble(instr);
  absl::StatusOr<isa::Descriptor> d = isa::DecodeDescriptor(info.slots, instr.engine.desc);
  return isa::Disassemble(instr, d.ok() ? &*d : nullptr);
}

} // namespace accel::rt

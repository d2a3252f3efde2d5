//===- disassemble.h - One instruction as text ----------------------------===//
#ifndef ACC_RUNTIME_SIM_DISASSEMBLE_H
#define ACC_RUNTIME_SIM_DISASSEMBLE_H

#include "decoded.h"

namespace accel::rt {

/// Short form for error messages: opcode, engine, operands, tokens.
std::string Disassemble(const DecodedProgram &program, uint32_t routine, uint32_t pc);
const char *OpName(Op op);

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_DISASSEMBLE_H

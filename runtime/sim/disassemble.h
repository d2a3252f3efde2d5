//===- disassemble.h - One instruction of a program as text -------------------------===//
#ifndef ACC_RUNTIME_SIM_DISASSEMBLE_H
#define ACC_RUNTIME_SIM_DISASSEMBLE_H

#include "decoded.h"

namespace accel::rt {

/// Line of an error message: opcode, engine, operands, tokens.
std::string Disassemble(const DecodedProgram &program, uint32_t routine, uint32_t pc);

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_DISASSEMBLE_H

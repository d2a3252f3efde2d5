//===- operand_proof.h - Operands stay inside of their memories -----------===//
#ifndef ACC_RUNTIME_SIM_OPERAND_PROOF_H
#define ACC_RUNTIME_SIM_OPERAND_PROOF_H

#include "absl/status/status.h"
#include "register_state.h"

namespace accel::rt {

struct CodePlace {
  uint32_t routine, pc;
};

/// For every value that registers can have at this place: sizes and other
/// numbers are in their ranges, every stream is inside of its memory and, on
/// chip, aligned. Counts into the report.
absl::Status ProveOperands(DecodedProgram &program, const EngineCode &code, CodePlace place,
                           State &state);

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_OPERAND_PROOF_H

//===- Encode.h - a program as the machine reads it ------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_CODEGEN_ENCODE_H
#define ACC_CODEGEN_ENCODE_H

#include "acc/Codegen/Program.h"

#include <set>

namespace accel::codegen {

struct EncodedRoutine {
  struct Range {
    uint8_t reg;
    int64_t min, max; ///< values it has at the calls
    int64_t step;     ///< their distances are multiples of this, 0 if there is one
  };
  std::string name;
  std::vector<uint8_t> code;             ///< 16 bytes an instruction
  std::vector<uint8_t> slots;            ///< 64 bytes a descriptor slot
  std::vector<mlir::Location> locations; ///< one an instruction
  std::vector<Range> ranges;             ///< of the registers it receives
  std::set<int> programs;                ///< of the vector unit that it names
};

/// Routine 0 is main: loads of argument registers, SYNCs and CALLs.
struct EncodedProgram {
  std::vector<EncodedRoutine> routines;
  std::vector<std::vector<uint8_t>> programs; ///< of the vector unit
  /// The instruction of main that is the CALL of each call, and the instructions
  /// of main that belong to it.
  struct Place {
    mlir::func::CallOp op;
    uint32_t routine, first, call, last;
  };
  std::vector<Place> calls;

  /// Bytes that a call of a routine brings into instruction memory.
  int64_t codeBytes(const EncodedRoutine &routine) const;
};

/// ISA code of an element type, 0 if it has none.
uint8_t dtypeOf(mlir::Type type);

mlir::FailureOr<EncodedProgram> encode(mlir::ModuleOp module, const Program &program);

} // namespace accel::codegen

#endif

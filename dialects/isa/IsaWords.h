//===- IsaWords.h - operations of the isa dialect as words ----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ISA_DIALECT_ISAWORDS_H
#define ISA_DIALECT_ISAWORDS_H

#include "isa/Isa.h"

namespace accel::instr {

/// Numbers of symbols: routines and vector programs in the order of a program.
struct SymbolNumbers {
  llvm::StringMap<uint32_t> routines, programs;
  explicit SymbolNumbers(ProgramOp program);
};

/// Instructions and descriptor slots of one routine.
struct RoutineWords {
  std::vector<uint8_t> code, slots;
};

/// The descriptor of an engine operation with the derived fields (number of
/// streams, window flags) filled in; none if it has none.
std::optional<rt::isa::Descriptor> descriptorOf(mlir::Operation *op);

/// Encodes a routine; what cannot be encoded is diagnosed at its operation.
mlir::FailureOr<RoutineWords> encodeRoutine(RoutineOp routine, const SymbolNumbers &numbers);

/// Appends the operations of a routine's code to `body`. `names` are those of
/// routines and vector programs. Words that have no operation (an unknown
/// opcode, nonzero unused bits, a body that does not close) are an error at
/// `location`. The result says whether the encoder would lay out the slots
/// differently.
mlir::FailureOr<bool> decodeRoutine(llvm::ArrayRef<uint8_t> code, llvm::ArrayRef<uint8_t> slots,
                                    llvm::ArrayRef<std::string> routines,
                                    llvm::ArrayRef<std::string> programs,
                                    llvm::ArrayRef<mlir::Location> locations, mlir::Block &body,
                                    mlir::Location location);

} // namespace accel::instr

#endif // ISA_DIALECT_ISAWORDS_H

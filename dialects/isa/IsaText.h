//===- IsaText.h - text of fields, steps and operands ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors are written as `name = value` for the fields that differ from
// their initial value; names, kinds and values come from the tables that the
// ISA's description generates, so a new field needs no code here.
//===----------------------------------------------------------------------===//

#ifndef ISA_DIALECT_ISATEXT_H
#define ISA_DIALECT_ISATEXT_H

#include "isa/Isa.h"

namespace accel::instr {

void printOpDesc(mlir::AsmPrinter &p, const rt::isa::OpDesc &desc);
void printStream(mlir::AsmPrinter &p, const rt::isa::Stream &stream);
/// `separator` stands between lines.
void printProgram(mlir::AsmPrinter &p, const rt::isa::VectorProgram &program,
                  llvm::StringRef separator);

mlir::FailureOr<rt::isa::OpDesc> parseOpDesc(mlir::AsmParser &parser);
mlir::FailureOr<rt::isa::Stream> parseStream(mlir::AsmParser &parser);
/// Lines up to the closing token, which it leaves.
mlir::FailureOr<rt::isa::VectorProgram> parseProgram(mlir::AsmParser &parser);

/// A keyword with a prefix and a number: r3, s5, v0.
mlir::ParseResult parseNumbered(mlir::AsmParser &parser, llvm::StringRef prefix, int64_t limit,
                                uint8_t &number);
mlir::ParseResult parseEnum(mlir::AsmParser &parser, const rt::isa::EnumInfo &info, uint8_t &value);

} // namespace accel::instr

#endif // ISA_DIALECT_ISATEXT_H

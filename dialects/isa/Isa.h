//===- Isa.h - the isa dialect ---------------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that a user of the dialect includes. The namespace is accel::instr: one
// called isa would hide the cast of that name. Attributes hold the structs
// of the runtime's isa.h; encoding and decoding whole operations is IsaWords.h.
//
//===----------------------------------------------------------------------===//

#ifndef ISA_DIALECT_ISA_H
#define ISA_DIALECT_ISA_H

#include "acc/runtime/isa.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"

namespace accel::rt::isa {
// Keys of attribute storage.
llvm::hash_code hash_value(const OpDesc &desc);
llvm::hash_code hash_value(const Stream &stream);
llvm::hash_code hash_value(const VectorProgram &program);
} // namespace accel::rt::isa

#include "isa/IsaDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "isa/IsaAttrs.h.inc"

#define GET_OP_CLASSES
#include "isa/IsaOps.h.inc"

#endif // ISA_DIALECT_ISA_H

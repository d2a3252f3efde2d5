//===- GenDialect.cpp - operations of the isa dialect ---------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// -gen-isa-ops writes TableGen for mlir-tblgen: an operation for each
// instruction that has no own one. -gen-isa-codec writes the C++ that goes from
// such operations to words and back.
//===----------------------------------------------------------------------===//

#include "IsaRecords.h"

#include "mlir/TableGen/GenInfo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace accel::tblgen;

namespace {

std::string operationName(const Instruction &in) { return StringRef(in.mnemonic).lower(); }

void printDescription(const Instruction &in, raw_ostream &os) {
  os << "  let summary = \"" << escaped(in.summary) << "\";\n  let description = [{\n    "
     << in.action << "\n";
  for (const std::string &text : in.preconditions)
    os << "\n    * " << text;
  os << (in.preconditions.empty() ? "" : "\n");
  if (!in.notes.empty())
    os << "\n    " << in.notes << "\n";
  os << "  }];\n";
}

bool printOps(const RecordKeeper &records, raw_ostream &os) {
  Isa isa = readIsa(records);
  os << "// Written by acc-tblgen -gen-isa-ops from dialects/isa/*.td.\n\n";
  for (const Instruction &in : isa.instructions) {
    if (in.hasOwnOperation)
      continue;
    if (!in.isControl) {
      os << "def Isa_" << in.cpp << "Op : Isa_EngineOp<\"" << operationName(in) << "\"> {\n";
      printDescription(in, os);
      os << "}\n\n";
      continue;
    }
    os << "def Isa_" << in.cpp << "Op : Isa_ControlOp<\"" << operationName(in) << "\""
       << "> {\n";
    printDescription(in, os);
    std::string arguments, format;
    for (const Use &u : in.uses) {
      bool isRegister = u.role != "value";
      arguments += (arguments.empty() ? "" : ", ") +
                   std::string(isRegister ? "Isa_Reg" : "I64Attr") + ":$" + u.operand;
      format +=
          (format.empty() ? "" : " `,` ") +
          (isRegister ? "custom<Reg>($" + u.operand + ")" : "custom<Number>($" + u.operand + ")");
    }
    os << "  let arguments = (ins " << arguments << ");\n  let assemblyFormat = [{ " << format
       << " attr-dict }];\n}\n\n";
  }
  return false;
}

bool printCodec(const RecordKeeper &records, raw_ostream &os) {
  Isa isa = readIsa(records);
  os << "// Written by acc-tblgen -gen-isa-codec from dialects/isa/*.td.\n\n"
        "// An operation without region or symbols as a word; false if it is none of them.\n"
        "static bool wordOf(mlir::Operation *op, rt::isa::CtrlWord &word) {\n"
        "  return llvm::TypeSwitch<mlir::Operation *, bool>(op)\n";
  for (const Instruction &in : isa.instructions) {
    if (in.hasOwnOperation || !in.isControl)
      continue;
    os << "      .Case([&](" << in.cpp << "Op op) {\n        word.opcode = 0x"
       << utohexstr(in.opcode, false, 2) << ";\n";
    for (const Use &u : in.uses)
      os << "        word." << u.operand << " = decltype(word." << u.operand << ")(op.get"
         << char(toupper(u.operand[0])) << StringRef(u.operand).drop_front() << "());\n";
    os << "        return true;\n      })\n";
  }
  os << "      .Default([](mlir::Operation *) { return false; });\n}\n\n"
        "static mlir::Operation *createControl(mlir::OpBuilder &b, mlir::Location loc,\n"
        "                                      const rt::isa::CtrlWord &w) {\n  switch (w.opcode) "
        "{\n";
  for (const Instruction &in : isa.instructions) {
    if (in.hasOwnOperation || !in.isControl)
      continue;
    os << "  case 0x" << utohexstr(in.opcode, false, 2) << ":\n    return " << in.cpp
       << "Op::create(b, loc";
    for (const Use &u : in.uses)
      os << ", w." << u.operand;
    os << ");\n";
  }
  os << "  default:\n    return nullptr;\n  }\n}\n\n"
        "static mlir::OperationName engineName(uint8_t opcode, mlir::MLIRContext *context) {\n"
        "  switch (opcode) {\n";
  const Instruction *last = nullptr;
  for (const Instruction &in : isa.instructions) {
    if (in.isControl || in.hasOwnOperation)
      continue;
    os << "  case 0x" << utohexstr(in.opcode, false, 2) << ":\n    return mlir::OperationName("
       << in.cpp << "Op::getOperationName(), context);\n";
    last = &in;
  }
  os << "  default:\n    return mlir::OperationName(" << (last ? last->cpp : "Sync")
     << "Op::getOperationName(), context);\n  }\n}\n\n"
        "static uint8_t engineOpcode(mlir::Operation *op) {\n"
        "  return llvm::TypeSwitch<mlir::Operation *, uint8_t>(op)\n";
  for (const Instruction &in : isa.instructions)
    if (!in.isControl && !in.hasOwnOperation)
      os << "      .Case([](" << in.cpp << "Op) { return 0x" << utohexstr(in.opcode, false, 2)
         << "; })\n";
  os << "      .Default([](mlir::Operation *) { return 0; });\n}\n";
  return false;
}

mlir::GenRegistration genOps("gen-isa-ops", "TableGen of the isa dialect's plain operations",
                             printOps);
mlir::GenRegistration genCodec("gen-isa-codec",
                               "C++ from the isa dialect's operations to words and back",
                               printCodec);

} // namespace

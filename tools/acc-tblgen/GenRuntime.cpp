//===- GenRuntime.cpp - structs and tables of the LLVM-free runtime -------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The output is checked in (runtime/isa/generated) because the runtime builds
// where there is no LLVM; scripts/generate-docs --check compares it with what this writes.
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

void printNote(raw_ostream &os) {
  os << "// Written by acc-tblgen from dialects/isa/*.td: edit those and run\n"
        "// scripts/generate-docs.\n\n// clang-format off\n\n";
}

/// A literal that is legal for the least and greatest int64_t too.
std::string literal(int64_t value) {
  if (value == std::numeric_limits<int64_t>::min())
    return "INT64_MIN";
  if (value == std::numeric_limits<int64_t>::max())
    return "INT64_MAX";
  return std::to_string(value);
}

const char *kindOf(const Field &f) {
  return StringSwitch<const char *>(f.kind)
      .Case("bits", "Bits")
      .Case("register", "Register")
      .Case("semaphore", "Semaphore")
      .Case("dim", "Dim")
      .Case("reserved", "Reserved")
      .Case("enumeration", "Enumeration")
      .Case("nested", "Nested")
      .Default("Number");
}

void printStruct(const Layout &l, raw_ostream &os) {
  os << "/// " << l.bytes << " bytes: " << l.summary << ".\nstruct " << l.cpp << " {\n";
  for (const Field &f : l.fields) {
    os << "  " << f.cppType << " " << f.member;
    if (f.count > 1)
      os << "[" << f.count << "]";
    if (f.kind == "nested")
      os << " = {}";
    else if (f.count == 1)
      os << " = " << f.init;
    else if (f.init == 0)
      os << " = {}";
    else {
      os << " = {";
      for (int64_t i = 0; i < f.count; ++i)
        os << (i ? ", " : "") << f.init;
      os << "}";
    }
    os << ";" << (f.unit.empty() ? "" : " // " + f.unit) << "\n";
  }
  os << "  bool operator==(const " << l.cpp << " &) const = default;\n};\n\n";
}

void printFields(const Layout &l, raw_ostream &os) {
  os << "inline constexpr FieldInfo k" << l.cpp << "Fields[] = {\n";
  for (const Field &f : l.fields)
    os << "  {\"" << l.cpp << "\", \"" << f.name << "\", " << f.offset << ", " << f.bytes << ", "
       << f.count << ", FieldKind::" << kindOf(f) << ", " << literal(f.min) << ", "
       << literal(f.max) << ", " << f.init << ", "
       << (f.enumeration ? "&k" + f.enumeration->getValueAsString("cpp").str() + "Info"
                         : std::string("nullptr"))
       << "},\n";
  os << "};\n";
  os << "inline constexpr LayoutInfo k" << l.cpp << "Info = {\"" << l.cpp << "\", " << l.bytes
     << ", k" << l.cpp << "Fields, " << l.fields.size() << "};\n";
  os << "constexpr const LayoutInfo &LayoutOf(const " << l.cpp << " *) { return k" << l.cpp
     << "Info; }\n";
  for (StringRef self : {"", "const "}) {
    os << "template <typename V> void VisitFields(" << self << l.cpp << " &s, V &&v) {\n";
    for (auto [i, f] : llvm::enumerate(l.fields))
      os << "  v(k" << l.cpp << "Fields[" << i << "], s." << f.member << ");\n";
    os << "}\n";
  }
  os << "\n";
}

bool printTypes(const RecordKeeper &records, raw_ostream &os) {
  Isa isa = readIsa(records);
  printNote(os);
  for (const Constant &c : isa.constants)
    os << "inline constexpr " << (c.value > INT32_MAX ? "uint32_t " : "int ") << c.cpp << " = "
       << c.value << (c.value > INT32_MAX ? "u" : "") << "; // " << c.text << "\n";
  os << "\n";
  for (const Enum &e : isa.enums) {
    os << "/// " << e.summary << ".\nenum class " << e.cpp << " : uint8_t {\n";
    for (const Case &c : e.cases)
      os << "  " << c.cpp << " = " << c.value << ",\n";
    os << "};\ninline constexpr EnumCase k" << e.cpp << "Cases[] = {\n";
    for (const Case &c : e.cases)
      os << "  {" << c.value << ", \"" << c.text << "\"},\n";
    os << "};\ninline constexpr EnumInfo k" << e.cpp << "Info = {\"" << e.cpp << "\", k" << e.cpp
       << "Cases, " << e.cases.size() << "};\n\n";
    if (e.cpp != "DType")
      continue;
    // The summary of an element type is its bits.
    os << "/// Bits of one element in memory; 0 for a code that is none.\n"
          "constexpr int DTypeBits(uint8_t code) {\n  constexpr uint8_t bits[] = {";
    for (const Case &c : e.cases)
      os << (c.value ? ", " + c.summary : std::string("0"));
    os << "};\n  return code < sizeof(bits) ? bits[code] : 0;\n}\n\n";
  }
  os << "enum class Opcode : uint8_t {\n";
  for (const Instruction &in : isa.instructions)
    os << "  " << in.cpp << " = 0x" << utohexstr(in.opcode, false, 2) << ",\n";
  os << "};\n\n/// What a step of a vector program does.\nenum class VecOp : uint8_t {\n";
  for (const Step &s : isa.steps)
    os << "  " << s.cpp << " = " << s.value << ",\n";
  os << "};\ninline constexpr int kVecOpCount = " << isa.steps.size() << ";\n\n";
  for (const Layout &l : isa.layouts)
    printStruct(l, os);
  for (const Layout &l : isa.layouts)
    printFields(l, os);
  return false;
}

void printUse(const Instruction &in, StringRef operand, raw_ostream &os) {
  auto it = llvm::find_if(in.uses, [&](const Use &u) { return u.operand == operand; });
  if (it == in.uses.end())
    os << "{}, ";
  else
    os << "{Role::"
       << (it->role == "result"   ? "Result"
           : it->role == "source" ? "Source"
                                  : "Value")
       << ", " << literal(it->min) << ", " << literal(it->max) << "}, ";
}

bool printTables(const RecordKeeper &records, raw_ostream &os) {
  Isa isa = readIsa(records);
  printNote(os);
  os << "constexpr InstrInfo kInstructions[] = {\n";
  for (const Instruction &in : isa.instructions) {
    int64_t engines = 0;
    for (const Case &engine : in.engines)
      engines |= int64_t(1) << engine.value;
    os << "  {Opcode::" << in.cpp << ", \"" << in.mnemonic << "\", " << in.since << ", "
       << (in.isControl ? "true" : "false") << ",\n   ";
    for (StringRef operand : {"rd", "ra", "rb", "imm", "aux"})
      printUse(in, operand, os);
    os << "\n   " << engines << ", " << in.minStreams << ", " << in.maxStreams << ", "
       << in.flagMask << ", ";
    std::string fields;
    for (const std::string &f : in.descriptorFields)
      fields += (fields.empty() ? "kUses" : " | kUses") + ("_" + f);
    // kUses_init_reg -> kUsesInitReg
    os << (fields.empty() ? "0" : camelCase(fields)) << ", " << (in.hasProgram ? "true" : "false")
       << ", " << (in.hasReason ? "true" : "false") << ",\n   \"" << escaped(in.summary)
       << "\"},\n";
  }
  os << "};\n\nconstexpr StepInfo kSteps[] = {\n";
  for (const Step &s : isa.steps)
    os << "  {VecOp::" << s.cpp << ", \"" << s.name << "\", " << s.operands << ", "
       << (s.floats ? "true" : "false") << ", " << (s.ints ? "true" : "false") << "},\n";
  os << "};\n";
  return false;
}

mlir::GenRegistration genTypes("gen-isa-types",
                               "structs, enums and fields of the ISA, for the runtime", printTypes);
mlir::GenRegistration genTables("gen-isa-tables",
                                "instructions and steps of the ISA, for the runtime", printTables);

} // namespace

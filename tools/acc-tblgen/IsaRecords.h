//===- IsaRecords.h - the ISA's records as plain structs -------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Read once and checked (every byte of a layout covered exactly once, values
// unique, operands that exist), so that the generators only print.
//===----------------------------------------------------------------------===//

#ifndef ACC_TBLGEN_ISARECORDS_H
#define ACC_TBLGEN_ISARECORDS_H

#include "llvm/TableGen/Record.h"

#include <cstdint>
#include <string>
#include <vector>

namespace accel::tblgen {

struct Case {
  std::string cpp, text, summary;
  int64_t value;
};

struct Enum {
  const llvm::Record *record;
  std::string cpp, summary;
  std::vector<Case> cases;
};

struct Layout;

struct Field {
  std::string name, member; ///< snake_case, camelCase
  std::string text, kind, unit, cppType;
  int64_t offset, bytes, count; ///< of one element
  int64_t min, max, init;
  bool isSigned = false;
  const llvm::Record *enumeration = nullptr, *layout = nullptr;
};

struct Layout {
  const llvm::Record *record;
  std::string cpp, summary, description;
  int64_t bytes;
  std::vector<Field> fields;
};

struct Use {
  std::string operand, role, text;
  int64_t min, max;
};

struct Instruction {
  const llvm::Record *record;
  std::string mnemonic, cpp, summary, action, notes;
  int64_t opcode, since;
  bool isControl, hasOwnOperation, hasProgram, hasReason;
  std::vector<std::string> preconditions, streamNames, descriptorFields, flagTexts;
  std::vector<Use> uses;
  std::vector<Case> engines;
  int64_t minStreams, maxStreams, flagMask;
};

struct Step {
  std::string name, cpp, text;
  int64_t value, operands;
  bool floats, ints;
};

struct Constant {
  std::string cpp, text;
  int64_t value;
};

struct Isa {
  std::vector<Constant> constants;
  std::vector<Enum> enums;
  std::vector<Layout> layouts;
  std::vector<Instruction> instructions;
  std::vector<Step> steps;

  const Enum &enumOf(const llvm::Record *record) const;
  const Layout &layoutOf(const llvm::Record *record) const;
};

/// Ends the program with a located message if the description is wrong.
Isa readIsa(const llvm::RecordKeeper &records);

/// "size_reg" -> "sizeReg"
std::string camelCase(llvm::StringRef name);
/// Contents of a C++ string literal.
std::string escaped(llvm::StringRef text);
/// One line of text.
std::string oneLine(llvm::StringRef text);

} // namespace accel::tblgen

#endif

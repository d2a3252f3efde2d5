//===- IsaClasses.td - what a description of the ISA is made of -*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Records of these classes are the single source of the instruction set.
// acc-tblgen turns them into runtime/isa/generated (structs, field and opcode
// tables), the operations of the isa dialect and docs/isa.md.
//
// Values are never renumbered and never reused; what is added gets the version
// of the ISA in `since`.
//===----------------------------------------------------------------------===//

#ifndef ISA_CLASSES_TD
#define ISA_CLASSES_TD

//===----------------------------------------------------------------------===//
// Types of fields
//===----------------------------------------------------------------------===//

class IsaType<int bytes_> {
  int bytes = bytes_;
}

/// A little-endian integer.
class IsaInteger<string cpp_, int bytes_, bit isSigned_> : IsaType<bytes_> {
  string cpp = cpp_;
  bit isSigned = isSigned_;
}
def U8 : IsaInteger<"uint8_t", 1, 0>;
def U16 : IsaInteger<"uint16_t", 2, 0>;
def U32 : IsaInteger<"uint32_t", 4, 0>;
def U64 : IsaInteger<"uint64_t", 8, 0>;
def I32 : IsaInteger<"int32_t", 4, 1>;
def I64 : IsaInteger<"int64_t", 8, 1>;

class IsaCase<string cpp_, int value_, string text_, string summary_ = ""> {
  string cpp = cpp_;
  int value = value_;
  /// How assembly and the dialect write it.
  string text = text_;
  string summary = summary_;
  int since = 1;
}

/// A closed set of values in one byte.
class IsaEnum<string cpp_, string summary_, list<IsaCase> cases_> : IsaType<1> {
  string cpp = cpp_;
  string summary = summary_;
  list<IsaCase> cases = cases_;
}

//===----------------------------------------------------------------------===//
// Layouts: bytes with named fields
//===----------------------------------------------------------------------===//

/// `kind` says what the number means and which values are legal:
///   number     min..max
///   bits       no bit outside of max
///   register   0..63, 0 means none (or the constant 0)
///   semaphore  0..127, 0 means none
///   dim        0..5, or 255 for none
///   reserved   0
///   nested, enumeration: by type
class IsaField<string name_, int offset_, IsaType type_, string text_, int times = 1,
               string of = "", int absent = 0> {
  string name = name_;
  int offset = offset_;
  IsaType type = type_;
  string text = text_;
  string kind = "number";
  int count = times;
  int min = 0;
  int max = 0;
  /// Whether min and max stand (otherwise the type's whole range is legal).
  bit ranged = 0;
  string unit = of;
  /// What a descriptor that does not name the field has.
  int init = absent;
  int since = 1;
}

class InRange<string name, int offset, IsaType type, int low, int high, string text>
    : IsaField<name, offset, type, text> {
  let min = low;
  let max = high;
  let ranged = 1;
}
class Bits<string name, int offset, IsaType type, int mask, string text, int times = 1>
    : IsaField<name, offset, type, text, times> {
  let kind = "bits";
  let max = mask;
}
class Register<string name, int offset, string text, int times = 1>
    : IsaField<name, offset, U8, text, times> {
  let kind = "register";
}
class Semaphore<string name, int offset, string text> : IsaField<name, offset, U8, text> {
  let kind = "semaphore";
}
class Dimension<string name, int offset, string text>
    : IsaField<name, offset, U8, text, 1, "", 255> {
  let kind = "dim";
}
class Enumeration<string name, int offset, IsaEnum type, string text>
    : IsaField<name, offset, type, text> {
  let kind = "enumeration";
}
class Nested<string name, int offset, IsaType type, int times, string text>
    : IsaField<name, offset, type, text, times> {
  let kind = "nested";
}
/// `what` says what a later version may put there.
class Reserved<string name, int offset, IsaType type, int times = 1, string what = "zero">
    : IsaField<name, offset, type, what, times> {
  let kind = "reserved";
}

/// A struct of exactly `bytes` bytes whose fields cover every byte once.
class IsaLayout<string cpp_, int bytes_, string summary_, list<IsaField> fields_>
    : IsaType<bytes_> {
  string cpp = cpp_;
  string summary = summary_;
  string description = "";
  list<IsaField> fields = fields_;
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

/// One operand field of an instruction: fields that no use names must be 0.
/// `role`: "result" and "source" are registers, "value" is a number.
class IsaUse<string operand_, string role_, string text_> {
  string operand = operand_;
  string role = role_;
  string text = text_;
  int min = 0;
  int max = 0;
  bit ranged = 0;
}
class Writes<string operand, string text = "result"> : IsaUse<operand, "result", text>;
class Reads<string operand, string text = "operand"> : IsaUse<operand, "source", text>;
class Value<string operand, string text> : IsaUse<operand, "value", text>;
class ValueIn<string operand, int low, int high, string text> : IsaUse<operand, "value", text> {
  let min = low;
  let max = high;
  let ranged = 1;
}

class IsaInstruction<string mnemonic_, string cpp_, int opcode_, IsaLayout format_,
                     string summary_> {
  string mnemonic = mnemonic_;
  /// Enumerator of isa::Opcode, and stem of the dialect's operation.
  string cpp = cpp_;
  int opcode = opcode_;
  IsaLayout format = format_;
  string summary = summary_;
  string action = "";
  list<string> preconditions = [];
  string notes = "";
  int since = 1;
  /// The operation has a region or symbols and is written by hand in IsaOps.td.
  bit hasOwnOperation = 0;

  // Control format.
  list<IsaUse> uses = [];

  // Engine format.
  list<IsaCase> engines = [];
  int minStreams = 0;
  int maxStreams = 0;
  list<string> streamNames = [];
  /// Fields of the operation descriptor beyond sizes that may be nonzero.
  list<string> descriptorFields = [];
  /// Legal bits of the descriptor's flags.
  int flagMask = 0;
  list<string> flagTexts = [];
  bit hasProgram = 0;
  bit hasReason = 0;
}

//===----------------------------------------------------------------------===//
// Steps of vector programs
//===----------------------------------------------------------------------===//

class IsaStep<string name_, string cpp_, int value_, int operands_, bit floats_, bit ints_,
              string text_> {
  string name = name_;
  string cpp = cpp_;
  int value = value_;
  int operands = operands_;
  bit floats = floats_;
  bit ints = ints_;
  string text = text_;
  int since = 1;
}

/// A number of the machine that every target has in common.
class IsaConstant<string cpp_, int value_, string text_> {
  string cpp = cpp_;
  int value = value_;
  string text = text_;
}

#endif // ISA_CLASSES_TD

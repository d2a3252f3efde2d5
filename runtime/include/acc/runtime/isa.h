//===- isa.h - The instruction set: structs, tables, codec, checks --------===//
//
// Structs mirror the encoded layouts field by field; they, the enums and the
// tables are generated from dialects/isa/*.td. Decoding never fails on values:
// what a field may hold is what Verify* says, naming the field.
//
//   isa::Instr in = isa::DecodeInstr(bytes);
//   if (absl::Status s = isa::VerifyInstr(in); !s.ok()) ...
//
// The manual is docs/isa.md.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_ISA_H
#define ACC_RUNTIME_ISA_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accel::rt::isa {

struct EnumCase {
  uint8_t value;
  const char *name;
};
struct EnumInfo {
  const char *name;
  const EnumCase *cases;
  int count;
};

/// Which values a field may hold (see IsaField in dialects/isa/IsaClasses.td).
enum class FieldKind : uint8_t {
  Number,
  Bits,
  Register,
  Semaphore,
  Dim,
  Reserved,
  Enumeration,
  Nested
};

struct FieldInfo {
  const char *layout, *name;
  int offset, bytes; // of one element
  int count;
  FieldKind kind;
  int64_t min, max; // Bits: max is the mask
  int64_t init;     // value of a field that nothing sets
  const EnumInfo *enumeration;
};

struct LayoutInfo {
  const char *name;
  int bytes;
  const FieldInfo *fields;
  int count;
};

// Constants, enums (Engine, Space, DType, Reason, VecType, Reduce, Order, Phase,
// Combine, Opcode, VecOp), layouts (Token, CtrlWord, EngineWord, OpDesc, StreamDesc,
// WindowCoord, WindowDesc, ProgramHead, ProgramInput, ProgramOutput,
// ProgramReduction, ProgramStep) and, for each, VisitFields(layout, visitor).
#include "../../../isa/generated/isa_types.inc"

/// Name of a value, or null.
const char *EnumName(const EnumInfo &info, uint8_t value);
std::optional<uint8_t> EnumValue(const EnumInfo &info, std::string_view name);

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

enum class Role : uint8_t { Unused, Result, Source, Value };
struct OperandInfo {
  Role role = Role::Unused; // unused fields must be 0
  int64_t min = 0, max = 0;
};

/// Fields of OpDesc that an instruction may use beyond the sizes.
enum : uint16_t {
  kUsesInitReg = 1,
  kUsesReduceMask = 2,
  kUsesZa = 4,
  kUsesZb = 8,
  kUsesFillBits = 16,
  kUsesFillBits64 = 32,
  kUsesZaReg = 64,
  kUsesZbReg = 128
};

struct InstrInfo {
  Opcode opcode;
  const char *mnemonic;
  int since; // version of the ISA
  bool isControl;
  OperandInfo rd, ra, rb, imm, aux; // control format
  uint8_t engines;                  // bit e: may run on engine e
  uint8_t minStreams, maxStreams;
  uint8_t flagMask; // legal bits of OpDesc::flags
  uint16_t descriptorFields;
  bool hasProgram, hasReason;
  const char *summary;

  bool hasDescriptor() const { return maxStreams > 0; }
  bool runsOn(uint8_t engine) const { return engine < 8 && (engines >> engine & 1); }
};

absl::Span<const InstrInfo> Instructions(); // ascending opcodes
/// Null if there is no such instruction.
const InstrInfo *FindInstr(uint8_t opcode);
const InstrInfo *FindInstr(std::string_view mnemonic);

struct StepInfo {
  VecOp op;
  const char *name;
  int operands; // registers read, 0..3
  bool floats, ints;
};
absl::Span<const StepInfo> Steps(); // by value of VecOp
const StepInfo *FindStep(std::string_view name);

//===----------------------------------------------------------------------===//
// Decoded forms
//===----------------------------------------------------------------------===//

/// An instruction; `control` or `engine` holds it, by its opcode (an unknown
/// opcode is held by `control`).
struct Instr {
  CtrlWord control;
  EngineWord engine;
  bool isControl = true;

  uint8_t opcode() const { return isControl ? control.opcode : engine.opcode; }
};

struct Stream {
  StreamDesc desc;
  std::optional<WindowDesc> window; // iff bit 0 of desc.flags
  bool operator==(const Stream &) const = default;
};
struct Descriptor {
  OpDesc op;
  std::vector<Stream> streams; // op.streams of them
  bool operator==(const Descriptor &) const = default;
  int slots() const;
};

struct VectorProgram {
  std::vector<ProgramInput> ins;
  std::vector<ProgramOutput> outs;
  std::vector<ProgramReduction> reductions;
  std::vector<ProgramStep> body, post;
  bool operator==(const VectorProgram &) const = default;
};

//===----------------------------------------------------------------------===//
// Codec
//===----------------------------------------------------------------------===//

/// Layouts, exactly LayoutOf(...).bytes bytes.
#define ACC_ISA_CODEC(T)                                                                           \
  void Encode(const T &value, uint8_t *bytes);                                                     \
  void Decode(const uint8_t *bytes, T &value);                                                     \
  absl::Status Verify(const T &value);
ACC_ISA_CODEC(CtrlWord)
ACC_ISA_CODEC(EngineWord)
ACC_ISA_CODEC(OpDesc)
ACC_ISA_CODEC(StreamDesc)
ACC_ISA_CODEC(WindowDesc)
ACC_ISA_CODEC(ProgramHead)
ACC_ISA_CODEC(ProgramInput)
ACC_ISA_CODEC(ProgramOutput)
ACC_ISA_CODEC(ProgramReduction)
ACC_ISA_CODEC(ProgramStep)
#undef ACC_ISA_CODEC

Instr DecodeInstr(const uint8_t bytes[kInstrBytes]);
void EncodeInstr(const Instr &instr, uint8_t bytes[kInstrBytes]);

/// Appends the descriptor's slots.
void EncodeDescriptor(const Descriptor &descriptor, std::vector<uint8_t> &slots);
/// Fails if the slots end before the descriptor does.
absl::StatusOr<Descriptor> DecodeDescriptor(absl::Span<const uint8_t> slots, size_t slot);

std::vector<uint8_t> EncodeProgram(const VectorProgram &program);
/// Fails if the size does not fit the counts or padding is not zero.
absl::StatusOr<VectorProgram> DecodeProgram(absl::Span<const uint8_t> bytes);

//===----------------------------------------------------------------------===//
// Structural checks: everything that one instruction shows by itself
//===----------------------------------------------------------------------===//

/// Opcode, ranges, unused and reserved fields, engine, tokens.
absl::Status VerifyInstr(const Instr &instr);
/// Field ranges, number of streams, flags and fields that the instruction does
/// not use.
absl::Status VerifyDescriptor(const Instr &instr, const Descriptor &descriptor);
absl::Status VerifyProgram(const VectorProgram &program);

/// One line of text, e.g. `MXU wait [s3: 1] signal [s4: 1]`.
std::string Disassemble(const Instr &instr, const Descriptor *descriptor = nullptr);
/// `v3 = add.f32 v0, v1`
std::string Disassemble(const ProgramStep &step);

} // namespace accel::rt::isa

#endif // ACC_RUNTIME_ISA_H

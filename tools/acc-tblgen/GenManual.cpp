//===- GenManual.cpp - docs/isa.md ----------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "IsaRecords.h"

#include "mlir/TableGen/GenInfo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <limits>

using namespace llvm;
using namespace accel::tblgen;

namespace {

/// What holds for the whole machine and for no single record.
const char *introduction = R"(# The instruction set

A core has an in-order sequencer, CTRL, that dispatches instructions to engines. Each engine has a queue,
executes its instructions in order, one at a time, and keeps no state between them.

* **Dispatch order is a legal serial execution.** Every wait is met by signals of instructions that were
  dispatched before; so nothing deadlocks at any depth of the queues, and the functional simulator executes
  in this order.
* **Registers are read at dispatch.** 64 of them, 64 bits, signed; r0 is always 0. What a routine receives has
  declared ranges. Main receives the sizes of inputs that a run decides, and leaves those of outputs. What data
  decide is brought into range by MIN and MAX. [Verification](#verification) says what is proven of all this.
* **Semaphores count.** A wait blocks the engine until the semaphore holds n tokens and takes them; a signal
  adds tokens when the instruction has finished. Each semaphore has one signalling and one waiting engine
  in a whole program and holds 0 at HALT.
* **Control is structured**: LOOP, IF and WHILE close with END and nest at most 8 deep; calls do not recurse and
  go at most 8 deep; there are no jumps. Main (routine 0) has the same instructions as other routines.
* **Instruction memory** holds one routine at a time: its instructions, descriptor slots and the vector programs
  that it names. A CALL of another routine than the one fetched last fetches it, a RET to another routine than main
  fetches that one again. Main is streamed past the sequencer: all of it once, and the body of a LOOP or WHILE of
  main (instructions, and the descriptors that they name) again for each trip but the first. These bytes are counted
  under the reason `program`.
* **One core** runs in version 1: chip 0, core 0, whose entry is routine 0. What names another (an artifact's entries
  and regions, `region` of a stream in SRAM, bit 7 of a token, `core` of an instruction) is refused.
* **An instruction is bounded**: its iteration space has at most 2^33 points, a bound that the verifier checks, so
  a run that is cancelled ends after the instruction at hand.

All numbers are little-endian. Bits that are not defined are 0; anything else is refused.

## Verification

No program runs before it is verified, and nothing that runs can touch a byte outside of its memories.

**Proven before a run, for all values that registers can have**; a program where one of these fails is refused:

* fields, control structure, calls, the two engines of each semaphore, instruction memory; memories, element types
  and strides of streams;
* a register is written on every way to where it is read;
* at a CALL, the registers that the routine receives are in its declared ranges, in their steps; an LDS reads inside
  of SRAM;
* the first byte that a stream can touch is not below 0 and its end is within its memory; its address is a multiple
  of the element's bytes if the memory is on chip;
* sizes, bounds of windows, numbers of rows, k and lengths of runs that come from registers are 0 to their bounds.

Values are affine forms: a constant and up to twelve terms, each a loop counter, an unknown with an interval, or a
minimum, maximum, quotient or comparison of forms. So base and size of a last, shorter tile move together. A
product of two registers, a remainder by more than one turn, AND, OR, XOR and what LDS reads are unknowns with their interval;
so is what a loop's body changes by other than a constant step.

**Left to the check at dispatch**, because proofs about cases are incomplete: a stream whose address or size contains a
quotient or more than two minima and maxima, has too many terms for a form, or hangs on a size that is left itself; a
number from a register whose interval meets 0 to its bound and is within ±2^30 but not proven inside. A number whose
interval is wider comes from data that nobody clamped, and is refused.

**Checked at dispatch, each time** (once where nothing comes from registers), proven or not: sizes and other numbers from registers against their bounds, each
stream's exact box against its memory, alignment on chip, indices of gathers and scatters. What fails there
ends the run and names the node. So do a divisor of 0, a WHILE beyond its trips, a wait that no earlier
signal meets, a semaphore that is not 0 at HALT and an output's size outside of the signature.

## Numbers

Results never depend on tile sizes, fusion, buffers, the target or threads, because the order of every sum belongs
to the instruction:

* float products are summed in two levels, in the order that MXU defines (blocks of 32 channels outermost): a chain of
  f32 fused multiply-adds from zero over 32 channels at all kernel positions, or over 128 channels of a matrix product
  or 1×1 convolution; the chains' sums are added to C one after the other. Instructions that split a reduction
  between chains give the same bits, and the rounding error grows with the length of a chain plus their number, not
  with their product;
* vector reductions are sequential or keep 16 partials that are joined by a fixed tree;
* integer sums are exact in 32 bits and wrap;
* exp, log, tanh, erf, sigmoid, pow, sin, cos and atan are fixed polynomials: the same bits on every machine;
* subnormal numbers are kept; a NaN that is stored is canonical (0x7FC00000 in f32); max and min give NaN if either
  operand is one, and −0 < +0;
* requantisation is sat(rne(f32(acc) · m) + zero point), a vector program.
)";

std::string range(const Field &f) {
  if (f.kind == "reserved")
    return "0";
  if (f.kind == "enumeration")
    return f.enumeration->getValueAsString("cpp").str();
  if (f.kind == "nested")
    return f.cppType;
  if (f.kind == "register")
    return "r0–r63";
  if (f.kind == "semaphore")
    return "0–127";
  if (f.kind == "dim")
    return "0–5, 255";
  if (f.kind == "bits")
    return "bits 0x" + utohexstr(f.max);
  int bits = int(f.bytes) * 8;
  bool whole = f.isSigned ? f.min < 0 : bits == 64 || f.max == (int64_t(1) << bits) - 1;
  if (whole)
    return "any";
  return std::to_string(f.min) + "–" + std::to_string(f.max);
}

std::string typeName(const Field &f) {
  std::string name = f.kind == "nested" ? f.cppType
                     : f.kind == "enumeration"
                         ? std::string("u8")
                         : (f.isSigned ? "i" : "u") + std::to_string(f.bytes * 8);
  return f.count > 1 ? name + "[" + std::to_string(f.count) + "]" : name;
}

void printLayout(const Layout &l, raw_ostream &os) {
  os << "### " << l.cpp << "\n\n" << l.bytes << " bytes: " << l.summary << ".\n\n";
  os << "| byte | field | type | values | unit | meaning |\n| ---: | --- | --- | --- | --- | --- "
        "|\n";
  for (const Field &f : l.fields)
    os << "| " << f.offset << " | " << (f.kind == "reserved" ? "–" : "`" + f.name + "`") << " | "
       << typeName(f) << " | " << range(f) << " | " << f.unit << " | " << f.text << " |\n";
  os << "\n";
  if (!l.description.empty())
    os << l.description << "\n\n";
}

void printInstruction(const Instruction &in, raw_ostream &os) {
  os << "### `" << in.mnemonic << "`\n\n";
  os << "Opcode 0x" << utohexstr(in.opcode, false, 2) << ", "
     << (in.isControl ? "control" : "engine") << " format, since version " << in.since << ": "
     << in.summary << ".";
  if (!in.isControl) {
    os << " Engines: ";
    llvm::interleaveComma(in.engines, os, [&](const Case &e) { os << e.text; });
    os << ".";
  }
  os << "\n\n";
  if (!in.uses.empty()) {
    os << "| field | use | values |\n| --- | --- | --- |\n";
    for (const Use &u : in.uses) {
      bool whole =
          u.min == std::numeric_limits<int64_t>::min() || (u.min == 0 && u.max == 0xFFFFFFFFll);
      os << "| `" << u.operand << "` | "
         << (u.role == "result"   ? "writes: "
             : u.role == "source" ? "reads: "
                                  : "")
         << u.text << " | "
         << (u.role != "value" ? "r0–r63"
             : whole           ? "any"
             : u.max == std::numeric_limits<int64_t>::max()
                 ? "≥ " + std::to_string(u.min)
                 : std::to_string(u.min) + "–" + std::to_string(u.max))
         << " |\n";
    }
    os << "\n";
  }
  if (in.maxStreams) {
    os << "Streams: ";
    if (in.minStreams == in.maxStreams)
      os << in.minStreams;
    else
      os << in.minStreams << " to " << in.maxStreams;
    os << " (";
    llvm::interleaveComma(in.streamNames, os);
    os << ").";
    if (!in.descriptorFields.empty()) {
      os << " OpDesc fields beside the sizes: ";
      llvm::interleaveComma(in.descriptorFields, os, [&](auto &f) { os << "`" << f << "`"; });
      os << ".";
    }
    os << "\n\n";
  }
  if (!in.flagTexts.empty()) {
    os << "Flags:\n\n";
    for (const std::string &text : in.flagTexts)
      os << "* " << text << "\n";
    os << "\n";
  }
  os << "**Action.** " << in.action << "\n\n";
  if (!in.preconditions.empty()) {
    os << "**Preconditions.**\n\n";
    for (const std::string &text : in.preconditions)
      os << "* " << text << "\n";
    os << "\n";
  }
  if (!in.notes.empty())
    os << "**Notes.** " << in.notes << "\n\n";
}

bool printManual(const RecordKeeper &records, raw_ostream &os) {
  Isa isa = readIsa(records);
  os << introduction
     << "\n## Constants\n\nEqual on every target.\n\n| constant | value | meaning |\n| --- | ---: "
        "| --- |\n";
  for (const Constant &c : isa.constants)
    os << "| `" << c.cpp << "` | " << c.value << " | " << c.text << " |\n";
  os << "\n## Enumerations\n\n";
  for (const Enum &e : isa.enums) {
    os << "### " << e.cpp << "\n\nOne byte: " << e.summary << ".\n\n| value | name | "
       << (e.cpp == "DType" ? "bits" : "meaning") << " |\n| ---: | --- | --- |\n";
    for (const Case &c : e.cases)
      os << "| " << c.value << " | `" << c.text << "` | " << c.summary << " |\n";
    os << "\n";
  }
  os << "## Layouts\n\nAn instruction is a CtrlWord or an EngineWord, by its opcode. An engine "
        "instruction's "
        "descriptor is an OpDesc slot, then, for each stream, a StreamDesc slot and, if its flag "
        "says so, a "
        "WindowDesc slot.\n\n";
  for (const Layout &l : isa.layouts)
    printLayout(l, os);
  os << "## Instructions\n\n| opcode | name | |\n| --- | --- | --- |\n";
  for (const Instruction &in : isa.instructions)
    os << "| 0x" << utohexstr(in.opcode, false, 2) << " | [" << in.mnemonic << "](#"
       << StringRef(in.mnemonic).lower() << ") | " << in.summary << " |\n";
  os << "\n";
  for (const Instruction &in : isa.instructions)
    printInstruction(in, os);
  os << "## Steps of vector programs\n\nA step reads registers as its own type and writes its "
        "type, except where said. "
        "Text: `v3 = add.f32 v0, v1`.\n\n| value | step | operands | types | result |\n| ---: | "
        "--- | ---: | --- | --- |\n";
  for (const Step &s : isa.steps)
    os << "| " << s.value << " | `" << s.name << "` | " << s.operands << " | "
       << (s.floats && s.ints ? "all"
           : s.floats         ? "f32, f64"
                              : "i32, i64")
       << " | " << s.text << " |\n";
  return false;
}

mlir::GenRegistration genManual("gen-isa-doc", "the manual of the instruction set", printManual);

} // namespace

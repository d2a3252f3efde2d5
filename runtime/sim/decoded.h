//===- decoded.h - A program decoded once ---------------------------------===//
//
// The verifier decodes every instruction and descriptor into these structs;
// the interpreter patches registers into copies of the operations when it
// dispatches them and never looks at encoded bytes again.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_DECODED_H
#define ACC_RUNTIME_SIM_DECODED_H

#include "acc/runtime/artifact.h"
#include "acc/runtime/isa.h"
#include "acc/runtime/list_kernels.h"
#include "acc/runtime/simulator.h"
#include <memory>
#include <vector>

namespace accel::rt {

using isa::Space;
using isa::Token;
using Op = isa::Opcode;

constexpr int kEngines = isa::kEngineInfo.count;
constexpr int kCtrl = int(isa::Engine::Ctrl), kLd0 = int(isa::Engine::Ld0),
              kLd1 = int(isa::Engine::Ld1), kSt = int(isa::Engine::St),
              kMxu = int(isa::Engine::Mxu), kVec = int(isa::Engine::Vec);
const char *EngineName(int engine);

constexpr int kSemaphores = isa::kSemaphoreCount; // ids 1..127
constexpr int kRegisters = isa::kRegisterCount;
constexpr int kMaxStreams = isa::kStreamLimit;
constexpr int kMaxNesting = isa::kNestingLimit; // of control in a routine
static_assert(kDims == isa::kDimCount && kNoDim == isa::kNoDim && kUnbounded == isa::kUnchecked);
/// Iteration points of one instruction: more than any accumulator and SRAM can
/// use, few enough that an instruction of a hostile artifact ends in seconds.
constexpr int64_t kMaxPoints = int64_t(1) << 33;

/// |base| and |stride|·(size−1) of a stream, and every base register, in bytes;
/// positions of a window coordinate. Small enough that address arithmetic on
/// them cannot overflow 64 bits (stream_box.h).
constexpr int64_t kMaxAddress = int64_t(1) << 44;
constexpr int64_t kMaxPosition = int64_t(1) << 40;

/// A stream with its registers still open. `k.base` and the coordinates hold
/// the constant parts.
struct StreamCode {
  Space space = Space::None;
  uint8_t region = 0;
  uint8_t baseReg[4] = {};
  uint8_t baseRegs = 0; // how many of them are used
  uint8_t startReg[2] = {}, orgReg[2] = {}, boundReg[2] = {};
  bool write = false;
  bool isStatic = false; // no register at all
  KStream k;
};

/// Operands of an engine instruction.
struct EngineCode {
  Op op = Op::Nop;
  int64_t size[kDims] = {1, 1, 1, 1, 1, 1}; // bounds where a register is given
  uint8_t sizeReg[kDims] = {};
  bool dynamicSize = false;
  uint8_t streams = 0;
  StreamCode stream[kMaxStreams];
  uint8_t flags = 0, initReg = 0, reduceMask = 0;
  uint8_t zaReg = 0, zbReg = 0;
  int32_t za = 0, zb = 0;
  uint64_t fillBits = 0;
  const CompiledVProg *vprog = nullptr;
  std::vector<uint8_t> programRegs; // scalar registers that vprog reads
  uint8_t outs = 0;                 // VEC: leading streams that are outputs
  uint8_t postOuts = 0;             // bits of the outputs that are stored after the reduction
  int8_t dram = -1;                 // the stream in DRAM, if any
  int64_t slotBytes = 0;            // of its descriptor

  /// za of those instructions that read it without sign.
  int64_t limit() const { return int64_t(uint32_t(za)); }
  /// Whether anything but sizes, bases and windows comes from a register.
  bool readsScalars() const {
    return zaReg || zbReg ||
           (initReg && (op == Op::VecSort || op == Op::VecCompact || op == Op::VecScatter ||
                        op == Op::VecRandom));
  }
};

/// Calls fn(register) for each scalar register, not r0, that the instruction
/// reads, those of its vector program too.
template <typename Fn> void ForEachRegister(const EngineCode &code, Fn &&fn) {
  auto visit = [&](uint8_t reg) {
    if (reg)
      fn(reg);
  };
  for (uint8_t reg : code.sizeReg)
    visit(reg);
  for (uint8_t reg : {code.initReg, code.zaReg, code.zbReg})
    visit(reg);
  for (int i = 0; i < code.streams; ++i) {
    const StreamCode &s = code.stream[i];
    for (int b = 0; b < s.baseRegs; ++b)
      visit(s.baseReg[b]);
    for (int w = 0; w < 2; ++w)
      for (uint8_t reg : {s.startReg[w], s.orgReg[w], s.boundReg[w]})
        visit(reg);
  }
  for (uint8_t reg : code.programRegs)
    visit(reg);
}

/// The dimensions over which stream `index` walks when the instruction's are
/// `size`: bounds, initialisation and hazards are those of this walk. It leaves
/// out the dimensions that the stream does not move with whatever its strides
/// say (C with those that MXU reduces, A with n), has kh·kw·c steps of
/// dimension 5 for B of MXU, all rows up to the bound for what a list of
/// indices selects from, and all elements that a result of unknown length may
/// have.
void WalkedSize(const EngineCode &code, int index, const int64_t size[kDims], int64_t out[kDims]);

struct InstrCode {
  Op op = Op::Nop;
  uint8_t engine = 0;
  uint8_t rd = 0, ra = 0, rb = 0;
  Reason reason = Reason::None;
  int64_t imm = 0;
  uint32_t aux = 0;          // CALL: routine; LDS: element type
  uint32_t target = 0;       // LOOP, IF, WHILE: behind END; END: its opener
  int64_t streamedBytes = 0; // LOOP, WHILE of main: code of the body with its END
  uint32_t code = kNone;     // index in RoutineCode::engine
  uint32_t counter = kNone;  // index in ArtifactData::counters
  Token wait[2], signal[2];
};

struct RoutineCode {
  std::vector<InstrCode> instrs;
  std::vector<EngineCode> engine;
  std::vector<RegisterRange> entry; // declared registers
  int64_t bytes = 0;                // instructions, slots, vector programs named
};

struct DecodedProgram {
  Artifact artifact;
  std::vector<RoutineCode> routines;
  std::vector<std::shared_ptr<const CompiledVProg>> vprogs;
  /// Engines that signal and wait for each semaphore; -1: none.
  int8_t signaller[kSemaphores], waiter[kSemaphores];
  const RegionInfo *region[256] = {};
  int64_t regionBytes[256] = {};
  VerifyReport report;

  const ArtifactData &data() const { return artifact.data; }
};

/// Decodes and checks fields, nesting, calls, semaphore pairs, instruction
/// memory (decode.cc).
absl::Status DecodeProgram(DecodedProgram &program);
/// Proves addresses by interval analysis; fails only on what is certainly
/// wrong (intervals.cc).
absl::Status AnalyseRanges(DecodedProgram &program);

/// "main pc 12" or "routine 3 \"conv\" pc 7".
std::string PlaceName(const ArtifactData &data, uint32_t routine, uint32_t pc);

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_DECODED_H

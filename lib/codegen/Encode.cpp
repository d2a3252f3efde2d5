//===- Encode.cpp - a program as the machine reads it ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Codegen/Encode.h"
#include "acc/Codegen/VectorEncoding.h"

#include "llvm/ADT/TypeSwitch.h"

#include <map>
#include <numeric>
#include <set>

using namespace mlir;
namespace isa = accel::rt::isa;

namespace accel::codegen {

static isa::DType dtypeOfInteger(IntegerType type) {
  using isa::DType;
  bool isUnsigned = type.isUnsigned();
  switch (type.getWidth()) {
  case 1:
    return DType::Bool;
  case 8:
    return isUnsigned ? DType::U8 : DType::I8;
  case 16:
    return isUnsigned ? DType::U16 : DType::I16;
  case 32:
    return isUnsigned ? DType::U32 : DType::I32;
  case 64:
    return isUnsigned ? DType::U64 : DType::I64;
  default:
    return DType::None;
  }
}

uint8_t dtypeOf(Type type) {
  using isa::DType;
  if (auto integer = dyn_cast<IntegerType>(type))
    return uint8_t(dtypeOfInteger(integer));
  return uint8_t(TypeSwitch<Type, DType>(type)
                     .Case<Float32Type>([](auto) { return DType::F32; })
                     .Case<Float16Type>([](auto) { return DType::F16; })
                     .Case<BFloat16Type>([](auto) { return DType::BF16; })
                     .Case<Float64Type>([](auto) { return DType::F64; })
                     .Case<Float8E4M3FNType>([](auto) { return DType::F8E4M3FN; })
                     .Case<Float8E4M3FNUZType>([](auto) { return DType::F8E4M3FNUZ; })
                     .Case<Float8E5M2Type>([](auto) { return DType::F8E5M2; })
                     .Case<Float8E5M2FNUZType>([](auto) { return DType::F8E5M2FNUZ; })
                     .Case<Float8E8M0FNUType>([](auto) { return DType::E8M0; })
                     .Case<IndexType>([](auto) { return DType::I64; })
                     .Default([](Type) { return DType::None; }));
}

namespace {

// The dialect's enumerations are the machine's, value by value.
static_assert(unsigned(Engine::Vec) == unsigned(isa::Engine::Vec) &&
              unsigned(Space::Acc) == unsigned(isa::Space::Acc) &&
              unsigned(Reason::Program) == unsigned(isa::Reason::Program));

/// Instructions of the control format; the others go to engines.
bool isControl(Opcode opcode) { return isa::FindInstr(uint8_t(opcode))->isControl; }

class RoutineEncoder {
public:
  explicit RoutineEncoder(EncodedRoutine &out) : out(out) {}

  LogicalResult block(const Block &block) {
    for (auto &item : block.items)
      if (failed(this->item(*item)))
        return failure();
    return success();
  }

  void control(Opcode opcode, int rd, int ra, int rb, int64_t imm, uint32_t aux,
               Location location) {
    append(isa::CtrlWord{uint8_t(opcode), uint8_t(rd), uint8_t(ra), uint8_t(rb), imm, aux},
           out.code);
    out.locations.push_back(location);
  }

  void sync(Engine engine, ArrayRef<Tokens> waits, ArrayRef<Tokens> signals, Location location) {
    engineWord(Opcode::Sync, engine, 0, waits, signals, 0, 0, location);
  }

  uint32_t size() const { return uint32_t(out.code.size() / isa::kInstrBytes); }

private:
  LogicalResult item(const Item &item) {
    if (item.kind == Item::Leaf)
      return leaf(item);
    size_t at = out.code.size();
    if (item.kind == Item::Loop)
      control(Opcode::Loop, item.counter, item.trips, 0, item.bound, 0, item.location);
    else
      control(Opcode::If, 0, item.condition, 0, 0, 0, item.location);
    if (failed(block(*item.body)))
      return failure();
    control(Opcode::End, 0, 0, 0, 0, 0, item.location);
    isa::CtrlWord opener;
    isa::Decode(&out.code[at], opener);
    opener.aux = uint32_t((out.code.size() - at) / isa::kInstrBytes - 1);
    isa::Encode(opener, &out.code[at]);
    return success();
  }

  LogicalResult leaf(const Item &item) {
    const Instruction &in = item.instruction;
    if (isControl(in.opcode)) {
      control(in.opcode, in.rd, in.ra, in.rb, in.imm, 0, item.location);
      return success();
    }
    uint16_t desc = 0;
    if (in.descriptor) {
      FailureOr<uint16_t> index = descriptor(*in.descriptor, item.location);
      if (failed(index))
        return failure();
      desc = *index;
    }
    if (in.program >= 0)
      out.programs.insert(in.program);
    engineWord(in.opcode, in.engine, desc, in.waits, in.signals,
               in.program < 0 ? 0 : uint16_t(in.program), uint8_t(in.reason), item.location);
    return success();
  }

  void engineWord(Opcode opcode, Engine engine, uint16_t desc, ArrayRef<Tokens> waits,
                  ArrayRef<Tokens> signals, uint16_t program, uint8_t reason, Location location) {
    isa::EngineWord word;
    word.opcode = uint8_t(opcode);
    word.engine = uint8_t(indexOf(engine));
    word.desc = desc;
    word.vprog = program;
    word.reason = reason;
    for (size_t i = 0; i < 2; ++i) {
      if (i < waits.size())
        word.tokens[i] = {uint8_t(waits[i].semaphore), uint8_t(waits[i].count)};
      if (i < signals.size())
        word.tokens[2 + i] = {uint8_t(signals[i].semaphore), uint8_t(signals[i].count)};
    }
    append(word, out.code);
    out.locations.push_back(location);
  }

  static uint8_t dimOf(int64_t dim) { return dim < 0 ? uint8_t(isa::kNoDim) : uint8_t(dim); }

  FailureOr<uint16_t> descriptor(const Descriptor &d, Location location) {
    isa::Descriptor encoded;
    isa::OpDesc &op = encoded.op;
    for (size_t i = 0; i < d.sizes.size(); ++i) {
      if (d.sizes[i] < 0 || d.sizes[i] > int64_t(UINT32_MAX))
        return emitError(location, "codegen: an extent of ") << d.sizes[i] << " exceeds 32 bits";
      op.size[i] = uint32_t(d.sizes[i]);
      op.sizeReg[i] = uint8_t(d.sizeRegs[i]);
    }
    op.streams = uint8_t(d.streams.size());
    op.flags = d.flags;
    op.initReg = uint8_t(d.initReg);
    op.reduceMask = d.reduceMask;
    op.za = int32_t(d.za);
    op.zb = int32_t(d.zb);
    op.fillBits = uint32_t(d.fillBits);
    op.fillBits64 = d.fillBits;
    for (const Stream &s : d.streams) {
      isa::Stream &to = encoded.streams.emplace_back();
      to.desc.space = uint8_t(s.space);
      to.desc.region = uint8_t(s.region);
      to.desc.dtype = dtypeOf(s.type);
      if (!to.desc.dtype)
        return emitError(location, "codegen: the machine has no element type ") << s.type;
      llvm::copy(s.baseRegs, to.desc.baseReg);
      to.desc.base = s.base;
      llvm::copy(s.strides, to.desc.stride);
      if (s.window.empty())
        continue;
      to.desc.flags = 1;
      to.window = windowOf(s);
    }
    std::vector<uint8_t> bytes;
    isa::EncodeDescriptor(encoded, bytes);
    auto [it, isNew] = known.try_emplace(bytes, 0);
    if (isNew) {
      size_t index = out.slots.size() / isa::kSlotBytes;
      if (index > UINT16_MAX)
        return emitError(location, "codegen: a routine has more descriptors than the machine "
                                   "can address (65536 slots)");
      it->second = uint16_t(index);
      llvm::append_range(out.slots, bytes);
    }
    return it->second;
  }

  static isa::WindowDesc windowOf(const Stream &stream) {
    isa::WindowDesc window;
    for (auto [i, c] : llvm::enumerate(stream.window)) {
      isa::WindowCoord &to = window.coord[i];
      to.start = int32_t(c.start);
      to.startReg = uint8_t(c.startReg);
      to.orgReg = uint8_t(c.originReg);
      to.dimA = dimOf(c.dimA);
      to.dimB = dimOf(c.dimB);
      to.mulA = int32_t(c.mulA);
      to.mulB = int32_t(c.mulB);
      to.bound = c.bound < 0 ? isa::kUnchecked : uint32_t(c.bound);
      to.mod = uint32_t(c.mod);
      to.stride = int32_t(c.stride);
      window.div[i] = c.div > 1 ? uint8_t(c.div) : 0;
      window.flags[i] = c.exact;
    }
    window.padBits = uint32_t(stream.pad);
    return window;
  }

  template <typename Word> static void append(const Word &word, std::vector<uint8_t> &code) {
    code.resize(code.size() + isa::kInstrBytes);
    isa::Encode(word, code.data() + code.size() - isa::kInstrBytes);
  }

  EncodedRoutine &out;
  std::map<std::vector<uint8_t>, uint16_t> known;
};

/// Registers that the code of a routine names at all.
void namedRegisters(const Block &block, std::set<Reg> &named) {
  for (auto &item : block.items) {
    named.insert({item->trips, item->condition, item->instruction.ra, item->instruction.rb});
    if (item->body)
      namedRegisters(*item->body, named);
    if (const Descriptor *d = item->instruction.descriptor.get()) {
      named.insert(d->sizeRegs.begin(), d->sizeRegs.end());
      named.insert(d->initReg);
      for (const Stream &s : d->streams) {
        named.insert(s.baseRegs.begin(), s.baseRegs.end());
        for (const Coordinate &c : s.window)
          named.insert({c.startReg, c.originReg});
      }
    }
  }
}

} // namespace

int64_t EncodedProgram::codeBytes(const EncodedRoutine &routine) const {
  int64_t bytes = routine.code.size() + routine.slots.size();
  for (int program : routine.programs)
    bytes += programs[program].size();
  return bytes;
}

FailureOr<EncodedProgram> encode(ModuleOp module, const Program &program) {
  EncodedProgram result;
  result.routines.resize(program.routines.size() + 1);
  std::vector<std::set<Reg>> named(program.routines.size());
  for (auto [index, routine] : llvm::enumerate(program.routines)) {
    EncodedRoutine &out = result.routines[index + 1];
    out.name = routine->name;
    RoutineEncoder encoder(out);
    if (failed(encoder.block(routine->body)))
      return failure();
    encoder.control(Opcode::Ret, 0, 0, 0, 0, 0, module.getLoc());
    namedRegisters(routine->body, named[index]);
  }

  EncodedRoutine &main = result.routines.front();
  main.name = "main";
  RoutineEncoder encoder(main);
  for (const Call &call : program.calls) {
    Location location = call.op->getLoc();
    const Routine &routine = *program.routines[call.routine];
    EncodedProgram::Place place{call.op, uint32_t(call.routine) + 1, encoder.size(), 0, 0};
    auto sync = [&](const std::map<Engine, SmallVector<Tokens>> &pending, bool isWait) {
      for (auto &[engine, tokens] : pending)
        for (size_t i = 0; i < tokens.size(); i += 2) {
          auto two = ArrayRef(tokens).slice(i, std::min<size_t>(2, tokens.size() - i));
          encoder.sync(engine, isWait ? two : ArrayRef<Tokens>(), isWait ? ArrayRef<Tokens>() : two,
                       location);
        }
    };
    sync(call.waits, true);
    auto load = [&](Reg reg, int64_t value) {
      if (!named[call.routine].count(reg))
        return;
      encoder.control(Opcode::Li, reg, 0, 0, value, 0, location);
      auto &ranges = result.routines[place.routine].ranges;
      auto it = llvm::find_if(ranges, [&](auto &range) { return range.reg == reg; });
      if (it == ranges.end()) {
        ranges.push_back({uint8_t(reg), value, value, 0});
        return;
      }
      it->step = std::gcd(it->step, value - it->min);
      it->min = std::min(it->min, value);
      it->max = std::max(it->max, value);
    };
    for (auto [index, extent] : llvm::enumerate(call.arguments))
      load(Reg(index) + 1, extent.address);
    load(routine.frameReg, call.frame);
    place.call = encoder.size();
    encoder.control(Opcode::Call, 0, 0, 0, 0, place.routine, location);
    sync(call.signals, false);
    place.last = encoder.size() - 1;
    result.calls.push_back(place);
  }
  encoder.control(Opcode::Halt, 0, 0, 0, 0, 0, module.getLoc());

  for (const VectorProgram &p : program.programs.list()) {
    FailureOr<std::vector<uint8_t>> bytes = encodeVectorProgram(p, module.getLoc());
    if (failed(bytes))
      return failure();
    result.programs.push_back(std::move(*bytes));
  }
  return result;
}

} // namespace accel::codegen

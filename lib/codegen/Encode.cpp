//===- Encode.cpp - a program as the machine reads it ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Codegen/Encode.h"
#include "acc/Codegen/VectorEncoding.h"

#include "llvm/Support/Endian.h"

#include <set>

using namespace mlir;

namespace accel::codegen {

uint8_t dtypeOf(Type type) {
  if (type.isF32())
    return 1;
  if (type.isF16())
    return 2;
  if (type.isBF16())
    return 3;
  if (type.isF64())
    return 4;
  if (isa<Float8E4M3FNType>(type))
    return 14;
  if (isa<Float8E4M3FNUZType>(type))
    return 15;
  if (isa<Float8E5M2Type>(type))
    return 16;
  if (isa<Float8E5M2FNUZType>(type))
    return 17;
  if (isa<Float8E8M0FNUType>(type))
    return 20;
  if (type.isIndex())
    return 11;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return 0;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return 13;
  case 8:
    return isUnsigned ? 6 : 5;
  case 16:
    return isUnsigned ? 8 : 7;
  case 32:
    return isUnsigned ? 10 : 9;
  case 64:
    return isUnsigned ? 12 : 11;
  default:
    return 0;
  }
}

namespace {

/// Little-endian bytes.
class Bytes {
public:
  explicit Bytes(std::vector<uint8_t> &out) : out(out) {}
  Bytes &u8(uint64_t v) { return put(v, 1); }
  Bytes &u16(uint64_t v) { return put(v, 2); }
  Bytes &u32(uint64_t v) { return put(v, 4); }
  Bytes &u64(uint64_t v) { return put(v, 8); }

private:
  Bytes &put(uint64_t v, int n) {
    for (int i = 0; i < n; ++i)
      out.push_back(uint8_t(v >> (8 * i)));
    return *this;
  }
  std::vector<uint8_t> &out;
};

uint8_t byteOf(Opcode opcode) {
  switch (opcode) {
    // clang-format off
  case Opcode::Li: return 0x02;
  case Opcode::Add: return 0x03;   case Opcode::Sub: return 0x04;
  case Opcode::Mul: return 0x05;   case Opcode::Div: return 0x06;
  case Opcode::Mod: return 0x07;   case Opcode::Min: return 0x08;
  case Opcode::Max: return 0x09;   case Opcode::Addi: return 0x0A;
  case Opcode::Muli: return 0x0B;  case Opcode::Divi: return 0x0C;
  case Opcode::Modi: return 0x0D;  case Opcode::Mini: return 0x0E;
  case Opcode::Maxi: return 0x0F;  case Opcode::Cmplt: return 0x10;
  case Opcode::Cmpeq: return 0x11; case Opcode::And: return 0x12;
  case Opcode::Or: return 0x13;    case Opcode::Xor: return 0x14;
  case Opcode::Shl: return 0x15;   case Opcode::Shr: return 0x16;
  case Opcode::Cmplti: return 0x17; case Opcode::Cmpeqi: return 0x18;
  case Opcode::Sync: return 0x30;  case Opcode::Dma: return 0x40;
  case Opcode::DmaGather: return 0x41; case Opcode::Mxu: return 0x50;
  case Opcode::MxuDw: return 0x51; case Opcode::Vec: return 0x60;
    // clang-format on
  }
  return 0;
}

constexpr uint8_t opHalt = 0x01, opLoop = 0x20, opEnd = 0x21, opIf = 0x22, opCall = 0x24,
                  opRet = 0x25;
constexpr size_t instructionBytes = 16, slotBytes = 64;

class RoutineEncoder {
public:
  explicit RoutineEncoder(EncodedRoutine &out) : out(out) {}

  LogicalResult block(const Block &block) {
    for (auto &item : block.items)
      if (failed(this->item(*item)))
        return failure();
    return success();
  }

  void control(uint8_t opcode, int rd, int ra, int rb, int64_t imm, uint32_t aux,
               Location location) {
    Bytes(out.code).u8(opcode).u8(rd).u8(ra).u8(rb).u64(uint64_t(imm)).u32(aux);
    out.locations.push_back(location);
  }

  void sync(Engine engine, ArrayRef<Tokens> waits, ArrayRef<Tokens> signals, Location location) {
    engineWord(0x30, engine, 0, waits, signals, 0, 0, location);
  }

  uint32_t size() const { return uint32_t(out.code.size() / instructionBytes); }

private:
  LogicalResult item(const Item &item) {
    if (item.kind == Item::Leaf)
      return leaf(item);
    size_t at = out.code.size();
    if (item.kind == Item::Loop)
      control(opLoop, item.counter, item.trips, 0, item.bound, 0, item.location);
    else
      control(opIf, 0, item.condition, 0, 0, 0, item.location);
    if (failed(block(*item.body)))
      return failure();
    control(opEnd, 0, 0, 0, 0, 0, item.location);
    uint32_t length = uint32_t((out.code.size() - at) / instructionBytes - 1);
    llvm::support::endian::write32le(&out.code[at + 12], length);
    return success();
  }

  LogicalResult leaf(const Item &item) {
    const Instruction &in = item.instruction;
    if (in.opcode < Opcode::Sync) {
      control(byteOf(in.opcode), in.rd, in.ra, in.rb, in.imm, 0, item.location);
      return success();
    }
    uint16_t desc = 0;
    if (in.descriptor) {
      FailureOr<uint16_t> index = descriptor(*in.descriptor, item.location);
      if (failed(index))
        return failure();
      desc = *index;
    }
    engineWord(byteOf(in.opcode), in.engine, desc, in.waits, in.signals,
               in.program < 0 ? 0 : uint16_t(in.program), uint8_t(in.reason), item.location);
    return success();
  }

  void engineWord(uint8_t opcode, Engine engine, uint16_t desc, ArrayRef<Tokens> waits,
                  ArrayRef<Tokens> signals, uint16_t program, uint8_t reason, Location location) {
    Bytes word(out.code);
    word.u8(opcode).u8(indexOf(engine)).u16(desc);
    for (ArrayRef<Tokens> field : {waits, signals})
      for (size_t i = 0; i < 2; ++i)
        word.u8(i < field.size() ? field[i].semaphore : 0)
            .u8(i < field.size() ? field[i].count : 0);
    word.u16(program).u8(reason).u8(0);
    out.locations.push_back(location);
  }

  static uint8_t dimOf(int64_t dim) { return dim < 0 ? 0xFF : uint8_t(dim); }

  FailureOr<uint16_t> descriptor(const Descriptor &d, Location location) {
    std::vector<uint8_t> bytes;
    Bytes out(bytes);
    for (int64_t size : d.sizes) {
      if (size < 0 || size > int64_t(UINT32_MAX))
        return emitError(location, "codegen: an extent of ") << size << " exceeds 32 bits";
      out.u32(uint64_t(size));
    }
    for (Reg reg : d.sizeRegs)
      out.u8(reg);
    out.u8(d.streams.size()).u8(d.flags).u8(d.initReg).u8(d.reduceMask).u16(0);
    out.u32(uint64_t(d.za)).u32(uint64_t(d.zb)).u32(d.fillBits).u64(d.fillBits).u64(0);
    for (const Stream &s : d.streams) {
      uint8_t dtype = dtypeOf(s.type);
      if (!dtype)
        return emitError(location, "codegen: the machine has no element type ") << s.type;
      out.u8(unsigned(s.space)).u8(s.region).u8(dtype).u8(s.window.empty() ? 0 : 1);
      for (size_t i = 0; i < 4; ++i)
        out.u8(i < s.baseRegs.size() ? s.baseRegs[i] : 0);
      out.u64(uint64_t(s.base));
      for (int64_t stride : s.strides)
        out.u64(uint64_t(stride));
      if (!s.window.empty())
        window(s, out);
    }
    auto [it, isNew] = known.try_emplace(bytes, 0);
    if (isNew) {
      size_t index = this->out.slots.size() / slotBytes;
      if (index > UINT16_MAX)
        return emitError(location, "codegen: a routine has more descriptors than the machine "
                                   "can address (65536 slots)");
      it->second = uint16_t(index);
      llvm::append_range(this->out.slots, bytes);
    }
    return it->second;
  }

  static void window(const Stream &stream, Bytes &out) {
    for (size_t i = 0; i < 2; ++i) {
      Coordinate c = i < stream.window.size() ? stream.window[i] : Coordinate();
      out.u32(uint64_t(c.start)).u8(c.startReg).u8(c.originReg);
      out.u8(dimOf(c.dimA)).u8(dimOf(c.dimB)).u32(uint64_t(c.mulA)).u32(uint64_t(c.mulB));
      out.u32(c.bound < 0 ? UINT32_MAX : uint64_t(c.bound)).u32(uint64_t(c.mod));
      out.u32(uint64_t(c.stride));
    }
    for (size_t i = 0; i < 2; ++i)
      out.u8(i < stream.window.size() && stream.window[i].div > 1 ? stream.window[i].div : 0);
    for (size_t i = 0; i < 2; ++i)
      out.u8(i < stream.window.size() && stream.window[i].exact);
    out.u32(stream.pad);
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
    encoder.control(opRet, 0, 0, 0, 0, 0, module.getLoc());
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
      encoder.control(0x02, reg, 0, 0, value, 0, location);
      auto &ranges = result.routines[place.routine].ranges;
      auto it = llvm::find_if(ranges, [&](auto &range) { return range.reg == reg; });
      if (it == ranges.end())
        ranges.push_back({uint8_t(reg), value, value});
      else
        *it = {uint8_t(reg), std::min(it->min, value), std::max(it->max, value)};
    };
    for (auto [index, extent] : llvm::enumerate(call.arguments))
      load(Reg(index) + 1, extent.address);
    load(routine.frameReg, call.frame);
    place.call = encoder.size();
    encoder.control(opCall, 0, 0, 0, 0, place.routine, location);
    sync(call.signals, false);
    place.last = encoder.size() - 1;
    result.calls.push_back(place);
  }
  encoder.control(opHalt, 0, 0, 0, 0, 0, module.getLoc());

  for (const VectorProgram &p : program.programs.list()) {
    FailureOr<std::vector<uint8_t>> bytes = encodeVectorProgram(p, module.getLoc());
    if (failed(bytes))
      return failure();
    result.programs.push_back(std::move(*bytes));
  }
  return result;
}

} // namespace accel::codegen

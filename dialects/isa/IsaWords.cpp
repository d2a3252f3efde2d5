//===- IsaWords.cpp - operations of the isa dialect as words ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "isa/IsaWords.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <map>

using namespace mlir;
namespace ri = accel::rt::isa;

namespace accel::instr {

#include "isa/IsaCodec.inc"

SymbolNumbers::SymbolNumbers(ProgramOp program) {
  uint32_t routine = 0, vprog = 0;
  for (Operation &op : program.getBody().getOps()) {
    if (auto r = dyn_cast<RoutineOp>(op))
      routines.try_emplace(r.getSymName(), routine++);
    else if (auto v = dyn_cast<VprogOp>(op))
      programs.try_emplace(v.getSymName(), vprog++);
  }
}

namespace {

template <typename T> T attributeOf(Operation *op, StringRef name) {
  return op->getAttrOfType<T>(name);
}

} // namespace

std::optional<ri::Descriptor> descriptorOf(Operation *op) {
  auto desc = attributeOf<OpDescAttr>(op, "desc");
  if (!desc)
    return std::nullopt;
  ri::Descriptor d;
  d.op = desc.getDesc();
  if (auto streams = attributeOf<ArrayAttr>(op, "streams"))
    for (auto stream : streams.getAsRange<StreamAttr>()) {
      ri::Stream s = stream.getStream();
      s.desc.flags = uint8_t((s.desc.flags & ~1) | (s.window ? 1 : 0));
      d.streams.push_back(s);
    }
  d.op.streams = uint8_t(d.streams.size());
  return d;
}

namespace {

class Encoder {
public:
  Encoder(RoutineOp routine, const SymbolNumbers &numbers) : routine(routine), numbers(numbers) {}

  FailureOr<RoutineWords> run() {
    if (auto hex = routine.getSlots()) {
      if (hex->size() % 2 || !llvm::all_of(*hex, llvm::isHexDigit))
        return routine.emitOpError("slots must be hexadecimal"), failure();
      std::string bytes = llvm::fromHex(*hex);
      out.slots.assign(bytes.begin(), bytes.end());
    }
    if (failed(region(routine.getBody())))
      return failure();
    return std::move(out);
  }

private:
  LogicalResult region(Region &region) {
    for (Operation &op : region.getOps())
      if (failed(operation(&op)))
        return failure();
    return success();
  }

  LogicalResult operation(Operation *op) {
    ri::CtrlWord word;
    if (wordOf(op, word))
      return control(op, word);
    if (auto loop = dyn_cast<LoopOp>(op))
      return body(op, ri::Opcode::Loop, loop.getRd(), loop.getRa(), loop.getImm(), loop.getBody());
    if (auto branch = dyn_cast<IfOp>(op))
      return body(op, ri::Opcode::If, 0, branch.getRa(), 0, branch.getBody());
    if (auto loop = dyn_cast<WhileOp>(op))
      return body(op, ri::Opcode::While, 0, loop.getRa(), loop.getImm(), loop.getBody());
    if (auto call = dyn_cast<CallOp>(op)) {
      auto it = numbers.routines.find(call.getCallee());
      if (it == numbers.routines.end())
        return call.emitOpError("there is no routine @") << call.getCallee();
      word.opcode = uint8_t(ri::Opcode::Call);
      word.aux = it->second;
      return control(op, word);
    }
    if (auto lds = dyn_cast<LdsOp>(op)) {
      word.opcode = uint8_t(ri::Opcode::Lds);
      word.rd = uint8_t(lds.getRd());
      word.ra = uint8_t(lds.getRa());
      word.rb = uint8_t(lds.getType());
      word.imm = lds.getImm();
      return control(op, word);
    }
    uint8_t opcode = engineOpcode(op);
    return opcode ? engine(op, opcode)
                  : op->emitOpError("is no instruction; a routine holds only operations of isa");
  }

  LogicalResult body(Operation *op, ri::Opcode opcode, uint32_t rd, uint32_t ra, int64_t imm,
                     Region &inner) {
    if (++depth > ri::kNestingLimit)
      return op->emitOpError("loops and conditions nest at most ") << ri::kNestingLimit << " deep";
    size_t at = out.code.size();
    ri::CtrlWord word;
    word.opcode = uint8_t(opcode);
    word.rd = uint8_t(rd);
    word.ra = uint8_t(ra);
    word.imm = imm;
    ri::CtrlWord end;
    end.opcode = uint8_t(ri::Opcode::End);
    if (failed(control(op, word)) || failed(region(inner)) || failed(control(op, end)))
      return failure();
    word.aux = uint32_t((out.code.size() - at) / ri::kInstrBytes - 1);
    ri::Encode(word, out.code.data() + at);
    --depth;
    return success();
  }

  LogicalResult control(Operation *op, const ri::CtrlWord &word) {
    ri::Instr in;
    in.control = word;
    return put(op, in);
  }

  LogicalResult engine(Operation *op, uint8_t opcode) {
    ri::Instr in;
    in.isControl = false;
    ri::EngineWord &w = in.engine;
    w.opcode = opcode;
    w.engine = uint8_t(attributeOf<IntegerAttr>(op, "engine").getInt());
    w.reason = uint8_t(attributeOf<IntegerAttr>(op, "reason").getInt());
    ArrayRef<int32_t> tokens = attributeOf<DenseI32ArrayAttr>(op, "tokens").asArrayRef();
    if (tokens.size() != 8)
      return op->emitOpError("tokens are two waits and two signals: 8 numbers");
    for (int i = 0; i < 4; ++i)
      w.tokens[i] = {uint8_t(tokens[2 * i]), uint8_t(tokens[2 * i + 1])};
    if (auto program = attributeOf<FlatSymbolRefAttr>(op, "program")) {
      auto it = numbers.programs.find(program.getValue());
      if (it == numbers.programs.end())
        return op->emitOpError("there is no vector program ") << program;
      w.vprog = uint16_t(it->second);
    } else if (opcode == uint8_t(ri::Opcode::Vec)) {
      return op->emitOpError("names no vector program");
    }
    std::optional<ri::Descriptor> d = descriptorOf(op);
    const ri::InstrInfo *info = ri::FindInstr(opcode);
    if (d.has_value() != info->hasDescriptor())
      return op->emitOpError(d ? "has no descriptor" : "needs op<...> and its streams");
    if (d) {
      absl::Status status = ri::VerifyDescriptor(in, *d);
      if (!status.ok())
        return op->emitOpError() << std::string(status.message());
      FailureOr<uint16_t> slot = slotOf(op, *d);
      if (failed(slot))
        return failure();
      w.desc = *slot;
    }
    return put(op, in);
  }

  /// Equal descriptors share their slots unless the operation says where.
  FailureOr<uint16_t> slotOf(Operation *op, const ri::Descriptor &d) {
    std::vector<uint8_t> bytes;
    ri::EncodeDescriptor(d, bytes);
    if (auto slot = attributeOf<IntegerAttr>(op, "slot")) {
      size_t at = size_t(slot.getInt()) * ri::kSlotBytes;
      if (slot.getInt() < 0 || slot.getInt() > UINT16_MAX || at + bytes.size() > out.slots.size() ||
          !std::equal(bytes.begin(), bytes.end(), out.slots.begin() + at))
        return op->emitOpError("its descriptor is not what the routine's slots hold at ")
                   << slot.getInt(),
               failure();
      return uint16_t(slot.getInt());
    }
    auto [it, isNew] = known.try_emplace(bytes, 0);
    if (isNew) {
      size_t index = out.slots.size() / ri::kSlotBytes;
      if (index > UINT16_MAX)
        return op->emitOpError("a routine has at most 65536 descriptor slots"), failure();
      it->second = uint16_t(index);
      out.slots.insert(out.slots.end(), bytes.begin(), bytes.end());
    }
    return it->second;
  }

  LogicalResult put(Operation *op, const ri::Instr &in) {
    absl::Status status = ri::VerifyInstr(in);
    // Reserved instructions can be written; machines refuse them.
    if (!status.ok() && status.code() != absl::StatusCode::kUnimplemented)
      return op->emitOpError() << std::string(status.message());
    size_t at = out.code.size();
    out.code.resize(at + ri::kInstrBytes);
    ri::EncodeInstr(in, out.code.data() + at);
    return success();
  }

  RoutineOp routine;
  const SymbolNumbers &numbers;
  RoutineWords out;
  int depth = 0;
  std::map<std::vector<uint8_t>, uint16_t> known;
};

} // namespace

FailureOr<RoutineWords> encodeRoutine(RoutineOp routine, const SymbolNumbers &numbers) {
  return Encoder(routine, numbers).run();
}

FailureOr<bool> decodeRoutine(ArrayRef<uint8_t> code, ArrayRef<uint8_t> slots,
                              ArrayRef<std::string> routines, ArrayRef<std::string> programs,
                              ArrayRef<Location> locations, Block &body, Location location) {
  OpBuilder b = OpBuilder::atBlockEnd(&body);
  // Open bodies: the instruction that must be their END.
  SmallVector<std::pair<size_t, Block *>> open;
  std::map<std::vector<uint8_t>, uint16_t> known;
  size_t nextSlot = 0, pc = 0, count = code.size() / ri::kInstrBytes;
  bool isCanonical = true;
  auto bad = [&](const Twine &what) -> FailureOr<bool> {
    emitError(location, "pc ") << pc << ": " << what;
    return failure();
  };
  auto nest = [&](const ri::CtrlWord &w, Region &region) {
    open.emplace_back(pc + w.aux, b.getInsertionBlock());
    b.setInsertionPointToEnd(&region.emplaceBlock());
  };
  for (; pc < count; ++pc) {
    ri::Instr in = ri::DecodeInstr(code.data() + pc * ri::kInstrBytes);
    absl::Status status = ri::VerifyInstr(in);
    if (!status.ok() && status.code() != absl::StatusCode::kUnimplemented)
      return bad(std::string(status.message()));
    Location at = pc < locations.size() ? locations[pc] : location;
    if (in.isControl) {
      const ri::CtrlWord &w = in.control;
      switch (ri::Opcode(w.opcode)) {
      case ri::Opcode::Loop:
        nest(w, LoopOp::create(b, at, w.rd, w.ra, w.imm).getBody());
        break;
      case ri::Opcode::If:
        nest(w, IfOp::create(b, at, w.ra).getBody());
        break;
      case ri::Opcode::While:
        nest(w, WhileOp::create(b, at, w.ra, w.imm).getBody());
        break;
      case ri::Opcode::End:
        if (open.empty() || open.back().first != pc)
          return bad("END closes no body");
        b.setInsertionPointToEnd(open.pop_back_val().second);
        break;
      case ri::Opcode::Call:
        if (w.aux >= routines.size())
          return bad("CALL of routine " + Twine(w.aux) + " of " + Twine(routines.size()));
        CallOp::create(b, at, routines[w.aux]);
        break;
      case ri::Opcode::Lds:
        LdsOp::create(b, at, w.rd, w.rb, w.ra, w.imm);
        break;
      default:
        if (!createControl(b, at, w))
          return bad("the instruction has no operation");
      }
      continue;
    }
    const ri::EngineWord &w = in.engine;
    MLIRContext *context = b.getContext();
    OperationState state(at, engineName(w.opcode, context));
    int32_t tokens[8];
    for (int i = 0; i < 4; ++i) {
      tokens[2 * i] = w.tokens[i].semaphore;
      tokens[2 * i + 1] = w.tokens[i].count;
    }
    state.addAttribute("engine", b.getI32IntegerAttr(w.engine));
    state.addAttribute("reason", b.getI32IntegerAttr(w.reason));
    state.addAttribute("tokens", b.getDenseI32ArrayAttr(tokens));
    if (w.opcode == uint8_t(ri::Opcode::Vec)) {
      if (w.vprog >= programs.size())
        return bad("vector program " + Twine(w.vprog) + " of " + Twine(programs.size()));
      state.addAttribute("program", FlatSymbolRefAttr::get(context, programs[w.vprog]));
    }
    if (ri::FindInstr(w.opcode)->hasDescriptor()) {
      absl::StatusOr<ri::Descriptor> d =
          ri::DecodeDescriptor(absl::MakeConstSpan(slots.data(), slots.size()), w.desc);
      if (!d.ok())
        return bad(std::string(d.status().message()));
      if (absl::Status v = ri::VerifyDescriptor(in, *d); !v.ok())
        return bad(std::string(v.message()));
      std::vector<uint8_t> bytes;
      ri::EncodeDescriptor(*d, bytes);
      auto [it, isNew] = known.try_emplace(bytes, uint16_t(nextSlot));
      if (isNew)
        nextSlot += size_t(d->slots());
      isCanonical &= it->second == w.desc;
      state.addAttribute("slot", b.getI32IntegerAttr(w.desc));
      d->op.streams = 0;
      state.addAttribute("desc", OpDescAttr::get(context, d->op));
      SmallVector<Attribute> streams;
      for (ri::Stream s : d->streams) {
        s.desc.flags = uint8_t(s.desc.flags & ~1);
        streams.push_back(StreamAttr::get(context, s));
      }
      state.addAttribute("streams", b.getArrayAttr(streams));
    }
    b.create(state);
  }
  if (!open.empty())
    return bad("a body does not close");
  isCanonical &= nextSlot * ri::kSlotBytes == slots.size();
  if (isCanonical)
    body.walk([](Operation *op) { op->removeAttr("slot"); });
  return !isCanonical;
}

} // namespace accel::instr

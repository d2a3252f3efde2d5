//===- Lowering.cpp - a tile routine becomes a tree of instructions --------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Codegen/Lowering.h"
#include "acc/Codegen/Program.h"
#include "acc/Codegen/Values.h"
#include "acc/Memory/Addresses.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace accel::codegen {
namespace {

constexpr int maxNesting = rt::isa::kNestingLimit;

/// Flag bits of operation descriptors (see the ISA manual).
enum Flags : uint8_t {
  flagAccumulate = 1, // MXU
  flagInitByReg = 2,  // MXU
  flagFill = 1,       // DMA
  flagCarry = 1,      // VEC
};

class Lowering {
public:
  Lowering(func::FuncOp function, ArrayRef<int32_t> regions, const Call *only, unsigned baseRegs,
           Routine &routine, VectorPrograms &programs)
      : function(function), regions(regions), only(only), baseRegs(baseRegs), routine(routine),
        programs(programs), values(routine) {}

  LogicalResult run() {
    routine.name = function.getName().str();
    routine.arguments = int32_t(function.getNumArguments());
    for (BlockArgument argument : function.getArguments()) {
      auto type = dyn_cast<MemRefType>(argument.getType());
      if (!type)
        return function.emitError("codegen: argument ")
               << argument.getArgNumber() << " is no memref";
      Reg reg = routine.newReg();
      values.exists(reg, &routine.body);
      Place place;
      place.kind = Place::Argument;
      place.space = memory::spaceOf(type);
      place.argument = int32_t(argument.getArgNumber());
      addPlace(argument, place,
               only ? Affine::number(only->arguments[place.argument].address) : Affine::of(reg));
    }
    routine.frameReg = routine.newReg();
    values.exists(routine.frameReg, &routine.body);
    frame = only ? Affine::number(only->frame) : Affine::of(routine.frameReg);
    return lowerBlock(function.front(), routine.body);
  }

private:
  struct Buffer {
    int32_t place;
    Affine address; ///< of the slot of the current iteration
    int32_t region = 0;
  };

  void addPlace(Value value, Place place, Affine address) {
    int32_t region =
        place.kind == Place::Argument && place.space == Space::Dram ? regions[place.argument] : 0;
    buffers[value] = {int32_t(routine.places.size()), std::move(address), region};
    routine.places.push_back(place);
  }

  LogicalResult lowerBlock(mlir::Block &from, Block &to) {
    Block *outer = std::exchange(values.current, &to);
    for (Operation &op : from)
      if (failed(lower(op)))
        return failure();
    values.current = outer;
    return success();
  }

  LogicalResult lower(Operation &op) {
    if (auto alloc = dyn_cast<AllocOp>(op))
      return lowerAlloc(alloc);
    if (auto loop = dyn_cast<scf::ForOp>(op))
      return lowerLoop(loop);
    if (auto conditional = dyn_cast<scf::IfOp>(op))
      return lowerIf(conditional);
    if (auto dma = dyn_cast<DmaOp>(op))
      return lowerDma(dma);
    if (auto mxu = dyn_cast<MxuOp>(op))
      return lowerMxu(mxu);
    if (auto vec = dyn_cast<VecOp>(op))
      return lowerVec(vec);
    if (isa<scf::YieldOp, func::ReturnOp>(op) ||
        isa_and_nonnull<arith::ArithDialect>(op.getDialect()))
      return success(); // arithmetic is lowered where it is used
    return op.emitError("codegen: no instruction for this operation in a routine");
  }

  LogicalResult lowerAlloc(AllocOp alloc) {
    if (!alloc.getAddress())
      return alloc.emitError("codegen: no address; run assign-addresses before");
    Place place;
    place.space = memory::spaceOf(alloc.getType());
    if (place.space == Space::Dram)
      return alloc.emitError("codegen: a routine has no DRAM of its own; pass a tensor to it");
    int64_t slot = memory::slotBytes(alloc.getType());
    place.begin = int64_t(*alloc.getAddress());
    place.slots = int64_t(alloc.getDepth());
    place.slack = int64_t(alloc.getSlack());
    place.end = place.begin + slot * place.slots;
    place.home = values.current;
    while (place.home->owner && place.home->owner->kind == Item::If)
      place.home = place.home->owner->parent;
    Affine address = Affine::number(place.begin);
    if (place.space == Space::Sram)
      address.add(frame);
    address.add(rotation(*place.home, place.slots, alloc.getLoc()), slot);
    addPlace(alloc.getResult(), place, std::move(address));
    return success();
  }

  /// Which slot of a rotating buffer this iteration uses: the iterations of the
  /// home loop counted through the loops around it (Synchronise.cpp: carried
  /// chains), modulo the depth.
  Affine rotation(const Block &home, int64_t slots, Location location) {
    if (slots == 1 || !home.owner)
      return Affine::number(0);
    const Item *carrier = carrierOf(home);
    Affine count;
    int64_t iterations = 1; // of the loops inside of `loop`
    for (const Item *loop = home.owner;; loop = loop->parent->owner) {
      if (iterations % slots != 0)
        count.add(Affine::of(loop->counter), iterations % slots);
      if (!carrier || loop == carrier)
        break;
      iterations *= loop->bound;
    }
    if (count.terms.empty())
      return count;
    return Affine::of(values.emit(Opcode::ModI, values.reg(count, location), 0, slots, location));
  }

  LogicalResult lowerLoop(scf::ForOp loop) {
    if (loop.getNumResults())
      return loop.emitError("codegen: values carried around a loop have no register form");
    auto lower = values.affine(loop.getLowerBound()), upper = values.affine(loop.getUpperBound()),
         step = values.affine(loop.getStep());
    if (!lower || !upper || !step)
      return failure();
    if (!step->isConstant() || step->constant <= 0)
      return loop.emitError("codegen: the step must be a positive constant");
    // trips = ceil((upper - lower) / step)
    Affine trips = *upper;
    trips.add(*lower, -1);
    int64_t bound = 0;
    Reg tripsReg = 0;
    if (trips.isConstant()) {
      bound = std::max<int64_t>(0, llvm::divideCeilSigned(trips.constant, step->constant));
      if (bound == 0)
        return success();
    } else {
      auto limit = loop->getAttrOfType<IntegerAttr>("accel.max_trips");
      if (!limit)
        return loop.emitError("codegen: a loop whose trip count is not constant needs "
                              "accel.max_trips");
      bound = limit.getInt();
      if (step->constant != 1) {
        trips.constant += step->constant - 1;
        trips = Affine::of(values.emit(Opcode::DivI, values.reg(trips, loop.getLoc()), 0,
                                       step->constant, loop.getLoc()));
      }
      // A register operand: LOOP counts to a non-negative number.
      tripsReg = values.reg(trips, loop.getLoc());
    }
    if (!tripsReg && bound == 1) {
      values.define(loop.getInductionVar(), *lower);
      return lowerBlock(*loop.getBody(), *values.current);
    }
    auto item = std::make_unique<Item>(Item::Loop, loop.getLoc());
    item->bound = bound;
    item->trips = tripsReg;
    if (failed(enter(*item)))
      return failure();
    item->counter = routine.newReg();
    values.exists(item->counter, item->body.get());
    values.define(loop.getInductionVar(),
                  Affine(*lower).add(Affine::of(item->counter), step->constant));
    if (failed(lowerBlock(*loop.getBody(), *item->body)))
      return failure();
    values.current->append(std::move(item));
    return success();
  }

  /// Gives an item its body; values can go to blocks around it meanwhile, so it
  /// is appended to its parent when the body is complete.
  LogicalResult enter(Item &item) {
    item.parent = values.current;
    item.body = std::make_unique<Block>();
    item.body->owner = &item;
    item.body->depth = values.current->depth + 1;
    if (item.body->depth > maxNesting)
      return emitError(item.location, "codegen: loops and conditions nest deeper than the "
                                      "machine's ")
             << maxNesting;
    return success();
  }

  LogicalResult lowerIf(scf::IfOp conditional) {
    if (conditional.getNumResults())
      return conditional.emitError("codegen: a condition's results have no register form; use "
                                   "arith.select");
    auto condition = values.affine(conditional.getCondition());
    if (!condition)
      return failure();
    for (bool isElse : {false, true}) {
      Region &region = isElse ? conditional.getElseRegion() : conditional.getThenRegion();
      if (region.empty())
        continue;
      Affine taken = isElse ? Affine::number(1).add(*condition, -1) : *condition;
      if (taken.isConstant()) {
        if (taken.constant && failed(lowerBlock(region.front(), *values.current)))
          return failure();
        continue;
      }
      auto item = std::make_unique<Item>(Item::If, conditional.getLoc());
      item->condition = values.reg(taken, conditional.getLoc());
      if (failed(enter(*item)) || failed(lowerBlock(region.front(), *item->body)))
        return failure();
      values.current->append(std::move(item));
    }
    return success();
  }

  /// What all engine operations have in common: extents and streams.
  template <typename Op>
  LogicalResult lowerEngineOp(Op op, Instruction &instruction, unsigned outputs) {
    instruction.descriptor = std::make_unique<Descriptor>();
    Descriptor &descriptor = *instruction.descriptor;
    dyn.clear();
    for (Value value : op.getDyn()) {
      auto affine = values.affine(value);
      if (!affine)
        return failure();
      dyn.push_back(*affine);
    }
    for (unsigned d = 0; d < 6; ++d) {
      descriptor.sizes[d] = op.getSizes()[d];
      int64_t index = op.getSizeDyn()[d];
      if (index < 0)
        continue;
      if (dyn[index].isConstant() && dyn[index].constant > 0 &&
          dyn[index].constant <= descriptor.sizes[d])
        descriptor.sizes[d] = dyn[index].constant;
      else
        descriptor.sizeRegs[d] = values.reg(dyn[index], op.getLoc());
    }
    for (auto [index, value, attr] : llvm::enumerate(op.getBuffers(), op.getStreams())) {
      auto buffer = buffers.find(value);
      if (buffer == buffers.end())
        return op.emitError("codegen: buffer ")
               << index << " is neither an argument nor an accel.alloc of this routine";
      Stream stream;
      Access access;
      access.place = buffer->second.place;
      access.write = index < outputs;
      if (failed(lowerStream(op, cast<StreamAttr>(attr), buffer->second, descriptor.sizes, stream,
                             access)))
        return failure();
      stream.space = routine.places[access.place].space;
      stream.region = buffer->second.region;
      descriptor.streams.push_back(std::move(stream));
      instruction.accesses.push_back(access);
    }
    return success();
  }

  LogicalResult lowerStream(Operation *op, StreamAttr attr, const Buffer &buffer,
                            const std::array<int64_t, 6> &sizes, Stream &stream, Access &access) {
    Location location = op->getLoc();
    stream.type = attr.getType();
    stream.pad = uint64_t(attr.getPad());
    llvm::copy(attr.getStrides(), stream.strides.begin());
    Affine base = buffer.address;
    base.constant += attr.getBase();
    for (int64_t index : attr.getBaseDyn())
      base.add(dyn[index]);
    for (CoordAttr coord : attr.getWindow()) {
      Coordinate c;
      c.start = coord.getStart();
      if (coord.getStartDyn() >= 0) {
        Affine start = dyn[coord.getStartDyn()];
        c.start += std::exchange(start.constant, 0);
        c.startReg = values.reg(start, location);
      }
      c.dimA = coord.getDimA();
      c.mulA = coord.getDimA() < 0 ? 0 : coord.getMulA();
      c.dimB = coord.getDimB();
      c.mulB = coord.getDimB() < 0 ? 0 : coord.getMulB();
      c.bound = coord.getBound();
      c.mod = coord.getMod();
      c.div = coord.getDiv();
      c.exact = coord.getExact();
      c.stride = coord.getStride();
      if (coord.getOrgDyn() >= 0) {
        const Affine &origin = dyn[coord.getOrgDyn()];
        if (c.mod == 0) // without wrapping, the origin only moves the base
          base.add(origin, -c.stride);
        else
          c.originReg = values.reg(origin, location);
      }
      if (c.start < INT32_MIN || c.start > INT32_MAX || c.bound > int64_t(UINT32_MAX) ||
          c.stride < INT32_MIN || c.stride > INT32_MAX || c.mod > int64_t(UINT32_MAX))
        return op->emitError("codegen: a window coordinate exceeds 32 bits");
      stream.window.push_back(c);
    }
    std::tie(stream.base, stream.baseRegs) = values.split(base, baseRegs, location);

    // The bytes it touches, if they are the same in every execution.
    if (attr.getBaseDyn().empty() && attr.getWindow().empty()) {
      access.begin = attr.getBase();
      access.end = attr.getBase() + llvm::divideCeil(bitsOf(attr.getType()), 8);
      for (unsigned d = 0; d < 6; ++d) {
        int64_t reach = (sizes[d] - 1) * attr.getStrides()[d];
        (reach < 0 ? access.begin : access.end) += reach;
      }
    } else {
      access.begin = INT64_MIN;
    }
    return success();
  }

  static unsigned bitsOf(Type type) { return type.isIndex() ? 64 : type.getIntOrFloatBitWidth(); }

  void append(Operation *op, Instruction instruction) {
    auto item = std::make_unique<Item>(op->getLoc());
    item->instruction = std::move(instruction);
    values.current->append(std::move(item));
  }

  LogicalResult lowerDma(DmaOp op) {
    Instruction in;
    in.opcode = op.getGather() ? Opcode::DmaGather : Opcode::Dma;
    in.engine = op.getEngine();
    in.reason = op.getReason();
    if (failed(lowerEngineOp(op, in, 1)))
      return failure();
    if (op.getGather())
      in.descriptor->za = int64_t(op.getGatherBound().value_or(0));
    if (Attribute fill = op.getFillAttr()) {
      in.descriptor->flags |= flagFill;
      if (auto number = dyn_cast<FloatAttr>(fill)) {
        APFloat value = number.getValue();
        bool lossy;
        Type type = in.descriptor->streams[0].type;
        if (auto target = dyn_cast<FloatType>(type)) {
          value.convert(target.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lossy);
          in.descriptor->fillBits = value.bitcastToAPInt().getZExtValue();
        } else {
          return op.emitError("codegen: fills a tensor of integers with a floating-point value");
        }
      } else if (auto number = dyn_cast<IntegerAttr>(fill)) {
        in.descriptor->fillBits =
            number.getValue().sextOrTrunc(bitsOf(in.descriptor->streams[0].type)).getZExtValue();
      } else {
        return op.emitError("codegen: the fill value must be a number");
      }
    }
    append(op, std::move(in));
    return success();
  }

  LogicalResult lowerMxu(MxuOp op) {
    Instruction in;
    in.opcode = op.getDepthwise() ? Opcode::MxuDw : Opcode::Mxu;
    in.engine = Engine::Mxu;
    if (failed(lowerEngineOp(op, in, 1)))
      return failure();
    Descriptor &descriptor = *in.descriptor;
    descriptor.za = int64_t(op.getZa());
    descriptor.zb = int64_t(op.getZb());
    if (op.getAccumulate())
      descriptor.flags |= flagAccumulate;
    else if (int64_t index = int64_t(op.getInitDyn()); index >= 0) {
      // Overwrites where the value is 0: a constant decides now.
      if (!dyn[index].isConstant()) {
        descriptor.flags |= flagInitByReg;
        descriptor.initReg = values.reg(dyn[index], op.getLoc());
      } else if (dyn[index].constant != 0) {
        descriptor.flags |= flagAccumulate;
      }
    }
    append(op, std::move(in));
    return success();
  }

  LogicalResult lowerVec(VecOp op) {
    Instruction in;
    in.opcode = Opcode::Vec;
    in.engine = Engine::Vec;
    if (failed(lowerEngineOp(op, in, unsigned(op.getOutputs()))))
      return failure();
    Descriptor &descriptor = *in.descriptor;
    for (int64_t d : op.getReduced())
      descriptor.reduceMask |= uint8_t(1u << d);
    if (op.getCarry()) {
      int64_t index = int64_t(op.getInitDyn());
      if (index < 0)
        return op.emitError("codegen: carry needs init_dyn, which is 0 in the first step");
      // Without the flag the reduction starts anew, with r0 it does so too.
      if (!dyn[index].isConstant() || dyn[index].constant != 0) {
        descriptor.flags |= flagCarry;
        descriptor.initReg = values.reg(dyn[index], op.getLoc());
      }
    }
    FailureOr<int32_t> program = programs.add(op);
    if (failed(program))
      return failure();
    in.program = *program;
    append(op, std::move(in));
    return success();
  }

  func::FuncOp function;
  ArrayRef<int32_t> regions;
  const Call *only;
  unsigned baseRegs; ///< of a stream
  Routine &routine;
  VectorPrograms &programs;
  Values values;
  Affine frame; ///< its SRAM address
  llvm::DenseMap<Value, Buffer> buffers;
  SmallVector<Affine> dyn; ///< of the operation being lowered
};

} // namespace

LogicalResult lowerRoutine(func::FuncOp function, ArrayRef<int32_t> regions, const Call *only,
                           unsigned baseRegs, Routine &routine, VectorPrograms &programs) {
  return Lowering(function, regions, only, baseRegs, routine, programs).run();
}

} // namespace accel::codegen

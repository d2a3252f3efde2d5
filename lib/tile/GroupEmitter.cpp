//===- GroupEmitter.cpp - a group's loop nest -----------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GroupEmitter.h"

#include "acc/Plan/Transfer.h"

using namespace mlir;
using namespace accel;

static Type elementOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

Value GroupEmitter::allocate(ArrayRef<int64_t> shape, Type element, Space space, int64_t depth,
                             Location loc) {
  auto type = MemRefType::get(shape, element, MemRefLayoutAttrInterface(),
                              SpaceAttr::get(builder.getContext(), space));
  return AllocOp::create(builder, loc, type, depth, 1, IntegerAttr(), StringAttr());
}

View GroupEmitter::allocate(const BufferModel &buffer, Type element, Location loc) {
  View view;
  view.memref = allocate(buffer.extents, element, Space::Sram, buffer.depth, loc);
  view.element = element;
  view.strides = rowMajor(buffer.extents, buffer.elementBytes);
  view.origin.assign(buffer.origin.begin(), buffer.origin.end());
  view.circular = buffer.circular;
  if (buffer.circular >= 0)
    view.modulus = buffer.extents[buffer.circular];
  return view;
}

View GroupEmitter::scratch(ArrayRef<int64_t> extents, ArrayRef<ExprId> origin, Type element,
                           Location loc) {
  BufferModel buffer;
  buffer.extents.assign(extents.begin(), extents.end());
  buffer.origin.assign(origin.begin(), origin.end());
  buffer.elementBytes = byteWidth(element);
  return allocate(buffer, element, loc);
}

SmallVector<int64_t> GroupEmitter::bounds(const Box &box) const {
  SmallVector<int64_t> result;
  for (const IndexRange &range : box)
    result.push_back(std::max<int64_t>(1, model.largest(model.extent(range))));
  return result;
}

/// A resident tensor is read and written in place.
static View residentView(GroupModel &model, const External &external, Value memref) {
  View view;
  view.memref = memref;
  view.element = elementOf(external.value);
  for (unsigned d = 0; d < external.layout.dims.size(); ++d) {
    view.strides.push_back(external.layout.stride(d) * byteWidth(view.element));
    view.origin.push_back(model.pool.constant(0));
  }
  return view;
}

View GroupEmitter::viewOf(Value value) { return views.find(value)->second; }

/// A load into a buffer that others may use before stands right before its first
/// reader; all others stand at the start of an iteration, ahead of what computes.
static bool standsAtReader(const GroupModel &model, const LoadModel &load) {
  return !load.direct && load.member < 0 && model.isTransient(load.buffer);
}

/// Buffers and loads that stand inside of exactly `level` group loops.
void GroupEmitter::emitLevel(unsigned level) {
  for (LoadModel &load : model.loads) {
    const External &external = ops.inputs[load.input];
    if (load.direct || load.buffer.level != level || (load.member >= 0))
      continue;
    views[external.value] =
        allocate(load.buffer, elementOf(external.value), external.value.getLoc());
  }
  for (MemberModel &member : model.members)
    if (!member.direct && member.intermediate && member.inplace < 0 && member.buffer.level == level)
      views[member.op->getResult(0)] =
          allocate(member.buffer, elementOf(member.op->getResult(0)), member.op->getLoc());
}

Value GroupEmitter::openLoop(const LoopModel &loop, Location loc) {
  if (loop.trips == 1) {
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    emitter.bind(loop.counter, zero);
    return zero;
  }
  Value lower = arith::ConstantIndexOp::create(builder, loc, 0);
  Value upper = arith::ConstantIndexOp::create(builder, loc, loop.trips);
  Value step = arith::ConstantIndexOp::create(builder, loc, 1);
  auto loopOp = scf::ForOp::create(builder, loc, lower, upper, step);
  builder.setInsertionPointToStart(loopOp.getBody());
  emitter.bind(loop.counter, loopOp.getInductionVar());
  return loopOp.getInductionVar();
}

LogicalResult GroupEmitter::emitGroupLoops(unsigned level) {
  emitLevel(level);
  for (LoadModel &load : model.loads) {
    if (load.direct || load.member >= 0)
      continue;
    // A rolling load runs in the innermost loop, its buffer stands outside.
    unsigned at = load.rolling ? model.loops.size() : load.buffer.level;
    if (at == level && !standsAtReader(model, load) && failed(emitLoad(load.input)))
      return failure();
  }
  if (level < model.loops.size()) {
    OpBuilder::InsertionGuard guard(builder);
    openLoop(model.loops[level], builder.getUnknownLoc());
    return emitGroupLoops(level + 1);
  }
  for (unsigned m = 0; m < model.members.size(); ++m) {
    for (LoadModel &load : model.loads)
      if (standsAtReader(model, load) && load.firstReader == m && failed(emitLoad(load.input)))
        return failure();
    if (failed(emitMember(m, 0)))
      return failure();
  }
  return success();
}

bool GroupEmitter::ownTile(unsigned m) const {
  const MemberModel &member = model.members[m];
  return !member.direct && !member.intermediate && member.inplace < 0;
}

bool GroupEmitter::storesTile(unsigned m) const {
  const MemberModel &member = model.members[m];
  return member.output >= 0 && !ops.outputs[member.output].inSram && !member.intermediate;
}

LogicalResult GroupEmitter::emitMemberLoads(unsigned m, unsigned level, unsigned operands) {
  Operation *op = model.members[m].op;
  for (LoadModel &load : model.loads) {
    if (load.direct || load.member != int(m) || load.buffer.level != level)
      continue;
    const External &external = ops.inputs[load.input];
    if (!llvm::is_contained(op->getOperands().take_front(operands), external.value))
      continue;
    views[external.value] =
        allocate(load.buffer, elementOf(external.value), external.value.getLoc());
    if (failed(emitLoad(load.input)))
      return failure();
  }
  return success();
}

LogicalResult GroupEmitter::emitMember(unsigned m, unsigned depth) {
  MemberModel &member = model.members[m];
  Operation *op = member.op;
  Value result = op->getResult(0);
  unsigned level = model.loops.size() + depth;
  if (depth == 0 && member.inplace >= 0)
    views[result] = viewOf(op->getOperand(member.inplace));
  if (ownTile(m) && member.buffer.level == level)
    views[result] = allocate(member.buffer, elementOf(result), op->getLoc());
  if (failed(emitMemberLoads(m, level, op->getNumOperands())))
    return failure();
  if (depth == member.firstReduction && usesMxu(op)) {
    const Box &box = resultBox(m);
    Type type = cast<ComputeOpInterface>(op).getBody().front().getArgument(0).getType();
    View acc;
    SmallVector<int64_t> extents;
    for (unsigned d = 0; d < cast<RankedTensorType>(result.getType()).getRank(); ++d) {
      extents.push_back(std::max<int64_t>(1, model.largest(model.extent(box[d]))));
      acc.origin.push_back(box[d].lo);
    }
    acc.strides = rowMajor(extents, 4);
    acc.element = type;
    acc.memref = allocate(extents, type, Space::Acc, member.accDepth, op->getLoc());
    accumulators[m] = acc;
  } else if (depth == member.firstReduction && isa<ReduceOp>(op) &&
             member.firstReduction < member.loops.size()) {
    Box box = resultBox(m);
    box.resize(cast<RankedTensorType>(result.getType()).getRank());
    SmallVector<ExprId> origin;
    for (const IndexRange &range : box)
      origin.push_back(range.lo);
    SmallVector<int64_t> extents = bounds(box);
    if (tileGranule(op, member.loops[depth].dim) > 1)
      extents.back() = tileGranule(op, member.loops[depth].dim); // by lanes
    Type type = cast<ComputeOpInterface>(op).getBody().front().getArgument(0).getType();
    partials[m] = scratch(extents, origin, type, op->getLoc());
  }
  if (member.splitRow && depth == member.firstReduction) {
    if (failed(emitSplitSoftmax(m, depth)))
      return failure();
  } else if (depth < member.loops.size()) {
    OpBuilder::InsertionGuard guard(builder);
    openLoop(member.loops[depth], op->getLoc());
    if (failed(emitMember(m, depth + 1)))
      return failure();
  } else if (failed(emitKernel(m))) {
    return failure();
  }
  if (depth == member.firstReduction && failed(emitEpilogue(m)))
    return failure();
  bool stores = storesTile(m) && member.buffer.level == level;
  if (member.output >= 0 && !ops.outputs[member.output].inSram && member.intermediate)
    stores = depth == 0;
  return stores ? emitStore(m, model.outputBoxes[member.output]) : success();
}

LogicalResult GroupEmitter::emit() {
  for (auto [index, load] : llvm::enumerate(model.loads))
    if (load.direct && !load.gatherTable)
      views[ops.inputs[index].value] = residentView(model, ops.inputs[index], inputs[index].memref);
  for (MemberModel &member : model.members)
    if (member.direct)
      views[member.op->getResult(0)] =
          residentView(model, ops.outputs[member.output], outputs[member.output].memref);
  return emitGroupLoops(0);
}

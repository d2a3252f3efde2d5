//===- EmitTransfer.cpp - loads, stores and gathers -----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A transfer moves a box between a stored tensor, with its layout of nested
// strides, and a local buffer. Dimensions that continue each other on both sides
// become one, so that a contiguous box is one run.
//
//===----------------------------------------------------------------------===//

#include "GroupEmitter.h"

#include "acc/Plan/Transfer.h"

using namespace mlir;
using namespace accel;

LogicalResult GroupEmitter::transfer(Location loc, Engine engine, Reason reason,
                                     const External &external, Value memref, const View &local,
                                     const Box &box, bool store) {
  ExprPool &pool = model.pool;
  int64_t bytes = byteWidth(local.element);
  ExprId farBase = pool.constant(0), nearBase = pool.constant(0);
  int64_t circularStride = 0;
  ExprId circularStart = pool.constant(0);
  for (unsigned d = 0; d < box.size(); ++d) {
    if (local.circular == int(d)) {
      circularStart = box[d].lo;
      circularStride = local.strides[d];
    } else {
      nearBase =
          pool.add(nearBase, pool.mul(pool.sub(box[d].lo, local.origin[d]), local.strides[d]));
    }
    const auto &modes = external.layout.dims[d];
    ExprId at = box[d].lo;
    int64_t stride = external.layout.stride(d);
    if (modes.size() > 1) {
      at = pool.floorDiv(at, external.layout.granule(d));
      stride = modes[0].stride;
    }
    farBase = pool.add(farBase, pool.mul(at, stride * bytes));
  }
  SmallVector<TransferStep> joined =
      transferSteps(model, external.layout, box, local.strides, local.circular, bytes);
  if (std::string limit = transferLimit(joined); !limit.empty()) // plan refuses it before
    return emitError(loc, limit);
  EngineOp op(emitter, loc);
  SmallVector<int64_t> far(6, 0), near(6, 0);
  SmallVector<CoordAttr> window;
  unsigned first = 6 - joined.size();
  SmallVector<std::pair<int64_t, int64_t>, 2> moves; // dimension, index step
  for (auto [k, step] : llvm::enumerate(joined)) {
    op.extent(first + k, step.size, step.bound);
    far[first + k] = step.far;
    if (!step.index)
      near[first + k] = step.near;
    else
      moves.push_back({first + k, step.index});
  }
  if (local.circular >= 0) {
    IntegerAttr known;
    Value start = emitter.emit(circularStart, loc);
    bool fixed = matchPattern(start, m_Constant(&known));
    moves.resize(2, {-1, 1});
    window.push_back(CoordAttr::get(builder.getContext(), fixed ? known.getInt() : 0,
                                    fixed ? -1 : op.dynamicValue(start), -1, moves[0].first,
                                    moves[0].second, moves[1].first, moves[1].second, -1,
                                    local.modulus, 1, false, circularStride));
  }
  auto add = [&](bool isFar) {
    if (isFar)
      op.rawStream(memref, local.element, farBase, far);
    else
      op.rawStream(local.memref, local.element, nearBase, near, window);
  };
  add(store);
  add(!store);
  DmaOp::create(builder, loc, op.buffers, op.dyn, op.sizesAttr(), op.sizeDynAttr(),
                op.streamsAttr(), engine, reason, Attribute(), false, IntegerAttr());
  return success();
}

LogicalResult GroupEmitter::transfer(Location loc, Engine engine, const Argument &argument,
                                     const External &external, const View &local, const Box &box,
                                     bool store) {
  if (argument.rows) {
    Box part = partOf(model.pool, external, box, /*inSram=*/true);
    if (failed(transfer(loc, engine, Reason::None, external, argument.rows, local, part, store)))
      return failure();
  }
  Box part = partOf(model.pool, external, box, /*inSram=*/false);
  return transfer(loc, engine, argument.reason, external, argument.memref, local, part, store);
}

LogicalResult GroupEmitter::emitLoad(unsigned index) {
  LoadModel &load = model.loads[index];
  const External &external = ops.inputs[index];
  // The bytes belong to the operation that reads them.
  Location loc = external.value.getLoc();
  for (Operation *op : llvm::reverse(ops.members))
    if (llvm::is_contained(op->getOperands(), external.value))
      loc = op->getLoc();
  return transfer(loc, external.constant ? Engine::Ld1 : Engine::Ld0, inputs[index], external,
                  views.find(external.value)->second, load.box, /*store=*/false);
}

LogicalResult GroupEmitter::emitStore(unsigned m, const Box &box) {
  MemberModel &member = model.members[m];
  return transfer(member.op->getLoc(), Engine::St, outputs[member.output],
                  ops.outputs[member.output], viewOf(member.op->getResult(0)), box,
                  /*store=*/true);
}

/// Rows of a table: dimension 0 of the iteration is the list of indices.
LogicalResult GroupEmitter::emitGather(unsigned m) {
  MemberModel &member = model.members[m];
  auto gather = cast<GatherOp>(member.op);
  Location loc = gather.getLoc();
  ExprPool &pool = model.pool;
  auto table = cast<RankedTensorType>(gather.getInput().getType());
  unsigned indexRank = cast<RankedTensorType>(gather.getWeight().getType()).getRank();
  unsigned rest = table.getRank() - 1;
  Type element = table.getElementType();
  int64_t bytes = byteWidth(element);
  const Box &box = member.boxes.back();
  SmallVector<int64_t> most = bounds(box);

  View target;
  Block &body = gather.getBody().front();
  bool plain = body.getTerminator()->getOperand(0) == body.getArgument(0);
  if (plain) {
    target = viewOf(gather.getResult());
  } else {
    SmallVector<ExprId> origin;
    for (const IndexRange &range : box)
      origin.push_back(range.lo);
    target = scratch(most, origin, element, loc);
  }
  if (rest > 5)
    return gather.emitError("rows of rank ") << rest << " have more dimensions than a descriptor";

  const External *external = nullptr;
  Value memref;
  for (auto [index, input] : llvm::enumerate(ops.inputs))
    if (input.value == gather.getInput()) {
      external = &input;
      memref = inputs[index].memref;
    }
  if (!external || !external->layout.isStrided())
    return gather.emitError("the table must be a stored tensor with plain strides");
  EngineOp op(emitter, loc);
  // The indices: at most one dimension moves in one transfer.
  int moving = -1;
  for (unsigned d = 0; d < indexRank; ++d)
    if (most[d] > 1) {
      if (moving >= 0)
        return gather.emitError("indices move in two dimensions of a tile");
      moving = d;
    }
  if (moving >= 0)
    op.extent(0, model.extent(box[moving]), most[moving]);
  SmallVector<IndexWalk> targetWalk(box.size()), indexWalk(indexRank);
  SmallVector<int64_t> tableStrides(6, 0);
  ExprId tableBase = pool.constant(0);
  tableStrides[0] = external->layout.stride(0) * bytes;
  View indices = viewOf(gather.getWeight());
  for (unsigned d = 0; d < indexRank; ++d) {
    targetWalk[d].start = indexWalk[d].start = box[d].lo;
    if (int(d) == moving) {
      targetWalk[d].steps.push_back({0, 1});
      indexWalk[d].steps.push_back({0, 1});
    }
  }
  for (unsigned d = 0; d < rest; ++d) {
    unsigned dim = 6 - rest + d, at = indexRank + d;
    op.extent(dim, model.extent(box[at]), most[at]);
    targetWalk[at].start = box[at].lo;
    targetWalk[at].steps.push_back({dim, 1});
    int64_t stride = external->layout.stride(1 + d) * bytes;
    tableStrides[dim] = stride;
    tableBase = pool.add(tableBase, pool.mul(box[at].lo, stride));
  }
  op.stream(target, targetWalk);
  op.rawStream(memref, element, tableBase, tableStrides);
  op.stream(indices, indexWalk);
  Reason reason = Reason::None;
  for (auto [index, input] : llvm::enumerate(ops.inputs))
    if (&input == external && !external->inSram)
      reason = inputs[index].reason;
  DmaOp::create(builder, loc, op.buffers, op.dyn, op.sizesAttr(), op.sizeDynAttr(),
                op.streamsAttr(), Engine::Ld0, reason, Attribute(), true,
                builder.getI64IntegerAttr(table.getDimSize(0)));
  return plain ? success() : emitMap(m, &target, element, resultPart(member.op, resultBox(m)));
}

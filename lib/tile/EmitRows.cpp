//===- EmitRows.cpp - softmax and normalisation ----------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that read a row more than once. One algorithm and one order for
// each, whatever the schedule (see the operation's description).
//
//===----------------------------------------------------------------------===//

#include "GroupEmitter.h"

using namespace mlir;
using namespace accel;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

static Type elementOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

/// Ends an instruction with the body of `op` on y and the extras, which are the
/// inputs behind the first `own`.
static void yieldBody(OpBuilder &b, Operation *op, Value y, unsigned own) {
  SmallVector<Value> arguments{y};
  llvm::append_range(arguments, b.getBlock()->getArguments().drop_front(own));
  YieldOp::create(b, op->getLoc(), inlineBody(b, op, arguments));
}

LogicalResult GroupEmitter::emitSoftmax(unsigned m) {
  MemberModel &member = model.members[m];
  auto softmax = cast<SoftmaxOp>(member.op);
  Location loc = softmax.getLoc();
  auto compute = cast<ComputeOpInterface>(member.op);
  Box box = resultPart(softmax, member.boxes.back());
  unsigned rank = box.size(), first = 6 - rank;
  SmallVector<int64_t> most = bounds(box);
  Type f32 = builder.getF32Type();
  SmallVector<ExprId> origin;
  for (const IndexRange &range : box)
    origin.push_back(range.lo);
  SmallVector<int64_t> rows = most;
  rows.back() = 1;
  View maximum = scratch(rows, origin, f32, loc), sum = scratch(rows, origin, f32, loc);
  View value = scratch(most, origin, f32, loc);
  SmallVector<IndexWalk> all = walksOf(box, first), row = all;
  row.back().steps.clear();
  auto extents = [&](VectorOp &vector) {
    for (unsigned d = 0; d < rank; ++d)
      vector.op.extent(first + d, model.extent(box[d]), most[d]);
  };
  View input = viewOf(softmax.getInput());
  { // m = max x
    VectorOp vector(emitter, loc);
    extents(vector);
    vector.output(maximum, row);
    vector.input(input, all);
    VecOp vec = vector.create(0, {5}, {ReduceKind::Max}, /*lanes=*/true);
    OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
    YieldOp::create(b, loc, convert(b, loc, vec.getBody().getArgument(0), f32));
    vector.post(vec, f32, [](OpBuilder &, Value v) { return v; });
  }
  { // e = exp(x - m), s = 1 / sum e (or log of the sum, with e = x - m)
    VectorOp vector(emitter, loc);
    extents(vector);
    vector.output(value, all);
    vector.output(sum, row);
    vector.input(input, all);
    vector.input(maximum, row);
    VecOp vec = vector.create(1, {5}, {ReduceKind::Sum}, /*lanes=*/true);
    OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
    Value x = convert(b, loc, vec.getBody().getArgument(0), f32);
    Value d = arith::SubFOp::create(b, loc, x, vec.getBody().getArgument(1));
    Value e = math::ExpOp::create(b, loc, d);
    YieldOp::create(b, loc, ValueRange{softmax.getLog() ? d : e, e});
    vector.post(vec, f32, [&](OpBuilder &b, Value v) -> Value {
      if (softmax.getLog())
        return math::LogOp::create(b, loc, v);
      return RecipOp::create(b, loc, f32, v);
    });
  }
  // y = e * s (or e - s), then the body.
  bool together = compute.getExtras().size() <= 2;
  VectorOp vector(emitter, loc);
  extents(vector);
  vector.output(together ? viewOf(softmax.getResult()) : value, all);
  vector.input(value, all);
  vector.input(sum, row);
  if (together)
    emitExtras(vector, softmax, box, first);
  VecOp vec = vector.create(1);
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  SmallVector<Value> arguments(vec.getBody().getArguments());
  Value y = softmax.getLog() ? Value(arith::SubFOp::create(b, loc, arguments[0], arguments[1]))
                             : Value(arith::MulFOp::create(b, loc, arguments[0], arguments[1]));
  if (together)
    return yieldBody(b, softmax, y, 2), success();
  YieldOp::create(b, loc, y);
  return emitMap(m, &value, f32, box);
}

/// The same with the row in pieces: pass 0 takes the maximum, pass 1 the sum,
/// pass 2 computes exp(x - m) again and writes. The 16 partials of the lane order
/// are kept between the pieces, so that every bit is that of a whole row. Past the
/// row's end x is -inf, which changes neither.
LogicalResult GroupEmitter::emitSplitSoftmax(unsigned m, unsigned depth) {
  constexpr int64_t lanes = reductionLanes;
  constexpr int64_t minusInfinity = 0xff800000;
  MemberModel &member = model.members[m];
  auto softmax = cast<SoftmaxOp>(member.op);
  Location loc = softmax.getLoc();
  ExprPool &pool = model.pool;
  unsigned rank = shapeOf(softmax.getResult()).size(), last = rank - 1, firstRow = 5 - rank;
  unsigned level = model.loops.size() + depth + 1;
  Type f32 = builder.getF32Type();
  Box rowBox = resultPart(softmax, resultBox(m));
  SmallVector<int64_t> rows = bounds(rowBox), parts = rows;
  rows[last] = 1;
  parts[last] = lanes;
  SmallVector<ExprId> origin;
  for (const IndexRange &range : rowBox)
    origin.push_back(range.lo);
  View maximum = scratch(rows, origin, f32, loc), sum = scratch(rows, origin, f32, loc);
  View partial[2] = {scratch(parts, origin, f32, loc), scratch(parts, origin, f32, loc)};
  // Rows at iteration dimensions firstRow.., the row in steps of 16 at 4, lanes at 5.
  SmallVector<IndexWalk> row = walksOf(rowBox, firstRow), byLane;
  row[last] = {pool.constant(0), {}};
  byLane = row;
  byLane[last].steps = {{5, 1}};
  auto rowExtents = [&](VectorOp &vector) {
    for (unsigned d = 0; d < last; ++d)
      vector.op.extent(firstRow + d, model.extent(rowBox[d]), rows[d]);
  };

  for (int pass = 0; pass < 3; ++pass) {
    {
      OpBuilder::InsertionGuard loopGuard(builder);
      openLoop(member.loops.back(), loc);
      if (pass == 2 && ownTile(m) && member.buffer.level == level)
        views[softmax.getResult()] = allocate(member.buffer, elementOf(softmax.getResult()), loc);
      if (failed(emitMemberLoads(m, level, pass < 2 ? 1 : softmax->getNumOperands())))
        return failure();
      Box box = resultPart(softmax, member.boxes.back());
      View input = viewOf(softmax.getInput());
      VectorOp vector(emitter, loc);
      if (pass < 2) {
        rowExtents(vector);
        int64_t most = (bounds(box)[last] + lanes - 1) / lanes;
        ExprId steps = pool.floorDiv(pool.addConstant(model.extent(box[last]), lanes - 1), lanes);
        vector.op.extent(4, steps, most);
        vector.op.extent(5, pool.constant(lanes), lanes);
        vector.output(partial[pass], byLane);
        SmallVector<IndexWalk> all = walksOf(box, firstRow);
        all[last].steps = {{4, lanes}, {5, 1}};
        if (int64_t size = shapeOf(softmax.getInput())[last]; size % lanes)
          all[last].bound = size;
        vector.input(input, all, minusInfinity);
        if (pass == 1)
          vector.input(maximum, row);
        int64_t init = initValue(vector.op, m);
        VecOp vec = vector.create(0, {4}, {pass ? ReduceKind::Sum : ReduceKind::Max}, false, init,
                                  init >= 0);
        OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
        Value x = convert(b, loc, vec.getBody().getArgument(0), f32);
        if (pass == 1)
          x = math::ExpOp::create(b, loc,
                                  arith::SubFOp::create(b, loc, x, vec.getBody().getArgument(1)));
        YieldOp::create(b, loc, x);
        vector.post(vec, f32, [](OpBuilder &, Value v) { return v; });
      } else if (failed(emitSoftmaxResult(m, box, maximum, sum))) {
        return failure();
      }
      if (pass == 2 && member.buffer.level == level && storesTile(m) &&
          failed(emitStore(m, model.outputBoxes[member.output])))
        return failure();
    }
    if (pass == 2)
      break;
    VectorOp vector(emitter, loc);
    rowExtents(vector);
    vector.op.extent(5, pool.constant(lanes), lanes);
    vector.output(pass ? sum : maximum, row);
    vector.input(partial[pass], byLane);
    VecOp vec = vector.create(0, {5}, {pass ? ReduceKind::Sum : ReduceKind::Max}, /*lanes=*/true);
    OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
    YieldOp::create(b, loc, vec.getBody().getArgument(0));
    vector.post(vec, f32, [&](OpBuilder &b, Value v) -> Value {
      if (pass == 0)
        return v;
      if (softmax.getLog())
        return math::LogOp::create(b, loc, v);
      return RecipOp::create(b, loc, f32, v);
    });
  }
  return success();
}

/// y = exp(x - m) * s (or x - m - s), then the body.
LogicalResult GroupEmitter::emitSoftmaxResult(unsigned m, const Box &box, const View &maximum,
                                              const View &sum) {
  MemberModel &member = model.members[m];
  auto softmax = cast<SoftmaxOp>(member.op);
  auto compute = cast<ComputeOpInterface>(member.op);
  Location loc = softmax.getLoc();
  Type f32 = builder.getF32Type();
  unsigned rank = box.size(), first = 6 - rank;
  SmallVector<int64_t> most = bounds(box);
  SmallVector<ExprId> origin;
  for (const IndexRange &range : box)
    origin.push_back(range.lo);
  SmallVector<IndexWalk> all = walksOf(box, first), row = all;
  row.back() = {model.pool.constant(0), {}};
  bool together = compute.getExtras().size() <= 1;
  View value = together ? viewOf(softmax.getResult()) : scratch(most, origin, f32, loc);
  VectorOp vector(emitter, loc);
  for (unsigned d = 0; d < rank; ++d)
    vector.op.extent(first + d, model.extent(box[d]), most[d]);
  vector.output(value, all);
  vector.input(viewOf(softmax.getInput()), all);
  vector.input(maximum, row);
  vector.input(sum, row);
  if (together)
    emitExtras(vector, softmax, box, first);
  VecOp vec = vector.create(1);
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  SmallVector<Value> arguments(vec.getBody().getArguments());
  Value x = convert(b, loc, arguments[0], f32);
  Value y = arith::SubFOp::create(b, loc, x, arguments[1]);
  if (softmax.getLog())
    y = arith::SubFOp::create(b, loc, y, arguments[2]);
  else
    y = arith::MulFOp::create(b, loc, math::ExpOp::create(b, loc, y), arguments[2]);
  if (together)
    return yieldBody(b, softmax, y, 3), success();
  YieldOp::create(b, loc, y);
  return emitMap(m, &value, f32, box);
}

LogicalResult GroupEmitter::emitNormalize(unsigned m) {
  MemberModel &member = model.members[m];
  auto normalize = cast<NormalizeOp>(member.op);
  Location loc = normalize.getLoc();
  auto compute = cast<ComputeOpInterface>(member.op);
  Box box = resultPart(normalize, member.boxes.back());
  unsigned rank = box.size(), first = 6 - rank;
  SmallVector<int64_t> most = bounds(box), reduced, rows = most;
  Type f32 = builder.getF32Type();
  SmallVector<ExprId> origin;
  for (const IndexRange &range : box)
    origin.push_back(range.lo);
  SmallVector<IndexWalk> all = walksOf(box, first), row = all;
  int64_t count = 1;
  bool lanes = false;
  for (int64_t dim : normalize.getDims()) {
    rows[dim] = 1;
    row[dim].steps.clear();
    reduced.push_back(first + dim);
    count *= shapeOf(normalize.getInput())[dim];
    lanes |= dim + 1 == int64_t(rank);
  }
  llvm::sort(reduced);
  View mean = scratch(rows, origin, f32, loc), scale = scratch(rows, origin, f32, loc);
  View input = viewOf(normalize.getInput());
  auto extents = [&](VectorOp &vector) {
    for (unsigned d = 0; d < rank; ++d)
      vector.op.extent(first + d, model.extent(box[d]), most[d]);
  };
  auto constant = [&](OpBuilder &b, double value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  };
  bool rms = normalize.getRms();
  if (!rms) {
    VectorOp vector(emitter, loc);
    extents(vector);
    vector.output(mean, row);
    vector.input(input, all);
    VecOp vec = vector.create(0, reduced, {ReduceKind::Sum}, lanes);
    OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
    YieldOp::create(b, loc, convert(b, loc, vec.getBody().getArgument(0), f32));
    vector.post(vec, f32, [&](OpBuilder &b, Value v) -> Value {
      return arith::DivFOp::create(b, loc, v, constant(b, double(count)));
    });
  }
  { // scale = 1 / sqrt(sum (x - mean)^2 / n + eps)
    VectorOp vector(emitter, loc);
    extents(vector);
    vector.output(scale, row);
    vector.input(input, all);
    if (!rms)
      vector.input(mean, row);
    VecOp vec = vector.create(0, reduced, {ReduceKind::Sum}, lanes);
    OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
    Value x = convert(b, loc, vec.getBody().getArgument(0), f32);
    if (!rms)
      x = arith::SubFOp::create(b, loc, x, vec.getBody().getArgument(1));
    YieldOp::create(b, loc, Value(arith::MulFOp::create(b, loc, x, x)));
    vector.post(vec, f32, [&](OpBuilder &b, Value v) -> Value {
      Value variance = arith::DivFOp::create(b, loc, v, constant(b, double(count)));
      Value sum = arith::AddFOp::create(b, loc, variance,
                                        constant(b, normalize.getEps().convertToDouble()));
      Value root = math::SqrtOp::create(b, loc, sum);
      return RecipOp::create(b, loc, f32, root);
    });
  }
  unsigned own = rms ? 2 : 3;
  bool together = compute.getExtras().size() + own <= 4;
  View value = together ? viewOf(normalize.getResult()) : scratch(most, origin, f32, loc);
  VectorOp vector(emitter, loc);
  extents(vector);
  vector.output(value, all);
  vector.input(input, all);
  vector.input(scale, row);
  if (!rms)
    vector.input(mean, row);
  if (together)
    emitExtras(vector, normalize, box, first);
  VecOp vec = vector.create(1);
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  SmallVector<Value> arguments(vec.getBody().getArguments());
  Value x = convert(b, loc, arguments[0], f32);
  if (!rms)
    x = arith::SubFOp::create(b, loc, x, arguments[2]);
  Value y = arith::MulFOp::create(b, loc, x, arguments[1]);
  if (together)
    return yieldBody(b, normalize, y, own), success();
  YieldOp::create(b, loc, y);
  return emitMap(m, &value, f32, box);
}

//===- EmitVector.cpp - bodies, reductions, windows ------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector engine runs a micro-program over points. Result dimensions are the
// last iteration dimensions, so that the innermost one is contiguous; windows
// put their kernel dimensions behind them. Each function here fixes the order
// of its reduction (see the operation's description), never the tile.
//
//===----------------------------------------------------------------------===//

#include "GroupEmitter.h"

#include <limits>

using namespace mlir;
using namespace accel;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

void GroupEmitter::emitExtras(VectorOp &vector, Operation *op, const Box &box, unsigned first,
                              ArrayRef<int64_t> reduced) {
  auto compute = cast<ComputeOpInterface>(op);
  for (auto [extra, attr] : llvm::zip(compute.getExtras(), compute.getMaps())) {
    SmallVector<IndexWalk> walks =
        walksOf(model.pool, cast<AffineMapAttr>(attr).getValue(), box, first);
    for (IndexWalk &walk : walks)
      llvm::erase_if(walk.steps,
                     [&](auto step) { return llvm::is_contained(reduced, step.first); });
    vector.input(viewOf(extra), walks);
  }
}

/// The body over a box: inputs are the kernel's values (if any) and the extras.
LogicalResult GroupEmitter::emitMap(unsigned m, const View *kernel, Type kernelType,
                                    const Box &box) {
  Operation *op = model.members[m].op;
  unsigned rank = box.size(), first = 6 - rank;
  SmallVector<int64_t> most = bounds(box);
  VectorOp vector(emitter, op->getLoc());
  for (unsigned d = 0; d < rank; ++d)
    vector.op.extent(first + d, model.extent(box[d]), most[d]);
  vector.output(viewOf(op->getResult(0)), walksOf(box, first));
  if (kernel)
    vector.input(*kernel, walksOf(box, first));
  emitExtras(vector, op, box, first);
  if (vector.inputTypes.size() > 4)
    return op->emitError("the body reads ")
           << vector.inputTypes.size() << " streams, 4 are possible";
  VecOp vec = vector.create(1);
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  SmallVector<Value> arguments(vec.getBody().getArguments());
  if (kernel)
    arguments[0] = convert(b, op->getLoc(), arguments[0], kernelType);
  YieldOp::create(b, op->getLoc(), inlineBody(b, op, arguments));
  return success();
}

LogicalResult GroupEmitter::emitEpilogue(unsigned m) {
  Operation *op = model.members[m].op;
  if (usesMxu(op)) {
    View acc = accumulators[m];
    return emitMap(m, &acc, acc.element, resultPart(op, resultBox(m)));
  }
  if (isa<ReduceOp>(op) && partials.count(m)) {
    if (cast<ReduceOp>(op).getDims().back() + 1 == int64_t(shapeOf(op->getResult(0)).size()))
      return emitLaneTree(m);
    View partial = partials[m];
    return emitMap(m, &partial, partial.element, resultPart(op, resultBox(m)));
  }
  return success();
}

LogicalResult GroupEmitter::emitKernel(unsigned m) {
  Operation *op = model.members[m].op;
  if (isa<ConvOp>(op))
    return emitConv(m), success();
  if (isa<MatmulOp>(op))
    return emitMatmul(m), success();
  if (isa<MapOp>(op))
    return emitMap(m, nullptr, Type(), resultPart(op, resultBox(m)));
  if (isa<CopyOp>(op)) {
    View input = viewOf(op->getOperand(0));
    return emitMap(m, &input, input.element, resultPart(op, resultBox(m)));
  }
  if (isa<ReduceOp>(op))
    return emitReduce(m);
  if (isa<PoolOp>(op))
    return emitPool(m);
  if (isa<SoftmaxOp>(op))
    return emitSoftmax(m);
  if (isa<NormalizeOp>(op))
    return emitNormalize(m);
  if (isa<GatherOp>(op))
    return emitGather(m);
  if (isa<PadOp>(op))
    return emitPad(m);
  return op->emitError("has no lowering to instructions");
}

/// The identity of a maximum in the compute type.
static int64_t maxIdentity(Type type) {
  if (isa<FloatType>(type))
    return 0xff800000; // -inf in f32
  return type.getIntOrFloatBitWidth() >= 64 ? std::numeric_limits<int64_t>::min()
                                            : std::numeric_limits<int32_t>::min();
}

/// An element that leaves a reduction as it is, as bits of the compute type.
static int64_t identityOf(ReduceOp reduce, Type type) {
  bool isFloat = isa<FloatType>(type);
  switch (reduce.getKind()) {
  case ReduceKind::Sum:
    return 0;
  case ReduceKind::Prod:
    return isFloat ? 0x3f800000 : 1;
  case ReduceKind::Max: // of what is not negative: 0
    return reduce.getAbsolute() || reduce.getSquare() ? 0 : maxIdentity(type);
  case ReduceKind::Min:
    if (isFloat)
      return 0x7f800000; // +inf in f32
    return type.getIntOrFloatBitWidth() >= 64 ? std::numeric_limits<int64_t>::max()
                                              : std::numeric_limits<int32_t>::max();
  }
  return 0;
}

/// The 16 partials of each row become its result, then the body.
LogicalResult GroupEmitter::emitLaneTree(unsigned m) {
  constexpr int64_t parts = reductionLanes;
  auto reduce = cast<ReduceOp>(model.members[m].op);
  Location loc = reduce.getLoc();
  Box out = resultPart(reduce, resultBox(m));
  unsigned rank = out.size(), first = 6 - rank;
  SmallVector<int64_t> most = bounds(out);
  VectorOp vector(emitter, loc);
  for (unsigned d = 0; d + 1 < rank; ++d)
    vector.op.extent(first + d, model.extent(out[d]), most[d]);
  vector.op.extent(5, model.pool.constant(parts), parts);
  SmallVector<IndexWalk> result = walksOf(out, first), byLane = result;
  result.back().steps.clear();
  byLane.back() = {model.pool.constant(0), {{5, 1}}};
  vector.output(viewOf(reduce.getResult()), result);
  vector.input(partials[m], byLane);
  emitExtras(vector, reduce, out, first, {5});
  if (vector.inputTypes.size() > 4)
    return reduce.emitError("the body reads more than 4 streams");
  VecOp vec = vector.create(0, {5}, {reduce.getKind()}, /*lanes=*/true);
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  YieldOp::create(b, loc, vec.getBody().getArgument(0));
  vector.postBody(vec, reduce);
  return success();
}

LogicalResult GroupEmitter::emitReduce(unsigned m) {
  MemberModel &member = model.members[m];
  auto reduce = cast<ReduceOp>(member.op);
  Location loc = reduce.getLoc();
  Box out = resultPart(reduce, member.boxes.back());
  unsigned rank = out.size(), first = 6 - rank;
  Box in = accessedBox(model.pool, reduce, 0, member.boxes.back());
  SmallVector<int64_t> most = bounds(in), reduced;
  bool split = partials.count(m);
  bool lanes = llvm::is_contained(reduce.getDims(), int64_t(rank) - 1);
  bool splitLanes = split && lanes;
  Type type = reduce.getBody().front().getArgument(0).getType();
  VectorOp vector(emitter, loc);
  if (splitLanes)
    --first; // the row in steps of 16 at iteration dimension 4, lanes at 5
  for (unsigned d = 0; d < rank - splitLanes; ++d)
    vector.op.extent(first + d, model.extent(in[d]), most[d]);
  SmallVector<IndexWalk> result = walksOf(out, first), all = walksOf(in, first);
  for (int64_t dim : reduce.getDims()) {
    result[dim].steps.clear();
    reduced.push_back(first + dim);
  }
  llvm::sort(reduced);
  int64_t pad = 0;
  if (splitLanes) {
    constexpr int64_t parts = reductionLanes;
    ExprPool &pool = model.pool;
    ExprId steps = pool.floorDiv(pool.addConstant(model.extent(in.back()), parts - 1), parts);
    vector.op.extent(4, steps, (most.back() + parts - 1) / parts);
    vector.op.extent(5, pool.constant(parts), parts);
    result.back() = {pool.constant(0), {{5, 1}}};
    all.back().steps = {{4, parts}, {5, 1}};
    // Past the row's end is what changes no partial.
    if (int64_t size = shapeOf(reduce.getInput()).back(); size % parts) {
      all.back().bound = size;
      pad = identityOf(reduce, type);
    }
  }
  vector.output(split ? partials[m] : viewOf(reduce.getResult()), result);
  vector.input(viewOf(reduce.getInput()), all, pad);
  if (!split)
    emitExtras(vector, reduce, out, first, reduced);
  if (vector.inputTypes.size() > 4)
    return reduce.emitError("the body reads more than 4 streams");
  int64_t init = split ? initValue(vector.op, m) : -1;
  VecOp vec =
      vector.create(0, reduced, {reduce.getKind()}, lanes && !split, init, split && init >= 0);
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  Value x = convert(b, loc, vec.getBody().getArgument(0), type);
  bool isFloat = isa<FloatType>(type);
  if (reduce.getAbsolute()) {
    x = isFloat ? Value(math::AbsFOp::create(b, loc, x)) : Value(math::AbsIOp::create(b, loc, x));
  }
  if (reduce.getSquare())
    x = isFloat ? Value(arith::MulFOp::create(b, loc, x, x))
                : Value(arith::MulIOp::create(b, loc, x, x));
  YieldOp::create(b, loc, x);
  if (split)
    vector.post(vec, type, [](OpBuilder &, Value v) { return v; });
  else
    vector.postBody(vec, reduce);
  return success();
}

LogicalResult GroupEmitter::emitPool(unsigned m) {
  MemberModel &member = model.members[m];
  auto pool = cast<PoolOp>(member.op);
  Location loc = pool.getLoc();
  ExprPool &exprs = model.pool;
  const Box &box = member.boxes.back();
  SmallVector<int64_t> most = bounds(box);
  ArrayRef<int64_t> in = shapeOf(pool.getInput());
  Type type = pool.getBody().front().getArgument(0).getType();
  VectorOp vector(emitter, loc);
  for (unsigned d = 0; d < 4; ++d)
    vector.op.extent(d, model.extent(box[d]), most[d]);
  for (unsigned d = 0; d < 2; ++d)
    vector.op.extent(4 + d, exprs.constant(pool.getKernel()[d]), pool.getKernel()[d]);
  vector.output(viewOf(pool.getResult()), walksOf(box, 0));
  SmallVector<IndexWalk> window = walksOf(box, 0);
  for (unsigned d = 0; d < 2; ++d) {
    IndexWalk &walk = window[1 + d];
    int64_t stride = pool.getStrides()[d];
    walk.start = exprs.addConstant(exprs.mul(box[1 + d].lo, stride), -pool.getPads()[d]);
    walk.steps = {{1 + d, stride}, {4 + d, pool.getDilations()[d]}};
    int64_t reach = (shapeOf(pool.getResult())[1 + d] - 1) * stride +
                    (pool.getKernel()[d] - 1) * pool.getDilations()[d] - pool.getPads()[d];
    if (pool.getPads()[d] || reach >= in[1 + d])
      walk.bound = in[1 + d];
  }
  bool isMax = pool.getKind() == ReduceKind::Max;
  vector.input(viewOf(pool.getInput()), window, isMax ? maxIdentity(type) : 0);
  emitExtras(vector, pool, box, 0);
  if (vector.inputTypes.size() > 4)
    return pool.emitError("the body reads more than 4 streams");
  VecOp vec = vector.create(0, {4, 5}, {pool.getKind()});
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  Value x = convert(b, loc, vec.getBody().getArgument(0), type);
  if (pool.getSquare())
    x = arith::MulFOp::create(b, loc, x, x);
  YieldOp::create(b, loc, x);
  vector.postBody(vec, pool);
  return success();
}

LogicalResult GroupEmitter::emitPad(unsigned m) {
  MemberModel &member = model.members[m];
  auto pad = cast<PadOp>(member.op);
  Location loc = pad.getLoc();
  ExprPool &pool = model.pool;
  Box box = resultPart(pad, member.boxes.back());
  unsigned rank = box.size(), first = 6 - rank;
  SmallVector<int64_t> most = bounds(box);
  VectorOp vector(emitter, loc);
  for (unsigned d = 0; d < rank; ++d)
    vector.op.extent(first + d, model.extent(box[d]), most[d]);
  vector.output(viewOf(pad.getResult()), walksOf(box, first));
  SmallVector<IndexWalk> walks = walksOf(box, first);
  unsigned padded = 0;
  for (unsigned d = 0; d < rank; ++d) {
    walks[d].start = pool.addConstant(walks[d].start, -pad.getLow()[d]);
    if (pad.getLow()[d] > 0 || pad.getHigh()[d] > 0) {
      walks[d].bound = shapeOf(pad.getInput())[d];
      ++padded;
    }
  }
  if (padded > 2)
    return pad.emitError("pads ") << padded << " dimensions, a descriptor has two coordinates";
  int64_t bits = 0;
  if (auto value = dyn_cast<FloatAttr>(pad.getValue())) {
    bits = APFloat(float(value.getValueAsDouble())).bitcastToAPInt().getZExtValue();
  } else if (auto value = dyn_cast<IntegerAttr>(pad.getValue())) {
    bits = value.getValue().getSExtValue();
  }
  vector.input(viewOf(pad.getInput()), walks, bits);
  VecOp vec = vector.create(1);
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  YieldOp::create(b, loc, inlineBody(b, pad, SmallVector<Value>(vec.getBody().getArguments())));
  return success();
}

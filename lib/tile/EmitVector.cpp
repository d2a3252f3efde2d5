//===- EmitVector.cpp - bodies, reductions, softmax, normalisation --------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector engine runs a micro-program over points. Result dimensions are the
// last iteration dimensions, so that the innermost one is contiguous; windows
// put their kernel dimensions behind them. Each function here fixes the order
// of its reduction (see the operation's description), never the tile.
//
//===----------------------------------------------------------------------===//

#include "GroupEmitter.h"

#include "mlir/IR/IRMapping.h"

#include <limits>

using namespace mlir;
using namespace accel;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

namespace {
/// A vector instruction in the making: streams, then the micro-program.
struct VectorOp {
  EngineOp op;
  unsigned outputs = 0;
  SmallVector<Type> inputTypes;

  VectorOp(ExprEmitter &emitter, Location loc) : op(emitter, loc) {}

  void output(const View &view, ArrayRef<IndexWalk> walks) {
    op.stream(view, walks);
    ++outputs;
  }
  void input(const View &view, ArrayRef<IndexWalk> walks, int64_t pad = 0) {
    op.stream(view, walks, pad);
    inputTypes.push_back(view.element);
  }
  VecOp create(unsigned bodyOutputs, ArrayRef<int64_t> reduced = {},
               ArrayRef<ReduceKind> kinds = {}, bool lanes = false, int64_t initDyn = -1,
               bool carry = false) {
    OpBuilder &b = op.emitter.builder;
    SmallVector<Attribute> kindAttrs;
    for (ReduceKind kind : kinds)
      kindAttrs.push_back(ReduceKindAttr::get(b.getContext(), kind));
    auto vec =
        VecOp::create(b, op.loc, op.buffers, op.dyn, op.sizesAttr(), op.sizeDynAttr(),
                      op.streamsAttr(), outputs, bodyOutputs, b.getDenseI64ArrayAttr(reduced),
                      b.getArrayAttr(kindAttrs), lanes, initDyn, carry);
    OpBuilder::InsertionGuard guard(b);
    SmallVector<Location> locs(inputTypes.size(), op.loc);
    b.createBlock(&vec.getBody(), {}, inputTypes, locs);
    return vec;
  }
};
} // namespace

/// One index walk for each result dimension: start of the box, one step.
static SmallVector<IndexWalk> walksOf(const Box &box, unsigned firstDim) {
  SmallVector<IndexWalk> walks;
  for (auto [d, range] : llvm::enumerate(box))
    walks.push_back({range.lo, {{unsigned(firstDim + d), 1}}});
  return walks;
}

/// The walk of an extra through its map of the result's dimensions.
static SmallVector<IndexWalk> walksOf(ExprPool &pool, AffineMap map, const Box &box,
                                      unsigned firstDim) {
  SmallVector<IndexWalk> walks;
  for (AffineExpr expr : map.getResults()) {
    int64_t step = 1, offset = 0;
    IndexWalk walk{pool.constant(0), {}};
    if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
      walk.start = pool.constant(constant.getValue());
      walks.push_back(walk);
      continue;
    }
    while (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
      int64_t right = cast<AffineConstantExpr>(binary.getRHS()).getValue();
      if (binary.getKind() == AffineExprKind::Add)
        offset += step * right;
      else
        step *= right;
      expr = binary.getLHS();
    }
    unsigned d = cast<AffineDimExpr>(expr).getPosition();
    walk.start = pool.addConstant(pool.mul(box[d].lo, step), offset);
    walk.steps.push_back({firstDim + d, step});
    walks.push_back(walk);
  }
  return walks;
}

/// Copies a compute operation's body behind the values that it takes.
static Value inlineBody(OpBuilder &b, Operation *op, ArrayRef<Value> arguments) {
  Block &body = cast<ComputeOpInterface>(op).getBody().front();
  IRMapping mapping;
  mapping.map(body.getArguments(), ValueRange(arguments));
  for (Operation &inner : body.without_terminator())
    b.clone(inner, mapping);
  return mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
}

static Value convert(OpBuilder &b, Location loc, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return ConvertOp::create(b, loc, type, value, UnitAttr());
}

static Box resultPart(Operation *op, const Box &box) {
  Box part = box;
  part.resize(shapeOf(op->getResult(0)).size());
  return part;
}

/// The body over a box: inputs are the kernel's values (if any) and the extras.
LogicalResult GroupEmitter::emitMap(unsigned m, const View *kernel, Type kernelType) {
  Operation *op = model.members[m].op;
  auto compute = cast<ComputeOpInterface>(op);
  Box box = resultPart(op, resultBox(m));
  unsigned rank = box.size(), first = 6 - rank;
  SmallVector<int64_t> most = bounds(box);
  VectorOp vector(emitter, op->getLoc());
  for (unsigned d = 0; d < rank; ++d)
    vector.op.extent(first + d, model.extent(box[d]), most[d]);
  vector.output(viewOf(op->getResult(0)), walksOf(box, first));
  if (kernel)
    vector.input(*kernel, walksOf(box, first));
  for (auto [extra, attr] : llvm::zip(compute.getExtras(), compute.getMaps()))
    vector.input(viewOf(extra),
                 walksOf(model.pool, cast<AffineMapAttr>(attr).getValue(), box, first));
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
    return emitMap(m, &acc, acc.element);
  }
  if (isa<ReduceOp>(op) && partials.count(m)) {
    View partial = partials[m];
    return emitMap(m, &partial, partial.element);
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
    return emitMap(m, nullptr, Type());
  if (isa<CopyOp>(op)) {
    View input = viewOf(op->getOperand(0));
    return emitMap(m, &input, input.element);
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

LogicalResult GroupEmitter::emitReduce(unsigned m) {
  MemberModel &member = model.members[m];
  auto reduce = cast<ReduceOp>(member.op);
  Location loc = reduce.getLoc();
  Box out = resultPart(reduce, member.boxes.back());
  unsigned rank = out.size(), first = 6 - rank;
  Box in = accessedBox(model.pool, reduce, 0, member.boxes.back());
  SmallVector<int64_t> most = bounds(in), reduced;
  auto compute = cast<ComputeOpInterface>(member.op);
  bool split = partials.count(m);
  VectorOp vector(emitter, loc);
  for (unsigned d = 0; d < rank; ++d)
    vector.op.extent(first + d, model.extent(in[d]), most[d]);
  SmallVector<IndexWalk> result = walksOf(out, first);
  bool lanes = false;
  for (int64_t dim : reduce.getDims()) {
    result[dim].steps.clear();
    reduced.push_back(first + dim);
    lanes |= dim + 1 == int64_t(rank);
  }
  llvm::sort(reduced);
  vector.output(split ? partials[m] : viewOf(reduce.getResult()), result);
  vector.input(viewOf(reduce.getInput()), walksOf(in, first));
  if (!split)
    for (auto [extra, attr] : llvm::zip(compute.getExtras(), compute.getMaps())) {
      SmallVector<IndexWalk> walks =
          walksOf(model.pool, cast<AffineMapAttr>(attr).getValue(), out, first);
      for (IndexWalk &walk : walks)
        llvm::erase_if(walk.steps,
                       [&](auto step) { return llvm::is_contained(reduced, step.first); });
      vector.input(viewOf(extra), walks);
    }
  if (vector.inputTypes.size() > 4)
    return reduce.emitError("the body reads more than 4 streams");
  int64_t init = split ? initValue(vector.op, m) : -1;
  VecOp vec =
      vector.create(0, reduced, {reduce.getKind()}, lanes && !split, init, split && init >= 0);
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  Type type = reduce.getBody().front().getArgument(0).getType();
  Value x = convert(b, loc, vec.getBody().getArgument(0), type);
  bool isFloat = isa<FloatType>(type);
  if (reduce.getAbsolute()) {
    x = isFloat ? Value(math::AbsFOp::create(b, loc, x)) : Value(math::AbsIOp::create(b, loc, x));
  }
  if (reduce.getSquare())
    x = isFloat ? Value(arith::MulFOp::create(b, loc, x, x))
                : Value(arith::MulIOp::create(b, loc, x, x));
  YieldOp::create(b, loc, x);
  SmallVector<Type> types{type};
  llvm::append_range(types, vector.inputTypes);
  SmallVector<Location> locs(types.size(), loc);
  Block *post = b.createBlock(&vec.getPost(), {}, types, locs);
  SmallVector<Value> arguments{post->getArgument(0)};
  llvm::append_range(arguments, post->getArguments().drop_front(2));
  YieldOp::create(b, loc, split ? post->getArgument(0) : inlineBody(b, reduce, arguments));
  return success();
}

LogicalResult GroupEmitter::emitPool(unsigned m) {
  MemberModel &member = model.members[m];
  auto pool = cast<PoolOp>(member.op);
  Location loc = pool.getLoc();
  auto compute = cast<ComputeOpInterface>(member.op);
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
  for (auto [extra, attr] : llvm::zip(compute.getExtras(), compute.getMaps()))
    vector.input(viewOf(extra), walksOf(exprs, cast<AffineMapAttr>(attr).getValue(), box, 0));
  if (vector.inputTypes.size() > 4)
    return pool.emitError("the body reads more than 4 streams");
  VecOp vec = vector.create(0, {4, 5}, {pool.getKind()});
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  Value x = convert(b, loc, vec.getBody().getArgument(0), type);
  if (pool.getSquare())
    x = arith::MulFOp::create(b, loc, x, x);
  YieldOp::create(b, loc, x);
  SmallVector<Type> types{type};
  llvm::append_range(types, vector.inputTypes);
  SmallVector<Location> locs(types.size(), loc);
  Block *post = b.createBlock(&vec.getPost(), {}, types, locs);
  SmallVector<Value> arguments{post->getArgument(0)};
  llvm::append_range(arguments, post->getArguments().drop_front(2));
  YieldOp::create(b, loc, inlineBody(b, pool, arguments));
  return success();
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
  auto finish = [&](VecOp vec, ArrayRef<Type> inputs, auto fn) {
    OpBuilder b(builder.getContext());
    SmallVector<Type> types{f32};
    llvm::append_range(types, inputs);
    SmallVector<Location> locs(types.size(), loc);
    Block *post = b.createBlock(&vec.getPost(), {}, types, locs);
    b.setInsertionPointToEnd(post);
    YieldOp::create(b, loc, Value(fn(b, post->getArgument(0))));
  };
  { // m = max x
    VectorOp vector(emitter, loc);
    extents(vector);
    vector.output(maximum, row);
    vector.input(input, all);
    VecOp vec = vector.create(0, {5}, {ReduceKind::Max}, /*lanes=*/true);
    OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
    YieldOp::create(b, loc, convert(b, loc, vec.getBody().getArgument(0), f32));
    finish(vec, vector.inputTypes, [](OpBuilder &, Value v) { return v; });
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
    finish(vec, vector.inputTypes, [&](OpBuilder &b, Value v) -> Value {
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
    for (auto [extra, attr] : llvm::zip(compute.getExtras(), compute.getMaps()))
      vector.input(viewOf(extra),
                   walksOf(model.pool, cast<AffineMapAttr>(attr).getValue(), box, first));
  VecOp vec = vector.create(1);
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  SmallVector<Value> arguments(vec.getBody().getArguments());
  Value y = softmax.getLog() ? Value(arith::SubFOp::create(b, loc, arguments[0], arguments[1]))
                             : Value(arith::MulFOp::create(b, loc, arguments[0], arguments[1]));
  if (!together) {
    YieldOp::create(b, loc, y);
    return emitMap(m, &value, f32);
  }
  SmallVector<Value> body{y};
  llvm::append_range(body, ArrayRef(arguments).drop_front(2));
  YieldOp::create(b, loc, inlineBody(b, softmax, body));
  return success();
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
  auto finish = [&](VecOp vec, ArrayRef<Type> inputs, auto fn) {
    OpBuilder b(builder.getContext());
    SmallVector<Type> types{f32};
    llvm::append_range(types, inputs);
    SmallVector<Location> locs(types.size(), loc);
    Block *post = b.createBlock(&vec.getPost(), {}, types, locs);
    b.setInsertionPointToEnd(post);
    YieldOp::create(b, loc, Value(fn(b, post->getArgument(0))));
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
    finish(vec, vector.inputTypes, [&](OpBuilder &b, Value v) -> Value {
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
    finish(vec, vector.inputTypes, [&](OpBuilder &b, Value v) -> Value {
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
    for (auto [extra, attr] : llvm::zip(compute.getExtras(), compute.getMaps()))
      vector.input(viewOf(extra),
                   walksOf(model.pool, cast<AffineMapAttr>(attr).getValue(), box, first));
  VecOp vec = vector.create(1);
  OpBuilder b = OpBuilder::atBlockEnd(&vec.getBody().front());
  SmallVector<Value> arguments(vec.getBody().getArguments());
  Value x = convert(b, loc, arguments[0], f32);
  if (!rms)
    x = arith::SubFOp::create(b, loc, x, arguments[2]);
  Value y = arith::MulFOp::create(b, loc, x, arguments[1]);
  if (!together) {
    YieldOp::create(b, loc, y);
    return emitMap(m, &value, f32);
  }
  SmallVector<Value> body{y};
  llvm::append_range(body, ArrayRef(arguments).drop_front(own));
  YieldOp::create(b, loc, inlineBody(b, normalize, body));
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

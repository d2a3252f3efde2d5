//===- Streams.cpp - engine operations from boxes of tensors --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Streams.h"

using namespace mlir;
using namespace accel;

Value ExprEmitter::emit(ExprId e, Location loc) {
  const ExprPool::Node node = pool.node(e);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  switch (node.kind) {
  case ExprPool::Kind::Constant:
    return constant(node.value);
  case ExprPool::Kind::Counter:
    return counters.lookup(node.value);
  case ExprPool::Kind::Add:
    return builder.createOrFold<arith::AddIOp>(loc, emit(node.a, loc), emit(node.b, loc));
  case ExprPool::Kind::Mul:
    return builder.createOrFold<arith::MulIOp>(loc, emit(node.a, loc), constant(node.value));
  case ExprPool::Kind::Min:
    return builder.createOrFold<arith::MinSIOp>(loc, emit(node.a, loc), emit(node.b, loc));
  case ExprPool::Kind::Max:
    return builder.createOrFold<arith::MaxSIOp>(loc, emit(node.a, loc), emit(node.b, loc));
  case ExprPool::Kind::FloorDiv:
    return builder.createOrFold<arith::FloorDivSIOp>(loc, emit(node.a, loc), constant(node.value));
  }
  return {};
}

int64_t EngineOp::dynamicValue(Value value) {
  auto it = llvm::find(dyn, value);
  if (it != dyn.end())
    return it - dyn.begin();
  dyn.push_back(value);
  return dyn.size() - 1;
}

int64_t EngineOp::dynamic(ExprId e) { return dynamicValue(emitter.emit(e, loc)); }

void EngineOp::extent(unsigned dim, ExprId size, int64_t bound) {
  sizes[dim] = bound;
  Value value = emitter.emit(size, loc);
  IntegerAttr known;
  if (matchPattern(value, m_Constant(&known)))
    sizes[dim] = known.getInt();
  else
    sizeDyn[dim] = dynamicValue(value);
}

/// e = constant + rest, where rest is -1 if there is none.
void EngineOp::splitConstant(ExprId e, int64_t &constant, ExprId &rest) {
  ExprPool &pool = emitter.pool;
  constant = 0;
  rest = e;
  if (pool.isConstant(e)) {
    constant = pool.constantValue(e);
    rest = -1;
  } else if (const auto node = pool.node(e);
             node.kind == ExprPool::Kind::Add && pool.isConstant(node.b)) {
    constant = pool.constantValue(node.b);
    rest = node.a;
  }
}

void EngineOp::rawStream(Value buffer, Type element, ExprId baseBytes, ArrayRef<int64_t> strides,
                         ArrayRef<CoordAttr> window) {
  int64_t base;
  ExprId rest;
  splitConstant(baseBytes, base, rest);
  SmallVector<int64_t> baseDyn;
  if (rest >= 0) {
    Value value = emitter.emit(rest, loc);
    IntegerAttr known;
    if (matchPattern(value, m_Constant(&known)))
      base += known.getInt();
    else
      baseDyn.push_back(dynamicValue(value));
  }
  buffers.push_back(buffer);
  streams.push_back(
      StreamAttr::get(emitter.builder.getContext(), element, base, baseDyn, strides, window, 0));
}

void EngineOp::stream(const View &view, ArrayRef<IndexWalk> walks, int64_t padBits, Type element) {
  ExprPool &pool = emitter.pool;
  MLIRContext *context = emitter.builder.getContext();
  ExprId base = pool.constant(0);
  SmallVector<int64_t> strides(6, 0);
  SmallVector<CoordAttr> window;
  for (auto [d, walk] : llvm::enumerate(walks)) {
    int64_t stride = view.strides[d];
    bool circular = view.circular == int(d);
    if (!circular && walk.bound < 0 && walk.divisor == 1) {
      base = pool.add(base, pool.mul(pool.sub(walk.start, view.origin[d]), stride));
      for (auto [dim, coefficient] : walk.steps)
        strides[dim] += coefficient * stride;
      continue;
    }
    int64_t start, startDyn = -1, orgDyn = -1;
    ExprId rest;
    splitConstant(walk.start, start, rest);
    if (rest >= 0)
      startDyn = dynamic(rest);
    if (!circular && !(pool.isConstant(view.origin[d]) && pool.constantValue(view.origin[d]) == 0))
      orgDyn = dynamic(view.origin[d]);
    int64_t dims[2] = {-1, -1}, mul[2] = {1, 1};
    for (auto [k, step] : llvm::enumerate(walk.steps)) {
      dims[k] = step.first;
      mul[k] = step.second;
    }
    window.push_back(CoordAttr::get(context, start, startDyn, orgDyn, dims[0], mul[0], dims[1],
                                    mul[1], walk.bound, circular ? view.modulus : 0, walk.divisor,
                                    walk.divisor != 1, stride));
  }
  int64_t constant;
  ExprId rest;
  splitConstant(base, constant, rest);
  SmallVector<int64_t> baseDyn;
  if (rest >= 0) {
    Value value = emitter.emit(rest, loc);
    IntegerAttr known;
    if (matchPattern(value, m_Constant(&known)))
      constant += known.getInt();
    else
      baseDyn.push_back(dynamicValue(value));
  }
  buffers.push_back(view.memref);
  streams.push_back(StreamAttr::get(context, element ? element : view.element, constant, baseDyn,
                                    strides, window, padBits));
}

DenseI64ArrayAttr EngineOp::sizesAttr() { return emitter.builder.getDenseI64ArrayAttr(sizes); }
DenseI64ArrayAttr EngineOp::sizeDynAttr() { return emitter.builder.getDenseI64ArrayAttr(sizeDyn); }

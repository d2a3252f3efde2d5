//===- VectorOp.cpp - a vector instruction in the making ------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "VectorOp.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace accel;

VecOp VectorOp::create(unsigned bodyOutputs, ArrayRef<int64_t> reduced, ArrayRef<ReduceKind> kinds,
                       bool lanes, int64_t initDyn, bool carry) {
  OpBuilder &b = op.emitter.builder;
  SmallVector<Attribute> kindAttrs;
  for (ReduceKind kind : kinds)
    kindAttrs.push_back(ReduceKindAttr::get(b.getContext(), kind));
  auto vec = VecOp::create(b, op.loc, op.buffers, op.dyn, op.sizesAttr(), op.sizeDynAttr(),
                           op.streamsAttr(), outputs, bodyOutputs, b.getDenseI64ArrayAttr(reduced),
                           b.getArrayAttr(kindAttrs), lanes, initDyn, carry);
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Location> locs(inputTypes.size(), op.loc);
  b.createBlock(&vec.getBody(), {}, inputTypes, locs);
  return vec;
}

void VectorOp::post(VecOp vec, Type type, llvm::function_ref<Value(OpBuilder &, Value)> fn) {
  OpBuilder b(vec.getContext());
  SmallVector<Type> types{type};
  llvm::append_range(types, inputTypes);
  SmallVector<Location> locs(types.size(), op.loc);
  Block *block = b.createBlock(&vec.getPost(), {}, types, locs);
  b.setInsertionPointToEnd(block);
  YieldOp::create(b, op.loc, fn(b, block->getArgument(0)));
}

void VectorOp::postBody(VecOp vec, Operation *reduction) {
  Block &body = cast<ComputeOpInterface>(reduction).getBody().front();
  post(vec, body.getArgument(0).getType(), [&](OpBuilder &b, Value reduced) {
    SmallVector<Value> arguments{reduced};
    llvm::append_range(arguments, b.getBlock()->getArguments().drop_front(2));
    return inlineBody(b, reduction, arguments);
  });
}

SmallVector<IndexWalk> accel::walksOf(const Box &box, unsigned firstDim) {
  SmallVector<IndexWalk> walks;
  for (auto [d, range] : llvm::enumerate(box))
    walks.push_back({range.lo, {{unsigned(firstDim + d), 1}}});
  return walks;
}

SmallVector<IndexWalk> accel::walksOf(ExprPool &pool, AffineMap map, const Box &box,
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

Value accel::inlineBody(OpBuilder &b, Operation *op, ArrayRef<Value> arguments) {
  Block &body = cast<ComputeOpInterface>(op).getBody().front();
  IRMapping mapping;
  mapping.map(body.getArguments(), ValueRange(arguments));
  for (Operation &inner : body.without_terminator())
    b.clone(inner, mapping);
  return mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
}

Value accel::convert(OpBuilder &b, Location loc, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return ConvertOp::create(b, loc, type, value, UnitAttr());
}

Box accel::resultPart(Operation *op, const Box &box) {
  Box part = box;
  part.resize(cast<RankedTensorType>(op->getResult(0).getType()).getRank());
  return part;
}

//===- Rebuild.cpp - changing operations of the tensor form ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Rebuild.h"

#include <numeric>

using namespace mlir;
using namespace accel;

Operation *accel::rebuild(Operation *op, ValueRange operands, Type result,
                          ArrayRef<NamedAttribute> changed) {
  OpBuilder b(op);
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(operands);
  state.addTypes(result);
  NamedAttrList attrs(op->getAttrDictionary());
  for (const NamedAttribute &attr : changed)
    attrs.set(attr.getName(), attr.getValue());
  state.addAttributes(attrs.getAttrs());
  for (Region &region : op->getRegions())
    state.addRegion()->takeBody(region);
  return b.create(state);
}

AffineMap accel::reindex(AffineMap map, ArrayRef<int64_t> oldToNew) {
  SmallVector<AffineExpr> dims;
  for (int64_t d : oldToNew)
    dims.push_back(getAffineDimExpr(d, map.getContext()));
  return map.replaceDimsAndSymbols(dims, {}, map.getNumDims(), 0);
}

ArrayAttr accel::reindex(ArrayAttr maps, ArrayRef<int64_t> oldToNew) {
  SmallVector<Attribute> result;
  for (Attribute map : maps)
    result.push_back(AffineMapAttr::get(reindex(cast<AffineMapAttr>(map).getValue(), oldToNew)));
  return ArrayAttr::get(maps.getContext(), result);
}

AffineMap accel::canonicalAccess(AffineMap map, ArrayRef<int64_t> operand,
                                 ArrayRef<int64_t> result) {
  MLIRContext *context = map.getContext();
  SmallVector<AffineExpr> exprs;
  for (unsigned j = 0; j < operand.size(); ++j) {
    AffineExpr expr = map.getResult(j);
    if (operand[j] == 1)
      expr = operand.size() == result.size() && result[j] == 1 ? getAffineDimExpr(j, context)
                                                               : getAffineConstantExpr(0, context);
    exprs.push_back(expr);
  }
  return AffineMap::get(result.size(), 0, exprs, context);
}

/// Operand and access of one view further down.
static bool readThroughView(Value &operand, AffineMap &map, ArrayRef<int64_t> result) {
  auto shapeOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getShape(); };
  Operation *view = operand.getDefiningOp();
  MLIRContext *context = map.getContext();
  AffineExpr zero = getAffineConstantExpr(0, context);
  SmallVector<AffineExpr> exprs;
  if (auto transpose = dyn_cast_or_null<TransposeOp>(view)) {
    exprs.resize(map.getNumResults());
    for (auto [i, d] : llvm::enumerate(transpose.getPerm()))
      exprs[d] = map.getResult(i);
  } else if (isa_and_nonnull<BroadcastOp>(view)) {
    for (auto [d, size] : llvm::enumerate(shapeOf(view->getOperand(0))))
      exprs.push_back(size == 1 ? zero : map.getResult(d));
  } else if (isa_and_nonnull<ReshapeOp>(view)) {
    ArrayRef<int64_t> from = shapeOf(view->getOperand(0)), to = shapeOf(operand);
    SmallVector<DimGroup> groups;
    auto elements = [](ArrayRef<int64_t> shape) {
      return std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies<>());
    };
    if (elements(from) >= elements(result) || !groupDims(from, to, groups))
      return false;
    exprs.assign(from.size(), zero);
    for (const DimGroup &group : groups) {
      if (group.from.size() != 1 || group.to.size() != 1)
        return false;
      exprs[group.from[0]] = map.getResult(group.to[0]);
    }
  } else {
    return false;
  }
  operand = view->getOperand(0);
  map = canonicalAccess(AffineMap::get(map.getNumDims(), 0, exprs, context), shapeOf(operand),
                        result);
  return true;
}

bool accel::readThroughViews(Value &operand, AffineMap &map, ArrayRef<int64_t> result) {
  bool any = false;
  while (readThroughView(operand, map, result))
    any = true;
  return any;
}

SmallVector<int64_t> accel::inverse(ArrayRef<int64_t> perm) {
  SmallVector<int64_t> result(perm.size());
  for (auto [i, d] : llvm::enumerate(perm))
    result[d] = i;
  return result;
}

bool accel::isIdentity(ArrayRef<int64_t> perm) {
  return llvm::equal(perm, llvm::seq<int64_t>(0, perm.size()));
}

bool accel::groupDims(ArrayRef<int64_t> from, ArrayRef<int64_t> to,
                      SmallVectorImpl<DimGroup> &groups) {
  size_t i = 0, j = 0;
  auto skip = [](ArrayRef<int64_t> shape, size_t &at) {
    while (at < shape.size() && shape[at] == 1)
      ++at;
    return at < shape.size();
  };
  while (true) {
    bool left = skip(from, i), right = skip(to, j);
    if (!left || !right)
      return left == right;
    DimGroup group;
    int64_t a = from[i], b = to[j];
    group.from.push_back(i++), group.to.push_back(j++);
    while (a != b) {
      if (a < b) {
        if (!skip(from, i))
          return false;
        a *= from[i], group.from.push_back(i++);
      } else {
        if (!skip(to, j))
          return false;
        b *= to[j], group.to.push_back(j++);
      }
    }
    groups.push_back(group);
  }
}

void accel::eraseUnused(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (op.use_empty() && op.getNumResults() && isMemoryEffectFree(&op))
      op.erase();
}

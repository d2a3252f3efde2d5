//===- MoveReshape.cpp - a map in the shape of what feeds it --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products are computed with rank 3 and read with another shape. A map behind
// such a reshape computes the same elements in the product's shape, so that it
// can join its body; the reshape comes behind it.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Fusion.h"
#include "acc/Graph/Lowering.h"
#include "acc/Graph/Rebuild.h"

using namespace mlir;
using namespace accel;

using Shape = SmallVector<int64_t>;

namespace {
/// Rewrites accesses over `to` (the map's shape) to accesses over `from`.
struct Translation {
  ArrayRef<int64_t> from, to;
  SmallVector<DimGroup> groups;
  SmallVector<int64_t> groupOf; // of each dimension of `to`; -1 for size 1

  bool init() {
    if (!groupDims(from, to, groups))
      return false;
    groupOf.assign(to.size(), -1);
    for (auto [g, group] : llvm::enumerate(groups))
      for (int64_t d : group.to)
        groupOf[d] = g;
    return true;
  }

  /// New shape of the operand and map over `from`; false if it reads a part of
  /// what the reshape joins.
  bool translate(ArrayRef<int64_t> operand, AffineMap map, Shape &shape, AffineMap &result) {
    MLIRContext *context = map.getContext();
    if (operand == to && map.isIdentity()) { // also the reshape itself
      shape.assign(from.begin(), from.end());
      result = AffineMap::getMultiDimIdentityMap(from.size(), context);
      return true;
    }
    SmallVector<AffineExpr> exprs;
    for (unsigned j = 0; j < operand.size(); ++j) {
      AffineExpr expr = map.getResult(j);
      int64_t used = -1;
      for (unsigned d = 0; d < to.size(); ++d)
        if (expr.isFunctionOfDim(d))
          used = d;
      if (used < 0 || groupOf[used] < 0) { // constant, or a dimension of size 1
        AffineExpr zero = getAffineConstantExpr(0, context);
        SmallVector<AffineExpr> zeros(to.size(), zero);
        shape.push_back(operand[j]), exprs.push_back(expr.replaceDims(zeros));
        continue;
      }
      const DimGroup &group = groups[groupOf[used]];
      if (group.from.size() == 1 && group.to.size() == 1) {
        SmallVector<AffineExpr> dims(to.size(), getAffineDimExpr(group.from[0], context));
        shape.push_back(operand[j]), exprs.push_back(expr.replaceDims(dims));
        continue;
      }
      // The whole group, dimension by dimension, as it is.
      for (int64_t d : group.to) {
        if (j >= operand.size() || map.getResult(j) != getAffineDimExpr(d, context) ||
            operand[j] != to[d])
          return false;
        ++j;
      }
      --j;
      for (int64_t d : group.from)
        shape.push_back(from[d]), exprs.push_back(getAffineDimExpr(d, context));
    }
    result = canonicalAccess(AffineMap::get(from.size(), 0, exprs, context), shape, from);
    return true;
  }
};
} // namespace

static Value reshapeTo(OpBuilder &b, Value value, ArrayRef<int64_t> shape) {
  if (shapeOf(value) == shape)
    return value;
  auto type = RankedTensorType::get(shape, elementOf(value));
  if (auto constant = value.getDefiningOp<accel::ConstantOp>(); constant && !constant.getPack()) {
    Attribute attr = constant.getValue();
    if (auto dense = dyn_cast<DenseElementsAttr>(attr))
      attr = dense.reshape(type);
    return accel::ConstantOp::create(b, constant.getLoc(), type, attr, PackAttr());
  }
  if (auto inner = value.getDefiningOp<accel::ReshapeOp>())
    return reshapeTo(b, inner.getInput(), shape);
  return accel::ReshapeOp::create(b, value.getLoc(), type, value);
}

MapOp accel::moveBeforeReshape(MapOp map) {
  for (Value operand : map.getExtras()) {
    auto view = operand.getDefiningOp<accel::ReshapeOp>();
    if (!view || !view->hasOneUse() || !view.getInput().hasOneUse())
      continue;
    Operation *producer = view.getInput().getDefiningOp();
    if (!producer || !isa<ComputeOpInterface>(producer) ||
        shapeOf(operand) != shapeOf(map.getResult()))
      continue;
    Translation t{shapeOf(view.getInput()), shapeOf(operand), {}, {}};
    if (t.from.size() > 6 || !t.init())
      continue;
    SmallVector<Shape> shapes;
    SmallVector<AffineMap> maps;
    bool possible = true;
    for (auto [other, attr] : llvm::zip_equal(map.getExtras(), map.getMaps())) {
      Shape shape;
      AffineMap access;
      possible = possible &&
                 t.translate(shapeOf(other), cast<AffineMapAttr>(attr).getValue(), shape, access);
      shapes.push_back(shape), maps.push_back(access);
    }
    if (!possible)
      continue;
    OpBuilder b(map);
    SmallVector<Value> operands;
    for (auto [other, shape] : llvm::zip_equal(map.getExtras(), shapes))
      operands.push_back(reshapeTo(b, other, shape));
    Operation *made =
        rebuild(map, operands, RankedTensorType::get(t.from, map.getType().getElementType()),
                {b.getNamedAttr("maps", b.getAffineMapArrayAttr(maps))});
    Value back = accel::ReshapeOp::create(b, map.getLoc(), map.getType(), made->getResult(0));
    map.getResult().replaceAllUsesWith(back);
    map.erase();
    if (view->use_empty())
      view->erase();
    return cast<MapOp>(made);
  }
  return nullptr;
}

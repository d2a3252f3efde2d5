//===- MoveMaps.cpp - a map beside the operation that it can join ---------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   map(transpose(reshape(x))) = transpose(reshape(map(x)))   of one operand
//   map(concat(x, y), c) = concat(map(x, c), map(y, c'))       c' the part of c beside y
//   repeat(map(x)) = map(repeat(x))
//
// The first two bring a map to the kernel whose body takes it in. The third makes
// elements where they are written: nobody can write through a view that repeats, so
// a concatenation of such a view would have to copy it.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Fusion.h"
#include "acc/Graph/Lowering.h"
#include "acc/Graph/Rebuild.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace accel;

using Shape = SmallVector<int64_t>;

/// More parts than this stay behind their concatenation: each is a map of its own.
static constexpr size_t kMaxParts = 8;

static AffineMap accessOf(MapOp map, unsigned index) {
  return cast<AffineMapAttr>(map.getMaps()[index]).getValue();
}

/// The map with other operands and another shape, in front of `before`.
static MapOp cloneMap(Operation *before, MapOp map, ValueRange operands, ArrayRef<AffineMap> maps,
                      ArrayRef<int64_t> shape) {
  OpBuilder b(before);
  auto type = RankedTensorType::get(shape, map.getType().getElementType());
  auto made = MapOp::create(b, map.getLoc(), type, operands, b.getAffineMapArrayAttr(maps));
  IRMapping mapping;
  map.getBody().cloneInto(&made.getBody(), mapping);
  return made;
}

MapOp accel::moveBeforeViews(MapOp map) {
  if (map.getExtras().size() != 1 || !accessOf(map, 0).isIdentity())
    return nullptr;
  SmallVector<Operation *> views;
  Value base = map.getExtras()[0];
  while (isa_and_nonnull<accel::TransposeOp, accel::ReshapeOp>(base.getDefiningOp()) &&
         base.hasOneUse()) {
    views.push_back(base.getDefiningOp());
    base = views.back()->getOperand(0);
  }
  int64_t rank = shapeOf(base).size();
  if (views.empty() || !base.hasOneUse() || rank > 6 ||
      !isa_and_nonnull<ComputeOpInterface>(base.getDefiningOp()))
    return nullptr;
  auto identity = AffineMap::getMultiDimIdentityMap(rank, map.getContext());
  MapOp moved = cloneMap(map, map, base, identity, shapeOf(base));
  OpBuilder b(map);
  Value value = moved.getResult();
  for (Operation *view : llvm::reverse(views)) {
    auto type = RankedTensorType::get(shapeOf(view->getResult(0)), elementOf(value));
    value = isa<accel::ReshapeOp>(view)
                ? Value(accel::ReshapeOp::create(b, view->getLoc(), type, value))
                : Value(accel::TransposeOp::create(b, view->getLoc(), type, value,
                                                   cast<accel::TransposeOp>(view).getPerm()));
  }
  map.getResult().replaceAllUsesWith(value);
  map.erase();
  for (Operation *view : views)
    view->erase();
  return moved;
}

MapOp accel::moveBehindRepeat(accel::RepeatOp repeat) {
  auto map = repeat.getInput().getDefiningOp<MapOp>();
  if (!map || !map.getResult().hasOneUse())
    return nullptr;
  ArrayRef<int64_t> from = shapeOf(map.getResult()), to = shapeOf(repeat.getResult());
  OpBuilder b(repeat);
  SmallVector<Shape> factors;
  SmallVector<AffineMap> maps;
  for (auto [i, extra] : llvm::enumerate(map.getExtras())) {
    Shape own(shapeOf(extra).size(), 1);
    AffineMap access = accessOf(map, i);
    for (auto [j, expr] : llvm::enumerate(access.getResults()))
      for (unsigned d = 0; d < from.size(); ++d) {
        if (repeat.getFactors()[d] == 1 || from[d] == 1 || !expr.isFunctionOfDim(d))
          continue;
        if (expr != getAffineDimExpr(d, b.getContext()) || shapeOf(extra)[j] != from[d])
          return nullptr;
        own[j] = repeat.getFactors()[d];
      }
    factors.push_back(own);
  }
  SmallVector<Value> operands;
  for (auto [i, extra] : llvm::enumerate(map.getExtras())) {
    Shape shape(shapeOf(extra));
    for (auto [size, factor] : llvm::zip_equal(shape, factors[i]))
      size *= factor;
    Value operand = extra;
    if (shape != shapeOf(extra))
      operand = accel::RepeatOp::create(
          b, repeat.getLoc(), RankedTensorType::get(shape, elementOf(extra)), extra, factors[i]);
    operands.push_back(operand);
    // A dimension of size 1 is read at its only place.
    maps.push_back(canonicalAccess(accessOf(map, i), shape, to));
  }
  MapOp moved = cloneMap(repeat, map, operands, maps, to);
  repeat.getResult().replaceAllUsesWith(moved.getResult());
  repeat.erase();
  map.erase();
  return moved;
}

/// Whether a map of this value alone would find something to join.
static bool isPart(Value value) {
  if (value.getDefiningOp<accel::ConstantOp>())
    return true;
  while (isa_and_nonnull<accel::TransposeOp, accel::ReshapeOp>(value.getDefiningOp()) &&
         value.hasOneUse())
    value = value.getDefiningOp()->getOperand(0);
  return value.hasOneUse() &&
         isa_and_nonnull<ConvOp, MatmulOp, PoolOp, ReduceOp, SoftmaxOp, NormalizeOp, MapOp>(
             value.getDefiningOp());
}

SmallVector<MapOp> accel::moveBeforeConcat(MapOp map) {
  ConcatOp concat;
  unsigned index = 0;
  for (auto [i, extra] : llvm::enumerate(map.getExtras()))
    if (auto op = extra.getDefiningOp<ConcatOp>())
      if (!concat && op->hasOneUse() && accessOf(map, i).isIdentity() &&
          shapeOf(extra) == shapeOf(map.getResult()))
        concat = op, index = i;
  if (!concat || concat.getInputs().size() > kMaxParts ||
      !llvm::all_of(concat.getInputs(), isPart) || llvm::all_of(concat.getInputs(), [](Value part) {
        return bool(part.getDefiningOp<accel::ConstantOp>());
      }))
    return {};
  unsigned axis = concat.getAxis();
  int64_t size = shapeOf(concat.getResult())[axis];
  OpBuilder b(map);
  AffineExpr along = getAffineDimExpr(axis, b.getContext());
  // The dimension of each operand that lies along the axis; -1 if none does.
  Shape place;
  for (auto [i, extra] : llvm::enumerate(map.getExtras())) {
    place.push_back(-1);
    for (auto [j, expr] : llvm::enumerate(accessOf(map, i).getResults())) {
      if (!expr.isFunctionOfDim(axis) || shapeOf(extra)[j] == 1)
        continue;
      if (expr != along || shapeOf(extra)[j] != size || place.back() >= 0)
        return {};
      place.back() = j;
    }
  }
  SmallVector<MapOp> parts;
  SmallVector<Value> values;
  int64_t offset = 0;
  for (Value input : concat.getInputs()) {
    int64_t own = shapeOf(input)[axis];
    SmallVector<Value> operands;
    SmallVector<AffineMap> maps;
    for (auto [i, extra] : llvm::enumerate(map.getExtras())) {
      Value operand = i == index ? input : extra;
      if (i != index && place[i] >= 0) {
        Shape shape(shapeOf(extra)), offsets(shape.size(), 0), steps(shape.size(), 1);
        shape[place[i]] = own, offsets[place[i]] = offset;
        operand = accel::SliceOp::create(
            b, map.getLoc(), RankedTensorType::get(shape, elementOf(extra)), extra, offsets, steps);
      }
      operands.push_back(operand);
      maps.push_back(canonicalAccess(accessOf(map, i), shapeOf(operand), shapeOf(input)));
    }
    parts.push_back(cloneMap(map, map, operands, maps, shapeOf(input)));
    values.push_back(parts.back().getResult());
    offset += own;
  }
  map.getResult().replaceAllUsesWith(
      ConcatOp::create(b, concat.getLoc(), map.getType(), values, axis));
  map.erase();
  concat.erase();
  return parts;
}

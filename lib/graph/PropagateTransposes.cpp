//===- PropagateTransposes.cpp - moves transposes until they cancel -------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One sweep in program order. When an operation is visited its operands already
// have their transposes as late as possible, so each operation needs one look.
// Perms follow accel.transpose: result dimension i is input dimension perm[i].
// Reductions keep their elements; the order in which they are summed is that of
// the new layout, on every target alike.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Lowering.h"
#include "acc/Graph/Passes.h"
#include "acc/Graph/Rebuild.h"
#include "accel/Forms.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace accel {
#define GEN_PASS_DEF_PROPAGATETRANSPOSES
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace accel;

using Shape = SmallVector<int64_t>;

static Shape permuted(ArrayRef<int64_t> values, ArrayRef<int64_t> perm) {
  Shape result;
  for (int64_t d : perm)
    result.push_back(values[d]);
  return result;
}

static RankedTensorType withShape(Value like, ArrayRef<int64_t> shape) {
  return RankedTensorType::get(shape, elementOf(like));
}

/// transpose(value, perm), joined with a transpose that makes `value`.
static Value transposed(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> perm) {
  if (auto inner = value.getDefiningOp<accel::TransposeOp>())
    return transposed(b, loc, inner.getInput(), permuted(inner.getPerm(), perm));
  if (isIdentity(perm))
    return value;
  return accel::TransposeOp::create(b, loc, withShape(value, permuted(shapeOf(value), perm)), value,
                                    perm);
}

static Value reshaped(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> shape) {
  if (auto inner = value.getDefiningOp<accel::ReshapeOp>())
    return reshaped(b, loc, inner.getInput(), shape);
  if (shapeOf(value) == shape)
    return value;
  if (auto constant = value.getDefiningOp<accel::ConstantOp>(); constant && !constant.getPack()) {
    Attribute attr = constant.getValue();
    auto type = withShape(value, shape);
    if (auto dense = dyn_cast<DenseElementsAttr>(attr))
      attr = dense.reshape(type);
    return accel::ConstantOp::create(b, constant.getLoc(), type, attr, PackAttr());
  }
  return accel::ReshapeOp::create(b, loc, withShape(value, shape), value);
}

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

/// Iteration order in which an operand of as many elements as the result is
/// read as it lies: new dimension j is old dimension order[j]. Empty if its map
/// is no permutation.
static Shape orderOf(AffineMap map, ArrayRef<int64_t> operand, ArrayRef<int64_t> result) {
  if (operand.size() != result.size() || elementCount(operand) != elementCount(result))
    return {};
  Shape order(result.size(), -1);
  llvm::SmallBitVector used(result.size());
  for (auto [j, expr] : llvm::enumerate(map.getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && operand[j] != 1) {
      if (used.test(dim.getPosition()))
        return {};
      order[j] = dim.getPosition(), used.set(dim.getPosition());
    }
  // Dimensions of size 1 go to the places that are left.
  int64_t next = 0;
  for (int64_t &d : order) {
    if (d >= 0)
      continue;
    while (used.test(next))
      ++next;
    if (result[next] != 1)
      return {};
    d = next, used.set(next);
  }
  for (auto [j, d] : llvm::enumerate(order))
    if (operand[j] != result[d])
      return {};
  return order;
}

static void visitMap(MapOp op) {
  OpBuilder b(op);
  Shape shape(shapeOf(op.getResult()));
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  bool changed = false;
  for (auto [operand, attr] : llvm::zip_equal(op.getExtras(), op.getMaps())) {
    AffineMap map = cast<AffineMapAttr>(attr).getValue();
    Value source = operand;
    changed |= readThroughViews(source, map, shape);
    operands.push_back(source), maps.push_back(map);
  }
  // The layout that most operands already have; among equals one that moves.
  SmallVector<std::pair<Shape, int64_t>> votes;
  for (auto [operand, map] : llvm::zip_equal(operands, maps)) {
    Shape order = orderOf(map, shapeOf(operand), shape);
    if (order.empty() || operand.getDefiningOp<accel::ConstantOp>())
      continue;
    auto vote = llvm::find_if(votes, [&](auto &v) { return v.first == order; });
    if (vote == votes.end())
      votes.push_back({order, 1});
    else
      ++vote->second;
  }
  Shape best;
  int64_t most = 0;
  for (auto &[order, count] : votes)
    if (count > most || (count == most && isIdentity(best)))
      best = order, most = count;
  if (!changed && (best.empty() || isIdentity(best)))
    return;
  if (best.empty())
    best.assign(llvm::seq<int64_t>(0, shape.size()).begin(),
                llvm::seq<int64_t>(0, shape.size()).end());
  Shape oldToNew = inverse(best);
  Shape newShape = permuted(shape, best);
  for (auto [operand, map] : llvm::zip_equal(operands, maps))
    map = canonicalAccess(reindex(map, oldToNew), shapeOf(operand), newShape);
  ArrayAttr newMaps = b.getAffineMapArrayAttr(maps);
  Operation *made =
      rebuild(op, operands, withShape(op.getResult(), newShape), {b.getNamedAttr("maps", newMaps)});
  op.getResult().replaceAllUsesWith(transposed(b, op.getLoc(), made->getResult(0), oldToNew));
  op.erase();
}

//===----------------------------------------------------------------------===//
// Operations that keep their input's dimensions
//===----------------------------------------------------------------------===//

/// Dimension i of the transposed input is dimension perm[i] of the input.
static Shape movedDims(ArrayRef<int64_t> dims, ArrayRef<int64_t> perm) {
  Shape moved;
  for (int64_t d : dims)
    moved.push_back(perm[d]);
  llvm::sort(moved);
  return moved;
}

static void visitUnary(Operation *op) {
  auto view = op->getOperand(0).getDefiningOp<accel::TransposeOp>();
  if (!view)
    return;
  OpBuilder b(op);
  ArrayRef<int64_t> perm = view.getPerm();
  Shape back = inverse(perm);
  SmallVector<NamedAttribute> changed;
  auto change = [&](StringRef name, ArrayRef<int64_t> values) {
    changed.push_back(b.getNamedAttr(name, b.getDenseI64ArrayAttr(values)));
  };
  if (auto reduce = dyn_cast<ReduceOp>(op))
    change("dims", movedDims(reduce.getDims(), perm));
  else if (auto normalize = dyn_cast<NormalizeOp>(op))
    change("dims", movedDims(normalize.getDims(), perm));
  else if (auto pad = dyn_cast<PadOp>(op))
    change("low", permuted(pad.getLow(), back)), change("high", permuted(pad.getHigh(), back));
  else if (auto slice = dyn_cast<accel::SliceOp>(op))
    change("offsets", permuted(slice.getOffsets(), back)),
        change("steps", permuted(slice.getSteps(), back));
  else if (auto repeat = dyn_cast<accel::RepeatOp>(op))
    change("factors", permuted(repeat.getFactors(), back));
  else if (isa<SoftmaxOp>(op) && perm.back() != int64_t(perm.size()) - 1)
    return;
  if (auto compute = dyn_cast<ComputeOpInterface>(op))
    changed.push_back(b.getNamedAttr("maps", reindex(compute.getMaps(), perm)));
  SmallVector<Value> operands(op->getOperands());
  operands[0] = view.getInput();
  Value result = op->getResult(0);
  Operation *made =
      rebuild(op, operands, withShape(result, permuted(shapeOf(result), back)), changed);
  result.replaceAllUsesWith(transposed(b, op->getLoc(), made->getResult(0), perm));
  op->erase();
}

static void visitConcat(ConcatOp op) {
  // The layout of the most elements.
  SmallVector<std::pair<Shape, int64_t>> votes;
  for (Value input : op.getInputs()) {
    auto view = input.getDefiningOp<accel::TransposeOp>();
    Shape perm = view ? Shape(view.getPerm())
                      : Shape(llvm::seq<int64_t>(0, shapeOf(input).size()).begin(),
                              llvm::seq<int64_t>(0, shapeOf(input).size()).end());
    int64_t weight = input.getDefiningOp<accel::ConstantOp>() ? 0 : elementCount(shapeOf(input));
    auto vote = llvm::find_if(votes, [&](auto &v) { return v.first == perm; });
    if (vote == votes.end())
      votes.push_back({perm, weight});
    else
      vote->second += weight;
  }
  auto best = llvm::max_element(votes, [](auto &x, auto &y) { return x.second < y.second; });
  Shape perm = best->first;
  if (isIdentity(perm))
    return;
  OpBuilder b(op);
  Shape back = inverse(perm);
  SmallVector<Value> inputs;
  for (Value input : op.getInputs())
    inputs.push_back(transposed(b, op.getLoc(), input, back));
  Value made = ConcatOp::create(b, op.getLoc(),
                                withShape(op.getResult(), permuted(shapeOf(op.getResult()), back)),
                                inputs, perm[op.getAxis()]);
  op.getResult().replaceAllUsesWith(transposed(b, op.getLoc(), made, perm));
  op.erase();
}

//===----------------------------------------------------------------------===//
// Reshapes and matmuls
//===----------------------------------------------------------------------===//

/// reshape(transpose(x)) = transpose(reshape(x)) where every group of dimensions
/// that the reshape joins lies together in x. Where it does not (a channel
/// shuffle, channels last) the group is brought together first, and only the
/// rest of the transpose moves on.
static void visitReshape(accel::ReshapeOp op) {
  OpBuilder b(op);
  if (auto inner = op.getInput().getDefiningOp<accel::ReshapeOp>()) {
    op.getResult().replaceAllUsesWith(
        reshaped(b, op.getLoc(), inner.getInput(), shapeOf(op.getResult())));
    op.erase();
    return;
  }
  auto view = op.getInput().getDefiningOp<accel::TransposeOp>();
  if (!view)
    return;
  ArrayRef<int64_t> from = shapeOf(view.getResult()), to = shapeOf(op.getResult()),
                    source = shapeOf(view.getInput()), perm = view.getPerm();
  SmallVector<DimGroup> groups;
  if (!groupDims(from, to, groups))
    return;
  bool together = true;
  for (DimGroup &group : groups)
    for (size_t k = 1; k < group.from.size(); ++k) {
      int64_t before = perm[group.from[k - 1]], behind = perm[group.from[k]];
      together &= before < behind;
      for (int64_t d = before + 1; d < behind; ++d)
        together &= source[d] == 1;
    }
  llvm::sort(groups, [&](const DimGroup &x, const DimGroup &y) {
    return perm[x.from.back()] < perm[y.from.back()]; // what is innermost stays so
  });
  // Unit dimensions of the result come first, then the groups as they lie in x.
  Shape order;
  llvm::SmallBitVector placed(to.size());
  for (DimGroup &group : groups)
    for (int64_t d : group.to)
      placed.set(d);
  for (int64_t d = 0; d < int64_t(to.size()); ++d)
    if (!placed.test(d))
      order.push_back(d);
  for (DimGroup &group : groups)
    order.append(group.to.begin(), group.to.end());
  // Keep a unit dimension where it is if nothing else moves.
  Shape moving;
  for (int64_t d : order)
    if (to[d] != 1)
      moving.push_back(d);
  if (llvm::is_sorted(moving))
    llvm::sort(order);
  Value base = view.getInput();
  if (!together) {
    if (isIdentity(order))
      return;     // nothing would move on
    Shape gather; // dimensions of x, groups in the order in which they end
    llvm::SmallBitVector taken(source.size());
    for (DimGroup &group : groups)
      for (int64_t d : group.from)
        gather.push_back(perm[d]), taken.set(perm[d]);
    for (int64_t d = source.size() - 1; d >= 0; --d)
      if (!taken.test(d))
        gather.insert(gather.begin(), d);
    base = transposed(b, op.getLoc(), base, gather);
  }
  Value inner = reshaped(b, op.getLoc(), base, permuted(to, order));
  op.getResult().replaceAllUsesWith(transposed(b, op.getLoc(), inner, inverse(order)));
  op.erase();
}

/// The right side of a product may lie as [K, N] or [N, K]: its rows are read as
/// they lie.
static void visitMatmul(MatmulOp op) {
  auto view = op.getWeight().getDefiningOp<accel::TransposeOp>();
  if (!view || view.getInput().getDefiningOp<accel::ConstantOp>())
    return;
  Shape perm(view.getPerm());
  int64_t last = int64_t(perm.size()) - 1;
  if (perm[last - 1] != last) // what lies innermost is no dimension of the matrix, or its last
    return;
  std::swap(perm[last - 1], perm[last]);
  OpBuilder b(op);
  op.getWeightMutable().assign(transposed(b, op.getLoc(), view.getInput(), perm));
  op.setTransposeB(!op.getTransposeB());
}

/// A transpose that moves only unit dimensions is a reshape, one of a constant
/// is done when the artifact is written.
static void finishTranspose(accel::TransposeOp op) {
  OpBuilder b(op);
  Value input = op.getInput();
  ArrayRef<int64_t> perm = op.getPerm();
  Shape moving;
  for (int64_t d : perm)
    if (shapeOf(input)[d] != 1)
      moving.push_back(d);
  Value result;
  if (llvm::is_sorted(moving)) {
    result = reshaped(b, op.getLoc(), input, shapeOf(op.getResult()));
  } else if (auto constant = input.getDefiningOp<accel::ConstantOp>();
             constant && !constant.getPack()) {
    auto pack = PackAttr::get(b.getContext(), b.getStringAttr("transpose"),
                              TypeAttr::get(constant.getType()), op.getPermAttr(), 1, nullptr);
    result =
        accel::ConstantOp::create(b, constant.getLoc(), op.getType(), constant.getValue(), pack);
  }
  if (!result)
    return;
  op.getResult().replaceAllUsesWith(result);
  op.erase();
}

namespace {
struct PropagateTransposes : accel::impl::PropagateTransposesBase<PropagateTransposes> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Tensor);
    if (failed(main))
      return signalPassFailure();
    Block &block = main->getBody().front();
    for (Operation &op : llvm::make_early_inc_range(block))
      llvm::TypeSwitch<Operation *>(&op)
          .Case([](accel::TransposeOp o) {
            if (!o.getInput().getDefiningOp<accel::TransposeOp>() && !isIdentity(o.getPerm()))
              return; // nothing to join
            OpBuilder b(o);
            o.getResult().replaceAllUsesWith(transposed(b, o.getLoc(), o.getInput(), o.getPerm()));
            o.erase();
          })
          .Case([](MapOp o) { visitMap(o); })
          .Case([](ConcatOp o) { visitConcat(o); })
          .Case([](accel::ReshapeOp o) { visitReshape(o); })
          .Case([](MatmulOp o) { visitMatmul(o); })
          .Case<ReduceOp, NormalizeOp, SoftmaxOp, PadOp, CopyOp, accel::SliceOp, accel::RepeatOp,
                accel::BroadcastOp>([](auto o) { visitUnary(o); });
    eraseUnused(block);
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto transpose = dyn_cast<accel::TransposeOp>(op))
        finishTranspose(transpose);
      else if (auto reshape = dyn_cast<accel::ReshapeOp>(op))
        visitReshape(reshape);
    }
    eraseUnused(block);
  }
};
} // namespace

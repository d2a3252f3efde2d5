//===- MergeConstants.cpp - x * a + b with constants, merged --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A run of additions and multiplications with constants in a body, v -> v*S+T,
// becomes at most one multiplication and one addition; S and T are computed in
// double and rounded once. A constant here is a scalar or a constant extra.
// Divisions by constants become multiplications.
//
// A sweep merges again and again as bodies grow. So that each merge starts from
// exact values, a rounded constant carries what it was rounded from (`kExact`)
// until the sweep ends: an offset that is rounded at every merge is the same
// error at every pixel, which no mean takes away.
//
// Behind the accumulator of a convolution with constant weights S goes into the
// weights (`scale` of their pack) if it differs from channel to channel: that saves
// a stream. One factor for all channels is only a step of the body, and weights
// that stay as they are do not add their rounding to every pixel.
//
// Bodies that round (requantisation) are left alone: there the bits count.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Fusion.h"
#include "acc/Graph/Lowering.h"
#include "acc/Graph/Rebuild.h"

using namespace mlir;
using namespace accel;

using Shape = SmallVector<int64_t>;

/// Attribute of a merged constant: its value in f64.
static constexpr StringLiteral kExact = "exact";

namespace {
/// A constant over the result's dimensions: one value, or a tensor with a map.
struct Known {
  HostTensor tensor; // rank 0: a scalar
  AffineMap map;
  bool isScalar() const { return !map; }
  double at(int64_t i) const { return tensor.getFloat(isScalar() ? 0 : i); }
};
} // namespace

/// Drops dimensions of size 1, so that equal accesses have equal maps.
static Known squeezed(HostTensor tensor, AffineMap map) {
  if (tensor.size() == 1)
    return {tensor.reshaped({}), AffineMap()};
  Shape shape;
  SmallVector<AffineExpr> exprs;
  for (auto [size, expr] : llvm::zip_equal(tensor.shape(), map.getResults()))
    if (size != 1)
      shape.push_back(size), exprs.push_back(expr);
  return {tensor.reshaped(shape), AffineMap::get(map.getNumDims(), 0, exprs, map.getContext())};
}

namespace {
class Merger {
public:
  explicit Merger(Operation *op)
      : op(op), compute(cast<ComputeOpInterface>(op)), block(compute.getBody().front()),
        leading(block.getNumArguments() - compute.getExtras().size()) {}

  Operation *run() {
    for (Operation &step : block)
      if (isa<math::RoundEvenOp>(step))
        return op;
    for (Operation &step : llvm::make_early_inc_range(block))
      if (isAffine(&step) && !(step.hasOneUse() && isAffine(*step.user_begin()) &&
                               follows(*step.user_begin(), step.getResult(0))))
        mergeRunEndingAt(&step); // only the last operation of each run
    eraseUnused(block);
    return finish();
  }

private:
  Operation *op;
  ComputeOpInterface compute;
  Block &block;
  unsigned leading;
  SmallVector<std::pair<HostTensor, AffineMap>> added; // new extras, behind the old ones

  std::optional<Known> known(Value value) {
    if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
      auto number = dyn_cast<FloatAttr>(constant.getValue());
      if (!number || !number.getType().isF32())
        return std::nullopt;
      if (auto exact = constant->getAttrOfType<FloatAttr>(kExact))
        number = exact;
      return Known{HostTensor::ofFloats(number.getType(), {}, {number.getValueAsDouble()}), {}};
    }
    auto arg = dyn_cast<BlockArgument>(value);
    if (!arg || arg.getOwner() != &block || arg.getArgNumber() < leading || !arg.getType().isF32())
      return std::nullopt;
    unsigned index = arg.getArgNumber() - leading;
    if (index >= compute.getExtras().size())
      return squeezed(added[index - compute.getExtras().size()].first,
                      added[index - compute.getExtras().size()].second);
    Value extra = compute.getExtras()[index];
    if (elementCount(shapeOf(extra)) > kFoldLimit)
      return std::nullopt;
    auto tensor = constantOf(extra);
    if (!tensor)
      return std::nullopt;
    if (auto exact = extra.getDefiningOp()->getAttrOfType<DenseElementsAttr>(kExact))
      tensor = readConstant(exact, cast<RankedTensorType>(exact.getType()));
    return squeezed(*tensor, cast<AffineMapAttr>(compute.getMaps()[index]).getValue());
  }

  /// The variable operand of x*c, c*x, x/c, x+c, c+x, x-c; -1 if it is none.
  int variableOf(Operation *step) {
    if (!isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp>(step) ||
        !step->getResult(0).getType().isF32())
      return -1;
    bool first = known(step->getOperand(0)).has_value(),
         second = known(step->getOperand(1)).has_value();
    if (first == second)
      return -1;
    if (second)
      return 0;
    return isa<arith::AddFOp, arith::MulFOp>(step) ? 1 : -1;
  }
  bool isAffine(Operation *step) { return variableOf(step) >= 0; }
  bool follows(Operation *step, Value value) { return step->getOperand(variableOf(step)) == value; }

  /// scale and offset of v -> v*S+T; false if the accesses differ.
  struct Affine {
    Known scale, offset;
  };
  static Known scalar(double value, Type f32) {
    return {HostTensor::ofFloats(f32, {}, {value}), {}};
  }
  template <typename Fn>
  static std::optional<Known> combine(const Known &x, const Known &y, Fn fn) {
    if (!x.isScalar() && !y.isScalar() && (x.map != y.map || x.tensor.shape() != y.tensor.shape()))
      return std::nullopt;
    const Known &shape = x.isScalar() ? y : x;
    Known result{
        HostTensor(Float64Type::get(x.tensor.element().getContext()), shape.tensor.shape()),
        shape.map};
    for (int64_t i = 0; i < result.tensor.size(); ++i)
      result.tensor.setFloat(i, fn(x.at(i), y.at(i)));
    return result;
  }

  bool extend(Affine &affine, Operation *step) {
    int variable = variableOf(step);
    Known c = *known(step->getOperand(1 - variable));
    auto plus = [](double x, double y) { return x + y; };
    auto minus = [](double x, double y) { return x - y; };
    auto times = [](double x, double y) { return x * y; };
    auto over = [](double x, double y) { return x / y; };
    std::optional<Known> scale = affine.scale, offset = affine.offset;
    if (isa<arith::AddFOp>(step))
      offset = combine(*offset, c, plus);
    else if (isa<arith::SubFOp>(step))
      offset = combine(*offset, c, minus);
    else if (isa<arith::MulFOp>(step))
      scale = combine(*scale, c, times), offset = combine(*offset, c, times);
    else
      scale = combine(*scale, c, over), offset = combine(*offset, c, over);
    if (!scale || !offset)
      return false;
    affine = {*scale, *offset};
    return true;
  }

  static bool allEqual(const Known &k, double value) {
    for (int64_t i = 0; i < k.tensor.size(); ++i)
      if (float(k.at(i)) != float(value))
        return false;
    return true;
  }

  Value materialise(OpBuilder &b, Location loc, const Known &k) {
    Type f32 = b.getF32Type();
    if (k.isScalar() || k.tensor.isSplat()) {
      auto made = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(k.at(0))));
      if (double(float(k.at(0))) != k.at(0))
        made->setAttr(kExact, b.getF64FloatAttr(k.at(0)));
      return made;
    }
    added.push_back({k.tensor, k.map});
    return block.addArgument(f32, loc);
  }

  void mergeRunEndingAt(Operation *last) {
    // Walk back along the run, then compose from its front.
    SmallVector<Operation *> run = {last};
    while (true) {
      Value before = run.back()->getOperand(variableOf(run.back()));
      Operation *step = before.getDefiningOp();
      if (!step || step->getBlock() != &block || !step->hasOneUse() || !isAffine(step))
        break;
      run.push_back(step);
    }
    bool accumulator = isFoldableConv(run.back()->getOperand(variableOf(run.back())));
    Type f32 = Float32Type::get(op->getContext());
    while (!run.empty()) {
      Affine affine{scalar(1, f32), scalar(0, f32)};
      Value from = run.back()->getOperand(variableOf(run.back()));
      size_t taken = 0;
      bool divides = false;
      while (taken < run.size() && extend(affine, run[run.size() - 1 - taken]))
        divides |= isa<arith::DivFOp>(run[run.size() - 1 - taken]), ++taken;
      if (taken == 0) // cannot happen: one step always composes
        return;
      bool atFront = accumulator && isa<BlockArgument>(from);
      bool fold = atFront && !affine.scale.isScalar() && foldIntoWeights(affine.scale);
      if (fold)
        affine.scale = scalar(1, f32);
      Operation *end = run[run.size() - taken];
      if (fold || taken > 1 || divides)
        rewrite(end, from, affine);
      run.truncate(run.size() - taken);
    }
  }

  void rewrite(Operation *end, Value value, const Affine &affine) {
    OpBuilder b(end);
    if (!allEqual(affine.scale, 1))
      value = arith::MulFOp::create(b, end->getLoc(), value,
                                    materialise(b, end->getLoc(), affine.scale));
    if (!allEqual(affine.offset, 0))
      value = arith::AddFOp::create(b, end->getLoc(), value,
                                    materialise(b, end->getLoc(), affine.offset));
    end->getResult(0).replaceAllUsesWith(value);
  }

  /// The accumulator of a float convolution whose weights are constant.
  bool isFoldableConv(Value value) {
    auto conv = dyn_cast<ConvOp>(op);
    auto arg = dyn_cast<BlockArgument>(value);
    if (!conv || !arg || arg.getArgNumber() != 0 || !arg.hasOneUse() || !arg.getType().isF32())
      return false;
    auto weight = conv.getWeight().getDefiningOp<accel::ConstantOp>();
    return weight && weight.getPack();
  }

  bool foldIntoWeights(const Known &scale) {
    auto conv = cast<ConvOp>(op);
    auto weight = conv.getWeight().getDefiningOp<accel::ConstantOp>();
    MLIRContext *context = op->getContext();
    int64_t channels = shapeOf(conv.getResult())[3];
    if (scale.map != AffineMap::get(4, 0, getAffineDimExpr(3, context), context))
      return false;
    PackAttr pack = weight.getPackAttr();
    std::optional<HostTensor> before;
    if (Attribute attr = pack.getScale()) {
      before = readConstant(attr, cast<RankedTensorType>(cast<TypedAttr>(attr).getType()));
      if (!before)
        return false;
    }
    HostTensor factors(Float32Type::get(context), {channels});
    for (int64_t c = 0; c < channels; ++c)
      factors.setFloat(c, scale.at(c) * (before ? before->getFloat(c) : 1.0));
    auto scaled = PackAttr::get(context, pack.getKind(), pack.getSource(), pack.getPerm(),
                                pack.getGroups(), factors.toAttr());
    OpBuilder b(op);
    Value constant =
        accel::ConstantOp::create(b, weight.getLoc(), weight.getType(), weight.getValue(), scaled);
    conv.getWeightMutable().assign(constant);
    return true;
  }

  /// Drops extras that the body no longer reads and adds the new ones.
  Operation *finish() {
    SmallVector<Value> operands(compute.getPrimary());
    SmallVector<Attribute> maps;
    SmallVector<unsigned> unused;
    OpBuilder b(op);
    for (unsigned i = leading; i < block.getNumArguments(); ++i) {
      if (block.getArgument(i).use_empty()) {
        unused.push_back(i);
        continue;
      }
      unsigned index = i - leading;
      if (index < compute.getExtras().size()) {
        operands.push_back(compute.getExtras()[index]);
        maps.push_back(compute.getMaps()[index]);
      } else {
        auto &[tensor, map] = added[index - compute.getExtras().size()];
        HostTensor rounded(b.getF32Type(), tensor.shape());
        for (int64_t k = 0; k < rounded.size(); ++k)
          rounded.setFloat(k, tensor.getFloat(k));
        auto made = accel::ConstantOp::create(b, op->getLoc(), rounded.tensorType(),
                                              rounded.toAttr(), PackAttr());
        if (tensor.element().isF64())
          made->setAttr(kExact, tensor.toAttr());
        operands.push_back(made);
        maps.push_back(AffineMapAttr::get(map));
      }
    }
    if (unused.empty() && added.empty())
      return op;
    for (unsigned i : llvm::reverse(unused))
      block.eraseArgument(i);
    Operation *made = rebuild(op, operands, op->getResult(0).getType(),
                              {b.getNamedAttr("maps", b.getArrayAttr(maps))});
    op->getResult(0).replaceAllUsesWith(made->getResult(0));
    op->erase();
    return made;
  }
};
} // namespace

Operation *accel::mergeConstants(Operation *op) { return Merger(op).run(); }

void accel::forgetExactConstants(Operation *root) {
  root->walk([](Operation *op) {
    if (isa<accel::ConstantOp, arith::ConstantOp>(op))
      op->removeAttr(kExact);
  });
}

//===- NarrowStrides.cpp - computes only the positions that are read ------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A 1x1 window of stride 2 reads a quarter of its operand. Where every reader of a
// result steps over positions, its producer steps over them instead, and the
// readers read what is left densely. One sweep from the results upwards: a producer
// that steps is a reader that steps.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Passes.h"
#include "accel/Accel.h"
#include "accel/Forms.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <numeric>

namespace accel {
#define GEN_PASS_DEF_NARROWSTRIDES
#include "acc/Graph/Passes.h.inc"
} // namespace accel

using namespace mlir;
using namespace accel;

namespace {

/// Rows and columns: dimensions 1 and 2 of [N, H, W, C].
constexpr unsigned spatial = 2;
using Steps = std::array<int64_t, spatial>;

struct NarrowStrides : accel::impl::NarrowStridesBase<NarrowStrides> {
  void runOnOperation() override;
};

} // namespace

static bool isAll(ArrayRef<int64_t> values, int64_t value) {
  return llvm::all_of(values, [&](int64_t v) { return v == value; });
}

/// A window of one element that starts at the first: its strides are steps.
template <typename Op> static bool isPoint(Op op) {
  return isAll(op.getKernel(), 1) && isAll(op.getPads(), 0);
}

/// The step of `d * step` in dimension `dim` of a map; 0 if it is something else.
static int64_t stepOf(AffineExpr expr, unsigned dim) {
  int64_t step = 1;
  if (auto product = dyn_cast<AffineBinaryOpExpr>(expr)) {
    auto factor = dyn_cast<AffineConstantExpr>(product.getRHS());
    if (product.getKind() != AffineExprKind::Mul || !factor)
      return 0;
    step = factor.getValue();
    expr = product.getLHS();
  }
  auto base = dyn_cast<AffineDimExpr>(expr);
  return base && base.getPosition() == dim ? step : 0;
}

/// How a use steps over rows and columns; {1, 1} if it reads all of them or in
/// another way.
static Steps stepsOf(OpOperand &use) {
  Operation *op = use.getOwner();
  auto compute = dyn_cast<ComputeOpInterface>(op);
  if (!compute)
    return {1, 1};
  unsigned operand = use.getOperandNumber(), primaries = compute.getPrimary().size();
  if (operand >= primaries) {
    AffineMap map = cast<AffineMapAttr>(compute.getMaps()[operand - primaries]).getValue();
    if (map.getNumResults() != 4 || map.getNumDims() != 4)
      return {1, 1};
    Steps steps{stepOf(map.getResult(1), 1), stepOf(map.getResult(2), 2)};
    return steps[0] >= 1 && steps[1] >= 1 ? steps : Steps{1, 1};
  }
  if (auto conv = dyn_cast<ConvOp>(op))
    if (operand == 0 && isPoint(conv) && isAll(conv.getInputDilations(), 1))
      return {conv.getStrides()[0], conv.getStrides()[1]};
  if (auto pool = dyn_cast<PoolOp>(op))
    if (isPoint(pool))
      return {pool.getStrides()[0], pool.getStrides()[1]};
  return {1, 1};
}

/// A map whose argument steps (`by` > 0) or whose result does no longer.
static AffineMapAttr withSteps(AffineMapAttr attr, Steps by) {
  AffineMap map = attr.getValue();
  SmallVector<AffineExpr> dims;
  for (unsigned d = 0; d < map.getNumDims(); ++d) {
    AffineExpr dim = getAffineDimExpr(d, map.getContext());
    dims.push_back(d == 1 || d == 2 ? dim * by[d - 1] : dim);
  }
  return AffineMapAttr::get(map.replaceDimsAndSymbols(dims, {}, map.getNumDims(), 0));
}

/// Makes a use read with `by` times smaller steps.
static void loosen(OpOperand &use, Steps by) {
  Operation *op = use.getOwner();
  auto compute = cast<ComputeOpInterface>(op);
  unsigned operand = use.getOperandNumber(), primaries = compute.getPrimary().size();
  Builder b(op->getContext());
  Steps old = stepsOf(use), now{old[0] / by[0], old[1] / by[1]};
  if (operand < primaries) {
    op->setAttr("strides", b.getDenseI64ArrayAttr(now));
    return;
  }
  SmallVector<Attribute> maps(compute.getMaps().getValue());
  AffineMap map = cast<AffineMapAttr>(maps[operand - primaries]).getValue();
  SmallVector<AffineExpr> results(map.getResults());
  for (unsigned d = 0; d < spatial; ++d)
    results[1 + d] = getAffineDimExpr(1 + d, op->getContext()) * now[d];
  maps[operand - primaries] =
      AffineMapAttr::get(AffineMap::get(map.getNumDims(), 0, results, op->getContext()));
  op->setAttr("maps", b.getArrayAttr(maps));
}

/// Makes a producer compute every `by`-th row and column.
static void narrow(ComputeOpInterface compute, Steps by) {
  Operation *op = compute;
  Builder b(op->getContext());
  if (auto strides = op->getAttrOfType<DenseI64ArrayAttr>("strides"))
    op->setAttr("strides", b.getDenseI64ArrayAttr({strides[0] * by[0], strides[1] * by[1]}));
  SmallVector<Attribute> maps;
  for (Attribute map : compute.getMaps())
    maps.push_back(withSteps(cast<AffineMapAttr>(map), by));
  op->setAttr("maps", b.getArrayAttr(maps));
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> shape(type.getShape());
  for (unsigned d = 0; d < spatial; ++d)
    shape[1 + d] = llvm::divideCeil(shape[1 + d], by[d]);
  op->getResult(0).setType(type.clone(shape));
}

void NarrowStrides::runOnOperation() {
  FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Tensor);
  if (failed(main))
    return signalPassFailure();
  for (Operation &op : llvm::reverse(main->getBody().front())) {
    if (!isa<ConvOp, PoolOp, MapOp>(op) || op.use_empty() ||
        cast<RankedTensorType>(op.getResult(0).getType()).getRank() != 4)
      continue;
    Steps common{0, 0};
    for (OpOperand &use : op.getResult(0).getUses()) {
      Steps steps = stepsOf(use);
      for (unsigned d = 0; d < spatial; ++d)
        common[d] = std::gcd(common[d], steps[d]);
    }
    if (common == Steps{1, 1})
      continue;
    for (OpOperand &use : op.getResult(0).getUses())
      loosen(use, common);
    narrow(cast<ComputeOpInterface>(op), common);
    ++numNarrowed;
  }
}

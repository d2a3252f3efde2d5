//===- CleanGraph.cpp - removes equal and unused operations ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Fusion.h"
#include "acc/Graph/Passes.h"
#include "acc/Graph/Rebuild.h"
#include "accel/Forms.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"

using namespace mlir;

namespace accel {
#define GEN_PASS_DEF_CLEANGRAPH
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace accel;

/// An operation above that computes the same; null if there is none. Bodies are short.
static Operation *equalAbove(Operation *op) {
  for (Operation &other : *op->getBlock()) {
    if (&other == op)
      return nullptr;
    if (OperationEquivalence::isEquivalentTo(&other, op, OperationEquivalence::IgnoreLocations))
      return &other;
  }
  return nullptr;
}

void accel::cleanBody(Block &body) {
  SmallVector<arith::ConstantOp> constants;
  // Constants stay in the body (an OperationFolder would move them out of it).
  for (Operation &op : llvm::make_early_inc_range(body.without_terminator())) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto equal = llvm::find_if(
          constants, [&](arith::ConstantOp c) { return c.getValue() == constant.getValue(); });
      if (equal == constants.end())
        constants.push_back(constant);
      else
        constant.replaceAllUsesWith(equal->getResult());
      continue;
    }
    if (Operation *equal = equalAbove(&op)) { // a joined consumer widens what another did
      op.replaceAllUsesWith(equal);
      continue;
    }
    SmallVector<OpFoldResult> folded;
    if (failed(op.fold(folded)) || folded.size() != 1)
      continue;
    Value value = dyn_cast<Value>(folded[0]);
    if (!value) {
      OpBuilder b(&op);
      auto attr = dyn_cast<TypedAttr>(cast<Attribute>(folded[0]));
      if (!attr || attr.getType() != op.getResult(0).getType())
        continue;
      value = arith::ConstantOp::create(b, op.getLoc(), attr);
    }
    op.getResult(0).replaceAllUsesWith(value);
  }
  eraseUnused(body);
}

namespace {
struct CleanGraph : accel::impl::CleanGraphBase<CleanGraph> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Tensor);
    if (failed(main))
      return signalPassFailure();
    Block &block = main->getBody().front();
    eraseUnused(block);
    IRRewriter rewriter(main->getContext());
    DominanceInfo dominance(*main);
    eliminateCommonSubExpressions(rewriter, dominance, *main);
    for (Operation &op : block)
      if (auto compute = dyn_cast<ComputeOpInterface>(op))
        cleanBody(compute.getBody().front());
    eraseUnused(block);
  }
};
} // namespace

//===- CleanGraph.cpp - removes equal and unused operations ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Passes.h"
#include "acc/Graph/Rebuild.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/FoldUtils.h"
#include "llvm/ADT/ScopedHashTable.h"

using namespace mlir;

namespace accel {
#define GEN_PASS_DEF_CLEANGRAPH
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace accel;

/// Scalar code: folds what upstream folds, constants first.
static void foldBody(Block &body) {
  OperationFolder folder(body.getParentOp()->getContext());
  for (Operation &op : llvm::make_early_inc_range(body.without_terminator()))
    (void)folder.tryToFold(&op);
  eraseUnused(body);
}

namespace {
struct CleanGraph : accel::impl::CleanGraphBase<CleanGraph> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      Block &block = function.getBody().front();
      eraseUnused(block);
      IRRewriter rewriter(function.getContext());
      DominanceInfo dominance(function);
      eliminateCommonSubExpressions(rewriter, dominance, function);
      for (Operation &op : block)
        if (auto compute = dyn_cast<ComputeOpInterface>(op))
          foldBody(compute.getBody().front());
      eraseUnused(block);
    }
  }
};
} // namespace

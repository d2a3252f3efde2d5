//===- SinkBranches.cpp - short branches run right before they are read ---===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Program order says what is alive at a time. An exporter writes the projection of a
// residual block before the block's body: its result, larger than what it is computed
// from, is then alive all through the body. Moved to where it is read, only its
// operand is, and the plan stage can compute it in the group that adds it.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Passes.h"
#include "accel/Accel.h"
#include "accel/Forms.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace accel {
#define GEN_PASS_DEF_SINKBRANCHES
#include "acc/Graph/Passes.h.inc"
} // namespace accel

using namespace mlir;
using namespace accel;

namespace {
struct SinkBranches : accel::impl::SinkBranchesBase<SinkBranches> {
  void runOnOperation() override;
};
} // namespace

static int64_t bitsOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.getNumElements() * type.getElementTypeBitWidth();
}

/// Whether what an operation reads, less constants, is at most as large as what it
/// writes. Views cost nothing wherever they stand.
static bool widens(Operation *op) {
  if (!isa<ComputeOpInterface>(op))
    return true;
  int64_t read = 0;
  llvm::SmallPtrSet<Value, 4> seen;
  for (Value operand : op->getOperands())
    if (!operand.getDefiningOp<ConstantOp>() && seen.insert(operand).second)
      read += bitsOf(operand);
  return read <= bitsOf(op->getResult(0));
}

void SinkBranches::runOnOperation() {
  FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Tensor);
  if (failed(main))
    return signalPassFailure();
  // From the end: what an operation moves to is where it will be.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(main->getBody().front()))) {
    if (op.getNumResults() != 1 || !op.hasOneUse() || isa<ConstantOp>(op))
      continue;
    Operation *user = *op.user_begin();
    if (user == op.getNextNode() || user->hasTrait<OpTrait::IsTerminator>() || !widens(&op))
      continue;
    op.moveBefore(user);
    ++numSunk;
  }
}

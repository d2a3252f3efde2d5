//===- AnnotateOracle.cpp - the fewest bytes of operations, as attributes -===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Oracle.h"
#include "acc/Plan/Passes.h"
#include "acc/Plan/Routine.h"

namespace accel {
#define GEN_PASS_DEF_ANNOTATEORACLE
#include "acc/Plan/Passes.h.inc"
} // namespace accel

using namespace mlir;
using namespace accel;

namespace {
struct AnnotateOracle : accel::impl::AnnotateOracleBase<AnnotateOracle> {
  void runOnOperation() override;
};
} // namespace

void AnnotateOracle::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<Limits> limits = limitsOf(module);
  if (failed(limits))
    return signalPassFailure();
  FailureOr<func::FuncOp> main = requireForm(module, Form::Tensor);
  if (failed(main))
    return signalPassFailure();
  Builder builder(&getContext());
  SmallVector<Operation *> program;
  bool chain = true;
  for (Operation &op : main->getBody().front().without_terminator()) {
    if (isa<ConstantOp>(op))
      continue;
    if (!isa<ComputeOpInterface>(op)) {
      chain = false; // a view in between
      continue;
    }
    program.push_back(&op);
    std::string why;
    std::optional<OracleGroup> best = oracleOf(&op, *limits, why);
    if (!best)
      continue;
    ++numOperations;
    op.setAttr("accel.oracle",
               builder.getDictionaryAttr(
                   {builder.getNamedAttr("bytes", builder.getI64IntegerAttr(best->bytes)),
                    builder.getNamedAttr("schedule", best->schedule)}));
  }
  std::string why;
  if (!chain || program.empty() || program.size() > kOracleChain)
    return;
  if (std::optional<OraclePlan> plan = oracleOf(program, *limits, why))
    module->setAttr("accel.oracle_bytes", builder.getI64IntegerAttr(plan->bytes));
}

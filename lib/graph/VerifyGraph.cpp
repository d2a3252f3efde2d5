//===- VerifyGraph.cpp - what the plan stage may assume -------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Lowering.h"
#include "acc/Graph/Passes.h"
#include "accel/Forms.h"

namespace accel {
#define GEN_PASS_DEF_VERIFYGRAPH
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace mlir;
using namespace accel;

namespace {
struct VerifyGraph : accel::impl::VerifyGraphBase<VerifyGraph> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Tensor);
    if (failed(main))
      return signalPassFailure();
    for (Operation &op : main->getBody().front()) {
      auto compute = dyn_cast<ComputeOpInterface>(op);
      if (!compute)
        continue;
      unsigned limit = compute.getPrimary().empty() ? kMaxExtras + 1 : kMaxExtras;
      if (compute.getExtras().size() > limit) {
        op.emitOpError("body reads ")
            << compute.getExtras().size() << " extras, at most " << limit << " are possible";
        return signalPassFailure();
      }
    }
  }
};
} // namespace

//===- VerifyGraph.cpp - what the plan stage may assume -------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Lowering.h"
#include "acc/Graph/Passes.h"

namespace accel {
#define GEN_PASS_DEF_VERIFYGRAPH
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace mlir;
using namespace accel;

namespace {
struct VerifyGraph : accel::impl::VerifyGraphBase<VerifyGraph> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal() || !main.getBody().hasOneBlock()) {
      getOperation().emitError("the tensor form has one function @main of one block");
      return signalPassFailure();
    }
    for (Operation &op : main.getBody().front()) {
      if (isa<func::ReturnOp>(op))
        continue;
      if (op.getName().getDialectNamespace() != "accel") {
        op.emitOpError("is not part of the tensor form");
        signalPassFailure();
        continue;
      }
      auto compute = dyn_cast<ComputeOpInterface>(op);
      if (!compute)
        continue;
      unsigned limit = compute.getPrimary().empty() ? kMaxExtras + 1 : kMaxExtras;
      if (compute.getExtras().size() > limit) {
        op.emitOpError("body reads ")
            << compute.getExtras().size() << " extras, at most " << limit << " are possible";
        signalPassFailure();
      }
    }
  }
};
} // namespace

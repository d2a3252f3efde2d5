//===- BoundTraffic.cpp - the fewest DRAM bytes, as attributes ------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Bounds.h"
#include "acc/Plan/Passes.h"
#include "acc/Plan/Routine.h"

#include "llvm/ADT/MapVector.h"

namespace accel {
#define GEN_PASS_DEF_BOUNDTRAFFIC
#include "acc/Plan/Passes.h.inc"
} // namespace accel

using namespace mlir;
using namespace accel;

namespace {
struct BoundTraffic : accel::impl::BoundTrafficBase<BoundTraffic> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

void BoundTraffic::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<Limits> limits = limitsOf(module);
  if (failed(limits))
    return signalPassFailure();
  FailureOr<func::FuncOp> main = requireForm(module, Form::Tensor);
  if (failed(main))
    return signalPassFailure();
  BoundGraph graph = BoundGraph::of(*main);
  for (int64_t bytes : chipBytes)
    if (bytes <= 0) {
      module.emitError("chip-bytes: ") << bytes << " is no size of a memory";
      return signalPassFailure();
    }
  int64_t here = limits->sramBytes + limits->accBytes;
  BoundShares shares = boundShares(graph, here);
  llvm::MapVector<StringRef, std::pair<int64_t, int64_t>> nodes;
  for (auto [name, compulsory, bound] :
       llvm::zip(graph.operations, shares.compulsory, shares.bound))
    if (compulsory || bound) {
      nodes[name].first += compulsory;
      nodes[name].second += bound;
    }
  Builder builder(&getContext());
  SmallVector<Attribute> entries;
  for (auto &[name, bytes] : nodes)
    entries.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("bound", builder.getI64IntegerAttr(bytes.second)),
         builder.getNamedAttr("compulsory", builder.getI64IntegerAttr(bytes.first)),
         builder.getNamedAttr("node", builder.getStringAttr(name))}));
  // By tensor, where it comes from.
  for (const BoundTensor &tensor : graph.tensors) {
    if (!tensor.root || !tensor.loaded)
      continue;
    IntegerAttr bytes = builder.getI64IntegerAttr(tensor.loaded);
    if (auto argument = dyn_cast<BlockArgument>(tensor.root))
      main->setArgAttr(argument.getArgNumber(), kCompulsoryAttr, bytes);
    else
      tensor.root.getDefiningOp()->setAttr(kCompulsoryAttr, bytes);
  }
  module->setAttr(kCompulsoryAttr, builder.getI64IntegerAttr(compulsoryBytes(graph)));
  module->setAttr(kBoundAttr, builder.getI64IntegerAttr(boundAt(graph, here)));
  module->setAttr(kNodeBoundsAttr, builder.getArrayAttr(entries));
  SmallVector<Attribute> curve;
  for (int64_t bytes : chipBytes)
    curve.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("bound", builder.getI64IntegerAttr(boundAt(graph, bytes))),
         builder.getNamedAttr("chip_bytes", builder.getI64IntegerAttr(bytes))}));
  if (!curve.empty())
    module->setAttr(kBoundCurveAttr, builder.getArrayAttr(curve));
}

//===- WritePrediction.cpp - how many bytes each tensor will move ---------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Passes.h"
#include "acc/Plan/Routine.h"

#include <map>

namespace accel {
#define GEN_PASS_DEF_WRITEPREDICTION
#include "acc/Plan/Passes.h.inc"
} // namespace accel

using namespace mlir;
using namespace accel;

namespace {
struct WritePrediction : accel::impl::WritePredictionBase<WritePrediction> {
  void runOnOperation() override;
};

/// Bytes of a routine, the same for each of its calls.
struct RoutineBytes {
  SmallVector<std::pair<Reason, int64_t>> loads, stores;
};
} // namespace

void WritePrediction::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<Limits> limits = limitsOf(module);
  if (failed(limits))
    return signalPassFailure();
  FailureOr<func::FuncOp> checked = requireForm(module, Form::Routines);
  if (failed(checked))
    return signalPassFailure();
  func::FuncOp main = *checked;
  DenseMap<StringAttr, RoutineBytes> routines;
  for (auto routine : module.getOps<func::FuncOp>()) {
    auto schedule = routine->getAttrOfType<ScheduleAttr>(kScheduleAttr);
    if (!schedule)
      continue;
    GroupOps ops = describeRoutine(routine);
    std::string error;
    std::optional<GroupModel> model = GroupModel::build(ops, schedule, *limits, error);
    if (!model) {
      routine.emitError("schedule is not possible on this target: ") << error;
      return signalPassFailure();
    }
    RoutineBytes &bytes = routines[routine.getSymNameAttr()];
    for (unsigned i = 0; i < ops.inputs.size(); ++i)
      bytes.loads.push_back(
          {routine.getArgAttrOfType<ReasonAttr>(i, kReasonAttr).getValue(), model->loads[i].bytes});
    for (unsigned i = 0; i < ops.outputs.size(); ++i)
      bytes.stores.push_back({cast<ReasonAttr>(routine.getResultAttr(i, kReasonAttr)).getValue(),
                              model->storeBytes[i]});
  }
  Storage storage = Storage::analyse(main);
  // (stored tensor, reason, write) -> bytes, in the order of stored tensors
  std::map<std::tuple<unsigned, unsigned, bool>, int64_t> total;
  for (auto call : main.getOps<func::CallOp>()) {
    RoutineBytes &bytes = routines[call.getCalleeAttr().getAttr()];
    for (auto [operand, load] : llvm::zip(call.getOperands(), bytes.loads))
      if (load.second)
        total[{storage.of(operand).root, unsigned(load.first), false}] += load.second;
    for (auto [result, store] : llvm::zip(call.getResults(), bytes.stores))
      if (store.second)
        total[{storage.of(result).root, unsigned(store.first), true}] += store.second;
  }
  Builder builder(&getContext());
  SmallVector<Attribute> entries;
  for (auto [key, bytes] : total) {
    auto [root, reason, write] = key;
    entries.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("bytes", builder.getI64IntegerAttr(bytes)),
         builder.getNamedAttr("reason", ReasonAttr::get(&getContext(), Reason(reason))),
         builder.getNamedAttr("tensor", builder.getStringAttr(rootName(storage, root))),
         builder.getNamedAttr("write", builder.getBoolAttr(write))}));
  }
  module->setAttr(kPredictionAttr, builder.getArrayAttr(entries));
}

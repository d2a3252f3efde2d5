//===- OutlineGroups.cpp - a routine for each different group -------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Passes.h"
#include "acc/Plan/Routine.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringMap.h"

namespace accel {
#define GEN_PASS_DEF_OUTLINEGROUPS
#include "acc/Plan/Passes.h.inc"
} // namespace accel

using namespace mlir;
using namespace accel;

namespace {
struct OutlineGroups : accel::impl::OutlineGroupsBase<OutlineGroups> {
  void runOnOperation() override;
};
} // namespace

/// What tells groups apart: their structure and all of their attributes.
static std::string keyOf(GroupOp group) {
  GroupOps ops;
  Block &body = group.getBody().front();
  for (Operation &op : body.without_terminator())
    ops.members.push_back(&op);
  for (BlockArgument argument : body.getArguments())
    ops.inputs.push_back(
        {argument, Layout::dense(cast<ShapedType>(argument.getType()).getShape())});
  for (Value value : body.getTerminator()->getOperands())
    ops.outputs.push_back({value, Layout::dense(cast<ShapedType>(value.getType()).getShape())});
  // What else the plan could have been differs between equal groups.
  NamedAttrList attributes(group->getAttrDictionary());
  attributes.erase(kAlternativesAttr);
  return structuralKey(ops) +
         std::to_string(reinterpret_cast<uintptr_t>(
             attributes.getDictionary(group.getContext()).getAsOpaquePointer()));
}

void OutlineGroups::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<func::FuncOp> main = requireForm(module, Form::Grouped);
  if (failed(main))
    return signalPassFailure();
  llvm::StringMap<func::FuncOp> known;
  OpBuilder builder(&getContext());
  for (GroupOp group : llvm::make_early_inc_range(main->getOps<GroupOp>())) {
    func::FuncOp &routine = known[keyOf(group)];
    if (!routine) {
      builder.setInsertionPointToEnd(module.getBody());
      auto type = builder.getFunctionType(group.getOperandTypes(), group.getResultTypes());
      routine = func::FuncOp::create(builder, group.getLoc(),
                                     "group_" + std::to_string(known.size() - 1), type);
      routine.setPrivate();
      routine->setAttr(kScheduleAttr, group.getScheduleAttr());
      for (auto [index, attr] : llvm::enumerate(group->getAttrOfType<ArrayAttr>(kInputsAttr)))
        routine.setArgAttrs(index, cast<DictionaryAttr>(attr));
      for (auto [index, attr] : llvm::enumerate(group->getAttrOfType<ArrayAttr>(kOutputsAttr)))
        routine.setResultAttrs(index, cast<DictionaryAttr>(attr));
      IRMapping mapping;
      group.getBody().cloneInto(&routine.getBody(), mapping);
      Operation *yield = routine.getBody().front().getTerminator();
      builder.setInsertionPoint(yield);
      func::ReturnOp::create(builder, yield->getLoc(), yield->getOperands());
      yield->erase();
      ++numRoutines;
    }
    builder.setInsertionPoint(group);
    auto call = func::CallOp::create(builder, group.getLoc(), routine, group.getOperands());
    SmallVector<Attribute> producers;
    for (Value value : group.getBody().front().getTerminator()->getOperands())
      producers.push_back(builder.getStringAttr(memberName(value.getDefiningOp())));
    if (!producers.empty())
      call->setAttr(kProducersAttr, builder.getArrayAttr(producers));
    if (Attribute alternatives = group->getAttr(kAlternativesAttr))
      call->setAttr(kAlternativesAttr, alternatives);
    group.replaceAllUsesWith(call.getResults());
    group.erase();
  }
}

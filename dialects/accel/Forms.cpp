//===- Forms.cpp - what a module looks like between two stages -------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "accel/Forms.h"

using namespace mlir;
using namespace accel;

static StringRef nameOf(Form form) {
  switch (form) {
  case Form::Nodes:
    return "the node form (onnx)";
  case Form::Tensor:
    return "the tensor form (what lower-onnx makes)";
  case Form::Grouped:
    return "the grouped form (what plan-groups makes)";
  case Form::Routines:
    return "the routine form (what outline-groups makes)";
  case Form::Tile:
    return "the tile form (what tile-groups makes)";
  }
  return "";
}

static bool isStaticTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape();
}

static bool isTensorOp(Operation *op) {
  return isa<ComputeOpInterface, ConstantOp, TransposeOp, ReshapeOp, SliceOp, RepeatOp, BroadcastOp,
             ConcatOp>(op);
}

static bool isPlacement(Attribute attr) {
  auto place = dyn_cast_or_null<DictionaryAttr>(attr);
  return place && place.getAs<LayoutAttr>(kLayoutAttr) && place.getAs<SpaceAttr>(kSpaceAttr) &&
         place.getAs<StringAttr>(kKindAttr) && place.getAs<ReasonAttr>(kReasonAttr);
}

static LogicalResult checkGroup(GroupOp group) {
  for (auto [name, count] : {std::pair(kInputsAttr, group->getNumOperands()),
                             std::pair(kOutputsAttr, group->getNumResults())}) {
    auto places = group->getAttrOfType<ArrayAttr>(name);
    if (!places || places.size() != count || !llvm::all_of(places, isPlacement))
      return group.emitOpError("needs layout, space, kind and reason of each of its ")
             << count << " tensors in " << name;
  }
  if (!group.getSchedule())
    return group.emitOpError("has no schedule");
  return success();
}

/// A scheduled function: operations of the tensor form, and where its tensors are.
static LogicalResult checkRoutine(func::FuncOp routine) {
  if (routine.isExternal() || !routine.getBody().hasOneBlock() ||
      !routine->getAttrOfType<ScheduleAttr>(kScheduleAttr))
    return routine.emitOpError("is no routine: it needs one block and ") << kScheduleAttr;
  for (unsigned i = 0; i < routine.getNumArguments(); ++i)
    if (!isStaticTensor(routine.getArgumentTypes()[i]) || !isPlacement(routine.getArgAttrDict(i)))
      return routine.emitOpError("argument ")
             << i << " needs a static shape, and layout, space, kind and reason";
  for (unsigned i = 0; i < routine.getNumResults(); ++i)
    if (!isStaticTensor(routine.getResultTypes()[i]) || !isPlacement(routine.getResultAttrDict(i)))
      return routine.emitOpError("result ")
             << i << " needs a static shape, and layout, space, kind and reason";
  Block &block = routine.getBody().front();
  if (llvm::hasSingleElement(block))
    return routine.emitOpError("is no routine: it computes nothing");
  for (Operation &op : block.without_terminator())
    if (!isTensorOp(&op))
      return op.emitOpError("is not part of the tensor form");
  return success();
}

static LogicalResult checkOp(Operation *op, Form form) {
  auto strange = [&] { return op->emitOpError("is not part of ") << nameOf(form); };
  if (form == Form::Tile)
    return isa<TensorOp, AllocOp, OffsetOp, func::CallOp>(op) ||
                   isa_and_nonnull<arith::ArithDialect>(op->getDialect())
               ? success()
               : LogicalResult(strange());
  if (form == Form::Nodes && op->getName().getDialectNamespace() == "onnx")
    return success();
  if (isa<ComputeOpInterface>(op) && form != Form::Tensor && form != Form::Nodes)
    return strange() << ": it is in no group";
  bool known = isTensorOp(op) || (form == Form::Grouped && isa<GroupOp>(op)) ||
               (form == Form::Routines && isa<func::CallOp>(op));
  if (!known)
    return strange();
  for (Type type : op->getResultTypes())
    if (!isStaticTensor(type))
      return op->emitOpError("makes a ") << type << "; the form needs static shapes";
  if (auto group = dyn_cast<GroupOp>(op))
    return checkGroup(group);
  return success();
}

static LogicalResult checkCalls(ModuleOp module, func::FuncOp main, Form form) {
  for (auto call : main.getOps<func::CallOp>()) {
    auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
    if (!callee || callee == main)
      return call.emitOpError("calls no routine of this module");
    if (form == Form::Routines && failed(checkRoutine(callee)))
      return failure();
    if (form == Form::Tile && (callee.isExternal() ||
                               !llvm::all_of(callee.getArgumentTypes(), llvm::IsaPred<MemRefType>)))
      return callee.emitOpError("is not part of ")
             << nameOf(form) << ": it needs a body and takes buffers only";
  }
  return success();
}

FailureOr<func::FuncOp> accel::requireForm(ModuleOp module, Form form) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !main.getBody().hasOneBlock())
    return module.emitError("needs a function @main of one block in ") << nameOf(form);
  Block &block = main.getBody().front();
  for (Type type : main.getArgumentTypes())
    if (form == Form::Tile)
      return main.emitOpError("takes arguments, not as in ") << nameOf(form);
    else if (form == Form::Nodes ? !isa<RankedTensorType, UnrankedTensorType, NoneType>(type) &&
                                       type.getDialect().getNamespace() != "onnx"
                                 : !isStaticTensor(type))
      return main.emitOpError("takes a ") << type << ", not as in " << nameOf(form);
  for (Operation &op : block.without_terminator())
    if (failed(checkOp(&op, form)))
      return failure();
  if (form == Form::Tensor || form == Form::Grouped || form == Form::Routines)
    for (Type type : main.getResultTypes())
      if (!isStaticTensor(type))
        return main.emitOpError("gives a ") << type << ", not as in " << nameOf(form);
  if (failed(checkCalls(module, main, form)))
    return failure();
  return main;
}

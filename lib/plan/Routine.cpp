//===- Routine.cpp - a group as a function --------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Routine.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace accel;

/// `inputOf` and `outputOf` give the dictionary of an argument and of a result.
static GroupOps describe(Block &body, llvm::function_ref<DictionaryAttr(unsigned)> inputOf,
                         llvm::function_ref<DictionaryAttr(unsigned)> outputOf) {
  GroupOps ops;
  for (Operation &op : body.without_terminator())
    ops.members.push_back(&op);
  auto external = [&](Value value, DictionaryAttr fields) {
    External e;
    e.value = value;
    e.layout = Layout::fromAttr(fields.getAs<LayoutAttr>(kLayoutAttr));
    e.inSram = fields.getAs<SpaceAttr>(kSpaceAttr).getValue() == Space::Sram;
    e.constant = fields.getAs<StringAttr>(kKindAttr).getValue() == "weights";
    if (auto rows = fields.getAs<IntegerAttr>(kRowsAttr))
      e.rows = rows.getInt();
    return e;
  };
  for (BlockArgument argument : body.getArguments())
    ops.inputs.push_back(external(argument, inputOf(argument.getArgNumber())));
  for (OpOperand &use : body.getTerminator()->getOpOperands())
    ops.outputs.push_back(external(use.get(), outputOf(use.getOperandNumber())));
  return ops;
}

GroupOps accel::describeGroup(GroupOp group) {
  auto inputs = group->getAttrOfType<ArrayAttr>(kInputsAttr);
  auto outputs = group->getAttrOfType<ArrayAttr>(kOutputsAttr);
  return describe(
      group.getBody().front(), [&](unsigned i) { return cast<DictionaryAttr>(inputs[i]); },
      [&](unsigned i) { return cast<DictionaryAttr>(outputs[i]); });
}

GroupOps accel::describeRoutine(func::FuncOp routine) {
  return describe(
      routine.getBody().front(), [&](unsigned i) { return routine.getArgAttrDict(i); },
      [&](unsigned i) { return routine.getResultAttrDict(i); });
}

FailureOr<Limits> accel::limitsOf(ModuleOp module) {
  auto target = module->getAttrOfType<DictionaryAttr>(kTargetAttr);
  auto sram = target ? target.getAs<IntegerAttr>("sram_bytes") : IntegerAttr();
  auto acc = target ? target.getAs<IntegerAttr>("acc_bytes") : IntegerAttr();
  if (!sram || !acc)
    return module.emitError("needs the attribute ")
           << kTargetAttr << " with sram_bytes and acc_bytes; name a target";
  return Limits{sram.getInt(), acc.getInt()};
}

StringRef accel::kindName(RootKind kind) {
  switch (kind) {
  case RootKind::Input:
    return "input";
  case RootKind::Weights:
    return "weights";
  case RootKind::Output:
    return "output";
  case RootKind::Workspace:
    return "workspace";
  }
  return "";
}

/// The first name in a location.
static StringRef nameIn(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location inner : fused.getLocations())
      if (StringRef name = nameIn(inner); !name.empty())
        return name;
  return "";
}

/// The ONNX node that a value is of; a call has the names of several.
static std::string makerOf(Value value) {
  if (auto result = dyn_cast<OpResult>(value))
    if (auto names = result.getOwner()->getAttrOfType<ArrayAttr>(kProducersAttr);
        names && result.getResultNumber() < names.size())
      if (auto name = dyn_cast<StringAttr>(names[result.getResultNumber()]))
        return name.str();
  return nameIn(value.getLoc()).str();
}

std::string accel::rootName(const Storage &storage, unsigned index) {
  const Root &root = storage.root(index);
  Value stored = root.value;
  Operation *owner = stored.getParentBlock()->getParentOp();
  auto main = dyn_cast<func::FuncOp>(owner);
  if (main && root.kind == RootKind::Input)
    if (auto name = main.getArgAttrOfType<StringAttr>(root.index, "onnx.name"))
      return name.str();
  if (main && root.kind == RootKind::Output)
    if (auto name = main.getResultAttrOfType<StringAttr>(root.index, "onnx.name"))
      return name.str();
  std::string text = kindName(root.kind).str() + std::to_string(index);
  if (std::string name = makerOf(root.value); !name.empty())
    text += ":" + name;
  return text;
}

std::string accel::rootTitle(const Storage &storage, unsigned index) {
  const Root &root = storage.root(index);
  if (root.kind == RootKind::Input || root.kind == RootKind::Output)
    return "\"" + rootName(storage, index) + "\"";
  std::string maker = makerOf(root.value);
  return root.kind == RootKind::Weights ? "the constant \"" + maker + "\""
                                        : "the result of \"" + maker + "\"";
}

std::string accel::memberName(Operation *op) {
  StringRef name = nameIn(op->getLoc());
  return name.empty() ? op->getName().stripDialect().str() : name.str();
}

std::string accel::structuralKey(const GroupOps &ops) {
  std::string text;
  llvm::raw_string_ostream os(text);
  DenseMap<Value, unsigned> number;
  auto pointer = [&](const void *p) { os << reinterpret_cast<uintptr_t>(p) << ','; };
  auto external = [&](const External &e, MLIRContext *context) {
    pointer(e.layout.toAttr(context).getAsOpaquePointer());
    pointer(e.value.getType().getAsOpaquePointer());
    os << e.inSram << e.constant << ';';
  };
  MLIRContext *context = ops.members[0]->getContext();
  for (const External &input : ops.inputs) {
    number[input.value] = number.size();
    external(input, context);
  }
  auto operation = [&](Operation *op) {
    pointer(op->getName().getAsOpaquePointer());
    pointer(op->getAttrDictionary().getAsOpaquePointer());
    for (Value operand : op->getOperands())
      os << number.lookup(operand) << ' ';
    os << '>';
    for (Value result : op->getResults()) {
      pointer(result.getType().getAsOpaquePointer());
      number[result] = number.size();
    }
  };
  for (Operation *op : ops.members) {
    os << '|';
    // Properties are attributes, too: the dictionary above has them all.
    for (Region &region : op->getRegions())
      for (Block &block : region) {
        for (BlockArgument argument : block.getArguments()) {
          pointer(argument.getType().getAsOpaquePointer());
          number[argument] = number.size();
        }
        for (Operation &inner : block)
          operation(&inner);
      }
    operation(op);
  }
  for (const External &output : ops.outputs) {
    os << "->" << number.lookup(output.value) << ' ';
    external(output, context);
  }
  return os.str();
}

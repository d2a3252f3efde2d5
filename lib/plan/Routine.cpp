//===- Routine.cpp - a group as a function --------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Routine.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace accel;

GroupOps accel::describeRoutine(func::FuncOp routine) {
  GroupOps ops;
  Block &body = routine.getBody().front();
  for (Operation &op : body.without_terminator())
    ops.members.push_back(&op);
  auto external = [&](Value value, auto attrOf) {
    External e;
    e.value = value;
    e.layout = Layout::fromAttr(cast<LayoutAttr>(attrOf(kLayoutAttr)));
    e.inSram = cast<SpaceAttr>(attrOf(kSpaceAttr)).getValue() == Space::Sram;
    e.constant = cast<StringAttr>(attrOf(kKindAttr)).getValue() == "weights";
    return e;
  };
  for (BlockArgument argument : body.getArguments())
    ops.inputs.push_back(external(argument, [&](StringRef name) {
      return routine.getArgAttr(argument.getArgNumber(), name);
    }));
  for (OpOperand &use : body.getTerminator()->getOpOperands())
    ops.outputs.push_back(external(use.get(), [&](StringRef name) {
      return routine.getResultAttr(use.getOperandNumber(), name);
    }));
  return ops;
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
  if (StringRef name = nameIn(root.value.getLoc()); !name.empty())
    text += ":" + name.str();
  return text;
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

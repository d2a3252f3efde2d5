//===- Registry.cpp - which ONNX operators have a lowering ----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Lowering.h"
#include "acc/Import/Import.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace accel;

static const llvm::StringMap<LoweringEntry> &registry() {
  static const llvm::StringMap<LoweringEntry> all = [] {
    llvm::StringMap<LoweringEntry> map;
    for (LoweringTable table :
         {elementwiseLowerings(), attentionLowerings(), convLowerings(), poolLowerings(),
          matmulLowerings(), reduceLowerings(), normLowerings(), shapeLowerings(), indexLowerings(),
          resizeLowerings(), quantLowerings(), integerLowerings()})
      for (const auto &[kind, entry] : table)
        map[kind] = entry;
    return map;
  }();
  return all;
}

const LoweringEntry *accel::findLowering(StringRef kind) {
  auto found = registry().find(kind);
  return found == registry().end() ? nullptr : &found->second;
}

std::vector<SupportedOp> accel::supportedOps() {
  std::vector<SupportedOp> ops;
  for (const auto &entry : registry())
    if (entry.getKey() != "Weight") // an initializer, no operator of ONNX
      ops.push_back({entry.getKey().str(), entry.getValue().how.str()});
  llvm::sort(ops, [](const SupportedOp &a, const SupportedOp &b) { return a.kind < b.kind; });
  return ops;
}

/// Types that lowerings may meet: static shapes of numbers and booleans.
static std::string typeTrouble(Value value) {
  if (!value)
    return "";
  auto type = dyn_cast<RankedTensorType>(value.getType());
  std::string text;
  llvm::raw_string_ostream out(text);
  if (!type || !type.hasStaticShape())
    out << "the shape of " << value.getType() << " is not known";
  else if (!type.getElementType().isIntOrFloat() || isa<Float8E8M0FNUType>(type.getElementType()))
    out << "elements of type " << type.getElementType();
  else if (type.getNumElements() == 0 && !constantAttrOf(value))
    out << type << " has no elements";
  return text;
}

LogicalResult accel::lowerNode(Operation *op, SmallVectorImpl<Value> &results, Obstacle *obstacle) {
  OnnxNode node(op);
  auto refuse = [&](const Twine &reason, const Twine &advice) {
    if (obstacle)
      *obstacle =
          Obstacle{op->getLoc(), node.name(), node.kind().str(), reason.str(), advice.str()};
    return failure();
  };
  const LoweringEntry *entry = findLowering(node.kind());
  if (!entry && obstacle && node.kind() == "Custom") {
    auto text = [&](StringRef name) { return op->getAttrOfType<StringAttr>(name).str(); };
    std::string why = whyNotExpanded(op);
    *obstacle = {op->getLoc(), node.name(), text("domain") + "." + text("op_type"),
                 why.empty() ? "no lowering for this operator of another domain" : why,
                 "express it by those of ai.onnx"};
    return failure();
  }
  if (!entry)
    return refuse("no lowering for this operator", "express it by others (see `acc list-ops`)");
  auto isEmpty = [](Value value) { // nobody needs it: simplify-onnx has replaced it
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.hasStaticShape() && !type.getNumElements() && value.use_empty();
  };
  for (ValueRange values : {ValueRange(op->getOperands()), ValueRange(op->getResults())})
    for (Value value : values)
      if (!isa<NoneType>(value.getType()) && !isEmpty(value))
        if (std::string trouble = typeTrouble(value); !trouble.empty())
          return refuse(trouble, StringRef(trouble).contains("shape")
                                     ? "bind dimensions with --dim NAME=N"
                                 : StringRef(trouble).contains("no elements")
                                     ? "remove what computes nothing"
                                     : "only tensors of numbers have a lowering");
  for (Value result : op->getResults()) // empty constants are unused operands (Resize's roi)
    if (auto tensor = dyn_cast<RankedTensorType>(result.getType());
        tensor && tensor.getNumElements() == 0 && !result.use_empty() && node.kind() != "Weight")
      return refuse("a result has no elements", "bind dimensions to sizes of at least 1");
  Operation *before = op->getPrevNode();
  Lowering lowering(OpBuilder(op), node);
  LogicalResult lowered = entry->lower(lowering);
  // A result of rank 7 and more has no iteration space on the machine.
  auto first = [&] { return before ? before->getNextNode() : &op->getBlock()->front(); };
  if (succeeded(lowered))
    for (Operation *made = first(); made != op; made = made->getNextNode()) {
      if (isa<ConvOp, MatmulOp>(made))
        if (Type sum = accumulatorType(elementOf(made->getOperand(0)));
            !sum.isF32() && !sum.isInteger(32)) {
          std::string name;
          llvm::raw_string_ostream(name) << elementOf(made->getOperand(0));
          lowered = lowering.refuse("products of " + name,
                                    "the matrix engine takes f32, f16, bf16 and 8-bit integers");
          break;
        }
      if (isa<ComputeOpInterface>(made) && shapeOf(made->getResult(0)).size() > 6)
        lowered = lowering.refuse("rank " + Twine(shapeOf(made->getResult(0)).size()),
                                  "at most 6 dimensions are possible");
    }
  if (failed(lowered)) {
    while (Operation *made = op->getPrevNode()) {
      if (made == before)
        break;
      made->erase();
    }
    return refuse(lowering.reason, lowering.advice);
  }
  results.assign(lowering.results.begin(), lowering.results.end());
  return success();
}

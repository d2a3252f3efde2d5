//===- LowerOnnx.cpp - every ONNX node to the tensor form -----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One sweep in program order. A node that has no lowering stays, so that the
// nodes behind it are still tried and every obstacle is named in one run.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Lowering.h"
#include "acc/Graph/Passes.h"
#include "accel/Forms.h"

using namespace mlir;

namespace accel {
#define GEN_PASS_DEF_LOWERONNX
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace accel;

static bool hasUnknownShape(Value value) {
  auto type = dyn_cast<ShapedType>(value.getType());
  return type && !type.hasStaticShape();
}

static bool hasNoElements(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && !type.getNumElements();
}

/// Inputs of an unknown shape or without elements; whether one has no elements.
static bool checkInputs(Block &block, std::vector<Obstacle> &obstacles) {
  bool anyEmpty = false;
  for (BlockArgument input : block.getArguments()) {
    bool empty = hasNoElements(input);
    if (!empty && !hasUnknownShape(input))
      continue;
    anyEmpty |= empty;
    std::string name = "input " + std::to_string(input.getArgNumber()), text;
    llvm::raw_string_ostream out(text);
    if (empty)
      out << input.getType() << " has no elements";
    else
      out << "its shape " << input.getType() << " is not known";
    if (auto function = dyn_cast<func::FuncOp>(block.getParentOp()))
      if (auto attr = function.getArgAttrOfType<StringAttr>(input.getArgNumber(), "onnx.name"))
        name = attr.str();
    obstacles.push_back({input.getLoc(), name, "graph input", text,
                         empty ? "give it elements, or remove it and what reads it"
                               : "bind its dimensions with --dim NAME=N"});
  }
  return anyEmpty;
}

/// Outputs that nobody computes because they have no elements.
static void checkOutputs(Block &block, std::vector<Obstacle> &obstacles) {
  Operation *end = block.getTerminator();
  for (OpOperand &use : end->getOpOperands()) {
    if (!hasNoElements(use.get()) || !constantAttrOf(use.get()))
      continue;
    std::string name = "output " + std::to_string(use.getOperandNumber()), text;
    if (auto function = dyn_cast<func::FuncOp>(block.getParentOp()))
      if (auto attr = function.getResultAttrOfType<StringAttr>(use.getOperandNumber(), "onnx.name"))
        name = attr.str();
    llvm::raw_string_ostream(text) << use.get().getType() << " has no elements";
    obstacles.push_back(
        {block.getParentOp()->getLoc(), name, "graph output", text, "remove this output"});
  }
}

static void lowerBlock(Block &block, std::vector<Obstacle> &obstacles) {
  // An output without elements most often follows from such an input: one error.
  if (!checkInputs(block, obstacles))
    checkOutputs(block, obstacles);
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (!OnnxNode::isOnnx(&op) || op.getName().getStringRef() == "onnx.None")
      continue;
    if (op.use_empty() && op.getNumResults()) { // also string constants nobody reads
      op.erase();
      continue;
    }
    // Such shapes are named where they come from, not at every node behind it.
    auto isNamed = [](Value value) {
      return hasUnknownShape(value) || (isa<BlockArgument>(value) && hasNoElements(value));
    };
    if (findLowering(op.getName().stripDialect()) && llvm::any_of(op.getOperands(), isNamed))
      continue;
    OnnxNode node(&op);
    SmallVector<Value> results;
    Obstacle obstacle{op.getLoc(), "", "", "", ""};
    if (failed(lowerNode(&op, results, &obstacle))) {
      obstacles.push_back(obstacle);
      continue;
    }
    bool replaced = true;
    for (unsigned i = 0; i < node.numOutputs(); ++i) {
      Value old = node.output(i), now = i < results.size() ? results[i] : Value();
      if (!old || old.use_empty())
        continue;
      if (!now || now.getType() != old.getType()) {
        std::string text;
        llvm::raw_string_ostream out(text);
        if (now)
          out << "the lowering gives " << now.getType() << " for result " << i << ", inferred was "
              << old.getType();
        else
          out << "result " << i << " has no lowering";
        obstacles.push_back({op.getLoc(), node.name(), node.kind().str(), text,
                             "correct the model's types, or remove this result"});
        replaced = false;
        break;
      }
      old.replaceAllUsesWith(now);
    }
    if (replaced)
      op.erase();
  }
}

/// Absent operands, once nobody has them.
static void eraseNone(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (op.getName().getStringRef() == "onnx.None" && op.use_empty())
      op.erase();
}

static std::vector<Obstacle> lowerModule(ModuleOp module) {
  std::vector<Obstacle> obstacles;
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal()) {
      lowerBlock(function.getBody().front(), obstacles);
      eraseNone(function.getBody().front());
    }
  return obstacles;
}

namespace {
struct LowerOnnx : accel::impl::LowerOnnxBase<LowerOnnx> {
  void runOnOperation() override {
    if (failed(requireForm(getOperation(), Form::Nodes)))
      return signalPassFailure();
    std::vector<Obstacle> obstacles = lowerModule(getOperation());
    for (const Obstacle &o : obstacles) {
      InFlightDiagnostic diag = emitError(o.loc) << "\"" << o.node << "\" (" << o.kind
                                                 << ") cannot be compiled: " << o.reason;
      if (!o.advice.empty())
        diag << "; " << o.advice;
    }
    if (!obstacles.empty())
      signalPassFailure();
  }
};
} // namespace

std::vector<Obstacle> accel::checkGraph(ModuleOp module) {
  OwningOpRef<ModuleOp> copy(cast<ModuleOp>(module->clone()));
  PassManager manager(module.getContext());
  manager.addPass(createSimplifyOnnx());
  manager.addPass(createRecoverPatterns());
  manager.addPass(createRecoverQdq());
  if (failed(manager.run(*copy)))
    return {Obstacle{module.getLoc(), "", "", "simplification failed", ""}};
  return lowerModule(*copy);
}

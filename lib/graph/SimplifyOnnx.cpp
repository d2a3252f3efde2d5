//===- SimplifyOnnx.cpp - folds constants and shape arithmetic ------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One sweep in program order. A node whose operands are small constants is
// lowered in place and the reference evaluator runs over what came out; the
// result replaces it.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Interpret.h"
#include "acc/Graph/Lowering.h"
#include "acc/Graph/Passes.h"
#include "acc/Graph/Rebuild.h"

using namespace mlir;

namespace accel {
#define GEN_PASS_DEF_SIMPLIFYONNX
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace accel;

static bool isSmallConstant(Value value) {
  if (!constantAttrOf(value))
    return false;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && type.getElementType().isIntOrFloat() &&
         type.getNumElements() <= kFoldLimit;
}

/// Results that only say something about the operand's shape.
static bool readsShapeOnly(StringRef kind) { return kind == "Shape" || kind == "Size"; }

static bool isFoldable(const OnnxNode &node) {
  if (node.kind() == "Constant")
    return false;
  for (Value result : node.op()->getResults()) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || !type.hasStaticShape() || type.getNumElements() > kFoldLimit)
      return false;
  }
  if (readsShapeOnly(node.kind()))
    return true;
  if (node.op()->getNumOperands() == 0 || node.op()->getNumRegions())
    return false;
  return llvm::all_of(node.op()->getOperands(), [](Value value) {
    return isa<NoneType>(value.getType()) || isSmallConstant(value);
  });
}

/// Lowers, evaluates and replaces; leaves the node alone where that is not possible.
static bool fold(Operation *op) {
  OnnxNode node(op);
  if (!isFoldable(node))
    return false;
  Operation *before = op->getPrevNode();
  SmallVector<Value> results;
  if (failed(lowerNode(op, results, nullptr)))
    return false;
  Evaluator evaluator;
  for (Value operand : op->getOperands())
    if (auto tensor = isSmallConstant(operand) ? constantOf(operand) : std::nullopt)
      evaluator.set(operand, *tensor);
  bool known = true;
  {
    ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
    for (Operation *made = before ? before->getNextNode() : &op->getBlock()->front(); made != op;
         made = made->getNextNode())
      known = known && succeeded(evaluator.run(made));
  }
  OpBuilder b(op);
  SmallVector<Value> constants;
  for (Value result : results) {
    const HostTensor *tensor = known ? evaluator.get(result) : nullptr;
    known = known && tensor;
    if (known)
      constants.push_back(accel::ConstantOp::create(b, op->getLoc(), tensor->tensorType(),
                                                    tensor->toAttr(), PackAttr()));
  }
  if (known)
    for (unsigned i = 0; i < node.numOutputs(); ++i)
      if (Value old = node.output(i); old && i < constants.size())
        old.replaceAllUsesWith(constants[i]);
  // The lowered operations have done their work (constants may be results).
  while (Operation *made = op->getPrevNode()) {
    if (made == before)
      break;
    if (llvm::is_contained(constants, made->getResult(0)) && known) {
      made->moveAfter(op);
      continue;
    }
    made->erase();
  }
  if (known)
    op->erase();
  return known;
}

namespace {
struct SimplifyOnnx : accel::impl::SimplifyOnnxBase<SimplifyOnnx> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      for (Operation &op : llvm::make_early_inc_range(function.getBody().front()))
        if (OnnxNode::isOnnx(&op))
          fold(&op);
    }
  }
};
} // namespace

//===- SimplifyOnnx.cpp - folds constants and shape arithmetic ------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One sweep in program order. A node whose operands are small constants is
// lowered in place and the reference evaluator runs over what came out; the
// result replaces it. Where a result's type is not known yet ONNX's inference
// runs again with the constants that are known by then. A composite operator
// without a lowering is replaced by its ONNX function body, which the sweep
// then goes through.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Interpret.h"
#include "acc/Graph/Lowering.h"
#include "acc/Graph/Passes.h"
#include "acc/Graph/Rebuild.h"
#include "acc/Import/Import.h"
#include "accel/Forms.h"

#include "mlir/IR/PatternMatch.h"

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

static bool isStatic(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape();
}

/// Results that only say something about the operand's shape.
static bool readsShapeOnly(StringRef kind) { return kind == "Shape" || kind == "Size"; }

static bool isFoldable(const OnnxNode &node) {
  // recover-qdq needs to see what was quantised.
  if (node.kind() == "Weight" || node.kind() == "None" || node.kind() == "DequantizeLinear")
    return false;
  for (Value result : node.op()->getResults()) {
    if (isa<NoneType>(result.getType()))
      continue;
    if (!isStatic(result.getType()) ||
        cast<RankedTensorType>(result.getType()).getNumElements() > kFoldLimit)
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

/// A result without elements is known, whatever computes it (a slice of a shape that
/// takes nothing, the rest of a split that leaves none). True if nobody needs the
/// operation any more.
static bool foldEmpty(Operation *op) {
  if (op->getNumRegions())
    return false;
  OpBuilder b(op);
  bool any = false;
  for (Value result : op->getResults()) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || !type.hasStaticShape() || type.getNumElements() || result.use_empty() ||
        !type.getElementType().isIntOrFloat() || constantAttrOf(result))
      continue;
    result.replaceAllUsesWith(accel::ConstantOp::create(
        b, op->getLoc(), type, DenseElementsAttr::get(type, ArrayRef<Attribute>()), PackAttr()));
    any = true;
  }
  if (!any || !op->use_empty())
    return false;
  op->erase();
  return true;
}

/// Lowers, evaluates and replaces; leaves the node alone where that is not possible.
static bool fold(Operation *op) {
  OnnxNode node(op);
  if (foldEmpty(op))
    return true;
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
  for (unsigned i = 0; known && i < node.numOutputs(); ++i)
    if (Value old = node.output(i); old && i < constants.size())
      known = constants[i].getType() == old.getType() || old.use_empty();
  for (unsigned i = 0; known && i < node.numOutputs(); ++i)
    if (Value old = node.output(i); old && i < constants.size() && !old.use_empty())
      old.replaceAllUsesWith(constants[i]);
  // The lowered operations have done their work (constants are results).
  for (Value constant : constants)
    if (known)
      constant.getDefiningOp()->moveAfter(op);
  while (Operation *made = op->getPrevNode()) {
    if (made == before)
      break;
    made->erase();
  }
  if (known)
    op->erase();
  return known;
}

/// Values that ONNX's inference may look at.
static DenseElementsAttr knownValues(Value value) {
  if (!isSmallConstant(value))
    return {};
  if (auto dense = dyn_cast<DenseElementsAttr>(constantAttrOf(value)))
    return dense;
  auto tensor = constantOf(value);
  return tensor ? tensor->toAttr() : DenseElementsAttr();
}

namespace {
struct SimplifyOnnx : accel::impl::SimplifyOnnxBase<SimplifyOnnx> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Nodes);
    if (failed(main))
      return signalPassFailure();
    if (failed(sweep(main->getBody().front())))
      return signalPassFailure();
    eraseUnusedNodes(main->getBody().front());
    // Results whose shape is known only now.
    auto results = main->getBody().front().getTerminator()->getOperandTypes();
    main->setFunctionType(FunctionType::get(&getContext(), main->getArgumentTypes(), results));
  }

  static LogicalResult sweep(Block &block) {
    IRRewriter rewriter(block.getParentOp()->getContext());
    for (Operation *op = &block.front(), *next; op; op = next) {
      next = op->getNextNode();
      if (!OnnxNode::isOnnx(op))
        continue;
      if (llvm::any_of(op->getResultTypes(),
                       [](Type type) { return !isStatic(type) && !isa<NoneType>(type); }) &&
          failed(inferOnnxOp(op, knownValues)))
        return failure();
      if (!findLowering(op->getName().stripDialect()) && hasOnnxFunction(op)) {
        Operation *before = op->getPrevNode();
        rewriter.setInsertionPoint(op);
        if (succeeded(expandOnnxFunction(rewriter, op))) {
          next = before ? before->getNextNode() : &block.front();
          continue;
        }
      }
      fold(op);
    }
    return success();
  }

  /// Nodes that fed shape arithmetic only. Every ONNX node is free of effects.
  static void eraseUnusedNodes(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (op.getNumResults() && op.use_empty() &&
          (OnnxNode::isOnnx(&op) || isa<accel::ConstantOp>(op)))
        op.erase();
  }
};
} // namespace

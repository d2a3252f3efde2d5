//===- RecoverPatterns.cpp - row operations from their decomposed forms ---===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   d = x - mean(x);  y = d / sqrt(mean(d^2) + eps)        layer normalisation
//   y = x / sqrt(mean(x^2) + eps)                          RMS normalisation
//   d = x - max(x);  y = exp(d) / sum(exp(d))              softmax
//   y = d - log(sum(exp(d)))                               its logarithm
//
// Means run over the same last dimensions and keep them, maximum and sum over the
// last one. A reciprocal and a product may stand for the division. Scale and bias
// follow as maps.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Lowering.h"
#include "acc/Graph/Passes.h"
#include "accel/Forms.h"

using namespace mlir;

namespace accel {
#define GEN_PASS_DEF_RECOVERPATTERNS
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace accel;

static Operation *defining(Value value, StringRef kind) {
  Operation *op = value ? value.getDefiningOp() : nullptr;
  return op && OnnxNode::isOnnx(op) && op->getName().stripDialect() == kind ? op : nullptr;
}

static std::optional<double> scalar(Value value) {
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!type || !type.hasStaticShape() || type.getNumElements() != 1)
    return std::nullopt;
  auto tensor = constantOf(value);
  return tensor ? std::optional(tensor->getFloat(0)) : std::nullopt;
}

/// A reduction (ReduceMean, ...) over kept dimensions; gives its operand and
/// dimensions.
static Value reducedBy(StringRef kind, Value value, SmallVector<int64_t> &dims) {
  Operation *op = defining(value, kind);
  if (!op)
    return nullptr;
  OnnxNode node(op);
  auto axes = node.getInts("axes");
  if (!axes && node.input(1))
    if (auto tensor = constantOf(node.input(1)))
      axes = tensor->ints();
  if (!axes || axes->empty() || !node.getInt("keepdims", 1))
    return nullptr;
  int64_t rank = cast<RankedTensorType>(op->getOperand(0).getType()).getRank();
  for (int64_t axis : *axes)
    dims.push_back(axis < 0 ? axis + rank : axis);
  llvm::sort(dims);
  return op->getOperand(0);
}

/// The base of a square, written as Pow(x, 2) or Mul(x, x).
static Value squared(Value value) {
  if (Operation *op = defining(value, "Pow"); op && scalar(op->getOperand(1)) == 2.0)
    return op->getOperand(0);
  if (Operation *op = defining(value, "Mul"); op && op->getOperand(0) == op->getOperand(1))
    return op->getOperand(0);
  return nullptr;
}

/// sqrt(mean(v^2) + eps); gives v.
static Value rootMeanSquare(Value value, SmallVector<int64_t> &dims, double &eps) {
  Value sum;
  if (Operation *root = defining(value, "Sqrt"))
    sum = root->getOperand(0);
  else if (Operation *power = defining(value, "Pow"); power && scalar(power->getOperand(1)) == 0.5)
    sum = power->getOperand(0);
  Operation *add = defining(sum, "Add");
  if (!add)
    return nullptr;
  for (unsigned i = 0; i < 2; ++i)
    if (auto number = scalar(add->getOperand(1 - i))) {
      eps = *number;
      Value mean = reducedBy("ReduceMean", add->getOperand(i), dims);
      return mean ? squared(mean) : Value();
    }
  return nullptr;
}

static bool sameDifference(Value x, Value y) {
  if (x == y)
    return true;
  Operation *a = defining(x, "Sub"), *b = defining(y, "Sub");
  return a && b && a->getOperands() == b->getOperands();
}

/// Numerator and denominator of a division.
static bool quotient(Operation *op, Value &top, Value &bottom) {
  StringRef kind = op->getName().stripDialect();
  if (kind == "Div") {
    top = op->getOperand(0), bottom = op->getOperand(1);
    return true;
  }
  if (kind != "Mul")
    return false;
  for (unsigned i = 0; i < 2; ++i)
    if (Operation *inverse = defining(op->getOperand(i), "Reciprocal")) {
      top = op->getOperand(1 - i), bottom = inverse->getOperand(0);
      return true;
    }
  return false;
}

/// Of x - max(x), rows along the last dimension, x.
static Value shifted(Value value) {
  Operation *difference = defining(value, "Sub");
  SmallVector<int64_t> dims;
  if (!difference)
    return nullptr;
  Value x = difference->getOperand(0);
  auto type = dyn_cast<RankedTensorType>(x.getType());
  bool rows = type && reducedBy("ReduceMax", difference->getOperand(1), dims) == x &&
              dims.size() == 1 && dims[0] + 1 == type.getRank();
  return rows ? x : Value();
}

/// Of sum(exp(d)), rows along the last dimension, exp(d).
static Value summedExp(Value value) {
  SmallVector<int64_t> dims;
  Value e = reducedBy("ReduceSum", value, dims);
  if (!e || !defining(e, "Exp") || dims.size() != 1)
    return nullptr;
  return dims[0] + 1 == cast<RankedTensorType>(e.getType()).getRank() ? e : Value();
}

static bool recoverSoftmax(Operation *op) {
  Value top, bottom, x;
  bool log = false;
  if (quotient(op, top, bottom)) {
    if (Value e = summedExp(bottom); e && e == top)
      x = shifted(e.getDefiningOp()->getOperand(0));
  } else if (op->getName().stripDialect() == "Sub") {
    if (Operation *logarithm = defining(op->getOperand(1), "Log"))
      if (Value e = summedExp(logarithm->getOperand(0));
          e && e.getDefiningOp()->getOperand(0) == op->getOperand(0))
        x = shifted(op->getOperand(0)), log = true;
  }
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!x || !type || !type.hasStaticShape() || x.getType() != type ||
      !isa<FloatType>(type.getElementType()))
    return false;
  OnnxNode node(op);
  Lowering lowering(OpBuilder(op), node);
  op->getResult(0).replaceAllUsesWith(lowering.softmax(x, log, type.getElementType()));
  op->erase();
  return true;
}

static void recoverNormalize(Operation *op) {
  Value top, bottom;
  if (!quotient(op, top, bottom))
    return;
  SmallVector<int64_t> dims, meanDims;
  double eps = 0;
  Value base = rootMeanSquare(bottom, dims, eps);
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!base || !type || !type.hasStaticShape() || !isa<FloatType>(type.getElementType()) ||
      !sameDifference(top, base))
    return;
  Value input = base;
  bool rms = true;
  if (Operation *difference = defining(base, "Sub")) {
    Value mean = reducedBy("ReduceMean", difference->getOperand(1), meanDims);
    if (mean == difference->getOperand(0) && meanDims == dims)
      input = mean, rms = false;
  }
  if (input.getType() != type)
    return;
  OnnxNode node(op);
  Lowering lowering(OpBuilder(op), node);
  Value normal = lowering.normalize(input, dims, eps, rms, type.getElementType());
  op->getResult(0).replaceAllUsesWith(normal);
  op->erase();
}

namespace {
struct RecoverPatterns : accel::impl::RecoverPatternsBase<RecoverPatterns> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Nodes);
    if (failed(main))
      return signalPassFailure();
    Block &block = main->getBody().front();
    for (Operation &op : llvm::make_early_inc_range(block))
      if (OnnxNode::isOnnx(&op) && op.getNumResults() == 1 && !recoverSoftmax(&op))
        recoverNormalize(&op);
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (OnnxNode::isOnnx(&op) && op.getNumResults() && op.use_empty())
        op.erase();
  }
};
} // namespace

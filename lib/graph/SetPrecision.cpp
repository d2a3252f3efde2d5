//===- SetPrecision.cpp - storage of f32 tensors as f16 or bf16 -----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every f32 tensor between the graph's inputs and outputs gets the narrow type.
// Bodies convert what they load and what they store and compute in f32. A
// constant's bytes are converted when the artifact is written, by its pack.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Lowering.h"
#include "acc/Graph/Passes.h"
#include "accel/Forms.h"

namespace accel {
#define GEN_PASS_DEF_SETPRECISION
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace mlir;
using namespace accel;

/// Constants of integers and small ones of a body's factors: a channel's bias
/// or factor stays f32 where only bodies read it (few bytes, full precision).
static bool keepsF32(accel::ConstantOp constant) {
  return !constant.getPack() && llvm::all_of(constant->getUses(), [](OpOperand &use) {
    auto compute = dyn_cast<ComputeOpInterface>(use.getOwner());
    return compute && use.getOperandNumber() >= compute.getPrimary().size() &&
           elementCount(shapeOf(use.get())) < 16384;
  });
}

namespace {
struct SetPrecision : accel::impl::SetPrecisionBase<SetPrecision> {
  using SetPrecisionBase::SetPrecisionBase;

  void runOnOperation() override {
    if (type == "f32")
      return;
    MLIRContext *context = &getContext();
    Type narrow = type == "f16"    ? Type(Float16Type::get(context))
                  : type == "bf16" ? Type(BFloat16Type::get(context))
                                   : Type();
    if (!narrow) {
      getOperation().emitError("precision \"") << type << "\" is not f32, f16 or bf16";
      return signalPassFailure();
    }
    FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Tensor);
    if (failed(main))
      return signalPassFailure();
    convert(main->getBody().front(), narrow);
  }

  static RankedTensorType narrowed(Value value, Type narrow) {
    return RankedTensorType::get(shapeOf(value), narrow);
  }

  /// A map that converts and nothing else.
  static Value convertTensor(OpBuilder &b, Location loc, Value value, Type to) {
    MLIRContext *context = b.getContext();
    int64_t rank = shapeOf(value).size();
    auto map =
        MapOp::create(b, loc, RankedTensorType::get(shapeOf(value), to), ValueRange(value),
                      b.getAffineMapArrayAttr({AffineMap::getMultiDimIdentityMap(rank, context)}));
    OpBuilder::InsertionGuard guard(b);
    Block *block = b.createBlock(&map.getBody());
    Value arg = block->addArgument(elementOf(value), loc);
    Value result = ConvertOp::create(b, loc, to, arg, /*saturate=*/false);
    YieldOp::create(b, loc, ValueRange(result));
    return map;
  }

  static void convert(Block &block, Type narrow) {
    Operation *end = block.getTerminator();
    OpBuilder b(end);
    // Values that reach the outputs through views only keep f32: what makes them
    // stores the graph's own type.
    llvm::DenseSet<Value> outward;
    for (Operation &op : llvm::reverse(block)) {
      if (&op == end) {
        outward.insert(op.operand_begin(), op.operand_end());
        continue;
      }
      bool all = op.getNumResults() && !op.getResult(0).use_empty() &&
                 llvm::all_of(op.getResult(0).getUsers(), [&](Operation *user) {
                   return user == end ||
                          (!isa<ComputeOpInterface>(user) && outward.contains(user->getResult(0)));
                 });
      if (op.getNumResults() && all)
        outward.insert(op.getResult(0));
      else if (op.getNumResults())
        outward.erase(op.getResult(0));
    }
    // Inputs: maps may read f32 directly, kernels get a converted tensor.
    for (BlockArgument arg : block.getArguments()) {
      if (!elementOf(arg).isF32())
        continue;
      OpBuilder front = OpBuilder::atBlockBegin(&block);
      Value converted;
      for (OpOperand &use : llvm::make_early_inc_range(arg.getUses())) {
        if (use.getOwner() == end || outwardOnly(use.getOwner(), outward))
          continue;
        if (!converted)
          converted = convertTensor(front, arg.getLoc(), arg, narrow);
        if (use.getOwner() != converted.getDefiningOp())
          use.set(converted);
      }
    }
    for (Operation &op : block.without_terminator()) {
      if (op.getNumResults() != 1 || !isa<RankedTensorType>(op.getResult(0).getType()))
        continue;
      Value result = op.getResult(0);
      // Sums on the way to other sums keep their precision and range.
      bool partial = isa<ReduceOp>(op) && !result.use_empty() &&
                     llvm::all_of(result.getUsers(), llvm::IsaPred<ReduceOp>);
      bool narrows = elementOf(result).isF32() && !outward.contains(result) && !partial;
      if (auto constant = dyn_cast<accel::ConstantOp>(op)) {
        if (!narrows || keepsF32(constant))
          continue;
        if (!constant.getPack())
          constant.setPackAttr(PackAttr::get(b.getContext(), b.getStringAttr("identity"),
                                             TypeAttr::get(constant.getType()), nullptr, 1,
                                             nullptr));
        result.setType(narrowed(result, narrow));
        continue;
      }
      if (auto compute = dyn_cast<ComputeOpInterface>(op)) {
        rewriteBody(compute, narrows ? narrow : elementOf(result));
        if (narrows)
          result.setType(narrowed(result, narrow));
        continue;
      }
      // Views have the type of their input.
      if (narrows)
        result.setType(narrowed(result, narrow));
      for (OpOperand &operand : op.getOpOperands())
        if (elementOf(operand.get()) != elementOf(result)) {
          OpBuilder at(&op);
          operand.set(convertTensor(at, op.getLoc(), operand.get(), elementOf(result)));
        }
    }
    for (OpOperand &operand : end->getOpOperands()) {
      Type want =
          block.getParentOp()->getParentOfType<ModuleOp>()
              ? cast<func::FuncOp>(block.getParentOp()).getResultTypes()[operand.getOperandNumber()]
              : operand.get().getType();
      if (operand.get().getType() != want)
        operand.set(convertTensor(b, end->getLoc(), operand.get(),
                                  cast<RankedTensorType>(want).getElementType()));
    }
  }

  static bool outwardOnly(Operation *op, const llvm::DenseSet<Value> &outward) {
    return !isa<ComputeOpInterface>(op) && op->getNumResults() == 1 &&
           outward.contains(op->getResult(0));
  }

  /// Arguments follow the operands' types; the yielded value the result's.
  static void rewriteBody(ComputeOpInterface compute, Type result) {
    Block &body = compute.getBody().front();
    unsigned primary = compute.getPrimary().size();
    unsigned leading = body.getNumArguments() - compute.getExtras().size();
    auto retype = [&](BlockArgument arg, Type type) {
      if (arg.getType() == type)
        return;
      Type before = arg.getType();
      arg.setType(type);
      OpBuilder b = OpBuilder::atBlockBegin(&body);
      auto cvt = ConvertOp::create(b, compute.getLoc(), before, arg, /*saturate=*/false);
      arg.replaceAllUsesExcept(cvt.getResult(), cvt);
    };
    // Copies hand the element itself to the body.
    if (leading == 1 && isa<GatherOp, PadOp, CopyOp>(compute.getOperation()))
      retype(body.getArgument(0), elementOf(compute->getOperand(0)));
    for (unsigned i = leading; i < body.getNumArguments(); ++i)
      retype(body.getArgument(i), elementOf(compute->getOperand(primary + i - leading)));
    Operation *yield = body.getTerminator();
    Value value = yield->getOperand(0);
    if (value.getType() == result)
      return;
    OpBuilder b(yield);
    // Converting there and back is nothing.
    if (auto cvt = value.getDefiningOp<ConvertOp>(); cvt && cvt.getIn().getType() == result)
      yield->setOperand(0, cvt.getIn());
    else
      yield->setOperand(0, ConvertOp::create(b, compute.getLoc(), result, value, false));
  }
};
} // namespace

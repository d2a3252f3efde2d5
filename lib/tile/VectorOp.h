//===- VectorOp.h - a vector instruction in the making --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_TILE_VECTOR_OP_H
#define ACC_TILE_VECTOR_OP_H

#include "Streams.h"

namespace accel {

/// Streams first, outputs before inputs, then the micro-program.
struct VectorOp {
  EngineOp op;
  unsigned outputs = 0;
  llvm::SmallVector<mlir::Type> inputTypes;

  VectorOp(ExprEmitter &emitter, mlir::Location loc) : op(emitter, loc) {}

  void output(const View &view, llvm::ArrayRef<IndexWalk> walks) {
    op.stream(view, walks);
    ++outputs;
  }
  void input(const View &view, llvm::ArrayRef<IndexWalk> walks, int64_t pad = 0) {
    op.stream(view, walks, pad);
    inputTypes.push_back(view.element);
  }
  /// The instruction with an empty body that takes the inputs' elements.
  VecOp create(unsigned bodyOutputs, llvm::ArrayRef<int64_t> reduced = {},
               llvm::ArrayRef<ReduceKind> kinds = {}, bool lanes = false, int64_t initDyn = -1,
               bool carry = false);
  /// The part behind the reduction: `fn` gets the reduced value of type `type`.
  void post(VecOp vec, mlir::Type type,
            llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Value)> fn);
  /// The same with the body of `reduction` on the reduced value and its extras,
  /// which are the inputs behind the first.
  void postBody(VecOp vec, mlir::Operation *reduction);
};

/// One index walk for each result dimension: start of the box, one step.
llvm::SmallVector<IndexWalk> walksOf(const Box &box, unsigned firstDim);

/// The walk of an extra through its map of the result's dimensions.
llvm::SmallVector<IndexWalk> walksOf(ExprPool &pool, mlir::AffineMap map, const Box &box,
                                     unsigned firstDim);

/// Copies a compute operation's body behind the values that it takes.
mlir::Value inlineBody(mlir::OpBuilder &b, mlir::Operation *op,
                       llvm::ArrayRef<mlir::Value> arguments);

mlir::Value convert(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, mlir::Type type);

/// The result's dimensions of an iteration box.
Box resultPart(mlir::Operation *op, const Box &box);

} // namespace accel

#endif // ACC_TILE_VECTOR_OP_H

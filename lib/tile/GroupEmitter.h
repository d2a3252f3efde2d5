//===- GroupEmitter.h - a group's loop nest -------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits the loop nest of a group from its model: buffers and loads at their
// levels, then in the innermost group loop each member with its own loops, its
// kernel, its body and its store. Kernels are in EmitMatrix.cpp (matrix engine),
// EmitVector.cpp (vector engine) and EmitTransfer.cpp (DMA).
//
//===----------------------------------------------------------------------===//

#ifndef ACC_TILE_GROUP_EMITTER_H
#define ACC_TILE_GROUP_EMITTER_H

#include "VectorOp.h"

namespace accel {

/// Where a group's external tensors are, as the tile stage needs it.
struct Argument {
  mlir::Value memref;
  Reason reason;
  mlir::Value rows; ///< the part that is in SRAM, if there is one
};

class GroupEmitter {
public:
  GroupEmitter(const GroupOps &ops, GroupModel &model, mlir::OpBuilder &builder,
               llvm::ArrayRef<Argument> inputs, llvm::ArrayRef<Argument> outputs)
      : ops(ops), model(model), builder(builder), emitter(model.pool, builder), inputs(inputs),
        outputs(outputs) {}

  mlir::LogicalResult emit();

private:
  // The nest.
  void emitLevel(unsigned level);
  mlir::LogicalResult emitGroupLoops(unsigned level);
  mlir::LogicalResult emitMember(unsigned m, unsigned depth);
  /// Loads at `level` of the first `operands` operands that only member m reads.
  mlir::LogicalResult emitMemberLoads(unsigned m, unsigned level, unsigned operands);
  bool ownTile(unsigned m) const;    ///< the result has a buffer inside of the own loops
  bool storesTile(unsigned m) const; ///< and leaves the group to DRAM
  mlir::Value openLoop(const LoopModel &loop, mlir::Location loc);
  mlir::Value allocate(llvm::ArrayRef<int64_t> shape, mlir::Type element, Space space,
                       int64_t depth, mlir::Location loc);
  View allocate(const BufferModel &buffer, mlir::Type element, mlir::Location loc);

  // Transfers (EmitTransfer.cpp).
  mlir::LogicalResult emitLoad(unsigned index);
  mlir::LogicalResult emitStore(unsigned m, const Box &box);
  /// Both parts of an external of which some rows are in SRAM.
  mlir::LogicalResult transfer(mlir::Location loc, Engine engine, const Argument &argument,
                               const External &external, const View &local, const Box &box,
                               bool store);
  mlir::LogicalResult transfer(mlir::Location loc, Engine engine, Reason reason,
                               const External &external, mlir::Value memref, const View &local,
                               const Box &box, bool store);
  mlir::LogicalResult emitGather(unsigned m);

  // Kernels.
  mlir::LogicalResult emitKernel(unsigned m);   ///< in the innermost own loop
  mlir::LogicalResult emitEpilogue(unsigned m); ///< after the reduction loops
  void emitConv(unsigned m);
  void emitMatmul(unsigned m);
  mlir::LogicalResult emitMap(unsigned m, const View *kernel, mlir::Type kernelType,
                              const Box &box);
  mlir::LogicalResult emitReduce(unsigned m);
  mlir::LogicalResult emitPool(unsigned m);
  mlir::LogicalResult emitLaneTree(unsigned m); ///< joins the partials of a split reduction
  mlir::LogicalResult emitSoftmax(unsigned m);
  mlir::LogicalResult emitSplitSoftmax(unsigned m, unsigned depth);
  mlir::LogicalResult emitSoftmaxResult(unsigned m, const Box &box, const View &maximum,
                                        const View &sum);
  mlir::LogicalResult emitNormalize(unsigned m);
  mlir::LogicalResult emitPad(unsigned m);

  /// Adds the extras of `op` as inputs, fixed in iteration dimensions `reduced`.
  void emitExtras(VectorOp &vector, mlir::Operation *op, const Box &box, unsigned first,
                  llvm::ArrayRef<int64_t> reduced = {});
  View viewOf(mlir::Value value); ///< of a member's operand or result
  View scratch(llvm::ArrayRef<int64_t> extents, llvm::ArrayRef<ExprId> origin, mlir::Type element,
               mlir::Location loc);
  const Box &resultBox(unsigned m) const {
    return model.members[m].boxes[model.members[m].firstReduction];
  }
  llvm::SmallVector<int64_t> bounds(const Box &box) const;
  int64_t initValue(EngineOp &op, unsigned m);

  const GroupOps &ops;
  GroupModel &model;
  mlir::OpBuilder &builder;
  ExprEmitter emitter;
  llvm::ArrayRef<Argument> inputs, outputs;
  llvm::DenseMap<mlir::Value, View> views; ///< of loaded inputs and members' results
  llvm::DenseMap<unsigned, View> accumulators;
  llvm::DenseMap<unsigned, View> partials; ///< of reductions split by loops
};

} // namespace accel

#endif // ACC_TILE_GROUP_EMITTER_H

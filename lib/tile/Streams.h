//===- Streams.h - engine operations from boxes of tensors ----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An engine operation walks over up to six iteration dimensions; each of its
// streams says which element of a buffer belongs to a point. Here tensors are
// addressed by their own indices (rows of the picture, not of the buffer): a
// view knows where its buffer starts and which dimension is circular.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_TILE_STREAMS_H
#define ACC_TILE_STREAMS_H

#include "acc/Plan/GroupModel.h"

namespace accel {

/// Emits expressions over loop counters as index arithmetic.
class ExprEmitter {
public:
  ExprEmitter(ExprPool &pool, mlir::OpBuilder &builder) : pool(pool), builder(builder) {}
  void bind(unsigned counter, mlir::Value iv) { counters[counter] = iv; }
  mlir::Value emit(ExprId e, mlir::Location loc);

  ExprPool &pool;
  mlir::OpBuilder &builder;

private:
  llvm::DenseMap<unsigned, mlir::Value> counters;
};

/// A tensor (or a box of it) in a buffer.
struct View {
  mlir::Value memref;
  mlir::Type element;
  llvm::SmallVector<int64_t> strides; ///< bytes per index step of each dimension
  llvm::SmallVector<ExprId> origin;   ///< index at the buffer's start
  int circular = -1;
  int64_t modulus = 0;
};

/// How an index of a tensor moves with the iteration: start + sum coef * i.
struct IndexWalk {
  ExprId start;
  llvm::SmallVector<std::pair<unsigned, int64_t>, 2> steps; ///< iteration dim, coefficient
  int64_t bound = -1;  ///< indices outside of [0, bound) are out of bounds
  int64_t divisor = 1; ///< input dilation: only multiples exist
};

class EngineOp {
public:
  EngineOp(ExprEmitter &emitter, mlir::Location loc) : emitter(emitter), loc(loc) {}

  /// Extent of an iteration dimension: `bound` at most, `size` in fact.
  void extent(unsigned dim, ExprId size, int64_t bound);
  /// Adds the stream of a view; one walk for each of the tensor's dimensions.
  void stream(const View &view, llvm::ArrayRef<IndexWalk> walks, int64_t padBits = 0,
              mlir::Type element = nullptr);
  /// Adds a stream with explicit strides for the iteration dimensions.
  void rawStream(mlir::Value buffer, mlir::Type element, ExprId baseBytes,
                 llvm::ArrayRef<int64_t> strides, llvm::ArrayRef<CoordAttr> window = {});
  int64_t dynamic(ExprId e);
  int64_t dynamicValue(mlir::Value value);

  mlir::DenseI64ArrayAttr sizesAttr();
  mlir::DenseI64ArrayAttr sizeDynAttr();
  mlir::ArrayAttr streamsAttr() { return emitter.builder.getArrayAttr(streams); }

  ExprEmitter &emitter;
  mlir::Location loc;
  llvm::SmallVector<mlir::Value> buffers, dyn;

private:
  void splitConstant(ExprId e, int64_t &constant, ExprId &rest);
  int64_t sizes[6] = {1, 1, 1, 1, 1, 1};
  int64_t sizeDyn[6] = {-1, -1, -1, -1, -1, -1};
  llvm::SmallVector<mlir::Attribute> streams;
};

} // namespace accel

#endif // ACC_TILE_STREAMS_H

//===- Access.h - which elements an operation reads -----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The access functions of compute operations: given the box of the iteration
// space that is computed, the box of each operand that is read. Everything that
// the planner predicts and the tile stage emits follows from these.
//
// The iteration space of an operation has its result's dimensions and then its
// reduction dimensions as far as they can be tiled: the input channels of one
// group (conv), K (matmul), each reduced dimension (reduce).
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_ACCESS_H
#define ACC_PLAN_ACCESS_H

#include "acc/Plan/Expr.h"
#include "acc/runtime/isa.h"
#include "accel/Accel.h"

namespace accel {

/// Half-open range of indices of one dimension.
struct IndexRange {
  ExprId lo, hi;
};
using Box = llvm::SmallVector<IndexRange, 6>;

/// Sizes of the iteration space: result dimensions, then reduction dimensions.
llvm::SmallVector<int64_t> iterationSizes(mlir::Operation *op);

/// Whether a result dimension has to be there as a whole in each iteration of a
/// group (the row of a softmax, the dimensions of a normalisation).
bool mustBeWhole(mlir::Operation *op, unsigned dim);

/// Whether a loop over this iteration dimension gives results only when it is
/// through: a reduction dimension, or the row of a softmax.
bool reducesOver(mlir::Operation *op, unsigned dim);

/// Partial results of a reduction by lanes (kLanes of the ISA).
constexpr int64_t reductionLanes = rt::isa::kLanes;

/// How often an operation reads its first operand while its row is split.
constexpr int64_t softmaxPasses = 3;

/// Sizes and positions of tiles of an iteration dimension must be multiples of
/// this (unless the tile is the whole dimension).
int64_t tileGranule(mlir::Operation *op, unsigned dim);

/// The largest tile of an iteration dimension (output channels of one group).
int64_t largestTile(mlir::Operation *op, unsigned dim);

/// The box of operand `operand` that computing `box` reads, within its shape.
Box accessedBox(ExprPool &pool, mlir::Operation *op, unsigned operand, const Box &box);

/// Whether the stream of `operand` can read a buffer that is circular in dimension
/// `dim`: a descriptor has two window coordinates, which borders and wrapping share;
/// B of the matrix engine and the index list of a gather have none.
bool canReadCircular(mlir::Operation *op, unsigned operand, unsigned dim);

/// Multiply-accumulates of the whole operation (0 if it has none).
int64_t macsOf(mlir::Operation *op);

/// Whether the operation runs on the matrix engine.
bool usesMxu(mlir::Operation *op);

/// A convolution with one filter for each channel.
bool isDepthwise(ConvOp conv);

} // namespace accel

#endif // ACC_PLAN_ACCESS_H

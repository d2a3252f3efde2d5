//===- Fusion.h - joining bodies ---------------------------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_GRAPH_FUSION_H
#define ACC_GRAPH_FUSION_H

#include "accel/Accel.h"

namespace accel {

/// Joins the body of map `consumer` to the end of `producer`, whose result is
/// operand of it by an identity map. Makes a new operation in front of
/// `consumer`; both stay. The result is the consumer's.
mlir::Operation *fuseIntoProducer(mlir::Operation *producer, MapOp consumer);

/// Joins the body of map `producer` in front of map `consumer` at operand
/// `index`. Makes a new map in front of `consumer`; both stay.
MapOp fuseIntoConsumer(MapOp producer, MapOp consumer, unsigned index);

/// Merges runs of multiplications and additions with constants in a body to one
/// of each; a factor for each output channel of a convolution goes into its
/// weights. Returns the operation, which may be a new one in its place. What it
/// rounds keeps its exact value for the next call, as an attribute.
mlir::Operation *mergeConstants(mlir::Operation *op);

/// Removes those attributes, after the last call.
void forgetExactConstants(mlir::Operation *root);

/// Gives a map the shape of what a reshape among its operands reads: the reshape
/// then comes behind it. Returns the new map, null if that is not possible.
MapOp moveBeforeReshape(MapOp map);

/// Brings a map of one operand in front of the transposes and reshapes that it
/// reads. Returns the moved map, null if there are none.
MapOp moveBeforeViews(MapOp map);

/// Brings the map that a view repeats behind it. Returns the moved map, null if
/// there is none or its operands cannot be repeated alike.
MapOp moveBehindRepeat(RepeatOp repeat);

/// Brings a map in front of the concatenation that it reads: one for each part.
/// Empty if a part has nothing that its map could join.
llvm::SmallVector<MapOp> moveBeforeConcat(MapOp map);

/// Folds scalar code, keeps one of equal constants, drops what nobody reads.
void cleanBody(mlir::Block &body);

/// Steps of the vector unit that a body becomes, constants included.
unsigned bodySteps(mlir::Operation *op);

} // namespace accel

#endif // ACC_GRAPH_FUSION_H

//===- Rebuild.h - changing operations of the tensor form --------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_GRAPH_REBUILD_H
#define ACC_GRAPH_REBUILD_H

#include "accel/Accel.h"

namespace accel {

/// The same operation with other operands, result type and some other
/// attributes, in front of `op`, which loses its body to it. The caller replaces
/// and erases `op`.
mlir::Operation *rebuild(mlir::Operation *op, mlir::ValueRange operands, mlir::Type result,
                         llvm::ArrayRef<mlir::NamedAttribute> changed = {});

/// d_i becomes d_oldToNew[i].
mlir::AffineMap reindex(mlir::AffineMap map, llvm::ArrayRef<int64_t> oldToNew);
mlir::ArrayAttr reindex(mlir::ArrayAttr maps, llvm::ArrayRef<int64_t> oldToNew);

/// One way to write each access: in a dimension of size 1 the result's own
/// dimension if that has size 1 too, else 0.
mlir::AffineMap canonicalAccess(mlir::AffineMap map, llvm::ArrayRef<int64_t> operand,
                                llvm::ArrayRef<int64_t> result);

/// Reads what transposes and broadcasts show, and what reshapes by dimensions of
/// size 1 show of less elements than the result has, in place of the view. False
/// if `operand` is none of these.
bool readThroughViews(mlir::Value &operand, mlir::AffineMap &map, llvm::ArrayRef<int64_t> result);

llvm::SmallVector<int64_t> inverse(llvm::ArrayRef<int64_t> perm);
bool isIdentity(llvm::ArrayRef<int64_t> perm);

/// Dimensions of two shapes with equal products, unit dimensions left out: a
/// reshape is a list of such groups. False if the shapes do not split so.
struct DimGroup {
  llvm::SmallVector<int64_t, 2> from, to;
};
bool groupDims(llvm::ArrayRef<int64_t> from, llvm::ArrayRef<int64_t> to,
               llvm::SmallVectorImpl<DimGroup> &groups);

/// Erases operations of the block whose results nobody uses, from the end.
void eraseUnused(mlir::Block &block);

} // namespace accel

#endif // ACC_GRAPH_REBUILD_H

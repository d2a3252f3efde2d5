//===- Layout.h - where the elements of a tensor are ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A layout gives each dimension of a tensor a list of modes (size, stride), the
// outermost first, over a stored tensor. Views compose into layouts: a
// transpose permutes dimensions, a slice moves the offset, a reshape regroups
// modes, a repeat adds a mode of stride 0. A view whose modes cannot be grouped
// (a reshape across a slice) has no layout; the planner puts a copy there.
// The idea of nested (size, stride) modes is that of CuTe's layouts (NVIDIA
// CUTLASS documentation, "CuTe Layout Algebra").
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_LAYOUT_H
#define ACC_PLAN_LAYOUT_H

#include "accel/Accel.h"

#include <optional>

namespace accel {

struct Mode {
  int64_t size;
  int64_t stride; ///< elements
  bool operator==(const Mode &) const = default;
};

struct Layout {
  int64_t offset = 0; ///< elements from the start of the stored tensor
  llvm::SmallVector<llvm::SmallVector<Mode, 1>, 4> dims;

  /// Row-major.
  static Layout dense(llvm::ArrayRef<int64_t> shape);
  static Layout fromAttr(LayoutAttr attr);
  LayoutAttr toAttr(mlir::MLIRContext *context) const;

  int64_t size(unsigned dim) const;
  /// Whether every dimension is one mode (or of size 1).
  bool isStrided() const;
  /// Stride of a dimension with one mode.
  int64_t stride(unsigned dim) const { return dims[dim].empty() ? 0 : dims[dim].back().stride; }
  /// Tile sizes and positions of a dimension must be multiples of this, unless
  /// the tile is the whole dimension.
  int64_t granule(unsigned dim) const;
  bool operator==(const Layout &) const = default;
};

/// The layout of a view's result given its input's; nothing if it has none.
std::optional<Layout> layoutOfView(mlir::Operation *view, const Layout &input);

/// The layout that a view's input must have so that its result has the given
/// one (used to let a producer write where the result is needed); nothing if
/// the view cannot be inverted (slices, repeats) or the modes do not group.
std::optional<Layout> layoutBeforeView(mlir::Operation *view, const Layout &result);

/// The layout of input `index` of a concatenation whose result has `result`.
std::optional<Layout> layoutOfPart(ConcatOp concat, unsigned index, const Layout &result);

bool isView(mlir::Operation *op);

} // namespace accel

#endif // ACC_PLAN_LAYOUT_H

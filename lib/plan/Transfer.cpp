//===- Transfer.cpp - the dimensions of a DMA transfer --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Transfer.h"

#include "llvm/ADT/STLExtras.h"

using namespace accel;
using llvm::ArrayRef;
using llvm::SmallVector;

SmallVector<int64_t> accel::rowMajor(ArrayRef<int64_t> extents, int64_t elementBytes) {
  SmallVector<int64_t> strides(extents.size());
  for (int64_t d = int64_t(extents.size()) - 1; d >= 0; --d) {
    strides[d] = elementBytes;
    elementBytes *= extents[d];
  }
  return strides;
}

SmallVector<TransferStep> accel::transferSteps(const GroupModel &model, const Layout &layout,
                                               const Box &box, ArrayRef<int64_t> strides,
                                               int circular, int64_t elementBytes) {
  ExprPool &pool = model.pool;
  SmallVector<TransferStep> steps, joined;
  for (unsigned d = 0; d < box.size(); ++d) {
    ExprId extent = model.extent(box[d]);
    int64_t most = std::max<int64_t>(1, model.largest(extent));
    bool moves = circular == int(d);
    if (layout.dims[d].size() <= 1) {
      steps.push_back({extent, most, layout.stride(d) * elementBytes, strides[d], moves ? 1 : 0});
      continue;
    }
    // Nested strides: one step for each mode, the inner ones whole.
    int64_t inner = layout.granule(d);
    for (auto [k, mode] : llvm::enumerate(layout.dims[d])) {
      if (k)
        inner /= mode.size;
      steps.push_back({k ? pool.constant(mode.size) : pool.floorDiv(extent, inner),
                       k ? mode.size : most / inner, mode.stride * elementBytes, inner * strides[d],
                       moves ? inner : 0});
    }
  }
  for (const TransferStep &step : steps) {
    bool fixed = pool.isConstant(step.size);
    int64_t size = fixed ? pool.constantValue(step.size) : 0;
    if (size == 1 && !step.index)
      continue;
    if (!joined.empty() && fixed) {
      TransferStep &outer = joined.back();
      if (!outer.index && !step.index && outer.far == size * step.far &&
          outer.near == size * step.near) {
        outer = {pool.mul(outer.size, size), outer.bound * size, step.far, step.near, 0};
        continue;
      }
    }
    joined.push_back(step);
  }
  return joined;
}

std::string accel::transferLimit(ArrayRef<TransferStep> steps) {
  constexpr unsigned coordinateDims = 2; // dim_a and dim_b of a WindowCoord
  if (steps.size() > unsigned(rt::isa::kDimCount))
    return "a transfer needs " + std::to_string(steps.size()) + " dimensions, a descriptor has " +
           std::to_string(rt::isa::kDimCount);
  if (llvm::count_if(steps, [](const TransferStep &step) { return step.index != 0; }) >
      coordinateDims)
    return "a circular dimension is a view with more than two nested strides";
  return "";
}

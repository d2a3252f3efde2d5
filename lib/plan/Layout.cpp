//===- Layout.cpp - views as layouts --------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Layout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace accel;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// Drops modes of size 1 and joins neighbours that continue each other.
static void simplify(SmallVectorImpl<Mode> &modes) {
  SmallVector<Mode, 4> out;
  for (Mode mode : modes) {
    if (mode.size == 1)
      continue;
    if (!out.empty() && out.back().stride == mode.size * mode.stride)
      out.back() = {out.back().size * mode.size, mode.stride};
    else
      out.push_back(mode);
  }
  modes.assign(out.begin(), out.end());
}

Layout Layout::dense(ArrayRef<int64_t> shape) {
  Layout layout;
  layout.dims.resize(shape.size());
  int64_t stride = 1;
  for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
    if (shape[d] != 1)
      layout.dims[d].push_back({shape[d], stride});
    stride *= shape[d];
  }
  return layout;
}

Layout Layout::fromAttr(LayoutAttr attr) {
  Layout layout;
  int64_t next = 0;
  for (int64_t end : attr.getEnds()) {
    auto &modes = layout.dims.emplace_back();
    for (; next < end; ++next)
      modes.push_back({attr.getSizes()[next], attr.getStrides()[next]});
  }
  return layout;
}

LayoutAttr Layout::toAttr(MLIRContext *context) const {
  SmallVector<int64_t> ends, sizes, strides;
  for (auto &modes : dims) {
    for (Mode mode : modes) {
      sizes.push_back(mode.size);
      strides.push_back(mode.stride);
    }
    ends.push_back(sizes.size());
  }
  return LayoutAttr::get(context, ends, sizes, strides);
}

int64_t Layout::size(unsigned dim) const {
  int64_t size = 1;
  for (Mode mode : dims[dim])
    size *= mode.size;
  return size;
}

bool Layout::isStrided() const {
  return llvm::all_of(dims, [](auto &modes) { return modes.size() <= 1; });
}

int64_t Layout::granule(unsigned dim) const {
  int64_t granule = 1;
  for (Mode mode : llvm::drop_begin(dims[dim], dims[dim].empty() ? 0 : 1))
    granule *= mode.size;
  return granule;
}

/// Groups a flat list of modes into dimensions of the given sizes.
static std::optional<Layout> regroup(ArrayRef<Mode> flat, ArrayRef<int64_t> shape, int64_t offset) {
  SmallVector<Mode> modes(flat.begin(), flat.end());
  simplify(modes);
  Layout layout;
  layout.offset = offset;
  layout.dims.resize(shape.size());
  // Innermost first: take modes until the dimension is full, split where the
  // dimension ends inside of a mode.
  for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
    int64_t left = shape[d];
    SmallVector<Mode> taken;
    while (left > 1) {
      if (modes.empty())
        return std::nullopt;
      Mode &mode = modes.back();
      if (left % mode.size == 0) {
        left /= mode.size;
        taken.push_back(mode);
        modes.pop_back();
      } else if (mode.size % left == 0) {
        taken.push_back({left, mode.stride});
        mode = {mode.size / left, mode.stride * left};
        left = 1;
      } else {
        return std::nullopt;
      }
    }
    std::reverse(taken.begin(), taken.end());
    simplify(taken);
    layout.dims[d].assign(taken.begin(), taken.end());
  }
  if (!modes.empty())
    return std::nullopt;
  return layout;
}

static std::optional<Layout> regroup(const Layout &layout, ArrayRef<int64_t> shape) {
  SmallVector<Mode> flat;
  for (auto &modes : layout.dims)
    flat.append(modes.begin(), modes.end());
  return regroup(flat, shape, layout.offset);
}

bool accel::isView(Operation *op) {
  return isa_and_nonnull<TransposeOp, ReshapeOp, SliceOp, RepeatOp, BroadcastOp>(op);
}

std::optional<Layout> accel::layoutOfView(Operation *view, const Layout &input) {
  ArrayRef<int64_t> shape = shapeOf(view->getResult(0));
  if (llvm::is_contained(shape, 0))
    return Layout::dense(shape);
  return TypeSwitch<Operation *, std::optional<Layout>>(view)
      .Case([&](TransposeOp op) {
        Layout layout;
        layout.offset = input.offset;
        for (int64_t dim : op.getPerm())
          layout.dims.push_back(input.dims[dim]);
        return std::optional(layout);
      })
      .Case([&](ReshapeOp op) { return regroup(input, shape); })
      .Case([&](SliceOp op) -> std::optional<Layout> {
        Layout layout = input;
        for (size_t d = 0; d < shape.size(); ++d) {
          int64_t offset = op.getOffsets()[d], step = op.getSteps()[d], size = shape[d];
          if (size == shapeOf(op.getInput())[d] && offset == 0 && step == 1)
            continue;
          auto &modes = layout.dims[d];
          if (modes.size() > 1) {
            // Inside of nested modes only whole outer steps can be taken.
            int64_t granule = input.granule(d);
            if (step != 1 || offset % granule || size % granule)
              return std::nullopt;
            layout.offset += offset / granule * modes[0].stride;
            modes[0].size = size / granule;
            if (modes[0].size == 1)
              modes.erase(modes.begin());
            continue;
          }
          int64_t stride = modes.empty() ? 0 : modes[0].stride;
          layout.offset += offset * stride;
          modes.clear();
          if (size != 1)
            modes.push_back({size, stride * step});
        }
        return layout;
      })
      .Case([&](RepeatOp op) {
        Layout layout = input;
        for (auto [d, factor] : llvm::enumerate(op.getFactors()))
          if (factor != 1)
            layout.dims[d].push_back({factor, 0});
        return std::optional(layout);
      })
      .Case([&](BroadcastOp op) {
        Layout layout = input;
        for (size_t d = 0; d < shape.size(); ++d)
          if (shape[d] != shapeOf(op.getInput())[d])
            layout.dims[d].assign(1, {shape[d], 0});
        return std::optional(layout);
      })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<Layout> accel::layoutBeforeView(Operation *view, const Layout &result) {
  return TypeSwitch<Operation *, std::optional<Layout>>(view)
      .Case([&](TransposeOp op) {
        Layout layout;
        layout.offset = result.offset;
        layout.dims.resize(result.dims.size());
        for (auto [d, dim] : llvm::enumerate(op.getPerm()))
          layout.dims[dim] = result.dims[d];
        return std::optional(layout);
      })
      .Case([&](ReshapeOp op) { return regroup(result, shapeOf(op.getInput())); })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<Layout> accel::layoutOfPart(ConcatOp concat, unsigned index, const Layout &result) {
  int64_t axis = concat.getAxis(), offset = 0;
  for (Value input : concat.getInputs().take_front(index))
    offset += shapeOf(input)[axis];
  int64_t size = shapeOf(concat.getInputs()[index])[axis];
  Layout layout = result;
  auto &modes = layout.dims[axis];
  if (modes.size() > 1) {
    int64_t granule = result.granule(axis);
    if (offset % granule || size % granule)
      return std::nullopt;
    layout.offset += offset / granule * modes[0].stride;
    modes[0].size = size / granule;
    if (modes[0].size == 1)
      modes.erase(modes.begin());
    return layout;
  }
  int64_t stride = modes.empty() ? 0 : modes[0].stride;
  layout.offset += offset * stride;
  modes.clear();
  if (size != 1)
    modes.push_back({size, stride});
  return layout;
}

//===- LowerResize.cpp - interpolation along axes -------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nearest by a whole factor is a repeat view; other nearest ones pick elements.
// Linear and cubic interpolation is a product with a constant matrix along each
// resized axis: [in, out] with two or four weights in a column.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Lowering.h"

#include <cmath>

using namespace mlir;
using namespace accel;

using Shape = Lowering::Shape;

namespace {
struct Axis {
  int64_t in, out;
  double scale, roiStart, roiEnd;
};
} // namespace

/// Position in the input of an output element (ONNX Resize,
/// coordinate_transformation_mode).
static double sourceOf(const Axis &a, int64_t x, StringRef mode) {
  double scaled = a.in * a.scale;
  if (mode == "align_corners")
    return a.out == 1 ? 0 : double(x) * (a.in - 1) / (a.out - 1);
  if (mode == "asymmetric")
    return x / a.scale;
  if (mode == "pytorch_half_pixel")
    return a.out > 1 ? (x + 0.5) / a.scale - 0.5 : 0;
  if (mode == "half_pixel_symmetric") {
    double adjust = a.out / scaled, center = a.in / 2.0;
    return center * (1 - adjust) + (x + 0.5) / a.scale - 0.5;
  }
  if (mode == "tf_crop_and_resize")
    return a.out > 1
               ? a.roiStart * (a.in - 1) + x * (a.roiEnd - a.roiStart) * (a.in - 1) / (a.out - 1)
               : 0.5 * (a.roiStart + a.roiEnd) * (a.in - 1);
  return (x + 0.5) / a.scale - 0.5; // half_pixel
}

static int64_t nearest(double x, StringRef mode, int64_t size) {
  double picked = mode == "floor"               ? std::floor(x)
                  : mode == "ceil"              ? std::ceil(x)
                  : mode == "round_prefer_ceil" ? std::floor(x + 0.5)
                                                : std::ceil(x - 0.5);
  return std::clamp<int64_t>(int64_t(picked), 0, size - 1);
}

static Value resizeNearest(Lowering &l, Value x, int64_t d, const Axis &a, StringRef coordinates,
                           StringRef rounding) {
  Shape picks;
  int64_t factor = a.out % a.in ? 0 : a.out / a.in;
  for (int64_t o = 0; o < a.out; ++o) {
    picks.push_back(nearest(sourceOf(a, o, coordinates), rounding, a.in));
    if (factor && picks.back() != o / factor)
      factor = 0;
  }
  if (factor) {
    Shape shape(shapeOf(x)), factors(shape.size(), 1);
    shape[d] = a.out, factors[d] = factor;
    return accel::RepeatOp::create(l.b, l.loc, RankedTensorType::get(shape, elementOf(x)), x,
                                   factors);
  }
  return l.gatherAxis(x, l.constant(HostTensor::ofInts(l.b.getI64Type(), {a.out}, picks)), d);
}

/// Weights of the neighbours of a position, at offsets first, first + 1, ...
static SmallVector<double> neighbours(double x, bool cubic, double coefficient, int64_t &first) {
  int64_t base = int64_t(std::floor(x));
  double t = x - base;
  if (!cubic) {
    first = base;
    return {1 - t, t};
  }
  first = base - 1;
  double a = coefficient;
  auto near = [&](double u) { return ((a + 2) * u - (a + 3)) * u * u + 1; };
  auto far = [&](double u) { return ((a * u - 5 * a) * u + 8 * a) * u - 4 * a; };
  return {far(t + 1), near(t), near(1 - t), far(2 - t)};
}

static Value resizeByMatrix(Lowering &l, Value x, int64_t d, const Axis &a, StringRef coordinates,
                            bool cubic, double coefficient, bool exclude) {
  int64_t rank = shapeOf(x).size();
  HostTensor matrix(elementOf(x), {1, a.in, a.out});
  SmallVector<double> column(a.in);
  for (int64_t o = 0; o < a.out; ++o) {
    double at = sourceOf(a, o, coordinates);
    if (!cubic)
      at = std::clamp<double>(at, 0, a.in - 1);
    int64_t first;
    SmallVector<double> weights = neighbours(at, cubic, coefficient, first);
    std::fill(column.begin(), column.end(), 0.0);
    double total = 0;
    for (auto [k, weight] : llvm::enumerate(weights)) {
      int64_t i = first + int64_t(k);
      if (exclude && (i < 0 || i >= a.in))
        continue;
      column[std::clamp<int64_t>(i, 0, a.in - 1)] += weight;
      total += weight;
    }
    for (int64_t i = 0; i < a.in; ++i)
      matrix.setFloat(i * a.out + o, exclude ? column[i] / total : column[i]);
  }
  Shape perm(llvm::seq<int64_t>(0, rank).begin(), llvm::seq<int64_t>(0, rank).end());
  std::swap(perm[d], perm[rank - 1]);
  Value last = l.transpose(x, perm);
  Shape shape(shapeOf(last));
  Value rows = l.reshape(last, {1, elementCount(shape) / a.in, a.in});
  shape.back() = a.out;
  Value product = l.matmul(rows, l.constant(matrix), false, elementOf(x));
  return l.transpose(l.reshape(product, shape), perm);
}

static LogicalResult resize(Lowering &l, std::optional<HostTensor> scales,
                            std::optional<HostTensor> roi, Shape axes, StringRef mode,
                            StringRef coordinates, StringRef rounding) {
  Shape in(shapeOf(l.in(0))), out = l.outShape();
  int64_t rank = in.size();
  if (axes.empty())
    axes.assign(llvm::seq<int64_t>(0, rank).begin(), llvm::seq<int64_t>(0, rank).end());
  if (l.node.getInt("antialias", 0))
    return l.refuse("antialias", "resize without it");
  Value x = l.in(0);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t d = axis < 0 ? axis + rank : axis;
    Axis a{in[d], out[d], double(out[d]) / in[d], 0, 1};
    if (scales && int64_t(scales->size()) > int64_t(i))
      a.scale = scales->getFloat(i);
    if (roi && roi->size() == int64_t(2 * axes.size()))
      a.roiStart = roi->getFloat(i), a.roiEnd = roi->getFloat(axes.size() + i);
    if (coordinates == "tf_crop_and_resize") {
      if (!roi)
        return l.refuse("roi is computed at run time", "make it constant");
      for (int64_t o = 0; o < a.out; ++o)
        if (double at = sourceOf(a, o, coordinates); at < 0 || at > a.in - 1)
          return l.refuse("roi reaches outside of the input", "crop inside of it");
    }
    if (a.in == a.out && a.scale == 1 && coordinates != "tf_crop_and_resize")
      continue;
    if (mode == "nearest")
      x = resizeNearest(l, x, d, a, coordinates, rounding);
    else
      x = resizeByMatrix(l, x, d, a, coordinates, mode == "cubic",
                         l.node.getFloat("cubic_coeff_a", -0.75),
                         l.node.getInt("exclude_outside", 0));
  }
  return l.done(x);
}

static LogicalResult lowerResize(Lowering &l) {
  // Opset 10 has (X, scales); from 11 on (X, roi, scales, sizes).
  bool old = l.node.numInputs() == 2 && !l.node.has("coordinate_transformation_mode");
  unsigned scalesAt = old ? 1 : 2;
  if (l.isComputed(scalesAt) || (!old && l.isComputed(3)))
    return l.refuse("scales or sizes are computed at run time", "make them constant");
  auto scales = l.constantInput(scalesAt);
  if (scales && !scales->size())
    scales.reset();
  std::optional<HostTensor> roi;
  if (!old)
    roi = l.constantInput(1);
  return resize(
      l, scales, roi, l.node.getInts("axes").value_or(Shape()), l.node.getString("mode", "nearest"),
      l.node.getString("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel"),
      l.node.getString("nearest_mode", old ? "floor" : "round_prefer_floor"));
}

static LogicalResult lowerUpsample(Lowering &l) {
  std::optional<HostTensor> scales = l.constantInput(1);
  if (auto list = l.node.getFloats("scales"))
    scales = HostTensor::ofFloats(l.b.getF32Type(), {int64_t(list->size())}, *list);
  if (!scales)
    return l.refuse("scales are computed at run time", "make them constant");
  return resize(l, scales, std::nullopt, {}, l.node.getString("mode", "nearest"), "asymmetric",
                "floor");
}

LoweringTable accel::resizeLowerings() {
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"Resize", {lowerResize, "a repeat view, slices, or accel.matmul along each axis"}},
      {"Upsample", {lowerUpsample, "a repeat view, slices, or accel.matmul along each axis"}},
  };
  return table;
}

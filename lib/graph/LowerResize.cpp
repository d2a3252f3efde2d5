//===- LowerResize.cpp - interpolation along axes -------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nearest by a whole factor is a repeat view; other nearest ones pick elements.
// Linear and cubic interpolation is a product with a constant matrix along each
// resized axis: [in, out] with two or four weights in a column.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Window.h"

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

//===----------------------------------------------------------------------===//
// Linear interpolation of integers by whole factors
//===----------------------------------------------------------------------===//

/// Weights of an input element on outputs at distance -(n-1) .. n-1 in front of it, in
/// units of 1 / (2 * factor), and how many outputs it begins in front of its own.
static SmallVector<int64_t> hat(int64_t factor, bool halfPixel, int64_t &front) {
  SmallVector<int64_t> weights;
  // An element i weighs max(0, 1 - |src(o) - i|) on output o; d = o - factor * i.
  for (int64_t d = -2 * factor; d <= 2 * factor; ++d) {
    int64_t distance = halfPixel ? std::abs(2 * d + 1 - factor) : std::abs(2 * d);
    if (distance >= 2 * factor)
      continue;
    if (weights.empty())
      front = -d;
    weights.push_back(2 * factor - distance);
  }
  return weights;
}

/// A transposed convolution of each channel: y = sum w x / sum w over the neighbours that
/// are there. Beyond the border ONNX repeats the last element, which is the same.
std::optional<Value> accel::buildLinearResize(Lowering &l, Value input, float scale, int64_t zero) {
  Shape in(shapeOf(input)), out = l.outShape();
  std::string mode = l.node.getString("coordinate_transformation_mode",
                                      l.node.kind() == "Upsample" ? "asymmetric" : "half_pixel");
  bool halfPixel = mode == "half_pixel" || mode == "pytorch_half_pixel";
  if (in.size() != 4 || in[0] != out[0] || in[1] != out[1] || out[2] % in[2] || out[3] % in[3] ||
      l.node.getString("mode", "nearest") != "linear" || (!halfPixel && mode != "asymmetric") ||
      l.node.getInt("exclude_outside", 0) || l.node.getInt("antialias", 0) ||
      (mode == "pytorch_half_pixel" && (out[2] == 1 || out[3] == 1)))
    return std::nullopt;
  unsigned scalesAt = l.node.kind() == "Upsample" ? 1 : 2;
  if (l.isComputed(scalesAt))
    return std::nullopt;
  if (auto scales = l.constantInput(scalesAt)) // of all dimensions, or of `axes`
    for (int64_t i = 0; i < scales->size(); ++i)
      if (scales->getFloat(i) != std::floor(scales->getFloat(i)))
        return std::nullopt;
  Shape factors{out[2] / in[2], out[3] / in[3]}, kernel, pads(4);
  SmallVector<int64_t> taps[2];
  HostTensor sums[2];
  for (int d = 0; d < 2; ++d) {
    int64_t front = 0;
    taps[d] = hat(factors[d], halfPixel, front);
    int64_t size = taps[d].size();
    kernel.push_back(size);
    // Tap k of output o meets the input spread out by the factor at o + k - pad.
    pads[d] = size - 1 - front;
    pads[2 + d] = (out[2 + d] - 1) + size - ((in[2 + d] - 1) * factors[d] + 1) - pads[d];
    std::reverse(taps[d].begin(), taps[d].end());
    sums[d] = HostTensor(l.b.getI64Type(), {out[2 + d]});
    for (int64_t o = 0; o < out[2 + d]; ++o) {
      int64_t sum = 0;
      for (int64_t k = 0; k < size; ++k)
        if (int64_t at = o + k - pads[d];
            at >= 0 && at % factors[d] == 0 && at / factors[d] < in[2 + d])
          sum += taps[d][k];
      sums[d].setInt(o, sum);
    }
  }
  int64_t channels = in[1];
  int64_t window = kernel[0] * kernel[1];
  // One channel is a convolution like any other, see accel.conv.
  HostTensor weight(l.b.getI8Type(), channels == 1 ? Shape{1, window, 1} : Shape{window, channels});
  for (int64_t y = 0; y < kernel[0]; ++y)
    for (int64_t x = 0; x < kernel[1]; ++x)
      for (int64_t c = 0; c < channels; ++c) {
        if (taps[0][y] * taps[1][x] > 127)
          return std::nullopt;
        weight.setInt((y * kernel[1] + x) * channels + c, taps[0][y] * taps[1][x]);
      }
  MLIRContext *context = l.b.getContext();
  Type f32 = l.b.getF32Type();
  HostTensor units(f32, {out[2], out[3]});
  for (int64_t y = 0; y < out[2]; ++y)
    for (int64_t x = 0; x < out[3]; ++x)
      units.setFloat(y * out[3] + x, scale / double(sums[0].getInt(y) * sums[1].getInt(x)));
  SmallVector<Value> extras;
  SmallVector<AffineMap> maps;
  if (!units.isSplat()) {
    extras.push_back(l.constant(units));
    maps.push_back(AffineMap::get(
        4, 0, {getAffineDimExpr(1, context), getAffineDimExpr(2, context)}, context));
  }
  auto op = accel::ConvOp::create(
      l.b, l.loc, RankedTensorType::get({out[0], out[2], out[3], channels}, f32),
      l.transpose(input, {0, 2, 3, 1}), l.constant(weight), extras, l.b.getAffineMapArrayAttr(maps),
      kernel, {1, 1}, pads, {1, 1}, factors, channels, zero, 0);
  l.fillBody(op.getBody(), l.b.getI32Type(), extras, f32, [&](ScalarBuilder &s, ArrayRef<Value> v) {
    return s.mul(s.cast(v[0], f32), extras.empty() ? s.constant(f32, units.getFloat(0)) : v[1]);
  });
  return l.transpose(op, {0, 3, 1, 2});
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

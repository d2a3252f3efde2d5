//===- LowerConv.cpp - Conv and ConvTranspose -----------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions compute channels last. Each lowering brings its input there and
// its result back by transpose views, which propagate-transposes cancels.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Window.h"

using namespace mlir;
using namespace accel;

Value accel::toChannelsLast(Lowering &l, Value value) {
  ArrayRef<int64_t> s = shapeOf(value);
  if (s.size() == 3)
    value = l.reshape(value, {s[0], s[1], 1, s[2]});
  return l.transpose(value, {0, 2, 3, 1});
}

Value accel::fromChannelsLast(Lowering &l, Value value, size_t rank) {
  value = l.transpose(value, {0, 3, 1, 2});
  if (rank == 4)
    return value;
  ArrayRef<int64_t> s = shapeOf(value);
  return l.reshape(value, {s[0], s[1], s[3]});
}

FailureOr<Window> accel::readWindow(Lowering &l, ArrayRef<int64_t> input,
                                    ArrayRef<int64_t> kernel) {
  size_t spatial = input.size() - 2;
  if (spatial != 1 && spatial != 2) {
    (void)l.refuse(Twine(spatial) + "-D window",
                   "only 1-D and 2-D convolutions and pools are possible");
    return failure();
  }
  auto strides = l.node.getInts("strides").value_or(Lowering::Shape(spatial, 1));
  auto dilations = l.node.getInts("dilations").value_or(Lowering::Shape(spatial, 1));
  auto pads = l.node.getInts("pads").value_or(Lowering::Shape(2 * spatial, 0));
  if (kernel.size() != spatial || strides.size() != spatial || dilations.size() != spatial ||
      pads.size() != 2 * spatial) {
    (void)l.refuse("window attributes do not fit the input's rank", "correct the model");
    return failure();
  }
  std::string autoPad = l.node.getString("auto_pad", "NOTSET");
  for (size_t d = 0; d < spatial; ++d) {
    if (autoPad == "NOTSET" || autoPad.empty())
      break;
    pads[d] = pads[spatial + d] = 0;
    if (autoPad == "VALID")
      continue;
    int64_t extent = (input[2 + d] + strides[d] - 1) / strides[d];
    int64_t total = std::max<int64_t>(0, (extent - 1) * strides[d] +
                                             dilations[d] * (kernel[d] - 1) + 1 - input[2 + d]);
    pads[d] = autoPad == "SAME_LOWER" ? (total + 1) / 2 : total / 2;
    pads[spatial + d] = total - pads[d];
  }
  Window w;
  auto planar = [&](ArrayRef<int64_t> values, int64_t missing) {
    Lowering::Shape result(values);
    if (spatial == 1)
      result.insert(result.begin(), missing);
    return result;
  };
  w.kernel = planar(kernel, 1), w.strides = planar(strides, 1);
  w.dilations = planar(dilations, 1);
  w.pads = planar(ArrayRef<int64_t>(pads).take_front(spatial), 0);
  llvm::append_range(w.pads, planar(ArrayRef<int64_t>(pads).drop_front(spatial), 0));
  return w;
}

/// Weights that are computed at run time, brought to [G, K, OCg] by views: rows
/// K are blocks of 32 input channels, then taps, then the channel in its block.
static Value packComputedWeight(Lowering &l, Value w, int64_t groups, bool depthwise) {
  ArrayRef<int64_t> s = shapeOf(w);
  int64_t oc = s[0] / groups, ic = s[1], taps = s[2] * s[3];
  if (depthwise)
    return l.transpose(l.reshape(w, {s[0], taps}), {1, 0});
  Value flat = l.reshape(w, {groups, oc, ic, taps});
  SmallVector<Value> parts;
  for (int64_t from = 0, rows; from < ic; from += rows) {
    int64_t left = ic - from;
    rows = left >= 32 ? left / 32 * 32 : left;
    int64_t block = std::min<int64_t>(rows, 32);
    Value part = l.slice(flat, {0, 0, from, 0}, {1, 1, 1, 1}, {groups, oc, rows, taps});
    part = l.reshape(part, {groups, oc, rows / block, block, taps});
    parts.push_back(l.reshape(l.transpose(part, {0, 2, 4, 3, 1}), {groups, rows * taps, oc}));
  }
  return l.concat(parts, 1);
}

FailureOr<Value> accel::buildConv(Lowering &l, Value input, Value weight, ValueRange perChannel,
                                  RankedTensorType result, BodyFn body, ZeroPoints zero,
                                  bool saturate) {
  MLIRContext *context = l.b.getContext();
  Lowering::Shape ws(shapeOf(weight));
  size_t rank = shapeOf(input).size();
  auto window = readWindow(l, shapeOf(input), ArrayRef<int64_t>(ws).drop_front(2));
  if (failed(window))
    return failure();
  if (rank == 3)
    ws.insert(ws.begin() + 2, 1);
  int64_t groups = l.node.getInt("group", 1), channels = shapeOf(input)[1];
  if (groups < 1 || channels != groups * ws[1] || ws[0] % groups) {
    (void)l.refuse("group does not divide the channels", "correct the model");
    return failure();
  }
  bool depthwise = groups > 1 && groups == channels && ws[0] == groups;
  int64_t taps = ws[2] * ws[3];
  Type element = elementOf(weight);
  auto packed = depthwise ? RankedTensorType::get({taps, ws[0]}, element)
                          : RankedTensorType::get({groups, ws[1] * taps, ws[0] / groups}, element);
  Value w;
  if (Attribute attr = constantAttrOf(weight)) {
    auto pack =
        PackAttr::get(context, l.b.getStringAttr(depthwise ? "depthwise" : "conv"),
                      TypeAttr::get(RankedTensorType::get(ws, element)), nullptr, groups, nullptr);
    w = l.constant(attr, pack, packed);
  } else {
    w = packComputedWeight(l, l.reshape(weight, ws), groups, depthwise);
  }
  ArrayRef<int64_t> os = result.getShape();
  auto type = RankedTensorType::get({os[0], rank == 4 ? os[2] : 1, os[rank - 1], os[1]},
                                    result.getElementType());
  AffineMap channel = AffineMap::get(4, 0, getAffineDimExpr(3, context), context);
  auto op = accel::ConvOp::create(
      l.b, l.loc, type, toChannelsLast(l, input), w, perChannel,
      l.b.getAffineMapArrayAttr(SmallVector<AffineMap>(perChannel.size(), channel)), window->kernel,
      window->strides, window->pads, window->dilations, {1, 1}, groups, zero.input, zero.weight);
  l.fillBody(op.getBody(), accumulatorType(element), perChannel, result.getElementType(), body,
             saturate);
  return fromChannelsLast(l, op, rank);
}

static Value addBias(ScalarBuilder &s, ArrayRef<Value> v) {
  return v.size() > 1 ? s.add(v[0], v[1]) : v[0];
}

static LogicalResult lowerConv(Lowering &l) {
  SmallVector<Value> bias;
  if (l.in(2))
    bias.push_back(l.in(2));
  auto result = buildConv(l, l.in(0), l.in(1), bias, l.outType(), addBias);
  if (failed(result))
    return failure();
  return l.done(*result);
}

/// A transposed convolution is a convolution over the input spread out by its
/// strides, with reversed taps: i = (o + k*dilation - top) / stride where
/// top = (K-1)*dilation - pad.
FailureOr<Value> accel::buildConvTranspose(Lowering &l, Value input, Value weight,
                                           ValueRange perChannel, RankedTensorType result,
                                           BodyFn body, ZeroPoints zero, bool saturate) {
  MLIRContext *context = l.b.getContext();
  Lowering::Shape ws(shapeOf(weight)), is(shapeOf(input)), os(result.getShape());
  size_t rank = is.size(), spatial = rank - 2;
  if (spatial != 1 && spatial != 2) {
    (void)l.refuse(Twine(spatial) + "-D transposed convolution", "only 1-D and 2-D are possible");
    return failure();
  }
  auto strides = l.node.getInts("strides").value_or(Lowering::Shape(spatial, 1));
  auto dilations = l.node.getInts("dilations").value_or(Lowering::Shape(spatial, 1));
  auto pads = l.node.getInts("pads").value_or(Lowering::Shape(2 * spatial, 0));
  auto outPad = l.node.getInts("output_padding").value_or(Lowering::Shape(spatial, 0));
  std::string autoPad = l.node.getString("auto_pad", "NOTSET");
  auto outputShape = l.node.getInts("output_shape");
  Lowering::Shape kernel, stride, dilation, top, bottom;
  if (spatial == 1)
    kernel = {1}, stride = {1}, dilation = {1}, top = {0}, bottom = {0};
  for (size_t d = 0; d < spatial; ++d) {
    int64_t k = ws[2 + d], reach = (k - 1) * dilations[d];
    int64_t full = (is[2 + d] - 1) * strides[d] + outPad[d] + reach + 1;
    if (outputShape || autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER") {
      int64_t total = std::max<int64_t>(0, full - os[2 + d]);
      pads[d] = autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
      if (autoPad == "SAME_LOWER")
        pads[d] = total - total / 2;
      else if (autoPad != "SAME_UPPER")
        pads[d] = total - total / 2;
      pads[spatial + d] = total - pads[d];
    } else if (autoPad == "VALID") {
      pads[d] = pads[spatial + d] = 0;
    }
    kernel.push_back(k), stride.push_back(strides[d]), dilation.push_back(dilations[d]);
    top.push_back(reach - pads[d]), bottom.push_back(reach - pads[spatial + d] + outPad[d]);
  }
  if (spatial == 1)
    ws.insert(ws.begin() + 2, 1);
  int64_t groups = l.node.getInt("group", 1), channels = is[1];
  int64_t oc = ws[1] * groups, taps = ws[2] * ws[3];
  bool depthwise = groups > 1 && groups == channels && ws[1] == 1;
  Type element = elementOf(weight);
  Attribute attr = constantAttrOf(weight);
  if (!attr) {
    (void)l.refuse("weights are computed at run time", "make them an initialiser");
    return failure();
  }
  auto packed = depthwise
                    ? RankedTensorType::get({taps, oc}, element)
                    : RankedTensorType::get({groups, channels / groups * taps, ws[1]}, element);
  auto pack = PackAttr::get(
      context, l.b.getStringAttr(depthwise ? "depthwise_transposed" : "conv_transposed"),
      TypeAttr::get(RankedTensorType::get(ws, element)), nullptr, groups, nullptr);
  auto type = RankedTensorType::get({os[0], rank == 4 ? os[2] : 1, os[rank - 1], os[1]},
                                    result.getElementType());
  AffineMap channel = AffineMap::get(4, 0, getAffineDimExpr(3, context), context);
  auto op = accel::ConvOp::create(
      l.b, l.loc, type, toChannelsLast(l, input), l.constant(attr, pack, packed), perChannel,
      l.b.getAffineMapArrayAttr(SmallVector<AffineMap>(perChannel.size(), channel)), kernel, {1, 1},
      {top[0], top[1], bottom[0], bottom[1]}, dilation, stride, groups, zero.input, zero.weight);
  l.fillBody(op.getBody(), accumulatorType(element), perChannel, type.getElementType(), body,
             saturate);
  return fromChannelsLast(l, op, rank);
}

static LogicalResult lowerConvTranspose(Lowering &l) {
  SmallVector<Value> bias;
  if (l.in(2))
    bias.push_back(l.in(2));
  auto result = buildConvTranspose(l, l.in(0), l.in(1), bias, l.outType(), addBias);
  if (failed(result))
    return failure();
  return l.done(*result);
}

LoweringTable accel::convLowerings() {
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"Conv", {lowerConv, "accel.conv, channels last (1-D, 2-D, grouped, depthwise)"}},
      {"ConvTranspose", {lowerConvTranspose, "accel.conv with input dilation"}},
  };
  return table;
}

//===- LowerShape.cpp - operators that only say where elements are --------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Lowering.h"

using namespace mlir;
using namespace accel;

using Shape = Lowering::Shape;

/// The result's type already has the final shape.
static LogicalResult lowerReshape(Lowering &l) {
  if (elementCount(shapeOf(l.in(0))) != elementCount(l.outShape()))
    return l.refuse("the shape has another number of elements", "correct the model");
  return l.done(l.reshape(l.in(0), l.outShape()));
}

static LogicalResult lowerTranspose(Lowering &l) {
  int64_t rank = shapeOf(l.in(0)).size();
  Shape reversed;
  for (int64_t d = rank - 1; d >= 0; --d)
    reversed.push_back(d);
  return l.done(l.transpose(l.in(0), l.node.getInts("perm").value_or(reversed)));
}

static LogicalResult lowerConcat(Lowering &l) {
  int64_t rank = l.outShape().size();
  SmallVector<Value> inputs;
  for (unsigned i = 0; i < l.node.numInputs(); ++i)
    inputs.push_back(l.in(i));
  return l.done(l.concat(inputs, l.axis("axis", 0, rank)));
}

static LogicalResult lowerSlice(Lowering &l) {
  ArrayRef<int64_t> in = shapeOf(l.in(0));
  int64_t rank = in.size();
  for (unsigned i = 1; i < 5; ++i)
    if (l.isComputed(i))
      return l.refuse("starts, ends, axes or steps are computed at run time", "make them constant");
  auto starts = l.intsOf("starts", 1), ends = l.intsOf("ends", 2);
  if (!starts || !ends)
    return l.refuse("starts or ends are missing", "correct the model");
  Shape axes = l.intsOf("axes", 3).value_or(Shape());
  if (axes.empty())
    axes.assign(llvm::seq<int64_t>(0, starts->size()).begin(),
                llvm::seq<int64_t>(0, starts->size()).end());
  Shape steps = l.intsOf("steps", 4).value_or(Shape(axes.size(), 1));
  Shape offset(rank, 0), step(rank, 1);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t d = axis < 0 ? axis + rank : axis, size = in[d];
    if (d < 0 || d >= rank || i >= starts->size() || i >= steps.size() || steps[i] == 0)
      return l.refuse("axes or steps are out of range", "correct the model");
    int64_t start = (*starts)[i] < 0 ? (*starts)[i] + size : (*starts)[i];
    start = std::clamp<int64_t>(start, 0, steps[i] < 0 ? size - 1 : size);
    offset[d] = start, step[d] = steps[i];
  }
  return l.done(l.slice(l.in(0), offset, step, l.outShape()));
}

static LogicalResult lowerSplit(Lowering &l) {
  Shape in(shapeOf(l.in(0)));
  int64_t axis = l.axis("axis", 0, in.size()), at = 0;
  for (unsigned i = 0; i < l.node.numOutputs(); ++i) {
    Shape out = l.outShape(i), offsets(in.size(), 0), steps(in.size(), 1);
    offsets[axis] = at;
    at += out[axis];
    // A part without elements has no reader.
    l.results.push_back(out[axis] ? l.slice(l.in(0), offsets, steps, out) : Value());
  }
  return success();
}

static LogicalResult lowerExpand(Lowering &l) { return l.done(l.broadcast(l.in(0), l.outShape())); }

/// Tile: [d] becomes [times, d] by a broadcast, then both are one dimension.
static LogicalResult lowerTile(Lowering &l) {
  Shape in(shapeOf(l.in(0))), out = l.outShape(), split, full;
  for (size_t d = 0; d < in.size(); ++d) {
    int64_t times = in[d] ? out[d] / in[d] : 1;
    if (times != 1)
      split.push_back(1), full.push_back(times);
    split.push_back(in[d]), full.push_back(in[d]);
  }
  return l.done(l.reshape(l.broadcast(l.reshape(l.in(0), split), full), out));
}

static LogicalResult lowerPad(Lowering &l) {
  Shape in(shapeOf(l.in(0)));
  int64_t rank = in.size();
  if (l.isComputed(1) || l.isComputed(3))
    return l.refuse("pads or axes are computed at run time", "make them constant");
  auto pads = l.intsOf("pads", 1);
  if (!pads)
    pads = l.node.getInts("paddings");
  Shape axes = l.in(3) ? l.constantInput(3)->ints() : Shape();
  if (axes.empty())
    axes.assign(llvm::seq<int64_t>(0, rank).begin(), llvm::seq<int64_t>(0, rank).end());
  if (!pads || pads->size() != 2 * axes.size())
    return l.refuse("pads do not fit the rank", "correct the model");
  Shape low(rank, 0), high(rank, 0);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t d = axis < 0 ? axis + rank : axis;
    low[d] = (*pads)[i], high[d] = (*pads)[axes.size() + i];
  }
  std::string mode = l.node.getString("mode", "constant");
  if (mode == "constant") {
    double fill = l.node.getFloat("value", 0);
    if (l.isComputed(2))
      return l.refuse("the padding value is computed at run time", "make it constant");
    if (auto value = l.constantInput(2); value && value->size())
      fill = value->getFloat(0);
    return l.done(l.pad(l.in(0), low, high, fill));
  }
  // Other modes: slices of the input itself beside it, one dimension at a time.
  Value x = l.in(0);
  for (int64_t d = 0; d < rank; ++d) {
    if (!low[d] && !high[d])
      continue;
    int64_t crop = -std::min<int64_t>(0, low[d]), cropEnd = -std::min<int64_t>(0, high[d]);
    if (crop || cropEnd) {
      Shape shape(shapeOf(x)), offsets(rank, 0);
      shape[d] -= crop + cropEnd, offsets[d] = crop;
      x = l.slice(x, offsets, Shape(rank, 1), shape);
    }
    int64_t size = shapeOf(x)[d];
    auto piece = [&](int64_t from, int64_t count, int64_t step) {
      Shape shape(shapeOf(x)), offsets(rank, 0), steps(rank, 1);
      shape[d] = count, offsets[d] = from, steps[d] = step;
      return l.slice(x, offsets, steps, shape);
    };
    auto edge = [&](int64_t from, int64_t count) {
      Value one = piece(from, 1, 1);
      Shape shape(shapeOf(one));
      shape[d] = count;
      return l.broadcast(one, shape);
    };
    int64_t before = std::max<int64_t>(0, low[d]), behind = std::max<int64_t>(0, high[d]);
    if ((mode == "reflect" && std::max(before, behind) >= size) ||
        (mode == "wrap" && std::max(before, behind) > size))
      return l.refuse("padding is larger than the input", "pad in several steps");
    SmallVector<Value> parts;
    if (before)
      parts.push_back(mode == "edge"      ? edge(0, before)
                      : mode == "reflect" ? piece(before, before, -1)
                                          : piece(size - before, before, 1));
    parts.push_back(x);
    if (behind)
      parts.push_back(mode == "edge"      ? edge(size - 1, behind)
                      : mode == "reflect" ? piece(size - 2, behind, -1)
                                          : piece(0, behind, 1));
    x = l.concat(parts, d);
  }
  return l.done(x);
}

static LogicalResult lowerDepthToSpace(Lowering &l) {
  Shape s(shapeOf(l.in(0)));
  int64_t block = l.node.getInt("blocksize", 1), c = s[1] / (block * block);
  bool crd = l.node.getString("mode", "DCR") == "CRD";
  Value x =
      crd ? l.transpose(l.reshape(l.in(0), {s[0], c, block, block, s[2], s[3]}), {0, 1, 4, 2, 5, 3})
          : l.transpose(l.reshape(l.in(0), {s[0], block, block, c, s[2], s[3]}),
                        {0, 3, 4, 1, 5, 2});
  return l.done(l.reshape(x, l.outShape()));
}

static LogicalResult lowerSpaceToDepth(Lowering &l) {
  Shape s(shapeOf(l.in(0)));
  int64_t block = l.node.getInt("blocksize", 1);
  Value x = l.reshape(l.in(0), {s[0], s[1], s[2] / block, block, s[3] / block, block});
  return l.done(l.reshape(l.transpose(x, {0, 3, 5, 1, 2, 4}), l.outShape()));
}

/// Values known from the shapes alone.
static LogicalResult lowerShapeOf(Lowering &l) {
  ArrayRef<int64_t> shape = shapeOf(l.in(0));
  int64_t rank = shape.size(), start = l.node.getInt("start", 0), end = l.node.getInt("end", rank);
  start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
  end = std::clamp<int64_t>(end < 0 ? end + rank : end, start, rank);
  ArrayRef<int64_t> part = shape.slice(start, end - start);
  return l.done(l.constant(HostTensor::ofInts(l.b.getI64Type(), {int64_t(part.size())}, part)));
}
static LogicalResult lowerSize(Lowering &l) {
  return l.done(
      l.constant(HostTensor::ofInts(l.b.getI64Type(), {}, {elementCount(shapeOf(l.in(0)))})));
}

static LogicalResult lowerConstantOfShape(Lowering &l) {
  RankedTensorType type = l.outType();
  Attribute splat;
  if (auto value = dyn_cast_or_null<DenseElementsAttr>(l.node.getAttr("value")))
    splat = value.getValues<Attribute>()[0];
  else
    splat = l.b.getF32FloatAttr(0);
  return l.done(l.constant(DenseElementsAttr::get(type, splat), PackAttr(), type));
}

static LogicalResult lowerWeight(Lowering &l) {
  return l.done(l.constant(l.node.getAttr("value"), PackAttr(), l.outType()));
}

static LogicalResult lowerRange(Lowering &l) {
  auto start = l.constantInput(0), limit = l.constantInput(1), delta = l.constantInput(2);
  if (!start || !limit || !delta)
    return l.refuse("start, limit or delta is computed at run time", "make them constant");
  HostTensor values(l.outType().getElementType(), l.outShape());
  for (int64_t i = 0; i < values.size(); ++i) {
    if (values.isFloat())
      values.setFloat(i, start->getFloat(0) + i * delta->getFloat(0));
    else
      values.setInt(i, start->getInt(0) + i * delta->getInt(0));
  }
  return l.done(l.constant(values));
}

static LogicalResult lowerEyeLike(Lowering &l) {
  HostTensor values(l.outType().getElementType(), l.outShape());
  int64_t k = l.node.getInt("k", 0), columns = values.shape()[1];
  for (int64_t i = 0; i < values.shape()[0]; ++i)
    if (i + k >= 0 && i + k < columns)
      values.setInt(i * columns + i + k, 1);
  return l.done(l.constant(values));
}

/// Multiplies by a constant mask; select keeps infinities out.
static LogicalResult lowerTrilu(Lowering &l) {
  if (l.isComputed(1))
    return l.refuse("k is computed at run time", "make it constant");
  auto given = l.constantInput(1);
  int64_t k = given ? given->getInt(0) : 0;
  bool upper = l.node.getInt("upper", 1);
  ArrayRef<int64_t> shape = shapeOf(l.in(0));
  int64_t rows = shape[shape.size() - 2], columns = shape.back();
  HostTensor mask(l.b.getI1Type(), {rows, columns});
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      mask.setInt(i * columns + j, upper ? j - i >= k : j - i <= k);
  return l.done(l.elementwise(
      l.outType(), {l.in(0), l.constant(mask)},
      [](ScalarBuilder &s, ArrayRef<Value> v) { return s.select(v[1], v[0], s.like(v[0], 0)); }));
}

LoweringTable accel::shapeLowerings() {
  static const StringRef view = "a view", constant = "a constant";
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"Concat", {lowerConcat, view}},
      {"ConstantOfShape", {lowerConstantOfShape, constant}},
      {"DepthToSpace", {lowerDepthToSpace, view}},
      {"Expand", {lowerExpand, view}},
      {"EyeLike", {lowerEyeLike, constant}},
      {"Flatten", {lowerReshape, view}},
      {"Pad", {lowerPad, "accel.pad, or concatenated slices"}},
      {"Range", {lowerRange, constant}},
      {"Reshape", {lowerReshape, view}},
      {"Shape", {lowerShapeOf, constant}},
      {"Size", {lowerSize, constant}},
      {"Slice", {lowerSlice, view}},
      {"SpaceToDepth", {lowerSpaceToDepth, view}},
      {"Split", {lowerSplit, view}},
      {"Squeeze", {lowerReshape, view}},
      {"Tile", {lowerTile, view}},
      {"Transpose", {lowerTranspose, view}},
      {"Trilu", {lowerTrilu, "accel.map with a constant mask"}},
      {"Unsqueeze", {lowerReshape, view}},
      {"Weight", {lowerWeight, constant}},
  };
  return table;
}

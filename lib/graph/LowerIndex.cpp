//===- LowerIndex.cpp - gathers and what compares with positions ----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Lowering.h"

using namespace mlir;
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;
using Shape = Lowering::Shape;

/// More runs than this and a gather's index list costs less than its slices.
static constexpr size_t kMaxSlices = 8;

Value Lowering::gatherAxis(Value data, Value indices, int64_t axis) {
  Shape ds(shapeOf(data)), is(shapeOf(indices)), out(ds);
  int64_t rank = ds.size();
  out.erase(out.begin() + axis);
  out.insert(out.begin() + axis, is.begin(), is.end());
  auto known = elementCount(is) <= kFoldLimit ? constantOf(indices) : std::nullopt;
  if (known && known->size()) {
    Shape list = known->ints();
    for (int64_t &index : list)
      index = std::clamp<int64_t>(index < 0 ? index + ds[axis] : index, 0, ds[axis] - 1);
    // Each element several times in place: heads that share a key.
    size_t times = 1;
    while (times < list.size() && list[times] == list[0])
      ++times;
    bool repeats = times > 1 && list.size() % times == 0;
    for (size_t i = 0; i < list.size() && repeats; ++i)
      repeats = list[i] == list[0] + int64_t(i / times);
    if (repeats) {
      Shape shape(ds), offsets(rank, 0), factors(rank, 1);
      shape[axis] = list.size() / times, offsets[axis] = list[0];
      Value part = slice(data, offsets, Shape(rank, 1), shape);
      shape[axis] *= times, factors[axis] = times;
      return reshape(accel::RepeatOp::create(b, loc, RankedTensorType::get(shape, elementOf(part)),
                                             part, factors),
                     out);
    }
    // Runs of equal distance are slices.
    SmallVector<std::array<int64_t, 3>> runs; // first, step, count
    for (size_t i = 0; i < list.size() && runs.size() <= kMaxSlices;) {
      size_t end = i + 1;
      int64_t step = end < list.size() ? list[end] - list[i] : 1;
      while (step && end < list.size() && list[end] - list[end - 1] == step)
        ++end;
      runs.push_back({list[i], step ? step : 1, int64_t(end - i)});
      i = end;
    }
    if (runs.size() <= kMaxSlices) {
      SmallVector<Value> parts;
      for (auto [first, step, count] : runs) {
        Shape shape(ds), offsets(rank, 0), steps(rank, 1);
        shape[axis] = count, offsets[axis] = first, steps[axis] = step;
        parts.push_back(slice(data, offsets, steps, shape));
      }
      return reshape(concat(parts, axis), out);
    }
  }
  // accel.gather takes rows: the axis comes to the front and the index
  // dimensions go back to its place.
  Shape toFront = {axis}, back;
  for (int64_t d = 0; d < rank; ++d)
    if (d != axis)
      toFront.push_back(d);
  int64_t n = is.size();
  for (int64_t d = 0; d < axis; ++d)
    back.push_back(n + d);
  for (int64_t d = 0; d < n; ++d)
    back.push_back(d);
  for (int64_t d = axis; d < rank - 1; ++d)
    back.push_back(n + d);
  return transpose(gather(transpose(data, toFront), indices), back);
}

static LogicalResult lowerGather(Lowering &l) {
  int64_t rank = shapeOf(l.in(0)).size(), axis = l.axis("axis", 0, rank);
  if (auto indices =
          elementCount(shapeOf(l.in(1))) <= kFoldLimit ? l.constantInput(1) : std::nullopt) {
    int64_t size = shapeOf(l.in(0))[axis];
    for (int64_t index : indices->ints())
      if (index < -size || index >= size)
        return l.refuse("index " + Twine(index) + " is outside of " + Twine(size) + " elements",
                        "correct the model");
  }
  return l.done(l.gatherAxis(l.in(0), l.in(1), axis));
}

/// 0, 1, 2, ... along one axis, broadcasting along the others.
static Value positions(Lowering &l, int64_t size, int64_t axis, int64_t rank, Type element) {
  Shape shape(rank, 1);
  shape[axis] = size;
  HostTensor values(element, shape);
  for (int64_t i = 0; i < size; ++i)
    values.setInt(i, i);
  return l.constant(values);
}

/// The smallest (or largest) position that holds the extreme value.
static LogicalResult lowerArg(Lowering &l, ReduceKind kind) {
  Value x = l.in(0);
  int64_t rank = shapeOf(x).size(), axis = l.axis("axis", 0, rank);
  int64_t size = shapeOf(x)[axis];
  bool last = l.node.getInt("select_last_index", 0);
  Type i32 = l.b.getI32Type(), element = elementOf(x);
  Value best = l.reduce(kind, x, {axis}, element);
  Value place =
      l.elementwise(i32, {x, best, positions(l, size, axis, rank, i32)}, [&](S &s, Values v) {
        return s.select(s.compare(S::Compare::Eq, v[0], v[1]), v[2],
                        s.like(v[2], last ? -1 : double(size)));
      });
  Value result = l.reduce(last ? ReduceKind::Max : ReduceKind::Min, place, {axis}, i32);
  return l.done(l.reshape(l.convertTo(result, l.outType().getElementType()), l.outShape()));
}
static LogicalResult lowerArgMax(Lowering &l) { return lowerArg(l, ReduceKind::Max); }
static LogicalResult lowerArgMin(Lowering &l) { return lowerArg(l, ReduceKind::Min); }

static LogicalResult lowerOneHot(Lowering &l) {
  auto depth = l.constantInput(1);
  if (!depth)
    return l.refuse("depth is computed at run time", "make it constant");
  Shape out = l.outShape(), is(shapeOf(l.in(0)));
  int64_t rank = out.size(), axis = l.axis("axis", -1, rank), size = out[axis];
  is.insert(is.begin() + axis, 1);
  auto pick = [&](int64_t at) { return l.slice(l.in(2), {at}, {1}, {1}); };
  Type index = elementOf(l.in(0));
  Value off = pick(0), on = pick(1);
  return l.done(l.elementwise(
      l.outType(), {l.reshape(l.in(0), is), positions(l, size, axis, rank, index), on, off},
      [&](S &s, Values v) {
        Value wrapped = s.select(s.compare(S::Compare::Lt, v[0], s.like(v[0], 0)),
                                 s.add(v[0], s.like(v[0], double(size))), v[0]);
        return s.select(s.compare(S::Compare::Eq, wrapped, v[1]), v[2], v[3]);
      }));
}

/// A product with a triangle of ones along the axis.
static LogicalResult lowerCumSum(Lowering &l) {
  Value x = l.in(0);
  int64_t rank = shapeOf(x).size();
  auto given = l.constantInput(1);
  if (!given)
    return l.refuse("the axis is computed at run time", "make it constant");
  Type element = elementOf(x);
  if (!isa<FloatType>(element))
    return l.refuse("cumulative sum of integers", "cast to float first");
  int64_t axis = given->getInt(0);
  axis = axis < 0 ? axis + rank : axis;
  bool exclusive = l.node.getInt("exclusive", 0), reverse = l.node.getInt("reverse", 0);
  int64_t size = shapeOf(x)[axis];
  HostTensor ones(element, {1, size, size});
  for (int64_t in = 0; in < size; ++in)
    for (int64_t out = 0; out < size; ++out) {
      int64_t ahead = reverse ? in - out : out - in;
      if (exclusive ? ahead > 0 : ahead >= 0)
        ones.setFloat(in * size + out, 1);
    }
  Shape perm(llvm::seq<int64_t>(0, rank).begin(), llvm::seq<int64_t>(0, rank).end());
  std::swap(perm[axis], perm[rank - 1]);
  Value last = l.transpose(x, perm);
  Value sums = l.matmul(l.reshape(last, {1, elementCount(shapeOf(x)) / size, size}),
                        l.constant(ones), false, element);
  return l.done(l.transpose(l.reshape(sums, shapeOf(last)), perm));
}

LoweringTable accel::indexLowerings() {
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"ArgMax", {lowerArgMax, "accel.reduce max, then of matching positions"}},
      {"ArgMin", {lowerArgMin, "accel.reduce min, then of matching positions"}},
      {"CumSum", {lowerCumSum, "accel.matmul with a triangle of ones"}},
      {"Gather", {lowerGather, "accel.gather; constant runs are slices"}},
      {"OneHot", {lowerOneHot, "accel.map"}},
  };
  return table;
}

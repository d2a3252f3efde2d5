//===- Interpret.cpp - the reference evaluator of the tensor form ---------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every compute operation runs in two steps: its kernel fills an array with one
// value for each result element (in the accumulation type), then the body runs
// over chunks of it.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Interpret.h"
#include "acc/Graph/Lowering.h"
#include "acc/runtime/isa.h"

#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;
using namespace accel;

using Shape = SmallVector<int64_t>;

static constexpr int64_t kChunk = 1024;             // points a body runs over at once
static constexpr int64_t kBlock = rt::isa::kKBlock; // channels in a block of a reduction
static constexpr int64_t kLanes = rt::isa::kLanes;  // partials of an ordered reduction

/// Calls fn(linear index, offsets of each walk) over a box in row-major order.
/// offsets[w] = bases[w] + sum of i_d * strides[w][d].
template <typename Fn>
static void walk(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides, int64_t base, Fn fn) {
  int64_t count = elementCount(shape), rank = shape.size();
  Shape at(rank, 0);
  int64_t offset = base;
  for (int64_t i = 0; i < count; ++i) {
    fn(i, offset);
    for (int64_t d = rank - 1; d >= 0; --d) {
      offset += strides[d];
      if (++at[d] < shape[d])
        break;
      offset -= strides[d] * shape[d];
      at[d] = 0;
    }
  }
}

HostTensor accel::stridedCopy(const HostTensor &source, int64_t base, ArrayRef<int64_t> strides,
                              ArrayRef<int64_t> shape) {
  HostTensor result(source.element(), shape);
  walk(shape, strides, base,
       [&](int64_t i, int64_t offset) { result.copyFrom(source, offset, i); });
  return result;
}

void accel::loadLanes(const HostTensor &t, ArrayRef<int64_t> offsets, Lanes &lanes) {
  size_t n = offsets.size();
  if (t.element().isF64()) {
    lanes.d.resize(n);
    for (size_t i = 0; i < n; ++i)
      lanes.d[i] = t.getFloat(offsets[i]);
  } else if (t.element().isF32()) {
    lanes.f.resize(n);
    for (size_t i = 0; i < n; ++i)
      std::memcpy(&lanes.f[i], t.bytes().data() + offsets[i] * 4, 4);
  } else if (t.isFloat()) {
    lanes.f.resize(n);
    for (size_t i = 0; i < n; ++i)
      lanes.f[i] = float(t.getFloat(offsets[i]));
  } else {
    lanes.i.resize(n);
    for (size_t i = 0; i < n; ++i)
      lanes.i[i] = t.getInt(offsets[i]);
  }
}

template <typename T> static std::vector<T> toVector(const HostTensor &t, int64_t zero = 0) {
  std::vector<T> values(t.size());
  if constexpr (std::is_same_v<T, float>)
    if (t.element().isF32()) {
      std::memcpy(values.data(), t.bytes().data(), values.size() * 4);
      return values;
    }
  for (int64_t i = 0; i < t.size(); ++i)
    values[i] = std::is_floating_point_v<T> ? T(t.getFloat(i)) : T(t.getInt(i) - zero);
  return values;
}

/// The kernel's values as lanes.
static void assign(Lanes &lanes, std::vector<float> &&v) { lanes.f = std::move(v); }
static void assign(Lanes &lanes, std::vector<double> &&v) { lanes.d = std::move(v); }
template <typename T> static void assign(Lanes &lanes, std::vector<T> &&v) {
  lanes.i.assign(v.begin(), v.end());
}

/// Picks the accumulation type and calls fn with a value of it.
template <typename Fn> static void withAccumulator(Type storage, Fn fn) {
  Type type = accumulatorType(storage);
  if (type.isF64())
    fn(double());
  else if (isa<FloatType>(type))
    fn(float());
  else if (type.isInteger(64))
    fn(int64_t());
  else
    fn(int32_t());
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

template <typename T>
static void convolve(ConvOp op, const HostTensor &in, const HostTensor &weight, Lanes &lanes) {
  std::vector<T> x = toVector<T>(in, op.getInputZeroPoint());
  std::vector<T> w = toVector<T>(weight, op.getWeightZeroPoint());
  ArrayRef<int64_t> is = in.shape(), os = shapeOf(op.getResult());
  int64_t h = is[1], width = is[2], c = is[3], groups = op.getGroups();
  bool depthwise = weight.rank() == 2;
  int64_t ic = c / groups, oc = os[3] / groups;
  ArrayRef<int64_t> kernel = op.getKernel(), stride = op.getStrides(), pads = op.getPads(),
                    dilation = op.getDilations(), spread = op.getInputDilations();
  std::vector<T> out(elementCount(os), T(0));
  auto source = [&](int64_t o, int64_t k, int d, int64_t size) -> int64_t {
    int64_t v = o * stride[d] + k * dilation[d] - pads[d];
    if (v < 0 || v % spread[d] || v / spread[d] >= size)
      return -1;
    return v / spread[d];
  };
  for (int64_t n = 0; n < os[0]; ++n)
    for (int64_t oh = 0; oh < os[1]; ++oh)
      for (int64_t ow = 0; ow < os[2]; ++ow) {
        T *acc = &out[((n * os[1] + oh) * os[2] + ow) * os[3]];
        auto pixel = [&](int64_t kh, int64_t kw) -> const T * {
          int64_t y = source(oh, kh, 0, h), z = source(ow, kw, 1, width);
          return y < 0 || z < 0 ? nullptr : &x[((n * h + y) * width + z) * c];
        };
        if (depthwise) {
          for (int64_t kh = 0; kh < kernel[0]; ++kh)
            for (int64_t kw = 0; kw < kernel[1]; ++kw)
              if (const T *at = pixel(kh, kw))
                for (int64_t ch = 0; ch < c; ++ch)
                  multiplyRow(acc + ch, 1, at + ch, &w[(kh * kernel[1] + kw) * c + ch], 1);
          continue;
        }
        for (int64_t g = 0; g < groups; ++g) {
          const T *rows = &w[g * ic * kernel[0] * kernel[1] * oc];
          for (int64_t from = 0; from < ic; from += kBlock) {
            int64_t count = std::min(kBlock, ic - from);
            for (int64_t kh = 0; kh < kernel[0]; ++kh)
              for (int64_t kw = 0; kw < kernel[1]; ++kw, rows += count * oc)
                if (const T *at = pixel(kh, kw))
                  multiplyRow(acc + g * oc, oc, at + g * ic + from, rows, count);
          }
        }
      }
  assign(lanes, std::move(out));
}

template <typename T>
static void multiply(MatmulOp op, const HostTensor &a, const HostTensor &b, Lanes &lanes) {
  std::vector<T> x = toVector<T>(a, op.getInputZeroPoint());
  ArrayRef<int64_t> s = shapeOf(op.getResult());
  size_t batches = s.size() - 2;
  int64_t k = a.shape().back(), rowsPerBatch = s[batches], n = s.back();
  HostTensor rows = b;
  if (op.getTransposeB()) {
    int64_t matrices = elementCount(b.shape().drop_back(2));
    rows = stridedCopy(b, 0, {n * k, 1, k}, {matrices, k, n});
  }
  std::vector<T> w = toVector<T>(rows, op.getWeightZeroPoint());
  std::vector<T> out(elementCount(s), T(0));
  for (int64_t batch = 0, all = elementCount(s.drop_back(2)); batch < all; ++batch) {
    int64_t matrix = 0, stride = 1; // of the weight; its dimensions of size 1 stand still
    for (int64_t d = int64_t(batches) - 1, rest = batch; d >= 0; rest /= s[d--]) {
      matrix += b.shape()[d] == 1 ? 0 : rest % s[d] * stride;
      stride *= b.shape()[d];
    }
    for (int64_t m = batch * rowsPerBatch; m < (batch + 1) * rowsPerBatch; ++m)
      multiplyRow(&out[m * n], n, &x[m * k], &w[matrix * k * n], k);
  }
  assign(lanes, std::move(out));
}

template <typename T> static T combine(ReduceKind kind, T x, T y) {
  switch (kind) {
  case ReduceKind::Sum:
    return x + y;
  case ReduceKind::Prod:
    return x * y;
  case ReduceKind::Max:
    if constexpr (std::is_floating_point_v<T>)
      return std::isnan(x) ? x : std::isnan(y) ? y : std::max(x, y);
    return std::max(x, y);
  case ReduceKind::Min:
    if constexpr (std::is_floating_point_v<T>)
      return std::isnan(x) ? x : std::isnan(y) ? y : std::min(x, y);
    return std::min(x, y);
  }
  return x;
}

template <typename T> static T identity(ReduceKind kind) {
  using L = std::numeric_limits<T>;
  switch (kind) {
  case ReduceKind::Sum:
    return T(0);
  case ReduceKind::Prod:
    return T(1);
  case ReduceKind::Max:
    return L::has_infinity ? -L::infinity() : L::lowest();
  case ReduceKind::Min:
    return L::has_infinity ? L::infinity() : L::max();
  }
  return T(0);
}

/// Reduces values in order; with `lanes`, 16 partials and a fixed tree.
template <typename T> struct Reducer {
  ReduceKind kind;
  bool lanes;
  T partial[kLanes];
  int64_t count = 0;
  Reducer(ReduceKind kind, bool lanes) : kind(kind), lanes(lanes) {
    std::fill(partial, partial + kLanes, identity<T>(kind));
  }
  void add(T value) {
    T &p = partial[lanes ? count++ % kLanes : 0];
    p = combine(kind, p, value);
  }
  T result() {
    if (lanes)
      for (int64_t w = kLanes / 2; w; w /= 2)
        for (int64_t i = 0; i < w; ++i)
          partial[i] = combine(kind, partial[i], partial[i + w]);
    return partial[0];
  }
};

/// The box over kept dimensions and, inside, the box over reduced ones.
struct ReducedBox {
  Shape kept, keptStrides, reduced, reducedStrides;
  bool lanes;
  ReducedBox(ArrayRef<int64_t> shape, ArrayRef<int64_t> dims)
      : lanes(llvm::is_contained(dims, int64_t(shape.size()) - 1)) {
    Shape strides = rowMajorStrides(shape);
    for (int64_t d = 0; d < int64_t(shape.size()); ++d) {
      bool in = llvm::is_contained(dims, d);
      (in ? reduced : kept).push_back(shape[d]);
      (in ? reducedStrides : keptStrides).push_back(strides[d]);
    }
  }
};

template <typename T> static void reduce(ReduceOp op, const HostTensor &in, Lanes &lanes) {
  std::vector<T> x = toVector<T>(in);
  ReducedBox box(in.shape(), op.getDims());
  std::vector<T> out(elementCount(box.kept));
  walk(box.kept, box.keptStrides, 0, [&](int64_t i, int64_t base) {
    Reducer<T> r(op.getKind(), box.lanes);
    walk(box.reduced, box.reducedStrides, base, [&](int64_t, int64_t at) {
      T v = x[at];
      if (op.getSquare())
        v = v * v;
      if (op.getAbsolute())
        v = v < 0 ? -v : v;
      r.add(v);
    });
    out[i] = r.result();
  });
  assign(lanes, std::move(out));
}

template <typename T> static void normalize(NormalizeOp op, const HostTensor &in, Lanes &lanes) {
  std::vector<T> x = toVector<T>(in), out(x.size());
  ReducedBox box(in.shape(), op.getDims());
  T count = T(elementCount(box.reduced)), eps = T(op.getEps().convertToDouble());
  walk(box.kept, box.keptStrides, 0, [&](int64_t, int64_t base) {
    T mean = 0;
    if (!op.getRms()) {
      Reducer<T> sum(ReduceKind::Sum, box.lanes);
      walk(box.reduced, box.reducedStrides, base, [&](int64_t, int64_t at) { sum.add(x[at]); });
      mean = sum.result() / count;
    }
    Reducer<T> squares(ReduceKind::Sum, box.lanes);
    walk(box.reduced, box.reducedStrides, base, [&](int64_t, int64_t at) {
      T v = x[at] - mean;
      squares.add(v * v);
    });
    T factor = T(1) / std::sqrt(squares.result() / count + eps);
    walk(box.reduced, box.reducedStrides, base,
         [&](int64_t, int64_t at) { out[at] = (x[at] - mean) * factor; });
  });
  assign(lanes, std::move(out));
}

template <typename T> static void softmax(SoftmaxOp op, const HostTensor &in, Lanes &lanes) {
  std::vector<T> x = toVector<T>(in), out(x.size());
  int64_t n = in.shape().back();
  for (int64_t row = 0; n && row < in.size() / n; ++row) {
    const T *from = &x[row * n];
    T *to = &out[row * n];
    Reducer<T> top(ReduceKind::Max, true), sum(ReduceKind::Sum, true);
    for (int64_t i = 0; i < n; ++i)
      top.add(from[i]);
    T m = top.result();
    for (int64_t i = 0; i < n; ++i)
      sum.add(to[i] = std::exp(from[i] - m));
    T s = sum.result();
    for (int64_t i = 0; i < n; ++i)
      to[i] = op.getLog() ? (from[i] - m) - std::log(s) : to[i] * (T(1) / s);
  }
  assign(lanes, std::move(out));
}

template <typename T> static void pool(PoolOp op, const HostTensor &in, Lanes &lanes) {
  std::vector<T> x = toVector<T>(in);
  ArrayRef<int64_t> is = in.shape(), os = shapeOf(op.getResult()), kernel = op.getKernel(),
                    stride = op.getStrides(), pads = op.getPads(), dilation = op.getDilations();
  std::vector<T> out(elementCount(os), identity<T>(op.getKind()));
  for (int64_t n = 0; n < os[0]; ++n)
    for (int64_t oh = 0; oh < os[1]; ++oh)
      for (int64_t ow = 0; ow < os[2]; ++ow) {
        T *to = &out[((n * os[1] + oh) * os[2] + ow) * os[3]];
        for (int64_t kh = 0; kh < kernel[0]; ++kh)
          for (int64_t kw = 0; kw < kernel[1]; ++kw) {
            int64_t y = oh * stride[0] + kh * dilation[0] - pads[0];
            int64_t z = ow * stride[1] + kw * dilation[1] - pads[1];
            if (y < 0 || y >= is[1] || z < 0 || z >= is[2])
              continue;
            const T *from = &x[((n * is[1] + y) * is[2] + z) * is[3]];
            for (int64_t c = 0; c < is[3]; ++c)
              to[c] = combine(op.getKind(), to[c], op.getSquare() ? from[c] * from[c] : from[c]);
          }
      }
  assign(lanes, std::move(out));
}

/// Source element of each result element of gather; -1 where an index is out of range.
static Shape gatherOffsets(GatherOp op, const HostTensor &table, const HostTensor &indices) {
  int64_t rows = table.shape()[0], width = rows ? table.size() / rows : 0;
  Shape offsets;
  offsets.reserve(indices.size() * width);
  for (int64_t i = 0; i < indices.size(); ++i) {
    int64_t index = indices.getInt(i);
    index = index < 0 ? index + rows : index;
    for (int64_t j = 0; j < width; ++j)
      offsets.push_back(index < 0 || index >= rows ? -1 : index * width + j);
  }
  return offsets;
}

static LogicalResult padKernel(PadOp op, const HostTensor &in, Lanes &lanes) {
  HostTensor out(in.element(), shapeOf(op.getResult()));
  HostTensor fill(in.element(), {1});
  if (auto real = dyn_cast<FloatAttr>(op.getValue()))
    fill.setFloat(0, real.getValueAsDouble());
  else if (auto number = dyn_cast<IntegerAttr>(op.getValue()))
    fill.setInt(0, number.getValue().getSExtValue());
  else
    return op.emitOpError("evaluator: padding value is not a number");
  ArrayRef<int64_t> is = in.shape();
  Shape strides = rowMajorStrides(is), at(is.size(), 0);
  for (int64_t i = 0; i < out.size(); ++i) {
    int64_t rest = i, offset = 0;
    bool inside = true;
    for (int64_t d = int64_t(is.size()) - 1; d >= 0; --d) {
      int64_t v = rest % out.shape()[d] - op.getLow()[d];
      rest /= out.shape()[d];
      inside &= v >= 0 && v < is[d];
      offset += v * strides[d];
    }
    out.copyFrom(inside ? in : fill, inside ? offset : 0, i);
  }
  Shape all(llvm::seq<int64_t>(0, out.size()).begin(), llvm::seq<int64_t>(0, out.size()).end());
  loadLanes(out, all, lanes);
  return success();
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// base and strides with which a map walks an operand over the result's box.
static std::pair<int64_t, Shape> affineWalk(AffineMap map, ArrayRef<int64_t> operand) {
  Shape strides = rowMajorStrides(operand), zero(map.getNumDims(), 0), walk;
  auto offset = [&](ArrayRef<int64_t> point) {
    int64_t result = 0;
    SmallVector<AffineExpr> values;
    for (int64_t v : point)
      values.push_back(getAffineConstantExpr(v, map.getContext()));
    for (auto [d, expr] : llvm::enumerate(map.getResults()))
      if (auto c = dyn_cast<AffineConstantExpr>(expr.replaceDims(values)))
        result += c.getValue() * strides[d];
    return result;
  };
  int64_t base = offset(zero);
  for (unsigned d = 0; d < map.getNumDims(); ++d) {
    Shape unit(zero);
    unit[d] = 1;
    walk.push_back(offset(unit) - base);
  }
  return {base, walk};
}

template <typename T>
static void slide(std::vector<T> &to, const std::vector<T> &from, int64_t at, int64_t n) {
  if (!from.empty())
    to.assign(from.begin() + at, from.begin() + at + n);
}

static void storeLanes(HostTensor &out, const Lanes &lanes, int64_t at, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    if (out.element().isF64())
      out.setFloat(at + i, lanes.d[i]);
    else if (out.element().isF32())
      std::memcpy(out.data() + (at + i) * 4, &lanes.f[i], 4);
    else if (out.isFloat())
      out.setFloat(at + i, lanes.f[i]);
    else
      out.setInt(at + i, lanes.i[i]);
  }
}

/// Runs the body of `op` over the kernel's values (null: no kernel).
static FailureOr<HostTensor> runBody(Operation *op, const Lanes *kernel,
                                     ArrayRef<const HostTensor *> extras) {
  auto compute = cast<ComputeOpInterface>(op);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  HostTensor out(type.getElementType(), type.getShape());
  BodyProgram program(compute.getBody());
  if (!program.valid())
    return op->emitOpError("evaluator does not know ") << program.unknownOp()->getName();
  int64_t rank = type.getRank(), count = out.size();
  // A rank 0 result is one point.
  std::vector<std::pair<int64_t, Shape>> walks;
  for (auto [extra, map] : llvm::zip_equal(extras, compute.getMaps()))
    walks.push_back(affineWalk(cast<AffineMapAttr>(map).getValue(), extra->shape()));
  Shape point(rank, 0), offset;
  for (auto &[base, strides] : walks)
    offset.push_back(base);
  std::vector<Shape> offsets(extras.size());
  for (int64_t at = 0; at < count; at += kChunk) {
    int64_t n = std::min(kChunk, count - at);
    for (Shape &list : offsets)
      list.clear();
    for (int64_t i = 0; i < n; ++i) {
      for (size_t e = 0; e < extras.size(); ++e)
        offsets[e].push_back(offset[e]);
      for (int64_t d = rank - 1; d >= 0; --d) {
        bool carry = ++point[d] == type.getDimSize(d);
        for (size_t e = 0; e < extras.size(); ++e)
          offset[e] += walks[e].second[d] * (carry ? 1 - type.getDimSize(d) : 1);
        if (!carry)
          break;
        point[d] = 0;
      }
    }
    unsigned argument = 0;
    if (kernel) {
      Lanes &lanes = program.argument(argument++);
      slide(lanes.f, kernel->f, at, n);
      slide(lanes.d, kernel->d, at, n);
      slide(lanes.i, kernel->i, at, n);
    }
    for (size_t e = 0; e < extras.size(); ++e)
      loadLanes(*extras[e], offsets[e], program.argument(argument++));
    storeLanes(out, program.run(n), at, n);
  }
  return out;
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

static HostTensor evaluateView(Operation *op, const HostTensor &in) {
  Shape strides = rowMajorStrides(in.shape()), walk, shape(shapeOf(op->getResult(0)));
  if (auto transpose = dyn_cast<accel::TransposeOp>(op)) {
    for (int64_t d : transpose.getPerm())
      walk.push_back(strides[d]);
    return stridedCopy(in, 0, walk, shape);
  }
  if (auto slice = dyn_cast<accel::SliceOp>(op)) {
    int64_t base = 0;
    for (size_t d = 0; d < strides.size(); ++d) {
      base += slice.getOffsets()[d] * strides[d];
      walk.push_back(slice.getSteps()[d] * strides[d]);
    }
    return stridedCopy(in, base, walk, shape);
  }
  if (isa<accel::BroadcastOp>(op)) {
    for (size_t d = 0; d < strides.size(); ++d)
      walk.push_back(in.shape()[d] == 1 ? 0 : strides[d]);
    return stridedCopy(in, 0, walk, shape);
  }
  if (auto repeat = dyn_cast<accel::RepeatOp>(op)) {
    Shape split;
    for (size_t d = 0; d < strides.size(); ++d) {
      split.append({in.shape()[d], repeat.getFactors()[d]});
      walk.append({strides[d], 0});
    }
    return stridedCopy(in, 0, walk, split).reshaped(shape);
  }
  return in.reshaped(shape);
}

static HostTensor concatenate(ConcatOp op, ArrayRef<const HostTensor *> parts) {
  auto type = cast<RankedTensorType>(op.getType());
  HostTensor out(type.getElementType(), type.getShape());
  int64_t axis = op.getAxis(), bytes = elementBytes(out.element());
  int64_t outer = elementCount(type.getShape().take_front(axis));
  int64_t inner = elementCount(type.getShape().drop_front(axis + 1)) * bytes;
  int64_t row = type.getDimSize(axis) * inner, at = 0;
  for (const HostTensor *part : parts) {
    int64_t width = part->shape()[axis] * inner;
    for (int64_t i = 0; i < outer; ++i)
      std::memcpy(out.data() + i * row + at, part->bytes().data() + i * width, width);
    at += width;
  }
  return out;
}

//===----------------------------------------------------------------------===//
// Operations and functions
//===----------------------------------------------------------------------===//

LogicalResult Evaluator::run(Operation *op) {
  SmallVector<const HostTensor *> operands;
  for (Value operand : op->getOperands()) {
    const HostTensor *tensor = get(operand);
    if (!tensor)
      return op->emitOpError("evaluator: an operand has no value");
    operands.push_back(tensor);
  }
  auto give = [&](HostTensor tensor) {
    set(op->getResult(0), std::move(tensor));
    return success();
  };
  if (auto constant = dyn_cast<accel::ConstantOp>(op)) {
    auto type = cast<RankedTensorType>(constant.getType());
    PackAttr pack = constant.getPackAttr();
    auto source = pack ? cast<RankedTensorType>(pack.getSource().getValue()) : type;
    auto tensor = readConstant(constant.getValue(), source);
    if (!tensor)
      return op->emitOpError("evaluator: the constant's bytes cannot be read");
    if (!pack)
      return give(*tensor);
    auto packed = packConstant(*tensor, pack, type);
    return failed(packed) ? op->emitOpError("evaluator does not know this pack") : give(*packed);
  }
  if (isa<accel::TransposeOp, accel::ReshapeOp, accel::SliceOp, accel::RepeatOp,
          accel::BroadcastOp>(op))
    return give(evaluateView(op, *operands[0]));
  if (auto concat = dyn_cast<accel::ConcatOp>(op))
    return give(concatenate(concat, operands));
  auto compute = dyn_cast<ComputeOpInterface>(op);
  if (!compute)
    return op->emitOpError("evaluator: not an operation of the tensor form");

  size_t primary = compute.getPrimary().size();
  ArrayRef<const HostTensor *> extras = ArrayRef<const HostTensor *>(operands).drop_front(primary);
  Lanes lanes;
  LogicalResult known = success();
  bool hasKernel = primary > 0;
  if (hasKernel) {
    const HostTensor &in = *operands[0];
    withAccumulator(in.element(), [&](auto zero) {
      using T = decltype(zero);
      llvm::TypeSwitch<Operation *>(op)
          .Case([&](ConvOp o) { convolve<T>(o, in, *operands[1], lanes); })
          .Case([&](MatmulOp o) { multiply<T>(o, in, *operands[1], lanes); })
          .Case([&](ReduceOp o) { reduce<T>(o, in, lanes); })
          .Case([&](PoolOp o) { pool<T>(o, in, lanes); })
          .Case([&](SoftmaxOp o) {
            if constexpr (std::is_floating_point_v<T>)
              softmax<T>(o, in, lanes);
            else
              known = op->emitOpError("evaluator: softmax of integers");
          })
          .Case([&](NormalizeOp o) {
            if constexpr (std::is_floating_point_v<T>)
              normalize<T>(o, in, lanes);
            else
              known = op->emitOpError("evaluator: normalisation of integers");
          })
          .Case([&](GatherOp o) {
            Shape offsets = gatherOffsets(o, in, *operands[1]);
            if (llvm::is_contained(offsets, -1))
              known = op->emitOpError("index out of range");
            else
              loadLanes(in, offsets, lanes);
          })
          .Case([&](CopyOp) {
            Shape all(llvm::seq<int64_t>(0, in.size()).begin(),
                      llvm::seq<int64_t>(0, in.size()).end());
            loadLanes(in, all, lanes);
          })
          .Case([&](PadOp o) { known = padKernel(o, in, lanes); })
          .Default([&](Operation *) { known = op->emitOpError("evaluator: unknown operation"); });
    });
  }
  if (failed(known))
    return failure();
  auto result = runBody(op, hasKernel ? &lanes : nullptr, extras);
  return failed(result) ? failure() : give(std::move(*result));
}

static bool setConstants(Evaluator &evaluator, Value value, int64_t most, unsigned depth) {
  constexpr unsigned deepest = 12; // operations behind one another
  if (evaluator.get(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || depth > deepest || elementCount(shapeOf(value)) > most)
    return false;
  if (std::optional<HostTensor> tensor = constantOf(value))
    return evaluator.set(value, *tensor), true;
  return isa<MapOp, TransposeOp, ReshapeOp, SliceOp, RepeatOp, BroadcastOp>(op) &&
         llvm::all_of(
             op->getOperands(),
             [&](Value operand) { return setConstants(evaluator, operand, most, depth + 1); }) &&
         succeeded(evaluator.run(op));
}

std::optional<HostTensor> accel::constantsBehind(Value value, int64_t most) {
  ScopedDiagnosticHandler quiet(value.getContext(), [](Diagnostic &) { return success(); });
  Evaluator evaluator;
  if (!setConstants(evaluator, value, most, 0))
    return std::nullopt;
  return *evaluator.get(value);
}

FailureOr<std::vector<HostTensor>> accel::evaluate(func::FuncOp function,
                                                   ArrayRef<HostTensor> inputs) {
  Block &block = function.getBody().front();
  if (inputs.size() != block.getNumArguments())
    return function.emitError("takes ")
           << block.getNumArguments() << " inputs, got " << inputs.size();
  Evaluator evaluator;
  DenseMap<Value, int64_t> uses;
  for (auto [arg, input] : llvm::zip_equal(block.getArguments(), inputs)) {
    if (arg.getType() != input.tensorType())
      return function.emitError("input ") << arg.getArgNumber() << " must be " << arg.getType();
    evaluator.set(arg, input);
  }
  for (Operation &op : block.without_terminator()) {
    if (failed(evaluator.run(&op)))
      return failure();
    for (Value result : op.getResults())
      uses[result] = std::distance(result.use_begin(), result.use_end());
    for (Value operand : op.getOperands())
      if (auto found = uses.find(operand); found != uses.end() && --found->second == 0)
        evaluator.forget(operand);
  }
  std::vector<HostTensor> results;
  for (Value value : block.getTerminator()->getOperands()) {
    const HostTensor *tensor = evaluator.get(value);
    if (!tensor)
      return function.emitError("a result has no value");
    results.push_back(*tensor);
  }
  return results;
}

//===- Lowering.cpp - what lowerings build with ---------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Lowering.h"
#include "acc/Graph/Rebuild.h"

using namespace mlir;
using namespace accel;

ArrayRef<int64_t> accel::shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

Type accel::elementOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

Type accel::accumulatorType(Type storage) { return computeType(storage); }

Attribute accel::constantAttrOf(Value value) {
  Operation *op = value ? value.getDefiningOp() : nullptr;
  if (!op)
    return {};
  if (auto constant = dyn_cast<accel::ConstantOp>(op))
    return constant.getPack() ? Attribute() : constant.getValue();
  if (op->getName().getStringRef() == "onnx.Weight")
    return op->getAttr("value");
  return {};
}

std::optional<HostTensor> accel::constantOf(Value value) {
  Attribute attr = constantAttrOf(value);
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!attr || !type || !type.hasStaticShape())
    return std::nullopt;
  return readConstant(attr, type);
}

AffineMap accel::broadcastMap(ArrayRef<int64_t> operand, ArrayRef<int64_t> shape,
                              MLIRContext *context) {
  SmallVector<AffineExpr> exprs;
  size_t lead = shape.size() - operand.size();
  for (size_t d = 0; d < operand.size(); ++d)
    exprs.push_back(getAffineDimExpr(lead + d, context));
  return canonicalAccess(AffineMap::get(shape.size(), 0, exprs, context), operand, shape);
}

//===----------------------------------------------------------------------===//
// The node
//===----------------------------------------------------------------------===//

RankedTensorType Lowering::outType(unsigned position) const {
  return cast<RankedTensorType>(node.output(position).getType());
}

Lowering::Shape Lowering::outShape(unsigned position) const {
  return Shape(outType(position).getShape());
}

LogicalResult Lowering::refuse(const Twine &why, const Twine &what) {
  reason = why.str(), advice = what.str();
  return failure();
}

std::optional<HostTensor> Lowering::constantInput(unsigned position) const {
  return in(position) ? constantOf(in(position)) : std::nullopt;
}

std::optional<Lowering::Shape> Lowering::intsOf(StringRef attr, unsigned position) const {
  if (auto ints = node.getInts(attr))
    return ints;
  if (auto tensor = constantInput(position))
    return tensor->ints();
  return std::nullopt;
}

int64_t Lowering::axis(StringRef attr, int64_t missing, int64_t rank) const {
  int64_t axis = node.getInt(attr, missing);
  return axis < 0 ? axis + rank : axis;
}

//===----------------------------------------------------------------------===//
// Constants and views
//===----------------------------------------------------------------------===//

Value Lowering::constant(const HostTensor &tensor) {
  return constant(tensor.toAttr(), PackAttr(), tensor.tensorType());
}

Value Lowering::constant(Attribute value, PackAttr pack, RankedTensorType type) {
  return accel::ConstantOp::create(b, loc, type, value, pack);
}

Value Lowering::transpose(Value value, ArrayRef<int64_t> perm) {
  if (llvm::equal(perm, llvm::seq<int64_t>(0, perm.size())))
    return value;
  Shape shape;
  for (int64_t d : perm)
    shape.push_back(shapeOf(value)[d]);
  return accel::TransposeOp::create(b, loc, RankedTensorType::get(shape, elementOf(value)), value,
                                    perm);
}

Value Lowering::reshape(Value value, ArrayRef<int64_t> shape) {
  if (shapeOf(value) == shape)
    return value;
  auto type = RankedTensorType::get(shape, elementOf(value));
  if (Attribute attr = constantAttrOf(value)) {
    if (auto dense = dyn_cast<DenseElementsAttr>(attr))
      attr = dense.reshape(type);
    return constant(attr, PackAttr(), type);
  }
  if (auto view = value.getDefiningOp<accel::ReshapeOp>())
    return reshape(view.getInput(), shape);
  return accel::ReshapeOp::create(b, loc, type, value);
}

Value Lowering::slice(Value value, ArrayRef<int64_t> offsets, ArrayRef<int64_t> steps,
                      ArrayRef<int64_t> shape) {
  if (shapeOf(value) == shape && llvm::all_of(steps, [](int64_t s) { return s == 1; }))
    return value;
  return accel::SliceOp::create(b, loc, RankedTensorType::get(shape, elementOf(value)), value,
                                offsets, steps);
}

Value Lowering::broadcast(Value value, ArrayRef<int64_t> shape) {
  Shape ranked(shape.size() - shapeOf(value).size(), 1);
  llvm::append_range(ranked, shapeOf(value));
  value = reshape(value, ranked);
  if (shapeOf(value) == shape)
    return value;
  return accel::BroadcastOp::create(b, loc, RankedTensorType::get(shape, elementOf(value)), value);
}

Value Lowering::concat(ValueRange values, int64_t axis) {
  SmallVector<Value> kept;
  for (Value value : values)
    if (shapeOf(value)[axis] != 0)
      kept.push_back(value);
  if (kept.empty())
    return values[0];
  if (kept.size() == 1)
    return kept[0];
  Shape shape(shapeOf(kept[0]));
  for (Value value : ArrayRef<Value>(kept).drop_front())
    shape[axis] += shapeOf(value)[axis];
  return accel::ConcatOp::create(b, loc, RankedTensorType::get(shape, elementOf(kept[0])), kept,
                                 axis);
}

Value Lowering::pad(Value value, ArrayRef<int64_t> low, ArrayRef<int64_t> high, double fill) {
  Shape shape(shapeOf(value));
  bool any = false;
  for (size_t d = 0; d < shape.size(); ++d) {
    shape[d] += low[d] + high[d];
    any |= low[d] || high[d];
  }
  if (!any)
    return value;
  Type element = elementOf(value);
  Attribute filler =
      isa<FloatType>(element)
          ? Attribute(FloatAttr::get(element, fill))
          : Attribute(IntegerAttr::get(
                element, APInt(element.getIntOrFloatBitWidth(), int64_t(fill), true, true)));
  auto op = accel::PadOp::create(b, loc, RankedTensorType::get(shape, element), value, ValueRange(),
                                 b.getAffineMapArrayAttr({}), low, high, filler);
  fillBody(op.getBody(), element, {}, element, nullptr);
  return op;
}

//===----------------------------------------------------------------------===//
// Computation
//===----------------------------------------------------------------------===//

void Lowering::fillBody(Region &region, Type kernel, ValueRange extras, Type element, BodyFn body,
                        bool saturate) {
  OpBuilder::InsertionGuard guard(b);
  Block *block = b.createBlock(&region);
  if (kernel)
    block->addArgument(kernel, loc);
  for (Value extra : extras)
    block->addArgument(elementOf(extra), loc);
  ScalarBuilder scalars(b, loc);
  Value result;
  if (body) {
    SmallVector<Value> args;
    for (BlockArgument arg : block->getArguments())
      args.push_back(scalars.load(arg));
    result = body(scalars, args);
  } else {
    result = block->getArgument(0);
  }
  if (result.getType() != element && element.isInteger(1) && !saturate)
    result = scalars.cast(result, element);
  YieldOp::create(b, loc, ValueRange(scalars.store(result, element, saturate)));
}

Value Lowering::elementwise(Type element, ValueRange operands, BodyFn body, bool saturate) {
  size_t rank = 0;
  for (Value operand : operands)
    rank = std::max(rank, shapeOf(operand).size());
  Shape shape(rank, 1);
  for (Value operand : operands) {
    ArrayRef<int64_t> other = shapeOf(operand);
    for (size_t d = 0; d < other.size(); ++d)
      if (other[d] != 1)
        shape[rank - other.size() + d] = other[d];
  }
  return elementwise(RankedTensorType::get(shape, element), operands, body, saturate);
}

/// The one value of a constant whose elements are all equal.
static Attribute splatOf(Value value) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(constantAttrOf(value));
  return dense && dense.isSplat() ? dense.getSplatValue<Attribute>() : Attribute();
}

Value Lowering::elementwise(RankedTensorType type, ValueRange operands, BodyFn body,
                            bool saturate) {
  ArrayRef<int64_t> shape = type.getShape();
  SmallVector<Value> extras;
  SmallVector<AffineMap> maps;
  for (Value operand : operands) {
    if (splatOf(operand) || llvm::is_contained(extras, operand))
      continue;
    extras.push_back(operand);
    maps.push_back(broadcastMap(shapeOf(operand), shape, b.getContext()));
  }
  auto op = accel::MapOp::create(b, loc, type, extras, b.getAffineMapArrayAttr(maps));
  fillBody(
      op.getBody(), Type(), extras, type.getElementType(),
      [&](ScalarBuilder &s, ArrayRef<Value> args) {
        SmallVector<Value> values;
        for (Value operand : operands) {
          auto at = llvm::find(extras, operand);
          if (at != extras.end()) {
            values.push_back(args[at - extras.begin()]);
            continue;
          }
          Attribute splat = splatOf(operand);
          Type compute = computeType(elementOf(operand));
          if (auto real = dyn_cast<FloatAttr>(splat)) {
            values.push_back(s.constant(compute, real.getValueAsDouble()));
          } else {
            APInt bits = cast<IntegerAttr>(splat).getValue();
            bool isUnsigned = elementOf(operand).isUnsignedInteger() || compute.isInteger(1);
            values.push_back(
                s.integer(compute, isUnsigned ? bits.getZExtValue() : bits.getSExtValue()));
          }
        }
        return body(s, values);
      },
      saturate);
  return op;
}

Value Lowering::convertTo(Value value, Type element) {
  if (elementOf(value) == element)
    return value;
  return elementwise(element, {value}, [&](ScalarBuilder &s, ArrayRef<Value> v) {
    return s.cast(v[0], computeType(element));
  });
}

Value Lowering::matmul(Value lhs, Value rhs, bool transposeRhs, Type element, BodyFn body) {
  Shape shape(shapeOf(lhs));
  shape.back() = shapeOf(rhs)[shape.size() - (transposeRhs ? 2 : 1)];
  auto type = RankedTensorType::get(shape, element);
  auto op = accel::MatmulOp::create(b, loc, type, lhs, rhs, ValueRange(),
                                    b.getAffineMapArrayAttr({}), transposeRhs, 0, 0);
  fillBody(op.getBody(), accumulatorType(elementOf(lhs)), {}, element, body);
  return op;
}

Value Lowering::reduce(ReduceKind kind, Value value, ArrayRef<int64_t> dims, Type element,
                       BodyFn body, bool square, bool absolute) {
  Shape sorted(dims);
  llvm::sort(sorted);
  // Float sums go dimension by dimension, the innermost first: of the 25,600
  // elements of a picture 160 are added to one another, then 160 rows. The error of
  // a sum grows with the number of its terms.
  Type accumulator = accumulatorType(elementOf(value));
  bool bySteps = kind == ReduceKind::Sum && isa<FloatType>(accumulator);
  while (bySteps && sorted.size() > 1) {
    int64_t inner = sorted.pop_back_val();
    if (shapeOf(value)[inner] == 1)
      continue;
    value = reduce(kind, value, {inner}, accumulator, nullptr, square, absolute);
    square = absolute = false;
  }
  Shape shape(shapeOf(value));
  for (int64_t d : sorted)
    shape[d] = 1;
  auto op =
      accel::ReduceOp::create(b, loc, RankedTensorType::get(shape, element), value, ValueRange(),
                              b.getAffineMapArrayAttr({}), kind, sorted, square, absolute);
  fillBody(op.getBody(), accumulator, {}, element, body);
  return op;
}

Value Lowering::softmax(Value value, bool log, Type element) {
  auto op = accel::SoftmaxOp::create(b, loc, RankedTensorType::get(shapeOf(value), element), value,
                                     ValueRange(), b.getAffineMapArrayAttr({}), log);
  fillBody(op.getBody(), accumulatorType(elementOf(value)), {}, element, nullptr);
  return op;
}

Value Lowering::normalize(Value value, ArrayRef<int64_t> dims, double eps, bool rms, Type element) {
  Shape sorted(dims);
  llvm::sort(sorted);
  auto op = accel::NormalizeOp::create(b, loc, RankedTensorType::get(shapeOf(value), element),
                                       value, ValueRange(), b.getAffineMapArrayAttr({}), sorted,
                                       APFloat(eps), rms);
  fillBody(op.getBody(), accumulatorType(elementOf(value)), {}, element, nullptr);
  return op;
}

Value Lowering::gather(Value table, Value indices) {
  Shape shape(shapeOf(indices));
  llvm::append_range(shape, shapeOf(table).drop_front());
  Type element = elementOf(table);
  auto op = accel::GatherOp::create(b, loc, RankedTensorType::get(shape, element), table, indices,
                                    ValueRange(), b.getAffineMapArrayAttr({}));
  fillBody(op.getBody(), element, {}, element, nullptr);
  return op;
}

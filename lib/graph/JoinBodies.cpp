//===- JoinBodies.cpp - the bodies of two operations become one -----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Fusion.h"
#include "acc/Graph/Lowering.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace accel;

/// Whether a conversion clamps, between two limits that are constants of the body.
static bool clamps(ConvertOp convert) {
  auto to = dyn_cast<IntegerType>(convert.getType());
  return to && to.getWidth() <= 16 && convert.getSaturate();
}

/// Steps of the vector unit (docs/isa.md) that one operation of a body becomes.
static unsigned stepsOf(Operation &op) {
  auto convert = dyn_cast<ConvertOp>(op);
  if (!convert)
    return 1;
  Type from = convert.getIn().getType(), to = convert.getType();
  if (clamps(convert)) { // two limits, a conversion, and rounding if that is to be done
    Operation *def = convert.getIn().getDefiningOp();
    if (auto sum = dyn_cast_or_null<arith::AddFOp>(def)) // a zero point
      def = sum.getLhs().getDefiningOp();
    return !isa<FloatType>(from) ? 2 : isa_and_nonnull<math::RoundEvenOp>(def) ? 3 : 4;
  }
  if (isa<IntegerType>(from) && computeType(from) == computeType(to))
    return 0;
  return 1;
}

unsigned accel::bodySteps(Operation *op) {
  Block &block = cast<ComputeOpInterface>(op).getBody().front();
  unsigned steps = 0;
  SmallVector<Type> limits;
  for (Operation &inner : block.without_terminator()) {
    steps += stepsOf(inner);
    auto convert = dyn_cast<ConvertOp>(inner);
    if (convert && clamps(convert) && !llvm::is_contained(limits, convert.getType()))
      limits.push_back(convert.getType());
  }
  return steps + 2 * limits.size();
}

namespace {
/// Extras of the joined operation; equal ones (same tensor, same map) are one.
struct Joined {
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  unsigned add(Value value, AffineMap map) {
    for (unsigned i = 0; i < values.size(); ++i)
      if (values[i] == value && maps[i] == map)
        return i;
    values.push_back(value), maps.push_back(map);
    return values.size() - 1;
  }
};
} // namespace

static AffineMap mapAt(ArrayAttr maps, unsigned index) {
  return cast<AffineMapAttr>(maps[index]).getValue();
}

/// x of a conversion f32 -> f16 or bf16 -> f32: a narrow tensor between two
/// operations that join is never stored, so it is not rounded either.
static Value beforeNarrowing(ConvertOp widening, IRMapping &mapping) {
  auto narrowing = mapping.lookupOrDefault(widening.getIn()).getDefiningOp<ConvertOp>();
  if (!narrowing || !isa<Float16Type, BFloat16Type>(narrowing.getType()) ||
      narrowing.getIn().getType() != widening.getType())
    return nullptr;
  return narrowing.getIn();
}

/// Copies the operations of `from` without its terminator; returns what it yields.
static Value copyBody(OpBuilder &b, Block &from, IRMapping &mapping) {
  for (Operation &op : from.without_terminator()) {
    auto convert = dyn_cast<ConvertOp>(op);
    if (Value wide = convert ? beforeNarrowing(convert, mapping) : Value())
      mapping.map(convert.getOut(), wide);
    else
      b.clone(op, mapping);
  }
  return mapping.lookupOrDefault(from.getTerminator()->getOperand(0));
}

static Location fusedLoc(Operation *x, Operation *y) {
  return FusedLoc::get(x->getContext(), {x->getLoc(), y->getLoc()});
}

Operation *accel::fuseIntoProducer(Operation *producer, MapOp consumer) {
  auto compute = cast<ComputeOpInterface>(producer);
  Value between = producer->getResult(0);
  OperandRange primary = compute.getPrimary();
  Joined joined;
  for (auto [i, extra] : llvm::enumerate(compute.getExtras()))
    joined.add(extra, mapAt(compute.getMaps(), i));
  SmallVector<int64_t> place; // of the consumer's operands among the extras
  for (auto [i, extra] : llvm::enumerate(consumer.getExtras()))
    place.push_back(extra == between ? int64_t(-1)
                                     : int64_t(joined.add(extra, mapAt(consumer.getMaps(), i))));

  OpBuilder b(consumer);
  OperationState state(fusedLoc(producer, consumer), producer->getName());
  state.addOperands(primary);
  state.addOperands(joined.values);
  state.addTypes(consumer.getType());
  NamedAttrList attrs(producer->getAttrDictionary());
  attrs.set("maps", b.getAffineMapArrayAttr(joined.maps));
  state.addAttributes(attrs.getAttrs());
  state.addRegion();
  Operation *made = b.create(state);

  Block &first = compute.getBody().front(), &second = consumer.getBody().front();
  unsigned leading = first.getNumArguments() - compute.getExtras().size();
  Block *block = b.createBlock(&made->getRegion(0));
  IRMapping mapping;
  for (unsigned i = 0; i < leading; ++i)
    mapping.map(first.getArgument(i),
                block->addArgument(first.getArgument(i).getType(), made->getLoc()));
  for (Value value : joined.values)
    block->addArgument(elementOf(value), made->getLoc());
  for (unsigned i = 0; i < compute.getExtras().size(); ++i) {
    unsigned at = 0;
    while (joined.values[at] != compute.getExtras()[i] ||
           joined.maps[at] != mapAt(compute.getMaps(), i))
      ++at;
    mapping.map(first.getArgument(leading + i), block->getArgument(leading + at));
  }
  b.setInsertionPointToEnd(block);
  Value value = copyBody(b, first, mapping);
  for (auto [i, at] : llvm::enumerate(place))
    mapping.map(second.getArgument(i), at < 0 ? value : Value(block->getArgument(leading + at)));
  Value result = copyBody(b, second, mapping);
  YieldOp::create(b, made->getLoc(), ValueRange(result));
  return made;
}

MapOp accel::fuseIntoConsumer(MapOp producer, MapOp consumer, unsigned index) {
  Value between = producer.getResult();
  AffineMap access = mapAt(consumer.getMaps(), index);
  Joined joined;
  SmallVector<int64_t> place, inner;
  for (auto [i, extra] : llvm::enumerate(consumer.getExtras()))
    place.push_back(extra == between ? int64_t(-1)
                                     : int64_t(joined.add(extra, mapAt(consumer.getMaps(), i))));
  for (auto [i, extra] : llvm::enumerate(producer.getExtras()))
    inner.push_back(joined.add(extra, mapAt(producer.getMaps(), i).compose(access)));

  OpBuilder b(consumer);
  Location loc = fusedLoc(producer, consumer);
  auto made = MapOp::create(b, loc, consumer.getType(), joined.values,
                            b.getAffineMapArrayAttr(joined.maps));
  Block &first = producer.getBody().front(), &second = consumer.getBody().front();
  Block *block = b.createBlock(&made.getBody());
  for (Value value : joined.values)
    block->addArgument(elementOf(value), loc);
  IRMapping mapping;
  for (auto [i, at] : llvm::enumerate(inner))
    mapping.map(first.getArgument(i), block->getArgument(at));
  b.setInsertionPointToEnd(block);
  Value value = copyBody(b, first, mapping);
  for (auto [i, at] : llvm::enumerate(place))
    mapping.map(second.getArgument(i), at < 0 ? value : Value(block->getArgument(at)));
  Value result = copyBody(b, second, mapping);
  YieldOp::create(b, loc, ValueRange(result));
  return made;
}

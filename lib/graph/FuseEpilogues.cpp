//===- FuseEpilogues.cpp - elementwise code into producers ----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One sweep in program order: each map first takes in the maps that only it
// reads, then moves behind a reshape if that brings it next to its producer,
// then joins that producer. What a map became is looked at by its own consumers
// later in the sweep, so chains of any length collapse.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Fusion.h"
#include "acc/Graph/Interpret.h"
#include "acc/Graph/Lowering.h"
#include "acc/Graph/Passes.h"
#include "acc/Graph/Rebuild.h"
#include "accel/Forms.h"

using namespace mlir;

namespace accel {
#define GEN_PASS_DEF_FUSEEPILOGUES
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace accel;

static bool onlyUsedBy(Value value, Operation *user) {
  return llvm::all_of(value.getUsers(), [&](Operation *other) { return other == user; });
}

static AffineMap mapAt(ArrayAttr maps, unsigned index) {
  return cast<AffineMapAttr>(maps[index]).getValue();
}

/// Streams of a body, or scalar code, that no engine instruction takes.
static bool fits(Operation *op) {
  auto compute = cast<ComputeOpInterface>(op);
  unsigned limit = compute.getPrimary().empty() ? kMaxExtras + 1 : kMaxExtras;
  return compute.getExtras().size() <= limit && bodySteps(op) <= kMaxBodySteps;
}

/// Puts `joined` in the place of `consumer` if it fits, else removes it.
static Operation *commit(Operation *joined, MapOp consumer, Operation *producer) {
  // Merging may need a placeholder user: it replaces uses, so there are none yet.
  Operation *merged = mergeConstants(joined);
  cleanBody(merged->getRegion(0).front());
  if (!fits(merged)) {
    merged->erase();
    return nullptr;
  }
  consumer.getResult().replaceAllUsesWith(merged->getResult(0));
  consumer.erase();
  if (producer->use_empty())
    producer->erase();
  return merged;
}

/// A map that only widens its elements (a dequantisation): every consumer does
/// that itself, so that the narrow tensor is what moves.
static bool onlyWidens(MapOp map) {
  int64_t reads = 0;
  for (Value extra : map.getExtras())
    if (!extra.getDefiningOp<accel::ConstantOp>())
      reads += elementCount(shapeOf(extra)) * elementBytes(elementOf(extra));
  return bodySteps(map) <= 6 &&
         reads < elementCount(shapeOf(map.getResult())) * elementBytes(elementOf(map.getResult()));
}

/// The one map that reads every element of this one once; null if there is none.
static MapOp onlyMapThatReads(MapOp map) {
  if (!map.getResult().hasOneUse())
    return nullptr;
  OpOperand &use = *map.getResult().use_begin();
  auto consumer = dyn_cast<MapOp>(use.getOwner());
  bool isWhole = consumer && mapAt(consumer.getMaps(), use.getOperandNumber()).isPermutation();
  return isWhole ? consumer : nullptr;
}

static int64_t elementBytesOf(Value value) { return elementBytes(elementOf(value)); }

/// A map whose result is quantised by the next one. The two join before anything else:
/// where a chain of them is too long for one body it is cut at a narrow tensor.
static bool consumerNarrows(MapOp map) {
  MapOp consumer = onlyMapThatReads(map);
  return consumer && elementBytesOf(consumer.getResult()) < elementBytesOf(map.getResult()) &&
         bodySteps(map) + bodySteps(consumer) <= kMaxBodySteps;
}

/// A widening map beside its consumers: then the narrow tensor is what lies between
/// two groups. Maps take it in, a kernel stands in a group with it. (A few values are
/// not worth an operation of their own.)
static bool staysWide(MapOp map) {
  constexpr int64_t few = 4096; // bytes
  if (!onlyWidens(map) || map.getResult().use_empty())
    return false;
  bool isSmall = elementCount(shapeOf(map.getResult())) * elementBytesOf(map.getResult()) <= few;
  return llvm::all_of(map.getResult().getUses(), [&](OpOperand &use) {
    auto consumer = dyn_cast<MapOp>(use.getOwner());
    if (!consumer)
      return !isSmall && isa<ComputeOpInterface>(use.getOwner());
    return mapAt(consumer.getMaps(), use.getOperandNumber()).isPermutation();
  });
}

/// Takes in maps that only this one reads, without computing an element twice.
static MapOp absorbMaps(MapOp map) {
  if (staysWide(map))
    return map;
  bool isInside = consumerNarrows(map);
  for (unsigned i = 0; i < map.getExtras().size();) {
    auto producer = map.getExtras()[i].getDefiningOp<MapOp>();
    if (isInside && producer &&
        elementBytesOf(producer.getResult()) < elementBytesOf(map.getResult()))
      producer = nullptr; // the consumer does, with this map
    AffineMap access = mapAt(map.getMaps(), i);
    bool once = llvm::count(map.getExtras(), map.getExtras()[i]) == 1;
    // A permutation reads every element once.
    if (producer && once && (onlyUsedBy(producer.getResult(), map) || onlyWidens(producer)) &&
        access.isPermutation() && bodySteps(producer) + bodySteps(map) <= 2 * kMaxBodySteps)
      if (Operation *joined = commit(fuseIntoConsumer(producer, map, i), map, producer)) {
        map = cast<MapOp>(joined);
        i = 0;
        continue;
      }
    ++i;
  }
  return map;
}

/// Joins the last of the kernels that only this map reads.
static void joinProducer(MapOp map) {
  Operation *best = nullptr;
  for (unsigned i = 0; i < map.getExtras().size(); ++i) {
    Value operand = map.getExtras()[i];
    Operation *producer = operand.getDefiningOp();
    if (!producer || !isa<ConvOp, MatmulOp, ReduceOp, PoolOp, SoftmaxOp, NormalizeOp>(producer) ||
        !onlyUsedBy(operand, map) || !mapAt(map.getMaps(), i).isIdentity() ||
        llvm::count(map.getExtras(), operand) != 1 || shapeOf(operand) != shapeOf(map.getResult()))
      continue;
    if (!best || best->isBeforeInBlock(producer))
      best = producer;
  }
  if (best)
    commit(fuseIntoProducer(best, map), map, best);
}

/// Puts the values of a map of constants in its place.
static bool foldMap(MapOp map) {
  constexpr int64_t mostRead = 1 << 20; // a part of a larger constant
  if (elementCount(shapeOf(map.getResult())) > kFoldLimit)
    return false;
  std::optional<HostTensor> tensor = constantsBehind(map.getResult(), mostRead);
  if (!tensor)
    return false;
  OpBuilder b(map);
  map.getResult().replaceAllUsesWith(accel::ConstantOp::create(
      b, map.getLoc(), tensor->tensorType(), tensor->toAttr(), PackAttr()));
  map.erase();
  return true;
}

static void visitMap(MapOp map) {
  map = cast<MapOp>(mergeConstants(map));
  map = absorbMaps(map);
  for (Value extra : SmallVector<Value>(map.getExtras()))
    if (auto producer = extra.getDefiningOp<MapOp>(); producer && consumerNarrows(producer))
      joinProducer(producer); // it waited for this map, which had no room
  if (SmallVector<MapOp> parts = moveBeforeConcat(map); !parts.empty()) {
    for (MapOp part : parts)
      if (!foldMap(part))
        visitMap(part);
    return;
  }
  if (MapOp moved = moveBeforeViews(map))
    map = absorbMaps(moved);
  else if (MapOp moved = moveBeforeReshape(map))
    map = absorbMaps(moved);
  if (!staysWide(map) && !consumerNarrows(map))
    joinProducer(map);
}

/// Whether the value is a part of a concatenation, by itself or through a map of its
/// elements that takes in a map before it.
static bool isPart(Value value) {
  if (!value.hasOneUse())
    return false;
  OpOperand &use = *value.use_begin();
  if (auto map = dyn_cast<MapOp>(use.getOwner());
      map && mapAt(map.getMaps(), use.getOperandNumber()).isIdentity() && map->hasOneUse())
    return isa<ConcatOp>(*map->user_begin());
  return isa<ConcatOp>(use.getOwner());
}

/// Repeats along several dimensions are one. A map of narrow elements, or of a part
/// of a concatenation, is computed behind the view that repeats it.
static void visitRepeat(accel::RepeatOp repeat) {
  if (auto inner = repeat.getInput().getDefiningOp<accel::RepeatOp>()) {
    SmallVector<int64_t> factors(inner.getFactors());
    for (auto [factor, outer] : llvm::zip_equal(factors, repeat.getFactors()))
      factor *= outer;
    repeat.setFactors(factors);
    repeat.getInputMutable().assign(inner.getInput());
    if (inner->use_empty())
      inner.erase();
  }
  auto map = repeat.getInput().getDefiningOp<MapOp>();
  if (map && (isPart(repeat.getResult()) || onlyWidens(map)))
    moveBehindRepeat(repeat);
}

/// reshape(reshape(x)) = reshape(x), and none if the shape is x's. What nothing reads
/// any more goes at once: x is to have one reader, that maps find it.
static void visitReshape(accel::ReshapeOp op) {
  SmallVector<accel::ReshapeOp> chain = {op};
  while (auto inner = chain.back().getInput().getDefiningOp<accel::ReshapeOp>())
    chain.push_back(inner);
  Value input = chain.back().getInput();
  if (input.getType() == op.getType())
    op.getResult().replaceAllUsesWith(input);
  else
    op.getInputMutable().assign(input);
  for (accel::ReshapeOp view : chain)
    if (view->use_empty())
      view.erase();
}

/// Rows are the same in another shape: softmax(reshape(x)) = reshape(softmax(x))
/// where the last dimension stays. Between two products both reshapes vanish.
static void visitRows(Operation *op) {
  auto view = op->getOperand(0).getDefiningOp<accel::ReshapeOp>();
  auto compute = cast<ComputeOpInterface>(op);
  if (!view || !compute.getExtras().empty())
    return;
  ArrayRef<int64_t> from = shapeOf(view.getInput()), to = shapeOf(op->getResult(0));
  int64_t last = int64_t(to.size()) - 1;
  if (from.empty() || to.empty() || from.back() != to.back() || from.size() > 6)
    return;
  OpBuilder b(op);
  SmallVector<NamedAttribute> changed;
  if (auto normalize = dyn_cast<NormalizeOp>(op)) {
    if (normalize.getDims() != ArrayRef<int64_t>{last})
      return;
    changed.push_back(b.getNamedAttr("dims", b.getDenseI64ArrayAttr({int64_t(from.size()) - 1})));
  }
  Value result = op->getResult(0);
  Operation *made =
      rebuild(op, view.getInput(), RankedTensorType::get(from, elementOf(result)), changed);
  Value back = accel::ReshapeOp::create(b, op->getLoc(), result.getType(), made->getResult(0));
  result.replaceAllUsesWith(back);
  op->erase();
}

namespace {
struct FuseEpilogues : accel::impl::FuseEpiloguesBase<FuseEpilogues> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Tensor);
    if (failed(main))
      return signalPassFailure();
    Block &block = main->getBody().front();
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto map = dyn_cast<MapOp>(op))
        visitMap(map);
      else if (auto reshape = dyn_cast<accel::ReshapeOp>(op))
        visitReshape(reshape);
      else if (auto repeat = dyn_cast<accel::RepeatOp>(op))
        visitRepeat(repeat);
      else if (isa<SoftmaxOp, NormalizeOp>(op))
        visitRows(&op);
    }
    eraseUnused(block);
    forgetExactConstants(*main);
  }
};
} // namespace

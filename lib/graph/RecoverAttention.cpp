//===- RecoverAttention.cpp - attention in one form -----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   scores = matmul(Q, K);  weights = softmax(maps(scores));  matmul(maps(weights), V)
//
// Around such a pair of products, whatever the exporter wrote:
//
//   (c Q) (d K) = cd (Q K)             factors move behind the product
//   a constant mask that depends on column - row only is a comparison of positions
//   a map that only makes the mask joins the map that applies it
//   K and V that are repeated over heads are read where they lie, with more batches
//
// Maps then join the product and the softmax (fuse-epilogues), and a transposed K
// becomes `transpose_b` (propagate-transposes). Moving factors changes rounding,
// in the same way on every target.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Fusion.h"
#include "acc/Graph/Interpret.h"
#include "acc/Graph/Lowering.h"
#include "acc/Graph/Passes.h"
#include "acc/Graph/Rebuild.h"
#include "accel/Forms.h"

#include "mlir/IR/IRMapping.h"
#include <cmath>

using namespace mlir;

namespace accel {
#define GEN_PASS_DEF_RECOVERATTENTION
#include "acc/Graph/Passes.h.inc"
} // namespace accel
using namespace accel;

using Shape = SmallVector<int64_t>;

/// Operations between a product and its softmax, and views of a weight.
static constexpr unsigned kMaxDepth = 12;
/// Scalar operations that are cheaper to repeat for each score than to store.
static constexpr unsigned kMaskSteps = 6;
/// Elements of a mask that is worth looking at.
static constexpr int64_t kMaxMask = int64_t(1) << 24;

static AffineMap accessOf(MapOp map, unsigned index) {
  return cast<AffineMapAttr>(map.getMaps()[index]).getValue();
}

static bool isView(Operation *op) {
  return isa_and_nonnull<accel::TransposeOp, accel::ReshapeOp, accel::SliceOp, accel::RepeatOp,
                         accel::BroadcastOp>(op);
}

namespace {
/// A map on the way from a product to its softmax, and its operand on that way.
struct ScoreMap {
  MapOp map;
  Value scores;
};
} // namespace

/// The operation of kind T whose rows `value` holds, through reshapes that keep
/// rows and maps that keep the shape. `maps` gets the maps, the last one first.
template <typename T>
static T behind(Value value, SmallVectorImpl<ScoreMap> &maps, unsigned depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || depth > kMaxDepth)
    return nullptr;
  if (auto found = dyn_cast<T>(op))
    return found;
  if (auto view = dyn_cast<accel::ReshapeOp>(op)) {
    ArrayRef<int64_t> from = shapeOf(view.getInput()), to = shapeOf(value);
    bool keepsRows = !from.empty() && !to.empty() && from.back() == to.back();
    return keepsRows ? behind<T>(view.getInput(), maps, depth + 1) : T();
  }
  auto map = dyn_cast<MapOp>(op);
  if (!map)
    return nullptr;
  for (unsigned i = 0; i < map.getExtras().size(); ++i) {
    if (!accessOf(map, i).isIdentity() || shapeOf(map.getExtras()[i]) != shapeOf(value))
      continue;
    size_t before = maps.size();
    maps.push_back({map, map.getExtras()[i]});
    if (T found = behind<T>(map.getExtras()[i], maps, depth + 1))
      return found;
    maps.truncate(before);
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

/// c of a map x -> x * c that keeps the element type.
static std::optional<double> factorOf(MapOp map) {
  if (map.getExtras().size() != 1 || !accessOf(map, 0).isIdentity() ||
      map.getExtras()[0].getType() != map.getType() ||
      !isa<FloatType>(map.getType().getElementType()))
    return std::nullopt;
  double factor = 1;
  Value value = map.getBody().front().getTerminator()->getOperand(0);
  while (Operation *step = value.getDefiningOp()) {
    if (auto convert = dyn_cast<ConvertOp>(step)) {
      value = convert.getIn();
      continue;
    }
    if (!isa<arith::MulFOp, arith::DivFOp>(step))
      return std::nullopt;
    bool constantLeft = isa<arith::MulFOp>(step) && step->getOperand(0).getDefiningOp() &&
                        isa<arith::ConstantOp>(step->getOperand(0).getDefiningOp());
    auto constant = step->getOperand(constantLeft ? 0 : 1).getDefiningOp<arith::ConstantOp>();
    auto number = constant ? dyn_cast<FloatAttr>(constant.getValue()) : FloatAttr();
    if (!number)
      return std::nullopt;
    double c = number.getValueAsDouble();
    factor = isa<arith::MulFOp>(step) ? factor * c : factor / c;
    value = step->getOperand(constantLeft ? 1 : 0);
  }
  return std::isfinite(factor) ? std::optional(factor) : std::nullopt;
}

/// `value` without the factors that are applied to it, null if there are none.
static Value withoutFactors(OpBuilder &b, Value value, double &factor) {
  Operation *op = value.getDefiningOp();
  if (auto map = dyn_cast_or_null<MapOp>(op)) {
    std::optional<double> own = factorOf(map);
    if (!own)
      return nullptr;
    factor *= *own;
    Value inner = withoutFactors(b, map.getExtras()[0], factor);
    return inner ? inner : map.getExtras()[0];
  }
  if (!isView(op))
    return nullptr;
  Value inner = withoutFactors(b, op->getOperand(0), factor);
  if (!inner)
    return nullptr;
  IRMapping mapping;
  mapping.map(op->getOperand(0), inner);
  return b.clone(*op, mapping)->getResult(0);
}

static void moveFactorsBehind(MatmulOp product) {
  if (!isa<FloatType>(elementOf(product.getInput())))
    return;
  OpBuilder b(product);
  double factor = 1;
  bool found = false;
  for (OpOperand *operand : {&product.getInputMutable(), &product.getWeightMutable()})
    if (Value bare = withoutFactors(b, operand->get(), factor))
      operand->set(bare), found = true;
  if (!found)
    return;
  b.setInsertionPointAfter(product);
  Location loc = product.getLoc();
  Value scores = product.getResult();
  int64_t rank = shapeOf(scores).size();
  auto identity = AffineMap::getMultiDimIdentityMap(rank, b.getContext());
  auto map = MapOp::create(b, loc, scores.getType(), scores, b.getAffineMapArrayAttr({identity}));
  Block *body = b.createBlock(&map.getBody());
  ScalarBuilder s(b, loc);
  Value x = s.load(body->addArgument(elementOf(scores), loc));
  Value scaled = s.store(s.mul(x, s.like(x, factor)), elementOf(scores));
  YieldOp::create(b, loc, ValueRange(scaled));
  scores.replaceAllUsesExcept(map.getResult(), map);
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

namespace {
/// A matrix whose elements depend on d = column - row only: `inside` for
/// low <= d <= high, else `outside`. Open ends have no low or high.
struct Band {
  std::optional<int64_t> low, high;
  TypedAttr inside, outside; // of the compute type
};
} // namespace

static TypedAttr elementAttr(const HostTensor &tensor, int64_t index) {
  Type compute = computeType(tensor.element());
  if (isa<FloatType>(compute))
    return FloatAttr::get(compute, tensor.getFloat(index));
  return IntegerAttr::get(compute, APInt(compute.getIntOrFloatBitWidth(), tensor.getInt(index),
                                         /*isSigned=*/true, /*implicitTrunc=*/true));
}

static std::optional<Band> bandOf(const HostTensor &tensor) {
  int64_t rows = tensor.shape()[tensor.rank() - 2], columns = tensor.shape().back();
  bool real = tensor.isFloat();
  auto equal = [&](int64_t x, int64_t y) {
    return real ? tensor.getFloat(x) == tensor.getFloat(y) : tensor.getInt(x) == tensor.getInt(y);
  };
  for (int64_t i = 1; i < rows; ++i)
    for (int64_t j = 1; j < columns; ++j)
      if (!equal(i * columns + j, (i - 1) * columns + j - 1))
        return std::nullopt;
  // Along the first column upwards, then the first row: runs of equal values.
  SmallVector<std::pair<int64_t, int64_t>> runs; // first d, an element
  for (int64_t d = 1 - rows; d < columns; ++d) {
    int64_t at = d < 0 ? -d * columns : d;
    if (runs.empty() || !equal(at, runs.back().second))
      runs.push_back({d, at});
    if (runs.size() > 3)
      return std::nullopt;
  }
  Band band;
  unsigned inside = runs.size() == 3 ? 1 : 0;
  if (runs.size() == 3 && !equal(runs[0].second, runs[2].second))
    return std::nullopt;
  band.inside = elementAttr(tensor, runs[inside].second);
  band.outside = elementAttr(tensor, runs.back().second);
  if (inside)
    band.low = runs[1].first;
  if (runs.size() > 1)
    band.high = runs[inside + 1].first - 1;
  return band;
}

namespace {
class MaskedScores {
public:
  /// Rewrites what the map reads beside the scores.
  void rewrite(ScoreMap score);

private:
  /// Of operands seen before: models mask every layer alike.
  llvm::DenseMap<Value, std::optional<Band>> bands;

  std::optional<Band> findBand(MapOp map, unsigned index);
  static MapOp comparePositions(MapOp map, unsigned index, const Band &band);
  static MapOp joinMask(MapOp map, unsigned index);
};
} // namespace

std::optional<Band> MaskedScores::findBand(MapOp map, unsigned index) {
  Value mask = map.getExtras()[index];
  ArrayRef<int64_t> shape = shapeOf(map.getResult()), own = shapeOf(mask);
  unsigned rank = shape.size();
  if (rank < 2 || own.size() < 2 || !elementCount(own) ||
      elementCount(own) != shape[rank - 2] * shape[rank - 1] ||
      own[own.size() - 2] != shape[rank - 2] || own.back() != shape[rank - 1])
    return std::nullopt;
  AffineMap access = accessOf(map, index);
  for (unsigned back : {1u, 2u})
    if (own[own.size() - back] != 1 &&
        access.getResult(own.size() - back) != getAffineDimExpr(rank - back, map.getContext()))
      return std::nullopt;
  auto [known, isNew] = bands.try_emplace(mask);
  if (!isNew)
    return known->second;
  std::optional<Band> band;
  if (std::optional<HostTensor> tensor = constantsBehind(mask, kMaxMask))
    band = bandOf(*tensor);
  return bands[mask] = band;
}

/// A row's position one beyond its last column inside, and the column's own, take
/// the place of the mask: column < end, and end - column <= width.
MapOp MaskedScores::comparePositions(MapOp map, unsigned index, const Band &band) {
  ArrayRef<int64_t> shape = shapeOf(map.getResult());
  int64_t rows = shape[shape.size() - 2], columns = shape.back();
  Block &before = map.getBody().front();
  BlockArgument mask = before.getArgument(index);
  Type compute = computeType(mask.getType());
  for (Operation *user : mask.getUsers()) // the value comes as a compute type
    if (compute != mask.getType() &&
        (!isa<ConvertOp>(user) || user->getResult(0).getType() != compute))
      return nullptr;
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  auto add = [&](Value value, AffineMap access) {
    operands.push_back(value), maps.push_back(access);
  };
  for (unsigned i = 0; i < map.getExtras().size(); ++i)
    if (i != index)
      add(map.getExtras()[i], accessOf(map, i));
  OpBuilder b(map);
  Location loc = map.getLoc();
  auto addPositions = [&](ArrayRef<int64_t> own, int64_t first) {
    HostTensor positions(b.getI32Type(), own);
    for (int64_t i = 0; i < positions.size(); ++i)
      positions.setInt(i, first + i);
    Value constant =
        accel::ConstantOp::create(b, loc, positions.tensorType(), positions.toAttr(), PackAttr());
    add(constant, broadcastMap(own, shape, b.getContext()));
  };
  if (band.high) {
    addPositions({rows, 1}, *band.high + 1);
    addPositions({1, columns}, 0);
  }
  if (operands.size() > kMaxExtras + 1)
    return nullptr;
  auto made = MapOp::create(b, loc, map.getType(), operands, b.getAffineMapArrayAttr(maps));
  Block *body = b.createBlock(&made.getBody());
  IRMapping mapping;
  for (Value operand : operands)
    body->addArgument(elementOf(operand), loc);
  for (unsigned i = 0, at = 0; i < before.getNumArguments(); ++i)
    if (i != index)
      mapping.map(before.getArgument(i), body->getArgument(at++));
  ScalarBuilder s(b, loc);
  Value value = arith::ConstantOp::create(b, loc, band.inside);
  if (band.high) {
    Value end = body->getArgument(operands.size() - 2), column = body->getArguments().back();
    Value inside = s.compare(ScalarBuilder::Compare::Lt, column, end);
    if (band.low) {
      Value left = s.sub(end, column),
            width = s.integer(b.getI32Type(), *band.high - *band.low + 1);
      inside = s.logicalAnd(inside, s.compare(ScalarBuilder::Compare::Le, left, width));
    }
    auto truth = dyn_cast<BoolAttr>(band.inside);
    if (truth)
      value = truth.getValue() ? inside : s.logicalNot(inside);
    else
      value = s.select(inside, value, arith::ConstantOp::create(b, loc, band.outside));
  }
  for (Operation *user : mask.getUsers())
    if (compute != mask.getType())
      mapping.map(user->getResult(0), value);
  if (compute == mask.getType())
    mapping.map(mask, value);
  for (Operation &op : before)
    if (!mapping.contains(op.getNumResults() ? op.getResult(0) : Value()))
      b.clone(op, mapping);
  map.getResult().replaceAllUsesWith(made.getResult());
  map.erase();
  return made;
}

/// A mask that nobody else reads, or that has wider elements than what it is made
/// of, is made where it is applied.
MapOp MaskedScores::joinMask(MapOp map, unsigned index) {
  Value mask = map.getExtras()[index];
  auto producer = mask.getDefiningOp<MapOp>();
  if (!producer || llvm::count(map.getExtras(), mask) != 1 || bodySteps(producer) > kMaskSteps)
    return nullptr;
  bool alone = llvm::all_of(mask.getUsers(), [&](Operation *user) { return user == map; });
  int64_t reads = 0;
  for (Value extra : producer.getExtras())
    reads += elementCount(shapeOf(extra)) * elementBytes(elementOf(extra));
  if (!alone && reads >= elementCount(shapeOf(mask)) * elementBytes(elementOf(mask)))
    return nullptr;
  MapOp joined = fuseIntoConsumer(producer, map, index);
  if (joined.getExtras().size() > kMaxExtras + 1 || bodySteps(joined) > kMaxBodySteps) {
    joined.erase();
    return nullptr;
  }
  map.getResult().replaceAllUsesWith(joined.getResult());
  map.erase();
  if (producer->use_empty())
    producer.erase();
  return joined;
}

/// Views that were read by one operation only, which now reads what they show.
static void eraseUnusedViews(Value value) {
  while (isView(value.getDefiningOp()) && value.use_empty()) {
    Operation *view = value.getDefiningOp();
    value = view->getOperand(0);
    view->erase();
  }
}

void MaskedScores::rewrite(ScoreMap score) {
  MapOp map = score.map;
  for (unsigned i = 0; i < map.getExtras().size();) {
    if (map.getExtras()[i] == score.scores) {
      ++i;
      continue;
    }
    Value view = map.getExtras()[i], operand = view;
    AffineMap access = accessOf(map, i);
    if (readThroughViews(operand, access, shapeOf(map.getResult()))) {
      map.getExtrasMutable()[i].set(operand);
      SmallVector<Attribute> maps(map.getMaps().begin(), map.getMaps().end());
      maps[i] = AffineMapAttr::get(access);
      map.setMapsAttr(ArrayAttr::get(map.getContext(), maps));
      eraseUnusedViews(view);
    }
    MapOp changed;
    if (auto band = findBand(map, i))
      changed = comparePositions(map, i, *band);
    if (!changed)
      changed = joinMask(map, i);
    if (changed)
      map = changed, i = 0;
    else
      ++i;
  }
}

//===----------------------------------------------------------------------===//
// Heads that share a key
//===----------------------------------------------------------------------===//

namespace {
/// Where the elements of a weight come from: each of its dimensions is a list of
/// factors, the outermost first; so is each dimension of the value it is a view of.
struct Factors {
  struct Factor {
    int64_t size;
    bool repeated = false; // all positions read the same elements
  };
  SmallVector<Factor> factors;
  using Dims = SmallVector<SmallVector<unsigned, 2>>;
  Dims weight, source;

  explicit Factors(ArrayRef<int64_t> shape) {
    for (int64_t size : shape) {
      weight.emplace_back();
      if (size != 1) {
        weight.back().push_back(factors.size());
        factors.push_back({size});
      }
    }
    source = weight;
  }

  void split(unsigned factor, int64_t inner) {
    unsigned added = factors.size();
    factors.push_back({inner, factors[factor].repeated});
    factors[factor].size /= inner;
    for (Dims *dims : {&weight, &source})
      for (auto &dim : *dims)
        for (unsigned i = 0; i < dim.size(); ++i)
          if (dim[i] == factor)
            dim.insert(dim.begin() + i + 1, added), ++i;
  }

  /// The factors in `flat`, dealt out to dimensions of the given sizes from the end.
  bool deal(SmallVector<unsigned, 4> flat, ArrayRef<int64_t> sizes, Dims &result) {
    result.assign(sizes.size(), {});
    for (int64_t d = int64_t(sizes.size()) - 1; d >= 0; --d)
      for (int64_t left = sizes[d]; left > 1;) {
        if (flat.empty())
          return false;
        unsigned last = flat.back();
        int64_t size = factors[last].size;
        if (left % size == 0) {
          left /= size;
          flat.pop_back();
        } else if (size % left == 0) {
          split(last, left);
          last = factors.size() - 1;
          left = 1;
        } else {
          return false;
        }
        result[d].insert(result[d].begin(), last);
      }
    return flat.empty();
  }

  /// Steps to the operand of a view; false if it cannot be followed.
  bool step(Operation *view);
};
} // namespace

bool Factors::step(Operation *view) {
  if (auto transpose = dyn_cast<accel::TransposeOp>(view)) {
    Dims before(source.size());
    for (auto [i, d] : llvm::enumerate(transpose.getPerm()))
      before[d] = source[i];
    source = before;
    return true;
  }
  ArrayRef<int64_t> from = shapeOf(view->getOperand(0));
  if (isa<accel::ReshapeOp>(view)) {
    SmallVector<unsigned, 4> flat;
    for (auto &dim : source)
      flat.append(dim.begin(), dim.end());
    source.clear(); // splitting must not look at it
    Dims before;
    if (!deal(flat, from, before))
      return false;
    source = before;
    return true;
  }
  if (isa<accel::BroadcastOp>(view)) {
    for (auto [d, size] : llvm::enumerate(from))
      if (size == 1) {
        for (unsigned factor : source[d])
          factors[factor].repeated = true;
        source[d].clear();
      }
    return true;
  }
  if (auto repeat = dyn_cast<accel::RepeatOp>(view)) {
    for (auto [d, times] : llvm::enumerate(repeat.getFactors())) {
      if (times == 1)
        continue;
      Dims parts;
      SmallVector<unsigned, 4> flat(source[d].begin(), source[d].end());
      source[d].clear();
      if (!deal(flat, {from[d], times}, parts))
        return false;
      for (unsigned factor : parts[1])
        factors[factor].repeated = true;
      source[d] = parts[0];
    }
    return true;
  }
  return false;
}

static Value reshaped(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> shape) {
  if (shapeOf(value) == shape)
    return value;
  return accel::ReshapeOp::create(b, loc, RankedTensorType::get(shape, elementOf(value)), value);
}

/// A weight that repeats its matrices over a part of the batches is read without
/// the repetition; that part becomes a dimension of its own.
static void shareWeight(MatmulOp product) {
  constexpr size_t mostDims = 6; // of a body's iteration space
  if (!product.getExtras().empty() || !elementCount(shapeOf(product.getWeight())))
    return;
  Factors walk(shapeOf(product.getWeight()));
  std::optional<Factors> found;
  Value source = product.getWeight(), base;
  for (unsigned depth = 0; depth < kMaxDepth && isView(source.getDefiningOp()); ++depth) {
    Operation *view = source.getDefiningOp();
    if (!walk.step(view))
      break;
    source = view->getOperand(0);
    if (isa<accel::BroadcastOp, accel::RepeatOp>(view))
      found = walk, base = source;
  }
  if (!found)
    return;
  ArrayRef<int64_t> result = shapeOf(product.getResult()), operand = shapeOf(product.getInput());
  unsigned batches = result.size() - 2;
  for (unsigned d = batches; d < result.size(); ++d)
    for (unsigned factor : found->weight[d])
      if (found->factors[factor].repeated)
        return;
  // Batches of the product and of the weight; neighbours of one kind stay together.
  Shape full, own;
  SmallVector<unsigned> order; // of the factors that are stored
  for (unsigned d = 0; d < result.size(); ++d) {
    std::optional<bool> kind;
    if (d < batches && found->weight[d].empty())
      full.push_back(result[d]), own.push_back(1);
    for (unsigned factor : found->weight[d]) {
      const Factors::Factor &f = found->factors[factor];
      if (!f.repeated)
        order.push_back(factor);
      if (d >= batches)
        continue;
      if (kind == f.repeated) {
        full.back() *= f.size, own.back() *= f.repeated ? 1 : f.size;
      } else {
        full.push_back(f.size), own.push_back(f.repeated ? 1 : f.size);
        kind = f.repeated;
      }
    }
  }
  if (full.size() + 2 > mostDims)
    return;
  Shape stored; // the factors as they lie
  SmallVector<unsigned> place(found->factors.size(), 0);
  for (auto &dim : found->source)
    for (unsigned factor : dim)
      place[factor] = stored.size(), stored.push_back(found->factors[factor].size);
  Shape perm, permuted;
  for (unsigned factor : order)
    perm.push_back(place[factor]), permuted.push_back(found->factors[factor].size);

  OpBuilder b(product);
  Location loc = product.getLoc();
  Value weight = reshaped(b, loc, base, stored);
  if (!isIdentity(perm))
    weight = accel::TransposeOp::create(b, loc, RankedTensorType::get(permuted, elementOf(weight)),
                                        weight, perm);
  auto withMatrix = [&](Shape shape, ArrayRef<int64_t> like) {
    llvm::append_range(shape, like.take_back(2));
    return shape;
  };
  weight = reshaped(b, loc, weight, withMatrix(own, shapeOf(product.getWeight())));
  Value input = reshaped(b, loc, product.getInput(), withMatrix(full, operand));
  auto type = RankedTensorType::get(withMatrix(full, result), elementOf(product.getResult()));
  Value old = product.getResult();
  Operation *made = rebuild(product, {input, weight}, type);
  old.replaceAllUsesWith(reshaped(b, loc, made->getResult(0), result));
  product.erase();
}

namespace {
struct RecoverAttention : accel::impl::RecoverAttentionBase<RecoverAttention> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> main = requireForm(getOperation(), Form::Tensor);
    if (failed(main))
      return signalPassFailure();
    Block &block = main->getBody().front();
    MaskedScores masks;
    SmallVector<MatmulOp> seconds(block.getOps<MatmulOp>());
    llvm::SetVector<Operation *> products;
    for (MatmulOp second : seconds) {
      SmallVector<ScoreMap> maps;
      auto softmax = behind<SoftmaxOp>(second.getInput(), maps);
      if (!softmax || softmax.getLog())
        continue;
      maps.clear();
      auto first = behind<MatmulOp>(softmax.getInput(), maps);
      if (!first)
        continue;
      for (ScoreMap map : maps)
        masks.rewrite(map);
      if (products.insert(first))
        moveFactorsBehind(first);
      products.insert(second);
    }
    for (Operation *product : products)
      shareWeight(cast<MatmulOp>(product));
    eraseUnused(block);
  }
};
} // namespace

//===- GroupModel.cpp - what a schedule means for a group -----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/GroupModel.h"
#include "acc/Plan/Transfer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

#include <numeric>

using namespace mlir;
using namespace accel;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

int64_t accel::byteWidth(Type type) {
  return std::max<int64_t>(1, (type.getIntOrFloatBitWidth() + 7) / 8);
}

int64_t BufferModel::elements() const {
  int64_t elements = 1;
  for (int64_t extent : extents)
    elements *= extent;
  return elements;
}

static SmallVector<unsigned> bits(CounterSet set) {
  SmallVector<unsigned> result;
  for (unsigned i = 0; set >> i; ++i)
    if (set >> i & 1)
      result.push_back(i);
  return result;
}

/// Walks all values of `counters`, the first fastest; `fn` gets, for each of
/// `parts`, the index into its values.
template <typename Fn>
static void forEach(ArrayRef<unsigned> counters, ArrayRef<int64_t> tripsOf,
                    ArrayRef<ArrayRef<unsigned>> parts, Fn fn) {
  SmallVector<int64_t, 4> value(counters.size(), 0);
  // What a step of a counter moves in each part.
  SmallVector<SmallVector<int64_t, 4>, 4> strides;
  for (ArrayRef<unsigned> part : parts) {
    auto &stride = strides.emplace_back(counters.size(), 0);
    int64_t next = 1;
    for (unsigned counter : part) {
      stride[llvm::find(counters, counter) - counters.begin()] = next;
      next *= tripsOf[counter];
    }
  }
  SmallVector<int64_t, 4> index(parts.size(), 0);
  for (unsigned counter : counters)
    if (tripsOf[counter] == 0)
      return;
  while (true) {
    fn(ArrayRef<int64_t>(index));
    unsigned k = 0;
    for (; k < counters.size(); ++k) {
      bool wraps = ++value[k] == tripsOf[counters[k]];
      for (unsigned p = 0; p < parts.size(); ++p)
        index[p] += strides[p][k] * (wraps ? 1 - value[k] : 1);
      if (!wraps)
        break;
      value[k] = 0;
    }
    if (k == counters.size())
      return;
  }
}

ArrayRef<int64_t> GroupModel::valuesOf(ExprId e) const {
  if (size_t(e) >= valuesAt.size())
    valuesAt.resize(e + 1, {0, 0});
  if (auto [begin, size] = valuesAt[e]; size)
    return ArrayRef(values).slice(begin, size);
  const ExprPool::Node node = pool.node(e);
  SmallVector<unsigned> counters = bits(node.counters);
  SmallVector<ExprId, 2> parts;
  for (ExprId part : {node.a, node.b})
    if (part >= 0) {
      parts.push_back(part);
      (void)valuesOf(part); // before `values` grows for this one
    }
  auto value = [&](int64_t a, int64_t b) -> int64_t {
    switch (node.kind) {
    case ExprPool::Kind::Constant:
    case ExprPool::Kind::Counter:
      return node.value;
    case ExprPool::Kind::Add:
      return a + b;
    case ExprPool::Kind::Mul:
      return a * node.value;
    case ExprPool::Kind::Min:
      return std::min(a, b);
    case ExprPool::Kind::Max:
      return std::max(a, b);
    case ExprPool::Kind::FloorDiv:
      return ExprPool::floorDivide(a, node.value);
    }
    return 0;
  };
  size_t begin = values.size(), count = 1;
  for (unsigned counter : counters)
    count *= tripsOf[counter];
  values.resize(begin + count);
  auto at = [&](unsigned part, int64_t i) -> int64_t {
    return part < parts.size() ? values[valuesAt[parts[part]].first + i] : 0;
  };
  if (node.kind == ExprPool::Kind::Counter) {
    std::iota(values.begin() + begin, values.end(), 0);
  } else if (counters.size() <= 1) {
    // Almost all: a part has the same counter, or is a constant.
    int64_t step[2] = {0, 0};
    for (auto [p, part] : llvm::enumerate(parts))
      step[p] = pool.dependsOn(part) ? 1 : 0;
    for (size_t i = 0; i < count; ++i)
      values[begin + i] = value(at(0, i * step[0]), at(1, i * step[1]));
  } else {
    SmallVector<SmallVector<unsigned>, 2> own;
    for (ExprId part : parts)
      own.push_back(bits(pool.dependsOn(part)));
    size_t next = begin;
    forEach(counters, tripsOf, SmallVector<ArrayRef<unsigned>>(own.begin(), own.end()),
            [&](ArrayRef<int64_t> index) {
              values[next++] = value(at(0, index[0]), at(1, parts.size() > 1 ? index[1] : 0));
            });
  }
  valuesAt[e] = {uint32_t(begin), uint32_t(count)};
  return ArrayRef(values).slice(begin, count);
}

const GroupModel::Range &GroupModel::rangeOf(ExprId e) const {
  auto [it, isNew] = ranges.try_emplace(e, Range{INT64_MAX, INT64_MIN, 0});
  if (isNew)
    for (int64_t value : valuesOf(e)) {
      it->second.least = std::min(it->second.least, value);
      it->second.largest = std::max(it->second.largest, value);
      it->second.sum += value;
    }
  return it->second;
}

int64_t GroupModel::largest(ExprId e) const { return rangeOf(e).largest; }
int64_t GroupModel::smallest(ExprId e) const { return rangeOf(e).least; }

int64_t GroupModel::trips(unsigned level, int member) const {
  int64_t total = 1;
  for (unsigned k = 0; k < level; ++k)
    total *= k < loops.size() ? loops[k].trips : members[member].loops[k - loops.size()].trips;
  return total;
}

int64_t GroupModel::totalElements(const Box &box, unsigned level, int member) const {
  CounterSet around = 0;
  for (unsigned k = 0; k < level; ++k)
    around |= counterBit(k < loops.size() ? loops[k].counter
                                          : members[member].loops[k - loops.size()].counter);
  SmallVector<ExprId> extents;
  CounterSet seen = 0;
  bool separable = true;
  for (const IndexRange &range : box) {
    ExprId e = extent(range);
    extents.push_back(e);
    CounterSet on = pool.dependsOn(e);
    separable &= !(seen & on);
    seen |= on;
  }
  int64_t total = 1;
  if (separable) {
    for (ExprId e : extents)
      total *= rangeOf(e).sum;
  } else {
    total = 0;
    SmallVector<SmallVector<unsigned>> own;
    for (ExprId e : extents) {
      (void)valuesOf(e);
      own.push_back(bits(pool.dependsOn(e)));
    }
    forEach(bits(seen), tripsOf, SmallVector<ArrayRef<unsigned>>(own.begin(), own.end()),
            [&](ArrayRef<int64_t> index) {
              int64_t product = 1;
              for (auto [e, i] : llvm::zip(extents, index))
                product *= values[valuesAt[e].first + i];
              total += product;
            });
  }
  for (unsigned counter : bits(around & ~seen))
    total *= tripsOf[counter];
  return total;
}

/// Elements that a transfer of `box` moves on the side of the stored tensor:
/// dimensions of stride 0 are read once.
static Box withoutRepeats(ExprPool &pool, const Box &box, const Layout &layout) {
  Box result = box;
  for (auto [d, modes] : llvm::enumerate(layout.dims)) {
    if (modes.empty() || llvm::none_of(modes, [](Mode m) { return m.stride == 0; }))
      continue;
    // Of nested modes a tile takes whole inner ones.
    int64_t inner = 1, granule = layout.granule(d);
    for (Mode mode : llvm::drop_begin(modes))
      inner *= mode.stride == 0 ? 1 : mode.size;
    ExprId extent = pool.max(pool.sub(box[d].hi, box[d].lo), pool.constant(0));
    ExprId outer = pool.floorDiv(extent, granule);
    ExprId once = modes[0].stride == 0 ? pool.min(outer, pool.constant(1)) : outer;
    result[d] = {pool.constant(0), pool.mul(once, inner)};
  }
  return result;
}

int accel::rowDimension(Value value) {
  for (auto [d, size] : llvm::enumerate(shapeOf(value)))
    if (size > 1)
      return d;
  return -1;
}

Box accel::partOf(ExprPool &pool, const External &external, const Box &box, bool inSram) {
  int d = rowDimension(external.value);
  if (external.rows == 0 || d < 0)
    return box;
  Box part = box;
  ExprId rows = pool.constant(external.rows);
  if (inSram)
    part[d] = {pool.min(box[d].lo, rows), pool.min(box[d].hi, rows)};
  else
    part[d] = {pool.max(box[d].lo, rows), pool.max(box[d].hi, rows)};
  return part;
}

static Box hull(ExprPool &pool, const Box &a, const Box &b) {
  if (a.empty())
    return b;
  Box result;
  for (auto [x, y] : llvm::zip(a, b))
    result.push_back({pool.min(x.lo, y.lo), pool.max(x.hi, y.hi)});
  return result;
}

namespace {
/// Builds a model step by step; each step may refuse with a message.
struct ModelBuilder {
  const GroupOps &ops;
  ScheduleAttr schedule;
  const Limits &limits;
  GroupModel &model;
  std::string &error;
  SmallVectorImpl<int64_t> &tripsOf;
  ExprPool &pool;
  unsigned numLoops = 0;

  bool refuse(const Twine &message) {
    error = message.str();
    return false;
  }
  std::string name(Operation *op) {
    std::string text;
    llvm::raw_string_ostream os(text);
    os << op->getName().stripDialect() << " (member "
       << std::distance(ops.members.begin(), llvm::find(ops.members, op)) << ")";
    return text;
  }

  bool groupLoops();
  Box proportional(Operation *op);
  bool computedBoxes();
  bool ownLoops(MemberModel &member, MemberAttr attr);
  bool resultBuffer(MemberModel &member, MemberAttr attr);
  bool load(unsigned index);
  bool transfer(const Twine &what, const Layout &layout, const Box &box, const BufferModel &buffer);
  bool capacity();
  bool run();
};
} // namespace

bool ModelBuilder::groupLoops() {
  if (schedule.getVersion() != 1)
    return refuse("schedule version " + Twine(schedule.getVersion()) + " is not known, this is 1");
  if (schedule.getMembers().size() != ops.members.size())
    return refuse("schedule has " + Twine(schedule.getMembers().size()) + " members, the group " +
                  Twine(ops.members.size()));
  if (schedule.getInputs().size() != ops.inputs.size())
    return refuse("schedule has " + Twine(schedule.getInputs().size()) + " inputs, the group " +
                  Twine(ops.inputs.size()));
  int64_t anchor = schedule.getAnchor();
  if (anchor < 0 || anchor >= int64_t(ops.members.size()))
    return refuse("anchor " + Twine(anchor) + " is not a member");
  ArrayRef<int64_t> shape = shapeOf(ops.members[anchor]->getResult(0));
  for (LoopAttr loop : schedule.getLoops()) {
    if (loop.getDim() < 0 || loop.getDim() >= int64_t(shape.size()) || loop.getTile() < 1)
      return refuse("group loop over dimension " + Twine(loop.getDim()) + " with tile " +
                    Twine(loop.getTile()) + " of a result of rank " + Twine(shape.size()));
    for (const LoopModel &other : model.loops)
      if (other.dim == loop.getDim())
        return refuse("two group loops over dimension " + Twine(loop.getDim()));
    int64_t trips = (shape[loop.getDim()] + loop.getTile() - 1) / loop.getTile();
    model.loops.push_back({loop.getDim(), loop.getTile(), trips, unsigned(tripsOf.size())});
    tripsOf.push_back(trips);
  }
  numLoops = model.loops.size();
  return true;
}

/// The part of a result that belongs to an iteration: the anchor's tile, scaled
/// to the sizes of `op`'s result. Over all iterations these parts are the whole.
Box ModelBuilder::proportional(Operation *op) {
  ArrayRef<int64_t> anchor = shapeOf(ops.members[schedule.getAnchor()]->getResult(0));
  ArrayRef<int64_t> shape = shapeOf(op->getResult(0));
  Box box;
  for (int64_t size : shape)
    box.push_back({pool.constant(0), pool.constant(size)});
  for (const LoopModel &loop : model.loops) {
    if (loop.dim >= int64_t(shape.size()) || mustBeWhole(op, loop.dim))
      continue;
    int64_t size = shape[loop.dim], whole = anchor[loop.dim];
    ExprId lo = pool.mul(pool.counter(loop.counter), loop.tile);
    ExprId hi = pool.min(pool.addConstant(lo, loop.tile), pool.constant(whole));
    if (size != whole) {
      lo = pool.floorDiv(pool.mul(lo, size), whole);
      hi = pool.floorDiv(pool.mul(hi, size), whole);
    }
    box[loop.dim] = {lo, hi};
  }
  return box;
}

bool ModelBuilder::computedBoxes() {
  model.members.resize(ops.members.size());
  for (int64_t m = int64_t(ops.members.size()) - 1; m >= 0; --m) {
    MemberModel &member = model.members[m];
    Operation *op = member.op = ops.members[m];
    member.lastReader = m;
    Value result = op->getResult(0);
    for (auto [index, output] : llvm::enumerate(ops.outputs))
      if (output.value == result)
        member.output = index;
    for (OpOperand &use : result.getUses()) {
      auto it = llvm::find(ops.members, use.getOwner());
      if (it == ops.members.end())
        continue;
      member.intermediate = true;
      member.lastReader = std::max<unsigned>(member.lastReader, it - ops.members.begin());
      MemberModel &user = model.members[it - ops.members.begin()];
      member.need = hull(pool, member.need,
                         accessedBox(pool, use.getOwner(), use.getOperandNumber(), user.boxes[0]));
    }
    if (member.output >= 0 || m == schedule.getAnchor() || !member.intermediate)
      member.need = hull(pool, member.need, proportional(op));
    ArrayRef<int64_t> shape = shapeOf(result);
    for (unsigned d = 0; d < shape.size(); ++d)
      if (mustBeWhole(op, d))
        member.need[d] = {pool.constant(0), pool.constant(shape[d])};
    member.compute = member.need;
    member.rolling = schedule.getMembers()[m].getRolling();
    if (member.rolling) {
      if (!numLoops || !member.intermediate)
        return refuse(name(op) + ": only a result read in the group's loops can be rolling");
      const LoopModel &inner = model.loops.back();
      int dim = -1;
      for (unsigned d = 0; d < shape.size(); ++d) {
        CounterSet on = pool.dependsOn(member.need[d].lo) | pool.dependsOn(member.need[d].hi);
        if (!(on >> inner.counter & 1))
          continue;
        if (dim >= 0)
          return refuse(name(op) + ": rolling needs one dimension that the innermost loop moves");
        dim = d;
      }
      if (dim < 0)
        return refuse(name(op) + ": rolling, but the innermost loop does not move it");
      for (OpOperand &use : result.getUses())
        if (llvm::is_contained(ops.members, use.getOwner()) &&
            !canReadCircular(use.getOwner(), use.getOperandNumber(), dim))
          return refuse(name(op) + ": rolling, but operand " + Twine(use.getOperandNumber()) +
                        " of " + name(use.getOwner()) + " cannot be read from a circular buffer");
      IndexRange &range = member.compute[dim];
      // What is there already ends where the previous iteration ended; the
      // first iteration (counter 0) has no previous one.
      ExprId before = pool.min(pool.previous(range.hi, inner.counter),
                               pool.mul(pool.counter(inner.counter), shape[dim]));
      range.lo = pool.max(range.lo, before);
      member.buffer.circular = dim;
    }
    Box first = member.compute;
    SmallVector<int64_t> sizes = iterationSizes(op);
    for (unsigned d = shape.size(); d < sizes.size(); ++d)
      first.push_back({pool.constant(0), pool.constant(sizes[d])});
    member.boxes.assign(1, first);
  }
  return true;
}

bool ModelBuilder::ownLoops(MemberModel &member, MemberAttr attr) {
  Operation *op = member.op;
  unsigned rank = shapeOf(op->getResult(0)).size();
  SmallVector<int64_t> sizes = iterationSizes(op);
  member.firstReduction = attr.getLoops().size();
  for (auto [k, loop] : llvm::enumerate(attr.getLoops())) {
    int64_t dim = loop.getDim(), tile = loop.getTile();
    if (dim < 0 || dim >= int64_t(sizes.size()) || tile < 1)
      return refuse(name(op) + ": loop over dimension " + Twine(dim) + " with tile " + Twine(tile));
    if (dim < int64_t(rank) && mustBeWhole(op, dim) && !reducesOver(op, dim))
      return refuse(name(op) + ": dimension " + Twine(dim) + " cannot be tiled");
    if (isa<SoftmaxOp>(op) && reducesOver(op, dim)) {
      if (k + 1 != attr.getLoops().size())
        return refuse(name(op) + ": the loop over the row must be the innermost");
      if (rank > 5)
        return refuse(name(op) + ": the row of a softmax of rank " + Twine(rank) +
                      " cannot be split, 5 is the largest");
      member.splitRow = true;
    }
    for (const LoopModel &other : member.loops)
      if (other.dim == dim)
        return refuse(name(op) + ": two loops over dimension " + Twine(dim));
    if (tile % tileGranule(op, dim) && tile < sizes[dim])
      return refuse(name(op) + ": tile " + Twine(tile) + " of dimension " + Twine(dim) +
                    " is not a multiple of " + Twine(tileGranule(op, dim)));
    if (isa<ReduceOp>(op) && dim >= int64_t(rank)) {
      // The order of a reduction belongs to the operation: rows ascend.
      ArrayRef<int64_t> dims = cast<ReduceOp>(op).getDims();
      bool lanes = llvm::is_contained(dims, int64_t(rank) - 1);
      if (dim != int64_t(rank) || !llvm::is_sorted(dims) || (lanes && dims.size() > 1))
        return refuse(name(op) +
                      ": only the first of several reduced dimensions can be split, and "
                      "none if the last dimension is one of them (its order is by lanes)");
      if (lanes && rank > 5)
        return refuse(name(op) + ": the last dimension of rank " + Twine(rank) +
                      " cannot be split, 5 is the largest");
    }
    if (reducesOver(op, dim))
      member.firstReduction = std::min<unsigned>(member.firstReduction, k);
    Box box = member.boxes.back();
    int64_t extent = std::max<int64_t>(model.largest(model.extent(box[dim])), 0);
    int64_t trips = std::max<int64_t>((extent + tile - 1) / tile, 1);
    if (tripsOf.size() >= maxCounters)
      return refuse("more than " + Twine(maxCounters) + " loops in one group");
    unsigned counter = tripsOf.size();
    tripsOf.push_back(trips);
    member.loops.push_back({dim, tile, trips, counter});
    IndexRange range = box[dim];
    ExprId lo = pool.add(range.lo, pool.mul(pool.counter(counter), tile));
    box[dim] = {lo, pool.max(lo, pool.min(range.hi, pool.addConstant(lo, tile)))};
    if (trips == 1 && extent == tile)
      box[dim] = range;
    member.boxes.push_back(box);
  }
  auto runs = [](const LoopModel &loop) { return loop.trips > 1; };
  int64_t nested = llvm::count_if(model.loops, runs) + llvm::count_if(member.loops, runs);
  if (nested > rt::isa::kNestingLimit)
    return refuse(name(op) + ": " + Twine(nested) +
                  " loops inside of each other, the machine has " + Twine(rt::isa::kNestingLimit) +
                  " levels");
  const Box &inner = member.boxes.back();
  if (auto gather = dyn_cast<GatherOp>(op)) {
    unsigned moving = 0;
    for (unsigned d = 0; d < shapeOf(gather.getWeight()).size(); ++d)
      moving += model.largest(model.extent(inner[d])) > 1;
    if (moving > 1)
      return refuse(name(op) + ": one transfer walks the indices in one dimension, a tile has " +
                    Twine(moving));
  }
  if (usesMxu(op)) {
    unsigned batches = isa<MatmulOp>(op) ? rank - 2 : 1;
    for (unsigned d = 0; d < batches; ++d)
      if (model.largest(model.extent(inner[d])) > 1)
        return refuse(name(op) + ": the matrix engine works on one batch at a time, dimension " +
                      Twine(d) + " needs a loop with tile 1");
    const Box &acc = member.boxes[member.firstReduction];
    member.accElements = 1;
    for (unsigned d = 0; d < rank; ++d)
      member.accElements *= model.largest(model.extent(acc[d]));
    if (member.accElements * 4 > limits.accBytes)
      return refuse(name(op) + ": a tile needs " + Twine(member.accElements * 4) +
                    " bytes of accumulators, the target has " + Twine(limits.accBytes));
  }
  for (unsigned d = 0; d < sizes.size(); ++d)
    if (largestTile(op, d) < sizes[d]) {
      const LoopModel *loop =
          llvm::find_if(member.loops, [&](const LoopModel &l) { return l.dim == int64_t(d); });
      bool whole = pool.isConstant(member.compute[d].lo) && pool.isConstant(member.compute[d].hi);
      if (loop == member.loops.end() || !whole || largestTile(op, d) % loop->tile)
        return refuse(name(op) + ": a tile of dimension " + Twine(d) + " must divide the " +
                      Twine(largestTile(op, d)) + " of one group");
    }
  return true;
}

/// SRAM for values between the kernel and the body, see the tile stage.
static int64_t scratchBytes(Operation *op, GroupModel &model, const MemberModel &member) {
  const Box &box = member.boxes[member.firstReduction];
  int64_t elements = 1, rows = 1;
  unsigned rank = shapeOf(op->getResult(0)).size();
  for (unsigned d = 0; d < rank; ++d) {
    int64_t extent = model.largest(model.extent(box[d]));
    elements *= extent;
    if (!mustBeWhole(op, d))
      rows *= extent;
  }
  auto round = [](int64_t bytes) { return (bytes + 63) / 64 * 64; };
  if (member.splitRow) {
    int64_t piece = rows * model.largest(model.extent(member.boxes.back()[rank - 1]));
    bool together = cast<ComputeOpInterface>(op).getExtras().size() <= 1;
    return 2 * round(rows * reductionLanes * 4) + 2 * round(rows * 4) +
           (together ? 0 : round(piece * 4));
  }
  if (isa<SoftmaxOp, NormalizeOp>(op))
    return round(elements * 4) + 2 * round(rows * 4);
  if (isa<ReduceOp>(op) && member.firstReduction < member.loops.size())
    return round(elements * 4 *
                 (cast<ReduceOp>(op).getDims().back() + 1 == rank ? reductionLanes : 1));
  if (isa<GatherOp>(op)) // rows before the body
    return round(elements * 8);
  return 0;
}

bool ModelBuilder::resultBuffer(MemberModel &member, MemberAttr attr) {
  Operation *op = member.op;
  Value result = op->getResult(0);
  unsigned rank = shapeOf(result).size();
  BufferModel &buffer = member.buffer;
  buffer.elementBytes = byteWidth(cast<RankedTensorType>(result.getType()).getElementType());
  member.scratchBytes = scratchBytes(op, model, member);
  member.inplace = attr.getInplace();
  if (member.output >= 0 && ops.outputs[member.output].inSram &&
      ops.outputs[member.output].layout.isStrided()) {
    member.direct = true;
    if (member.inplace >= 0)
      return refuse(name(op) + ": a result in a resident tensor cannot be in place");
    return true;
  }
  if (member.intermediate) {
    buffer.level = member.rolling ? numLoops - 1 : numLoops;
    buffer.depth = member.rolling ? 1 : attr.getDepth();
    for (unsigned d = 0; d < rank; ++d) {
      buffer.extents.push_back(std::max<int64_t>(1, model.largest(model.extent(member.need[d]))));
      buffer.origin.push_back(buffer.circular == int(d) ? pool.constant(0) : member.need[d].lo);
    }
  } else {
    int64_t level = attr.getLevel();
    // A softmax whose row is split writes in its last pass.
    int64_t deepest = numLoops + (member.splitRow ? member.loops.size() : member.firstReduction);
    if (level < int64_t(numLoops) || level > deepest)
      return refuse(name(op) + ": the level of the output tile is " + Twine(level) +
                    ", possible are " + Twine(numLoops) + " to " + Twine(deepest));
    buffer.level = level;
    buffer.depth = attr.getDepth();
    const Box &box = member.boxes[level - numLoops];
    for (unsigned d = 0; d < rank; ++d) {
      buffer.extents.push_back(std::max<int64_t>(1, model.largest(model.extent(box[d]))));
      buffer.origin.push_back(box[d].lo);
    }
  }
  if (buffer.depth < 1 || buffer.depth > 8)
    return refuse(name(op) + ": depth " + Twine(buffer.depth) + " is not in 1..8");
  if (member.inplace >= 0) {
    bool possible = member.inplace < int64_t(op->getNumOperands()) && !member.rolling &&
                    isa<MapOp, SoftmaxOp, NormalizeOp>(op) &&
                    op->getOperand(member.inplace).getType() == result.getType() &&
                    op->getOperand(member.inplace).hasOneUse();
    if (possible)
      if (auto map = dyn_cast<MapOp>(op))
        possible = cast<AffineMapAttr>(map.getMaps()[member.inplace]).getValue().isIdentity();
    auto producer =
        llvm::find(ops.members, op->getOperand(std::max(member.inplace, 0)).getDefiningOp());
    if (!possible || producer == ops.members.end() || buffer.level != numLoops)
      return refuse(name(op) + ": cannot take the place of operand " + Twine(member.inplace) +
                    " (same type, elementwise, produced in the group and read once)");
    const MemberModel &source = model.members[producer - ops.members.begin()];
    if (source.rolling || source.direct)
      return refuse(name(op) + ": operand " + Twine(member.inplace) +
                    " is in a circular or resident buffer, its place cannot be taken");
  }
  return true;
}

/// Whether one descriptor moves the box between the tensor and the buffer.
bool ModelBuilder::transfer(const Twine &what, const Layout &layout, const Box &box,
                            const BufferModel &buffer) {
  size_t modes = 0, most = 1;
  for (const auto &dim : layout.dims) {
    modes += std::max<size_t>(dim.size(), 1);
    most = std::max(most, dim.size());
  }
  if (modes <= size_t(rt::isa::kDimCount) && (buffer.circular < 0 || most <= 2))
    return true; // whatever the box
  std::string limit =
      transferLimit(transferSteps(model, layout, box, rowMajor(buffer.extents, buffer.elementBytes),
                                  buffer.circular, buffer.elementBytes));
  return limit.empty() || refuse(what + ": " + limit);
}

bool ModelBuilder::load(unsigned index) {
  const External &input = ops.inputs[index];
  OperandAttr attr = schedule.getInputs()[index];
  LoadModel &load = model.loads[index];
  load.input = index;
  std::string what = "input " + std::to_string(index);
  ArrayRef<int64_t> shape = shapeOf(input.value);
  int64_t level = attr.getLevel();
  SmallVector<std::pair<unsigned, unsigned>> readers; // member, operand
  // By the group's members: a weight may have 100,000 readers elsewhere.
  for (auto [m, op] : llvm::enumerate(ops.members))
    for (OpOperand &use : op->getOpOperands())
      if (use.get() == input.value)
        readers.push_back({unsigned(m), use.getOperandNumber()});
  if (readers.empty())
    return refuse(what + " is not read");
  load.firstReader = readers.front().first;
  load.lastReader = readers.back().first;
  bool table = llvm::all_of(readers, [&](auto reader) {
    return isa<GatherOp>(ops.members[reader.first]) && reader.second == 0;
  });
  if (table) {
    load.gatherTable = load.direct = true;
    if (readers.size() > 1)
      return refuse(what + ": a table has one reader");
    load.member = readers[0].first;
    const MemberModel &member = model.members[load.member];
    Box rows = member.boxes.back();
    rows.resize(shapeOf(member.op->getResult(0)).size());
    load.bytes = model.totalElements(rows, numLoops + member.loops.size(), load.member) *
                 byteWidth(cast<RankedTensorType>(input.value.getType()).getElementType());
    load.transfers = model.trips(numLoops + member.loops.size(), load.member);
    if (input.inSram)
      load.bytes = 0;
    return true;
  }
  if (llvm::any_of(readers, [&](auto reader) {
        return isa<GatherOp>(ops.members[reader.first]) && reader.second == 0;
      }))
    return refuse(what + ": a gather's table cannot be read by another operation of the group");
  if (input.inSram && input.layout.isStrided()) {
    load.direct = true;
    return true;
  }
  if (level < 0)
    return refuse(what + ": level " + Twine(level));
  BufferModel &buffer = load.buffer;
  buffer.elementBytes = byteWidth(cast<RankedTensorType>(input.value.getType()).getElementType());
  buffer.level = level;
  buffer.depth = attr.getDepth();
  load.rolling = attr.getRolling();
  if (buffer.depth < 1 || buffer.depth > 8)
    return refuse(what + ": depth " + Twine(buffer.depth) + " is not in 1..8");
  if (level > int64_t(numLoops)) {
    for (auto [m, operand] : readers) {
      if (m != readers[0].first)
        return refuse(what + ": is read by several members, its level can be at most " +
                      Twine(numLoops));
      MemberModel &member = model.members[m];
      unsigned own = level - numLoops;
      unsigned primaries = cast<ComputeOpInterface>(member.op).getPrimary().size();
      bool afterwards = operand >= primaries && !member.splitRow;
      unsigned deepest = afterwards ? member.firstReduction : member.loops.size();
      if (own > deepest)
        return refuse(what + ": level " + Twine(level) + " is inside of more loops than the " +
                      Twine(numLoops + deepest) + " around its reader");
      load.member = m;
      load.box = hull(pool, load.box, accessedBox(pool, member.op, operand, member.boxes[own]));
    }
    if (load.rolling)
      return refuse(what + ": only a load in the group's innermost loop can be rolling");
  } else {
    for (auto [m, operand] : readers)
      load.box = hull(pool, load.box,
                      accessedBox(pool, ops.members[m], operand, model.members[m].boxes[0]));
    CounterSet on = 0;
    for (const IndexRange &range : load.box)
      on |= pool.dependsOn(range.lo) | pool.dependsOn(range.hi);
    for (unsigned k = 0; k < numLoops; ++k)
      if (on & counterBit(model.loops[k].counter))
        load.moved = k + 1;
    // Above a loop that moves it, all of a dimension is there.
    CounterSet inner = 0;
    for (unsigned k = level; k < numLoops; ++k)
      inner |= counterBit(model.loops[k].counter);
    for (auto [d, range] : llvm::enumerate(load.box))
      if ((pool.dependsOn(range.lo) | pool.dependsOn(range.hi)) & inner)
        range = {pool.constant(0), pool.constant(shape[d])};
  }
  for (auto [d, range] : llvm::enumerate(load.box)) {
    // Nested strides are loaded in whole inner modes: the box grows to that.
    if (int64_t granule = input.layout.granule(d); granule > 1) {
      range.lo = pool.mul(pool.floorDiv(range.lo, granule), granule);
      range.hi = pool.mul(pool.floorDiv(pool.addConstant(range.hi, granule - 1), granule), granule);
    }
    buffer.extents.push_back(std::max<int64_t>(1, model.largest(model.extent(range))));
    buffer.origin.push_back(range.lo);
  }
  if (load.rolling) {
    if (level != int64_t(numLoops) || numLoops == 0)
      return refuse(what + ": only a load in the group's innermost loop can be rolling");
    const LoopModel &loop = model.loops.back();
    for (auto [d, range] : llvm::enumerate(load.box)) {
      if (!((pool.dependsOn(range.lo) | pool.dependsOn(range.hi)) >> loop.counter & 1))
        continue;
      if (buffer.circular >= 0)
        return refuse(what + ": rolling needs one dimension that the innermost loop moves");
      buffer.circular = d;
      ExprId before = pool.min(pool.previous(range.hi, loop.counter),
                               pool.mul(pool.counter(loop.counter), shape[d]));
      range.lo = pool.max(range.lo, before);
      buffer.origin[d] = pool.constant(0);
    }
    if (buffer.circular < 0)
      return refuse(what + ": rolling, but the innermost loop does not move it");
    for (auto [m, operand] : readers)
      if (!canReadCircular(ops.members[m], operand, buffer.circular))
        return refuse(what + ": rolling, but operand " + Twine(operand) + " of " +
                      name(ops.members[m]) + " cannot be read from a circular buffer");
    buffer.level = numLoops - 1;
    buffer.depth = 1;
  }
  Box moved = withoutRepeats(pool, partOf(pool, input, load.box, false), input.layout);
  load.bytes =
      input.inSram ? 0 : model.totalElements(moved, level, load.member) * buffer.elementBytes;
  load.transfers = model.trips(level, load.member);
  CounterSet movers = 0;
  for (const IndexRange &range : moved)
    movers |= pool.dependsOn(range.lo) | pool.dependsOn(range.hi);
  for (unsigned k = 0; k < level; ++k) {
    const LoopModel &loop =
        k < numLoops ? model.loops[k] : model.members[load.member].loops[k - numLoops];
    if (!(movers & counterBit(loop.counter)))
      load.repeats *= loop.trips;
  }
  // Pieces of a softmax's row come once for each pass.
  if (load.member >= 0 && model.members[load.member].splitRow && readers[0].second == 0 &&
      level > int64_t(numLoops + model.members[load.member].firstReduction)) {
    load.transfers *= softmaxPasses;
    load.bytes *= softmaxPasses;
    load.repeats *= softmaxPasses;
  }
  return transfer(what, input.layout, load.box, buffer);
}

/// SRAM at the fullest moment. Buffers that rotate, are circular or stand outside
/// of the innermost loop are there all the time; the others from the member that
/// fills them to the last that reads them; those in a member's own loops while it
/// runs. Accumulators in own loops take turns; those directly in the group's loop
/// exist side by side.
bool ModelBuilder::capacity() {
  unsigned count = model.members.size();
  SmallVector<int64_t> live(count, 0);
  auto place = [&](const BufferModel &buffer, unsigned from, unsigned to) {
    bool always = buffer.level <= numLoops && !model.isTransient(buffer);
    for (unsigned m = always ? 0 : from, end = always ? count : to + 1; m < end; ++m)
      live[m] += buffer.bytes() * buffer.depth;
  };
  for (const LoadModel &load : model.loads)
    if (!load.direct)
      place(load.buffer, load.firstReader, load.lastReader);
  DenseMap<Operation *, unsigned> longer; // what takes an operand's place needs that buffer
  for (unsigned m = count; m-- > 0;) {
    const MemberModel &member = model.members[m];
    unsigned last = std::max(member.lastReader, longer.lookup(member.op));
    if (member.inplace >= 0)
      longer[member.op->getOperand(member.inplace).getDefiningOp()] = last;
    else if (!member.direct)
      place(member.buffer, m, last);
    live[m] += member.scratchBytes;
  }
  int64_t accInside = 0;
  for (const MemberModel &member : model.members) {
    int64_t accBytes = (member.accElements * 4 + 63) / 64 * 64;
    if (member.firstReduction > 0)
      accInside = std::max(accInside, accBytes);
    else
      model.accBytes += accBytes;
  }
  int64_t accShared = model.accBytes;
  model.accBytes += accInside;
  for (MemberModel &member : model.members)
    if (member.firstReduction > 0 &&
        accShared + 2 * ((member.accElements * 4 + 63) / 64 * 64) <= limits.accBytes)
      member.accDepth = 2;
  if (model.accBytes > limits.accBytes)
    return refuse("tiles need " + Twine(model.accBytes) + " bytes of accumulators, there are " +
                  Twine(limits.accBytes));
  model.sramBytes = *llvm::max_element(live);
  for (LoadModel &load : model.loads)
    model.dramBytes += load.bytes;
  for (int64_t bytes : model.storeBytes)
    model.dramBytes += bytes;
  if (model.sramBytes > limits.sramBytes)
    return refuse("buffers need " + Twine(model.sramBytes) + " bytes of SRAM, there are " +
                  Twine(limits.sramBytes));
  return true;
}

bool ModelBuilder::run() {
  if (!groupLoops() || !computedBoxes())
    return false;
  for (auto [member, attr] : llvm::zip(model.members, schedule.getMembers()))
    if (!ownLoops(member, attr))
      return false;
  for (auto [member, attr] : llvm::zip(model.members, schedule.getMembers()))
    if (!resultBuffer(member, attr))
      return false;
  model.loads.resize(ops.inputs.size());
  for (unsigned i = 0; i < ops.inputs.size(); ++i)
    if (!load(i))
      return false;
  for (const External &output : ops.outputs) {
    const MemberModel &member = *llvm::find_if(
        model.members, [&](const MemberModel &m) { return m.op == output.value.getDefiningOp(); });
    int m = &member - model.members.data();
    if (output.inSram && output.layout.isStrided()) {
      model.storeBytes.push_back(0);
      model.outputBoxes.emplace_back();
      continue;
    }
    if (output.inSram)
      return refuse(name(member.op) + ": a resident result needs a strided layout");
    int64_t bytes = byteWidth(cast<RankedTensorType>(output.value.getType()).getElementType());
    Box box = member.intermediate ? (member.rolling ? member.compute : proportional(member.op))
                                  : member.boxes[member.buffer.level - numLoops];
    box.resize(shapeOf(output.value).size());
    unsigned level = member.intermediate ? numLoops : member.buffer.level;
    const MemberModel *place = &member; // whose buffer it is in
    while (place->inplace >= 0)
      place = &*llvm::find_if(model.members, [&](const MemberModel &other) {
        return other.op == place->op->getOperand(place->inplace).getDefiningOp();
      });
    if (!transfer(name(member.op), output.layout, box, place->buffer))
      return false;
    model.outputBoxes.push_back(box);
    model.storeBytes.push_back(model.totalElements(partOf(pool, output, box, false), level, m) *
                               bytes);
  }
  return capacity();
}

std::optional<GroupModel> GroupModel::build(const GroupOps &ops, ScheduleAttr schedule,
                                            const Limits &limits, std::string &error,
                                            int64_t *need) {
  GroupModel model;
  ModelBuilder builder{ops, schedule, limits, model, error, model.tripsOf, model.pool};
  if (builder.run())
    return model;
  if (need && model.sramBytes > limits.sramBytes)
    *need = model.sramBytes;
  return std::nullopt;
}

//===- LoopNest.cpp - a single operation as loops around loads ------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopNest.h"

#include "acc/Plan/Candidate.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace accel;

const NestAxis::Extents &NestAxis::tiled(int64_t tile) const {
  if (known.empty())
    known.resize(size + 1);
  Extents &e = known[tile];
  if (e.sum >= 0)
    return e;
  if (dim < 0) {
    e = {extent, extent, extent};
    return e;
  }
  if (first.empty()) {
    e = {size * factor, size * factor, tile * factor};
    return e;
  }
  e.sum = 0;
  int64_t before = 0;
  for (int64_t lo = 0; lo < size; lo += tile) {
    int64_t begin = first[lo], end = std::max(begin, last[std::min(lo + tile, size) - 1]);
    e.sum += end - begin;
    e.most = std::max(e.most, end - begin);
    e.fresh += std::max<int64_t>(0, end - std::max(begin, lo ? before : begin));
    before = end;
  }
  return e;
}

int64_t NestOperand::bytes() const {
  int64_t bytes = width;
  for (const NestAxis &axis : axes)
    bytes *= axis.whole();
  return bytes;
}

/// The value of an expression where counter i is `counters[i]`.
static int64_t evaluate(const ExprPool &pool, ExprId e, ArrayRef<int64_t> counters) {
  const ExprPool::Node &node = pool.node(e);
  auto a = [&] { return evaluate(pool, node.a, counters); };
  auto b = [&] { return evaluate(pool, node.b, counters); };
  switch (node.kind) {
  case ExprPool::Kind::Constant:
    return node.value;
  case ExprPool::Kind::Counter:
    return counters[node.value];
  case ExprPool::Kind::Add:
    return a() + b();
  case ExprPool::Kind::Mul:
    return a() * node.value;
  case ExprPool::Kind::Min:
    return std::min(a(), b());
  case ExprPool::Kind::Max:
    return std::max(a(), b());
  case ExprPool::Kind::FloorDiv:
    return ExprPool::floorDivide(a(), node.value);
  }
  return 0;
}

/// An axis from its range; `box` has counters 2d and 2d+1 as ends of dimension d.
static std::optional<NestAxis> axisOf(const ExprPool &pool, const Box &box, IndexRange range,
                                      int64_t extent, int64_t granule, ArrayRef<int64_t> sizes) {
  NestAxis axis;
  axis.extent = extent;
  CounterSet on = pool.dependsOn(range.lo) | pool.dependsOn(range.hi);
  if (!on) {
    axis.extent = pool.constantValue(range.hi) - pool.constantValue(range.lo);
    return axis;
  }
  for (auto [d, size] : llvm::enumerate(sizes))
    if (on >> (2 * d) & 3) {
      if (axis.dim >= 0)
        return std::nullopt; // two dimensions move it
      axis.dim = d;
      axis.size = size;
    }
  int64_t d = axis.dim;
  if (pool.dependsOn(range.lo) & counterBit(2 * d + 1) ||
      pool.dependsOn(range.hi) & counterBit(2 * d))
    return std::nullopt; // backwards
  auto factorOf = [&](ExprId e, ExprId end) -> int64_t {
    const ExprPool::Node &node = pool.node(e);
    return e == end ? 1 : node.kind == ExprPool::Kind::Mul && node.a == end ? node.value : 0;
  };
  axis.factor = factorOf(range.lo, box[d].lo);
  if (axis.factor > 0 && axis.factor == factorOf(range.hi, box[d].hi) && granule == 1)
    return axis;
  SmallVector<int64_t> counters(2 * sizes.size(), 0);
  for (int64_t i = 0; i < axis.size; ++i) {
    counters[2 * d] = i;
    counters[2 * d + 1] = i + 1;
    int64_t lo = evaluate(pool, range.lo, counters), hi = evaluate(pool, range.hi, counters);
    axis.first.push_back(lo / granule * granule);
    axis.last.push_back(ceilDiv(hi, granule) * granule);
    axis.disjoint &= i == 0 || axis.first[i] >= axis.last[i - 1];
    axis.gaps |= i > 0 && axis.first[i] > axis.last[i - 1];
  }
  return axis;
}

std::optional<NestProblem> NestProblem::of(const GroupOps &ops) {
  if (ops.members.size() != 1 || !usesMxu(ops.members[0]))
    return std::nullopt;
  NestProblem problem;
  Operation *op = problem.op = ops.members[0];
  problem.rank = shapeOf(op->getResult(0)).size();
  problem.batches = isa<MatmulOp>(op) ? problem.rank - 2 : 1;
  problem.sizes.assign(iterationSizes(op));
  problem.resultWidth =
      byteWidth(cast<RankedTensorType>(op->getResult(0).getType()).getElementType());
  for (auto [d, size] : llvm::enumerate(problem.sizes))
    if (largestTile(op, d) < size)
      return std::nullopt;
  ExprPool pool;
  Box box;
  for (unsigned d = 0; d < problem.sizes.size(); ++d)
    box.push_back({pool.counter(2 * d), pool.counter(2 * d + 1)});
  unsigned primaries = cast<ComputeOpInterface>(op).getPrimary().size();
  for (OpOperand &use : op->getOpOperands()) {
    auto input = llvm::find_if(ops.inputs, [&](const External &e) { return e.value == use.get(); });
    if (input == ops.inputs.end() || llvm::count(op->getOperands(), use.get()) != 1)
      return std::nullopt;
    NestOperand operand;
    operand.input = input - ops.inputs.begin();
    operand.width = byteWidth(cast<RankedTensorType>(use.get().getType()).getElementType());
    operand.extra = use.getOperandNumber() >= primaries;
    operand.free = input->inSram && input->layout.isStrided();
    if (input->inSram && !operand.free)
      return std::nullopt;
    for (const auto &modes : input->layout.dims)
      if (llvm::any_of(modes, [](Mode mode) { return mode.stride == 0 && mode.size > 1; }))
        return std::nullopt;
    ArrayRef<int64_t> shape = shapeOf(use.get());
    for (auto [k, range] : llvm::enumerate(accessedBox(pool, op, use.getOperandNumber(), box))) {
      std::optional<NestAxis> axis =
          axisOf(pool, box, range, shape[k], input->layout.granule(k), problem.sizes);
      if (!axis || (axis->dim >= 0 && operand.movedBy(axis->dim)))
        return std::nullopt;
      operand.axes.push_back(std::move(*axis));
    }
    problem.operands.push_back(std::move(operand));
  }
  for (const External &output : ops.outputs) {
    if (output.inSram && !output.layout.isStrided())
      return std::nullopt;
    problem.storesResult = !output.inSram;
  }
  return problem;
}

bool NestProblem::hasLeaf(const LoopNest &nest, unsigned dim) const {
  unsigned k = llvm::find(nest.loops, int(dim)) - nest.loops.begin();
  if (k < nest.loops.size() && k >= nest.group)
    return false; // its own loop has the tile
  return !nest.splits() || dim < batches;
}

NestCost NestProblem::cost(const LoopNest &nest, bool optimistic) const {
  NestCost c;
  unsigned n = nest.loops.size();
  SmallVector<unsigned, 6> place(sizes.size(), n);
  for (auto [k, dim] : llvm::enumerate(nest.loops))
    place[dim] = k;
  SmallVector<int64_t, 8> trips; // of all loops above loop k
  trips.push_back(1);
  for (int dim : nest.loops)
    trips.push_back(trips.back() * ceilDiv(sizes[dim], nest.tile[dim]));
  auto round = [](int64_t bytes) { return (bytes + 63) / 64 * 64; };
  // The result's tile, in accumulators and on its way out.
  int64_t elements = 1, leaves = 1;
  for (unsigned d = 0; d < rank; ++d) {
    int64_t extent = place[d] < nest.reduction ? nest.tile[d] : sizes[d];
    if (hasLeaf(nest, d)) {
      leaves *= ceilDiv(extent, std::min(extent, nest.leaf[d]));
      extent = nest.splits() ? extent : std::min(extent, nest.leaf[d]);
    }
    elements *= extent;
  }
  c.acc = round(elements * 4);
  c.steps = 2 * trips[n] * leaves;
  if (storesResult) {
    int64_t result = resultWidth;
    for (unsigned d = 0; d < rank; ++d)
      result *= sizes[d];
    c.dram += result;
    c.sram += round(elements * resultWidth) * nest.depth[operands.size()];
  }
  for (auto [x, operand] : llvm::enumerate(operands)) {
    if (operand.free)
      continue;
    unsigned at = nest.at[x];
    int64_t moved = operand.width, held = operand.width, reloads = 1;
    if (operand.extra && at > 0) {
      // With the leaves, as deep as they move it.
      for (const NestAxis &axis : operand.axes) {
        int64_t tile = axis.size;
        if (axis.dim >= 0 && place[axis.dim] < nest.reduction)
          tile = nest.tile[axis.dim];
        if (axis.dim >= 0 && !nest.splits() && hasLeaf(nest, axis.dim))
          tile = std::min(tile, nest.leaf[axis.dim]);
        const NestAxis::Extents &e = axis.tiled(tile);
        moved *= e.sum;
        held *= std::max<int64_t>(1, e.most);
      }
      unsigned deepest = 0;
      for (unsigned k = 0; k < nest.reduction; ++k)
        if (operand.movedBy(nest.loops[k]))
          deepest = k + 1;
      bool leafMoves = false;
      for (unsigned d = 0; d < rank && !nest.splits(); ++d)
        leafMoves |= hasLeaf(nest, d) && operand.movedBy(d);
      if (leafMoves)
        deepest = nest.reduction;
      for (unsigned k = 0; k < deepest; ++k)
        if (!operand.movedBy(nest.loops[k]))
          reloads *= ceilDiv(sizes[nest.loops[k]], nest.tile[nest.loops[k]]);
      if (leafMoves)
        for (unsigned d = 0; d < rank; ++d)
          if (hasLeaf(nest, d) && !operand.movedBy(d)) {
            reloads *= ceilDiv(nest.tile[d], std::min(nest.tile[d], nest.leaf[d]));
          }
      c.steps += trips[deepest] * (leafMoves ? leaves : 1);
    } else {
      for (const NestAxis &axis : operand.axes) {
        int64_t sum, most;
        if (unsigned k = axis.dim < 0 ? n : place[axis.dim]; k < at) {
          const NestAxis::Extents &e = axis.tiled(nest.tile[axis.dim]);
          sum = nest.rolling && x == 0 && k + 1 == at ? e.fresh : e.sum;
          if (axis.gaps && optimistic)
            sum = axis.tiled(1).sum;
          most = e.most;
        } else if (k < nest.group) {
          sum = most = axis.extent; // a loop of the group below the load: all of it
        } else {
          sum = most = axis.whole();
        }
        moved *= sum;
        held *= std::max<int64_t>(1, most);
      }
      for (unsigned k = 0; k < at; ++k)
        if (!operand.movedBy(nest.loops[k]))
          reloads *= ceilDiv(sizes[nest.loops[k]], nest.tile[nest.loops[k]]);
      c.steps += trips[at];
    }
    c.dram += moved * reloads;
    c.sram += round(held) * nest.depth[x];
  }
  return c;
}

ScheduleAttr NestProblem::schedule(const LoopNest &nest) const {
  MLIRContext *context = op->getContext();
  SmallVector<LoopAttr> loops, own;
  for (auto [k, dim] : llvm::enumerate(nest.loops))
    (k < nest.group ? loops : own).push_back(LoopAttr::get(context, dim, nest.tile[dim]));
  for (unsigned d = 0; d < rank; ++d) {
    if (hasLeaf(nest, d) && nest.leaf[d] < nest.tile[d])
      own.push_back(LoopAttr::get(context, d, nest.leaf[d]));
  }
  // Positions of loops are levels: own loops follow those of the group.
  int64_t result = nest.splits() ? nest.reduction : nest.group + own.size();
  SmallVector<OperandAttr> inputs(operands.size());
  for (auto [x, operand] : llvm::enumerate(operands)) {
    int64_t level = nest.at[x];
    if (operand.extra && level > 0) {
      level = 0;
      for (int64_t k = 0; k < result; ++k) {
        int dim = k < int64_t(nest.group) ? loops[k].getDim() : own[k - nest.group].getDim();
        if (operand.movedBy(dim))
          level = k + 1;
      }
    }
    inputs[operand.input] =
        OperandAttr::get(context, level, level ? nest.depth[x] : 1, nest.rolling && x == 0);
  }
  auto member =
      MemberAttr::get(context, own, false, result, result ? nest.depth[operands.size()] : 1, -1);
  return ScheduleAttr::get(context, 1, 0, loops, member, inputs, {}, {}, {});
}

//===- PairCuts.cpp - short groups in two loops ---------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/PairCuts.h"

#include "acc/Plan/Candidate.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace accel;

std::vector<PairCut> accel::pairCuts(const GroupOps &ops, bool channels) {
  Operation *anchor = ops.members.back();
  MLIRContext *context = anchor->getContext();
  ArrayRef<int64_t> shape = shapeOf(anchor->getResult(0));
  std::vector<PairCut> cuts;
  unsigned rank = shape.size();
  if (rank < 2)
    return cuts;
  bool picture = rank == 4 && !isa<MatmulOp>(anchor);
  unsigned rows = picture ? 1 : rank - 2, inner = rank - 1;
  SmallVector<LoopAttr> batches;
  for (unsigned d = 0; d < rows; ++d) {
    if (shape[d] > 1 && mustBeWhole(anchor, d))
      return cuts;
    if (shape[d] > 1)
      batches.push_back(LoopAttr::get(context, d, 1));
  }
  if (mustBeWhole(anchor, rows))
    return cuts;
  unsigned family = 0;
  auto add = [&](unsigned dim, int64_t tile, bool rolling) {
    ++family;
    for (int64_t height : tilesOf(shape[rows])) {
      PairCut cut{batches, rolling, family};
      if (height < shape[rows])
        cut.stripes.push_back(LoopAttr::get(context, rows, height));
      cut.stripes.push_back(LoopAttr::get(context, dim, tile));
      cuts.push_back(std::move(cut));
    }
  };
  for (int64_t width : {4, 2, 1})
    if (picture && width < shape[2] && !mustBeWhole(anchor, 2))
      add(2, width, /*rolling=*/true);
  for (int64_t tile : {128, 64, 32, 16})
    if (channels && tile < shape[inner] && !mustBeWhole(anchor, inner) &&
        largestTile(anchor, inner) == shape[inner])
      add(inner, tile, /*rolling=*/false);
  return cuts;
}

namespace {
/// Boxes of one iteration, and the one of the innermost loop before it.
struct Boxes {
  Box now, before;
};
} // namespace

/// The smallest box around both.
static void extend(ExprPool &pool, Box &box, const Box &other) {
  if (box.empty()) {
    box = other;
    return;
  }
  for (auto [range, more] : llvm::zip(box, other))
    range = {pool.min(range.lo, more.lo), pool.max(range.hi, more.hi)};
}

StripeSpace accel::leastSpace(const GroupOps &ops, ArrayRef<LoopAttr> stripes, bool rolling) {
  constexpr unsigned few = 128;
  ExprPool pool(few); // all expressions are constants
  unsigned count = ops.members.size();
  std::vector<Boxes> need(count);
  StripeSpace space;
  space.results.assign(count, 0);
  space.inputs.assign(ops.inputs.size(), 0);
  space.reader.assign(ops.inputs.size(), 0);
  auto bytesOf = [&](Value value, const Box &box) {
    int64_t bytes = byteWidth(cast<RankedTensorType>(value.getType()).getElementType());
    for (const IndexRange &range : box)
      bytes *= std::max<int64_t>(1, pool.constantValue(range.hi) - pool.constantValue(range.lo));
    return (bytes + 63) / 64 * 64;
  };
  for (unsigned m = count; m-- > 0;) {
    Operation *op = ops.members[m];
    ArrayRef<int64_t> shape = shapeOf(op->getResult(0));
    Boxes &boxes = need[m];
    if (boxes.now.empty()) {
      for (int64_t size : shape)
        boxes.now.push_back({pool.constant(0), pool.constant(size)});
      boxes.before = boxes.now;
      for (LoopAttr loop : stripes) {
        if (m + 1 != count || mustBeWhole(op, loop.getDim()))
          continue;
        int64_t size = shape[loop.getDim()], tile = loop.getTile();
        int64_t middle = ceilDiv(size, tile) / 2;
        auto range = [&](int64_t trip) {
          return IndexRange{pool.constant(std::max<int64_t>(0, trip * tile)),
                            pool.constant(std::clamp<int64_t>((trip + 1) * tile, 0, size))};
        };
        boxes.now[loop.getDim()] = range(middle);
        boxes.before[loop.getDim()] = range(middle - (loop == stripes.back()));
      }
    }
    for (auto [d, size] : llvm::enumerate(shape))
      if (mustBeWhole(op, d))
        boxes.now[d] = boxes.before[d] = {pool.constant(0), pool.constant(size)};
    // One that leaves the group may be written straight to a resident.
    bool leaves = llvm::any_of(
        ops.outputs, [&](const External &output) { return output.value == op->getResult(0); });
    if (!leaves) {
      int64_t bytes = bytesOf(op->getResult(0), boxes.now);
      space.results[m] += bytes;
      for (unsigned reader = m + 1; reader < count; ++reader)
        if (llvm::is_contained(ops.members[reader]->getOperands(), op->getResult(0)))
          space.results[reader] += bytes;
    }
    // Of what rolls only new elements are computed.
    Boxes compute = boxes;
    if (rolling && m + 1 < count)
      for (auto [now, before] : llvm::zip(compute.now, boxes.before))
        if (pool.constantValue(before.hi) < pool.constantValue(now.hi))
          now.lo = pool.max(now.lo, before.hi);
    SmallVector<int64_t> sizes = iterationSizes(op);
    for (unsigned d = shape.size(); d < sizes.size(); ++d) {
      compute.now.push_back({pool.constant(0), pool.constant(sizes[d])});
      compute.before.push_back(compute.now.back());
    }
    for (OpOperand &use : op->getOpOperands()) {
      unsigned operand = use.getOperandNumber();
      auto source = llvm::find(ops.members, use.get().getDefiningOp());
      Box now = accessedBox(pool, op, operand, compute.now);
      if (source != ops.members.end()) {
        Boxes &of = need[source - ops.members.begin()];
        extend(pool, of.now, now);
        extend(pool, of.before, accessedBox(pool, op, operand, compute.before));
        continue;
      }
      auto input =
          llvm::find_if(ops.inputs, [&](const External &e) { return e.value == use.get(); });
      bool alone = llvm::count_if(ops.members, [&](Operation *other) {
                     return llvm::is_contained(other->getOperands(), use.get());
                   }) == 1;
      if (input == ops.inputs.end() || input->constant || operand > 0 || isa<GatherOp>(op) ||
          !alone)
        continue;
      unsigned index = input - ops.inputs.begin();
      space.inputs[index] = bytesOf(use.get(), now);
      space.reader[index] = m;
    }
  }
  return space;
}

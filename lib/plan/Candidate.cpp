//===- Candidate.cpp - a schedule from a few choices -----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Candidate.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace accel;

int64_t accel::tensorBytes(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return tensor.getNumElements() * byteWidth(tensor.getElementType());
}

/// Positions of dimension 1 + d of its input that a convolution or pooling reads.
template <typename OpType> static int64_t touchedBy(OpType op, unsigned d, int64_t inputDilation) {
  int64_t size = shapeOf(op.getInput())[1 + d], steps = shapeOf(op.getResult())[1 + d];
  int64_t kernel = op.getKernel()[d], stride = op.getStrides()[d], dilation = op.getDilations()[d];
  int64_t pad = op.getPads()[d];
  llvm::BitVector touched(size);
  for (int64_t o = 0; o < steps; ++o)
    for (int64_t k = 0; k < kernel; ++k)
      if (int64_t at = o * stride + k * dilation - pad; at >= 0 && at % inputDilation == 0)
        if (at / inputDilation < size)
          touched.set(at / inputDilation);
  return touched.count();
}

/// Bytes of an input that the group's members touch: the most of any of them.
static int64_t touchedBytes(const GroupOps &ops, Value input) {
  int64_t all = tensorBytes(input), most = 0;
  for (Operation *op : ops.members)
    for (OpOperand &use : op->getOpOperands()) {
      if (use.get() != input)
        continue;
      int64_t bytes = all;
      ArrayRef<int64_t> shape = shapeOf(input);
      for (unsigned d = 0; d < 2 && use.getOperandNumber() == 0; ++d)
        if (auto conv = dyn_cast<ConvOp>(op))
          bytes = bytes / shape[1 + d] * touchedBy(conv, d, conv.getInputDilations()[d]);
        else if (auto pool = dyn_cast<PoolOp>(op))
          bytes = bytes / shape[1 + d] * touchedBy(pool, d, 1);
      most = std::max(most, bytes);
    }
  return most;
}

int64_t accel::compulsoryBytes(const GroupOps &ops, ArrayRef<bool> inputs, ArrayRef<bool> outputs) {
  int64_t bytes = 0;
  for (auto [input, isResident] : llvm::zip(ops.inputs, inputs))
    bytes += isResident ? 0 : touchedBytes(ops, input.value);
  for (auto [output, isResident] : llvm::zip(ops.outputs, outputs))
    bytes += isResident ? 0 : tensorBytes(output.value);
  return bytes;
}

/// Extents of a member's result in one iteration of the stripes (about: halos
/// are left out, the model has the last word).
static SmallVector<int64_t> extentsOf(const GroupOps &ops, unsigned member,
                                      const GroupPolicy &policy) {
  SmallVector<int64_t> extents = iterationSizes(ops.members[member]);
  ArrayRef<int64_t> anchor = shapeOf(ops.members.back()->getResult(0));
  unsigned rank = shapeOf(ops.members[member]->getResult(0)).size();
  for (LoopAttr loop : policy.stripes)
    if (loop.getDim() < int64_t(rank) && !mustBeWhole(ops.members[member], loop.getDim())) {
      int64_t &extent = extents[loop.getDim()];
      extent = std::min(extent, ceilDiv(loop.getTile() * extent, anchor[loop.getDim()]) + 4);
      if (member + 1 == ops.members.size())
        extent = loop.getTile();
    }
  return extents;
}

std::pair<int64_t, int64_t> accel::matrixTile(Operation *op, const Limits &limits,
                                              const MemberPolicy &policy,
                                              ArrayRef<int64_t> extents) {
  bool conv = isa<ConvOp>(op);
  unsigned column = shapeOf(op->getResult(0)).size() - 1;
  int64_t accumulators = limits.accBytes / 4 / 2 / policy.accDivisor;
  int64_t columns = std::min(largestTile(op, column), extents[column]);
  // Half of the accumulators, so that two tiles alternate; wide tiles reuse A,
  // tall ones reuse B: about square.
  int64_t pixels = conv ? extents[1] * extents[2] : extents[column - 1];
  int64_t n = policy.columns ? std::min(policy.columns, columns) : columns;
  while (!policy.columns && n > 32 && n * std::min<int64_t>(pixels, n) > accumulators)
    n = ceilDiv(n, 2);
  if (n < columns && n > 16)
    n = ceilDiv(n, 16) * 16;
  n = std::max<int64_t>(1, std::min(n, accumulators));
  if (conv && largestTile(op, 3) < iterationSizes(op)[3])
    while (largestTile(op, 3) % n)
      --n;
  int64_t m = std::max<int64_t>(1, policy.pixels ? policy.pixels : accumulators / n);
  return {n, m};
}

/// The member's own loops.
static SmallVector<LoopAttr> ownLoops(Operation *op, const Limits &limits,
                                      const MemberPolicy &policy, ArrayRef<int64_t> extents) {
  MLIRContext *context = op->getContext();
  SmallVector<LoopAttr> loops;
  auto add = [&](int64_t dim, int64_t tile) {
    if (tile < extents[dim])
      loops.push_back(LoopAttr::get(context, dim, tile));
  };
  if (isa<GatherOp>(op)) {
    // One index dimension moves in a transfer: the longest.
    unsigned indices = shapeOf(op->getOperand(1)).size(), longest = 0;
    for (unsigned d = 0; d < indices; ++d)
      if (extents[d] > extents[longest])
        longest = d;
    for (unsigned d = 0; d < indices; ++d)
      if (d != longest)
        add(d, 1);
    return loops;
  }
  if (auto reduce = dyn_cast<ReduceOp>(op)) {
    unsigned rank = shapeOf(reduce.getResult()).size();
    if (policy.accDivisor > 1 && extents[rank - 1] > 1) // a part of the last kept dimension
      add(rank - 1, std::max<int64_t>(1, ceilDiv(extents[rank - 1], policy.accDivisor)));
    if (policy.reductionTile && extents.size() > rank)
      add(rank, policy.reductionTile);
    return loops;
  }
  if (isa<SoftmaxOp, NormalizeOp>(op)) {
    // Rows in blocks that keep the temporaries small.
    unsigned rank = shapeOf(op->getResult(0)).size();
    int64_t row = 1;
    for (unsigned d = 0; d < rank; ++d)
      if (mustBeWhole(op, d))
        row *= extents[d] * 4;
    int64_t rows = std::max<int64_t>(1, limits.sramBytes / 16 / std::max<int64_t>(row, 1));
    for (unsigned d = rank; d-- > 0;) {
      if (mustBeWhole(op, d))
        continue;
      int64_t tile = std::min(rows, extents[d]);
      if (tile < extents[d])
        loops.insert(loops.begin(), LoopAttr::get(context, d, tile));
      rows = std::max<int64_t>(1, rows / tile);
    }
    if (isa<SoftmaxOp>(op) && policy.reductionTile && rank <= 5)
      add(rank - 1, policy.reductionTile);
    return loops;
  }
  if (!usesMxu(op))
    return loops;
  bool conv = isa<ConvOp>(op);
  unsigned column = shapeOf(op->getResult(0)).size() - 1, reduction = column + 1;
  auto [n, m] = matrixTile(op, limits, policy, extents);
  int64_t columnTile = n;
  SmallVector<LoopAttr> rows;
  for (unsigned d = 0, batches = conv ? 1 : column - 1; d < batches; ++d)
    if (extents[d] > 1)
      rows.push_back(LoopAttr::get(context, d, 1));
  if (conv) {
    int64_t w = extents[2], tw = w <= m ? w : ceilDiv(w, ceilDiv(w, m));
    int64_t th = std::max<int64_t>(1, std::min(extents[1], m / tw));
    th = ceilDiv(extents[1], ceilDiv(extents[1], th));
    if (th < extents[1])
      rows.push_back(LoopAttr::get(context, 1, th));
    if (tw < w)
      rows.push_back(LoopAttr::get(context, 2, tw));
  } else {
    unsigned row = column - 1;
    int64_t tm = std::min(extents[row], m);
    tm = ceilDiv(extents[row], ceilDiv(extents[row], tm));
    if (tm < extents[row])
      rows.push_back(LoopAttr::get(context, row, tm));
  }
  bool grouped = conv && largestTile(op, 3) < iterationSizes(op)[3];
  bool tileColumns = columnTile < extents[column] || grouped;
  if (tileColumns && policy.columnsOuter)
    loops.push_back(LoopAttr::get(context, column, columnTile));
  llvm::append_range(loops, rows);
  if (tileColumns && !policy.columnsOuter)
    loops.push_back(LoopAttr::get(context, column, columnTile));
  if (policy.reductionTile && reduction < extents.size()) {
    int64_t granule = tileGranule(op, reduction);
    add(reduction, ceilDiv(policy.reductionTile, granule) * granule);
  }
  return loops;
}

bool accel::isSecondOperand(Operation *op, unsigned operand) { return operand == 1 && usesMxu(op); }

SmallVector<int64_t> accel::tilesOf(int64_t size) {
  SmallVector<int64_t> tiles;
  for (int64_t parts = 1; parts <= size; parts += parts < 8 ? 1 : parts) {
    int64_t tile = ceilDiv(size, parts);
    if (tiles.empty() || tiles.back() != tile)
      tiles.push_back(tile);
  }
  if (tiles.back() != 1)
    tiles.push_back(1);
  return tiles;
}

/// Deepest of the own loops that moves what `operand` reads, up to `deepest`.
static int64_t movingLoop(Operation *op, unsigned operand, ArrayRef<LoopAttr> loops,
                          unsigned deepest) {
  constexpr unsigned few = 64;
  ExprPool pool(few);
  Box box;
  for (unsigned d = 0, rank = iterationSizes(op).size(); d < rank; ++d)
    box.push_back({pool.counter(d), pool.addConstant(pool.counter(d), 1)});
  CounterSet on = 0;
  for (const IndexRange &range : accessedBox(pool, op, operand, box))
    on |= pool.dependsOn(range.lo) | pool.dependsOn(range.hi);
  int64_t own = 0;
  for (unsigned k = 0; k < deepest; ++k)
    if (on >> loops[k].getDim() & 1)
      own = k + 1;
  return own;
}

ScheduleAttr accel::makeSchedule(const GroupOps &ops, const Limits &limits,
                                 const GroupPolicy &group, ArrayRef<MemberPolicy> policies) {
  MLIRContext *context = ops.members[0]->getContext();
  unsigned numStripes = group.stripes.size();
  auto policyOf = [&](unsigned m) -> const MemberPolicy & {
    return policies.size() == 1 ? policies[0] : policies[m];
  };
  SmallVector<MemberAttr> members;
  SmallVector<SmallVector<LoopAttr>> loopsOf;
  SmallVector<unsigned> reductions;
  for (auto [m, op] : llvm::enumerate(ops.members)) {
    const MemberPolicy &policy = policyOf(m);
    SmallVector<LoopAttr> loops = ownLoops(op, limits, policy, extentsOf(ops, m, group));
    unsigned firstReduction = loops.size();
    if (!isa<SoftmaxOp>(op)) // its last pass writes inside of all loops
      for (auto [k, loop] : llvm::enumerate(loops))
        if (reducesOver(op, loop.getDim()))
          firstReduction = std::min<unsigned>(firstReduction, k);
    bool inGroup = llvm::any_of(op->getResult(0).getUsers(), [&](Operation *user) {
      return llvm::is_contained(ops.members, user);
    });
    bool rolling = !group.rollingMembers.empty() && group.rollingMembers[m];
    int64_t level = policy.leafOutput ? numStripes + firstReduction : numStripes;
    members.push_back(MemberAttr::get(context, loops, rolling, inGroup ? 0 : level,
                                      numStripes || level > 0 ? group.depth : 1, -1));
    loopsOf.push_back(loops);
    reductions.push_back(firstReduction);
  }
  SmallVector<OperandAttr> inputs;
  for (auto [index, input] : llvm::enumerate(ops.inputs)) {
    SmallVector<std::pair<unsigned, unsigned>> readers;
    // By the group's members: a weight may have 100,000 readers elsewhere.
    for (auto [m, op] : llvm::enumerate(ops.members))
      for (OpOperand &use : op->getOpOperands())
        if (use.get() == input.value)
          readers.push_back({unsigned(m), use.getOperandNumber()});
    int64_t level = group.inputLevels.empty() ? numStripes : group.inputLevels[index];
    bool rolling = !group.rollingInputs.empty() && group.rollingInputs[index];
    if (readers.size() == 1 && !rolling) {
      auto [m, operand] = readers[0];
      Operation *op = ops.members[m];
      const MemberPolicy &policy = policyOf(m);
      bool extra = operand >= cast<ComputeOpInterface>(op).getPrimary().size();
      bool second = input.constant || isSecondOperand(op, operand);
      bool moves = second ? tensorBytes(input.value) > policy.residentWeights
                          : policy.streamActivations || (extra && policy.leafOutput);
      int64_t own = 0;
      if (moves)
        own = movingLoop(op, operand, loopsOf[m], extra ? reductions[m] : loopsOf[m].size());
      if (operand < 2)
        own = std::max<int64_t>(0, own - policy.hoist[operand]);
      if (own)
        level = numStripes + own;
    }
    if (llvm::any_of(readers,
                     [&](auto r) { return isa<GatherOp>(ops.members[r.first]) && r.second == 0; }))
      level = 0;
    inputs.push_back(
        OperandAttr::get(context, level, level && !rolling ? group.depth : 1, rolling));
  }
  return ScheduleAttr::get(context, 1, ops.members.size() - 1, group.stripes, members, inputs, {},
                           {}, {});
}

//===- Oracle.cpp - the fewest bytes of one operation ---------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A schedule of one operation is here a sequence of loops over tiles of distinct
// dimensions, each operand loaded somewhere among them, and below the last load
// whatever makes the accumulators and the output's tile smallest. All sequences,
// all positions of the loads and all tile sizes that differ in cost are tried:
//  * a load right below a loop that does not move it is never better than above;
//  * a loop that only moves what is loaded below it, without overlap, costs
//    nothing: its tile is the smallest;
//  * a sequence whose bytes with the rest of its tiles as large as can be are no
//    fewer than the best known is left.
//
//===----------------------------------------------------------------------===//

#include "OracleOp.h"

#include "llvm/ADT/STLExtras.h"

#include <map>

using namespace mlir;
using namespace accel;
using namespace accel::oracle;

namespace {

struct Cost {
  int64_t dram = 0, sram = 0, acc = 0;
};

/// Extents of an axis over all tiles of its dimension.
struct Extents {
  int64_t sum = 0;  ///< all of them
  int64_t once = 0; ///< without what the tile before has read
  int64_t most = 0;
};

class Search {
public:
  Search(const Nest &op, const Limits &limits, bool inputResident, bool resultResident)
      : op(op), limits(limits), inputResident(inputResident), resultResident(resultResident) {
    for (unsigned d = 0; d < op.sizes.size(); ++d)
      smallest.push_back(std::min(op.sizes[d], op.granule(d)));
    tile = op.sizes;
    at.assign(op.operands.size(), 0);
  }
  std::optional<OracleGroup> run();

private:
  void sequences();
  void positions(unsigned operand);
  void tiles(unsigned index);
  Cost cost(ArrayRef<int64_t> tile) const;
  bool fits(const Cost &c) const { return c.sram <= limits.sramBytes && c.acc <= limits.accBytes; }
  const Extents &extents(unsigned operand, const Axis &axis, int64_t tile) const;
  unsigned firstReduction() const;
  unsigned groupLoops() const { return rolling ? at[0] : ownOnly ? 0 : firstReduction(); }
  bool canRoll() const;
  bool isFree(unsigned index) const;
  ScheduleAttr schedule() const;

  const Nest &op;
  const Limits &limits;
  bool inputResident, resultResident;
  SmallVector<int64_t> smallest; ///< tile by dimension
  // The candidate.
  SmallVector<int> sequence; ///< dimensions, outermost loop first
  SmallVector<int64_t> tile; ///< by dimension; its size if there is no loop
  SmallVector<unsigned> at;  ///< loops around the load of each operand
  bool rolling = false;      ///< operand 0 is, along the last loop above it
  bool ownOnly = false;      ///< no loop is the group's
  std::optional<OracleGroup> best;
  int64_t compulsory = 0;
  bool leavesOut = false; ///< windows do not read all of an operand
  mutable std::map<std::tuple<unsigned, int, int64_t>, Extents> known;
};

} // namespace

const Extents &Search::extents(unsigned operand, const Axis &axis, int64_t tile) const {
  auto [it, isNew] = known.try_emplace({operand, axis.dim, tile});
  Extents &e = it->second;
  if (!isNew)
    return e;
  int64_t size = op.sizes[axis.dim];
  int64_t before = 0;
  for (int64_t lo = 0; lo < size; lo += tile) {
    Span range = axis.read({lo, std::min(lo + tile, size)});
    e.sum += range.extent();
    e.most = std::max(e.most, range.extent());
    Span fresh{lo == 0 ? range.lo : std::max(range.lo, before), range.hi};
    e.once += fresh.extent();
    before = range.hi;
  }
  return e;
}

unsigned Search::firstReduction() const {
  unsigned k = 0;
  while (k < sequence.size() && sequence[k] < int(op.rank))
    ++k;
  return k;
}

/// The rules of GroupModel for a circular buffer of operand 0.
bool Search::canRoll() const {
  if (inputResident || at[0] == 0 || at[0] > firstReduction())
    return false;
  int dim = sequence[at[0] - 1];
  const Operand &input = op.operands[0];
  for (auto [d, axis] : llvm::enumerate(input.axes))
    if (axis.dim == dim)
      return canReadCircular(op.op, 0, d);
  return false;
}

Cost Search::cost(ArrayRef<int64_t> tile) const {
  Cost c;
  unsigned n = sequence.size(), reduction = firstReduction(), group = groupLoops();
  auto place = [&](int dim) {
    return unsigned(llvm::find(sequence, dim) - sequence.begin()); // n: no loop
  };
  for (auto [x, operand] : llvm::enumerate(op.operands)) {
    if (x == 0 && inputResident)
      continue;
    int64_t moved = operand.width, held = 1;
    for (const Axis &axis : operand.axes) {
      int64_t sum, most;
      if (axis.dim < 0) {
        sum = most = axis.read({0, 1}).extent();
      } else if (unsigned k = place(axis.dim); k < at[x]) {
        const Extents &e = extents(x, axis, tile[axis.dim]);
        sum = rolling && x == 0 && k + 1 == at[0] ? e.once : e.sum;
        most = e.most;
      } else if (k < group) {
        sum = most = axis.size; // a loop of the group below the load: all of it
      } else {
        sum = most = axis.read({0, op.sizes[axis.dim]}).extent();
      }
      moved *= sum;
      held *= std::max<int64_t>(1, most);
    }
    for (unsigned k = 0; k < at[x]; ++k)
      if (!operand.movedBy(sequence[k]))
        moved *= ceilDiv(op.sizes[sequence[k]], tile[sequence[k]]);
    c.dram += moved;
    c.sram += buffer(held * operand.width);
  }
  // The accumulators and the output's tile: all loops above a reduction's, or, if
  // no reduction is split above a load, single elements where loops may be added.
  int64_t elements = 1;
  for (int d = 0; d < int(op.rank); ++d) {
    unsigned k = place(d);
    if (reduction < n)
      elements *= k < reduction ? tile[d] : op.sizes[d];
    else if (k < n && k >= group)
      elements *= tile[d];
  }
  if (op.matrix)
    c.acc = buffer(elements * 4);
  if (!resultResident) {
    c.dram += op.resultBytes();
    c.sram += buffer(elements * op.width);
  }
  return c;
}

/// Whether the tile of loop `index` costs no bytes whatever it is.
bool Search::isFree(unsigned index) const {
  int dim = sequence[index];
  for (auto [x, operand] : llvm::enumerate(op.operands)) {
    if (at[x] <= index || (x == 0 && inputResident))
      continue;
    const Axis *axis = operand.movedBy(dim);
    if (!axis)
      return false;
    if (!axis->disjoint() && !(rolling && x == 0 && index + 1 == at[0]))
      return false;
  }
  return true;
}

void Search::tiles(unsigned index) {
  if (best && best->bytes <= compulsory)
    return;
  if (index == sequence.size()) {
    Cost c = cost(tile);
    if (!fits(c) || (best && c.dram >= best->bytes))
      return;
    best = OracleGroup{0, 1, c.dram, c.sram, inputResident, resultResident, schedule()};
    return;
  }
  int dim = sequence[index];
  bool overlaps = false;
  for (const Operand &operand : op.operands)
    if (const Axis *axis = operand.movedBy(dim))
      overlaps |= !axis->disjoint();
  SmallVector<int64_t> options = tilesOf(op.sizes[dim], op.granule(dim), overlaps);
  // The whole is another sequence, without this loop.
  options.erase(options.begin());
  if (options.size() > 1 && isFree(index))
    options.erase(options.begin(), options.end() - 1);
  for (int64_t option : options) {
    tile[dim] = option;
    SmallVector<int64_t> rest(tile);
    for (unsigned k = index + 1; k < sequence.size(); ++k)
      rest[sequence[k]] = op.sizes[sequence[k]];
    if (best && cost(rest).dram >= best->bytes)
      continue;
    for (unsigned k = index + 1; k < sequence.size(); ++k)
      rest[sequence[k]] = smallest[sequence[k]];
    if (fits(cost(rest)))
      tiles(index + 1);
  }
  tile[dim] = op.sizes[dim];
}

void Search::positions(unsigned operand) {
  if (operand == op.operands.size()) {
    // The last loop is there for a load below it.
    if (!sequence.empty() && !llvm::is_contained(at, unsigned(sequence.size())))
      return;
    // An extra is read once the reduction is through.
    for (auto [x, other] : llvm::enumerate(op.operands))
      if (other.extra && at[x] > firstReduction())
        return;
    tiles(0);
    // Above a loop of the group a whole dimension is loaded, above one of the
    // operation only what windows with strides read.
    if (leavesOut && firstReduction() > 0) {
      ownOnly = true;
      tiles(0);
      ownOnly = false;
    }
    if (canRoll()) {
      rolling = true;
      tiles(0);
      rolling = false;
    }
    return;
  }
  at[operand] = 0;
  positions(operand + 1);
  if (operand == 0 && inputResident)
    return;
  for (unsigned k = 0; k < sequence.size(); ++k)
    if (op.operands[operand].movedBy(sequence[k])) {
      at[operand] = k + 1;
      positions(operand + 1);
    }
  at[operand] = 0;
}

void Search::sequences() {
  positions(0);
  for (int d = 0; d < int(op.sizes.size()); ++d) {
    if (op.sizes[d] <= 1 || llvm::is_contained(sequence, d) || smallest[d] >= op.sizes[d])
      continue;
    sequence.push_back(d);
    sequences();
    sequence.pop_back();
  }
}

ScheduleAttr Search::schedule() const {
  MLIRContext *context = op.op->getContext();
  unsigned group = groupLoops(), reduction = firstReduction();
  SmallVector<LoopAttr> loops, own;
  for (auto [k, dim] : llvm::enumerate(sequence))
    (k < group ? loops : own).push_back(LoopAttr::get(context, dim, tile[dim]));
  int64_t level = reduction;
  // Leaves: single elements, for the accumulators and the output's tile.
  for (int d = 0; d < int(op.rank); ++d) {
    unsigned k = llvm::find(sequence, d) - sequence.begin();
    int64_t extent = k < sequence.size() ? tile[d] : op.sizes[d];
    if ((k < sequence.size() && k >= group) || extent <= 1)
      continue;
    bool batch = op.matrix && d < int(op.batches);
    if (reduction == sequence.size() || batch)
      own.push_back(LoopAttr::get(context, d, 1));
  }
  if (reduction == sequence.size())
    level = group + own.size();
  SmallVector<OperandAttr> inputs;
  for (auto [x, position] : llvm::enumerate(at))
    inputs.push_back(OperandAttr::get(context, position, 1, rolling && x == 0));
  auto member = MemberAttr::get(context, own, false, level, 1, -1);
  return ScheduleAttr::get(context, 1, 0, loops, member, inputs, {}, {}, {});
}

std::optional<OracleGroup> Search::run() {
  compulsory = resultResident ? 0 : op.resultBytes();
  for (auto [x, operand] : llvm::enumerate(op.operands)) {
    if (x == 0 && inputResident)
      continue;
    int64_t bytes = operand.width;
    for (const Axis &axis : operand.axes) {
      int64_t extent = axis.read({0, axis.dim < 0 ? 1 : op.sizes[axis.dim]}).extent();
      leavesOut |= axis.dim >= 0 && extent < axis.size;
      bytes *= extent;
    }
    compulsory += bytes;
  }
  sequences();
  return best;
}

std::optional<OracleGroup> accel::oracleOf(Operation *op, const Limits &limits, std::string &why,
                                           bool inputResident, bool resultResident) {
  std::optional<Nest> described = describe(op, why);
  if (!described)
    return std::nullopt;
  std::optional<OracleGroup> best = Search(*described, limits, inputResident, resultResident).run();
  if (!best)
    why = "no schedule fits";
  return best;
}

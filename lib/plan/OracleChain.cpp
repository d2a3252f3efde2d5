//===- OracleChain.cpp - the fewest bytes of a short chain ----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every way to cut a chain into groups and to keep what is between two groups
// resident. A group of one operation is Oracle.cpp's. One of several runs in
// loops over tiles of its last result, all orders and tile sizes of them:
//  * values inside of the group exist for one tile, new rows only where a buffer
//    may be circular, halos computed again elsewhere;
//  * the chain's input is loaded above any of the loops, or rolling;
//  * each other operand is resident for the group, or streams through one tile
//    element by element, as often as there are tiles that do not move it.
// Below, single elements: accumulators and output tiles are the smallest.
//
//===----------------------------------------------------------------------===//

#include "OracleOp.h"

#include "llvm/ADT/STLExtras.h"

#include <array>

using namespace mlir;
using namespace accel;
using namespace accel::oracle;

namespace {

/// Positions along one dimension of a tensor, by iteration of the loop over it
/// (one if there is none).
struct Track {
  SmallVector<Span> need;    ///< what has to be there
  SmallVector<Span> compute; ///< what is made then
  bool moves = false;
  int64_t most() const {
    int64_t most = 1;
    for (Span range : need)
      most = std::max(most, range.extent());
    return most;
  }
};
int64_t sumOf(ArrayRef<Span> ranges) {
  int64_t sum = 0;
  for (Span range : ranges)
    sum += range.extent();
  return sum;
}

class Fused {
public:
  Fused(ArrayRef<Nest> ops, ArrayRef<unsigned> links, const Limits &limits, bool inputResident,
        bool resultResident)
      : ops(ops), links(links), limits(limits), inputResident(inputResident),
        resultResident(resultResident) {}
  std::optional<OracleGroup> run();

private:
  struct Choice {
    enum Where { Resident, Own, Group } where;
    int64_t bytes, space;
    unsigned own = 0; ///< own loops around it
  };
  void sequences();
  void tiles(unsigned index);
  void candidate();
  std::vector<Track> track(unsigned dim, int64_t tile, bool rolled) const;
  SmallVector<int> ownOrder(unsigned member) const;
  SmallVector<Choice> choices(unsigned member, unsigned operand) const;
  Span through(unsigned member, unsigned dim, Span range, bool &moves) const;
  int64_t inputSize(unsigned dim) const { return ops[0].operands[links[0]].axes[dim].size; }

  ArrayRef<Nest> ops;
  ArrayRef<unsigned> links; ///< operand of each that is the chain's
  const Limits &limits;
  bool inputResident, resultResident;
  SmallVector<int> sequence;
  SmallVector<int64_t> tile;
  std::vector<std::vector<Track>> tracks; ///< [dimension][tensor]; tensor 0 is the input
  std::vector<bool> rolls;                ///< by member
  std::optional<OracleGroup> best;
};

} // namespace

/// What member `m` reads of the chain's tensor before it.
Span Fused::through(unsigned m, unsigned dim, Span range, bool &moves) const {
  const Axis &axis = ops[m].operands[links[m]].axes[dim];
  if (axis.dim == int(dim) && axis.dim < int(ops[m].rank))
    return axis.read(range);
  moves = false;
  // All of a reduction, or of a dimension that does not correspond.
  return axis.dim >= 0 ? axis.read({0, ops[m].sizes[axis.dim]}) : Span{0, axis.size};
}

std::vector<Track> Fused::track(unsigned dim, int64_t tile, bool rolled) const {
  std::vector<Track> tracks(ops.size() + 1);
  int64_t size = ops.back().sizes[dim];
  int64_t trips = ceilDiv(size, tile);
  Track &last = tracks[ops.size()];
  for (int64_t i = 0; i < trips; ++i)
    last.need.push_back({i * tile, std::min(size, (i + 1) * tile)});
  last.compute = last.need;
  last.moves = trips > 1 || tile < size;
  for (unsigned m = ops.size(); m-- > 0;) {
    Track &before = tracks[m];
    before.moves = tracks[m + 1].moves;
    for (Span range : tracks[m + 1].compute)
      before.need.push_back(through(m, dim, range, before.moves));
    before.compute = before.need;
    bool rolls = rolled && before.moves && canReadCircular(ops[m].op, links[m], dim);
    int64_t extent = m ? ops[m - 1].sizes[dim] : inputSize(dim);
    for (int64_t i = 0; rolls && i < trips; ++i)
      if (i > 0)
        before.compute[i].lo =
            std::max(before.need[i].lo, std::min(before.need[i - 1].hi, i * extent));
  }
  return tracks;
}

/// Own loops of a member over single elements: those that move its weight first,
/// so that a weight streams once through them.
SmallVector<int> Fused::ownOrder(unsigned m) const {
  SmallVector<int> order;
  const Nest &op = ops[m];
  auto add = [&](int d) {
    if (op.sizes[d] > 1 && tracks[d][m + 1].most() > 1 && !llvm::is_contained(order, d))
      order.push_back(d);
  };
  if (op.operands.size() > 1 && !op.operands[1].extra)
    for (const Axis &axis : op.operands[1].axes)
      if (axis.dim >= 0 && axis.dim < int(op.rank))
        add(axis.dim);
  for (int d = 0; d < int(op.rank); ++d)
    add(d);
  return order;
}

/// Where an operand that is not the chain's can be loaded.
SmallVector<Fused::Choice> Fused::choices(unsigned m, unsigned x) const {
  const Nest &op = ops[m];
  const Operand &operand = op.operands[x];
  // Positions of an axis: all iterations of its loop, and the largest of one.
  auto along = [&](const Axis &axis, int64_t &sum, int64_t &most) {
    if (axis.dim < 0 || axis.dim >= int(op.rank)) {
      sum = most = axis.read({0, axis.dim < 0 ? 1 : op.sizes[axis.dim]}).extent();
      return false;
    }
    const Track &track = tracks[axis.dim][m + 1];
    sum = most = 0;
    for (Span range : track.compute) {
      int64_t extent = range.extent() ? axis.read(range).extent() : 0;
      sum += extent;
      most = std::max(most, extent);
    }
    if (track.moves)
      return true;
    sum = most = axis.read(track.compute[0]).extent();
    return false;
  };
  int64_t once = operand.width, held = operand.width, moved = operand.width,
          tileBytes = operand.width;
  int64_t element = operand.width;
  SmallVector<int> order = ownOrder(m);
  for (const Axis &axis : operand.axes) {
    int64_t sum, most;
    bool moves = along(axis, sum, most);
    once *= moves ? axis.size : most;
    held *= moves ? axis.size : std::max<int64_t>(1, most);
    moved *= sum;
    tileBytes *= std::max<int64_t>(1, most);
    element *= llvm::is_contained(order, axis.dim)
                   ? std::max<int64_t>(1, axis.read({0, 1}).extent())
                   : std::max<int64_t>(1, most);
  }
  for (int d : sequence) {
    const Axis *axis = operand.movedBy(d);
    if (!axis || !tracks[d][m + 1].moves)
      moved *= int64_t(tracks[d][m + 1].need.size());
  }
  SmallVector<Choice> result{{Choice::Resident, once, buffer(held), 0}};
  // Own loops around it may only be such as move it.
  unsigned own = 0;
  bool streams = !order.empty();
  for (auto [k, d] : llvm::enumerate(order))
    if (const Axis *axis = operand.movedBy(d)) {
      streams &= own == k && axis->disjoint();
      own = k + 1;
    }
  if (streams && own > 0)
    result.push_back({Choice::Own, moved, buffer(element), own});
  else if (!sequence.empty())
    result.push_back({Choice::Group, moved, buffer(tileBytes), 0});
  return result;
}

/// The loops and tiles are chosen: where to load what, so that it fits.
void Fused::candidate() {
  unsigned n = ops.size(), loops = sequence.size();
  int64_t shared = 0, moved = 0;
  for (unsigned m = 0; m + 1 < n; ++m) {
    int64_t bytes = ops[m].width;
    for (unsigned d = 0; d < ops[m].rank; ++d)
      bytes *= tracks[d][m + 1].most();
    shared += buffer(bytes);
  }
  if (!resultResident)
    moved += ops.back().resultBytes();
  // The chain's input: above loop k, or rolling.
  struct Load {
    unsigned level;
    bool rolling;
    int64_t bytes, space;
  };
  SmallVector<Load> loads;
  const Operand &input = ops[0].operands[links[0]];
  if (inputResident) {
    loads.push_back({0, false, 0, 0});
  } else {
    for (unsigned level = 0; level <= loops; ++level) {
      Load load{level, false, input.width, input.width};
      Load rolled{level, true, input.width, input.width};
      bool rolls = false;
      for (unsigned d = 0; d < input.axes.size(); ++d) {
        const Track &track = tracks[d][0];
        unsigned k = llvm::find(sequence, int(d)) - sequence.begin();
        if (k < level && track.moves) {
          bool inner = k + 1 == loops;
          load.bytes *= sumOf(track.need);
          load.space *= track.most();
          rolled.bytes *= sumOf(inner ? track.compute : track.need);
          rolled.space *= track.most();
          rolls |= inner && level == loops && canReadCircular(ops[0].op, links[0], d);
          continue;
        }
        int64_t extent = track.moves ? input.axes[d].size : track.need[0].extent();
        load.bytes *= extent, load.space *= std::max<int64_t>(1, extent);
        rolled.bytes *= extent, rolled.space *= std::max<int64_t>(1, extent);
      }
      for (unsigned k = 0; k < level; ++k)
        if (!tracks[sequence[k]][0].moves) {
          load.bytes *= tracks[sequence[k]][0].need.size();
          rolled.bytes *= tracks[sequence[k]][0].need.size();
        }
      loads.push_back(load);
      if (rolls)
        loads.push_back(rolled);
    }
  }
  // Every choice of the other operands.
  struct Other {
    unsigned member, operand;
    SmallVector<Choice> choices;
  };
  SmallVector<Other> others;
  for (unsigned m = 0; m < n; ++m)
    for (unsigned x = 0; x < ops[m].operands.size(); ++x)
      if (x != links[m])
        others.push_back({m, x, choices(m, x)});
  SmallVector<unsigned> picked(others.size(), 0);
  while (true) {
    SmallVector<int64_t> inside(n, 0);
    // Output tiles and accumulators are single elements.
    if (!resultResident)
      inside[n - 1] += buffer(ops.back().width);
    int64_t bytes = moved, space = shared;
    for (auto [other, pick] : llvm::zip(others, picked)) {
      const Choice &choice = other.choices[pick];
      bytes += choice.bytes;
      (choice.where == Choice::Own ? inside[other.member] : space) += choice.space;
    }
    if (ownOrder(n - 1).empty() && !resultResident) {
      space += inside[n - 1];
      inside[n - 1] = 0;
    }
    space += *llvm::max_element(inside);
    for (const Load &load : loads) {
      if (space + load.space > limits.sramBytes || (best && bytes + load.bytes >= best->bytes))
        continue;
      MLIRContext *context = ops[0].op->getContext();
      SmallVector<LoopAttr> groupLoops;
      for (auto [k, d] : llvm::enumerate(sequence))
        groupLoops.push_back(LoopAttr::get(context, d, tile[k]));
      SmallVector<MemberAttr> members;
      SmallVector<OperandAttr> inputs;
      for (unsigned m = 0; m < n; ++m) {
        SmallVector<LoopAttr> own;
        for (int d : ownOrder(m))
          own.push_back(LoopAttr::get(context, d, 1));
        members.push_back(MemberAttr::get(context, own, m + 1 < n && rolls[m],
                                          m + 1 < n ? 0 : loops + own.size(), 1, -1));
        for (unsigned x = 0; x < ops[m].operands.size(); ++x) {
          if (x == links[m]) {
            if (m == 0)
              inputs.push_back(OperandAttr::get(context, load.level, 1, load.rolling));
            continue;
          }
          unsigned o = 0;
          while (others[o].member != m || others[o].operand != x)
            ++o;
          const Choice &choice = others[o].choices[picked[o]];
          int64_t level = choice.where == Choice::Resident ? 0
                          : choice.where == Choice::Group  ? loops
                                                           : loops + choice.own;
          inputs.push_back(OperandAttr::get(context, level, 1, false));
        }
      }
      best = OracleGroup{
          0,
          n,
          bytes + load.bytes,
          space + load.space,
          inputResident,
          resultResident,
          ScheduleAttr::get(context, 1, n - 1, groupLoops, members, inputs, {}, {}, {})};
    }
    unsigned o = 0;
    while (o < picked.size() && ++picked[o] == others[o].choices.size())
      picked[o++] = 0;
    if (o == picked.size())
      return;
  }
}

void Fused::tiles(unsigned index) {
  if (index == sequence.size()) {
    // Along the innermost loop only what is new is made, wherever that can be.
    int inner = sequence.empty() ? -1 : sequence.back();
    for (bool rolled : {true, false}) {
      rolls.assign(ops.size(), false);
      if (inner < 0 && rolled)
        continue;
      if (inner >= 0) {
        tracks[inner] = track(inner, tile.back(), rolled);
        for (unsigned m = 0; rolled && m + 1 < ops.size(); ++m)
          rolls[m] =
              tracks[inner][m + 1].moves && canReadCircular(ops[m + 1].op, links[m + 1], inner);
      }
      candidate();
    }
    return;
  }
  int dim = sequence[index];
  SmallVector<int64_t> options = tilesOf(ops.back().sizes[dim], 1, false);
  for (int64_t option : llvm::drop_begin(options)) {
    tile[index] = option;
    tracks[dim] = track(dim, option, false);
    tiles(index + 1);
  }
  tracks[dim] = track(dim, ops.back().sizes[dim], false);
}

void Fused::sequences() {
  tile.assign(sequence.size(), 0);
  tiles(0);
  constexpr unsigned deepest = 2; // a third loop only makes halos
  if (sequence.size() == deepest)
    return;
  for (int d = 0; d < int(ops.back().rank); ++d)
    if (ops.back().sizes[d] > 1 && !llvm::is_contained(sequence, d)) {
      sequence.push_back(d);
      sequences();
      sequence.pop_back();
    }
}

std::optional<OracleGroup> Fused::run() {
  for (unsigned d = 0; d < ops.back().rank; ++d)
    tracks.push_back(track(d, ops.back().sizes[d], false));
  sequences();
  return best;
}

std::optional<OraclePlan> accel::oracleOf(ArrayRef<Operation *> chain, const Limits &limits,
                                          std::string &why) {
  if (chain.empty() || chain.size() > kOracleChain) {
    why = "the oracle covers chains of 1 to 4 operations";
    return std::nullopt;
  }
  std::vector<Nest> ops;
  SmallVector<unsigned> links(chain.size(), 0);
  for (auto [i, op] : llvm::enumerate(chain)) {
    std::optional<Nest> described = describe(op, why);
    if (!described)
      return std::nullopt;
    if (i > 0) {
      std::optional<unsigned> link = chainOperand(chain[i - 1], op);
      if (!link || described->rank != ops.back().rank) {
        why = "an operation does not just follow the one before";
        return std::nullopt;
      }
      links[i] = *link;
    }
    ops.push_back(std::move(*described));
  }
  unsigned n = chain.size();
  // Best plan of the operations from `first` on; whether what they read is resident.
  std::vector<std::array<std::optional<OraclePlan>, 2>> from(n + 1);
  from[n][0] = OraclePlan();
  for (unsigned first = n; first-- > 0;)
    for (int in : {0, 1}) {
      // Only operand 0 of a single operation can be resident for the oracle.
      if (in && (first == 0 || links[first] != 0))
        continue;
      for (unsigned end = first + 1; end <= n; ++end)
        for (int out : {0, 1}) {
          if (!from[end][out] || (out && end == n))
            continue;
          Limits left = limits;
          if (in)
            left.sramBytes -= buffer(ops[first - 1].resultBytes());
          if (out)
            left.sramBytes -= buffer(ops[end - 1].resultBytes());
          if (left.sramBytes <= 0)
            continue;
          std::string reason;
          std::optional<OracleGroup> group;
          if (end == first + 1)
            group = oracleOf(chain[first], left, reason, in, out);
          else
            group = Fused(ArrayRef(ops).slice(first, end - first),
                          ArrayRef(links).slice(first, end - first), left, in, out)
                        .run();
          if (!group)
            continue;
          group->first = first;
          int64_t bytes = group->bytes + from[end][out]->bytes;
          std::optional<OraclePlan> &best = from[first][in];
          if (best && bytes >= best->bytes)
            continue;
          OraclePlan plan{bytes, {*group}};
          plan.groups.append(from[end][out]->groups.begin(), from[end][out]->groups.end());
          best = std::move(plan);
        }
    }
  if (!from[0][0])
    why = "no schedule fits";
  return from[0][0];
}

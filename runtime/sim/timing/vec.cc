//===- vec.cc - Occupancy of the vector engine ----------------------------===//
#include "acc/runtime/isa.h"
#include "arithmetic.h"

namespace accel::rt {
namespace {

bool IsWide(VType type) { return type == VType::I64 || type == VType::F64; }

/// Constants and scalar registers stand in registers before the first point.
bool IsFree(VOp op) { return op == VOp::Imm || op == VOp::Reg; }

bool IsTranscendental(VOp op) {
  switch (op) {
  case VOp::Div:
  case VOp::Sqrt:
  case VOp::Rsqrt:
  case VOp::Recip:
  case VOp::Exp:
  case VOp::Log:
  case VOp::Tanh:
  case VOp::Erf:
  case VOp::Sigmoid:
  case VOp::Pow:
  case VOp::Sin:
  case VOp::Cos:
  case VOp::Atan:
  case VOp::Mod:
  case VOp::FMod:
    return true;
  default:
    return false;
  }
}

/// Adds what the steps cost to `cost`, their number to `steps`.
void AddSteps(const MachineFigures &m, const std::vector<VStep> &list, int64_t &cost,
              int64_t &steps) {
  for (const VStep &step : list) {
    if (IsFree(step.op))
      continue;
    cost += (IsTranscendental(step.op) ? m.vecTranscendentalDivisor : 1) *
            (IsWide(step.type) ? m.vecWideDivisor : 1);
    ++steps;
  }
}

/// Groups of lanes that so many points fill, each so often through the chain.
int64_t Groups(const MachineFigures &m, int64_t points, int64_t cost) {
  return CappedProduct(CeilDivide(points, m.vecLanes),
                       CeilDivide(std::max<int64_t>(cost, 1), m.vecSteps));
}

Occupancy Finished(const MachineFigures &m, int64_t busy, int64_t steps) {
  return {std::max<int64_t>(busy, 1), m.sramLatencyCycles + steps * m.vecLatencyCycles};
}

} // namespace

VecProgramCost CostOf(const MachineFigures &m, const VProg &program) {
  VecProgramCost cost;
  AddSteps(m, program.body, cost.body, cost.bodySteps);
  AddSteps(m, program.post, cost.post, cost.postSteps);
  cost.reduces = !program.reductions.empty();
  cost.lanes = cost.reduces;
  for (const VReduction &r : program.reductions) {
    int64_t one = IsWide(r.type) ? m.vecWideDivisor : 1;
    cost.body += one;
    ++cost.bodySteps;
    cost.lanes &= r.lanes;
    if (r.lanes) { // the partials join in a tree
      cost.post += CeilLog2(isa::kLanes) * one;
      cost.postSteps += CeilLog2(isa::kLanes);
    }
  }
  return cost;
}

Occupancy VecOccupancy(const MachineFigures &m, const VecProgramCost &program,
                       const VecWork &work) {
  int64_t busy =
      std::max(Groups(m, work.points, program.body), CeilDivide(work.sramWords, m.sramBanks));
  if (program.reduces) {
    // Each value waits for the one before it in its chain.
    int64_t chains = CappedProduct(work.outputs, program.lanes ? isa::kLanes : 1);
    busy = std::max(busy, CappedProduct(CeilDivide(work.points, std::max<int64_t>(chains, 1)),
                                        m.vecLatencyCycles));
  }
  if (program.post)
    busy = CappedSum({busy, Groups(m, work.outputs, program.post)});
  return Finished(m, busy, program.bodySteps + program.postSteps);
}

Occupancy VecSortOccupancy(const MachineFigures &m, int64_t rows, int64_t elements, bool merge) {
  int64_t levels = CeilLog2(elements);
  int64_t stages = std::max<int64_t>(merge ? levels : levels * (levels + 1) / 2, 1);
  int64_t pairs = std::max<int64_t>((int64_t(1) << levels) / 2, 1);
  return Finished(m, CappedProduct(stages, CeilDivide(CappedProduct(rows, pairs), m.vecLanes)),
                  stages);
}

Occupancy VecCompactOccupancy(const MachineFigures &m, int64_t points) {
  return Finished(m, CeilDivide(points, m.vecLanes), CeilLog2(m.vecLanes) + 1);
}

Occupancy VecScatterOccupancy(const MachineFigures &m, int64_t rows, int64_t rowPoints,
                              bool combines) {
  int64_t row = CeilDivide(rowPoints, m.vecLanes);
  if (combines)
    row = std::max(row, m.vecLatencyCycles);
  return Finished(m, CappedProduct(rows, row), 1);
}

Occupancy VecRandomOccupancy(const MachineFigures &m, int64_t words) {
  constexpr int64_t kSteps = kPhiloxRounds * kPhiloxRoundSteps;
  return Finished(m, Groups(m, CeilDivide(words, 4), kSteps), kSteps);
}

} // namespace accel::rt

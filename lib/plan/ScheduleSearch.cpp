//===- ScheduleSearch.cpp - a good schedule for a given group -------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/ScheduleSearch.h"

#include "BlockSearch.h"
#include "acc/Plan/Candidate.h"
#include "acc/Plan/Routine.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace accel;

/// Tables do not depend on the SRAM, but for one thing: how many rows of a softmax or
/// normalisation run at a time. It follows the power of two below, so that groups
/// with one have a table for each octave.
static int64_t rowLimit(int64_t sram) {
  return llvm::bit_floor(uint64_t(std::max<int64_t>(sram, 1)));
}

static std::string keyOf(const GroupOps &ops, int64_t sram) {
  std::string key = structuralKey(ops);
  if (llvm::any_of(ops.members, [](Operation *op) { return isa<SoftmaxOp, NormalizeOp>(op); }))
    key += std::to_string(rowLimit(sram));
  return key;
}

ScheduleSearch::Entry::Entry(const GroupOps &ops, const Limits &limits)
    : ops(ops), limits(limits), table(ops, {rowLimit(limits.sramBytes), limits.accBytes}) {}

ScheduleSearch::Entry &ScheduleSearch::entry(const GroupOps &ops) {
  std::unique_ptr<Entry> &entry = entries[keyOf(ops, limits.sramBytes)];
  if (!entry)
    entry.reset(new Entry(ops, limits));
  return *entry;
}

bool ScheduleSearch::setSram(int64_t bytes) {
  bool other = rowLimit(bytes) != rowLimit(limits.sramBytes);
  limits.sramBytes = bytes;
  return other;
}

uint64_t ScheduleSearch::models() const {
  uint64_t total = 0;
  for (const auto &entry : entries)
    total += entry.second->table.models();
  return total;
}

GroupOps ScheduleSearch::Entry::with(ArrayRef<bool> inputs, ArrayRef<bool> outputs) const {
  GroupOps result = ops;
  for (auto [input, resident] : llvm::zip(result.inputs, inputs))
    input.inSram = resident;
  for (auto [output, resident] : llvm::zip(result.outputs, outputs))
    output.inSram = resident;
  return result;
}

const std::optional<ScheduledGroup> &ScheduleSearch::Entry::blocks(ArrayRef<bool> inputs,
                                                                   ArrayRef<bool> outputs,
                                                                   int64_t sram, int64_t &need) {
  std::vector<bool> residents(inputs.begin(), inputs.end());
  residents.insert(residents.end(), outputs.begin(), outputs.end());
  auto [it, isNew] = blockMemo.try_emplace({std::move(residents), sram});
  Blocks &blocks = it->second;
  if (isNew) {
    GroupOps here = with(inputs, outputs);
    blocks.best = searchBlocks(here, {sram, limits.accBytes}, compulsoryBytes(ops, inputs, outputs),
                               blocks.need);
  }
  need = blocks.need;
  return blocks.best;
}

/// A space of at most `sram`: eighths of the whole down to a quarter, then halves.
static int64_t roundDown(int64_t sram, int64_t whole) {
  int64_t rounded = whole;
  while (rounded > sram)
    rounded = rounded > whole / 4 ? rounded - std::max<int64_t>(whole / 8, 1) : rounded / 2;
  return rounded;
}

std::optional<ScheduleSearch::Entry::Cost>
ScheduleSearch::Entry::cost(ArrayRef<bool> inputs, ArrayRef<bool> outputs, int64_t sram) {
  std::vector<bool> residents(inputs.begin(), inputs.end());
  residents.insert(residents.end(), outputs.begin(), outputs.end());
  auto [it, isNew] = costMemo.try_emplace({{std::move(residents), sram}, limits.sramBytes});
  std::optional<Cost> &result = it->second;
  if (!isNew)
    return result;
  if (std::optional<StripeTable::Choice> choice = table.best(inputs, outputs, sram))
    result = {choice->dramBytes, choice->steps};
  if (ops.members.size() > 1 || sram <= 0 ||
      (result && result->dramBytes <= compulsoryBytes(ops, inputs, outputs)))
    return result;
  int64_t need;
  const std::optional<ScheduledGroup> *block = &blocks(inputs, outputs, limits.sramBytes, need);
  if (*block && (*block)->sramBytes > sram)
    block = &blocks(inputs, outputs, roundDown(sram, limits.sramBytes), need);
  if (*block && (!result || std::tuple((*block)->dramBytes, (*block)->steps) <
                                std::tuple(result->dramBytes, result->steps)))
    result = {(*block)->dramBytes, (*block)->steps};
  return result;
}

std::optional<ScheduledGroup> ScheduleSearch::find(const GroupOps &ops, int64_t sram,
                                                   std::string &error) {
  Entry &entry = this->entry(ops);
  SmallVector<bool> inputs, outputs;
  for (const External &input : ops.inputs)
    inputs.push_back(input.inSram);
  for (const External &output : ops.outputs)
    outputs.push_back(output.inSram);
  std::optional<ScheduledGroup> best;
  int64_t need, blockNeed = INT64_MAX;
  if (std::optional<StripeTable::Choice> choice = entry.table.best(inputs, outputs, sram, &need))
    best = ScheduledGroup{entry.table.schedule(*choice), choice->dramBytes, choice->sramBytes,
                          choice->steps};
  if (ops.members.size() == 1 && sram > 0 &&
      (!best || best->dramBytes > compulsoryBytes(ops, inputs, outputs))) {
    // The largest space that is known is at least as good as any below it.
    for (int64_t space : {sram, limits.sramBytes, roundDown(sram, limits.sramBytes)}) {
      int64_t least;
      const std::optional<ScheduledGroup> &block = entry.blocks(inputs, outputs, space, least);
      blockNeed = std::min(blockNeed, least);
      if (block && block->sramBytes <= sram &&
          (!best ||
           std::tuple(block->dramBytes, block->steps) < std::tuple(best->dramBytes, best->steps)))
        best = block;
    }
  }
  if (best)
    return best;
  need = std::min(need, blockNeed);
  if (need > sram && need < INT64_MAX - 1)
    error = "buffers need " + std::to_string(need) + " bytes of SRAM, there are " +
            std::to_string(sram);
  else
    error = entry.table.refusal().str();
  return best;
}

ScheduledGroup accel::costOf(ScheduleAttr schedule, const GroupModel &model) {
  ScheduledGroup group{schedule, model.dramBytes, model.sramBytes, 0};
  for (const LoadModel &load : model.loads)
    group.steps += load.transfers;
  for (auto [m, member] : llvm::enumerate(model.members))
    group.steps += 2 * model.trips(model.loops.size() + member.loops.size(), m);
  return group;
}

std::optional<ScheduledGroup> accel::searchSchedule(const GroupOps &ops, const Limits &limits,
                                                    std::string &error) {
  return ScheduleSearch(limits).find(ops, limits.sramBytes, error);
}

std::optional<ScheduledGroup> accel::sampleSchedule(const GroupOps &ops, const Limits &limits,
                                                    uint64_t seed, std::string &error) {
  if (ops.members.size() == 1 && seed % 2)
    if (std::optional<ScheduledGroup> block = sampleBlocks(ops, limits, seed))
      return block;
  StripeTable table(ops, limits);
  SmallVector<bool> inputs, outputs;
  for (const External &input : ops.inputs)
    inputs.push_back(input.inSram);
  for (const External &output : ops.outputs)
    outputs.push_back(output.inSram);
  if (auto choice = table.any(inputs, outputs, limits.sramBytes, seed))
    return ScheduledGroup{table.schedule(*choice), choice->dramBytes, choice->sramBytes,
                          choice->steps};
  return ScheduleSearch(limits).find(ops, limits.sramBytes, error);
}

//===- StripeTable.h - all the ways to run a group in stripes --*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A group in stripes has one decision for the group (how the anchor is cut, and
// whether halos roll or are computed again) and one for each member (second
// operands stay, or stream through in tiles of one of a few shapes). The
// decisions of members do not touch each other: what a member reads in a stripe
// depends on the stripes alone. So one GroupModel for each stripe and shape gives
// the cost of every combination, by addition.
//
// best() picks the combination for a given SRAM and given residents. The table
// does not depend on either: one table serves all questions that the planner asks
// about a group, also about a chip with another SRAM.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_STRIPE_TABLE_H
#define ACC_PLAN_STRIPE_TABLE_H

#include "acc/Plan/Candidate.h"
#include "acc/Plan/PairCuts.h"

#include <map>
#include <vector>

namespace accel {

class StripeTable {
public:
  /// A point of the table, with what it costs.
  struct Choice {
    unsigned candidate = 0;
    int64_t depth = 1;                 ///< buffers that rotate
    llvm::SmallVector<uint8_t> shapes; ///< for each member
    int64_t dramBytes = 0, sramBytes = 0, steps = 0;
  };

  /// The table of `ops`; whether externals are in SRAM is not looked at. Models are
  /// built when a question needs them: the operations must live as long.
  StripeTable(const GroupOps &ops, const Limits &limits);

  /// The choice with the fewest DRAM bytes, then steps, in `sram` bytes, where the
  /// marked inputs and outputs are resident. Nothing if none fits; `need` becomes
  /// the least SRAM that was seen.
  std::optional<Choice> best(llvm::ArrayRef<bool> inputs, llvm::ArrayRef<bool> outputs,
                             int64_t sram, int64_t *need = nullptr);

  /// Any cut with some choice that fits, chosen by `seed`.
  std::optional<Choice> any(llvm::ArrayRef<bool> inputs, llvm::ArrayRef<bool> outputs, int64_t sram,
                            uint64_t seed);

  /// The schedule of a choice.
  ScheduleAttr schedule(const Choice &choice) const;

  /// Why a model of this table was refused, the last one.
  llvm::StringRef refusal() const { return why; }
  uint64_t models() const { return numModels; }

private:
  enum class Place : uint8_t { None, Always, Transient, Inside };
  struct Load {
    int64_t bytes = 0, dram = 0, transfers = 0;
    Place place = Place::None;
    bool depth = false; ///< rotates
  };
  struct Shape {
    llvm::SmallVector<Load> loads; ///< of this member alone, by Table::privates
    int64_t scratch = 0, steps = 0;
    int64_t result = 0; ///< bytes of its buffer
    Place resultPlace = Place::None;
    bool resultDepth = false;
  };
  /// One way to cut the group.
  struct Candidate {
    llvm::SmallVector<LoopAttr> stripes;
    bool rolling, leaf;
    unsigned family = 0; ///< not 0: of one family the first that fits is the best
    StripeSpace space;   ///< what it needs at least; empty: not known yet
    enum { Unknown, Refused, First, All } known = Unknown; ///< shapes that are measured
    GroupPolicy group;
    llvm::SmallVector<ScheduleAttr, 4> schedules; ///< for each shape
    std::vector<std::vector<Shape>> members;      ///< [member][shape]
    llvm::SmallVector<Load> shared;               ///< by Table::shared
    llvm::SmallVector<int64_t> storeBytes;        ///< by output
  };
  struct Question;
  int64_t leastSram(const Question &question, Candidate &candidate);
  int64_t repeats(const Candidate &candidate) const;
  int64_t leastReloads(const Question &question, const Candidate &candidate) const;
  bool answer(const Question &question, unsigned candidate, int64_t depth,
              std::optional<Choice> &best, int64_t &need);
  bool measureFirst(Candidate &candidate);
  void measureAll(Candidate &candidate);
  void add(Candidate &candidate, const GroupModel &model, ScheduleAttr schedule) const;
  std::optional<GroupModel> model(const GroupPolicy &group, const MemberPolicy &shape,
                                  ScheduleAttr &schedule);
  void addCuts(bool fine);
  void addCandidate(llvm::ArrayRef<LoopAttr> stripes, bool rolling, bool leaf, unsigned family = 0);
  void addPairCuts();

  GroupOps ops;
  Limits limits;
  std::vector<Candidate> candidates; ///< thick stripes first
  bool fineCuts = false;             ///< those below one row are there
  bool twoLoops = false;             ///< those of short groups in two loops are there
  bool streams = false;              ///< there are second operands worth streaming
  llvm::SmallVector<llvm::SmallVector<unsigned>> privates;  ///< inputs that one member reads
  llvm::SmallVector<unsigned> shared;                       ///< inputs that several read
  llvm::SmallVector<std::pair<unsigned, unsigned>> readers; ///< first and last, by input
  llvm::SmallVector<int> outputOf;        ///< index of a member's result among the outputs
  llvm::SmallVector<unsigned> lastReader; ///< of a member's result
  /// What rolls and where inputs are loaded, by the dimensions of the group's loops:
  /// found once, since it hardly depends on tile sizes.
  std::map<std::pair<std::vector<int64_t>, bool>, GroupPolicy> seeds;
  uint64_t numModels = 0;
  std::string why;
};

} // namespace accel

#endif // ACC_PLAN_STRIPE_TABLE_H

//===- PackTest.cpp - packing by live range ---------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Memory/Pack.h"
#include "HardSets.h"
#include "acc/Memory/Fits.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace accel::memory {
namespace {

TEST(Pack, SharesBytesOnceDead) {
  // a lives in [0, 2), b in [1, 3), c in [2, 4): a and c never meet.
  Problem problem{{{0, 2, 64}, {1, 3, 64}, {2, 4, 64}}, 128};
  Result result = pack(problem);
  ASSERT_TRUE(result.solution);
  EXPECT_EQ(result.solution->height, 128);
  EXPECT_EQ(result.solution->offsets[0], result.solution->offsets[2]);
  EXPECT_EQ(verify(problem, *result.solution), std::nullopt);
}

TEST(Pack, NamesTheBuffersThatClash) {
  Problem problem{{{0, 2, 64}, {1, 3, 128}, {2, 4, 64}, {5, 6, 64}}, 128};
  Result result = pack(problem);
  EXPECT_FALSE(result.solution);
  EXPECT_EQ(result.clash, (std::vector<size_t>{0, 1}));
  EXPECT_EQ(result.needed, 192);
}

TEST(Pack, ValidatorSeesOverlapAndAlignment) {
  Problem problem{{{0, 2, 64}, {1, 3, 64}}, 256};
  EXPECT_EQ(verify(problem, {{0, 32}, 96}), "buffer 1 at 32 is not aligned to 64");
  EXPECT_EQ(verify(problem, {{0, 0}, 64}), "buffers 0 and 1 overlap at byte 0");
  EXPECT_EQ(verify(problem, {{0, 256}, 320}),
            "buffer 1 at 256 + 64 bytes leaves the capacity of 256");
}

// Where the sum of live bytes at the fullest position is far below the
// capacity, first fit must succeed; the result must always be valid.
TEST(Pack, RandomProblemsAreValid) {
  std::mt19937 random(7);
  for (int n = 0; n < 200; ++n) {
    Problem problem;
    Bytes total = 0;
    for (int i = 0, count = 1 + int(random() % 40); i < count; ++i) {
      Position begin = Position(random() % 50);
      Bytes bytes = Bytes(random() % 1000);
      total += (bytes + 63) / 64 * 64;
      problem.buffers.push_back({begin, begin + 1 + Position(random() % 10), bytes});
    }
    for (Bytes capacity : {total, total / 2, total / 4}) {
      problem.capacity = capacity;
      Result result = pack(problem);
      if (capacity == total) {
        EXPECT_TRUE(result.solution);
      }
      if (result.solution)
        EXPECT_EQ(verify(problem, *result.solution), std::nullopt);
      else
        EXPECT_FALSE(result.clash.empty());
    }
  }
}

TEST(Pack, FixedBuffersStayWhereTheyAre) {
  // The fixed one leaves 128 bytes below and 64 above it.
  Problem problem{{{0, 4, 64, 64, 128}, {0, 4, 64}, {1, 3, 128}}, 256};
  Result result = pack(problem);
  ASSERT_TRUE(result.solution);
  EXPECT_EQ(verify(problem, *result.solution), std::nullopt);
  EXPECT_EQ(result.solution->offsets, (std::vector<Bytes>{128, 192, 0}));
}

TEST(Pack, FixedBuffersThatContradict) {
  Problem problem{{{0, 2, 64, 64, 0}, {1, 3, 128, 64, 0}, {5, 6, 64}}, 512};
  Result result = pack(problem);
  EXPECT_FALSE(result.solution);
  EXPECT_TRUE(result.proved);
  EXPECT_EQ(result.clash, (std::vector<size_t>{0, 1}));
  problem.buffers[1].fixed = 448;
  EXPECT_EQ(pack(problem).clash, (std::vector<size_t>{1}));
}

TEST(Pack, ProvesThatNothingFits) {
  // 192 bytes are live at most and there are 192, but the only packing of a, b
  // and c leaves two gaps of 64 where d needs 128.
  Problem problem{{{0, 2, 64, 64, 64}, {0, 2, 64}, {0, 1, 64}, {1, 2, 64}, {2, 3, 192}}, 192};
  EXPECT_TRUE(pack(problem).solution);
  problem.buffers[3].bytes = 128;
  problem.buffers[1].end = 1;
  Result result = pack(problem);
  EXPECT_FALSE(result.solution);
  EXPECT_TRUE(result.proved);
}

TEST(Pack, ValidatorSeesMovedFixedBuffers) {
  Problem problem{{{0, 2, 64, 64, 128}}, 256};
  EXPECT_EQ(verify(problem, {{0}, 64}), "buffer 0 at 0 is fixed at 128");
}

/// Whether any assignment of offsets in steps of 64 fits; tries all of them.
bool fitsByExhaustion(const Problem &problem, Solution &solution, size_t next = 0) {
  if (next == problem.buffers.size())
    return true;
  const Buffer &b = problem.buffers[next];
  for (Bytes at = 0; at + b.bytes <= problem.capacity; at += 64) {
    solution.offsets[next] = at;
    bool good = at % b.alignment == 0 && at == b.fixed.value_or(at);
    for (size_t j = 0; j < next && good; ++j) {
      const Buffer &c = problem.buffers[j];
      good = b.end <= c.begin || c.end <= b.begin || at + b.bytes <= solution.offsets[j] ||
             solution.offsets[j] + c.bytes <= at;
    }
    if (good && fitsByExhaustion(problem, solution, next + 1))
      return true;
  }
  return false;
}

// Small problems: the search ends with a packing or the proof that there is none.
TEST(Pack, AgreesWithExhaustion) {
  std::mt19937 random(11);
  int fit = 0, total = 600;
  for (int n = 0; n < total; ++n) {
    Problem problem;
    problem.capacity = 64 * (4 + Bytes(random() % 5));
    for (int i = 0, count = 3 + int(random() % 5); i < count; ++i) {
      Position begin = Position(random() % 6);
      Buffer b{begin, begin + 1 + Position(random() % 4), 64 * (1 + Bytes(random() % 4)), 64,
               std::nullopt};
      if (random() % 5 == 0)
        b.alignment = 128;
      if (random() % 8 == 0)
        b.fixed = Bytes(random() % 3) * 128;
      problem.buffers.push_back(b);
    }
    Solution any;
    any.offsets.assign(problem.buffers.size(), 0);
    bool possible = fitsByExhaustion(problem, any);
    Result result = pack(problem);
    EXPECT_EQ(result.solution.has_value(), possible) << n;
    EXPECT_EQ(result.proved, !possible) << n;
    if (result.solution) {
      EXPECT_EQ(verify(problem, *result.solution), std::nullopt);
    }
    fit += possible;
  }
  EXPECT_GT(fit, total / 10);
  EXPECT_LT(fit, total * 9 / 10);
}

// 99 % full at the peak, feasible by construction.
class HardSets : public testing::TestWithParam<size_t> {};

TEST_P(HardSets, Pack) {
  for (const HardSetOptions &options : allHardSets(1)) {
    if (options.buffers != GetParam() || options.solid)
      continue;
    HardSet set = makeHardSet(options);
    SCOPED_TRACE(set.name);
    ASSERT_EQ(verify(set.problem, set.witness), std::nullopt);
    EXPECT_GE(peakOf(set.problem).bytes * 1000, set.problem.capacity * 989);
    Result result = pack(set.problem);
    ASSERT_TRUE(result.solution);
    EXPECT_EQ(verify(set.problem, *result.solution), std::nullopt);
  }
}
INSTANTIATE_TEST_SUITE_P(Buffers, HardSets, testing::Values(100, 200, 400, 700, 1000),
                         testing::PrintToStringParamName());

TEST(Pack, SameResultEveryTime) {
  HardSet set = makeHardSet({Cut::Sweep, 200, true, false, false, false, 3});
  Result a = pack(set.problem), b = pack(set.problem);
  ASSERT_TRUE(a.solution && b.solution);
  EXPECT_EQ(a.solution->offsets, b.solution->offsets);
}

TEST(Fits, AnswersAfterEachChange) {
  Fits fits(256);
  size_t a = fits.add({0, 2, 128}), b = fits.add({1, 3, 128});
  EXPECT_EQ(fits.ask(), Fits::Answer::Yes);
  fits.change(b, {1, 3, 192});
  EXPECT_EQ(fits.ask(), Fits::Answer::No);
  fits.change(b, {2, 3, 192});
  EXPECT_EQ(fits.ask(), Fits::Answer::Yes);
  EXPECT_EQ(fits.offsets()[a], 0);
  fits.remove(a);
  fits.change(b, {0, 3, 256});
  EXPECT_EQ(fits.ask(), Fits::Answer::Yes);
}

// One change at a time gives packings that the validator accepts, and never the
// answer that the problem as a whole contradicts.
TEST(Fits, RandomChanges) {
  std::mt19937 random(5);
  auto any = [&]() -> Buffer {
    Position begin = Position(random() % 40);
    return {begin, begin + 1 + Position(random() % 12), Bytes(random() % 700), 64, std::nullopt};
  };
  Problem problem;
  problem.capacity = 4096;
  Fits fits(problem.capacity);
  for (int i = 0; i < 30; ++i) {
    problem.buffers.push_back(any());
    fits.add(problem.buffers.back());
  }
  int yes = 0;
  for (int n = 0; n < 500; ++n) {
    size_t i = random() % problem.buffers.size();
    problem.buffers[i] = any();
    fits.change(i, problem.buffers[i]);
    Fits::Answer answer = fits.ask();
    if (answer == Fits::Answer::Yes) {
      EXPECT_EQ(verify(problem, {fits.offsets(), 0}), std::nullopt);
      ++yes;
    } else if (answer == Fits::Answer::No) {
      EXPECT_FALSE(pack(problem).solution);
    }
  }
  EXPECT_GT(yes, 100);
}

// Cost follows structure: a chain of 100,000 buffers takes the linear sweep.
TEST(Pack, LongChain) {
  Problem problem;
  for (Position i = 0; i < 100000; ++i)
    problem.buffers.push_back({i, i + 2, 640});
  problem.capacity = 1280;
  Result result = pack(problem);
  ASSERT_TRUE(result.solution);
  EXPECT_EQ(result.solution->height, 1280);
}

} // namespace
} // namespace accel::memory

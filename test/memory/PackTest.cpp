//===- PackTest.cpp - packing by live range ---------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Memory/Pack.h"

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

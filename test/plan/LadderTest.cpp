//===- LadderTest.cpp - the sizes of SRAM that plans are made for ---------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Ladder.h"

#include <gtest/gtest.h>

namespace accel {
namespace {

TEST(Ladder, RungsOfAnOctave) {
  EXPECT_EQ(rungAt(131072), 131072);
  EXPECT_EQ(rungAt(131073), 131072);
  EXPECT_EQ(rungBelow(131072), 114688);
  EXPECT_EQ(rungAt(393216), 393216);
  EXPECT_EQ(rungAt(500000), 458752);
  EXPECT_EQ(rungAt(INT64_MAX), int64_t(7) << 60);
}

TEST(Ladder, SmallSizesAreMultiplesOf64) {
  EXPECT_EQ(rungAt(200), 192);
  EXPECT_EQ(rungBelow(128), 64);
  EXPECT_EQ(rungBelow(64), 0);
  EXPECT_EQ(rungAt(63), 0);
  EXPECT_EQ(rungAt(0), 0);
  EXPECT_EQ(rungAt(-5), 0);
}

/// A larger chip has all rungs of a smaller one.
TEST(Ladder, IsOneLadder) {
  for (int64_t bytes = 1; bytes < 20000; ++bytes) {
    int64_t rung = rungAt(bytes), before = rungAt(bytes - 1);
    EXPECT_LE(rung, bytes);
    EXPECT_EQ(rungAt(rung), rung);
    EXPECT_TRUE(rung == before || (rung == bytes && rungBelow(rung) == before)) << bytes;
  }
}

} // namespace
} // namespace accel

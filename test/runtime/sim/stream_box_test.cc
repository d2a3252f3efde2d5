#include "../../../runtime/sim/stream_box.h"
#include <gtest/gtest.h>

namespace accel::rt {
namespace {

/// A coordinate over dimension 0: (start + i * step) / div, 100 bytes a position.
Box BoxOf(int64_t start, int64_t step, int64_t div, bool exact, int64_t count) {
  KStream s;
  s.type = KType::F32;
  s.windowed = true;
  s.coord[0].start = start;
  s.coord[0].dimA = 0;
  s.coord[0].mulA = step;
  s.coord[0].div = div;
  s.coord[0].exact = exact;
  s.coord[0].bound = 1000;
  s.coord[0].stride = 100;
  int64_t size[kDims] = {count, 1, 1, 1, 1, 1};
  Box box;
  EXPECT_TRUE(ComputeBox(s, size, box));
  return box;
}

TEST(StreamBox, OnlyExactQuotientsAreRead) {
  // Positions 3/2 and 4/2: only the second exists.
  Box box = BoxOf(3, 1, 2, true, 2);
  EXPECT_EQ(box.lo, 200);
  EXPECT_EQ(box.hi, 204);
  // Rounded down, both do.
  EXPECT_EQ(BoxOf(3, 1, 2, false, 2).lo, 100);
}

TEST(StreamBox, NoExactQuotientReadsNothing) { EXPECT_TRUE(BoxOf(3, 1, 2, true, 1).empty()); }

} // namespace
} // namespace accel::rt

//===- memory_test.cc - Guard pages ---------------------------------------===//
#include "memory.h"
#include "gtest/gtest.h"

namespace accel::rt {
namespace {

TEST(PagesDeathTest, NothingLiesNextToThem) {
  absl::StatusOr<Pages> pages = Pages::Allocate(3 * 4096, "a test");
  ASSERT_TRUE(pages.ok()) << pages.status();
  volatile uint8_t *bytes = pages->data();
  bytes[3 * 4096 - 1] = 7;
  pages->Clear();
  EXPECT_EQ(bytes[3 * 4096 - 1], 0);
  EXPECT_DEATH((void)bytes[3 * 4096], "");
  EXPECT_DEATH((void)bytes[-1], "");
}

} // namespace
} // namespace accel::rt

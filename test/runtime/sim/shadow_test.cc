//===- shadow_test.cc - The shadow against one record a byte --------------===//
#include "shadow.h"
#include "gtest/gtest.h"
#include <random>

namespace accel::rt {
namespace {

/// The definition: histories of single bytes.
struct Byte {
  Event writer;
  uint32_t reader[kEngines] = {};
};

Hazard::Kind Naive(Byte &b, int e, const VectorClock &vc, bool write) {
  if (!write && !b.writer.bits)
    return Hazard::Uninitialised;
  if (b.writer.bits && b.writer.number() > vc.clock[b.writer.engine()])
    return write ? Hazard::WriteAfterWrite : Hazard::ReadAfterWrite;
  for (int r = 0; write && r < kEngines; ++r)
    if (r != e && b.reader[r] > vc.clock[r])
      return Hazard::WriteAfterRead;
  return Hazard::None;
}

TEST(Shadow, AgreesWithOneRecordAByte) {
  std::mt19937 random(3);
  for (int round = 0; round < 5000; ++round) {
    const int64_t size = 700;
    Shadow shadow = *Shadow::Create(size, false, round % 2, "test");
    std::vector<Byte> bytes(size);
    VectorClock clock[kEngines];
    for (int step = 0; step < 60; ++step) {
      int e = int(random() % kEngines);
      if (random() % 4 != 0) // what a token brings
        clock[e].Join(clock[random() % kEngines]);
      ++clock[e].clock[e];
      bool write = step < 10 || random() % 2;
      int64_t begin = int64_t(random() % size);
      int64_t end = begin + 1 + int64_t(random() % std::min<int64_t>(size - begin, 200));
      if (random() % 2) { // whole blocks are the usual case
        begin = begin / 32 * 32;
        end = std::min((end + 31) / 32 * 32, size);
      }
      Hazard got =
          write ? shadow.Write(e, clock[e], begin, end) : shadow.Read(e, clock[e], begin, end);
      Hazard::Kind want = Hazard::None;
      int64_t at = begin;
      for (; at < end && !want; ++at)
        want = Naive(bytes[size_t(at)], e, clock[e], write);
      ASSERT_EQ(got.kind, want);
      if (want) {
        ASSERT_EQ(got.begin, at - 1); // the first bad byte
        ASSERT_GT(got.end, got.begin);
        break; // a run ends at its first hazard
      }
      for (int64_t i = begin; i < end; ++i) {
        Byte &b = bytes[size_t(i)];
        if (write)
          b = Byte();
        if (write)
          b.writer = Event::Of(e, clock[e].clock[e]);
        else
          b.reader[e] = clock[e].clock[e];
      }
      int64_t unwritten = 0;
      while (unwritten < size && bytes[size_t(unwritten)].writer.bits)
        ++unwritten;
      ASSERT_EQ(shadow.FirstUnwritten(0, size), unwritten);
    }
  }
}

} // namespace
} // namespace accel::rt

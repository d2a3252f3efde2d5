//===- lists_test.cc - Sort, compact, scatter, random in programs ---------===//
//
// With the sanitizer on: results, and the faults that it must see.
//
//===----------------------------------------------------------------------===//
#include "lists_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <algorithm>

namespace accel::rt {
namespace {

using namespace dsl;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto I64 = KType::I64;

/// x in DRAM to SRAM at 0, `code`, then y from SRAM at 4096 to DRAM. Semaphores:
/// 1 x is there, 2 y is there.
struct OneStep {
  std::vector<uint8_t> bytes;
  std::string error;
};
template <class X>
OneStep Outcome(const std::vector<X> &x, KType xType, int64_t yBytes,
                const std::function<void(RoutineDsl &)> &code, int64_t loaded = -1) {
  ProgramDsl p;
  const int64_t xBytes = int64_t(x.size() * sizeof(X));
  uint32_t xt = p.Io("x", 1, RegionKind::Input, xType, {int64_t(x.size())});
  uint32_t yt = p.Io("y", 2, RegionKind::Output, I8, {yBytes});
  loaded = loaded < 0 ? xBytes : loaded;
  p.Predict(xt, Reason::CompulsoryLoad, false, loaded);
  p.Predict(yt, Reason::CompulsoryStore, true, yBytes);
  p.b.data.nodes = {{"list", "List", 0}};
  RoutineDsl &r = p.Routine("r");
  r.node = 0;
  r.Dma(kLd0, {loaded}, Sram(0, I8, {1}), Dram(1, I8, {1}),
        {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
  code(r);
  r.Dma(kSt, {yBytes}, Dram(2, I8, {1}), Sram(4096, I8, {1}),
        {.waits = {{2, 1}}, .reason = Reason::CompulsoryStore});
  p.main().Call(r);
  p.b.data.calls = {{0, 0, {0}}};
  absl::StatusOr<Program> program = p.Build();
  if (!program.ok())
    return {{}, std::string(program.status().message())};
  Simulator sim(*program, {.sanitize = true});
  EXPECT_TRUE(
      sim.SetInput("x", {reinterpret_cast<const uint8_t *>(x.data()), size_t(xBytes)}).ok());
  absl::Status s = sim.Run();
  if (!s.ok())
    return {{}, std::string(s.message())};
  auto y = *sim.Output("y");
  return {{y.begin(), y.end()}, ""};
}

template <class T> std::vector<T> As(const std::vector<uint8_t> &bytes, size_t at, size_t count) {
  std::vector<T> v(count);
  std::memcpy(v.data(), bytes.data() + at, count * sizeof(T));
  return v;
}

const std::vector<float> kX = {3, 1, 2, 3, -0.0f, 0.0f, 7, 1};
const Opt kBoth = {.waits = {{1, 1}}, .signals = {{2, 1}}};
Opt With(std::function<void(Opt &)> change) {
  Opt o = kBoth;
  change(o);
  return o;
}

TEST(Lists, TopKWithKFromARegister) {
  OneStep out = Outcome(kX, F32, 40, [](RoutineDsl &r) {
    r.Li(7, 3);
    r.Fill(kLd1, {40}, Sram(4096, I8, {1}), {.signals = {{3, 1}}});
    r.Sync(kVec, {{3, 1}}, {});
    r.Lists(Op::VecSort, {8}, {Sram(4096, F32, {4}), Sram(4096 + 16, I64, {8}), Sram(0, F32, {4})},
            With([](Opt &o) { o.flags = 1, o.za = 4, o.initReg = 7; }));
  });
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(As<float>(out.bytes, 0, 4), ElementsAre(7, 3, 3, 0));
  EXPECT_THAT(As<int64_t>(out.bytes, 16, 3), ElementsAre(6, 0, 3));
}

TEST(Lists, SanitizerSeesWhatASortTouches) {
  auto sort = [](Opt o, int64_t n = 8, int64_t to = 4096) {
    return [=](RoutineDsl &r) {
      r.Lists(Op::VecSort, {n}, {Sram(to, F32, {4}), Sram(8192, I64, {8}), Sram(0, F32, {4})}, o);
    };
  };
  EXPECT_EQ(Outcome(kX, F32, 32, sort(kBoth)).error, "");
  EXPECT_THAT(Outcome(kX, F32, 32, sort(kBoth), 28).error, // x is not there as a whole
              HasSubstr("read of uninitialised memory: VEC"));
  EXPECT_THAT(Outcome(kX, F32, 32,
                      [&](RoutineDsl &r) {
                        sort({.signals = {{2, 1}}})(r);
                        r.Sync(kVec, {{1, 1}}, {});
                      })
                  .error,
              HasSubstr("read-after-write hazard: VEC"));
  EXPECT_THAT(Outcome(kX, F32, 32,
                      [&](RoutineDsl &r) {
                        r.Sync(kVec, {}, {{2, 1}});
                        sort({.waits = {{1, 1}}})(r);
                      })
                  .error,
              HasSubstr("hazard: ST"));
  EXPECT_THAT(Outcome(kX, F32, 36, sort(kBoth)).error, // one element more than was sorted
              HasSubstr("read of uninitialised memory: ST"));
  EXPECT_THAT(Outcome(kX, F32, 32, sort(kBoth, 8, 16)).error,
              HasSubstr("stream 0 writes byte 16, which stream 2 reads at another point"));
  EXPECT_THAT(Outcome(kX, F32, 32, sort(With([](Opt &o) { o.za = 4; }))).error, // top 4 of 8
              HasSubstr("read of uninitialised memory: ST"));
}

TEST(Lists, MergeStopsWhereARunEnds) {
  // Runs of 3 and 2 elements, 4 apart.
  const std::vector<float> x = {1, 4, 9, 0, 2, 3, 0, 0};
  auto merge = [](uint8_t flags) {
    return [=](RoutineDsl &r) {
      r.Li(5, 3);
      r.Li(6, 2);
      r.Fill(kLd1, {64}, Sram(8192, I8, {1}), {.signals = {{3, 1}}}); // indices
      r.Sync(kVec, {{3, 1}}, {});
      std::vector<S> streams = {Sram(4096, F32, {0, 4}), Sram(16384, I64, {0, 8}),
                                Sram(0, F32, {16, 4}), Sram(8192, I64, {32, 8})};
      if (flags & 8)
        streams.push_back(Sram(4096 + 32, I64, {8, 0}));
      r.Lists(Op::VecSort, {2, 4}, streams,
              With([&](Opt &o) { o.flags = flags, o.zaReg = 5, o.zbReg = 6; }));
    };
  };
  OneStep all = Outcome(x, F32, 20, merge(2));
  ASSERT_EQ(all.error, "");
  EXPECT_THAT(As<float>(all.bytes, 0, 5), ElementsAre(1, 2, 3, 4, 9));
  EXPECT_EQ(Outcome(x, F32, 12, merge(10)).error, ""); // 1, 2, 3: run 1 is used up
  EXPECT_THAT(Outcome(x, F32, 16, merge(10)).error, HasSubstr("read of uninitialised memory: ST"));
}

/// NonZero in small: positions, their count in a register, that many stored.
TEST(Lists, CompactGivesACountThatBecomesASize) {
  auto program = [](int64_t room) {
    return [=](RoutineDsl &r) {
      r.Fill(kLd1, {72}, Sram(4096, I8, {1}), {.signals = {{3, 1}}});
      r.Sync(kVec, {{3, 1}}, {});
      r.Lists(Op::VecCompact, {8}, {Sram(8192, I64, {8}), Sram(1024, I32, {}), Sram(0, F32, {4})},
              {.waits = {{1, 1}}, .signals = {{4, 1}}, .flags = 1, .za = int32_t(room)});
      r.Sync(kCtrl, {{4, 1}}, {});
      r.Lds(9, 0, 1024, I32);
      r.MinI(9, 9, 8);
      r.Ctrl(Op::MaxI, 9, 9, 0, 0);
      r.Dma(kLd1, {8, 8}, Sram(4096, I8, {8, 1}), Sram(8192, I8, {8, 1}),
            {.signals = {{2, 1}}, .sizeRegs = {9, 0}});
    };
  };
  OneStep out = Outcome(kX, F32, 72, program(8));
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(As<int64_t>(out.bytes, 0, 9), ElementsAre(0, 1, 2, 3, 6, 7, 0, 0, 0));
  EXPECT_THAT(Outcome(kX, F32, 72, program(5)).error,
              HasSubstr("node \"list\": more elements are set than kept has room for: 0 + 6, its "
                        "room is 5"));
}

TEST(Lists, CompactWritesOnlyWhatItKeeps) {
  auto kept = [](RoutineDsl &r) {
    r.Lists(Op::VecCompact, {8},
            {Sram(4096, F32, {4}), Sram(1024, I32, {}), Sram(0, F32, {4}), Sram(0, F32, {4})},
            With([](Opt &o) { o.za = 8; }));
  };
  OneStep out = Outcome(kX, F32, 24, kept);
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(As<float>(out.bytes, 0, 6), ElementsAre(3, 1, 2, 3, 7, 1));
  EXPECT_THAT(Outcome(kX, F32, 28, kept).error, HasSubstr("read of uninitialised memory: ST"));
}

TEST(Lists, ScatterAddsInOrderAndNamesTheNode) {
  // x: 4 indices (i32), then 4 values.
  auto scatter = [](int32_t rows, uint8_t flags = 0) {
    return [=](RoutineDsl &r) {
      r.Fill(kLd1, {16}, Sram(4096, I8, {1}), {.signals = {{3, 1}}});
      r.Sync(kVec, {{3, 1}}, {});
      r.Lists(Op::VecScatter, {4, 1, 1, 1, 1, 1},
              {Sram(4096, I32, {4, 0, 0, 0, 0, 0}), Sram(16, I32, {4, 0, 0, 0, 0, 0}),
               Sram(0, I32, {4, 0, 0, 0, 0, 0})},
              With([&](Opt &o) { o.za = rows, o.zb = 1, o.flags = flags; }));
    };
  };
  const std::vector<int32_t> x = {1, -1, 1, 0, 10, 20, 30, 40};
  OneStep out = Outcome(x, I32, 16, scatter(4));
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(As<int32_t>(out.bytes, 0, 4), ElementsAre(40, 40, 0, 20));
  EXPECT_THAT(Outcome(std::vector<int32_t>{1, 4, 1, 0, 1, 1, 1, 1}, I32, 16, scatter(4)).error,
              HasSubstr("node \"list\": index out of range: index 1 is 4, must be in -4..3"));
  out = Outcome(x, I32, 16, scatter(1, 1)); // a tile of one row: others are skipped
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(As<int32_t>(out.bytes, 0, 4), ElementsAre(40, 0, 0, 0));
  EXPECT_THAT(Outcome(x, I32, 16,
                      [](RoutineDsl &r) { // add reads what nothing wrote
                        r.Lists(Op::VecScatter, {4, 1, 1, 1, 1, 1},
                                {Sram(4096, I32, {4, 0, 0, 0, 0, 0}),
                                 Sram(16, I32, {4, 0, 0, 0, 0, 0}),
                                 Sram(0, I32, {4, 0, 0, 0, 0, 0})},
                                With([&](Opt &o) { o.za = 4, o.zb = 1; }));
                      })
                  .error,
              HasSubstr("read of uninitialised memory: VEC"));
}

TEST(Lists, RandomNumbersFromASeedInMemory) {
  const std::vector<int64_t> seed = {0x299f31d0a4093822};
  OneStep out = Outcome(seed, I64, 16, [](RoutineDsl &r) {
    r.Li(3, 4);
    r.Lists(Op::VecRandom, {4}, {Sram(4096, KType::U32, {4}), Sram(0, I64, {})},
            With([](Opt &o) { o.initReg = 3; }));
  });
  ASSERT_EQ(out.error, "");
  uint32_t want[4];
  Philox(uint64_t(seed[0]), 1, 0, want);
  EXPECT_EQ(0, std::memcmp(out.bytes.data(), want, 16));
}

/// The program that the fuzzer damages works, for any number of rows.
TEST(Lists, TogetherInALoopOfMain) {
  absl::StatusOr<Program> program = ListsProgram().Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  for (int64_t rows : {1, 5, 8}) {
    std::vector<float> x(size_t(rows * 16));
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = float(int(i * 7 % 11) - 5);
    const absl::Span<const uint8_t> bytes(reinterpret_cast<const uint8_t *>(x.data()),
                                          x.size() * 4);
    ASSERT_TRUE(sim.SetInput("x", bytes, {rows, 16}).ok());
    absl::Status s = sim.Run();
    ASSERT_TRUE(s.ok()) << s;
    // y[r] is the running sum of row number + random + sorted row, put at the
    // positions of what is not 0.
    std::vector<float> y(size_t(rows * 16));
    auto out = *sim.Output("y");
    ASSERT_EQ(out.size(), bytes.size());
    std::memcpy(y.data(), out.data(), out.size());
    for (int64_t r = 0; r < rows; ++r) {
      std::vector<float> row(x.begin() + r * 16, x.begin() + r * 16 + 16), base(16);
      std::sort(row.begin(), row.end());
      for (int64_t i = 0; i < 16; ++i) {
        uint32_t w[4];
        Philox(7, uint64_t((r * 64 + i) / 4), 0, w);
        base[size_t(i)] = float(w[(r * 64 + i) % 4] >> 8) * 0x1p-24f;
      }
      size_t entry = 0;
      for (size_t i = 0; i < 16; ++i)
        if (row[i] != 0)
          base[i] += row[entry++];
      float sum = 0;
      for (size_t i = 0; i < 16; ++i) {
        sum += base[i] + float(r);
        ASSERT_EQ(y[size_t(r) * 16 + i], sum) << r << " " << i;
      }
    }
  }
}

TEST(Lists, WhatTheVerifierRefuses) {
  auto refusal = [](Op op, std::vector<int64_t> size, std::vector<S> streams, Opt o) {
    return Outcome(kX, F32, 8, [&](RoutineDsl &r) { r.Lists(op, size, streams, o); }).error;
  };
  const S f = Sram(0, F32, {4}), i = Sram(64, I64, {8});
  EXPECT_THAT(refusal(Op::VecSort, {4}, {f, f, f}, kBoth), HasSubstr("not all i32 or all i64"));
  EXPECT_THAT(refusal(Op::VecSort, {4}, {f, i, Sram(0, I32, {4})}, kBoth),
              HasSubstr("VEC_SORT of element types"));
  EXPECT_THAT(refusal(Op::VecSort, {4}, {f, i, f}, With([](Opt &o) { o.flags = 8; })),
              HasSubstr("stops early without a merge"));
  EXPECT_THAT(refusal(Op::VecSort, {4}, {f, i, f}, With([](Opt &o) { o.initReg = 1; })),
              HasSubstr("k from a register without a greatest value"));
  EXPECT_THAT(refusal(Op::VecSort, {3, 4}, {f, i, f, i}, With([](Opt &o) { o.flags = 2; })),
              HasSubstr("merges two runs"));
  EXPECT_THAT(refusal(Op::VecSort, {4}, {f, i, f}, With([](Opt &o) { o.flags = 16; })),
              HasSubstr("has bits that it does not define"));
  EXPECT_THAT(refusal(Op::VecCompact, {4}, {f, f, f, f}, kBoth), HasSubstr("neither i32 nor i64"));
  EXPECT_THAT(
      refusal(Op::VecCompact, {4, 4}, {Sram(0, F32, {16, 4}), Sram(8, I64, {}), f, f}, kBoth),
      HasSubstr("stream 0 moves with dimension 4"));
  EXPECT_THAT(refusal(Op::VecScatter, {4, 1, 1, 1, 1, 1}, {f, f, Sram(64, I64, {8, 0, 0, 0, 0, 0})},
                      With([](Opt &o) { o.zb = 5; })),
              HasSubstr("combines by 5, which is not defined"));
  EXPECT_THAT(refusal(Op::VecRandom, {4}, {f, Sram(64, I64, {})}, With([](Opt &o) { o.za = 1; })),
              HasSubstr("a key beside its seed"));
  EXPECT_THAT(refusal(Op::VecRandom, {4}, {Sram(65536 - 12, F32, {4})}, kBoth),
              HasSubstr("stream 0 writes bytes [65524, 65540) of SRAM"));
}

} // namespace
} // namespace accel::rt

//===- main_test.cc - Control in main, code that is fetched, sizes --------===//
#include "program_dsl.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <numeric>

namespace accel::rt {
namespace {

using namespace dsl;
using testing::ElementsAre;
using testing::HasSubstr;

absl::Span<const uint8_t> Bytes(const std::vector<float> &v) {
  return {reinterpret_cast<const uint8_t *>(v.data()), v.size() * 4};
}
std::vector<float> Floats(absl::Span<const uint8_t> bytes) {
  std::vector<float> v(bytes.size() / 4);
  std::memcpy(v.data(), bytes.data(), bytes.size());
  return v;
}

/// Main calls a copy of 16 bytes from x + r1 to y + r1.
RoutineDsl &CopyRoutine(ProgramDsl &p, int64_t last) {
  RoutineDsl &r = p.Routine("copy");
  r.Dma(kLd0, {4}, Sram(0, F32, {4}), Dram(1, F32, {4}).Plus(1),
        {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
  r.Dma(kSt, {4}, Dram(2, F32, {4}).Plus(1), Sram(0, F32, {4}),
        {.waits = {{1, 1}}, .signals = {{2, 1}}, .reason = Reason::CompulsoryStore});
  r.Sync(kLd0, {{2, 1}}, {});
  p.b.data.registers.push_back({r.index(), 1, 0, last, 16});
  return r;
}

TEST(Main, LoopsAndConditionals) {
  ProgramDsl p;
  uint32_t x = p.Io("x", 1, RegionKind::Input, F32, {8, 4});
  uint32_t y = p.Io("y", 2, RegionKind::Output, F32, {8, 4});
  RoutineDsl &copy = CopyRoutine(p, 7 * 16);
  RoutineDsl &m = p.main();
  m.Loop(3, 8, [&] { // rows 0 to 6 here, 7 by the second loop
    m.MulI(1, 3, 16);
    m.Ctrl(Op::CmpLtI, 4, 3, 0, 7);
    m.If(4, [&] { m.Call(copy); });
  });
  m.Li(5, 1);
  m.While(5, 3, [&] {
    m.Li(1, 7 * 16);
    m.Call(copy);
    m.AddI(5, 5, -1);
  });
  p.Predict(x, Reason::CompulsoryLoad, false, 128);
  p.Predict(y, Reason::CompulsoryStore, true, 128);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  std::vector<float> in(32);
  std::iota(in.begin(), in.end(), 1.0f);
  ASSERT_TRUE(sim.SetInput("x", Bytes(in)).ok());
  absl::Status s = sim.Run();
  ASSERT_TRUE(s.ok()) << s;
  EXPECT_EQ(Floats(*sim.Output("y")), in);
  // Main is streamed: 14 instructions once (the 13 above and HALT), the body of the
  // LOOP (6 with its ENDs) for 7 further trips, that of WHILE (4) for none. The
  // routine stays in instruction memory.
  EXPECT_EQ(sim.stats().programBytes, 16 * (14 + 7 * 6) + 16 * 4 + 2 * 3 * 64);
}

/// RET into a routine that the callee pushed out fetches it again.
TEST(Main, ReturnFetchesTheCaller) {
  ProgramDsl p;
  RoutineDsl &inner = p.Routine("inner"), &outer = p.Routine("outer");
  inner.Li(1, 1);
  outer.Loop(2, 5, [&] { outer.Call(inner); });
  p.main().Call(outer);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {});
  ASSERT_TRUE(sim.Run().ok());
  const int64_t main = 2 * 16, in = 2 * 16, out = 4 * 16;
  EXPECT_EQ(sim.stats().programBytes, main + out + 5 * (in + out));
}

/// Two tensors inside of a loop share addresses; each trip enters their lives
/// again.
TEST(Main, LivesInALoopShareAddresses) {
  ProgramDsl p;
  p.Region(2, RegionKind::Workspace, 64);
  uint32_t a = p.Tensor("a", 2, 64), b = p.Tensor("b", 2, 64), c = p.Tensor("c", 2, 64);
  RoutineDsl &m = p.main();
  auto store = [&](uint32_t tensor, int64_t bytes) {
    auto [begin, end] = std::pair(m.pc(), m.pc() + 1);
    m.Dma(kSt, {bytes}, Dram(2, I8, {1}), Sram(0, I8, {1}), {.reason = Reason::SpillStore});
    m.Ctrl(Op::Nop, 0, 0, 0, 0);
    p.b.data.tensors[tensor].liveBegin = begin;
    p.b.data.tensors[tensor].liveEnd = end;
  };
  m.Loop(1, 3, [&] {
    store(a, 64);
    store(b, 32);
  });
  store(c, 16);
  p.Predict(a, Reason::SpillStore, true, 3 * 64);
  p.Predict(b, Reason::SpillStore, true, 3 * 32);
  p.Predict(c, Reason::SpillStore, true, 16);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {});
  for (int run = 0; run < 2; ++run) {
    absl::Status s = sim.Run();
    EXPECT_TRUE(s.ok()) << s;
  }
}

/// y = x row by row, for 1 to 8 rows of 1 to 4; the sizes come in r10 and r11.
/// `rows` is the register that y's first dimension has at HALT.
ProgramDsl Dynamic(int rowsOut = 10, int64_t added = 0) {
  ProgramDsl p;
  uint32_t x = p.Io("x", 1, RegionKind::Input, F32, {8, 4});
  uint32_t y = p.Io("y", 2, RegionKind::Output, F32, {8, 4});
  p.b.data.inputs[0].ranges = {{1, 10, "batch"}, {1, 11, ""}};
  p.b.data.outputs[0].ranges = {{0, uint8_t(rowsOut), "batch"}, {1, 11, ""}};
  RoutineDsl &m = p.main();
  m.Dma(kLd0, {8, 4}, Sram(0, F32, {16, 4}), Dram(1, F32, {16, 4}),
        {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad, .sizeRegs = {10, 11}});
  m.Dma(kSt, {8, 4}, Dram(2, F32, {16, 4}), Sram(0, F32, {16, 4}),
        {.waits = {{1, 1}}, .reason = Reason::CompulsoryStore, .sizeRegs = {10, 11}});
  m.AddI(12, 10, added);
  p.b.data.counters = {{CounterKind::InputDim, 0, 0}, {CounterKind::InputDim, 0, 1}};
  p.b.data.predictions = {{x, Reason::CompulsoryLoad, false, {{4, {0, 1}}}},
                          {y, Reason::CompulsoryStore, true, {{4, {0, 1}}}}};
  return p;
}

TEST(Signature, SizesThatARunDecides) {
  absl::StatusOr<Program> program = Dynamic().Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  for (auto [rows, cols] : {std::pair<int64_t, int64_t>(3, 2), {8, 4}, {1, 1}, {5, 4}}) {
    std::vector<float> in(size_t(rows * cols));
    std::iota(in.begin(), in.end(), 1.0f);
    absl::Status s = sim.SetInput("x", Bytes(in), {rows, cols});
    ASSERT_TRUE(s.ok()) << s;
    s = sim.Run();
    ASSERT_TRUE(s.ok()) << s;
    EXPECT_THAT(*sim.OutputDims("y"), ElementsAre(rows, cols));
    EXPECT_EQ(Floats(*sim.Output("y")), in);
    EXPECT_EQ(sim.stats().readBytes, rows * cols * 4);
  }
}

TEST(Signature, SizesOutOfRangeAreRefusedByName) {
  absl::StatusOr<Program> program = Dynamic().Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {});
  std::vector<float> in(64);
  auto refusal = [&](std::vector<int64_t> dims) {
    return std::string(sim.SetInput("x", Bytes(in), dims).message());
  };
  EXPECT_EQ(refusal({9, 4}),
            "input \"x\": dimension 0 (batch) is 9, the artifact was compiled for 1 to 8");
  EXPECT_EQ(refusal({0, 4}),
            "input \"x\": dimension 0 (batch) is 0, the artifact was compiled for 1 to 8");
  EXPECT_EQ(refusal({3, 5}), "input \"x\": dimension 1 is 5, the artifact was compiled for 1 to 4");
  EXPECT_EQ(refusal({3}), "input \"x\" has shape [3], the artifact was compiled for [1..8, 1..4]");
  EXPECT_THAT(refusal({3, 4}), HasSubstr("has 256 bytes, must have 48"));
  EXPECT_THAT(std::string(sim.SetInput("x", Bytes(in)).message()),
              HasSubstr("its shape must be given"));
}

TEST(Signature, OutputSizesAreChecked) {
  absl::StatusOr<Program> program = Dynamic(12, 1).Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {});
  std::vector<float> in(32);
  ASSERT_TRUE(sim.SetInput("x", Bytes(in), {8, 4}).ok());
  EXPECT_THAT(std::string(sim.Run().message()),
              HasSubstr("output \"y\": dimension 0 (batch) is 9, the artifact was compiled for 0 "
                        "to 8"));
  Simulator sanitized(*program, {.sanitize = true}); // a row that nothing wrote
  ASSERT_TRUE(sanitized.SetInput("x", Bytes(in).subspan(0, 96), {6, 4}).ok());
  EXPECT_THAT(std::string(sanitized.Run().message()),
              HasSubstr("output \"y\": byte 96 of 128 was never written"));
}

TEST(Signature, OneRegisterIsOneSize) {
  ProgramDsl p = Dynamic();
  p.Io("z", 3, RegionKind::Input, F32, {8});
  p.b.data.inputs[1].ranges = {{1, 10, "batch"}};
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {});
  std::vector<float> in(12);
  ASSERT_TRUE(sim.SetInput("x", Bytes(in), {3, 4}).ok());
  ASSERT_TRUE(sim.SetInput("z", Bytes(in).subspan(0, 8), {2}).ok());
  EXPECT_EQ(
      std::string(sim.Run().message()),
      "dimension 0 (batch) of input \"z\" is 2, dimension 0 of input \"x\" is 3: they must be "
      "equal");
  p = Dynamic();
  p.Io("z", 3, RegionKind::Input, F32, {7});
  p.b.data.inputs[1].ranges = {{1, 10, ""}};
  EXPECT_THAT(std::string(p.Build().status().message()),
              HasSubstr("in r10, which receives 1 to 8"));
}

TEST(Signature, WhatTheLoaderRefuses) {
  auto refusal = [](const std::function<void(ArtifactData &)> &change) {
    ProgramDsl p = Dynamic();
    change(p.b.data);
    return std::string(p.Build().status().message());
  };
  EXPECT_EQ(refusal([](ArtifactData &) {}), "");
  EXPECT_THAT(refusal([](ArtifactData &d) { d.inputs[0].ranges.pop_back(); }),
              HasSubstr("has 2 dimensions and ranges of 1"));
  EXPECT_THAT(refusal([](ArtifactData &d) { d.inputs[0].ranges[0].min = 9; }),
              HasSubstr("dimension 0 of 9 to 8"));
  EXPECT_THAT(refusal([](ArtifactData &d) { d.inputs[0].ranges[0].reg = 0; }),
              HasSubstr("dimension 0 of 1 to 8 in r0"));
  EXPECT_THAT(refusal([](ArtifactData &d) { d.inputs[0].ranges[0].reg = 64; }),
              HasSubstr("in r64"));
  EXPECT_THAT(refusal([](ArtifactData &d) { d.registers = {{0, 3, 0, 1}}; }),
              HasSubstr("main receives sizes of inputs only"));
  EXPECT_THAT(refusal([](ArtifactData &d) { d.entries = {{0, 1, 0}}; }),
              HasSubstr("entry of chip 0 core 1 at routine 0; version 1 has one"));
  EXPECT_EQ(refusal([](ArtifactData &d) { d.entries = {{0, 0, 0}}; }), "");
  EXPECT_THAT(refusal([](ArtifactData &d) { d.regions[0].chip = 2; }),
              HasSubstr("lies on chip 2, version 1 has chip 0 only"));
  // A size that main does not receive.
  EXPECT_THAT(refusal([](ArtifactData &d) { d.inputs[0].ranges[1] = {4, 0, ""}; }),
              HasSubstr("reads r11, which nothing wrote"));
}

TEST(Signature, SurvivesTheFile) {
  ProgramDsl p = Dynamic();
  p.b.data.registers = {};
  std::string bytes = p.Bytes();
  auto a = ReadArtifact({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  ASSERT_TRUE(a.ok()) << a.status();
  const DimRange &r = a->data.inputs[0].ranges[0];
  EXPECT_EQ(r.min, 1);
  EXPECT_EQ(r.reg, 10);
  EXPECT_EQ(r.name, "batch");
}

/// Every piece of a tensor that is smaller than its room in some dimension.
TEST(Signature, Pieces) {
  IoInfo io;
  io.dtype = uint8_t(F32);
  io.dims = {3, 4, 5};
  for (int64_t a = 0; a <= 3; ++a)
    for (int64_t b = 0; b <= 4; ++b)
      for (int64_t c = 0; c <= 5; ++c) {
        std::vector<int64_t> want, have;
        for (int64_t i = 0; i < a; ++i)
          for (int64_t j = 0; j < b; ++j)
            for (int64_t k = 0; k < c; ++k)
              want.push_back((i * 20 + j * 5 + k) * 4);
        int64_t next = 0;
        ForEachPiece(io, {a, b, c}, [&](int64_t at, int64_t packed, int64_t bytes) {
          EXPECT_EQ(packed, next);
          for (int64_t n = 0; n < bytes; n += 4)
            have.push_back(at + n);
          next += bytes;
        });
        ASSERT_EQ(have, want) << a << " " << b << " " << c;
      }
}

} // namespace
} // namespace accel::rt

//===- exec_test.cc - Programs executed -----------------------------------===//
#include "pipeline_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

namespace accel::rt {
namespace {

using namespace dsl;
using testing::HasSubstr;

std::vector<float> PipelineInput() {
  std::vector<float> x(64 * 32);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = float(int(i * 37 % 101) - 50) / 16;
  return x;
}

std::vector<float> PipelineReference(const std::vector<float> &x) {
  std::vector<float> y(64 * 16);
  for (int m = 0; m < 64; ++m)
    for (int n = 0; n < 16; ++n) {
      float acc = 0;
      for (int k = 0; k < 32; ++k)
        acc = std::fma(x[size_t(m * 32 + k)], float((k * 16 + n) % 7 - 3) * 0.25f, acc);
      y[size_t(m * 16 + n)] = std::max(acc, 0.0f);
    }
  return y;
}

absl::Span<const uint8_t> Bytes(const std::vector<float> &v) {
  return {reinterpret_cast<const uint8_t *>(v.data()), v.size() * 4};
}

TEST(Exec, DoubleBufferedPipeline) {
  absl::StatusOr<Program> p = PipelineProgram().Build();
  ASSERT_TRUE(p.ok()) << p.status();
  std::vector<float> x = PipelineInput(), want = PipelineReference(x);
  for (bool sanitize : {false, true}) {
    Simulator sim(*p, {.threads = 2, .sanitize = sanitize});
    for (int repeat = 0; repeat < 2; ++repeat) {
      ASSERT_TRUE(sim.SetInput("x", Bytes(x), {64, 32}).ok());
      absl::Status s = sim.Run();
      ASSERT_TRUE(s.ok()) << s;
      auto y = sim.Output("y");
      ASSERT_TRUE(y.ok());
      EXPECT_EQ(std::memcmp(y->data(), want.data(), y->size()), 0);
    }
    const Stats &stats = sim.stats();
    EXPECT_EQ(stats.readBytes, 64 * 32 * 4 + 32 * 16 * 4);
    EXPECT_EQ(stats.writeBytes, 64 * 16 * 4);
    EXPECT_EQ(stats.predictedBytes, stats.readBytes + stats.writeBytes);
    EXPECT_EQ(stats.busBytes, stats.predictedBytes); // all runs are whole bursts
    EXPECT_EQ(stats.macs, 64 * 32 * 16);
    EXPECT_EQ(stats.sramPeakBytes, 4096 + 2048);
    EXPECT_EQ(stats.engineInstructions[kMxu], 8 + 3);
    EXPECT_EQ(stats.nodes[0].macs, 64 * 32 * 16);
    EXPECT_EQ(stats.nodes[0].readBytes, stats.readBytes);
    EXPECT_EQ(stats.nodes[1].writeBytes, stats.writeBytes);
    auto j = nlohmann::json::parse(stats.Json(p->data()));
    EXPECT_EQ(j["dram"]["predicted_bytes"], stats.predictedBytes);
    EXPECT_TRUE(j["energy"]["joules"].is_null());
    EXPECT_EQ(j["nodes"][1]["name"], "relu");
  }
}

TEST(Exec, AllAddressesOfThePipelineAreProven) {
  absl::StatusOr<Program> p = PipelineProgram().Build();
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->report().provenStreams, p->report().streams);
}

TEST(Exec, PredictionThatDiffersFailsTheRun) {
  PipelineFault fault;
  fault.predictedX = 64 * 32 * 4 - 4;
  absl::StatusOr<Program> p = PipelineProgram(fault).Build();
  ASSERT_TRUE(p.ok()) << p.status();
  Simulator sim(*p, {});
  ASSERT_TRUE(sim.SetInput("x", Bytes(PipelineInput())).ok());
  absl::Status s = sim.Run();
  EXPECT_THAT(std::string(s.message()),
              HasSubstr("read of tensor \"x\", reason compulsory-load: predicted 8188 bytes, "
                        "counted 8192"));
}

TEST(Exec, InputsAreChecked) {
  absl::StatusOr<Program> p = PipelineProgram().Build();
  ASSERT_TRUE(p.ok());
  Simulator sim(*p, {});
  std::vector<float> x = PipelineInput();
  EXPECT_THAT(std::string(sim.Run().message()), HasSubstr("input \"x\" was not given"));
  EXPECT_THAT(std::string(sim.SetInput("z", Bytes(x)).message()),
              HasSubstr("no input \"z\"; its inputs are \"x\""));
  EXPECT_THAT(std::string(sim.SetInput("x", Bytes(x), {32, 64}).message()),
              HasSubstr("shape [32, 64], the artifact was compiled for [64, 32]"));
  EXPECT_THAT(std::string(sim.SetInput("x", Bytes(x).subspan(4)).message()),
              HasSubstr("has 8188 bytes, must have 8192"));
  EXPECT_FALSE(sim.Output("y").ok());
  EXPECT_FALSE(sim.Output("nothing").ok());
}

TEST(Exec, LimitsAndCancellation) {
  absl::StatusOr<Program> p = PipelineProgram().Build();
  ASSERT_TRUE(p.ok());
  std::vector<float> x = PipelineInput();
  Simulator limited(*p, {.maxInstructions = 20});
  ASSERT_TRUE(limited.SetInput("x", Bytes(x)).ok());
  EXPECT_THAT(std::string(limited.Run().message()), HasSubstr("stopped after 20 instructions"));
  std::atomic<bool> cancel{true};
  Simulator cancelled(*p, {.cancel = &cancel});
  ASSERT_TRUE(cancelled.SetInput("x", Bytes(x)).ok());
  EXPECT_EQ(cancelled.Run().code(), absl::StatusCode::kCancelled);
}

/// Runs scalar code that ends with a store of r10 (as DMA of SRAM written by a
/// fill with... registers cannot be stored, so results go through sizes: the
/// program fills r10 elements).
int64_t ElementsFilled(const std::function<void(RoutineDsl &)> &code) {
  ProgramDsl p;
  uint32_t y = p.Io("y", 2, RegionKind::Output, I8, {1000});
  RoutineDsl &r = p.Routine("count");
  r.Li(10, 0);
  code(r);
  r.Fill(kLd0, {1000}, Sram(0, I8, {1}), {.signals = {{1, 1}}});
  r.Dma(kSt, {1000}, Dram(2, I8, {1}), Sram(0, I8, {1}),
        {.waits = {{1, 1}}, .signals = {{2, 1}}, .reason = Reason::CompulsoryStore});
  r.Fill(kLd0, {1000}, Sram(0, I8, {1}),
         {.waits = {{2, 1}}, .signals = {{1, 1}}, .sizeRegs = {10}, .fill = 1});
  r.Dma(kSt, {1000}, Dram(2, I8, {1}), Sram(0, I8, {1}),
        {.waits = {{1, 1}}, .reason = Reason::CompulsoryStore, .sizeRegs = {10}});
  p.main().Call(r);
  p.b.data.counters = {{CounterKind::Executions, 1, 0}};
  p.b.data.predictions = {{y, Reason::CompulsoryStore, true, {{1000, {}}}}};
  absl::StatusOr<Program> program = p.Build();
  EXPECT_TRUE(program.ok()) << program.status();
  if (!program.ok())
    return -1;
  Simulator sim(*program, {.sanitize = true});
  (void)sim.Run(); // the prediction does not know r10
  return sim.stats().writeBytes - 1000;
}

TEST(Exec, ScalarsLoopsAndBranches) {
  EXPECT_EQ(ElementsFilled([](RoutineDsl &r) { r.Li(10, 7); }), 7);
  EXPECT_EQ(ElementsFilled([](RoutineDsl &r) {
              r.Loop(1, 5, [&] { r.Loop(2, 3, [&] { r.AddI(10, 10, 1); }); });
            }),
            15);
  EXPECT_EQ(ElementsFilled([](RoutineDsl &r) { // trips from a register, bounded
              r.Li(3, 4);
              r.Loop(1, 10, [&] { r.Add(10, 10, 1); }, 3);
              r.MinI(10, 10, 1000); // a sum of counters is not proven
              r.Ctrl(Op::MaxI, 10, 10, 0, 0);
            }),
            0 + 1 + 2 + 3);
  EXPECT_EQ(ElementsFilled([](RoutineDsl &r) { // zero trips
              r.Li(3, -4);
              r.Loop(1, 10, [&] { r.AddI(10, 10, 1); }, 3);
            }),
            0);
  EXPECT_EQ(ElementsFilled([](RoutineDsl &r) {
              r.Li(3, 5);
              r.While(3, 8, [&] {
                r.AddI(3, 3, -1);
                r.AddI(10, 10, 2);
              });
              r.If(3, [&] { r.Li(10, 999); });
            }),
            10);
  EXPECT_EQ(ElementsFilled([](RoutineDsl &r) { // floor division and modulus
              r.Li(3, -7);
              r.ModI(4, 3, 5);              // 3
              r.Ctrl(Op::DivI, 5, 3, 0, 2); // -4
              r.Ctrl(Op::Sub, 10, 4, 5, 0); // 7
              r.Ctrl(Op::CmpLtI, 6, 3, 0, 0);
              r.Add(10, 10, 6);
            }),
            8);
}

TEST(Exec, WhileBeyondItsBoundIsAnError) {
  ProgramDsl p;
  RoutineDsl &r = p.Routine("spin");
  r.Li(3, 1);
  r.While(3, 8, [&] { r.Li(4, 1); });
  p.main().Call(r);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {});
  EXPECT_THAT(std::string(sim.Run().message()), HasSubstr("exceeds its bound of 8 trips"));
}

TEST(Exec, PredictionWithCounters) {
  ProgramDsl p;
  uint32_t y = p.Io("y", 2, RegionKind::Output, I8, {64});
  RoutineDsl &r = p.Routine("branch");
  r.Fill(kLd0, {64}, Sram(0, I8, {1}), {.signals = {{1, 1}}});
  r.Sync(kSt, {{1, 1}}, {});
  uint32_t store = 0;
  r.Loop(1, 4, [&] {
    r.ModI(2, 1, 3);
    r.If(2, [&] {
      store = r.pc();
      r.Dma(kSt, {64}, Dram(2, I8, {1}), Sram(0, I8, {1}), {.reason = Reason::CompulsoryStore});
    });
  });
  p.main().Call(r);
  p.b.data.counters = {{CounterKind::Executions, 1, store}};
  p.b.data.predictions = {{y, Reason::CompulsoryStore, true, {{64, {0}}}}};
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  absl::Status s = sim.Run();
  ASSERT_TRUE(s.ok()) << s;
  EXPECT_EQ(sim.stats().writeBytes, 2 * 64);
}

/// A load whose right border is a register: 5, then 3 of 8 elements, the rest pad.
TEST(Exec, WindowBoundFromARegister) {
  ProgramDsl p;
  uint32_t x = p.Io("x", 1, RegionKind::Input, I8, {8});
  uint32_t y = p.Io("y", 2, RegionKind::Output, I8, {2, 8});
  RoutineDsl &m = p.main();
  m.Sync(kSt, {}, {{2, 1}});
  m.Loop(1, 2, [&] {
    m.MulI(3, 1, -2);
    m.AddI(3, 3, 5);
    m.MulI(4, 1, 8);
    S window = Dram(1, I8, {0}).Window(1, {.dimA = 5, .mulA = 1, .bound = 8, .stride = 1});
    window.w.flags[1] = 3 << 1;
    window.w.padBits = 9;
    m.Dma(kLd0, {8}, Sram(0, I8, {1}), window,
          {.waits = {{2, 1}}, .signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
    m.Dma(kSt, {8}, Dram(2, I8, {1}).Plus(4), Sram(0, I8, {1}),
          {.waits = {{1, 1}}, .signals = {{2, 1}}, .reason = Reason::CompulsoryStore});
  });
  m.Sync(kLd0, {{2, 1}}, {});
  p.Predict(x, Reason::CompulsoryLoad, false, 5 + 3);
  p.Predict(y, Reason::CompulsoryStore, true, 16);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  const std::vector<uint8_t> in = {1, 2, 3, 4, 5, 6, 7, 8};
  ASSERT_TRUE(sim.SetInput("x", in).ok());
  absl::Status s = sim.Run();
  ASSERT_TRUE(s.ok()) << s;
  auto out = *sim.Output("y");
  EXPECT_EQ(std::vector<uint8_t>(out.begin(), out.end()),
            (std::vector<uint8_t>{1, 2, 3, 4, 5, 9, 9, 9, 1, 2, 3, 9, 9, 9, 9, 9}));
}

/// (a − za)·(b − zb) with zero points that a register adds to.
TEST(Exec, ZeroPointsFromRegisters) {
  ProgramDsl p;
  uint32_t y = p.Io("y", 2, RegionKind::Output, I32, {1});
  VProg copy;
  copy.ins = {{0, VType::I32}};
  copy.outs = {{0, false, VType::I32}};
  int vprog = p.Vprog(copy);
  RoutineDsl &m = p.main();
  m.Li(1, 2);
  m.Li(2, -3);
  m.Fill(kLd0, {4}, Sram(0, I8, {1}), {.fill = 7});
  m.Fill(kLd0, {4}, Sram(64, I8, {1}), {.signals = {{1, 1}}, .fill = 5});
  m.Mxu({1, 1, 1, 1, 1, 4}, Acc(0, I32, {0, 0, 0, 0, 0, 0}), Sram(0, I8, {0, 0, 0, 0, 0, 1}),
        Sram(64, I8, {0, 0, 0, 0, 0, 1}),
        {.waits = {{1, 1}}, .signals = {{2, 1}}, .za = 1, .zb = 1, .zaReg = 1, .zbReg = 2});
  m.Vec({1}, {Sram(128, I32, {4}), Acc(0, I32, {4})}, vprog,
        {.waits = {{2, 1}}, .signals = {{3, 1}}});
  m.Dma(kSt, {1}, Dram(2, I32, {4}), Sram(128, I32, {4}),
        {.waits = {{3, 1}}, .reason = Reason::CompulsoryStore});
  p.Predict(y, Reason::CompulsoryStore, true, 4);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  absl::Status s = sim.Run();
  ASSERT_TRUE(s.ok()) << s;
  int32_t out;
  std::memcpy(&out, sim.Output("y")->data(), 4);
  EXPECT_EQ(out, 4 * (7 - 3) * (5 + 2));
}

TEST(Exec, WindowedLoadCountsElementsInBounds) {
  // 6 rows from row -1 of a 4-row tensor: two rows of padding.
  ProgramDsl p;
  uint32_t x = p.Io("x", 1, RegionKind::Input, F32, {4, 20});
  uint32_t y = p.Io("y", 2, RegionKind::Output, F32, {6, 20});
  RoutineDsl &r = p.Routine("pad");
  isa::WindowCoord rows = {-1, 0, 0, 4, kNoDim, 1, 0, 4, 0, 80};
  r.Dma(kLd0, {6, 20}, Sram(0, F32, {80, 4}), Dram(1, F32, {0, 4}).Window(0, rows),
        {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
  r.Dma(kSt, {6, 20}, Dram(2, F32, {80, 4}), Sram(0, F32, {80, 4}),
        {.waits = {{1, 1}}, .reason = Reason::CompulsoryStore});
  p.main().Call(r);
  p.Predict(x, Reason::CompulsoryLoad, false, 4 * 80);
  p.Predict(y, Reason::CompulsoryStore, true, 6 * 80);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  std::vector<float> in(80, 3.0f);
  ASSERT_TRUE(sim.SetInput("x", Bytes(in)).ok());
  absl::Status s = sim.Run();
  ASSERT_TRUE(s.ok()) << s;
  auto *out = reinterpret_cast<const float *>(sim.Output("y")->data());
  EXPECT_EQ(out[0], 0.0f);
  EXPECT_EQ(out[20], 3.0f);
  EXPECT_EQ(out[5 * 20], 0.0f);
  EXPECT_EQ(sim.stats().busBytes, 320 + 512); // 480 bytes end within a burst
}

TEST(Exec, GatherByIndexList) {
  ProgramDsl p;
  uint32_t x = p.Io("x", 1, RegionKind::Input, F32, {10, 16});
  uint32_t i = p.Io("i", 3, RegionKind::Input, I32, {3});
  uint32_t y = p.Io("y", 2, RegionKind::Output, F32, {3, 16});
  RoutineDsl &r = p.Routine("gather");
  r.Dma(kLd0, {3}, Sram(0, I32, {4}), Dram(3, I32, {4}), {.reason = Reason::CompulsoryLoad});
  r.Gather({3, 1, 1, 1, 1, 16}, Sram(64, F32, {64, 0, 0, 0, 0, 4}),
           Dram(1, F32, {64, 0, 0, 0, 0, 4}), Sram(0, I32, {4, 0, 0, 0, 0, 0}),
           {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad, .za = 10});
  r.Dma(kSt, {3, 16}, Dram(2, F32, {64, 4}), Sram(64, F32, {64, 4}),
        {.waits = {{1, 1}}, .reason = Reason::CompulsoryStore});
  p.main().Call(r);
  p.Predict(x, Reason::CompulsoryLoad, false, 3 * 64);
  p.Predict(i, Reason::CompulsoryLoad, false, 12);
  p.Predict(y, Reason::CompulsoryStore, true, 3 * 64);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  std::vector<float> in(160);
  for (size_t k = 0; k < in.size(); ++k)
    in[k] = float(k / 16);
  ASSERT_TRUE(sim.SetInput("x", Bytes(in)).ok());
  int32_t good[3] = {7, 0, -1}, bad[3] = {7, 10, 0};
  ASSERT_TRUE(sim.SetInput("i", {reinterpret_cast<uint8_t *>(good), 12}).ok());
  absl::Status s = sim.Run();
  ASSERT_TRUE(s.ok()) << s;
  auto *out = reinterpret_cast<const float *>(sim.Output("y")->data());
  EXPECT_EQ(out[0], 7.0f);
  EXPECT_EQ(out[16], 0.0f);
  EXPECT_EQ(out[32], 9.0f);
  ASSERT_TRUE(sim.SetInput("i", {reinterpret_cast<uint8_t *>(bad), 12}).ok());
  EXPECT_THAT(std::string(sim.Run().message()), HasSubstr("index"));
}

TEST(Exec, TensorsShareAddressesOverTime) {
  // Two calls; workspace bytes belong to "a" during the first, "b" later.
  ProgramDsl p;
  p.Region(4, RegionKind::Workspace, 64);
  RoutineDsl &r = p.Routine("store");
  r.Fill(kLd0, {64}, Sram(0, I8, {1}), {.signals = {{1, 1}}});
  r.Dma(kSt, {64}, Dram(4, I8, {1}), Sram(0, I8, {1}),
        {.waits = {{1, 1}}, .signals = {{2, 1}}, .reason = Reason::SpillStore});
  r.Sync(kLd0, {{2, 1}}, {});
  p.main().Call(r);
  p.main().Call(r);
  uint32_t a = p.Tensor("a", 4, 64), b = p.Tensor("b", 4, 64);
  p.b.data.tensors[a].liveEnd = 0;
  p.b.data.tensors[b].liveBegin = 1;
  p.Predict(a, Reason::SpillStore, true, 64);
  p.Predict(b, Reason::SpillStore, true, 64);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  absl::Status s = sim.Run();
  EXPECT_TRUE(s.ok()) << s;
  EXPECT_EQ(sim.stats().programBytes, // main, and the routine once
            p.b.data.routines[0].code.size() + p.b.data.routines[1].code.size() +
                p.b.data.routines[1].slots.size());
  p.b.data.tensors[a].liveEnd = 1;
  EXPECT_THAT(std::string(p.Build().status().message()),
              HasSubstr("tensors \"a\" and \"b\" overlap in region 4"));
}

} // namespace
} // namespace accel::rt

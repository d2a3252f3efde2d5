//===- timing_test.cc - Time of whole programs ----------------------------===//
#include "lists_program.h"
#include "pipeline_program.h"
#include "sim/timing/unit_machine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace accel::rt {
namespace {

using namespace dsl;
using testing::HasSubstr;

void AddFigures(ProgramDsl &p, const std::map<std::string, double> &replaced = {}) {
  std::map<std::string, double> figures = EdgeFigures();
  for (const auto &[key, value] : replaced)
    figures[key] = value;
  for (const auto &[key, value] : figures)
    p.b.data.target.figures.push_back({key, value});
}

Stats RunPipeline(const SimOptions &options, const std::map<std::string, double> &replaced = {},
                  std::vector<uint8_t> *output = nullptr, std::string *json = nullptr) {
  ProgramDsl p = PipelineProgram();
  AddFigures(p, replaced);
  absl::StatusOr<Program> program = p.Build();
  EXPECT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, options);
  std::vector<float> x(64 * 32);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = float(i % 11) - 5;
  if (!options.timingOnly) {
    EXPECT_TRUE(
        sim.SetInput("x", {reinterpret_cast<const uint8_t *>(x.data()), x.size() * 4}).ok());
  }
  absl::Status status = sim.Run();
  EXPECT_TRUE(status.ok()) << status;
  if (output && status.ok())
    output->assign(sim.Output("y")->begin(), sim.Output("y")->end());
  if (json)
    *json = sim.stats().Json(program->data());
  return sim.stats();
}

void ExpectSame(const TimingStats &a, const TimingStats &b) {
  EXPECT_EQ(a.ticks, b.ticks);
  for (size_t e = 0; e < a.engine.size(); ++e) {
    EXPECT_EQ(a.engine[e].busyTicks, b.engine[e].busyTicks);
    EXPECT_EQ(a.engine[e].idleTicks, b.engine[e].idleTicks);
  }
}

TEST(Timing, OffUnlessAskedFor) {
  std::string json;
  EXPECT_FALSE(RunPipeline({}, {}, nullptr, &json).timing.has_value());
  EXPECT_THAT(json, HasSubstr("\"cycles\": null"));
}

TEST(Timing, SameWithAndWithoutDataAndForAnyThreads) {
  Stats with = RunPipeline({.timing = true}), without = RunPipeline({.timingOnly = true});
  ASSERT_TRUE(with.timing && without.timing);
  ExpectSame(*with.timing, *without.timing);
  ExpectSame(*with.timing, *RunPipeline({.threads = 3, .timing = true}).timing);
  ExpectSame(*with.timing, *RunPipeline({.sanitize = true, .timing = true}).timing);
  EXPECT_EQ(with.readBytes, without.readBytes);
  EXPECT_EQ(with.busBytes, without.busBytes);
  EXPECT_EQ(with.macs, without.macs);
}

TEST(Timing, ResultsNeverDependOnIt) {
  std::vector<uint8_t> plain, timed, slow;
  RunPipeline({}, {}, &plain);
  RunPipeline({.timing = true}, {}, &timed);
  RunPipeline({.timing = true}, {{"dram_bytes_per_cycle", 0.5}, {"dram_latency_cycles", 1e6}},
              &slow);
  EXPECT_EQ(plain, timed);
  EXPECT_EQ(plain, slow);
}

TEST(Timing, ThePipelineByHand) {
  // Eight tiles of [8, 32] · [32, 16] f32. A tile of x is 1 KiB: 64 cycles of
  // DRAM, one of y 512 B: 32; MXU takes 8 rows · 8 cycles each and 16 for the
  // load of 32 x 16 f32. With DRAM at 0.25 B/cycle all else is hidden.
  Stats stats = RunPipeline({.timingOnly = true}, {{"dram_bytes_per_cycle", 0.25}});
  const TimingStats &t = *stats.timing;
  EXPECT_EQ(t.engine[size_t(kMxu)].busyTicks, 8 * (16 + 64) * kTicksPerCycle);
  EXPECT_EQ(t.engine[size_t(kVec)].busyTicks, 8 * 2 * kTicksPerCycle);
  const int64_t moved = 64 * 32 * 4 + 32 * 16 * 4 + 64 * 16 * 4;
  EXPECT_EQ(t.dramTicks, (moved + stats.programBytes) * 4 * kTicksPerCycle);
  EXPECT_GE(t.ticks, t.dramTicks);
  EXPECT_LE(t.Cycles(), t.dramTicks / kTicksPerCycle + 2000);
  // At a cycle for each f32 product of a cell: 2048 products a cycle.
  EXPECT_EQ(t.mxuIdealTicks, 64 * 32 * 16 / 256 * kTicksPerCycle);
}

TEST(Timing, FiguresThatTheArtifactLacksAreNamed) {
  ProgramDsl p = PipelineProgram();
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok());
  Simulator sim(*program, {.timingOnly = true});
  EXPECT_THAT(sim.Run().message(), HasSubstr("the target has no figure clock_hz"));
}

TEST(Timing, WhatDataDecideNeedsData) {
  ProgramDsl p;
  AddFigures(p);
  uint32_t x = p.Io("x", 1, RegionKind::Input, I32, {1});
  p.Predict(x, Reason::CompulsoryLoad, false, 4);
  p.main().Dma(kLd0, {1}, Sram(0, I32, {4}), Dram(1, I32, {4}),
               {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
  p.main().Sync(kCtrl, {{1, 1}}, {});
  p.main().Lds(1, 0, 0, I32);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.timingOnly = true});
  EXPECT_THAT(sim.Run().message(), HasSubstr("run with data and --timing"));
  EXPECT_THAT(sim.SetInput("x", {}).message(), HasSubstr("takes no inputs"));
  EXPECT_FALSE(sim.Output("y").ok());
}

TEST(Timing, JsonHasTheStableKeys) {
  std::string json;
  RunPipeline({.timing = true}, {}, nullptr, &json);
  for (const char *key : {"\"cycles\": ", "\"seconds\": ", "\"mxu\": 0.", "\"dram\": 0.",
                          "\"busy_cycles\": ", "\"from_ld0\": "})
    EXPECT_THAT(json, HasSubstr(key));
}

} // namespace
} // namespace accel::rt

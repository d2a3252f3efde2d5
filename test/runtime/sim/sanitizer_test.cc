//===- sanitizer_test.cc - Faults that the output does not show -----------===//
#include "pipeline_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace accel::rt {
namespace {

using namespace dsl;
using testing::AllOf;
using testing::HasSubstr;

std::vector<uint8_t> Input() {
  std::vector<float> x(64 * 32);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = float(int(i % 91) - 40) / 8;
  std::vector<uint8_t> bytes(x.size() * 4);
  std::memcpy(bytes.data(), x.data(), bytes.size());
  return bytes;
}

struct Result {
  absl::Status status;
  std::vector<uint8_t> y;
};

Result RunIt(const PipelineFault &fault, bool sanitize) {
  absl::StatusOr<Program> p = PipelineProgram(fault).Build();
  if (!p.ok())
    return {p.status(), {}};
  Simulator sim(*p, {.sanitize = sanitize});
  Result r;
  r.status = sim.SetInput("x", Input());
  if (r.status.ok())
    r.status = sim.Run();
  if (auto y = sim.Output("y"); r.status.ok() && y.ok())
    r.y.assign(y->begin(), y->end());
  return r;
}

/// The program is right without the sanitizer, and refused with it.
void ExpectHidden(const PipelineFault &fault, const char *a, const char *b) {
  Result good = RunIt({}, false), plain = RunIt(fault, false), checked = RunIt(fault, true);
  ASSERT_TRUE(good.status.ok()) << good.status;
  ASSERT_TRUE(plain.status.ok()) << plain.status;
  EXPECT_EQ(plain.y, good.y) << "the fault should not show in the output";
  EXPECT_THAT(std::string(checked.status.message()), AllOf(HasSubstr(a), HasSubstr(b)));
}

TEST(Sanitizer, MissingDependenceIsFoundThoughTheOutputIsRight) {
  struct {
    int semaphore;
    const char *hazard, *other;
  } cases[] = {
      {1, "read-after-write hazard: MXU", "without waiting for LD1"},
      {2, "write-after-read hazard: LD0", "without waiting for MXU"},
      {3, "read-after-write hazard: MXU", "without waiting for LD0"},
      {4, "write-after-read hazard: MXU", "without waiting for VEC"},
      {5, "read-after-write hazard: VEC", "without waiting for MXU"},
      {6, "write-after-read hazard: VEC", "without waiting for ST"},
      {7, "read-after-write hazard: ST", "without waiting for VEC"},
  };
  for (const auto &c : cases) {
    SCOPED_TRACE(c.semaphore);
    PipelineFault fault;
    fault.dropSemaphore = c.semaphore;
    ExpectHidden(fault, c.hazard, c.other);
  }
}

TEST(Sanitizer, DroppedWaitIsAHazardAndUnbalanced) {
  PipelineFault fault;
  fault.dropWait = 7;
  EXPECT_THAT(std::string(RunIt(fault, true).status.message()),
              HasSubstr("read-after-write hazard: ST"));
  // Even without the sanitizer the semaphore does not end at 0.
  EXPECT_THAT(std::string(RunIt(fault, false).status.message()),
              HasSubstr("semaphore 7 is at 8 at HALT"));
}

TEST(Sanitizer, OverlappingBuffers) {
  PipelineFault fault;
  fault.yBufferStep = 0; // both y buffers in one place
  ExpectHidden(fault, "write-after-read hazard: VEC", "ST");
  fault = {};
  fault.xBufferStep = 512; // the second x buffer begins inside of the first
  ExpectHidden(fault, "write-after-read hazard: LD0", "MXU");
}

TEST(Sanitizer, MessageNamesEverything) {
  PipelineFault fault;
  fault.dropSemaphore = 5;
  std::string m(RunIt(fault, true).status.message());
  EXPECT_THAT(m,
              HasSubstr("VEC at routine 1 \"tile\" pc 13 called from main pc 0, node "
                        "\"relu\" [VEC program 0 8x16 sram[2048 + r4] f32, acc[0] f32 "
                        "wait [s6: 1] signal [s4: 1, s7: 1]], stream 1 reads bytes [0, 512) of the "
                        "accumulators without waiting for MXU at routine 1 \"tile\" pc 12"))
      << m;
}

TEST(Sanitizer, ShortenedTransfer) {
  PipelineFault fault;
  fault.xRows = 7;
  EXPECT_THAT(std::string(RunIt(fault, true).status.message()),
              AllOf(HasSubstr("read of uninitialised memory: MXU"),
                    HasSubstr("bytes [896, 1024) of SRAM")));
  EXPECT_THAT(std::string(RunIt(fault, false).status.message()),
              HasSubstr("predicted 8192 bytes, counted 7168"));
}

TEST(Sanitizer, ShiftedAddress) {
  PipelineFault fault;
  fault.storeShift = 4;
  EXPECT_THAT(std::string(RunIt(fault, true).status.message()),
              AllOf(HasSubstr("read of uninitialised memory: ST"),
                    HasSubstr("bytes [2560, 2564) of SRAM")));
  fault = {};
  fault.wAddress = 1024 + 512; // inside of the second x buffer
  EXPECT_FALSE(RunIt(fault, true).status.ok());
  fault.wAddress = 65536 - 1024;
  EXPECT_THAT(std::string(RunIt(fault, false).status.message()),
              HasSubstr("writes bytes [64512, 66560) of SRAM, which has 65536 bytes"));
}

TEST(Sanitizer, DeadlockShowsWhoWaitsForWhom) {
  PipelineFault fault;
  fault.keepAccumulators = true;
  std::string m(RunIt(fault, true).status.message());
  EXPECT_THAT(m, AllOf(HasSubstr("deadlock; wait-for graph"),
                       HasSubstr("waits for 1 of semaphore 4 (now 0) from VEC"),
                       HasSubstr("waits for 1 of semaphore 5 (now 0) from MXU"),
                       HasSubstr("CTRL at"), HasSubstr("waits for room in the queue")))
      << m;
  EXPECT_THAT(std::string(RunIt(fault, false).status.message()),
              HasSubstr("dispatch order is not a legal serial execution"));
}

TEST(Sanitizer, WaitMetOnlyByLaterInstructions) {
  ProgramDsl p;
  RoutineDsl &r = p.Routine("swapped");
  r.Sync(kMxu, {{1, 1}}, {});
  r.Sync(kLd0, {}, {{1, 1}});
  p.main().Call(r);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  EXPECT_THAT(std::string(sim.Run().message()),
              AllOf(HasSubstr("not a legal serial execution"), HasSubstr("met only by later")));
}

TEST(Sanitizer, TokenCarriesOnlyWhatCameBeforeIt) {
  // LD0 signals after the first load; MXU's one token does not cover the second.
  ProgramDsl p;
  uint32_t x = p.Io("x", 1, RegionKind::Input, I8, {64});
  RoutineDsl &r = p.Routine("two");
  for (int i = 0; i < 2; ++i)
    r.Dma(kLd0, {32}, Sram(32 * i, I8, {1}), Dram(1, I8, {1}, 32 * i),
          {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
  r.Dma(kSt, {32}, Sram(128, I8, {1}), Sram(32, I8, {1}), {.waits = {{1, 1}}});
  r.Sync(kSt, {{1, 1}}, {});
  p.main().Call(r);
  p.Predict(x, Reason::CompulsoryLoad, false, 64);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {.sanitize = true});
  std::vector<uint8_t> in(64);
  ASSERT_TRUE(sim.SetInput("x", in).ok());
  EXPECT_THAT(std::string(sim.Run().message()),
              HasSubstr("read-after-write hazard: ST at routine 1 \"two\" pc 2"));
}

TEST(Sanitizer, ScalarReadNeedsItsWait) {
  for (bool wait : {true, false}) {
    ProgramDsl p;
    RoutineDsl &r = p.Routine("lds");
    r.Fill(kLd0, {4}, Sram(0, I32, {4}), {.signals = {{1, 1}}, .fill = 3});
    if (wait)
      r.Sync(kCtrl, {{1, 1}}, {});
    r.Lds(5, 0, 4, I32);
    if (!wait)
      r.Sync(kCtrl, {{1, 1}}, {});
    p.main().Call(r);
    absl::StatusOr<Program> program = p.Build();
    ASSERT_TRUE(program.ok()) << program.status();
    Simulator sim(*program, {.sanitize = true});
    absl::Status s = sim.Run();
    if (wait)
      EXPECT_TRUE(s.ok()) << s;
    else
      EXPECT_THAT(std::string(s.message()), HasSubstr("read-after-write hazard: CTRL"));
  }
}

/// Rows of B beyond the first kernel position are read too.
TEST(Sanitizer, EveryRowOfMatrixOperandB) {
  for (int64_t rows : {36, 35}) {
    ProgramDsl p;
    RoutineDsl &r = p.Routine("conv");
    r.Fill(kLd0, {4}, Sram(0, F32, {4}), {.signals = {{1, 1}}});
    r.Fill(kLd0, {rows, 16}, Sram(4096, F32, {64, 4}), {.signals = {{1, 1}}});
    r.Mxu({1, 1, 16, 3, 3, 4}, Acc(0, F32, {0, 0, 4, 0, 0, 0}), Sram(0, F32, {0, 0, 0, 0, 0, 4}),
          Sram(4096, F32, {0, 0, 4, 0, 0, 64}), {.waits = {{1, 2}}});
    p.main().Call(r);
    absl::StatusOr<Program> program = p.Build();
    ASSERT_TRUE(program.ok()) << program.status();
    Simulator sim(*program, {.sanitize = true});
    std::string message(sim.Run().message());
    if (rows == 36)
      EXPECT_EQ(message, "");
    else
      EXPECT_THAT(message, AllOf(HasSubstr("read of uninitialised memory: MXU"),
                                 HasSubstr("stream 2 reads bytes [6336, 6400) of SRAM")));
  }
}

/// A gather reads its list, each entry, at its place in a longer one.
TEST(Sanitizer, IndexListOfAGather) {
  enum Fault { kNone, kNoWait, kShort };
  for (Fault fault : {kNone, kNoWait, kShort}) {
    ProgramDsl p;
    p.Region(1, RegionKind::Workspace, 4 * 16);
    RoutineDsl &r = p.Routine("gather");
    int64_t entries = fault == kShort ? 11 : 12;
    r.Fill(kLd1, {entries}, Sram(0, I32, {4}), {.signals = {{1, 1}}, .fill = 2});
    r.Fill(kLd1, {4, 4}, Sram(1024, F32, {16, 4}), {.signals = {{1, 1}}});
    if (fault == kNoWait)
      r.Sync(kVec, {{1, 2}}, {});
    r.Gather(
        {8, 1, 1, 1, 1, 4}, Sram(4096, F32, {16, 0, 0, 0, 0, 4}),
        Sram(1024, F32, {16, 0, 0, 0, 0, 4}), Sram(16, I32, {4, 0, 0, 0, 0, 0}),
        {.waits = fault == kNoWait ? std::vector<Token>() : std::vector<Token>{{1, 2}}, .za = 4});
    p.main().Call(r);
    absl::StatusOr<Program> program = p.Build();
    ASSERT_TRUE(program.ok()) << program.status();
    Simulator sim(*program, {.sanitize = true});
    std::string message(sim.Run().message());
    if (fault == kNone)
      EXPECT_EQ(message, "");
    else if (fault == kNoWait)
      EXPECT_THAT(message, HasSubstr("read-after-write hazard: LD0"));
    else
      EXPECT_THAT(message, AllOf(HasSubstr("read of uninitialised memory: LD0"),
                                 HasSubstr("stream 2 reads bytes [44, 48) of SRAM")));
  }
}

TEST(Sanitizer, SpillAndReloadThroughDram) {
  for (bool wait : {true, false}) {
    ProgramDsl p;
    p.Region(4, RegionKind::Workspace, 256);
    uint32_t t = p.Tensor("t", 4, 256);
    RoutineDsl &r = p.Routine("spill");
    r.Fill(kLd0, {256}, Sram(0, I8, {1}), {.signals = {{1, 1}}});
    r.Dma(kSt, {256}, Dram(4, I8, {1}), Sram(0, I8, {1}),
          {.waits = {{1, 1}}, .signals = {{2, 1}}, .reason = Reason::SpillStore});
    if (!wait)
      r.Sync(kLd1, {{2, 1}}, {}); // the other load engine
    r.Dma(wait ? kLd1 : kLd0, {100}, Sram(512, I8, {1}), Dram(4, I8, {1}, 30),
          {.waits = wait ? std::vector<Token>{{2, 1}} : std::vector<Token>(),
           .reason = Reason::SpillLoad});
    p.main().Call(r);
    p.Predict(t, Reason::SpillStore, true, 256);
    p.Predict(t, Reason::SpillLoad, false, 100);
    absl::StatusOr<Program> program = p.Build();
    ASSERT_TRUE(program.ok()) << program.status();
    Simulator sim(*program, {.sanitize = true});
    absl::Status s = sim.Run();
    if (wait)
      EXPECT_TRUE(s.ok()) << s;
    else
      EXPECT_THAT(std::string(s.message()),
                  AllOf(HasSubstr("read-after-write hazard: LD0"),
                        HasSubstr("bytes [30, 130) of region 4 without waiting for ST")));
  }
}

TEST(Sanitizer, InPlaceOnlyPointByPoint) {
  VProg copy;
  copy.ins = {{0, VType::F32}};
  copy.outs = {{0, false, VType::F32}};
  for (int64_t shift : {0, 4, 64}) {
    ProgramDsl p;
    RoutineDsl &r = p.Routine("inplace");
    r.Fill(kLd0, {64}, Sram(0, F32, {4}), {.signals = {{1, 1}}});
    r.Vec({16}, {Sram(shift, F32, {4}), Sram(0, F32, {4})}, p.Vprog(copy), {.waits = {{1, 1}}});
    p.main().Call(r);
    absl::StatusOr<Program> program = p.Build();
    ASSERT_TRUE(program.ok()) << program.status();
    Simulator sim(*program, {.sanitize = true});
    absl::Status s = sim.Run();
    if (shift != 4)
      EXPECT_TRUE(s.ok()) << s;
    else
      EXPECT_THAT(std::string(s.message()), HasSubstr("which stream 1 reads at another point"));
  }
}

TEST(Sanitizer, OutputNeverWritten) {
  ProgramDsl p;
  p.Io("y", 2, RegionKind::Output, I8, {100});
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator plain(*program, {}), checked(*program, {.sanitize = true});
  EXPECT_TRUE(plain.Run().ok());
  EXPECT_THAT(std::string(checked.Run().message()),
              HasSubstr("output \"y\": byte 0 of 100 was never written"));
}

} // namespace
} // namespace accel::rt

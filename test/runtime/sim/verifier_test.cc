//===- verifier_test.cc - Programs that must not run ----------------------===//
#include "damaged_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <random>

namespace accel::rt {
namespace {

using namespace dsl;
using testing::HasSubstr;

/// The message that refuses a program with one routine.
std::string Refusal(const std::function<void(RoutineDsl &)> &code,
                    const std::function<void(ProgramDsl &)> &setUp = {}) {
  ProgramDsl p;
  if (setUp)
    setUp(p);
  RoutineDsl &r = p.Routine("r");
  code(r);
  p.main().Call(r);
  return std::string(p.Build().status().message());
}

TEST(Verifier, FieldsAndControl) {
  EXPECT_EQ(Refusal([](RoutineDsl &r) { r.Li(3, 1); }), "");
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Ctrl(Op(0x19), 0, 0, 0, 0); }),
              HasSubstr("routine 1 \"r\" pc 0: unknown opcode 25"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Ctrl(Op::Add, 64, 0, 0, 0); }),
              HasSubstr("ADD: CtrlWord.rd names register 64, registers end at 63"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Ctrl(Op::Add, 1, 2, 3, 4); }),
              HasSubstr("ADD: CtrlWord.imm is not used and must be 0: 4"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Ctrl(Op::DivI, 1, 2, 0, 0); }),
              HasSubstr("DIVI: CtrlWord.imm is the divisor and must not be 0"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Ctrl(Op::Loop, 1, 0, 0, 5, 9); }),
              HasSubstr("does not end with END"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Ctrl(Op::End, 0, 0, 0, 0); }),
              HasSubstr("END without an opener"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Ctrl(Op::Halt, 0, 0, 0, 0); }), HasSubstr("HALT"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Ctrl(Op::Ret, 0, 0, 0, 0); }), HasSubstr("RET"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) {
                std::function<void(int)> nest = [&](int depth) {
                  r.Loop(depth, 2, [&] {
                    if (depth < 9)
                      nest(depth + 1);
                  });
                };
                nest(1);
              }),
              HasSubstr("nested deeper than 8"));
  // A body that ends outside of the enclosing one.
  EXPECT_THAT(Refusal([](RoutineDsl &r) {
                r.Ctrl(Op::Loop, 1, 0, 0, 2, 2);
                r.Ctrl(Op::Loop, 2, 0, 0, 2, 2);
                r.Ctrl(Op::End, 0, 0, 0, 0);
                r.Ctrl(Op::End, 0, 0, 0, 0);
              }),
              HasSubstr("reaches out of the enclosing one"));
}

TEST(Verifier, CallsDoNotRecurse) {
  ProgramDsl p;
  RoutineDsl &a = p.Routine("a"), &b = p.Routine("b");
  a.Call(b);
  b.Call(a);
  p.main().Call(a);
  EXPECT_THAT(std::string(p.Build().status().message()), HasSubstr("calls itself"));
  ProgramDsl deep;
  std::vector<RoutineDsl *> chain = {&deep.main()};
  for (int i = 0; i < 9; ++i) {
    chain.push_back(&deep.Routine("c"));
    chain[size_t(i)]->Call(*chain.back());
  }
  EXPECT_THAT(std::string(deep.Build().status().message()), HasSubstr("9 deep"));
}

TEST(Verifier, MainIsAStraightLine) {
  ProgramDsl p;
  p.main().Loop(1, 2, [&] { p.main().Li(2, 1); });
  EXPECT_THAT(std::string(p.Build().status().message()), HasSubstr("straight line"));
}

TEST(Verifier, SemaphoresHaveOneEngineOnEachSide) {
  EXPECT_THAT(Refusal([](RoutineDsl &r) {
                r.Sync(kMxu, {}, {{5, 1}});
                r.Sync(kVec, {}, {{5, 1}});
              }),
              HasSubstr("semaphore 5 is signalled by VEC here and by MXU elsewhere"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Sync(kMxu, {{7, 1}}, {}); }),
              HasSubstr("MXU waits for semaphore 7, which nothing signals"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Sync(kMxu, {{7, 0}}, {}); }),
              HasSubstr("semaphore 7 with count 0"));
}

TEST(Verifier, Streams) {
  auto io = [](ProgramDsl &p) {
    p.Io("x", 1, RegionKind::Input, F32, {16});
    p.Io("y", 2, RegionKind::Output, F32, {16});
  };
  Opt load{.reason = Reason::CompulsoryLoad};
  EXPECT_THAT(
      Refusal([&](RoutineDsl &r) { r.Dma(kSt, {16}, Dram(1, F32, {4}), Sram(0, F32, {4}), load); },
              io),
      HasSubstr("write to region 1, which is read-only (input)"));
  EXPECT_THAT(
      Refusal([&](RoutineDsl &r) { r.Dma(kLd0, {16}, Sram(0, F32, {4}), Dram(9, F32, {4}), load); },
              io),
      HasSubstr("no DRAM region 9"));
  EXPECT_THAT(
      Refusal([&](RoutineDsl &r) { r.Dma(kLd0, {16}, Sram(0, F32, {4}), Dram(1, F32, {4}), {}); },
              io),
      HasSubstr("DRAM traffic without a reason"));
  EXPECT_THAT(
      Refusal([&](RoutineDsl &r) { r.Dma(kSt, {16}, Sram(0, F32, {4}), Dram(1, F32, {4}), load); },
              io),
      HasSubstr("ST cannot move between these memories"));
  EXPECT_THAT(
      Refusal([&](RoutineDsl &r) { r.Dma(kLd0, {17}, Sram(0, F32, {4}), Dram(1, F32, {4}), load); },
              io),
      HasSubstr("reads bytes [0, 68) of region 1, which has 64 bytes"));
  EXPECT_THAT(
      Refusal([&](RoutineDsl &r) { r.Dma(kMxu, {16}, Sram(0, F32, {4}), Dram(1, F32, {4}), load); },
              io),
      HasSubstr("DMA: does not run on engine mxu, only on ld0, ld1, st"));
  EXPECT_THAT(Refusal([&](RoutineDsl &r) {
                r.Mxu({1, 1, 1, 1, 1, 1}, Acc(0, I32, {}), Sram(0, F32, {}), Sram(0, F32, {}), {});
              }),
              HasSubstr("MXU cannot multiply"));
  EXPECT_THAT(
      Refusal([&](RoutineDsl &r) { r.Vec({4}, {Sram(0, F32, {4}), Sram(0, F32, {4})}, 3, {}); }),
      HasSubstr("vector program 3 of 0"));
  EXPECT_THAT(
      Refusal([&](RoutineDsl &r) { r.Fill(kLd0, {1 << 20, 1 << 20}, Sram(0, I8, {0, 0}), {}); }),
      HasSubstr("more than 2^33 iteration points"));
}

/// B of MXU has a row for each kernel position and channel: 3·3·4 here.
TEST(Verifier, MatrixOperandBIsWalkedOverTheWholeKernel) {
  auto refusal = [](int64_t address) {
    return Refusal([=](RoutineDsl &r) {
      r.Mxu({1, 1, 16, 3, 3, 4}, Acc(0, F32, {0, 0, 4, 0, 0, 0}), Sram(0, F32, {0, 0, 0, 0, 0, 4}),
            Sram(address, F32, {0, 0, 4, 0, 0, 64}), {});
    });
  };
  EXPECT_EQ(refusal(65536 - 36 * 64), "");
  EXPECT_THAT(refusal(65536 - 35 * 64),
              HasSubstr("stream 2 reads bytes [63296, 65600) of SRAM, which has 65536 bytes"));
}

TEST(Verifier, OnChipAddressesAreAligned) {
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Fill(kLd0, {4}, Sram(2, F32, {4}), {}); }),
              HasSubstr("stream 0: address 2 is not a multiple of the element's 4 bytes"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Fill(kLd0, {4}, Sram(0, F32, {6}), {}); }),
              HasSubstr("stride 6 of dimension 5 is not a multiple of the element's 4 bytes"));
  ProgramDsl p; // a register makes it so
  RoutineDsl &r = p.Routine("r");
  r.Li(1, 2);
  r.Fill(kLd0, {4}, Sram(0, F32, {4}).Plus(1), {});
  p.main().Call(r);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  Simulator sim(*program, {});
  EXPECT_THAT(std::string(sim.Run().message()), HasSubstr("address 2 is not a multiple"));
}

TEST(Verifier, RoutinesFitInstructionMemory) {
  EXPECT_THAT(Refusal(
                  [](RoutineDsl &r) {
                    for (int i = 0; i < 100; ++i)
                      r.Li(1, i);
                  },
                  [](ProgramDsl &p) { p.b.data.target.imemBytes = 1024; }),
              HasSubstr("has 1616 bytes of code, instruction memory 1024"));
}

/// Values that only a run knows are checked when they are used.
TEST(Verifier, WhatIsNotProvenIsCheckedAtDispatch) {
  ProgramDsl p;
  p.Io("n", 1, RegionKind::Input, I32, {1});
  RoutineDsl &r = p.Routine("r");
  r.Dma(kLd0, {1}, Sram(0, I32, {4}), Dram(1, I32, {4}),
        {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
  r.Sync(kCtrl, {{1, 1}}, {});
  r.Lds(1, 0, 0, I32);
  r.Fill(kLd0, {100}, Sram(65536 - 64, I8, {1}), {.sizeRegs = {1}});
  p.main().Call(r);
  p.Predict(0, Reason::CompulsoryLoad, false, 4);
  absl::StatusOr<Program> program = p.Build();
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_LT(program->report().provenStreams, program->report().streams);
  auto run = [&](int32_t n) {
    Simulator sim(*program, {.sanitize = true});
    EXPECT_TRUE(sim.SetInput("n", {reinterpret_cast<uint8_t *>(&n), 4}).ok());
    return std::string(sim.Run().message());
  };
  EXPECT_EQ(run(64), "");
  EXPECT_EQ(run(0), "");
  EXPECT_THAT(run(65), HasSubstr("writes bytes [65472, 65537) of SRAM"));
  EXPECT_THAT(run(101), HasSubstr("size of dimension 5 is r1 = 101, its bound is 100"));
  EXPECT_THAT(run(-1), HasSubstr("size of dimension 5 is r1 = -1"));
}

TEST(Verifier, RegisterRangesAreCheckedAtCalls) {
  auto program = [](int64_t value) {
    ProgramDsl p;
    RoutineDsl &r = p.Routine("r");
    r.Fill(kLd0, {64}, Sram(0, I8, {1}).Plus(5), {});
    p.main().Li(5, value);
    p.main().Call(r);
    p.b.data.registers = {{1, 5, 0, 65536 - 64}};
    return p.Build();
  };
  absl::StatusOr<Program> good = program(4096);
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ(good->report().provenStreams, 1);
  EXPECT_THAT(std::string(program(70000).status().message()),
              HasSubstr("r5 is in 70000..70000, routine 1 takes 0..65472"));
}

TEST(Verifier, DamagedProgramsNeitherCrashNorHang) {
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    uint8_t edits[16];
    for (uint8_t &e : edits)
      e = uint8_t(random());
    RunDamagedProgram(edits, 4 + 4 * (random() % 4));
  }
}

} // namespace
} // namespace accel::rt

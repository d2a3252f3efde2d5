//===- verifier_test.cc - Programs that must not run ----------------------===//
#include "damaged_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <chrono>
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

/// The list of a gather is i32 or i64 in SRAM, has no window and moves with dimension 0 alone;
/// all of it lies inside of SRAM, also where its address comes from a register.
TEST(Verifier, IndexLists) {
  auto io = [](ProgramDsl &p) { p.Io("x", 1, RegionKind::Input, F32, {16, 4}); };
  auto refusal = [&](S list, bool loop = false) {
    return Refusal(
        [&](RoutineDsl &r) {
          auto gather = [&] {
            r.Gather({8, 1, 1, 1, 1, 4}, Sram(4096, F32, {16, 0, 0, 0, 0, 4}),
                     Dram(1, F32, {16, 0, 0, 0, 0, 4}), list,
                     {.reason = Reason::CompulsoryLoad, .za = 16});
          };
          if (!loop)
            return gather();
          r.Loop(1, 3, [&] {
            r.MulI(2, 1, 32);
            gather();
          });
        },
        io);
  };
  const int64_t sram = 1 << 16;
  const std::vector<int64_t> along = {4, 0, 0, 0, 0, 0};
  EXPECT_EQ(refusal(Sram(64, I32, along)), "");
  EXPECT_EQ(refusal(Sram(64, I32, along).Plus(2), true), "");
  isa::WindowCoord rolling = {};
  rolling.dimA = 0;
  rolling.dimB = isa::kNoDim;
  rolling.mulA = 1;
  rolling.bound = isa::kUnchecked;
  rolling.mod = 6;
  rolling.stride = 4;
  EXPECT_THAT(refusal(Sram(64, I32, {}).Window(0, rolling)),
              HasSubstr("an index list with a window"));
  EXPECT_THAT(refusal(Sram(64, F32, along)), HasSubstr("cannot move between these memories"));
  EXPECT_THAT(refusal(Acc(64, I32, along)), HasSubstr("cannot move between these memories"));
  EXPECT_THAT(refusal(Sram(64, I32, {4, 0, 0, 0, 0, 4})),
              HasSubstr("cannot move between these memories"));
  EXPECT_THAT(refusal(Sram(sram - 28, I32, along)), HasSubstr("stream 2 reads bytes ["));
  EXPECT_THAT(refusal(Sram(sram - 64, I32, along).Plus(2), true), HasSubstr("stream 2"));
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
  EXPECT_THAT(Refusal([](RoutineDsl &r) { // a register makes it so
                r.Li(1, 2);
                r.Fill(kLd0, {4}, Sram(0, F32, {4}).Plus(1), {});
              }),
              HasSubstr("stream 0: address 2 is not a multiple of the element's 4 bytes"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { // on some trips
                r.Loop(1, 4, [&] {
                  r.MulI(2, 1, 6);
                  r.Fill(kLd0, {4}, Sram(0, F32, {4}).Plus(2), {});
                });
              }),
              HasSubstr("address is not for every value of its registers a multiple"));
  auto frames = [](int64_t step) { // of two calls
    ProgramDsl p;
    RoutineDsl &r = p.Routine("r");
    r.Fill(kLd0, {4}, Sram(0, F32, {4}).Plus(5), {});
    for (int64_t frame : {16, 16 + 12}) {
      p.main().Li(5, frame);
      p.main().Call(r);
    }
    p.b.data.registers = {{1, 5, 16, 28, step}};
    return std::string(p.Build().status().message());
  };
  EXPECT_EQ(frames(12), "");
  EXPECT_EQ(frames(4), "");
  EXPECT_THAT(frames(1), HasSubstr("is not for every value of its registers a multiple"));
  EXPECT_THAT(frames(8), HasSubstr("r5 is in 28..28, routine 1 takes 16..28 step 8"));
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

/// A program whose size comes from data, after `clamp`.
absl::StatusOr<Program> SizeFromData(const std::function<void(RoutineDsl &)> &clamp) {
  ProgramDsl p;
  p.Io("n", 1, RegionKind::Input, I32, {1});
  RoutineDsl &r = p.Routine("r");
  r.Dma(kLd0, {1}, Sram(0, I32, {4}), Dram(1, I32, {4}),
        {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
  r.Sync(kCtrl, {{1, 1}}, {});
  r.Lds(1, 0, 0, I32);
  clamp(r);
  r.Fill(kLd0, {100}, Sram(65536 - 64, I8, {1}), {.sizeRegs = {1}});
  p.main().Call(r);
  p.Predict(0, Reason::CompulsoryLoad, false, 4);
  return p.Build();
}

/// What data decide must be brought into range by the program.
TEST(Verifier, ValuesFromDataMustBeClamped) {
  auto refusal = [](const std::function<void(RoutineDsl &)> &clamp) {
    return std::string(SizeFromData(clamp).status().message());
  };
  EXPECT_THAT(refusal([](RoutineDsl &) {}),
              HasSubstr("size of dimension 5 is r1, which is in -2147483648..2147483647, its "
                        "bound is 100"));
  EXPECT_THAT(refusal([](RoutineDsl &r) { r.MinI(1, 1, 64); }),
              HasSubstr("which is in -2147483648..64"));
  EXPECT_THAT(refusal([](RoutineDsl &r) {
                r.MinI(1, 1, 65);
                r.Ctrl(Op::MaxI, 1, 1, 0, 0);
              }),
              HasSubstr("stream 0 could write bytes [65472, 65537) of SRAM, which has 65536"));
  absl::StatusOr<Program> program = SizeFromData([](RoutineDsl &r) {
    r.MinI(1, 1, 64);
    r.Ctrl(Op::MaxI, 1, 1, 0, 0);
  });
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(program->report().provenStreams, program->report().streams);
  for (int32_t n : {-5, 0, 64, 1000}) {
    Simulator sim(*program, {.sanitize = true});
    EXPECT_TRUE(sim.SetInput("n", {reinterpret_cast<uint8_t *>(&n), 4}).ok());
    EXPECT_TRUE(sim.Run().ok());
  }
}

TEST(Verifier, RegistersAreWrittenBeforeTheyAreRead) {
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.AddI(2, 1, 1); }),
              HasSubstr("routine 1 \"r\" pc 0: reads r1, which nothing wrote before"));
  EXPECT_THAT(Refusal([](RoutineDsl &r) { r.Fill(kLd0, {4}, Sram(0, I8, {1}).Plus(7), {}); }),
              HasSubstr("reads r7, which nothing wrote"));
  auto maybe = [](const std::function<void(RoutineDsl &)> &write) {
    return Refusal([&](RoutineDsl &r) {
      r.Li(2, 1);
      write(r);
      r.AddI(3, 1, 1);
    });
  };
  EXPECT_THAT(maybe([](RoutineDsl &r) { r.If(2, [&] { r.Li(1, 1); }); }),
              HasSubstr("reads r1, which nothing wrote before on some way here"));
  EXPECT_THAT(maybe([](RoutineDsl &r) { r.Loop(4, 5, [&] { r.Li(1, 1); }, 2); }), "");
  EXPECT_THAT(maybe([](RoutineDsl &r) {
                r.Lds(2, 0, 0, I32);
                r.Loop(4, 5, [&] { r.Li(1, 1); }, 2);
              }),
              HasSubstr("reads r1, which nothing wrote"));
  EXPECT_THAT(maybe([](RoutineDsl &r) { r.Loop(4, 5, [&] { r.Li(1, 1); }); }), "");
  EXPECT_THAT(maybe([](RoutineDsl &r) { r.While(2, 5, [&] { r.Li(1, 1); }); }),
              HasSubstr("reads r1, which nothing wrote"));
}

/// Streams whose ends only a relation between registers keeps inside.
TEST(Verifier, BaseAndSizeTogetherStayInside) {
  auto tiles = [](int64_t trips, int64_t last) {
    return Refusal([&](RoutineDsl &r) {
      r.Loop(1, trips, [&] { // size min(16, last − 16·i) at 16·i
        r.MulI(2, 1, 16);
        r.AddI(3, 2, 16);
        r.MinI(3, 3, last);
        r.Ctrl(Op::Sub, 3, 3, 2, 0);
        r.Ctrl(Op::MaxI, 3, 3, 0, 0);
        r.Fill(kLd0, {16}, Sram(65536 - 55, I8, {1}).Plus(2), {.sizeRegs = {3}});
      });
    });
  };
  EXPECT_EQ(tiles(4, 55), "");
  EXPECT_EQ(tiles(9, 55), ""); // trips beyond the end have size 0
  EXPECT_THAT(tiles(4, 56), HasSubstr("stream 0 could write bytes"));
}

TEST(Verifier, LoopsProveByInduction) {
  auto at = [](const std::function<void(RoutineDsl &)> &before,
               const std::function<void(RoutineDsl &)> &step) {
    return Refusal([&](RoutineDsl &r) {
      before(r);
      r.Loop(1, 10, [&] {
        r.Fill(kLd0, {64}, Sram(65536 - 64 * 11, I8, {1}).Plus(4), {});
        step(r);
      });
    });
  };
  auto zero = [](RoutineDsl &r) { r.Li(4, 0); };
  // Stepped, plainly and on the way through another register and an inner loop.
  EXPECT_EQ(at(zero, [](RoutineDsl &r) { r.AddI(4, 4, 64); }), "");
  EXPECT_EQ(at(zero, [](RoutineDsl &r) { r.Loop(2, 4, [&] { r.AddI(4, 4, 16); }); }), "");
  EXPECT_THAT(at(zero, [](RoutineDsl &r) { r.AddI(4, 4, 80); }),
              HasSubstr("stream 0 could write bytes [64832, 65616) of SRAM"));
  // A ring, and one that only its clamp keeps.
  EXPECT_EQ(at(zero,
               [](RoutineDsl &r) {
                 r.AddI(4, 4, 64);
                 r.ModI(4, 4, 641);
               }),
            "");
  EXPECT_EQ(at(zero,
               [](RoutineDsl &r) {
                 r.Add(4, 4, 1);
                 r.MinI(4, 4, 640);
               }),
            "");
  EXPECT_THAT(at(zero, [](RoutineDsl &r) { r.Add(4, 4, 1); }), HasSubstr("could write"));
}

TEST(Verifier, ConditionsNarrow) {
  auto guarded = [](int64_t bound) {
    return Refusal([&](RoutineDsl &r) {
      r.Loop(1, 100, [&] {
        r.Ctrl(Op::CmpLtI, 2, 1, 0, bound);
        r.If(2, [&] {
          r.MulI(3, 1, 1024);
          r.Fill(kLd0, {1024}, Sram(0, I8, {1}).Plus(3), {});
        });
      });
    });
  };
  EXPECT_EQ(guarded(64), "");
  EXPECT_THAT(guarded(65), HasSubstr("could write"));
}

/// What was computed under a condition says nothing about the same computation
/// without it.
TEST(Verifier, ConditionsDoNotLeak) {
  EXPECT_THAT(Refusal([](RoutineDsl &r) {
                r.Loop(1, 100, [&] {
                  r.MulI(5, 1, -1);
                  r.AddI(5, 5, 66);
                  r.Ctrl(Op::CmpLtI, 2, 1, 0, 10);
                  r.If(2, [&] { r.Ctrl(Op::Min, 3, 1, 5, 0); });
                  r.Ctrl(Op::Min, 3, 1, 5, 0); // up to 33
                  r.MulI(3, 3, 4096);
                  r.Fill(kLd0, {4096}, Sram(0, I8, {1}).Plus(3), {});
                });
              }),
              HasSubstr("could write"));
}

TEST(Verifier, CalleesLeaveIntervals) {
  auto called = [](int64_t mod) {
    ProgramDsl p;
    RoutineDsl &inner = p.Routine("inner"), &outer = p.Routine("outer");
    inner.Lds(9, 0, 0, I32);
    inner.ModI(9, 9, mod);
    outer.Call(inner);
    outer.Fill(kLd0, {64}, Sram(65536 - 128, I8, {1}).Plus(9), {});
    p.main().Call(outer);
    return std::string(p.Build().status().message());
  };
  EXPECT_EQ(called(65), "");
  EXPECT_THAT(called(66), HasSubstr("could write"));
}

/// A program of 100,000 calls, and one that makes every proof fail late.
TEST(Verifier, TimeIsLinear) {
  ProgramDsl p;
  RoutineDsl &r = p.Routine("r");
  r.Loop(1, 4, [&] {
    r.MulI(2, 1, 16);
    r.Fill(kLd0, {16}, Sram(0, I8, {1}).Plus(2).Plus(5), {});
  });
  for (int i = 0; i < 100000; ++i) {
    p.main().Li(5, i % 64 * 16);
    p.main().Call(r);
  }
  p.b.data.registers = {{1, 5, 0, 63 * 16}};
  auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(p.Build().ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));

  ProgramDsl q;
  RoutineDsl &hard = q.Routine("hard");
  for (int i = 1; i < 60; ++i)
    hard.Lds(i, 0, 0, I32);
  for (int i = 0; i < 20000; ++i)
    hard.Ctrl(i % 2 ? Op::Min : Op::Max, 1 + i % 59, 1 + i * 7 % 59, 1 + i * 13 % 59, 0);
  q.main().Call(hard);
  q.b.data.target.imemBytes = 1 << 20;
  begin = std::chrono::steady_clock::now();
  (void)q.Build();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
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

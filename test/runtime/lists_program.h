//===- lists_program.h - Every instruction whose results depend on values -===//
//
// A program that sorts, merges, compacts, scatters, draws random numbers, scans
// and reads registers, in a loop of main, for 1 to 8 rows of x.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_TEST_RUNTIME_LISTS_PROGRAM_H
#define ACC_TEST_RUNTIME_LISTS_PROGRAM_H

#include "program_dsl.h"

namespace accel::rt::dsl {

inline ProgramDsl ListsProgram() {
  constexpr auto I64 = KType::I64;
  ProgramDsl p;
  uint32_t x = p.Io("x", 1, RegionKind::Input, F32, {8, 16});
  uint32_t y = p.Io("y", 2, RegionKind::Output, F32, {8, 16});
  p.b.data.inputs[0].ranges = p.b.data.outputs[0].ranges = {{1, 10, "rows"}, {16, 0, ""}};
  VProg scan;
  scan.ins = {{0, VType::F32}};
  scan.body = {{VOp::Reg, 1, 1, 0, 0, VType::F32, 0}, {VOp::Add, 2, 0, 1, 0, VType::F32, 0}};
  scan.reductions = {{2, 3, VReduce::Sum, false, VType::F32}};
  scan.outs = {{3, false, VType::F32, true}, {3, true, VType::F32, false}};
  const int vprog = p.Vprog(scan);

  // SRAM: x row 0, values 64, indices 128, merged 256, its indices 320, taken 512,
  // kept 576, count 704, sums 768, total 832, random 1024, flags 896.
  RoutineDsl &r = p.Routine("row");
  r.MulI(2, 1, 64);
  r.Dma(kLd0, {16}, Sram(0, F32, {4}), Dram(1, F32, {4}).Plus(2),
        {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
  r.Sync(kVec, {{1, 1}}, {});
  r.Lists(Op::VecSort, {2, 8},
          {Sram(64, F32, {32, 4}), Sram(128, I64, {64, 8}), Sram(0, F32, {32, 4})}, {});
  r.Li(3, 8);
  r.Li(4, 16);
  r.Lists(Op::VecSort, {2, 8},
          {Sram(256, F32, {0, 4}), Sram(320, I64, {0, 8}), Sram(64, F32, {32, 4}),
           Sram(128, I64, {64, 8})},
          {.flags = 2, .initReg = 4, .za = 16, .zaReg = 3, .zbReg = 3});
  r.Lists(Op::VecSort, {2, 8},
          {Sram(1088, F32, {0, 4}), Sram(1152, I64, {0, 8}), Sram(64, F32, {32, 4}),
           Sram(128, I64, {64, 8}), Sram(512, I64, {8, 0})},
          {.flags = 10});
  r.Lists(Op::VecCompact, {16}, {Sram(576, I64, {8}), Sram(704, I32, {}), Sram(256, F32, {4})},
          {.signals = {{2, 1}}, .flags = 1, .za = 16, .zb = 0});
  r.Sync(kCtrl, {{2, 1}}, {});
  r.Lds(5, 0, 704, I32);
  r.MinI(5, 5, 16);
  r.Ctrl(Op::MaxI, 5, 5, 0, 0);
  r.Lists(Op::VecRandom, {16}, {Sram(1024, F32, {4})}, {.initReg = 2, .za = 7});
  r.Lists(Op::VecScatter, {16, 1, 1, 1, 1, 1},
          {Sram(1024, F32, {4, 0, 0, 0, 0, 0}), Sram(256, F32, {4, 0, 0, 0, 0, 0}),
           Sram(576, I64, {8, 0, 0, 0, 0, 0})},
          {.sizeRegs = {5, 0, 0, 0, 0, 0}, .za = 16, .zb = 1});
  r.Vec({16}, {Sram(768, F32, {4}), Sram(832, F32, {}), Sram(1024, F32, {4})}, vprog,
        {.signals = {{3, 1}, {5, 1}}, .reduceMask = 32});
  r.Dma(kSt, {16}, Dram(2, F32, {4}).Plus(2), Sram(768, F32, {4}),
        {.waits = {{3, 1}}, .signals = {{4, 1}}, .reason = Reason::CompulsoryStore});
  r.Sync(kVec, {{4, 1}}, {});
  r.Sync(kLd0, {{5, 1}}, {});
  p.b.data.registers = {{1, 1, 0, 7, 1}};
  RoutineDsl &m = p.main();
  m.Loop(1, 8, [&] { m.Call(r); }, 10);
  p.b.data.counters = {{CounterKind::InputDim, 0, 0}};
  p.b.data.predictions = {{x, Reason::CompulsoryLoad, false, {{64, {0}}}},
                          {y, Reason::CompulsoryStore, true, {{64, {0}}}}};
  return p;
}

} // namespace accel::rt::dsl

#endif // ACC_TEST_RUNTIME_LISTS_PROGRAM_H

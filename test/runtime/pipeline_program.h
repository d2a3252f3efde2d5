//===- pipeline_program.h - load → MXU → VEC → store, double-buffered -----===//
//
// y[64,16] = relu(x[64,32] · w[32,16]) in 8 tiles of 8 rows. x and y tiles have
// two buffers each; each dependence between engines has its semaphore:
//   1 w loaded      LD1 → MXU      2 x buffer free  MXU → LD0
//   3 x loaded      LD0 → MXU      4 acc free       VEC → MXU
//   5 acc ready     MXU → VEC      6 y buffer free  ST → VEC
//   7 y ready       VEC → ST
// Every switch below breaks it in a way that keeps the output right, because
// dispatch order hides it.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_TEST_RUNTIME_PIPELINE_PROGRAM_H
#define ACC_TEST_RUNTIME_PIPELINE_PROGRAM_H

#include "program_dsl.h"

namespace accel::rt::dsl {

struct PipelineFault {
  int dropSemaphore = 0;         // its waits and signals
  int dropWait = 0;              // its waits only
  int dropSignal = 0;            // its signals only
  bool keepAccumulators = false; // VEC never gives them back in the loop
  int64_t yBufferStep = 512;     // distance of the two y buffers
  int64_t xBufferStep = 1024;
  int64_t wAddress = 4096;
  int64_t xRows = 8;      // rows of x loaded for a tile
  int64_t storeShift = 0; // bytes added to the store's source
  int64_t predictedX = 64 * 32 * 4;
};

inline ProgramDsl PipelineProgram(const PipelineFault &fault = {}) {
  ProgramDsl p;
  uint32_t x = p.Io("x", 1, RegionKind::Input, F32, {64, 32});
  uint32_t y = p.Io("y", 2, RegionKind::Output, F32, {64, 16});
  p.Region(0, RegionKind::Weights, 32 * 16 * 4);
  uint32_t w = p.Tensor("w", 0, 32 * 16 * 4);
  std::vector<uint8_t> weights(32 * 16 * 4);
  for (int i = 0; i < 512; ++i) {
    float v = float(i % 7 - 3) * 0.25f;
    std::memcpy(&weights[size_t(i) * 4], &v, 4);
  }
  p.Weights(0, weights);
  p.Predict(x, Reason::CompulsoryLoad, false, fault.predictedX);
  p.Predict(w, Reason::CompulsoryLoad, false, 32 * 16 * 4);
  p.Predict(y, Reason::CompulsoryStore, true, 64 * 16 * 4);
  p.b.data.nodes = {{"matmul", "MatMul", 64 * 32 * 16}, {"relu", "Relu", 0}};

  VProg relu;
  relu.ins = {{0, VType::F32}};
  relu.body = {{VOp::Imm, 1, 0, 0, 0, VType::F32, 0}, {VOp::Max, 2, 0, 1, 0, VType::F32, 0}};
  relu.outs = {{2, false, VType::F32}};
  int vprog = p.Vprog(relu);

  auto list = [&](bool wait, std::vector<Token> tokens) {
    std::vector<Token> kept;
    for (Token t : tokens)
      if (t.semaphore != fault.dropSemaphore &&
          t.semaphore != (wait ? fault.dropWait : fault.dropSignal))
        kept.push_back(t);
    return kept;
  };
  auto waits = [&](std::vector<Token> t) { return list(true, std::move(t)); };
  auto signals = [&](std::vector<Token> t) { return list(false, std::move(t)); };

  RoutineDsl &r = p.Routine("tile");
  const int64_t kX = 0, kY = 2048; // SRAM addresses
  r.node = 0;
  r.Sync(kMxu, {}, signals({{2, 2}}));
  r.Sync(kVec, {}, signals({{4, 1}}));
  r.Sync(kSt, {}, signals({{6, 2}}));
  r.Dma(kLd1, {32, 16}, Sram(fault.wAddress, F32, {64, 4}), Dram(0, F32, {64, 4}),
        {.signals = signals({{1, 1}}), .reason = Reason::CompulsoryLoad});
  r.Sync(kMxu, waits({{1, 1}}), {});
  r.Loop(1, 8, [&] {
    r.ModI(2, 1, 2);
    r.MulI(3, 2, fault.xBufferStep);
    r.MulI(4, 2, fault.yBufferStep);
    r.MulI(5, 1, 8 * 32 * 4);
    r.MulI(6, 1, 8 * 16 * 4);
    r.Dma(
        kLd0, {fault.xRows, 32}, Sram(kX, F32, {128, 4}).Plus(3), Dram(1, F32, {128, 4}).Plus(5),
        {.waits = waits({{2, 1}}), .signals = signals({{3, 1}}), .reason = Reason::CompulsoryLoad});
    // dims m0, m1, n, kh, kw, c
    r.Mxu({1, 8, 16, 1, 1, 32}, Acc(0, F32, {0, 64, 4, 0, 0, 0}),
          Sram(kX, F32, {0, 128, 0, 0, 0, 4}).Plus(3),
          Sram(fault.wAddress, F32, {0, 0, 4, 0, 0, 64}),
          {.waits = waits({{3, 1}, {4, 1}}), .signals = signals({{2, 1}, {5, 1}})});
    r.node = 1;
    r.Vec({8, 16}, {Sram(kY, F32, {64, 4}).Plus(4), Acc(0, F32, {64, 4})}, vprog,
          {.waits = waits({{5, 1}, {6, 1}}),
           .signals = fault.keepAccumulators ? signals({{7, 1}}) : signals({{4, 1}, {7, 1}})});
    r.Dma(kSt, {8, 16}, Dram(2, F32, {64, 4}).Plus(6),
          Sram(kY + fault.storeShift, F32, {64, 4}).Plus(4),
          {.waits = waits({{7, 1}}),
           .signals = signals({{6, 1}}),
           .reason = Reason::CompulsoryStore});
    r.node = 0;
  });
  r.Sync(kLd0, waits({{2, 2}}), {});
  r.Sync(kMxu, waits({{4, 1}}), {});
  r.Sync(kVec, waits({{6, 2}}), {});
  p.main().Call(r);
  p.b.data.calls = {{0, 0, {0, 1}}};
  return p;
}

} // namespace accel::rt::dsl

#endif // ACC_TEST_RUNTIME_PIPELINE_PROGRAM_H

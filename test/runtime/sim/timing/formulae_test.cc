//===- formulae_test.cc - Occupancy against closed forms ------------------===//
//
// Expected numbers are derived in the comments from the target's figures.
//
//===----------------------------------------------------------------------===//
#include "unit_machine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cmath>

namespace accel::rt {
namespace {

using testing::HasSubstr;

int64_t Mxu(const MachineFigures &m, int64_t rows, int64_t columns, int64_t depth,
            KType type = KType::I8) {
  return MxuOccupancy(m, {rows, columns, depth, type}).busyCycles;
}

TEST(Mxu, OneFoldIsTheTextbooksFormula) {
  // SCALE-Sim, weight-stationary: 2R + C + T - 2 cycles for T rows through an
  // R x C array that loads one row of weights a cycle.
  const int64_t rows = 16, columns = 8, t = 100;
  MachineFigures m = Edge({{"mxu_rows", rows},
                           {"mxu_columns", columns},
                           {"mxu_int8_macs", rows * columns},
                           {"mxu_load_bytes_per_cycle", columns},
                           {"sram_latency_cycles", 0}});
  Occupancy o = MxuOccupancy(m, {t, columns, rows, KType::I8});
  EXPECT_EQ(o.busyCycles + o.latencyCycles, 2 * rows + columns + t - 2);
}

TEST(Mxu, FoldsHideTheirLoads) {
  // edge, int8: a fold of 64 x 32 loads in 2048 / 128 = 16 cycles. 4 x 2 folds
  // of 512 rows: only the first load shows.
  MachineFigures m = Edge();
  EXPECT_EQ(Mxu(m, 512, 64, 256), 16 + 8 * 512);
  // Utilisation tends to 1: products over cycles at the peak.
  int64_t products = int64_t(4096) * 512 * 4096;
  EXPECT_LE(Mxu(m, 512, 4096, 4096), products / 2048 + 16);
}

TEST(Mxu, EdgeTilesTakeAsLongAsWholeOnes) {
  MachineFigures m = Edge();
  // 65 of depth are two folds, 512 rows each.
  EXPECT_EQ(Mxu(m, 512, 32, 65), 16 + 2 * 512);
  // 33 columns would be four. With A held, 33 columns flow through 2 · 16 folds.
  EXPECT_EQ(Mxu(m, 512, 33, 65), 16 + 2 * 16 * 33);
  // 3 deep, 5 columns: 32 rows of A, a word each of 16 banks, load in 2 cycles.
  EXPECT_EQ(Mxu(m, 512, 5, 3), 2 + 16 * 5);
}

TEST(Mxu, OneRowIsBoundByLoads) {
  // A vector times 4096 x 4096 int8. Holding the matrix: 64 · 128 folds of 16
  // cycles each and one row. Holding the vector instead lets 4096 columns flow
  // through each of 64 folds, and would take 64 · 4096.
  MachineFigures m = Edge();
  EXPECT_EQ(Mxu(m, 1, 4096, 4096), 64 * 128 * 16 + 1);
  // That is 128 bytes a cycle: faster than DRAM gives them.
  EXPECT_EQ(4096 * 4096 / (64 * 128 * 16), 128);
}

TEST(Mxu, TheLesserOperandIsHeld) {
  // With slow loads, one row: 64 columns flow through the held vector.
  MachineFigures m = Edge({{"mxu_load_bytes_per_cycle", 32}});
  // 1 x 64 bytes load in 2 cycles, then a column a cycle in each of 4 folds.
  // Holding B: 2 · 4 folds of 64 cycles.
  EXPECT_EQ(Mxu(m, 1, 64, 256), 2 + 4 * 64);
}

TEST(Mxu, TypesHaveTheirPeaks) {
  MachineFigures m = Edge();
  // 512 rows, 32 columns, 64 deep: 2^20 products.
  EXPECT_EQ(Mxu(m, 512, 32, 64, KType::I8), 16 + (1 << 20) / 2048);
  EXPECT_EQ(Mxu(m, 512, 32, 64, KType::BF16), 32 + (1 << 20) / 1024);
  EXPECT_EQ(Mxu(m, 512, 32, 64, KType::F32), 64 + (1 << 20) / 256);
  EXPECT_EQ(Mxu(m, 512, 32, 64, KType::F8E4M3FN), Mxu(m, 512, 32, 64, KType::U8));
}

TEST(Mxu, CellsOfTwoProductsStandForTwoRows) {
  // As tpu-v5e with int8: twice the products a cycle of its cells.
  MachineFigures m = Edge({{"mxu_int8_macs", 4096}});
  EXPECT_EQ(Mxu(m, 512, 32, 128), 32 + 512);
  EXPECT_EQ(Mxu(m, 512, 32, 64), 16 + 512);
}

TEST(Mxu, APeakThatDividesNothing) {
  // A third of the cells, rounded: rows stand for a fraction of a cycle more.
  MachineFigures m = Edge({{"mxu_f32_macs", 682}});
  EXPECT_EQ(Mxu(m, 1000, 32, 64, KType::F32), 64 + (1000 * 2048 + 681) / 682);
}

TEST(Mxu, ThinChannelsAreFedWordByWord) {
  // A 7x7 convolution of 3 channels: 147 deep, three folds, whose rows come in
  // runs of 3: 22 words of 16 banks a row.
  MachineFigures m = Edge();
  Occupancy o = MxuOccupancy(m, {512, 32, 147, KType::I8, {3, 1}});
  EXPECT_EQ(o.busyCycles, 16 + 3 * (512 * 22 / 16));
  // Holding them is no way around: 44 cycles to load 32 rows.
  o = MxuOccupancy(m, {512, 16, 147, KType::I8, {3, 1}});
  EXPECT_EQ(o.busyCycles, std::min(8 + 3 * (512 * 22 / 16), 44 + 16 + 47 * 44));
}

TEST(Mxu, DepthwiseHasItsOwnPeak) {
  MachineFigures m = Edge();
  // 100 positions, 40 channels in two groups of 32, 9 taps.
  EXPECT_EQ(MxuDepthwiseOccupancy(m, 100, 40, 9, KType::I8).busyCycles, 100 * 64 * 9 / 256);
  EXPECT_EQ(MxuDepthwiseOccupancy(m, 100, 40, 9, KType::F32).busyCycles, 100 * 64 * 9 / 32);
}

TEST(Mxu, HugeWorkStaysInRange) {
  MachineFigures m = Edge();
  int64_t most = int64_t(1) << 33;
  EXPECT_LE(Mxu(m, most, most, most), kMaxOccupancy);
  EXPECT_GT(Mxu(m, most, most, most), 0);
  EXPECT_EQ(Mxu(m, 1, 1, 1), 2);
}

VProg Program(std::vector<VOp> body, VType type = VType::F32) {
  VProg p;
  for (VOp op : body)
    p.body.push_back({op, 0, 0, 0, 0, type, 0});
  return p;
}

TEST(Vec, StepsGoThroughTheChain) {
  MachineFigures m = Edge();
  auto busy = [&](const VProg &p, int64_t points) {
    return VecOccupancy(m, CostOf(m, p), {points, points, 0}).busyCycles;
  };
  // Up to 8 additions keep pace with 64 points a cycle; the ninth is a second round.
  EXPECT_EQ(busy(Program(std::vector<VOp>(8, VOp::Add)), 6400), 100);
  EXPECT_EQ(busy(Program(std::vector<VOp>(9, VOp::Add)), 6400), 200);
  EXPECT_EQ(busy(Program({}), 6401), 101);
  EXPECT_EQ(busy(Program({VOp::Imm, VOp::Reg, VOp::Max}), 1), 1);
  // exp counts four additions, of f64 eight.
  EXPECT_EQ(busy(Program({VOp::Exp, VOp::Exp}), 6400), 100);
  EXPECT_EQ(busy(Program({VOp::Exp, VOp::Exp}, VType::F64), 6400), 200);
}

TEST(Vec, NotFasterThanItsWords) {
  MachineFigures m = Edge();
  // 6400 elements each in a word of its own: 16 banks.
  EXPECT_EQ(VecOccupancy(m, CostOf(m, Program({VOp::Add})), {6400, 6400, 6400}).busyCycles, 400);
}

TEST(Vec, ReductionsAreChains) {
  MachineFigures m = Edge();
  VProg p;
  p.reductions = {{0, 1, VReduce::Sum, false, VType::F32}};
  // One sum of 1000 in sequence: 4 cycles an addition.
  EXPECT_EQ(VecOccupancy(m, CostOf(m, p), {1000, 1, 0}).busyCycles, 4000);
  // 16 partials and their tree of four, in one round.
  p.reductions[0].lanes = true;
  EXPECT_EQ(VecOccupancy(m, CostOf(m, p), {1000, 1, 0}).busyCycles, 63 * 4 + 1);
  // With 1024 results side by side the chains are hidden.
  EXPECT_EQ(VecOccupancy(m, CostOf(m, p), {1024 * 100, 1024, 0}).busyCycles, 1600 + 16);
}

TEST(Vec, Lists) {
  MachineFigures m = Edge();
  // 256 elements: 8 levels, 36 stages of 128 pairs, 64 at a time.
  EXPECT_EQ(VecSortOccupancy(m, 1, 256, false).busyCycles, 36 * 2);
  EXPECT_EQ(VecSortOccupancy(m, 1, 256, true).busyCycles, 8 * 2);
  EXPECT_EQ(VecCompactOccupancy(m, 6400).busyCycles, 100);
  EXPECT_EQ(VecScatterOccupancy(m, 10, 128, false).busyCycles, 20);
  EXPECT_EQ(VecScatterOccupancy(m, 10, 128, true).busyCycles, 40);
  // 80 steps for four words, 8 a cycle.
  EXPECT_EQ(VecRandomOccupancy(m, 2560).busyCycles, 10 * 10);
}

int64_t Blocks(std::vector<std::pair<int64_t, int64_t>> sizesAndStrides, int64_t element,
               int64_t block) {
  Walk w;
  w.elementBytes = element;
  int d = 0;
  for (auto [size, stride] : sizesAndStrides) {
    w.size[d] = size;
    w.strideBytes[d++] = stride;
  }
  return BlocksTouched(w, block);
}

TEST(Walk, Blocks) {
  EXPECT_EQ(Blocks({{1000, 4}}, 4, 64), 63);
  EXPECT_EQ(Blocks({{1000, 64}}, 4, 64), 1000);
  EXPECT_EQ(Blocks({{1000, 0}}, 4, 64), 1);
  EXPECT_EQ(Blocks({{1000, -4}}, 4, 64), 63);
  // Every second element still takes every word.
  EXPECT_EQ(Blocks({{1000, 8}}, 4, 64), 125);
  // Rows of 100 bytes, 256 apart: two words each, an eighth of a DRAM row.
  EXPECT_EQ(Blocks({{16, 256}, {25, 4}}, 4, 64), 32);
  EXPECT_EQ(Blocks({{16, 256}, {25, 4}}, 4, 2048), 2);
  // A transposed walk touches the same.
  EXPECT_EQ(Blocks({{25, 4}, {16, 256}}, 4, 64), 32);
  EXPECT_EQ(Blocks({{1 << 30, int64_t(1) << 40}, {1 << 30, int64_t(1) << 38}, {1 << 30, 8}}, 4, 64),
            kMaxOccupancy);
}

TEST(Transfer, BandwidthAndRows) {
  MachineFigures m = Edge();
  // 64 KiB in a stream: 4096 cycles, its 32 rows need 320.
  EXPECT_EQ(CostOf(m, TransferWork{65536, 32, 1024}).dramTicks, 4096 * kTicksPerCycle);
  // A burst from each of 1024 rows: a row every 10 cycles.
  EXPECT_EQ(CostOf(m, TransferWork{65536, 1024, 1024}).dramTicks, 10240 * kTicksPerCycle);
  EXPECT_EQ(CostOf(m, TransferWork{65536, 1024, 1024}).busTicks, 4096 * kTicksPerCycle);
  // The port takes a word a cycle.
  EXPECT_EQ(CostOf(m, TransferWork{65536, 32, 1024}).portTicks, 1024 * kTicksPerCycle);
}

TEST(Transfer, FractionsOfAByteACycle) {
  MachineFigures m = Edge({{"dram_bytes_per_cycle", 3.75}});
  EXPECT_EQ(m.DramTicks(15), 4 * kTicksPerCycle);
  EXPECT_EQ(m.DramTicks(1), (kTicksPerCycle * 4 + 14) / 15);
  // Beyond 2^38 bytes it counts units of 2^24.
  EXPECT_NEAR(double(m.DramTicks(int64_t(15) << 36)), double(int64_t(4) << 36) * kTicksPerCycle,
              double(int64_t(1) << 34));
  EXPECT_LE(m.DramTicks(int64_t(1) << 62), kMaxOccupancy);
}

TEST(Figures, WhatIsMissingOrWrongIsNamed) {
  std::map<std::string, double> figures = EdgeFigures();
  figures.erase("dma_outstanding");
  EXPECT_THAT(FiguresOf(figures).status().message(), HasSubstr("no figure dma_outstanding"));
  figures["dma_outstanding"] = 0;
  EXPECT_THAT(FiguresOf(figures).status().message(),
              HasSubstr("dma_outstanding is 0, must be in 1..65536"));
  figures["dma_outstanding"] = std::nan("");
  EXPECT_FALSE(FiguresOf(figures).ok());
}

} // namespace
} // namespace accel::rt

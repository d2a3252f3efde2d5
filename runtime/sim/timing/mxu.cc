//===- mxu.cc - Occupancy of the systolic array ---------------------------===//
#include "acc/runtime/isa.h"
#include "arithmetic.h"

namespace accel::rt {
namespace {

/// The array as operands of one type see it.
struct Array {
  int64_t rows, columns;
  int64_t macs; // a cycle, at most rows · columns
  int64_t elementBytes;
};

/// An operand of [count, depth]; one line's share of a fold takes `words` words
/// of SRAM.
struct Operand {
  int64_t count, words;
};

/// Words of SRAM that one of `lines` lines takes over a fold's depth, in the
/// better of two orders: each line by itself, in as many pieces as its depth has
/// breaks, or neighbouring lines together, which share words.
int64_t WordsOfLine(const MachineFigures &m, const Array &array, const MxuWork::Runs &runs,
                    int64_t lines, int64_t fold) {
  auto words = [&](int64_t run, int64_t of) {
    run = run > 0 ? std::min(run, of) : of;
    return CappedProduct(CeilDivide(of, run),
                         CeilDivide(run * array.elementBytes, m.sramBankBytes));
  };
  lines = std::max<int64_t>(lines, 1);
  return std::min(words(runs.depth, fold),
                  CeilDivide(CappedProduct(words(runs.lines, lines), fold), lines));
}

/// `held` stays fold by fold, its lines along the columns; all lines of `flowing`
/// go through each fold.
int64_t HeldCycles(const MachineFigures &m, const Array &array, const Operand &held,
                   const Operand &flowing, int64_t depth) {
  // Cells that need several cycles for a product let a row stand for as long.
  int64_t flow =
      std::max(CeilDivide(CappedProduct(flowing.count, array.rows, array.columns), array.macs),
               CeilDivide(CappedProduct(flowing.count, flowing.words), m.sramBanks));
  auto load = [&](int64_t rows, int64_t columns) {
    return std::max(
        CeilDivide(CappedProduct(rows, columns, array.elementBytes), m.mxuLoadBytesPerCycle),
        CeilDivide(CappedProduct(columns, held.words), m.sramBanks));
  };
  int64_t deep = depth / array.rows, deepRest = depth % array.rows;
  int64_t wide = held.count / array.columns, wideRest = held.count % array.columns;
  struct {
    int64_t count, loadCycles;
  } folds[] = {{CappedProduct(deep, wide), load(array.rows, array.columns)},
               {deepRest ? wide : 0, load(deepRest, array.columns)},
               {wideRest ? deep : 0, load(array.rows, wideRest)},
               {deepRest && wideRest ? 1 : 0, load(deepRest, wideRest)}};
  int64_t cycles = 0;
  for (const auto &fold : folds) {
    if (!fold.count)
      continue;
    // Nothing flows while the first fold is loaded; the others hide theirs.
    int64_t hidden = fold.count;
    if (cycles == 0) {
      cycles = CappedSum({fold.loadCycles, flow});
      --hidden;
    }
    cycles = CappedSum({cycles, CappedProduct(hidden, std::max(flow, fold.loadCycles))});
  }
  return cycles;
}

/// From SRAM through all rows and columns: the last result leaves so long after
/// the last row has entered.
int64_t FlowLatency(const MachineFigures &m) {
  return m.sramLatencyCycles + m.mxuRows + m.mxuColumns - 2;
}

} // namespace

Occupancy MxuOccupancy(const MachineFigures &m, const MxuWork &work) {
  Array array{m.mxuRows, m.mxuColumns, m.MxuPeakMacs(work.type),
              std::max<int64_t>(KTypeBytes(work.type), 1)};
  // Cells that make several products a cycle of a narrow type stand for rows.
  if (int64_t cells = array.rows * array.columns; array.macs >= 2 * cells)
    array.rows *= array.macs / cells;
  array.macs = std::min(array.macs, array.rows * array.columns);
  int64_t fold = std::min(work.depth, array.rows);
  Operand a{work.rows, WordsOfLine(m, array, work.a, work.rows, fold)};
  Operand b{work.columns, WordsOfLine(m, array, work.b, work.columns, fold)};
  int64_t holdB = HeldCycles(m, array, b, a, work.depth);
  int64_t holdA = HeldCycles(m, array, a, b, work.depth);
  return {std::max<int64_t>(std::min(holdA, holdB), 1), FlowLatency(m)};
}

Occupancy MxuDepthwiseOccupancy(const MachineFigures &m, int64_t rows, int64_t channels,
                                int64_t taps, KType type) {
  // Channels lie along the columns: the last group takes as long as a whole one.
  int64_t products =
      CappedProduct(CappedProduct(CeilDivide(channels, m.mxuColumns), m.mxuColumns), rows, taps);
  // Other types have the same share of this peak as of that for whole products.
  int64_t peak = std::max<int64_t>(m.mxuDepthwiseMacs * m.MxuPeakMacs(type) / m.mxuInt8Macs, 1);
  return {std::max<int64_t>(CeilDivide(products, peak), 1), FlowLatency(m)};
}

} // namespace accel::rt

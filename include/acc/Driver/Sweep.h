//===- Sweep.h - one model on chips of many sizes -------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_DRIVER_SWEEP_H
#define ACC_DRIVER_SWEEP_H

#include "acc/Driver/Compile.h"

namespace accel {

/// A chip with so much SRAM, and what a model moves on it. Sizes in bytes.
struct SweepPoint {
  int64_t sramBytes = 0;
  std::optional<int64_t> dramBytes; ///< nothing: does not run there
  std::string why;                  ///< it does not
  int64_t boundBytes = 0;           ///< no schedule moves fewer
  int64_t plannedBytes = 0;         ///< of SRAM that the plan is for (Ladder.h)
};

struct Sweep {
  std::string target;
  int64_t compulsoryBytes = 0;
  std::vector<SweepPoint> points; ///< by ascending SRAM
};

/// The DRAM bytes that a compile for `options.target` with each size of SRAM
/// predicts, from one search. Sizes that the target cannot have are an error.
mlir::FailureOr<Sweep> sweepSram(const CompileOptions &options, llvm::ArrayRef<int64_t> sizes,
                                 mlir::MLIRContext *context);

} // namespace accel

#endif // ACC_DRIVER_SWEEP_H

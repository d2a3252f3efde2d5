//===- Program.h - routines, calls and what orders them --------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_CODEGEN_PROGRAM_H
#define ACC_CODEGEN_PROGRAM_H

#include "acc/Codegen/Synchronise.h"
#include "acc/Codegen/Tree.h"
#include "acc/Codegen/VectorPrograms.h"

#include <memory>

namespace accel::codegen {

/// A piece of memory that a call hands to its routine.
struct Extent {
  Space space = Space::Dram;
  int32_t region = 0; ///< of DRAM
  int64_t address = 0, bytes = 0;
};

struct Call {
  mlir::func::CallOp op;
  int32_t routine = 0; ///< index in Program::routines
  llvm::SmallVector<Extent> arguments;
  int64_t frame = 0; ///< SRAM address
  /// SYNC instructions before and after, by engine.
  std::map<Engine, llvm::SmallVector<Tokens>> waits, signals;
};

/// The whole program before it becomes isa operations.
struct Program {
  std::vector<std::unique_ptr<Routine>> routines; ///< without main
  std::vector<std::vector<Effect>> effects;       ///< of each routine
  std::vector<Call> calls;
  VectorPrograms programs;
  Semaphores semaphores;
};

/// Number of the DRAM region that tensors of a kind (accel.tensor) live in.
std::optional<int32_t> regionOf(llvm::StringRef kind);

/// Lowers every routine that main calls, once for each combination of regions
/// that its arguments come from, and orders the calls.
mlir::FailureOr<std::unique_ptr<Program>> buildProgram(mlir::ModuleOp module);

/// Edges between calls (Calls.cpp).
void synchroniseCalls(Program &program);

} // namespace accel::codegen

#endif

//===- Lowering.h - a tile routine becomes a tree of instructions -*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_CODEGEN_LOWERING_H
#define ACC_CODEGEN_LOWERING_H

#include "acc/Codegen/Tree.h"
#include "acc/Codegen/VectorPrograms.h"

namespace accel::codegen {

struct Call;

/// Base registers of a stream descriptor, a constant of the ISA.
constexpr unsigned maxBaseRegs = 4;

/// Fills `routine` from a function of the tile form with addresses. `regions`
/// has the DRAM region of each argument (of this instance of the function).
/// Addresses are in registers or, for `only` one call, numbers in the code. No
/// stream has more than `baseRegs` base registers. Errors are diagnosed at the
/// operation.
mlir::LogicalResult lowerRoutine(mlir::func::FuncOp function, llvm::ArrayRef<int32_t> regions,
                                 const Call *only, unsigned baseRegs, Routine &routine,
                                 VectorPrograms &programs);

} // namespace accel::codegen

#endif

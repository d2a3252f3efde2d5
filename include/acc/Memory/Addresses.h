//===- Addresses.h - where every buffer of a tile program lies -*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_MEMORY_ADDRESSES_H
#define ACC_MEMORY_ADDRESSES_H

#include "accel/Accel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace accel::memory {

/// Every buffer and tensor starts on this boundary (bytes): a DRAM burst, and
/// the widest access of an engine.
constexpr int64_t bufferAlignment = 64;

/// Bytes of the elements of a memref, without rotation; an element takes one
/// byte at least.
int64_t bytesOf(mlir::MemRefType type);

/// Bytes from one rotating slot of a buffer to the next.
int64_t slotBytes(mlir::MemRefType type);

Space spaceOf(mlir::MemRefType type);

/// Whether op is a loop of exactly one trip: no iterations, so that buffers in
/// it belong to what is around it.
bool runsOnce(mlir::Operation *op);

struct Limits {
  int64_t sramBytes = 2 << 20;
  int64_t accBytes = 64 << 10;
};

/// Why the buffers do not fit. `function` is the routine whose frame or
/// accumulators are too large, or main if the frames and the residents are.
struct PackingFailure {
  std::string function;
  Space space = Space::Sram;
  int64_t needed = 0, capacity = 0;           ///< bytes
  llvm::SmallVector<mlir::Operation *> clash; ///< allocs and calls (their frames)
};

/// Adds `address` to every alloc and tensor, `accel.frame_bytes` and
/// `accel.acc_bytes` to routines, `accel.frame` to calls and `accel.sram_peak`,
/// `accel.acc_peak` and `accel.region_bytes` to the module. If something does
/// not fit, `failure` says what (so that the driver can plan again with less);
/// no diagnostic is written.
mlir::LogicalResult assignAddresses(mlir::ModuleOp module, const Limits &limits,
                                    PackingFailure &failure);

/// Writes the failure as a located error with notes at the clashing buffers.
void report(mlir::ModuleOp module, const PackingFailure &failure);

/// One located error if two buffers that are live together share bytes, if one
/// leaves its memory, is not aligned or has no address. Looks at every pair.
mlir::LogicalResult verifyPacking(mlir::ModuleOp module);

/// What lies where and how long, as a report draws it.
struct Occupant {
  std::string name;
  int64_t offset, bytes;
  int64_t begin, end; ///< positions, half open
};

/// Frames and residents in SRAM; positions are the calls of main.
llvm::SmallVector<Occupant> sramOccupancy(mlir::ModuleOp module);

/// Buffers in a routine's frame or accumulators; positions are its engine
/// operations in text order.
llvm::SmallVector<Occupant> frameOccupancy(mlir::func::FuncOp routine, Space space);

} // namespace accel::memory

#endif

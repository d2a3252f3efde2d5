//===- reference.h - The engines, element by element ----------------------===//
//
// Each operation exactly as the ISA defines it, with no thought for speed.
// Tests compare the kernels with these bit for bit.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_KERNELS_REFERENCE_H
#define ACC_RUNTIME_KERNELS_REFERENCE_H

#include "acc/runtime/kernels.h"

namespace accel::rt::reference {

absl::Status Dma(const DmaOp &op);
void Mxu(const MxuOp &op);
void MxuDw(const MxuOp &op);
void Vec(const VecOp &op, const CompiledVProg &prog);

} // namespace accel::rt::reference

#endif // ACC_RUNTIME_KERNELS_REFERENCE_H

//===- mxu_engines.h - The SIMD implementations behind ExecMxu ------------===//
#ifndef ACC_RUNTIME_KERNELS_MXU_ENGINES_H
#define ACC_RUNTIME_KERNELS_MXU_ENGINES_H

#include "mxu_geometry.h"

namespace accel::rt {

/// Below this many multiply-adds (about 5 µs) waking another thread costs more
/// than it saves.
constexpr int64_t kMxuInlineMacs = 200000;

/// Runs an f32 instruction over a dilated input phase by phase. False: nothing
/// was done, or C must be computed anew (mxu_phases.cc).
bool RunMxuPhases(const MxuOp &op, ThreadPool &pool);

/// Runs a float instruction that MxuIsRegular admits, with chains of so many
/// channels.
void RunMxuFloats(const MxuOp &op, int64_t chainChannels, ThreadPool &pool);

void RunMxuF32(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool);
/// With AVX-512 VNNI. False, and nothing done: not here, or not these zero points.
bool RunMxuI8Vnni(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool);
void RunMxuI8(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool);
void RunMxuDwF32(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool);
void RunMxuDwI8(const MxuOp &op, const MxuGeometry &g, ThreadPool &pool);

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_MXU_ENGINES_H

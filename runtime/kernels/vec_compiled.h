//===- vec_compiled.h - A vector program ready to run ---------------------===//
#ifndef ACC_RUNTIME_KERNELS_VEC_COMPILED_H
#define ACC_RUNTIME_KERNELS_VEC_COMPILED_H

#include "vec_chain.h"

namespace accel::rt {

/// Points that one step handles at a time: five f32 registers of this length
/// leave room in a 32 KiB L1 for the streams.
constexpr int64_t kStrip = 512;
/// Lane partials of ordered reductions (ISA constant).
constexpr int64_t kReduceLanes = 16;

class CompiledVProg {
public:
  VProg source;
  /// Steps without the immediates, which are hoisted: a register that only
  /// one Imm writes is filled once a strip file.
  std::vector<VStep> constants, body, post;
  std::vector<VPiece> bodyPieces, postPieces;
  uint16_t usedByPost = 0; // input registers that post reads
  bool bodyNeeded = false; // something but post depends on the body
  bool usesIota[kDims] = {};
  uint16_t writtenRegs = 0; // by body or post
};

/// Bytes of a register element.
constexpr int64_t VTypeBytes(VType t) { return t == VType::I64 || t == VType::F64 ? 8 : 4; }

/// Register file of strips: reg[r] points at kStrip elements of 8 bytes, or at
/// stream memory that is read in place.
using VRegs = void *[kVRegs];

/// Runs steps over the first n elements; registers are readable and writable
/// up to n rounded up to 16.
void RunSteps(const VStep *steps, int64_t count, const VRegs &regs, int64_t n);

/// acc[i] = acc[i] op x[i], i < n (elementwise partials; not Arg*).
void ReduceInto(VReduce kind, VType type, void *acc, const void *x, int64_t n);
/// ReduceInto for `rows` rows of x, `step` bytes apart; row r goes to the
/// partials laneBytes·((first + r) mod 16) bytes on.
void ReduceRowsInto(VReduce kind, VType type, uint8_t *acc, int64_t laneBytes, int64_t first,
                    const uint8_t *x, int64_t step, int64_t rows, int64_t n);
/// p[i mod 16] = p[i mod 16] op x[i].
void ReduceLanes(VReduce kind, VType type, void *partials, const void *x, int64_t n);
/// *acc = *acc op x[0] op x[1] …
void ReduceSequential(VReduce kind, VType type, void *acc, const void *x, int64_t n);
/// The tree w = 8, 4, 2, 1 over 16 partials `stride` elements apart, for n
/// neighbours: result in partial 0.
void ReduceTree(VReduce kind, VType type, void *partials, int64_t stride, int64_t n);
/// Fills n elements with the identity of kind.
void ReduceIdentity(VReduce kind, VType type, void *acc, int64_t n);

/// Register rows from and to stream rows.
void LoadRow(KType from, VType to, const uint8_t *src, int64_t step, int64_t n, void *dst);
void StoreRow(VType from, KType to, const void *src, uint8_t *dst, int64_t step, int64_t n);
/// Out-of-bounds reads: pad_bits as a value of the register's type.
void FillPad(VType type, uint32_t padBits, int64_t n, void *dst);

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_VEC_COMPILED_H

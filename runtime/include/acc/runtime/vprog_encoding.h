//===- vprog_encoding.h - Vector programs as bytes ------------------------===//
//
// Little endian, all of it: 16 bytes {ins, outs, reductions, body steps, post
// steps, 0…}; 4 bytes an input {register, type, 0, 0}; 4 an output {register,
// phase 0 body | 1 post, type, 0}; 8 a reduction {source, destination, kind,
// order 0 sequential | 1 lanes, type, 0, 0, 0}; zeros up to a multiple of 16;
// then 16 bytes a step {op, dst, a, b, c, type, 0, 0, imm u64}. Codes are the
// enumerators of vprog.h.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_VPROG_ENCODING_H
#define ACC_RUNTIME_VPROG_ENCODING_H

#include "acc/runtime/vprog.h"

namespace accel::rt {

std::vector<uint8_t> EncodeVProg(const VProg &prog);
/// Checks the encoding; CompileVProg checks what it says.
absl::StatusOr<VProg> DecodeVProg(absl::Span<const uint8_t> bytes);

} // namespace accel::rt

#endif // ACC_RUNTIME_VPROG_ENCODING_H

//===- vprog_encoding.h - Vector programs between kernels and bytes -------===//
//
// The encoding is isa.h's (layouts ProgramHead to ProgramStep); codes are the
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

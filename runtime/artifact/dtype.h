//===- dtype.h - Element types by ISA code --------------------------------===//
#ifndef ACC_RUNTIME_ARTIFACT_DTYPE_H
#define ACC_RUNTIME_ARTIFACT_DTYPE_H

#include <cstdint>

namespace accel::rt {

/// Bits of one element in memory; 0 for an invalid code.
constexpr int DtypeBits(uint8_t code) {
  constexpr uint8_t bits[] = {0,  32, 16, 16, 64, 8, 8, 16, 16, 32, 32, 64,
                              64, 8,  8,  8,  8,  8, 4, 4,  4,  8,  2,  2};
  return code < sizeof(bits) ? bits[code] : 0;
}

} // namespace accel::rt

#endif // ACC_RUNTIME_ARTIFACT_DTYPE_H

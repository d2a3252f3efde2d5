//===- prefix.h - First 64 bytes of an artifact ---------------------------===//
#ifndef ACC_RUNTIME_ARTIFACT_PREFIX_H
#define ACC_RUNTIME_ARTIFACT_PREFIX_H

#include <cstdint>

namespace accel::rt {

constexpr char kMagic[8] = {'A', 'C', 'C', 'A', 'R', 'T', 'F', '1'};
constexpr uint64_t kSegmentAlignment = 4096;            // a page, so that maps need no copy
constexpr uint64_t kMaxHeaderBytes = uint64_t(1) << 30; // FlatBuffers end at 2 GiB

/// Little endian.
struct Prefix {
  char magic[8];
  uint64_t headerOffset, headerBytes, fileBytes;
  uint32_t version, headerCrc;
  uint8_t zero[24];
};
static_assert(sizeof(Prefix) == 64);

} // namespace accel::rt

#endif // ACC_RUNTIME_ARTIFACT_PREFIX_H

//===- checksum.h - Finding damaged bytes ---------------------------------===//
#ifndef ACC_RUNTIME_ARTIFACT_CHECKSUM_H
#define ACC_RUNTIME_ARTIFACT_CHECKSUM_H

#include <cstddef>
#include <cstdint>

namespace accel::rt {

/// CRC-32 (IEEE 802.3, reflected), as zip and png use it.
uint32_t Crc32(const void *data, size_t bytes);

/// Checksum64 of artifact.h in pieces: the sum does not depend on the cuts.
class ChecksumStream {
public:
  void Append(const void *data, size_t bytes);
  uint64_t Finish();

private:
  void Block(const uint8_t *p);
  uint64_t lane_[4] = {1, 2, 3, 4};
  uint64_t total_ = 0;
  uint8_t pending_[32];
  size_t pendingBytes_ = 0;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_ARTIFACT_CHECKSUM_H

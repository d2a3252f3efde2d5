//===- checksum.cc - Finding damaged bytes --------------------------------===//
//
// Checksum64: four lanes over 8-byte little-endian words, each step
// lane = rotl(lane ^ word, 29) · odd constant, which is a bijection of the lane
// for each word, so any single damaged word changes the sum. The last 32-byte
// block is padded with zeros; the length is mixed in.
//
//===----------------------------------------------------------------------===//
#include "checksum.h"
#include "acc/runtime/artifact.h"
#include <array>
#include <bit>
#include <cstring>

namespace accel::rt {
namespace {

constexpr uint64_t kOdd = 0x9E3779B97F4A7C15ull; // 2^64 / golden ratio

std::array<uint32_t, 256> CrcTable() {
  std::array<uint32_t, 256> table;
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit)
      c = (c >> 1) ^ ((c & 1) ? 0xEDB88320u : 0);
    table[i] = c;
  }
  return table;
}

uint64_t Mix(uint64_t x) {
  x ^= x >> 32;
  x *= kOdd;
  x ^= x >> 29;
  return x;
}

} // namespace

uint32_t Crc32(const void *data, size_t bytes) {
  static const std::array<uint32_t, 256> table = CrcTable();
  auto *p = static_cast<const uint8_t *>(data);
  uint32_t c = ~0u;
  for (size_t i = 0; i < bytes; ++i)
    c = (c >> 8) ^ table[(c ^ p[i]) & 0xFF];
  return ~c;
}

void ChecksumStream::Block(const uint8_t *p) {
  for (int i = 0; i < 4; ++i) {
    uint64_t w;
    std::memcpy(&w, p + 8 * i, 8);
    lane_[i] = std::rotl(lane_[i] ^ w, 29) * kOdd;
  }
}

void ChecksumStream::Append(const void *data, size_t bytes) {
  auto *p = static_cast<const uint8_t *>(data);
  total_ += bytes;
  if (pendingBytes_) {
    size_t take = std::min(bytes, sizeof(pending_) - pendingBytes_);
    std::memcpy(pending_ + pendingBytes_, p, take);
    pendingBytes_ += take;
    p += take;
    bytes -= take;
    if (pendingBytes_ < sizeof(pending_))
      return;
    Block(pending_);
    pendingBytes_ = 0;
  }
  for (; bytes >= 32; p += 32, bytes -= 32)
    Block(p);
  if (bytes)
    std::memcpy(pending_, p, bytes);
  pendingBytes_ = bytes;
}

uint64_t ChecksumStream::Finish() {
  if (pendingBytes_) {
    std::memset(pending_ + pendingBytes_, 0, sizeof(pending_) - pendingBytes_);
    Block(pending_);
  }
  uint64_t sum = Mix(total_);
  for (uint64_t lane : lane_)
    sum = Mix(sum ^ lane) + lane;
  return sum;
}

uint64_t Checksum64(const void *data, size_t bytes) {
  ChecksumStream s;
  s.Append(data, bytes);
  return s.Finish();
}

} // namespace accel::rt

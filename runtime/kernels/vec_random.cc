//===- vec_random.cc - Counter-based random numbers -----------------------===//
//
// Philox4x32-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", SC'11. A number depends on its own index alone,
// so that tiles of a tensor receive what the whole would.
//
//===----------------------------------------------------------------------===//
#include "acc/runtime/list_kernels.h"
#include "number_formats.h"
#include "point_walk.h"

namespace accel::rt {

void Philox(uint64_t key, uint64_t counterLow, uint64_t counterHigh, uint32_t out[4]) {
  constexpr uint64_t kMul0 = 0xD2511F53, kMul1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  uint32_t c0 = uint32_t(counterLow), c1 = uint32_t(counterLow >> 32);
  uint32_t c2 = uint32_t(counterHigh), c3 = uint32_t(counterHigh >> 32);
  uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = kMul0 * c0, p1 = kMul1 * c2;
    c0 = uint32_t(p1 >> 32) ^ c1 ^ k0;
    c1 = uint32_t(p1);
    c2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c3 = uint32_t(p0);
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

namespace {

/// Bits of a float's significand: so many random ones give a number below 1
/// that the type holds exactly.
int Significand(KType type) {
  switch (type) {
  case KType::F64:
    return 53;
  case KType::F32:
    return 24;
  case KType::F16:
    return 11;
  case KType::BF16:
    return 8;
  case KType::F8E4M3FN:
  case KType::F8E4M3FNUZ:
    return 4;
  default:
    return 3; // f8e5m2
  }
}

} // namespace

void ExecRandom(const RandomOp &op) {
  for (int64_t n : op.size)
    if (n <= 0)
      return;
  const KType type = op.dst.type;
  const int64_t bytes = KTypeBytes(type);
  const uint64_t key = op.hasSeed ? LoadBits(op.seed.mem + op.seed.base, 8) : op.key;
  const bool isFloat = IsFloat(type), isWide = bytes == 8;
  const int p = isFloat ? Significand(type) : 0;
  const uint64_t perBlock = isWide ? 2 : 4;
  uint32_t word[4] = {};
  uint64_t g = uint64_t(op.first), block = ~uint64_t(0);
  int64_t index[kDims] = {};
  do {
    if (g / perBlock != block) {
      block = g / perBlock;
      Philox(key, block, 0, word);
    }
    const uint64_t at = g % perBlock;
    uint64_t bits = isWide ? word[2 * at] | uint64_t(word[2 * at + 1]) << 32 : word[at];
    if (type == KType::F64)
      bits = std::bit_cast<uint64_t>(std::ldexp(double(bits >> (64 - p)), -p));
    else if (isFloat)
      bits = EncodeF32(type, std::ldexp(float(bits >> (32 - p)), -p));
    else if (type == KType::Bool)
      bits &= 1;
    StoreBits(op.dst.mem + AddressOf(op.dst, index, kDims), bits, bytes);
    ++g;
  } while (NextPoint(op.size, kDims, index));
}

} // namespace accel::rt

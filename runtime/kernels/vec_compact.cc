//===- vec_compact.cc - Elements whose flag is set ------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/list_kernels.h"
#include "number_formats.h"
#include "point_walk.h"

namespace accel::rt {

int64_t PointAddress(const KStream &s, const int64_t size[kDims], int64_t n) {
  int64_t at = s.base;
  for (int d = kDims - 1; d >= 0; --d) {
    at += n % size[d] * s.stride[d];
    n /= size[d];
  }
  return at;
}

std::vector<int64_t> SetPoints(const CompactOp &op) {
  std::vector<int64_t> set;
  for (int64_t n : op.size)
    if (n <= 0)
      return set;
  const KType type = op.flags.type;
  const int64_t bytes = KTypeBytes(type);
  int64_t index[kDims] = {}, number = 0;
  do {
    const uint64_t bits = LoadBits(op.flags.mem + AddressOf(op.flags, index, kDims), bytes);
    const bool isSet = type == KType::F64 ? std::bit_cast<double>(bits) != 0
                       : IsFloat(type)    ? DecodeF32(type, bits) != 0
                                          : bits != 0;
    if (isSet)
      set.push_back(number);
    ++number;
  } while (NextPoint(op.size, kDims, index));
  return set;
}

absl::Status ExecCompact(const CompactOp &op) {
  const std::vector<int64_t> set = SetPoints(op);
  const int64_t count = int64_t(set.size());
  if (count > op.room - op.present)
    return absl::OutOfRangeError(absl::StrCat("more elements are set than kept has room for: ",
                                              op.present, " + ", count, ", its room is ", op.room));
  const int64_t bytes = KTypeBytes(op.kept.type);
  int64_t to = op.kept.base + op.present * op.kept.stride[5];
  for (int64_t number : set) {
    const uint64_t bits = op.positions
                              ? uint64_t(number) + uint64_t(op.first)
                              : LoadBits(op.src.mem + PointAddress(op.src, op.size, number), bytes);
    StoreBits(op.kept.mem + to, bits, bytes);
    to += op.kept.stride[5];
  }
  StoreBits(op.count.mem + op.count.base, uint64_t(op.present + count), KTypeBytes(op.count.type));
  return absl::OkStatus();
}

} // namespace accel::rt

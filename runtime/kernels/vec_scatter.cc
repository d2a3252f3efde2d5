//===- vec_scatter.cc - Ordered scatter-reduce ----------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/list_kernels.h"
#include "number_formats.h"
#include "point_walk.h"
#include <cstring>

namespace accel::rt {

int64_t ListEntry(const KStream &list, int64_t n) {
  const uint8_t *at = list.mem + list.base + n * list.stride[0];
  if (list.type == KType::I32)
    return int32_t(LoadBits(at, 4));
  return int64_t(LoadBits(at, 8));
}

absl::StatusOr<int64_t> ScatterRow(const ScatterOp &op, int64_t n) {
  const int64_t listed = ListEntry(op.index, n);
  int64_t row;
  const bool fits = !__builtin_sub_overflow(listed, op.first, &row);
  if (fits && !op.skip && row < 0)
    row += op.rows;
  if (fits && row >= 0 && row < op.rows)
    return row;
  if (op.skip)
    return -1;
  return absl::OutOfRangeError(absl::StrCat("index out of range: index ", n, " is ", listed,
                                            ", must be in ", op.first - op.rows, "..",
                                            op.first + op.rows - 1));
}

namespace {

/// As the vector steps of these names.
template <class T> T Joined(Combine how, T a, T b) {
  switch (how) {
  case Combine::Add:
    return a + b;
  case Combine::Mul:
    return a * b;
  case Combine::Min:
  case Combine::Max: {
    if (a != a || b != b)
      return std::numeric_limits<T>::quiet_NaN();
    const bool less = a < b || (a == b && std::signbit(a) && !std::signbit(b));
    return less == (how == Combine::Min) ? a : b;
  }
  default:
    return b;
  }
}

uint64_t JoinedInt(Combine how, KType type, uint64_t a, uint64_t b) {
  const int64_t x = DecodeInt(type, a), y = DecodeInt(type, b);
  const bool less = type == KType::U64 ? a < b : x < y;
  uint64_t v;
  switch (how) {
  case Combine::Add:
    v = uint64_t(x) + uint64_t(y);
    break;
  case Combine::Mul:
    v = uint64_t(x) * uint64_t(y);
    break;
  case Combine::Min:
    v = less ? a : b;
    break;
  default:
    v = less ? b : a;
    break;
  }
  return type == KType::Bool ? v != 0 : v;
}

uint64_t CombineBits(Combine how, KType type, uint64_t dst, uint64_t src) {
  if (how == Combine::Set)
    return src;
  if (!IsFloat(type))
    return JoinedInt(how, type, dst, src);
  if (type == KType::F64)
    return std::bit_cast<uint64_t>(
        CanonicalF64(Joined(how, std::bit_cast<double>(dst), std::bit_cast<double>(src))));
  return EncodeF32(type, Joined(how, DecodeF32(type, dst), DecodeF32(type, src)));
}

} // namespace

absl::Status ExecScatter(const ScatterOp &op) {
  for (int64_t n : op.size)
    if (n <= 0)
      return absl::OkStatus();
  for (int64_t n = 0; n < op.size[0]; ++n)
    if (absl::StatusOr<int64_t> row = ScatterRow(op, n); !row.ok())
      return row.status();
  const KType type = op.dst.type;
  const int64_t bytes = KTypeBytes(type);
  for (int64_t n = 0; n < op.size[0]; ++n) {
    const int64_t row = *ScatterRow(op, n);
    if (row < 0)
      continue;
    int64_t from[kDims] = {n}, to[kDims] = {row};
    do {
      std::copy(from + 1, from + kDims, to + 1);
      uint8_t *dst = op.dst.mem + AddressOf(op.dst, to, kDims);
      const uint64_t src = LoadBits(op.src.mem + AddressOf(op.src, from, kDims), bytes);
      StoreBits(dst, CombineBits(op.combine, type, LoadBits(dst, bytes), src), bytes);
    } while (NextPoint(op.size + 1, kDims - 1, from + 1));
  }
  return absl::OkStatus();
}

} // namespace accel::rt

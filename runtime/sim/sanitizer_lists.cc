//===- sanitizer_lists.cc - Sort, compact, scatter, random ----------------===//
//
// What these instructions touch depends on values: a merge stops somewhere, a
// compaction keeps some elements, a scatter goes where its list says. Reads are
// recorded before execution, writes after it, both to the byte.
//
//===----------------------------------------------------------------------===//
#include "acc/runtime/status_macros.h"
#include "sanitizer.h"
#include <cstring>

namespace accel::rt {

/// `count` elements of a stream, stride[5] apart from `address` on.
absl::Status Sanitizer::Elements(const LiveOp &op, int index, int64_t address, int64_t count,
                                 bool write) {
  if (count <= 0)
    return absl::OkStatus();
  int64_t size[kDims] = {1, 1, 1, 1, 1, count};
  KStream k = *op.stream[index];
  k.base = address;
  return Stream(op.code->stream[index], k, size, index, write);
}

absl::Status Sanitizer::ReadLists(const LiveOp &op) {
  const EngineCode &c = *op.code;
  for (int out = 0; out < c.streams; ++out)
    for (int other = 0; other < c.streams; ++other)
      if (c.stream[out].write && (!c.stream[other].write || other > out))
        ACC_RETURN_IF_ERROR(CheckOverlap(op, out, other));
  if (op.sort)
    return ReadSort(op);
  if (op.compact) {
    ACC_RETURN_IF_ERROR(Whole(op, 2, false));
    if (!op.compact->positions)
      for (int64_t point : SetPoints(*op.compact))
        ACC_RETURN_IF_ERROR(
            Elements(op, 3, PointAddress(op.compact->src, op.size, point), 1, false));
    return absl::OkStatus();
  }
  if (op.scatter) {
    ACC_RETURN_IF_ERROR(Whole(op, 2, false));
    return Scattered(op);
  }
  return op.random->hasSeed ? Whole(op, 1, false) : absl::OkStatus();
}

absl::Status Sanitizer::Results(const LiveOp &op) {
  if (op.sort)
    return WroteSort(op);
  if (op.random)
    return Whole(op, 0, true);
  if (!op.compact)
    return absl::OkStatus();
  ACC_RETURN_IF_ERROR(Whole(op, 1, true));
  const KStream &kept = op.compact->kept;
  const int64_t count = int64_t(SetPoints(*op.compact).size());
  return Elements(op, 0, kept.base + op.compact->present * kept.stride[5], count, true);
}

/// Source rows as they are read, destination rows as they are read and written.
absl::Status Sanitizer::Scattered(const LiveOp &op) {
  int64_t size[kDims];
  std::memcpy(size, op.size, sizeof(size));
  size[0] = 1;
  for (int64_t n = 0; n < op.size[0]; ++n) {
    absl::StatusOr<int64_t> row = ScatterRow(*op.scatter, n);
    if (!row.ok())
      return absl::OkStatus(); // the kernel names the index
    if (*row < 0)
      continue;
    KStream src = op.scatter->src, dst = op.scatter->dst;
    src.base += n * src.stride[0];
    dst.base += *row * dst.stride[0];
    ACC_RETURN_IF_ERROR(Stream(op.code->stream[1], src, size, 1, false));
    if (op.scatter->combine != Combine::Set)
      ACC_RETURN_IF_ERROR(Stream(op.code->stream[0], dst, size, 0, false));
    ACC_RETURN_IF_ERROR(Stream(op.code->stream[0], dst, size, 0, true));
  }
  return absl::OkStatus();
}

absl::Status Sanitizer::ReadSort(const LiveOp &op) {
  const SortOp &s = *op.sort;
  if (!s.merge) {
    ACC_RETURN_IF_ERROR(Whole(op, 2, false));
    return s.hasIndices ? Whole(op, 3, false) : absl::OkStatus();
  }
  int64_t size[kDims];
  std::memcpy(size, op.size, sizeof(size));
  size[4] = 1;
  for (int stream : {2, 3})
    for (int run = 0; run < 2; ++run) {
      size[5] = s.run[run];
      KStream k = *op.stream[stream];
      k.base += run * k.stride[4];
      if (size[5])
        ACC_RETURN_IF_ERROR(Stream(op.code->stream[stream], k, size, stream, false));
    }
  return absl::OkStatus();
}

absl::Status Sanitizer::WroteSort(const LiveOp &op) {
  const SortOp &s = *op.sort;
  int64_t size[kDims];
  std::memcpy(size, op.size, sizeof(size));
  if (!s.stopEarly) {
    size[4] = s.merge ? 1 : size[4];
    size[5] = s.Stored();
    for (int i : {0, 1})
      if (size[5])
        ACC_RETURN_IF_ERROR(Stream(op.code->stream[i], *op.stream[i], size, i, true));
    return absl::OkStatus();
  }
  ACC_RETURN_IF_ERROR(Whole(op, 4, true));
  int64_t rows = size[0] * size[1] * size[2] * size[3];
  size[4] = size[5] = 1; // PointAddress: the row's first element
  for (int64_t row = 0; row < rows; ++row) {
    int64_t stored = 0;
    for (int run = 0; run < 2; ++run) {
      int64_t taken;
      std::memcpy(&taken, s.taken.mem + PointAddress(s.taken, size, row) + run * s.taken.stride[4],
                  8);
      stored += taken;
    }
    for (int i : {0, 1})
      ACC_RETURN_IF_ERROR(Elements(op, i, PointAddress(*op.stream[i], size, row), stored, true));
  }
  return absl::OkStatus();
}

} // namespace accel::rt

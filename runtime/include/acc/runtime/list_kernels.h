//===- list_kernels.h - Kernels whose results depend on values ------------===//
//
// Sorting, compaction, scatter and random numbers (VEC_SORT, VEC_COMPACT,
// VEC_SCATTER, VEC_RANDOM). As in kernels.h registers are resolved and every
// access that the bounds allow is inside; indices are checked here.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_LIST_KERNELS_H
#define ACC_RUNTIME_LIST_KERNELS_H

#include "acc/runtime/kernels.h"

namespace accel::rt {

/// Rows are dimensions 0 to 4 (merge: 0 to 3), elements dimension 5.
struct SortOp {
  int64_t size[kDims] = {1, 1, 1, 1, 1, 1};
  KStream values, indices, src, srcIndices, taken;
  bool hasIndices = false; // srcIndices is a stream
  bool descending = false, merge = false, nanLast = false;
  bool stopEarly = false;          // merge: when a run is used up; writes `taken`
  int64_t run[2] = {};             // merge: lengths
  int64_t most = int64_t(1) << 62; // elements of a row that are stored

  /// Elements of a row: what is sorted, and what is stored at most.
  int64_t Length() const { return merge ? run[0] + run[1] : size[5]; }
  int64_t Stored() const { return Length() < most ? Length() : most; }
};
void ExecSort(const SortOp &op, ThreadPool &pool);

struct CompactOp {
  int64_t size[kDims] = {1, 1, 1, 1, 1, 1};
  KStream kept, count, flags, src;
  bool positions = false; // of the points, `first` added, instead of src's elements
  int64_t present = 0;    // elements that kept has already
  int64_t room = 0;       // elements that kept can hold
  int64_t first = 0;
};
/// Fails if kept is too small (kOutOfRange; nothing is written then).
absl::Status ExecCompact(const CompactOp &op);
/// Running numbers of the points whose flag is set.
std::vector<int64_t> SetPoints(const CompactOp &op);

enum class Combine : uint8_t { Set = 0, Add, Mul, Min, Max };
struct ScatterOp {
  int64_t size[kDims] = {1, 1, 1, 1, 1, 1};
  KStream dst, src, index;
  Combine combine = Combine::Set;
  int64_t rows = 0;  // of dst
  int64_t first = 0; // row that dst begins with
  bool skip = false; // indices outside do nothing; else an error
};
/// Row of dst for entry n, or −1 where it is skipped; kOutOfRange outside.
absl::StatusOr<int64_t> ScatterRow(const ScatterOp &op, int64_t n);
/// Fails only on an index out of range (nothing is written then).
absl::Status ExecScatter(const ScatterOp &op);

struct RandomOp {
  int64_t size[kDims] = {1, 1, 1, 1, 1, 1};
  KStream dst, seed;
  bool hasSeed = false;
  uint64_t key = 0;  // without a seed
  int64_t first = 0; // number of the first element
};
void ExecRandom(const RandomOp &op);

/// Four words of Philox4x32-10 (Salmon et al., SC'11).
void Philox(uint64_t key, uint64_t counterLow, uint64_t counterHigh, uint32_t out[4]);

/// Byte address of the point with running number n; for streams without a
/// window.
int64_t PointAddress(const KStream &s, const int64_t size[kDims], int64_t n);

/// Entry n of a list of i32 or i64 along dimension 0.
int64_t ListEntry(const KStream &list, int64_t n);

} // namespace accel::rt

#endif // ACC_RUNTIME_LIST_KERNELS_H

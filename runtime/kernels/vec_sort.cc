//===- vec_sort.cc - Stable sort, top-k and merge of rows -----------------===//
//
// Every element becomes a key, an unsigned number that is ascending in the
// order asked for, and a row is sorted by (key, position): that is stable, and
// a partial sort of it is a top-k with ties by position.
//
//===----------------------------------------------------------------------===//
#include "acc/runtime/list_kernels.h"
#include "number_formats.h"
#include "point_walk.h"
#include <algorithm>
#include <vector>

namespace accel::rt {
namespace {

struct Key {
  uint64_t value;
  int64_t at;
  bool operator<(const Key &o) const { return value != o.value ? value < o.value : at < o.at; }
};

/// NaN are equal to each other and, in ascending order, behind all numbers; −0
/// is 0.
uint64_t KeyOf(const SortOp &op, KType type, uint64_t bits) {
  constexpr uint64_t sign = uint64_t(1) << 63;
  uint64_t key;
  if (IsFloat(type)) {
    const double v = std::bit_cast<double>(ConvertBits(type, KType::F64, bits));
    if (v != v)
      return op.descending && !op.nanLast ? 0 : ~uint64_t(0);
    const uint64_t b = std::bit_cast<uint64_t>(v + 0.0); // −0 + 0 is 0
    key = b & sign ? ~b : b | sign;
  } else if (type == KType::U64) {
    key = bits;
  } else {
    key = uint64_t(DecodeInt(type, bits)) ^ sign;
  }
  return op.descending ? ~key : key;
}

class Rows {
public:
  explicit Rows(const SortOp &op)
      : op_(op), dims_(op.merge ? 4 : 5), bytes_(KTypeBytes(op.src.type)),
        indexBytes_(KTypeBytes(op.indices.type)) {
    for (int d = 0; d < dims_; ++d)
      count_ *= op.size[d];
  }
  int64_t count() const { return count_; }

  void Run(int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      int64_t rest = row;
      for (int d = dims_ - 1; d >= 0; --d) {
        index_[d] = rest % op_.size[d];
        rest /= op_.size[d];
      }
      op_.merge ? Merge() : Sort();
    }
  }

private:
  uint64_t KeyAt(int64_t address) const {
    return KeyOf(op_, op_.src.type, LoadBits(op_.src.mem + address, bytes_));
  }

  /// `run` and `i` say where the element stands in its row.
  void Take(int64_t run, int64_t i, int64_t position) {
    const int64_t from =
        AddressOf(op_.src, index_, dims_) + run * op_.src.stride[4] + i * op_.src.stride[5];
    const int64_t to = AddressOf(op_.values, index_, dims_) + position * op_.values.stride[5];
    std::memcpy(op_.values.mem + to, op_.src.mem + from, size_t(bytes_));
    uint64_t came = uint64_t(i);
    if (op_.hasIndices)
      came = LoadBits(op_.srcIndices.mem + AddressOf(op_.srcIndices, index_, dims_) +
                          run * op_.srcIndices.stride[4] + i * op_.srcIndices.stride[5],
                      indexBytes_);
    StoreBits(op_.indices.mem + AddressOf(op_.indices, index_, dims_) +
                  position * op_.indices.stride[5],
              came, indexBytes_);
  }

  void Sort() {
    const int64_t n = op_.size[5], base = AddressOf(op_.src, index_, dims_);
    keys_.resize(size_t(n));
    for (int64_t i = 0; i < n; ++i)
      keys_[size_t(i)] = {KeyAt(base + i * op_.src.stride[5]), i};
    const int64_t stored = op_.Stored();
    if (stored < n / 4)
      std::partial_sort(keys_.begin(), keys_.begin() + stored, keys_.end());
    else
      std::sort(keys_.begin(), keys_.end());
    for (int64_t i = 0; i < stored; ++i)
      Take(0, keys_[size_t(i)].at, i); // the strides of dimension 4 are in index_
  }

  void Merge() {
    const int64_t base = AddressOf(op_.src, index_, dims_);
    int64_t at[2] = {}, stored = op_.Stored();
    auto key = [&](int r) {
      return KeyAt(base + r * op_.src.stride[4] + at[r] * op_.src.stride[5]);
    };
    for (int64_t i = 0; i < stored; ++i) {
      const bool used[2] = {at[0] == op_.run[0], at[1] == op_.run[1]};
      if (op_.stopEarly && (used[0] || used[1]))
        break;
      const int r = used[0] || (!used[1] && key(1) < key(0)) ? 1 : 0;
      Take(r, at[r], i);
      ++at[r];
    }
    if (!op_.stopEarly)
      return;
    const int64_t to = AddressOf(op_.taken, index_, dims_);
    for (int r = 0; r < 2; ++r)
      StoreBits(op_.taken.mem + to + r * op_.taken.stride[4], uint64_t(at[r]), 8);
  }

  const SortOp &op_;
  const int dims_;
  const int64_t bytes_, indexBytes_;
  int64_t count_ = 1;
  int64_t index_[kDims] = {};
  std::vector<Key> keys_;
};

/// Elements below which one thread does it all.
constexpr int64_t kInlineElements = 4096;

} // namespace

void ExecSort(const SortOp &op, ThreadPool &pool) {
  for (int64_t n : op.size)
    if (n <= 0)
      return;
  const int64_t rows = Rows(op).count();
  const int parts =
      rows * op.size[5] < kInlineElements ? 1 : int(std::min<int64_t>(pool.threads(), rows));
  pool.Run(parts, [&](int part) {
    const PartRange r = CutRange(rows, 1, part, parts);
    Rows(op).Run(r.begin, r.end);
  });
}

} // namespace accel::rt

//===- index_list.cc - Entries of a gather or scatter list ----------------===//
#include "index_list.h"
#include "absl/strings/str_cat.h"
#include <cstring>

namespace accel::rt {

absl::StatusOr<int64_t> ReadIndex(const DmaOp &op, int64_t n) {
  const KStream &list = op.index;
  const uint8_t *at = list.mem + list.base + n * list.stride[0];
  int64_t v;
  if (list.type == KType::I32) {
    int32_t narrow;
    std::memcpy(&narrow, at, 4);
    v = narrow;
  } else {
    std::memcpy(&v, at, 8);
  }
  int64_t bound = op.indexBound, wrapped = v < 0 ? v + bound : v;
  if (wrapped < 0 || wrapped >= bound)
    return absl::OutOfRangeError(absl::StrCat("index out of range: index ", n, " is ", v,
                                              ", must be in ", -bound, "..", bound - 1));
  return wrapped;
}

} // namespace accel::rt

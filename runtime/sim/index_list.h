//===- index_list.h - Entries of a gather or scatter list -----------------===//
#ifndef ACC_RUNTIME_SIM_INDEX_LIST_H
#define ACC_RUNTIME_SIM_INDEX_LIST_H

#include "absl/status/statusor.h"
#include "acc/runtime/kernels.h"

namespace accel::rt {

/// Entry n of the list, counted from the front; fails if it is out of range.
/// The list's box must have been checked.
absl::StatusOr<int64_t> ReadIndex(const DmaOp &op, int64_t n);

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_INDEX_LIST_H

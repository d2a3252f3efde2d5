//===- scratch.h - Aligned buffers that a thread keeps between calls ------===//
#ifndef ACC_RUNTIME_KERNELS_SCRATCH_H
#define ACC_RUNTIME_KERNELS_SCRATCH_H

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace accel::rt {

/// Grow-only, 64-byte aligned, contents undefined after growth unless zeroed.
class Scratch {
public:
  ~Scratch() { std::free(data_); }
  /// At least `bytes` bytes; `zeroed` keeps every byte zero (for buffers that
  /// nobody writes).
  void *Get(int64_t bytes, bool zeroed = false) {
    if (bytes > bytes_) {
      std::free(data_);
      bytes_ = (bytes + bytes / 4 + 63) / 64 * 64;
      data_ = std::aligned_alloc(64, size_t(bytes_));
      if (zeroed)
        std::memset(data_, 0, size_t(bytes_));
    }
    return data_;
  }

private:
  void *data_ = nullptr;
  int64_t bytes_ = 0;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_SCRATCH_H

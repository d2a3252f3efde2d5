//===- byte_output.h - Where an artifact is written -----------------------===//
#ifndef ACC_RUNTIME_BYTE_OUTPUT_H
#define ACC_RUNTIME_BYTE_OUTPUT_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace accel::rt {

/// Appends bytes; `Patch` overwrites earlier ones; `Commit` makes them visible
/// under their name at once. Destroyed without Commit, nothing remains.
class ByteOutput {
public:
  virtual ~ByteOutput() = default;
  virtual absl::Status Append(const void *data, size_t bytes) = 0;
  virtual absl::Status Patch(uint64_t offset, const void *data, size_t bytes) = 0;
  /// What was appended is on the disk, but has no name yet.
  virtual absl::Status Sync() { return absl::OkStatus(); }
  virtual absl::Status Commit() = 0;
  uint64_t position() const { return position_; }
  /// Zeros up to a multiple of `alignment`.
  absl::Status Align(uint64_t alignment);
  absl::Status Zeros(uint64_t bytes);

protected:
  uint64_t position_ = 0;
};

std::unique_ptr<ByteOutput> StringOutput(std::string &out);

/// A file that has no name before Commit where the file system can do that
/// (O_TMPFILE), so that even a killed process leaves nothing behind.
absl::StatusOr<std::unique_ptr<ByteOutput>> FileOutput(const std::string &path);

} // namespace accel::rt

#endif // ACC_RUNTIME_BYTE_OUTPUT_H

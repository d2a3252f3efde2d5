//===- memory.h - Memories of the simulated machine -----------------------===//
#ifndef ACC_RUNTIME_SIM_MEMORY_H
#define ACC_RUNTIME_SIM_MEMORY_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "acc/runtime/artifact.h"
#include <memory>
#include <vector>

namespace accel::rt {

/// Zeroed pages that cost nothing until they are touched, between two guard
/// pages: a kernel that leaves its memory stops at once and reads nothing of
/// another. Under AddressSanitizer the rest of the last page is guarded too.
class Pages {
public:
  Pages() = default;
  ~Pages();
  Pages(Pages &&other) noexcept;
  Pages &operator=(Pages &&other) noexcept;
  static absl::StatusOr<Pages> Allocate(int64_t bytes, const std::string &what);
  uint8_t *data() const { return data_; }
  int64_t size() const { return size_; }
  /// Back to zeros.
  void Clear();

private:
  uint8_t *data_ = nullptr;
  int64_t size_ = 0;
  void *mapped_ = nullptr; // data_ may begin inside
  int64_t mappedBytes_ = 0;
};

/// Content of the regions that programs only read from the artifact: mapped
/// where it lies in one piece, assembled otherwise. Shared by simulators.
class ConstantRegions {
public:
  static absl::StatusOr<std::shared_ptr<const ConstantRegions>> Create(const Artifact &artifact);
  /// Null for regions of other kinds.
  const uint8_t *data(uint8_t region) const { return data_[region]; }
  /// Whether no file of them shrank since.
  absl::Status Check() const;

private:
  absl::Status Add(const Artifact &artifact, const RegionInfo &region);
  absl::StatusOr<const uint8_t *> External(const Artifact &artifact, const ExternalRange &e);

  const uint8_t *data_[256] = {};
  std::vector<Pages> pages_;
  std::vector<std::pair<std::string, std::shared_ptr<FileBytes>>> files_;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_MEMORY_H

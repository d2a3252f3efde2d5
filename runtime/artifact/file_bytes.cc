//===- file_bytes.cc - Files mapped into memory ---------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/artifact.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace accel::rt {
namespace {

class MappedFile : public FileBytes {
public:
  MappedFile(void *p, size_t n) {
    data_ = static_cast<const uint8_t *>(p);
    size_ = n;
  }
  ~MappedFile() override {
    if (size_)
      munmap(const_cast<uint8_t *>(data_), size_);
  }
};

/// A copy that starts at a 64-byte boundary, as a map does.
class CopiedBytes : public FileBytes {
public:
  explicit CopiedBytes(absl::Span<const uint8_t> bytes) : copy_(bytes.size() + 64) {
    size_t skew = (64 - reinterpret_cast<uintptr_t>(copy_.data()) % 64) % 64;
    if (!bytes.empty())
      std::memcpy(copy_.data() + skew, bytes.data(), bytes.size());
    data_ = copy_.data() + skew;
    size_ = bytes.size();
  }

private:
  std::vector<uint8_t> copy_;
};

} // namespace

absl::StatusOr<std::shared_ptr<FileBytes>> FileBytes::Map(const std::string &path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return absl::Status(errno == ENOENT ? absl::StatusCode::kNotFound
                                        : absl::StatusCode::kPermissionDenied,
                        absl::StrCat(path, ": cannot open: ", std::strerror(errno)));
  struct stat st;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    close(fd);
    return absl::InvalidArgumentError(absl::StrCat(path, ": is not a regular file"));
  }
  void *p = nullptr;
  if (st.st_size > 0)
    p = mmap(nullptr, size_t(st.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  int error = errno;
  close(fd);
  if (p == MAP_FAILED)
    return absl::ResourceExhaustedError(absl::StrCat(path, ": cannot map: ", std::strerror(error)));
  return std::shared_ptr<FileBytes>(std::make_shared<MappedFile>(p, size_t(st.st_size)));
}

std::shared_ptr<FileBytes> FileBytes::Copy(absl::Span<const uint8_t> bytes) {
  return std::make_shared<CopiedBytes>(bytes);
}

} // namespace accel::rt

//===- file_bytes.cc - Files mapped into memory ---------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/artifact.h"
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace accel::rt {
namespace {

//===-- Files that shrink -------------------------------------------------===//
//
// A read beyond the new end of a mapped file raises SIGBUS. The handler puts a
// page of zeros there, so that every thread goes on, and whoever uses the file
// asks Check() before it trusts what was computed.

struct Mapping {
  std::atomic<uintptr_t> begin{0}, end{0};
};
/// Maps beyond these are read into memory instead.
constexpr size_t kMappings = 256;
Mapping mappings[kMappings];
struct sigaction previous;

void OnBusError(int signal, siginfo_t *info, void *context) {
  const int savedErrno = errno;
  const uintptr_t at = reinterpret_cast<uintptr_t>(info->si_addr);
  const uintptr_t page = uintptr_t(sysconf(_SC_PAGESIZE));
  for (const Mapping &m : mappings) {
    if (at < m.begin.load(std::memory_order_acquire) || at >= m.end.load(std::memory_order_acquire))
      continue;
    void *whole = reinterpret_cast<void *>(at & ~(page - 1));
    if (mmap(whole, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
      break;
    errno = savedErrno;
    return;
  }
  errno = savedErrno;
  if (previous.sa_flags & SA_SIGINFO)
    return previous.sa_sigaction(signal, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
    return previous.sa_handler(signal);
  sigaction(SIGBUS, &previous, nullptr); // the access is repeated, and ends as ever
}

void TakeBusErrors() {
  struct sigaction own = {};
  own.sa_sigaction = OnBusError;
  own.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&own.sa_mask);
  sigaction(SIGBUS, &own, &previous);
}

/// A place for a new map, or null.
Mapping *Claim(uintptr_t begin, uintptr_t end) {
  static std::once_flag once;
  std::call_once(once, TakeBusErrors);
  for (Mapping &m : mappings) {
    uintptr_t none = 0;
    if (m.end.load(std::memory_order_relaxed) == 0 &&
        m.begin.compare_exchange_strong(none, begin)) {
      m.end.store(end, std::memory_order_release);
      return &m;
    }
  }
  return nullptr;
}

class MappedFile : public FileBytes {
public:
  MappedFile(std::string path, int fd, void *p, size_t n, Mapping *mapping)
      : path_(std::move(path)), fd_(fd), mapping_(mapping) {
    data_ = static_cast<const uint8_t *>(p);
    size_ = n;
  }
  ~MappedFile() override {
    if (mapping_) {
      munmap(const_cast<uint8_t *>(data_), size_);
      mapping_->end.store(0, std::memory_order_release);
      mapping_->begin.store(0, std::memory_order_release);
    }
    close(fd_);
  }
  absl::Status Check() const override {
    struct stat st;
    if (fstat(fd_, &st) == 0 && uint64_t(st.st_size) >= size_)
      return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(path_, ": the file shrank from ", size_, " to ",
                                            int64_t(st.st_size), " bytes while it was read"));
  }

private:
  std::string path_;
  int fd_;
  Mapping *mapping_;
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

absl::StatusOr<std::shared_ptr<FileBytes>> ReadWhole(const std::string &path, int fd, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t at = 0; at < size;) {
    ssize_t n = pread(fd, bytes.data() + at, size - at, off_t(at));
    if (n <= 0 && errno != EINTR)
      return absl::DataLossError(
          absl::StrCat(path, ": cannot read: ", n ? std::strerror(errno) : "the file shrank"));
    at += size_t(std::max<ssize_t>(n, 0));
  }
  return FileBytes::Copy(bytes);
}

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
  const size_t size = size_t(st.st_size);
  void *p = nullptr;
  Mapping *mapping = nullptr;
  if (size > 0) {
    p = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
      const int error = errno;
      close(fd);
      return absl::ResourceExhaustedError(
          absl::StrCat(path, ": cannot map: ", std::strerror(error)));
    }
    mapping = Claim(reinterpret_cast<uintptr_t>(p), reinterpret_cast<uintptr_t>(p) + size);
  }
  if (size > 0 && !mapping) {
    munmap(p, size);
    absl::StatusOr<std::shared_ptr<FileBytes>> copy = ReadWhole(path, fd, size);
    close(fd);
    return copy;
  }
  return std::shared_ptr<FileBytes>(std::make_shared<MappedFile>(path, fd, p, size, mapping));
}

std::shared_ptr<FileBytes> FileBytes::Copy(absl::Span<const uint8_t> bytes) {
  return std::make_shared<CopiedBytes>(bytes);
}

} // namespace accel::rt

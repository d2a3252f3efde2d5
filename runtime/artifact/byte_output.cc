//===- byte_output.cc - Where an artifact is written ----------------------===//
#include "acc/runtime/byte_output.h"
#include "absl/strings/str_cat.h"
#include "acc/runtime/files.h"
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace accel::rt {

absl::Status ByteOutput::Zeros(uint64_t bytes) {
  static const char zeros[4096] = {};
  while (bytes) {
    size_t n = std::min<uint64_t>(bytes, sizeof(zeros));
    if (absl::Status s = Append(zeros, n); !s.ok())
      return s;
    bytes -= n;
  }
  return absl::OkStatus();
}

absl::Status ByteOutput::Align(uint64_t alignment) {
  return Zeros((alignment - position_ % alignment) % alignment);
}

namespace {

class ToString : public ByteOutput {
public:
  explicit ToString(std::string &out) : out_(out) {}
  absl::Status Append(const void *data, size_t bytes) override {
    out_.append(static_cast<const char *>(data), bytes);
    position_ += bytes;
    return absl::OkStatus();
  }
  absl::Status Patch(uint64_t offset, const void *data, size_t bytes) override {
    std::memcpy(out_.data() + offset, data, bytes);
    return absl::OkStatus();
  }
  absl::Status Commit() override { return absl::OkStatus(); }

private:
  std::string &out_;
};

class ToFile : public ByteOutput {
public:
  explicit ToFile(std::string path) : path_(std::move(path)) {}
  ~ToFile() override {
    if (fd_ >= 0)
      close(fd_);
    if (!temporary_.empty())
      unlink(temporary_.c_str());
  }

  absl::Status Open() {
    struct stat st;
    if (stat(path_.c_str(), &st) == 0) {
      if (S_ISDIR(st.st_mode))
        return absl::InvalidArgumentError(absl::StrCat(path_, ": is a directory"));
      if (!S_ISREG(st.st_mode)) { // a device: written directly at the end
        device_ = true;
        fd_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
        return fd_ >= 0 ? absl::OkStatus() : Error("open");
      }
      if (char *real = realpath(path_.c_str(), nullptr)) { // keep symbolic links
        path_ = real;
        free(real);
      }
    }
    size_t slash = path_.rfind('/');
    std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    fd_ = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (fd_ < 0 && errno != ENOENT && errno != EACCES && errno != ENOSPC && errno != EROFS) {
      temporary_ = TemporaryName();
      fd_ = open(temporary_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    }
    if (fd_ < 0) {
      temporary_.clear();
      return Error("create");
    }
    buffer_.reserve(kBuffer);
    return absl::OkStatus();
  }

  absl::Status Append(const void *data, size_t bytes) override {
    position_ += bytes;
    auto *p = static_cast<const uint8_t *>(data);
    if (!device_ && buffer_.size() + bytes > kBuffer)
      if (absl::Status s = Flush(); !s.ok())
        return s;
    if (!device_ && bytes >= kBuffer)
      return WriteAll(p, bytes);
    buffer_.insert(buffer_.end(), p, p + bytes);
    return absl::OkStatus();
  }

  absl::Status Patch(uint64_t offset, const void *data, size_t bytes) override {
    if (device_) {
      std::memcpy(buffer_.data() + offset, data, bytes);
      return absl::OkStatus();
    }
    if (absl::Status s = Flush(); !s.ok())
      return s;
    ssize_t n = pwrite(fd_, data, bytes, off_t(offset));
    return n == ssize_t(bytes) ? absl::OkStatus() : Error("write");
  }

  absl::Status Sync() override {
    if (absl::Status s = Flush(); !s.ok())
      return s;
    return device_ || fsync(fd_) == 0 ? absl::OkStatus() : Error("write");
  }

  absl::Status Commit() override {
    if (absl::Status s = Sync(); !s.ok() || device_)
      return s;
    if (temporary_.empty()) {
      std::string self = absl::StrCat("/proc/self/fd/", fd_);
      if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0)
        return absl::OkStatus();
      if (errno != EEXIST)
        return Error("create");
      std::string name = TemporaryName();
      if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0)
        return Error("create");
      temporary_ = name;
    }
    if (rename(temporary_.c_str(), path_.c_str()) != 0)
      return Error("replace");
    temporary_.clear();
    return absl::OkStatus();
  }

private:
  static constexpr size_t kBuffer = 1 << 18;

  std::string TemporaryName() const { return absl::StrCat(path_, ".", getpid(), ".tmp"); }

  absl::Status Error(const char *what) const {
    int e = errno;
    std::string message = absl::StrCat(path_, ": cannot ", what, " the file: ", std::strerror(e));
    if (e == ENOSPC || e == EDQUOT || e == EFBIG)
      return absl::ResourceExhaustedError(
          absl::StrCat(message, "; free some space or choose another folder"));
    return absl::Status(e == EACCES || e == EPERM || e == EROFS
                            ? absl::StatusCode::kPermissionDenied
                            : absl::StatusCode::kUnavailable,
                        message);
  }

  absl::Status WriteAll(const uint8_t *p, size_t bytes) {
    while (bytes) {
      ssize_t n = write(fd_, p, bytes);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return Error("write");
      p += n;
      bytes -= size_t(n);
    }
    return absl::OkStatus();
  }

  absl::Status Flush() {
    absl::Status s = WriteAll(buffer_.data(), buffer_.size());
    buffer_.clear();
    return s;
  }

  std::string path_, temporary_;
  std::vector<uint8_t> buffer_;
  int fd_ = -1;
  bool device_ = false;
};

} // namespace

std::unique_ptr<ByteOutput> StringOutput(std::string &out) {
  return std::make_unique<ToString>(out);
}

absl::StatusOr<std::unique_ptr<ByteOutput>> FileOutput(const std::string &path) {
  auto out = std::make_unique<ToFile>(path);
  if (absl::Status s = out->Open(); !s.ok())
    return s;
  return std::unique_ptr<ByteOutput>(std::move(out));
}

absl::Status WriteFiles(absl::Span<const FileContent> files) {
  std::vector<std::unique_ptr<ByteOutput>> outputs;
  for (const FileContent &f : files) {
    absl::StatusOr<std::unique_ptr<ByteOutput>> out = FileOutput(f.path);
    if (!out.ok())
      return out.status();
    if (absl::Status s = (*out)->Append(f.content.data(), f.content.size()); !s.ok())
      return s;
    if (absl::Status s = (*out)->Sync(); !s.ok())
      return s;
    outputs.push_back(*std::move(out));
  }
  for (auto &out : outputs)
    if (absl::Status s = out->Commit(); !s.ok())
      return s;
  return absl::OkStatus();
}

} // namespace accel::rt

//===- memory.cc - Memories of the simulated machine ----------------------===//
#include "memory.h"
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

// Defined by AddressSanitizer, if it is linked in.
extern "C" __attribute__((weak)) void __asan_poison_memory_region(const volatile void *, size_t);
extern "C" __attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *, size_t);

namespace accel::rt {
namespace {

constexpr int64_t kLargePage = int64_t(2) << 20;

int64_t PageBytes() {
  static const int64_t bytes = sysconf(_SC_PAGESIZE);
  return bytes;
}

/// `bytes` in whole pages, without the guards.
int64_t WholePages(int64_t bytes) { return (bytes + PageBytes() - 1) / PageBytes() * PageBytes(); }

} // namespace

Pages::~Pages() {
  if (!mapped_)
    return;
  if (__asan_unpoison_memory_region)
    __asan_unpoison_memory_region(data_ + size_, size_t(WholePages(size_) - size_));
  munmap(mapped_, size_t(mappedBytes_));
}

Pages::Pages(Pages &&other) noexcept { *this = std::move(other); }

Pages &Pages::operator=(Pages &&other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapped_, other.mapped_);
  std::swap(mappedBytes_, other.mappedBytes_);
  return *this;
}

absl::StatusOr<Pages> Pages::Allocate(int64_t bytes, const std::string &what) {
  Pages p;
  p.size_ = std::max<int64_t>(bytes, 1);
  // Large memories lie on large pages: a fault for each 4 KiB of a workspace
  // costs more than what is computed there.
  const bool isLarge = p.size_ >= kLargePage;
  const int64_t align = isLarge ? kLargePage : PageBytes(), whole = WholePages(p.size_);
  const int64_t mapped = align + whole + PageBytes(); // with both guards
  auto failed = [&] {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot allocate ", bytes, " bytes for ", what, ": ", std::strerror(errno)));
  };
  void *m =
      mmap(nullptr, size_t(mapped), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m == MAP_FAILED)
    return failed();
  p.mapped_ = m;
  p.mappedBytes_ = mapped;
  // The first multiple above the start leaves at least a page before it.
  const uintptr_t at = (reinterpret_cast<uintptr_t>(m) / uintptr_t(align) + 1) * uintptr_t(align);
  p.data_ = reinterpret_cast<uint8_t *>(at);
  if (mprotect(p.data_, size_t(whole), PROT_READ | PROT_WRITE) != 0)
    return failed();
#ifdef MADV_HUGEPAGE
  if (isLarge)
    madvise(p.data_, size_t(p.size_), MADV_HUGEPAGE); // a wish: failure is no error
#endif
  if (__asan_poison_memory_region)
    __asan_poison_memory_region(p.data_ + p.size_, size_t(whole - p.size_));
  return p;
}

void Pages::Clear() {
  if (size_ <= (4 << 20)) {
    if (data_)
      std::memset(data_, 0, size_t(size_));
    return;
  }
  madvise(data_, size_t(size_), MADV_DONTNEED);
}

absl::StatusOr<const uint8_t *> ConstantRegions::External(const Artifact &artifact,
                                                          const ExternalRange &e) {
  if (artifact.folder.empty())
    return absl::FailedPreconditionError(
        absl::StrCat("the artifact needs the file \"", e.path,
                     "\", but was loaded from memory without a folder"));
  std::string path = absl::StrCat(artifact.folder, "/", e.path);
  std::shared_ptr<FileBytes> file;
  for (const auto &[name, mapped] : files_)
    if (name == path)
      file = mapped;
  if (!file) {
    absl::StatusOr<std::shared_ptr<FileBytes>> m = FileBytes::Map(path);
    if (!m.ok())
      return absl::Status(
          m.status().code(),
          absl::StrCat(m.status().message(), " (the artifact reads its weights from there)"));
    file = *std::move(m);
    files_.emplace_back(path, file);
  }
  if (uint64_t(e.offset) > file->size() || uint64_t(e.bytes) > file->size() - uint64_t(e.offset))
    return absl::OutOfRangeError(absl::StrCat(path, ": the artifact needs ", e.bytes,
                                              " bytes at offset ", e.offset, ", the file has ",
                                              file->size()));
  const uint8_t *data = file->data() + e.offset;
  if (Checksum64(data, size_t(e.bytes)) != e.checksum)
    return absl::DataLossError(absl::StrCat(path, ": the bytes at offset ", e.offset,
                                            " are not those that the artifact was compiled "
                                            "with; compile the model again"));
  return data;
}

absl::Status ConstantRegions::Add(const Artifact &artifact, const RegionInfo &region) {
  const char *kind = RegionKindName(region.kind);
  if (!region.external.empty()) {
    absl::StatusOr<const uint8_t *> data = External(artifact, region.external);
    ACC_RETURN_IF_ERROR(data.status());
    data_[region.id] = *data;
    return absl::OkStatus();
  }
  std::vector<const WeightChunk *> chunks;
  bool external = false;
  for (const WeightChunk &c : artifact.data.chunks)
    if (c.region == region.id) {
      chunks.push_back(&c);
      external |= !c.external.empty();
    }
  // In one piece: all chunks at the same distance, and the whole region in the
  // file (the writer fills gaps with zeros).
  if (!chunks.empty() && !external) {
    int64_t base = chunks[0]->segmentOffset - chunks[0]->offset;
    bool whole = base >= 0 && uint64_t(base) <= artifact.file->size() &&
                 uint64_t(region.bytes) <= artifact.file->size() - uint64_t(base);
    for (const WeightChunk *c : chunks)
      whole &= c->segmentOffset - c->offset == base;
    if (whole) {
      data_[region.id] = artifact.file->data() + base;
      return absl::OkStatus();
    }
  }
  absl::StatusOr<Pages> pages =
      Pages::Allocate(region.bytes, absl::StrCat("region ", region.id, " (", kind, ")"));
  ACC_RETURN_IF_ERROR(pages.status());
  for (const WeightChunk *c : chunks) {
    const uint8_t *from = artifact.file->data() + c->segmentOffset;
    if (!c->external.empty()) {
      absl::StatusOr<const uint8_t *> data = External(artifact, c->external);
      ACC_RETURN_IF_ERROR(data.status());
      from = *data;
    }
    std::memcpy(pages->data() + c->offset, from, size_t(c->bytes));
  }
  data_[region.id] = pages->data();
  pages_.push_back(*std::move(pages));
  return absl::OkStatus();
}

absl::Status ConstantRegions::Check() const {
  for (const auto &[name, file] : files_)
    ACC_RETURN_IF_ERROR(file->Check());
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const ConstantRegions>>
ConstantRegions::Create(const Artifact &artifact) {
  auto regions = std::make_shared<ConstantRegions>();
  regions->files_.emplace_back(artifact.path, artifact.file);
  for (const RegionInfo &r : artifact.data.regions)
    if (r.kind == RegionKind::Weights || r.kind == RegionKind::Constant)
      ACC_RETURN_IF_ERROR(regions->Add(artifact, r));
  ACC_RETURN_IF_ERROR(regions->Check());
  return std::shared_ptr<const ConstantRegions>(std::move(regions));
}

} // namespace accel::rt

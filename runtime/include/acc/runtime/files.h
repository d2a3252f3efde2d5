//===- files.h - Files that appear whole or not at all --------------------===//
//
// Contract C8: content is written aside and synced, then takes its name at
// once. Symbolic links are followed, devices are written directly.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_FILES_H
#define ACC_RUNTIME_FILES_H

#include "absl/status/status.h"
#include "absl/types/span.h"
#include <string>
#include <string_view>

namespace accel::rt {

struct FileContent {
  std::string path;
  std::string_view content;
};

/// All of them, or none if one cannot be written: names change only when the
/// bytes of every file are on the disk.
absl::Status WriteFiles(absl::Span<const FileContent> files);

} // namespace accel::rt

#endif // ACC_RUNTIME_FILES_H

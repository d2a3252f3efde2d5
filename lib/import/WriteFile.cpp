//===- WriteFile.cpp - a file is written whole or not at all --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Import/WriteFile.h"

#include "llvm/Support/FileSystem.h"

#include <unistd.h>

using namespace accel;

WriteResult accel::writeFile(llvm::StringRef path,
                             llvm::function_ref<bool(llvm::raw_ostream &)> fill) {
  namespace fs = llvm::sys::fs;
  fs::file_status status;
  bool inPlace = !fs::status(path, status) && fs::exists(status) &&
                 status.type() != fs::file_type::regular_file;
  llvm::SmallString<128> written(path);
  int fd = -1;
  std::error_code code = inPlace ? fs::openFileForWrite(path, fd, fs::CD_OpenExisting)
                                 : fs::createUniqueFile(path + ".%%%%%%", fd, written, fs::OF_None,
                                                        fs::all_read | fs::owner_write);
  if (code)
    return {false, code.message()};
  bool filled;
  {
    llvm::raw_fd_ostream out(fd, /*shouldClose=*/true);
    filled = fill(out);
    out.flush();
    if (filled && !inPlace && !out.has_error() && ::fsync(fd) != 0)
      code = std::error_code(errno, std::generic_category());
    if (out.has_error())
      code = out.error();
    out.clear_error();
  }
  if (!inPlace && filled && !code)
    code = fs::rename(written, path);
  if (filled && !code)
    return {true, ""};
  if (!inPlace)
    fs::remove(written);
  return {false, code ? code.message() : ""};
}

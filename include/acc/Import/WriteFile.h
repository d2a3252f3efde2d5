//===- WriteFile.h - a file is written whole or not at all -------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_IMPORT_WRITEFILE_H
#define ACC_IMPORT_WRITEFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace accel {

struct WriteResult {
  bool good = false;
  std::string reason; // of the system; empty if `fill` gave up
};

/// Writes beside `path`, flushes to the disk and renames, so that an older file is
/// never damaged; devices and pipes are written in place. `fill` gives up by
/// returning false; nothing is left then.
WriteResult writeFile(llvm::StringRef path, llvm::function_ref<bool(llvm::raw_ostream &)> fill);

} // namespace accel

#endif // ACC_IMPORT_WRITEFILE_H

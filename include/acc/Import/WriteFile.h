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
  std::string reason; ///< with the file's name; empty if `fill` gave up
};

/// Writes a file as the runtime writes artifacts (runtime/artifact/byte_output.cc):
/// it gets its name when it is complete and on the disk, so that an older one is
/// never damaged; devices and pipes are written in place, "-" is standard output.
/// `fill` gives up by returning false; nothing is left then.
WriteResult writeFile(llvm::StringRef path, llvm::function_ref<bool(llvm::raw_ostream &)> fill);

} // namespace accel

#endif // ACC_IMPORT_WRITEFILE_H

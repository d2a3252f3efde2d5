//===- Reproducer.h - what is left of a compile that a bug ends ------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// When a compile crashes, or fails without saying why, the program starts
// itself anew as
//
//   acc --reproduce=STAGE:REASON compile ...
//
// which is all that a signal handler may do. Compiling is deterministic, so the
// new process stops before that stage and writes its input: MLIR and, as
// comments, the flags. Exit status 3.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_TOOLS_ACC_REPRODUCER_H
#define ACC_TOOLS_ACC_REPRODUCER_H

#include "acc/Driver/Compile.h"

namespace accel::tool {

/// Why a process was started anew.
struct Bug {
  Stage stage = Stage::Import; ///< that could not be finished
  std::string reason;          ///< "crashed (Segmentation fault)", ...
};

/// Takes --reproduce out of the arguments of main.
std::optional<Bug> takeReproduce(int &argc, char **argv);

/// From here on a crash of this process becomes a reproducer.
void armReproducer(int argc, char **argv);
/// The stage that runs now.
void setReproducerStage(Stage stage);
/// Starts the program anew for a bug that was noticed; does not return.
[[noreturn]] void reproduceBug(const char *reason);

/// Writes the reproducer of `bug` beside the output and says where it is;
/// returns the exit status.
int writeReproducer(const Bug &bug, const CompileOptions &options, const std::string &commandLine);

} // namespace accel::tool

#endif // ACC_TOOLS_ACC_REPRODUCER_H

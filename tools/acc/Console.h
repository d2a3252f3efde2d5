//===- Console.h - what acc says ------------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Messages go to standard error, a line each: "acc: error: ...", or with --json
// an object each: {"type": "error", "text": ..., "node": ...}. On a terminal, a
// moving line shows what takes longer than a second.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_TOOLS_ACC_CONSOLE_H
#define ACC_TOOLS_ACC_CONSOLE_H

#include "mlir/IR/Diagnostics.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace accel::tool {

class Console {
public:
  explicit Console(bool json);
  ~Console();

  /// What is being done from now on, such as stage "plan" of "net.onnx".
  void doing(const std::string &stage, const std::string &file);
  /// Nothing takes long any more.
  void rest();
  /// Prints a diagnostic of the compiler with its notes: the line of a text, else
  /// the model `input` and the name of the ONNX node.
  void diagnostic(mlir::Diagnostic &diagnostic, const std::string &input);
  /// Prints an error without a place; returns the exit status 1.
  int fail(const std::string &text);

  bool failed() const { return errors > 0; }
  double seconds() const; ///< since the beginning

private:
  struct Message;
  void print(const Message &message);
  void paint();
  void wipe();

  const bool json, terminal;
  const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  int errors = 0;

  // The moving line.
  std::mutex mutex;
  std::condition_variable woken;
  std::string current;
  bool painted = false, done = false;
  std::thread painter;
};

} // namespace accel::tool

#endif // ACC_TOOLS_ACC_CONSOLE_H

//===- Commands.h - the commands of the program acc -----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_TOOLS_ACC_COMMANDS_H
#define ACC_TOOLS_ACC_COMMANDS_H

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "Reproducer.h"

#include "acc/Report/Report.h"

#include <functional>
#include <optional>
#include <string>

namespace accel::tool {

/// Exit status of the program.
enum Exit { kGood = 0, kInputFault = 1, kUsage = 2, kOurBug = 3 };

/// How the program was called.
struct Invocation {
  int argc;
  char **argv;
  std::optional<Bug> bug; ///< of an earlier process, to be reproduced
  /// The command line as text.
  std::string text() const;
};

/// For options that name a file or folder.
inline const CLI::Validator kNotEmpty(
    [](const std::string &value) {
      return value.empty() ? std::string("the name is empty") : std::string();
    },
    "");

/// For --report.
inline const CLI::Validator kReportFile(
    [](const std::string &value) {
      return report::isReportPath(value)
                 ? std::string()
                 : "'" + value + "' must end in .json or .html, which says what is written";
    },
    "");

/// Declares a command; when it is chosen, `run` gets what to execute.
void addCompile(CLI::App &app, std::function<int()> &run, const Invocation &invocation);
void addCheck(CLI::App &app, std::function<int()> &run);
void addSweep(CLI::App &app, std::function<int()> &run);
void addRun(CLI::App &app, std::function<int()> &run);
void addDump(CLI::App &app, std::function<int()> &run);
void addExplain(CLI::App &app, std::function<int()> &run);
void addTargets(CLI::App &app, std::function<int()> &run);
void addListOps(CLI::App &app, std::function<int()> &run);

} // namespace accel::tool

#endif // ACC_TOOLS_ACC_COMMANDS_H

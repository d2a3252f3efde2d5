//===- Commands.h - the commands of the program acc -----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_TOOLS_ACC_COMMANDS_H
#define ACC_TOOLS_ACC_COMMANDS_H

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <functional>
#include <string>

namespace accel::tool {

/// Exit status of the program.
enum Exit { kGood = 0, kInputFault = 1, kUsage = 2, kOurBug = 3 };

/// Declares a command; when it is chosen, `run` gets what to execute.
void addCompile(CLI::App &app, std::function<int()> &run);
void addCheck(CLI::App &app, std::function<int()> &run);
void addRun(CLI::App &app, std::function<int()> &run);
void addDump(CLI::App &app, std::function<int()> &run);
void addTargets(CLI::App &app, std::function<int()> &run);
void addListOps(CLI::App &app, std::function<int()> &run);

/// An error on standard error, one line: "acc: error: ...".
int fail(const std::string &message);

} // namespace accel::tool

#endif // ACC_TOOLS_ACC_COMMANDS_H

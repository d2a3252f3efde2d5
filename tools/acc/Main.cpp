//===- Main.cpp - the program acc -----------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Commands.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <csignal>
#include <iostream>
#include <unistd.h>

using namespace accel;

int tool::fail(const std::string &message) {
  std::cerr << "acc: error: " << message << '\n';
  return kInputFault;
}

/// `acc NAME` runs acc-NAME from the folder of this program or PATH.
static bool runExternal(char **argv, llvm::StringRef name) {
  std::string self = llvm::sys::fs::getMainExecutable(argv[0], (void *)&runExternal);
  std::string program = ("acc-" + name).str();
  auto found = llvm::sys::findProgramByName(program, {llvm::sys::path::parent_path(self)});
  if (!found)
    found = llvm::sys::findProgramByName(program);
  if (!found)
    return false;
  argv[1] = const_cast<char *>(found->c_str());
  execv(found->c_str(), argv + 1);
  return false;
}

int main(int argc, char **argv) {
  signal(SIGXFSZ,
         SIG_IGN); // a file that grows too large is an error of the write, as a full disk is
  CLI::App app{"acc compiles ONNX models for an inference accelerator and runs them on its "
               "simulator.",
               "acc"};
  app.footer("Examples:\n"
             "  acc compile model.onnx -o model.acc --dim batch=1\n"
             "  acc run model.acc --input x=x.npy --output-dir out --stats stats.json\n"
             "  acc compare model.onnx --dim batch=1\n"
             "  acc compile model.onnx -o - --emit plan      look at the schedules\n"
             "  acc targets                                  machines to compile for\n"
             "`acc COMMAND --help` has more.");
  app.require_subcommand(1);
  std::function<int()> run;
  tool::addCompile(app, run);
  tool::addRun(app, run);
  tool::addCheck(app, run);
  tool::addDump(app, run);
  tool::addTargets(app, run);
  tool::addListOps(app, run);
  if (argc > 1 && argv[1][0] != '-') {
    llvm::StringRef name = argv[1];
    bool known = false;
    for (CLI::App *command : app.get_subcommands({}))
      known |= name == command->get_name();
    if (!known && !runExternal(argv, name)) {
      std::cerr << "acc: error: unknown command '" << name.str() << "'; commands:";
      for (CLI::App *command : app.get_subcommands({}))
        std::cerr << ' ' << command->get_name();
      std::cerr << '\n';
      return tool::kUsage;
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &problem) {
    return app.exit(problem) == 0 ? tool::kGood : tool::kUsage;
  }
  return run();
}

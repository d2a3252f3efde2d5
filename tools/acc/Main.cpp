//===- Main.cpp - the program acc -----------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Commands.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <unistd.h>

using namespace accel;

/// Commands that are programs of their own and that `acc --help` lists.
static constexpr struct {
  const char *name, *summary;
} kPrograms[] = {
    {"compare", "Runs a model in ONNX Runtime too and says where they differ"},
    {"explore", "Says how DRAM traffic depends on the size of the SRAM"},
    {"bench", "Measures acc beside ONNX Runtime and IREE"},
};

std::string tool::Invocation::text() const {
  std::string text = "acc";
  for (int i = 1; i < argc; ++i)
    text += std::string(" ") + argv[i];
  return text;
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
  std::signal(SIGXFSZ, SIG_IGN); // a file that grows too large is an error, not the end
  tool::Invocation invocation{argc, argv, tool::takeReproduce(argc, argv)};
  invocation.argc = argc;
  CLI::App app{"acc compiles ONNX models for an inference accelerator and runs them on its "
               "simulator.",
               "acc"};
  app.footer("Examples:\n"
             "  acc compile model.onnx -o model.acc --dim batch=1\n"
             "  acc run model.acc --input x=x.npy --output-dir out --stats stats.json\n"
             "  acc compare model.onnx --dim batch=1         against ONNX Runtime\n"
             "  acc compile model.onnx -o - --emit plan      look at the schedules\n"
             "  acc dump model.acc --code                    look at the instructions\n"
             "  acc explain model.acc                        why each byte moves\n"
             "  acc targets                                  machines to compile for\n\n"
             "`acc COMMAND --help` has more; `acc NAME` runs acc-NAME of this folder or PATH.\n"
             "Exit status: 0 good, 1 the input's fault, 2 usage, 3 a bug of acc.");
  app.require_subcommand(1);
  app.failure_message([](const CLI::App *, const CLI::Error &error) {
    return "acc: error: " + std::string(error.what()) + "; --help shows what is possible\n";
  });
  std::function<int()> run;
  tool::addCompile(app, run, invocation);
  tool::addRun(app, run);
  tool::addCheck(app, run);
  tool::addSweep(app, run);
  tool::addDump(app, run);
  tool::addExplain(app, run);
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
      for (auto &program : kPrograms)
        std::cerr << ' ' << program.name;
      std::cerr << '\n';
      return tool::kUsage;
    }
  }
  for (auto &program : kPrograms)
    app.add_subcommand(program.name, program.summary);
  int status;
  try {
    app.parse(argc, argv);
    status = run();
  } catch (const CLI::ParseError &problem) {
    status = app.exit(problem) == 0 ? tool::kGood : tool::kUsage;
  }
  // A full disk shows when the last of the text is flushed.
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    std::cerr << "acc: error: standard output: " << std::strerror(errno) << '\n';
    return status == tool::kGood ? tool::kInputFault : status;
  }
  return status;
}

//===- Reproducer.cpp - what is left of a compile that a bug ends ----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Reproducer.h"
#include "Commands.h"

#include "acc/Driver/Registration.h"
#include "acc/Import/WriteFile.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <cstring>
#include <unistd.h>

using namespace accel;

static constexpr llvm::StringLiteral kFlag = "--reproduce=";
static constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};

/// All that the signal handler needs, made before: it may not allocate.
static struct {
  volatile sig_atomic_t stage = 0;
  std::string program;
  std::vector<char *> arguments; ///< [1] is the flag
  char flag[128];
  alignas(16) char stack[1 << 16]; ///< a crash may be a full stack
} armed;

std::optional<tool::Bug> tool::takeReproduce(int &argc, char **argv) {
  if (argc < 2 || !llvm::StringRef(argv[1]).starts_with(kFlag))
    return std::nullopt;
  auto [stage, reason] = llvm::StringRef(argv[1]).drop_front(kFlag.size()).split(':');
  Bug bug{stageNamed(stage).value_or(Stage::Import), reason.str()};
  for (int i = 1; i < argc; ++i)
    argv[i] = argv[i + 1];
  --argc;
  return bug;
}

void tool::setReproducerStage(Stage stage) { armed.stage = int(stage); }

void tool::reproduceBug(const char *reason) {
  char *end = armed.flag + sizeof(armed.flag) - 1, *at = armed.flag;
  auto append = [&](const char *text) {
    while (*text && at < end)
      *at++ = *text++;
  };
  append(kFlag.data());
  append(stageName(Stage(armed.stage)).data());
  append(":");
  append(reason);
  *at = 0;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(armed.program.c_str(), armed.arguments.data());
  _exit(kOurBug);
}

static void crashed(int signal) {
  const char *reason = signal == SIGSEGV   ? "crashed: segmentation fault"
                       : signal == SIGABRT ? "crashed: aborted"
                                           : "crashed";
  tool::reproduceBug(reason);
}

void tool::armReproducer(int argc, char **argv) {
  armed.program = llvm::sys::fs::getMainExecutable(argv[0], (void *)&armReproducer);
  armed.arguments.assign(argv, argv + argc);
  armed.arguments.insert(armed.arguments.begin() + 1, armed.flag);
  armed.arguments.push_back(nullptr);
  stack_t stack = {};
  stack.ss_sp = armed.stack;
  stack.ss_size = sizeof(armed.stack);
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_handler = crashed;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND;
  for (int signal : kSignals)
    sigaction(signal, &action, nullptr);
}

/// The options that still have a meaning after `from`.
static std::string flagsFrom(std::optional<Stage> from, const CompileOptions &options) {
  std::string flags;
  if (from)
    flags += " --from " + stageName(*from).str();
  if (!from) {
    flags += " --target " + options.target;
    for (const std::string &setting : options.settings)
      flags += " --set " + setting;
    for (const std::string &dim : options.dims)
      flags += " --dim '" + dim + "'";
  }
  if (!from || *from < Stage::Graph)
    flags += " --precision " + options.precision;
  if (!from || *from < Stage::Plan) {
    if (!options.schedule.empty())
      flags += " --schedule " + options.schedule;
    if (options.planSeed)
      flags += " --plan-seed " + std::to_string(options.planSeed);
  }
  return flags;
}

int tool::writeReproducer(const Bug &bug, const CompileOptions &options,
                          const std::string &commandLine) {
  std::string beside = options.output == "-" ? "acc" : options.output;
  std::string file = beside + ".reproducer.mlir";
  std::optional<Stage> before;
  if (bug.stage != Stage::Import)
    before = Stage(int(bug.stage) - 1);
  std::string text, what = "stage " + stageName(bug.stage).str() + " " + bug.reason;
  if (before && (!options.from || *options.from < *before)) {
    CompileOptions again = options;
    again.emit = before;
    again.output = file;
    again.scheduleOut.clear();
    mlir::DialectRegistry registry;
    registerDialects(registry);
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    context.loadAllAvailableDialects();
    mlir::ScopedDiagnosticHandler quiet(&context,
                                        [](mlir::Diagnostic &) { return mlir::success(); });
    if (mlir::failed(compile(again, &context)))
      before.reset();
    else if (auto buffer = llvm::MemoryBuffer::getFile(file))
      text = (*buffer)->getBuffer().str();
  } else if (options.from) {
    before = options.from; // the input is what shows it
    if (auto buffer = llvm::MemoryBuffer::getFile(options.input))
      text = (*buffer)->getBuffer().str();
  }
  std::string shows = text.empty() ? options.input : file;
  std::string header = "// A bug of acc: " + what + ".\n// made by: " + commandLine +
                       "\n// shows it: acc compile " + shows + flagsFrom(before, options) + " -o " +
                       options.output + "\n";
  WriteResult written = writeFile(file, [&](llvm::raw_ostream &os) {
    os << header << text;
    return true;
  });
  if (!written.good) {
    llvm::errs() << "acc: error: " << what << ", which is a bug of acc; its reproducer cannot be "
                 << "written: " << written.reason << '\n';
    return kOurBug;
  }
  llvm::errs() << "acc: error: " << what << ", which is a bug of acc: please report it with "
               << file << (text.empty() ? " and the model" : "") << '\n';
  return kOurBug;
}

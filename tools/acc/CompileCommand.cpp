//===- CompileCommand.cpp - acc compile, acc check, acc sweep -------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Commands.h"
#include "Console.h"
#include "Reproducer.h"

#include "acc/Driver/Compile.h"
#include "acc/Driver/Registration.h"
#include "acc/Driver/Sweep.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SourceMgr.h"

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

using namespace accel;

namespace {
struct Arguments {
  CompileOptions options;
  std::string emit, from;
  bool json = false;
};
} // namespace

static void addModel(CLI::App *command, std::string &input, const char *what) {
  command->add_option("model", input, what)->required()->check(tool::kNotEmpty);
}

static void addCommon(CLI::App *command, Arguments &arguments) {
  command
      ->add_option("--target", arguments.options.target,
                   "machine: a name that `acc targets` lists, or a TOML file")
      ->check(tool::kNotEmpty);
  command
      ->add_option("--set", arguments.options.settings,
                   "TABLE.KEY=VALUE replaces a figure of the machine: sram.bytes=128KiB")
      ->allow_extra_args(false);
  command
      ->add_option("--dim", arguments.options.dims,
                   "NAME=N binds a symbolic dimension, INPUT:AXIS=N one axis of an input")
      ->allow_extra_args(false);
  command
      ->add_option("--precision", arguments.options.precision,
                   "storage of f32 tensors (sums stay f32)")
      ->check(CLI::IsMember({"f32", "f16", "bf16"}));
  command
      ->add_option("--plan-effort", arguments.options.planEffort,
                   "how far to search for a plan with few bytes: fast, default or best")
      ->check(CLI::IsMember({"fast", "default", "best"}));
  command->add_flag("--json", arguments.json, "messages as JSON, one object a line");
}

/// Runs `work` in a context whose diagnostics go to the console.
static int withContext(tool::Console &console, const std::string &input,
                       llvm::function_ref<mlir::LogicalResult(mlir::MLIRContext *)> work) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  context.loadAllAvailableDialects();
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    console.diagnostic(diagnostic, input);
    return mlir::success();
  });
  if (mlir::succeeded(work(&context)))
    return tool::kGood;
  return console.failed() ? tool::kInputFault : tool::kOurBug;
}

/// Why options do not go together. A continuation takes none that an earlier stage
/// has used up.
static std::string contradiction(const CLI::App *command, const CompileOptions &options) {
  if (options.output.empty() && options.emit)
    return "--emit needs -o";
  if (options.output.empty() && !(options.report.empty() && options.scheduleOut.empty()))
    return "--report and --schedule-out need -o";
  if (options.output == "-" && (!options.emit || *options.emit == Stage::Emit))
    return "-o -: an artifact is not text, give it a file";
  // Nothing that is read is written over, whatever it is called.
  for (const std::string &written : {options.output, options.scheduleOut, options.report})
    for (const std::string &read :
         {options.input, options.target, options.schedule, options.scheduleDiff})
      if (!written.empty() && llvm::sys::fs::equivalent(written, read) &&
          llvm::sys::fs::is_regular_file(written))
        return "'" + written + "' is read and cannot be written over";
  if (!options.scheduleOut.empty() && options.scheduleOut == options.output &&
      options.output != "-")
    return "-o and --schedule-out name the same file";
  if (!options.report.empty() && options.report == options.output)
    return "-o and --report name the same file";
  if (!options.report.empty() && options.report == options.scheduleOut)
    return "--schedule-out and --report name the same file";
  if (!options.report.empty() && options.emit && *options.emit < Stage::Codegen)
    return "--report: nothing can be said of stage " + stageName(*options.emit).str() +
           "; it needs the whole program";
  if (!options.from)
    return "";
  std::string from = stageName(*options.from).str();
  if (*options.from == Stage::Emit)
    return "--from emit: nothing comes after it";
  if (options.emit && *options.emit < *options.from)
    return "--emit " + stageName(*options.emit).str() + " comes before --from " + from;
  struct {
    const char *option;
    Stage used;
  } used[] = {{"--target", Stage::Import},     {"--set", Stage::Import},
              {"--dim", Stage::Import},        {"--precision", Stage::Graph},
              {"--plan-effort", Stage::Plan},  {"--schedule", Stage::Plan},
              {"--schedule-out", Stage::Plan}, {"--schedule-diff", Stage::Plan},
              {"--plan-seed", Stage::Plan},    {"--report", Stage::Codegen}};
  for (auto [option, stage] : used)
    if (command->count(option) && stage <= *options.from)
      return std::string(option) + " has no meaning with --from " + from + ": stage " +
             stageName(stage).str() + " is done";
  return "";
}

static int runCompile(const Arguments &arguments, const tool::Invocation &invocation) {
  if (invocation.bug)
    return tool::writeReproducer(*invocation.bug, arguments.options, invocation.text());
  tool::armReproducer(invocation.argc, invocation.argv);
  int status;
  {
    tool::Console console(arguments.json);
    CompileOptions options = arguments.options;
    options.entered = [&](Stage stage) {
      tool::setReproducerStage(stage);
      console.doing(stageName(stage).str(), options.input);
    };
    status = withContext(console, options.input,
                         [&](mlir::MLIRContext *context) { return compile(options, context); });
    if (status == tool::kGood && arguments.json && options.output != "-" &&
        !options.output.empty()) {
      uint64_t bytes = 0;
      llvm::sys::fs::file_size(options.output, bytes);
      nlohmann::ordered_json result{{"type", "result"},
                                    {"output", options.output},
                                    {"bytes", bytes},
                                    {"seconds", console.seconds()}};
      std::cout << result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    }
  }
  if (status == tool::kOurBug)
    tool::reproduceBug("failed without a reason");
  return status;
}

void tool::addCompile(CLI::App &app, std::function<int()> &run, const Invocation &invocation) {
  CLI::App *command = app.add_subcommand("compile", "Compiles a model ahead of time");
  auto arguments = std::make_shared<Arguments>();
  CompileOptions &options = arguments->options;
  addModel(command, options.input, "ONNX file (MLIR text with --from)");
  command
      ->add_option("-o,--output", options.output,
                   "artifact to write (with --emit: MLIR text, - for standard output)")
      ->check(tool::kNotEmpty);
  addCommon(command, *arguments);
  CLI::Option *schedule = command->add_option("--schedule", options.schedule, "schedules to obey")
                              ->check(tool::kNotEmpty);
  command
      ->add_option("--schedule-diff", options.scheduleDiff,
                   "prints what differs between --schedule and this one, with the bytes of each "
                   "(-o is not needed)")
      ->needs(schedule)
      ->check(tool::kNotEmpty);
  command
      ->add_option("--schedule-out", options.scheduleOut,
                   "writes the schedules, to be edited and given back")
      ->check(tool::kNotEmpty);
  command
      ->add_option("--report", options.report,
                   "writes why each byte moves, as .json or as .html (one file, offline)")
      ->check(kReportFile);
  std::vector<std::string> stages;
  for (int s = 0; s <= int(Stage::Emit); ++s)
    stages.push_back(stageName(Stage(s)).str());
  command->add_option("--emit", arguments->emit, "stops after a stage and writes its MLIR")
      ->check(CLI::IsMember(stages));
  command->add_option("--from", arguments->from, "continues after a stage, from its MLIR")
      ->check(CLI::IsMember(stages));
  command->add_option("--plan-seed", options.planSeed,
                      "random legal schedules instead of good ones: results must not change");
  command->add_flag("--verify-each", options.verifyEach, "verifies the IR after each pass");
  command->footer(
      "Stages: import, graph, plan, tile, memory, codegen, emit.\n\n"
      "Examples:\n"
      "  acc compile net.onnx -o net.acc --dim batch=1\n"
      "  acc compile cls.onnx -o cls.acc --dim x:0=1 --dim x:2=48     axes without a name\n"
      "  acc compile net.onnx -o net.acc --target mine.toml --precision bf16\n"
      "  acc compile net.onnx -o net.acc --target edge --set sram.bytes=128KiB\n"
      "  acc compile net.onnx -o net.acc --schedule-out net.mlir      then edit net.mlir and\n"
      "  acc compile net.onnx -o net.acc --schedule net.mlir\n"
      "  acc compile net.onnx -o net.acc --report net.html            why each byte moves\n"
      "  acc compile net.onnx --schedule net.mlir --schedule-diff mine.mlir\n"
      "  acc compile net.onnx -o - --emit plan                        look at groups and "
      "schedules\n"
      "  acc compile net.onnx -o net.tile.mlir --emit tile            stop, edit, and\n"
      "  acc compile net.tile.mlir -o net.acc --from tile             continue\n\n"
      "Exit status: 0 good, 1 the model, an option or a file is at fault, 2 usage, 3 a bug of acc\n"
      "(a reproducer is written beside the output).");
  command->callback([arguments, command, &run, &invocation] {
    CompileOptions &options = arguments->options;
    if (!arguments->emit.empty())
      options.emit = stageNamed(arguments->emit);
    if (!arguments->from.empty())
      options.from = stageNamed(arguments->from);
    if (options.output.empty() && options.scheduleDiff.empty())
      throw CLI::RequiredError("--output");
    if (std::string wrong = contradiction(command, options); !wrong.empty())
      throw CLI::ValidationError(wrong);
    run = [arguments, &invocation] { return runCompile(*arguments, invocation); };
  });
}

void tool::addCheck(CLI::App &app, std::function<int()> &run) {
  CLI::App *command =
      app.add_subcommand("check", "Says whether a model compiles and lists what stands in the way");
  auto arguments = std::make_shared<Arguments>();
  addModel(command, arguments->options.input, "ONNX file");
  addCommon(command, *arguments);
  command->footer("Every obstacle is named with its node, the reason and what to do.\n\n"
                  "Examples:\n"
                  "  acc check net.onnx --dim batch=1\n"
                  "  acc check net.onnx --target tiny --json");
  command->callback([arguments, &run] {
    run = [arguments] {
      Console console(arguments->json);
      CompileOptions options = arguments->options;
      options.entered = [&](Stage stage) { console.doing(stageName(stage).str(), options.input); };
      int status = withContext(console, options.input,
                               [&](mlir::MLIRContext *context) { return check(options, context); });
      console.rest();
      if (status == kGood && arguments->json)
        std::cout << nlohmann::ordered_json{{"type", "result"}, {"compiles", true}} << '\n';
      else if (status == kGood)
        std::cout << options.input << ": compiles for target " << options.target << '\n';
      if (status == kOurBug)
        console.fail("failed without a reason, which is a bug of acc");
      return status;
    };
  });
}

/// What a sweep found, as one line.
static nlohmann::ordered_json sweepResult(const Sweep &sweep, double seconds) {
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const SweepPoint &point : sweep.points) {
    nlohmann::ordered_json one{{"sram_bytes", point.sramBytes},
                               {"dram_bytes", nullptr},
                               {"bound_bytes", point.boundBytes},
                               {"planned_sram_bytes", point.plannedBytes}};
    if (point.dramBytes)
      one["dram_bytes"] = *point.dramBytes;
    else
      one["why"] = point.why;
    points.push_back(std::move(one));
  }
  return {{"type", "result"},
          {"target", sweep.target},
          {"compulsory_bytes", sweep.compulsoryBytes},
          {"points", points},
          {"seconds", seconds}};
}

void tool::addSweep(CLI::App &app, std::function<int()> &run) {
  CLI::App *command = app.add_subcommand(
      "sweep",
      "Plans a model for several sizes of SRAM at once; the figures of `acc explore sram`");
  auto arguments = std::make_shared<Arguments>();
  auto sizes = std::make_shared<std::vector<int64_t>>();
  addModel(command, arguments->options.input, "ONNX file");
  command->add_option("--sram", *sizes, "sizes in bytes, separated by commas")
      ->required()
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  addCommon(command, *arguments);
  command->footer("Prints one JSON object: for each size the DRAM bytes that a compile predicts,\n"
                  "and the bound below which no schedule gets.\n\n"
                  "Example:\n"
                  "  acc sweep net.onnx --sram 131072,393216,2097152 --target edge");
  command->callback([arguments, sizes, &run] {
    run = [arguments, sizes] {
      Console console(arguments->json);
      CompileOptions options = arguments->options;
      options.entered = [&](Stage stage) { console.doing(stageName(stage).str(), options.input); };
      nlohmann::ordered_json result;
      int status = withContext(console, options.input, [&](mlir::MLIRContext *context) {
        mlir::FailureOr<Sweep> sweep = sweepSram(options, *sizes, context);
        if (mlir::failed(sweep))
          return mlir::failure();
        result = sweepResult(*sweep, console.seconds());
        return mlir::success();
      });
      console.rest();
      if (status == kGood)
        std::cout << result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
      if (status == kOurBug)
        console.fail("failed without a reason, which is a bug of acc");
      return status;
    };
  });
}

//===- CompileCommand.cpp - acc compile, acc check ------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Commands.h"

#include "acc/Driver/Compile.h"
#include "acc/Driver/Registration.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/SourceMgr.h"

#include <iostream>
#include <memory>

using namespace accel;

namespace {
struct Arguments {
  CompileOptions options;
  std::string emit, from;
  std::vector<std::string> stages;
};
} // namespace

static void addCommon(CLI::App *command, Arguments &arguments) {
  command->add_option("model", arguments.options.input, "ONNX file (MLIR text with --from)")
      ->required();
  command->add_option("--target", arguments.options.target,
                      "machine: a name that `acc targets` lists, or a TOML file");
  command
      ->add_option("--dim", arguments.options.dims,
                   "NAME=N binds a symbolic dimension, INPUT:AXIS=N one axis of an input")
      ->allow_extra_args(false);
  command
      ->add_option("--precision", arguments.options.precision,
                   "storage of f32 tensors (sums stay f32)")
      ->check(CLI::IsMember({"f32", "f16", "bf16"}));
}

/// Runs `work` on the file `input` in a context whose diagnostics go to standard error.
static int withContext(const std::string &input,
                       llvm::function_ref<mlir::LogicalResult(mlir::MLIRContext *)> work) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  context.loadAllAvailableDialects();
  bool said = false;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diag) {
    const char *kind = diag.getSeverity() == mlir::DiagnosticSeverity::Error     ? "error"
                       : diag.getSeverity() == mlir::DiagnosticSeverity::Warning ? "warning"
                                                                                 : "note";
    said |= diag.getSeverity() == mlir::DiagnosticSeverity::Error;
    // The text's line, else the model and the name of the ONNX node.
    std::string file = input, name;
    diag.getLocation()->walk([&](mlir::Location inner) {
      if (auto at = llvm::dyn_cast<mlir::FileLineColLoc>(inner)) {
        file = at.getFilename().str();
        if (at.getLine())
          file += ':' + std::to_string(at.getLine()) + ':' + std::to_string(at.getColumn());
      } else if (auto named = llvm::dyn_cast<mlir::NameLoc>(inner); named && name.empty()) {
        name = named.getName().str();
      }
      return mlir::WalkResult::advance();
    });
    std::string where = file + ": ";
    if (!name.empty() && diag.str().find('"' + name + '"') == std::string::npos)
      where += '"' + name + "\": ";
    std::cerr << "acc: " << kind << ": " << where << diag.str() << '\n';
    for (mlir::Diagnostic &note : diag.getNotes())
      std::cerr << "acc: note: " << note.str() << '\n';
    return mlir::success();
  });
  if (mlir::succeeded(work(&context)))
    return tool::kGood;
  if (said)
    return tool::kInputFault;
  std::cerr << "acc: error: failed without a reason, which is a bug of acc\n";
  return tool::kOurBug;
}

void tool::addCompile(CLI::App &app, std::function<int()> &run) {
  CLI::App *command = app.add_subcommand("compile", "Compiles a model ahead of time");
  auto arguments = std::make_shared<Arguments>();
  addCommon(command, *arguments);
  command
      ->add_option("-o,--output", arguments->options.output,
                   "artifact to write (with --emit: MLIR text, - for standard output)")
      ->required();
  command->add_option("--schedule", arguments->options.schedule, "schedules to obey");
  command->add_option("--schedule-out", arguments->options.scheduleOut,
                      "writes the schedules, to be edited and given back");
  std::vector<std::string> stages;
  for (int s = 0; s <= int(Stage::Emit); ++s)
    stages.push_back(stageName(Stage(s)).str());
  command->add_option("--emit", arguments->emit, "stops after a stage and writes its MLIR")
      ->check(CLI::IsMember(stages));
  command->add_option("--from", arguments->from, "continues after a stage, from its MLIR")
      ->check(CLI::IsMember(stages));
  command->add_option("--plan-seed", arguments->options.planSeed,
                      "random legal schedules instead of good ones: results must not change");
  command->add_flag("--verify-each", arguments->options.verifyEach,
                    "verifies the IR after each pass");
  command->footer("Examples:\n"
                  "  acc compile det.onnx -o det.acc --dim DynamicDimension.0=1\n"
                  "  acc compile net.onnx -o net.acc --target tiny --schedule-out net.mlir\n"
                  "  acc compile net.onnx -o - --emit tile");
  command->callback([arguments, &run] {
    run = [arguments] {
      if (!arguments->emit.empty())
        arguments->options.emit = stageNamed(arguments->emit);
      if (!arguments->from.empty())
        arguments->options.from = stageNamed(arguments->from);
      return withContext(arguments->options.input, [&](mlir::MLIRContext *context) {
        return compile(arguments->options, context);
      });
    };
  });
}

void tool::addCheck(CLI::App &app, std::function<int()> &run) {
  CLI::App *command =
      app.add_subcommand("check", "Says whether a model compiles and lists what stands in the way");
  auto arguments = std::make_shared<Arguments>();
  addCommon(command, *arguments);
  command->callback([arguments, &run] {
    run = [arguments] {
      int status = withContext(arguments->options.input, [&](mlir::MLIRContext *context) {
        return check(arguments->options, context);
      });
      if (status == kGood)
        std::cout << arguments->options.input << ": every node can be compiled\n";
      return status;
    };
  });
}

//===- Compile.cpp - from an ONNX file to an artifact ---------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   import   ONNX file             -> onnx dialect
//   graph    onnx                  -> accel tensor form
//   plan     + groups, schedules   -> routines on tensors, prediction
//   tile     routines              -> loops over buffers and engine operations
//   memory   + addresses
//   codegen  engine operations     -> instructions
//   emit     instructions          -> artifact
//
// What makes a plan, and another one where the first does not pack, is in
// PlanToMemory.cpp.
//
//===----------------------------------------------------------------------===//

#include "Compiler.h"

#include "acc/Driver/Schedules.h"
#include "acc/Emit/Emit.h"
#include "acc/Emit/IsaTranslate.h"
#include "acc/Graph/Passes.h"
#include "acc/Import/Import.h"
#include "acc/Import/WriteFile.h"
#include "acc/Plan/Routine.h"
#include "acc/Report/Report.h"
#include "onnx/WeightFiles.h"

#include "mlir/IR/AsmState.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace accel;

static constexpr llvm::StringLiteral kStageNames[] = {"import", "graph",   "plan", "tile",
                                                      "memory", "codegen", "emit"};

std::optional<Stage> accel::stageNamed(StringRef name) {
  for (auto [index, known] : llvm::enumerate(kStageNames))
    if (name == known)
      return Stage(index);
  return std::nullopt;
}

StringRef accel::stageName(Stage stage) { return kStageNames[unsigned(stage)]; }

/// The ONNX file, or the text of an earlier stage.
LogicalResult Compiler::load() {
  enter(Stage::Import);
  std::string why;
  if (options.from) {
    ParserConfig config(context);
    module = parseSourceFile<ModuleOp>(options.input, config);
    onnx::WeightFiles::of(context).setFolder(llvm::sys::path::parent_path(options.input));
    if (!module || failed(onnx::checkFiles(*module)))
      return failure();
    bool isProgram = !(*module)->hasAttr(kTargetAttr);
    if (isProgram != (*options.from == Stage::Codegen))
      return emitError(FileLineColLoc::get(context, options.input, 1, 1))
             << "is not what --emit " << stageName(*options.from) << " writes; it is of "
             << (isProgram ? "stage codegen or no stage at all" : "an earlier stage");
    return success();
  }
  std::optional<Target> target = loadTarget(options.target, why, options.settings);
  if (!target)
    return error() << why;
  ImportOptions import;
  for (const std::string &text : options.dims) {
    FailureOr<DimBinding> binding = parseDimBinding(text, why);
    if (failed(binding))
      return error() << why;
    import.dims.push_back(*binding);
  }
  module = importOnnx(options.input, import, context);
  if (!module)
    return failure();
  (*module)->setAttr(kTargetAttr, target->attribute(context));
  return success();
}

LogicalResult Compiler::graph() {
  enter(Stage::Graph);
  if (failed(checkBound(*module)))
    return failure();
  GraphOptions graphOptions;
  graphOptions.precision = options.precision;
  return passes(*module,
                [&](OpPassManager &manager) { buildGraphPipeline(manager, graphOptions); });
}

LogicalResult Compiler::generate(ModuleOp from) {
  enter(Stage::Codegen);
  FailureOr<std::unique_ptr<codegen::Program>> program = codegen::buildProgram(from);
  if (failed(program))
    return failure();
  FailureOr<codegen::EncodedProgram> made = codegen::encode(from, **program);
  if (failed(made))
    return failure();
  encoded = std::move(*made);
  return success();
}

/// Instructions, tables and where the weights are.
LogicalResult Compiler::codegen(rt::ArtifactBuilder &builder) {
  if (!encoded && failed(generate(*module)))
    return failure();
  if (int64_t bytes = excessCode(*module, *encoded))
    return error() << "a routine has " << bytes
                   << " bytes of code, more than the target's instruction memory (imem.bytes); "
                      "cut its group into shorter ones";
  emit::EmitOptions emitOptions;
  emitOptions.reader = [this](Attribute value, ShapedType) -> FailureOr<ArrayRef<char>> {
    std::string why;
    copies.push_back(std::make_unique<std::vector<char>>());
    auto bytes = onnx::rawBytes(value, context, *copies.back(), &why);
    if (!bytes)
      return error() << why, failure();
    return *bytes;
  };
  return emit::emitArtifact(*module, *encoded, emitOptions, builder);
}

LogicalResult Compiler::write(rt::ArtifactBuilder &builder) {
  enter(Stage::Emit);
  absl::Status status = builder.Write(options.output);
  if (!status.ok())
    return error() << std::string(status.message());
  return success();
}

LogicalResult Compiler::printText(ModuleOp text, const OpPrintingFlags &flags) {
  WriteResult written = writeFile(options.output, [&](llvm::raw_ostream &os) {
    text->print(os, flags);
    os << '\n';
    return true;
  });
  if (!written.good)
    return error() << written.reason;
  return success();
}

/// Weights that belong to no file go into one beside the text.
LogicalResult Compiler::printModule() {
  if (options.output == "-") {
    onnx::inlineOwnedWeights(*module);
  } else {
    onnx::relateFiles(*module, llvm::sys::path::parent_path(options.output));
    if (failed(onnx::spillOwnedWeights(*module, options.output + ".weights")))
      return failure();
  }
  OpPrintingFlags flags;
  flags.enableDebugInfo(true, /*prettyForm=*/false);
  return printText(*module, flags);
}

/// The program as isa dialect. Its weights are in an artifact beside the text;
/// standard output has none.
LogicalResult Compiler::printProgram(rt::ArtifactBuilder &builder) {
  OwningOpRef<ModuleOp> text;
  if (options.output == "-") {
    absl::StatusOr<std::string> bytes = builder.Serialize();
    if (!bytes.ok())
      return error() << std::string(bytes.status().message());
    absl::StatusOr<rt::Artifact> artifact =
        rt::ReadArtifact({reinterpret_cast<const uint8_t *>(bytes->data()), bytes->size()});
    if (!artifact.ok())
      return error() << std::string(artifact.status().message());
    text = emit::isaFromArtifact(*artifact, "", context);
  } else {
    std::string weights = options.output + ".weights";
    absl::Status status = builder.Write(weights);
    if (!status.ok())
      return error() << std::string(status.message());
    text = emit::isaFromFile(weights, llvm::sys::path::parent_path(weights), context);
  }
  // Node names are in the tables; as locations they would drown the code.
  return text ? printText(*text, OpPrintingFlags()) : failure();
}

/// Both schedules are obeyed, so both are legal, and their bytes those of a compile.
LogicalResult Compiler::diff() {
  enter(Stage::Plan);
  OwningOpRef<ModuleOp> plans[2];
  for (auto [plan, path] :
       {std::pair(&plans[0], &options.schedule), std::pair(&plans[1], &options.scheduleDiff)}) {
    *plan = module->clone();
    if (failed(readSchedules(**plan, *path)) ||
        failed(passes(**plan, [](OpPassManager &manager) { addGroups(manager, {}); })))
      return failure();
  }
  return writeText("-",
                   diffSchedules(*plans[0], options.schedule, *plans[1], options.scheduleDiff));
}

LogicalResult Compiler::makeReport(const rt::ArtifactData &data, std::string &text) {
  absl::StatusOr<report::Report> made =
      report::makeReport(data, llvm::sys::path::filename(options.input).str());
  if (!made.ok())
    return error() << std::string(made.status().message());
  text = report::render(*made, options.report);
  return success();
}

LogicalResult Compiler::writeText(const std::string &path, StringRef text) {
  WriteResult written = writeFile(path, [&](llvm::raw_ostream &os) {
    os << text;
    return true;
  });
  if (!written.good)
    return error() << written.reason;
  return success();
}

LogicalResult Compiler::run() {
  if (failed(load()))
    return failure();
  rt::ArtifactBuilder builder;
  if (options.from == Stage::Codegen) {
    if (failed(
            emit::artifactFromIsa(*module, llvm::sys::path::parent_path(options.input), builder)))
      return failure();
    return endsAt(Stage::Codegen) ? printProgram(builder) : write(builder);
  }
  if (needed(Stage::Graph) && failed(graph()))
    return failure();
  if (!options.scheduleDiff.empty()) {
    if (failed(diff()))
      return failure();
    if (options.output.empty())
      return success();
  }
  if (options.emit > Stage::Graph || !options.emit) {
    if (!options.schedule.empty() && failed(readSchedules(*module, options.schedule)))
      return failure();
    bool planned = options.from && *options.from >= Stage::Memory;
    if (!planned && failed(planToMemory()))
      return failure();
  }
  if (options.emit && *options.emit < Stage::Codegen) {
    if (failed(printModule()))
      return failure();
  } else {
    if (failed(codegen(builder)))
      return failure();
    std::string report;
    if (!options.report.empty() && failed(makeReport(builder.data, report)))
      return failure();
    if (failed(endsAt(Stage::Codegen) ? printProgram(builder) : write(builder)) ||
        (!report.empty() && failed(writeText(options.report, report))))
      return failure();
  }
  if (schedules.empty())
    return success();
  return writeText(options.scheduleOut, schedules);
}

/// Everything but the writing.
LogicalResult Compiler::checkOnly() {
  rt::ArtifactBuilder builder;
  return success(succeeded(load()) && succeeded(graph()) && succeeded(planToMemory()) &&
                 succeeded(codegen(builder)));
}

LogicalResult accel::compile(const CompileOptions &options, MLIRContext *context) {
  return Compiler(options, context).run();
}

LogicalResult accel::check(const CompileOptions &options, MLIRContext *context) {
  return Compiler(options, context).checkOnly();
}

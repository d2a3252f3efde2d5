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
// Where packing fails in `memory`, `plan` runs again with a smaller budget.
//
//===----------------------------------------------------------------------===//

#include "acc/Driver/Compile.h"

#include "acc/Codegen/Encode.h"
#include "acc/Driver/Schedules.h"
#include "acc/Emit/Emit.h"
#include "acc/Graph/Passes.h"
#include "acc/Import/Import.h"
#include "acc/Import/WriteFile.h"
#include "acc/Memory/Passes.h"
#include "acc/Plan/Passes.h"
#include "acc/Plan/Routine.h"
#include "acc/Tile/Passes.h"
#include "onnx/WeightFiles.h"

#include "mlir/IR/AsmState.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
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

LogicalResult accel::writeAtomically(StringRef path, StringRef content, std::string &error) {
  if (path == "-") {
    llvm::outs() << content;
    return success();
  }
  WriteResult result = writeFile(path, [&](llvm::raw_ostream &out) {
    out << content;
    return true;
  });
  if (!result.good)
    error = path.str() + ": " + result.reason;
  return success(result.good);
}

namespace {

class Compiler {
public:
  Compiler(const CompileOptions &options, MLIRContext *context)
      : options(options), context(context) {}

  LogicalResult run();
  LogicalResult checkOnly();

private:
  LogicalResult load();
  LogicalResult passes(ModuleOp onModule, llvm::function_ref<void(OpPassManager &)> add);
  LogicalResult planToMemory();
  LogicalResult codegenAndEmit();
  LogicalResult print();
  InFlightDiagnostic error() { return emitError(UnknownLoc::get(context)); }
  bool needed(Stage stage) const {
    return (!options.from || *options.from < stage) && (!options.emit || stage <= *options.emit);
  }

  const CompileOptions &options;
  MLIRContext *context;
  OwningOpRef<ModuleOp> module;
};

} // namespace

/// The ONNX file, or the text of an earlier stage.
LogicalResult Compiler::load() {
  std::string why;
  std::optional<Target> target = loadTarget(options.target, why);
  if (!target)
    return error() << why;
  if (options.from) {
    ParserConfig config(context);
    module = parseSourceFile<ModuleOp>(options.input, config);
    onnx::WeightFiles::of(context).setFolder(llvm::sys::path::parent_path(options.input));
    if (!module || failed(onnx::checkFiles(*module)))
      return failure();
    if ((*module)->hasAttr(kTargetAttr))
      return success();
  } else {
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
  }
  (*module)->setAttr(kTargetAttr, target->attribute(context));
  return success();
}

LogicalResult Compiler::passes(ModuleOp onModule, llvm::function_ref<void(OpPassManager &)> add) {
  PassManager manager(context, ModuleOp::getOperationName());
  manager.enableVerifier(options.verifyEach);
  add(manager);
  return manager.run(onModule);
}

/// Plan, tile and memory; again with a smaller budget if packing fails.
LogicalResult Compiler::planToMemory() {
  bool plans = needed(Stage::Plan);
  bool packs = needed(Stage::Memory);
  if (!plans) {
    return passes(*module, [&](OpPassManager &manager) {
      if (needed(Stage::Tile))
        manager.addPass(createTileGroups());
      if (packs)
        manager.addPass(memory::createAssignAddresses());
    });
  }
  OwningOpRef<ModuleOp> before;
  for (int64_t budget = 100; budget >= 40; budget -= budget > 80 ? 5 : 10) {
    bool last = budget <= 40 || !packs || !options.schedule.empty();
    OwningOpRef<ModuleOp> attempt =
        last ? std::move(module) : OwningOpRef<ModuleOp>(module->clone());
    auto plan = [&](OpPassManager &manager) {
      PlanGroupsOptions planOptions;
      planOptions.budget = budget;
      planOptions.seed = options.planSeed;
      manager.addPass(createPlanGroups(planOptions));
    };
    if (failed(passes(*attempt, plan)))
      return failure();
    if (!options.scheduleOut.empty() && failed(writeSchedules(*attempt, options.scheduleOut)))
      return failure();
    if (failed(passes(*attempt, [&](OpPassManager &manager) {
          manager.addPass(createOutlineGroups());
          manager.addPass(createWritePrediction());
          if (needed(Stage::Tile)) {
            manager.addPass(createTileGroups());
            manager.addPass(createCanonicalizerPass());
            manager.addPass(createCSEPass());
          }
        })))
      return failure();
    if (!packs) {
      module = std::move(attempt);
      return success();
    }
    // A packing failure is the planner's concern, not yet the user's.
    std::string clash;
    LogicalResult packed = failure();
    {
      ScopedDiagnosticHandler quiet(context, [&](Diagnostic &diag) {
        if (last)
          return failure();
        if (clash.empty())
          clash = diag.str();
        return success();
      });
      packed = passes(*attempt, [&](OpPassManager &manager) {
        manager.addPass(memory::createAssignAddresses());
      });
    }
    if (succeeded(packed)) {
      module = std::move(attempt);
      return success();
    }
    if (last)
      return failure();
  }
  return failure();
}

LogicalResult Compiler::codegenAndEmit() {
  FailureOr<std::unique_ptr<codegen::Program>> program = codegen::buildProgram(*module);
  if (failed(program))
    return failure();
  FailureOr<codegen::EncodedProgram> encoded = codegen::encode(*module, **program);
  if (failed(encoded))
    return failure();
  emit::EmitOptions emitOptions;
  std::vector<std::unique_ptr<std::vector<char>>> dense;
  emitOptions.reader = [&](Attribute value, ShapedType) -> FailureOr<ArrayRef<char>> {
    std::string why;
    dense.push_back(std::make_unique<std::vector<char>>());
    auto bytes = onnx::rawBytes(value, context, *dense.back(), &why);
    if (!bytes)
      return error() << why, failure();
    return *bytes;
  };
  rt::ArtifactBuilder builder;
  if (failed(emit::emitArtifact(*module, *encoded, emitOptions, builder)))
    return failure();
  absl::Status status = builder.Write(options.output);
  if (!status.ok())
    return error() << std::string(status.message());
  return success();
}

LogicalResult Compiler::print() {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (options.output != "-") {
    onnx::relateFiles(*module, llvm::sys::path::parent_path(options.output));
    if (failed(onnx::spillOwnedWeights(*module, options.output + ".weights")))
      return failure();
  } else {
    onnx::inlineOwnedWeights(*module);
  }
  OpPrintingFlags flags;
  flags.enableDebugInfo(true, /*prettyForm=*/false);
  module->print(os, flags);
  os << '\n';
  std::string why;
  if (failed(writeAtomically(options.output, text, why)))
    return error() << why;
  return success();
}

LogicalResult Compiler::run() {
  if (failed(load()))
    return failure();
  if (needed(Stage::Graph)) {
    if (failed(checkBound(*module)))
      return failure();
    GraphOptions graph;
    graph.precision = options.precision;
    if (failed(
            passes(*module, [&](OpPassManager &manager) { buildGraphPipeline(manager, graph); })))
      return failure();
  }
  if (!options.schedule.empty() && failed(readSchedules(*module, options.schedule)))
    return failure();
  if (failed(planToMemory()))
    return failure();
  if (options.emit && *options.emit < Stage::Emit)
    return print();
  return codegenAndEmit();
}

LogicalResult Compiler::checkOnly() {
  if (failed(load()) || failed(checkBound(*module)))
    return failure();
  GraphOptions graph;
  graph.precision = options.precision;
  return passes(*module, [&](OpPassManager &manager) { buildGraphPipeline(manager, graph); });
}

LogicalResult accel::compile(const CompileOptions &options, MLIRContext *context) {
  return Compiler(options, context).run();
}

LogicalResult accel::check(const CompileOptions &options, MLIRContext *context) {
  return Compiler(options, context).checkOnly();
}

//===- acc-eval.cpp - evaluates a model with the reference evaluator ------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests: ONNX or MLIR (onnx dialect or tensor form) through the graph stage, if it
// is not in tensor form yet, and then through the evaluator.
//   acc-eval model.onnx --dim N=1 --input x=x.npy --output-dir out
//
//===----------------------------------------------------------------------===//

#include "Npy.h"

#include "acc/Graph/Interpret.h"
#include "acc/Graph/Passes.h"
#include "acc/Import/Import.h"
#include "onnx/Onnx.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace accel;

namespace cl = llvm::cl;

/// Name of an argument or result: its ONNX name, or its position.
static std::string nameOf(DictionaryAttr attrs, StringRef kind, unsigned index) {
  if (attrs)
    if (auto name = attrs.getAs<StringAttr>("onnx.name"))
      return name.str();
  return (kind + llvm::Twine(index)).str();
}

static std::string fileName(StringRef name) {
  std::string result = name.str();
  for (char &c : result)
    if (!isalnum(static_cast<unsigned char>(c)) && !StringRef("._-").contains(c))
      c = '_';
  return result;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::opt<std::string> file(cl::Positional, cl::desc("MODEL.onnx or MODULE.mlir"), cl::Required);
  cl::list<std::string> inputs("input", cl::desc("NAME=FILE.npy"));
  cl::list<std::string> dims("dim", cl::desc("NAME=N or INPUT[AXIS]=N"));
  cl::opt<std::string> directory("output-dir", cl::desc("where outputs go"), cl::init("."));
  cl::opt<std::string> precision("precision", cl::desc("f32, f16 or bf16"), cl::init("f32"));
  cl::opt<std::string> pipeline("pipeline", cl::desc("passes to run instead of the graph stage"));
  cl::opt<bool> print("print", cl::desc("print the tensor form"), cl::init(false));
  registerGraphPasses();
  registerPassManagerCLOptions();
  registerAsmPrinterCLOptions();
  cl::ParseCommandLineOptions(argc, argv, "acc: reference evaluator\n");

  DialectRegistry registry;
  registry.insert<AccelDialect, arith::ArithDialect, func::FuncDialect, math::MathDialect,
                  accel::onnx::OnnxDialect>();
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module;
  if (StringRef(file).ends_with(".onnx")) {
    ImportOptions options;
    for (StringRef dim : dims) {
      std::string error;
      auto binding = parseDimBinding(dim, error);
      if (failed(binding)) {
        llvm::errs() << "acc-eval: " << error << "\n";
        return 1;
      }
      options.dims.push_back(*binding);
    }
    module = importOnnx(file, options, &context);
  } else {
    module = parseSourceFile<ModuleOp>(file, &context);
  }
  if (!module)
    return 1;
  bool lowered = true;
  module->walk([&](Operation *op) { lowered &= op->getName().getDialectNamespace() != "onnx"; });
  if (!lowered || !pipeline.empty()) {
    PassManager manager(&context);
    if (failed(applyPassManagerCLOptions(manager)))
      return 1;
    if (!pipeline.empty()) {
      if (failed(parsePassPipeline(pipeline, manager)))
        return 1;
    } else {
      buildGraphPipeline(manager, GraphOptions{precision});
    }
    if (failed(manager.run(*module)))
      return 1;
  }
  auto main = module->lookupSymbol<func::FuncOp>("main");
  if (!main) {
    llvm::errs() << "acc-eval: " << file << " has no function @main\n";
    return 1;
  }
  if (print) {
    OpPrintingFlags flags;
    flags.elideLargeElementsAttrs(16).enableDebugInfo(true, false);
    module->print(llvm::outs(), flags);
  }
  llvm::StringMap<std::string> given;
  for (StringRef input : inputs) {
    auto [name, path] = input.rsplit('=');
    given[name] = path.str();
  }
  if (given.empty() && print)
    return 0;
  std::vector<HostTensor> values;
  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    std::string name = nameOf(main.getArgAttrDict(i), "input", i);
    if (!given.count(name)) {
      llvm::errs() << "acc-eval: give --input " << name << "=FILE.npy\n";
      return 1;
    }
    auto tensor = readNpy(given[name], cast<RankedTensorType>(main.getArgumentTypes()[i]));
    if (!tensor) {
      llvm::errs() << "acc-eval: " << llvm::toString(tensor.takeError()) << "\n";
      return 1;
    }
    values.push_back(*tensor);
  }
  auto results = evaluate(main, values);
  if (failed(results))
    return 1;
  (void)llvm::sys::fs::create_directories(directory);
  for (auto [i, result] : llvm::enumerate(*results)) {
    std::string path =
        directory + "/" + fileName(nameOf(main.getResultAttrDict(i), "output", i)) + ".npy";
    if (llvm::Error error = writeNpy(path, result)) {
      llvm::errs() << "acc-eval: " << llvm::toString(std::move(error)) << "\n";
      return 1;
    }
  }
  return 0;
}

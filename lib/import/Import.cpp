//===- Import.cpp - the order of the importer's steps ---------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/thread.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;

static OwningOpRef<ModuleOp> importModel(Model &model, const ImportOptions &options) {
  bool changed = false;
  if (failed(loadModel(model)) || failed(bindDims(model, options.dims)) ||
      failed(checkStructure(model)) || failed(replaceWithdrawn(model)) ||
      failed(checkSchemas(model)) || failed(inlineFunctions(model)) || failed(inferShapes(model)) ||
      failed(upgradeOpset(model, changed)) || (changed && failed(inferShapes(model))))
    return nullptr;
  OwningOpRef<ModuleOp> module = buildModule(model);
  if (module && failed(verify(*module)))
    return nullptr;
  return module;
}

OwningOpRef<ModuleOp> accel::importOnnx(StringRef path, const ImportOptions &options,
                                        MLIRContext *context) {
  context->loadDialect<ir::OnnxDialect, func::FuncDialect>();
  Model model;
  // A path that begins with `memory:` would name a buffer of this process.
  model.path = path.starts_with("memory:") ? "./" + path.str() : path.str();
  model.context = context;
  OwningOpRef<ModuleOp> module;
  // Protobuf, the checker and inference recurse once per nested subgraph.
  constexpr unsigned kStackBytes = 512u << 20; // address space; pages come as used
  auto run = [&] {
    try {
      module = importModel(model, options);
    } catch (const std::exception &exception) {
      model.error() << "'" << model.path
                    << "' cannot be imported: " << plainMessage(exception.what());
      module = nullptr;
    }
  };
  llvm::thread worker(std::optional<unsigned>(kStackBytes), run);
  worker.join();
  return module;
}

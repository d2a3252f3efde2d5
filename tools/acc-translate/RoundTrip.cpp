//===- RoundTrip.cpp - does a model survive the onnx dialect? -------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RoundTrip.h"

#include "onnx/Onnx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

/// The text of a module, so printed that parsing gives the same module again.
static std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  OpPrintingFlags flags;
  flags.enableDebugInfo();
  module->print(out, flags);
  return text;
}

/// Where two texts part, one line of each.
static std::string firstDifference(StringRef first, StringRef second) {
  for (unsigned line = 1; !first.empty() || !second.empty(); ++line) {
    StringRef a, b;
    std::tie(a, first) = first.split('\n');
    std::tie(b, second) = second.split('\n');
    if (a != b)
      return ("line " + Twine(line) + " was printed as '" + a + "', after parsing as '" + b + "'")
          .str();
  }
  return "";
}

static void roundTripOne(const std::string &model, const accel::ImportOptions &options,
                         const std::string &exported, std::vector<std::string> &errors) {
  MLIRContext importing, parsing;
  auto note = [&](Diagnostic &diagnostic) {
    errors.push_back(diagnostic.str());
    return success();
  };
  ScopedDiagnosticHandler noteImport(&importing, note), noteParse(&parsing, note);
  OwningOpRef<ModuleOp> module = accel::importOnnx(model, options, &importing);
  if (!module) {
    if (errors.empty())
      errors.push_back("import failed without saying why");
    return;
  }
  accel::onnx::inlineOwnedWeights(*module);
  std::string text = print(*module);
  parsing.loadDialect<accel::onnx::OnnxDialect, func::FuncDialect>();
  OwningOpRef<ModuleOp> parsed = parseSourceString<ModuleOp>(text, &parsing);
  if (!parsed) {
    if (errors.empty())
      errors.push_back("parsing failed without saying why");
    return;
  }
  if (std::string again = print(*parsed); again != text)
    errors.push_back(firstDifference(text, again));
  if (!exported.empty() && failed(accel::exportOnnx(*parsed, exported)) && errors.empty())
    errors.push_back("export failed without saying why");
}

unsigned accel::roundTrip(ArrayRef<std::string> models, const ImportOptions &options,
                          StringRef folder) {
  unsigned failures = 0;
  for (auto [position, model] : llvm::enumerate(models)) {
    SmallString<128> exported(folder);
    if (!folder.empty())
      llvm::sys::path::append(exported, Twine(position) + ".onnx");
    std::vector<std::string> errors;
    roundTripOne(model, options, exported.str().str(), errors);
    failures += !errors.empty();
    llvm::outs() << llvm::json::Value(
                        llvm::json::Object{{"model", model}, {"errors", llvm::json::Array(errors)}})
                 << '\n';
    llvm::outs().flush(); // a crash must not take earlier answers with it
  }
  return failures;
}

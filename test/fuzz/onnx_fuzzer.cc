//===- onnx_fuzzer.cc - libFuzzer: ONNX files through the importer --------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every input is scanned, imported, printed and parsed back. The scanner is built
// with its own instrumentation; the rest of the importer, ONNX and MLIR are not.
//
//   build/bin/acc_onnx_fuzzer -max_total_time=600 -max_len=4096 corpus/
//
//===----------------------------------------------------------------------===//

#include "../../lib/import/WireScan.h"

#include "acc/Import/Import.h"
#include "onnx/Onnx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;

static void require(bool condition, const char *what) {
  if (condition)
    return;
  llvm::errs() << "onnx_fuzzer: " << what << '\n';
  std::abort();
}

/// What is cut out lies inside the file, and a skeleton is never longer than the
/// file and a token for each tensor.
static void checkScan(llvm::ArrayRef<char> file) {
  accel::import::Skeleton skeleton = accel::import::scanModel(file);
  if (!skeleton.error.empty())
    return;
  for (const accel::import::CutTensor &cut : skeleton.tensors)
    require(cut.offset <= file.size() && cut.length <= file.size() - cut.offset,
            "a tensor reaches beyond the file");
  require(skeleton.bytes.size() <= file.size() + 64 * skeleton.tensors.size(),
          "the skeleton is longer than the file");
}

static void checkImport(const std::string &path) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  unsigned errors = 0;
  std::string said;
  ScopedDiagnosticHandler count(&context, [&](Diagnostic &diagnostic) {
    errors += diagnostic.getSeverity() == DiagnosticSeverity::Error;
    said = diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module = accel::importOnnx(path, {}, &context);
  require(bool(module) == (errors == 0), "an error without a failure, or the reverse");
  if (!module) {
    require(errors == 1, "more than one error");
    return;
  }
  accel::onnx::inlineOwnedWeights(*module);
  std::string text;
  llvm::raw_string_ostream out(text);
  module->print(out);
  if (!parseSourceString<ModuleOp>(text, &context)) {
    llvm::errs() << text << '\n' << said << '\n';
    require(false, "what was printed cannot be parsed");
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto *bytes = reinterpret_cast<const char *>(data);
  checkScan({bytes, size});
  int file = memfd_create("model.onnx", MFD_CLOEXEC);
  require(file >= 0 && write(file, data, size) == ssize_t(size), "no file for the model");
  checkImport("/proc/self/fd/" + std::to_string(file));
  close(file);
  return 0;
}

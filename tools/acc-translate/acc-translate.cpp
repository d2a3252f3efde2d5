//===- acc-translate.cpp - formats in and out of MLIR ---------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RoundTrip.h"
#include "acc/Emit/IsaTranslate.h"
#include "acc/Import/Import.h"
#include "acc/Import/WriteFile.h"
#include "isa/Isa.h"
#include "onnx/Onnx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

static constexpr const char *kHelp = R"(acc-translate: formats in and out of MLIR

  acc-translate --import-onnx MODEL.onnx [--dim NAME=N]... [-o FILE.mlir]
  acc-translate --export-onnx FILE.mlir -o MODEL.onnx
  acc-translate --round-trip MODEL.onnx... [--dim NAME=N]... [-o FOLDER]
  acc-translate --artifact-to-isa MODEL.acc [-o FILE.mlir]
  acc-translate --isa-to-artifact FILE.mlir -o MODEL.acc

options
  --dim NAME=N     size of a symbolic dimension, or of one axis with INPUT:AXIS=N
  -o FILE          where to write; `-` is the standard output (text only)
  -o FOLDER        where --round-trip writes the exported models: 0.onnx, 1.onnx, ...
  --no-locations   leave the ONNX node names (locations) out of the text
  --quiet          check only, print nothing

examples
  acc-translate --import-onnx det.onnx --dim x:2=640 --dim x:3=640 -o det.mlir
  acc-translate --export-onnx det.mlir -o again.onnx
  acc-translate --round-trip *.onnx                     imported, printed, parsed back alike?
  acc-translate --artifact-to-isa det.acc | less        every instruction, readable

exit status: 0 good, 1 the input's fault, 2 usage
)";

namespace {

struct Arguments {
  std::string import, exported, artifact, program, output = "-";
  std::vector<std::string> models; // of a round trip
  accel::ImportOptions options;
  bool locations = true, quiet = false, roundTrip = false;
};

int usage(const Twine &what) {
  llvm::errs() << "acc-translate: " << what << "\ntry `acc-translate --help`\n";
  return 2;
}

/// `file:line: error: message`, without a line for binary files.
void printDiagnostic(Diagnostic &diagnostic) {
  Location loc = diagnostic.getLocation();
  if (auto named = dyn_cast<NameLoc>(loc))
    loc = named.getChildLoc();
  if (auto file = dyn_cast<FileLineColLoc>(loc)) {
    llvm::errs() << file.getFilename().getValue();
    if (file.getLine())
      llvm::errs() << ':' << file.getLine() << ':' << file.getColumn();
    llvm::errs() << ": ";
  } else {
    llvm::errs() << "acc-translate: ";
  }
  bool isError = diagnostic.getSeverity() == DiagnosticSeverity::Error;
  llvm::errs() << (isError ? "error: " : "warning: ") << diagnostic << '\n';
}

int writeText(ModuleOp module, const Arguments &arguments, bool locations) {
  OpPrintingFlags flags;
  if (locations)
    flags.enableDebugInfo();
  auto print = [&](llvm::raw_ostream &out) {
    module->print(out, flags);
    out << '\n';
    return true;
  };
  accel::WriteResult written = accel::writeFile(arguments.output, print);
  if (!written.good)
    llvm::errs() << "acc-translate: error: " << written.reason << '\n';
  return written.good ? 0 : 1;
}

int importModel(const Arguments &arguments, MLIRContext &context) {
  OwningOpRef<ModuleOp> module = accel::importOnnx(arguments.import, arguments.options, &context);
  if (!module)
    return 1;
  if (arguments.quiet)
    return 0;
  accel::onnx::inlineOwnedWeights(*module);
  if (arguments.output != "-")
    accel::onnx::relateFiles(*module, llvm::sys::path::parent_path(arguments.output));
  return writeText(*module, arguments, arguments.locations);
}

int exportModel(const Arguments &arguments, MLIRContext &context) {
  if (arguments.output == "-")
    return usage("--export-onnx needs -o FILE");
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(arguments.exported, &context);
  accel::onnx::WeightFiles::of(&context).setFolder(
      llvm::sys::path::parent_path(arguments.exported));
  return module && succeeded(accel::exportOnnx(*module, arguments.output)) ? 0 : 1;
}

int readArtifact(const Arguments &arguments, MLIRContext &context) {
  OwningOpRef<ModuleOp> module = accel::emit::isaFromFile(
      arguments.artifact,
      arguments.output == "-" ? "" : llvm::sys::path::parent_path(arguments.output), &context);
  if (!module)
    return 1;
  // Node names are in the tables; as locations they would drown the instructions.
  return arguments.quiet ? 0 : writeText(*module, arguments, false);
}

int writeArtifact(const Arguments &arguments, MLIRContext &context) {
  if (arguments.output == "-")
    return usage("--isa-to-artifact needs -o FILE");
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(arguments.program, &context);
  accel::rt::ArtifactBuilder builder;
  if (!module || failed(accel::emit::artifactFromIsa(
                     *module, llvm::sys::path::parent_path(arguments.program), builder)))
    return 1;
  absl::Status status = builder.Write(arguments.output);
  if (status.ok())
    return 0;
  llvm::errs() << "acc-translate: error: " << std::string(status.message()) << '\n';
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    StringRef flag = argv[i], value;
    auto next = [&] {
      if (flag.starts_with("--") && flag.contains('=') && !flag.starts_with("--dim")) {
        std::tie(flag, value) = flag.split('=');
        return true;
      }
      if (i + 1 >= argc)
        return false;
      value = argv[++i];
      return true;
    };
    if (flag == "--help" || flag == "-h") {
      llvm::outs() << kHelp;
      return 0;
    }
    if (flag == "--no-locations") {
      arguments.locations = false;
    } else if (flag == "--quiet") {
      arguments.quiet = true;
    } else if (flag == "--import-onnx" || flag.starts_with("--import-onnx=")) {
      if (!next())
        return usage("--import-onnx needs a file");
      arguments.import = value.str();
    } else if (flag == "--export-onnx" || flag.starts_with("--export-onnx=")) {
      if (!next())
        return usage("--export-onnx needs a file");
      arguments.exported = value.str();
    } else if (flag == "--round-trip") {
      arguments.roundTrip = true;
    } else if (arguments.roundTrip && !flag.starts_with("-")) {
      arguments.models.push_back(flag.str());
    } else if (flag == "--artifact-to-isa" || flag.starts_with("--artifact-to-isa=")) {
      if (!next())
        return usage("--artifact-to-isa needs a file");
      arguments.artifact = value.str();
    } else if (flag == "--isa-to-artifact" || flag.starts_with("--isa-to-artifact=")) {
      if (!next())
        return usage("--isa-to-artifact needs a file");
      arguments.program = value.str();
    } else if (flag == "-o") {
      if (!next())
        return usage("-o needs a file");
      arguments.output = value.str();
    } else if (flag == "--dim" || flag.starts_with("--dim=")) {
      if (!flag.consume_front("--dim=")) {
        if (!next())
          return usage("--dim needs NAME=N");
        flag = value;
      }
      std::string error;
      auto binding = accel::parseDimBinding(flag, error);
      if (failed(binding))
        return usage(error);
      arguments.options.dims.push_back(*binding);
    } else {
      return usage("unknown argument '" + flag + "'");
    }
  }
  if (!arguments.import.empty() + !arguments.exported.empty() + !arguments.artifact.empty() +
          !arguments.program.empty() + arguments.roundTrip !=
      1)
    return usage("give one of --import-onnx, --export-onnx, --round-trip, --artifact-to-isa, "
                 "--isa-to-artifact");
  if (arguments.roundTrip && arguments.models.empty())
    return usage("--round-trip needs models");
  if (arguments.roundTrip) {
    StringRef folder = arguments.output == "-" ? "" : StringRef(arguments.output);
    return accel::roundTrip(arguments.models, arguments.options, folder) ? 1 : 0;
  }

  MLIRContext context;
  context.loadDialect<accel::instr::IsaDialect, accel::onnx::OnnxDialect, func::FuncDialect>();
  ScopedDiagnosticHandler handler(&context, [](Diagnostic &diagnostic) {
    printDiagnostic(diagnostic);
    return success();
  });
  if (!arguments.artifact.empty())
    return readArtifact(arguments, context);
  if (!arguments.program.empty())
    return writeArtifact(arguments, context);
  return arguments.import.empty() ? exportModel(arguments, context)
                                  : importModel(arguments, context);
}

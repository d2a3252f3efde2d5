//===- Compile.h - from an ONNX file to an artifact -----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The stages in the order that data flows. A newcomer starts reading in
// Compile.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_DRIVER_COMPILE_H
#define ACC_DRIVER_COMPILE_H

#include "acc/Target/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LogicalResult.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace accel {

enum class Stage { Import, Graph, Plan, Tile, Memory, Codegen, Emit };

/// The stage of a name (import, graph, plan, tile, memory, codegen, emit).
std::optional<Stage> stageNamed(llvm::StringRef name);
llvm::StringRef stageName(Stage stage);

struct CompileOptions {
  std::string input;  ///< ONNX file, or MLIR of a stage with `from`
  std::string output; ///< artifact or MLIR text; "-" is standard output (text)
  std::string target = "edge";
  std::vector<std::string> settings; ///< figures that replace the target's: TABLE.KEY=VALUE
  std::vector<std::string> dims;
  std::string precision = "f32";
  std::string schedule;               ///< file to obey
  std::string scheduleOut;            ///< file to write
  std::string scheduleDiff;           ///< file to compare `schedule` with, on standard output
  std::string report;                 ///< file to write: .json or .html
  std::optional<Stage> from, emit;    ///< `from` is at most codegen and before `emit`, or equal
  std::string planEffort = "default"; ///< fast, default or best
  int64_t planSeed = 0;               ///< random legal schedules, for tests
  bool verifyEach = false;
  std::function<void(Stage)> entered; ///< called as a stage begins
};

/// Runs the stages. Errors are diagnostics; nothing is left behind on failure.
mlir::LogicalResult compile(const CompileOptions &options, mlir::MLIRContext *context);

/// All of it except writing: everything that stands in the way of compiling is a
/// diagnostic.
mlir::LogicalResult check(const CompileOptions &options, mlir::MLIRContext *context);

} // namespace accel

#endif // ACC_DRIVER_COMPILE_H

//===- Compiler.h - one run of the compiler -------------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_LIB_DRIVER_COMPILER_H
#define ACC_LIB_DRIVER_COMPILER_H

#include "acc/Codegen/Encode.h"
#include "acc/Driver/Compile.h"
#include "acc/Driver/Pipelines.h"
#include "acc/Driver/Sweep.h"
#include "acc/Emit/Emit.h"
#include "acc/Plan/Planner.h"

#include <map>

namespace accel {

/// How a plan ends.
enum class Fit { Good, NotPacked, TooMuchCode, Error };

/// Bytes of code of the largest routine, if instruction memory holds less.
int64_t excessCode(mlir::ModuleOp module, const codegen::EncodedProgram &program);

struct FittingPlan {
  ProgramPlan plan{};
  Fit fit = Fit::Error;
  int64_t dramBytes = 0; ///< predicted
};

class Compiler {
public:
  Compiler(const CompileOptions &options, mlir::MLIRContext *context)
      : options(options), context(context) {}

  mlir::LogicalResult run();
  mlir::LogicalResult checkOnly();
  mlir::FailureOr<Sweep> sweepSram(llvm::ArrayRef<int64_t> sizes);

private:
  mlir::LogicalResult load();
  mlir::LogicalResult graph();
  mlir::LogicalResult planToMemory();
  PlanGroupsOptions planOptions() const;
  Fit attempt(const PlanGroupsOptions &planning, const ProgramPlan *plan, bool quiet,
              bool checkCode);
  mlir::LogicalResult findFit(int64_t sram, FittingPlan &found);
  int64_t sramBytes() const;
  mlir::LogicalResult generate(mlir::ModuleOp from);
  mlir::LogicalResult codegen(rt::ArtifactBuilder &builder);
  mlir::LogicalResult write(rt::ArtifactBuilder &builder);
  mlir::LogicalResult printModule();
  mlir::LogicalResult printProgram(rt::ArtifactBuilder &builder);
  mlir::LogicalResult diff();
  mlir::LogicalResult makeReport(const rt::ArtifactData &data, std::string &text);
  mlir::LogicalResult writeText(const std::string &path, llvm::StringRef text);
  mlir::LogicalResult printText(mlir::ModuleOp text, const mlir::OpPrintingFlags &flags);

  mlir::LogicalResult passes(mlir::ModuleOp onModule,
                             llvm::function_ref<void(mlir::OpPassManager &)> add);
  mlir::InFlightDiagnostic error() { return mlir::emitError(mlir::UnknownLoc::get(context)); }
  /// Whether a stage is to be run.
  bool needed(Stage stage) const {
    return (!options.from || *options.from < stage) && (!options.emit || stage <= *options.emit);
  }
  bool endsAt(Stage stage) const { return options.emit == stage; }
  void enter(Stage stage) {
    if (options.entered)
      options.entered(stage);
  }

  const CompileOptions &options;
  mlir::MLIRContext *context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OwningOpRef<mlir::ModuleOp> attempted;    ///< what the last attempt made of `module`
  std::optional<codegen::EncodedProgram> encoded; ///< the program of `attempted`, if it is known
  std::string schedules;                          ///< text of --schedule-out
  std::map<int64_t, std::unique_ptr<Planner>> planners; ///< by length of groups
  std::map<int64_t, std::vector<ProgramPlan>> refusals; ///< of each, in order
  /// What became of plans, by length of groups and schedules.
  llvm::DenseMap<std::pair<int64_t, mlir::Attribute>, FittingPlan> outcomes;
  /// Constants that had to be copied, until the artifact is written.
  std::vector<std::unique_ptr<std::vector<char>>> copies;
};

} // namespace accel

#endif // ACC_LIB_DRIVER_COMPILER_H

//===- Sweep.cpp - one model on chips of many sizes -----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Driver/Sweep.h"

#include "Compiler.h"

#include "acc/Plan/Bounds.h"
#include "acc/Plan/Routine.h"

using namespace mlir;
using namespace accel;

/// Text of an error with its notes.
static std::string textOf(Diagnostic &diagnostic) {
  std::string text = diagnostic.str();
  for (Diagnostic &note : diagnostic.getNotes())
    text += "; " + note.str();
  return text;
}

FailureOr<Sweep> Compiler::sweepSram(ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> ascending(sizes);
  llvm::sort(ascending);
  ascending.erase(llvm::unique(ascending), ascending.end());
  for (int64_t size : ascending) {
    std::vector<std::string> settings = options.settings;
    settings.push_back("sram.bytes=" + std::to_string(size));
    std::string why;
    if (!loadTarget(options.target, why, settings))
      return error() << why;
  }
  if (failed(load()) || failed(graph()))
    return failure();
  FailureOr<Limits> limits = limitsOf(*module);
  auto main = module->lookupSymbol<func::FuncOp>("main");
  if (failed(limits) || !main)
    return failure();
  BoundGraph bounds = BoundGraph::of(main);
  // The largest chip allows what any of them does.
  NamedAttrList target((*module)->getAttrOfType<DictionaryAttr>(kTargetAttr));
  target.set("sram_bytes", Builder(context).getI64IntegerAttr(ascending.back()));
  (*module)->setAttr(kTargetAttr, target.getDictionary(context));
  Sweep sweep;
  sweep.target = options.target;
  sweep.compulsoryBytes = compulsoryBytes(bounds);
  for (int64_t size : ascending) {
    SweepPoint &point = sweep.points.emplace_back();
    point.sramBytes = size;
    point.boundBytes = boundAt(bounds, size + limits->accBytes);
    ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
      if (point.why.empty())
        point.why = textOf(diagnostic);
      return success();
    });
    FittingPlan found;
    if (failed(findFit(size, found)))
      continue;
    if (found.fit == Fit::TooMuchCode) {
      point.why = "a routine has more code than the instruction memory holds";
      continue;
    }
    point.dramBytes = found.dramBytes;
    point.plannedBytes = found.plan.sramBytes;
  }
  return sweep;
}

FailureOr<Sweep> accel::sweepSram(const CompileOptions &options, ArrayRef<int64_t> sizes,
                                  MLIRContext *context) {
  return Compiler(options, context).sweepSram(sizes);
}

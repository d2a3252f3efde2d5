//===- Schedules.cpp - schedules as a file --------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Driver/Schedules.h"

#include "acc/Plan/Routine.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace accel;

std::string accel::printSchedules(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "// Schedules of acc, one entry for each group in program order. Edit and give it to\n"
        "// acc compile --schedule; results stay the same bit for bit.\n"
        "module attributes {"
     << kSchedulesAttr << " = [";
  auto main = module.lookupSymbol<func::FuncOp>("main");
  bool first = true;
  for (GroupOp group : main.getOps<GroupOp>()) {
    os << (first ? "\n" : ",\n") << "  {members = [";
    first = false;
    llvm::interleaveComma(group.getBody().front().without_terminator(), os, [&](Operation &op) {
      os << '"';
      llvm::printEscapedString(memberName(&op), os);
      os << '"';
    });
    os << "],\n   schedule = " << group.getScheduleAttr() << "}";
  }
  os << "\n]} {}\n";
  return text;
}

LogicalResult accel::readSchedules(ModuleOp module, StringRef path) {
  ParserConfig config(module.getContext());
  OwningOpRef<ModuleOp> file = parseSourceFile<ModuleOp>(path, config);
  if (!file)
    return failure();
  auto schedules = (*file)->getAttrOfType<ArrayAttr>(kSchedulesAttr);
  if (!schedules)
    return file->emitError("has no attribute ") << kSchedulesAttr << "; is this a schedule file?";
  module->setAttr(kSchedulesAttr, schedules);
  return success();
}

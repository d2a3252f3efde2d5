//===- CheckBound.cpp - sizes that a compilation needs --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Import/Import.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

LogicalResult accel::checkBound(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return success();
  std::vector<std::string> inputs, flags;
  for (BlockArgument argument : main.getArguments()) {
    unsigned number = argument.getArgNumber();
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    auto name = main.getArgAttrOfType<StringAttr>(number, "onnx.name");
    auto dims = main.getArgAttrOfType<ArrayAttr>(number, "onnx.dims");
    if (!type || type.hasStaticShape() || !name)
      continue;
    std::vector<std::string> shape;
    for (auto [axis, size] : llvm::enumerate(type.getShape())) {
      auto symbol = dims && axis < dims.size() ? dyn_cast<StringAttr>(dims[axis]) : StringAttr();
      bool named = symbol && !symbol.empty();
      shape.push_back(!ShapedType::isDynamic(size) ? std::to_string(size)
                      : named                      ? symbol.str()
                                                   : "?");
      std::string flag =
          "--dim " + (named ? symbol.str() : name.str() + ":" + std::to_string(axis)) + "=N";
      if (ShapedType::isDynamic(size) && !llvm::is_contained(flags, flag))
        flags.push_back(flag);
    }
    inputs.push_back("'" + name.str() + "' [" + llvm::join(shape, ", ") + "]");
  }
  if (flags.empty())
    return success();
  return emitError(module.getLoc())
         << "sizes of graph inputs are not known: " << llvm::join(inputs, ", ") << "; give "
         << llvm::join(flags, " ");
}

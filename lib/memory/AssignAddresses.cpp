//===- AssignAddresses.cpp - the pass of the memory stage ------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs after tile, before codegen. Never changes result bits.
//===----------------------------------------------------------------------===//

#include "acc/Memory/Addresses.h"
#include "acc/Memory/Passes.h"
#include "acc/Plan/Routine.h"

namespace accel::memory {
#define GEN_PASS_DEF_ASSIGNADDRESSES
#include "acc/Memory/Passes.h.inc"

namespace {

struct AssignAddresses : impl::AssignAddressesBase<AssignAddresses> {
  using AssignAddressesBase::AssignAddressesBase;

  void runOnOperation() override {
    mlir::ModuleOp module = getOperation();
    Limits limits;
    auto target = module->getAttrOfType<mlir::DictionaryAttr>("accel.target");
    auto figure = [&](llvm::StringRef key, int64_t option, int64_t otherwise) {
      if (option)
        return option;
      auto value = target ? target.getAs<mlir::IntegerAttr>(key) : nullptr;
      return value ? value.getInt() : otherwise;
    };
    limits.sramBytes = figure("sram_bytes", sramBytes, limits.sramBytes);
    if (auto planned = module->getAttrOfType<mlir::IntegerAttr>(kPlannedSramAttr))
      limits.sramBytes = std::min(limits.sramBytes, planned.getInt());
    limits.accBytes = figure("acc_bytes", accBytes, limits.accBytes);

    PackingFailure failure;
    if (mlir::failed(assignAddresses(module, limits, failure))) {
      if (!failure.function.empty())
        report(module, failure);
      return signalPassFailure();
    }
    module.walk([&](AllocOp) { ++buffers; });
    for (auto routine : module.getOps<mlir::func::FuncOp>())
      frames += routine->hasAttr("accel.frame_bytes");
  }
};

} // namespace
} // namespace accel::memory

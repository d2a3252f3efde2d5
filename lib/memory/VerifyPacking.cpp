//===- VerifyPacking.cpp - a check of every address -------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs after assign-addresses, by hand. Changes nothing.
//===----------------------------------------------------------------------===//

#include "acc/Memory/Addresses.h"
#include "acc/Memory/Passes.h"

namespace accel::memory {
#define GEN_PASS_DEF_VERIFYPACKING
#include "acc/Memory/Passes.h.inc"

namespace {

struct VerifyPacking : impl::VerifyPackingBase<VerifyPacking> {
  using VerifyPackingBase::VerifyPackingBase;

  void runOnOperation() override {
    if (mlir::failed(verifyPacking(getOperation())))
      signalPassFailure();
  }
};

} // namespace
} // namespace accel::memory

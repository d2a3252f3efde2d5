//===- Passes.td - passes of the memory stage ------------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_MEMORY_PASSES_TD
#define ACC_MEMORY_PASSES_TD

include "mlir/Pass/PassBase.td"

def AssignAddresses : Pass<"assign-addresses", "::mlir::ModuleOp"> {
  let summary = "gives every buffer and tensor of a tile program its address";
  let description = [{
    Why here: only the tile program says when each buffer is live, and codegen
    needs constants to fold into descriptors. A routine's buffers are packed into
    a frame of its own, relative to a base that each call sets, so that equal
    layers share code wherever their frames lie; frames, residents and the DRAM
    workspace are then packed along the sequence of calls. Addresses never change
    result bits.

    Fails, with the buffers that clash, if a memory is too small: the driver then
    plans again with a smaller budget.
  }];
  let options = [
    Option<"sramBytes", "sram-bytes", "int64_t", "0",
           "size of the scratchpad; 0: that of the module's target; never more than the plan was made for">,
    Option<"accBytes", "acc-bytes", "int64_t", "0",
           "size of the accumulators; 0: that of the module's target">];
  let statistics = [
    Statistic<"frames", "frames", "routines whose frame was packed">,
    Statistic<"buffers", "buffers", "buffers that got an address">];
}

def VerifyPacking : Pass<"verify-packing", "::mlir::ModuleOp"> {
  let summary = "checks every address: no two live buffers share a byte";
  let description = [{
    A naive check apart from the packer, for programs whose addresses were written
    by hand or by another pass. Within an iteration of a loop buffers may share
    bytes once their last use is over, which is the most that codegen can order.
    Frames, accumulators, residents and the DRAM workspace are checked, each pair
    of buffers against each other.
  }];
}

#endif

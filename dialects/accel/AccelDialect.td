//===- AccelDialect.td - the accelerator dialect ---------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACCEL_DIALECT_TD
#define ACCEL_DIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Accel_Dialect : Dialect {
  let name = "accel";
  let cppNamespace = "::accel";
  let summary = "Structured tensor operations, schedules and tile programs of an accelerator";
  let description = [{
    The dialect has three forms, one for each part of the pipeline:

    * **tensor form** (after `graph`): structured operations on tensors. A
      compute operation has primary inputs that its kernel reads (the window of
      a convolution, the rows of a softmax) and extra inputs that its body reads
      element by element through an affine map from the result's dimensions. The
      body is the epilogue: scalar operations that turn what the kernel
      produced into the stored element. Views (transpose, reshape, slice,
      concat, ...) say where bytes are and move none.
    * **grouped form** (after `plan`): connected parts of the graph in
      `accel.group`, each with a `#accel.schedule`.
    * **tile form** (after `tile`): loops over buffers in `dram`, `sram` and
      `acc`, with one operation for each engine instruction (`accel.dma`,
      `accel.mxu`, `accel.vec`) whose streams are affine walks.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect"];
  let useDefaultAttributePrinterParser = 1;
}

class Accel_Op<string mnemonic, list<Trait> traits = []>
    : Op<Accel_Dialect, mnemonic, traits>;

class Accel_Attr<string name, string mnem> : AttrDef<Accel_Dialect, name> {
  let mnemonic = mnem;
}

#endif

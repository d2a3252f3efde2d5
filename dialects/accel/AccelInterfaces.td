//===- AccelInterfaces.td - what every compute operation offers -*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACCEL_INTERFACES_TD
#define ACCEL_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Accel_ComputeOpInterface : OpInterface<"ComputeOpInterface"> {
  let cppNamespace = "::accel";
  let description = [{
    A structured operation: primary inputs, extra inputs read by the body
    through affine maps from the result's dimensions, one result.
  }];
  let methods = [
    InterfaceMethod<"operands that the kernel reads", "::mlir::OperandRange", "getPrimary", (ins)>,
    InterfaceMethod<"operands that the body reads", "::mlir::OperandRange", "getExtras", (ins)>,
    InterfaceMethod<"maps from result dimensions to each extra operand", "::mlir::ArrayAttr", "getMaps", (ins)>,
    InterfaceMethod<"the epilogue", "::mlir::Region &", "getBody", (ins)>,
  ];
}

#endif

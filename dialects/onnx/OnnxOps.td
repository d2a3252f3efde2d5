//===- OnnxOps.td - operators of ONNX and a few of our own -----*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_ONNX_OPS_TD
#define ACC_ONNX_OPS_TD

include "onnx/OnnxDialect.td"
include "onnx/OnnxGenerated.td" // written when acc is built

def Onnx_NoneOp : Onnx_Op<"None"> {
  let summary = "stands for an optional operand that is absent";
  let arguments = (ins);
  let results = (outs NoneType:$result);
}

def Onnx_WeightOp : Onnx_Op<"Weight"> {
  let summary = "a constant tensor of the model";
  let description = [{
    An initializer, or a `Constant` node that holds a tensor. Small values are
    dense attributes, larger ones stay in their file.
  }];
  let arguments = (ins Onnx_TensorValue:$value);
  let results = (outs AnyType:$result);
  let hasVerifier = 1;
}

def Onnx_CustomOp : Onnx_Op<"Custom"> {
  let summary = "an operator of another domain, or one that ONNX does not know";
  let description = [{
    Kept so that the model imports and the stage that lowers it can name the
    node. The node's attributes stand in `fields` by name. `graph_names` gives the
    attribute of each region; those in `graph_lists` are lists of graphs.
  }];
  let arguments = (ins Variadic<AnyType>:$inputs, StrAttr:$domain, StrAttr:$op_type,
                       OptionalAttr<StrAttr>:$overload, OptionalAttr<DictionaryAttr>:$fields,
                       OptionalAttr<StrArrayAttr>:$graph_names,
                       OptionalAttr<StrArrayAttr>:$graph_lists);
  let results = (outs Variadic<AnyType>:$outputs);
  let regions = (region VariadicRegion<AnyRegion>:$graphs);
}

def Onnx_YieldOp : Onnx_Op<"Yield", [Terminator]> {
  let summary = "ends a subgraph with its outputs";
  let arguments = (ins Variadic<AnyType>:$outputs);
  let hasVerifier = 1;
}

#endif // ACC_ONNX_OPS_TD

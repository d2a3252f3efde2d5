//===- AccelTensorOps.td - structured operations on tensors ----*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACCEL_TENSOR_OPS_TD
#define ACCEL_TENSOR_OPS_TD

include "AccelAttrs.td"
include "AccelInterfaces.td"
include "AccelSchedule.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/IR/OpAsmInterface.td"

//===----------------------------------------------------------------------===//
// Scalars and constants
//===----------------------------------------------------------------------===//

def Accel_YieldOp : Accel_Op<"yield", [Pure, ReturnLike, Terminator]> {
  let summary = "ends a body or a group and yields its values";
  let description = [{
    In the body of a compute operation: one scalar of the result's element type.
    In `accel.group`: the tensors that leave it, in the order of its results.
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ (void)$_state; }]>];
}

def Accel_ConvertOp : Accel_Op<"convert", [Pure]> {
  let summary = "converts a scalar between element types";
  let description = [{
    Float to narrower float: round to nearest even. Float to integer: with
    `saturate` round to nearest even and clamp (what a store to a quantised
    tensor does), otherwise truncate toward zero. Integer to integer: wrap, or
    clamp with `saturate`. To i1: not equal to zero.
  }];
  let arguments = (ins AnyType:$in, UnitAttr:$saturate);
  let results = (outs AnyType:$out);
  let assemblyFormat = "$in (`saturate` $saturate^)? attr-dict `:` type($in) `to` type($out)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

class Accel_ScalarUnary<string mnemonic, string what> : Accel_Op<mnemonic,
    [Pure, SameOperandsAndResultType]> {
  let summary = what;
  let arguments = (ins AnyFloat:$in);
  let results = (outs AnyFloat:$out);
  let assemblyFormat = "$in attr-dict `:` type($out)";
}
def Accel_SigmoidOp : Accel_ScalarUnary<"sigmoid", "1 / (1 + exp(-x))">;
def Accel_RecipOp : Accel_ScalarUnary<"recip", "1 / x, correctly rounded">;

def Accel_ConstantOp : Accel_Op<"constant", [Pure, ConstantLike]> {
  let summary = "a constant tensor that lives in the weights region";
  let description = [{
    `value` is a dense attribute for small constants or a reference into a
    mapped file; `pack` says how its bytes are laid out when the artifact is
    written. The result type is the type after packing.
  }];
  let arguments = (ins AnyAttr:$value, OptionalAttr<Accel_PackAttr>:$pack);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "`(` $value `)` (`pack` $pack^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Compute operations
//===----------------------------------------------------------------------===//

class Accel_ComputeOp<string mnemonic, dag primary, dag attrs = (ins)> : Accel_Op<mnemonic,
    [Pure, SingleBlock, DeclareOpInterfaceMethods<Accel_ComputeOpInterface, ["getPrimary"]>]> {
  let arguments = !con(primary, (ins Variadic<AnyStaticShapeTensor>:$extras,
                                     DefaultValuedAttr<AffineMapArrayAttr, "{}">:$maps), attrs);
  let results = (outs AnyStaticShapeTensor:$result);
  let regions = (region SizedRegion<1>:$body);
  let hasVerifier = 1;
}

class Accel_UnaryComputeOp<string mnemonic, dag attrs = (ins)>
    : Accel_ComputeOp<mnemonic, (ins AnyStaticShapeTensor:$input), attrs> {
  let assemblyFormat = [{
    $input (`extras` `(` $extras^ `)`)? attr-dict-with-keyword
    `:` functional-type(operands, results) $body
  }];
}
class Accel_BinaryComputeOp<string mnemonic, dag attrs = (ins)>
    : Accel_ComputeOp<mnemonic, (ins AnyStaticShapeTensor:$input, AnyStaticShapeTensor:$weight), attrs> {
  let assemblyFormat = [{
    $input `,` $weight (`extras` `(` $extras^ `)`)? attr-dict-with-keyword
    `:` functional-type(operands, results) $body
  }];
}

def Accel_ConvOp : Accel_BinaryComputeOp<"conv", (ins
    DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
    DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$input_dilations,
    DefaultValuedAttr<I64Attr, "1">:$groups,
    DefaultValuedAttr<I64Attr, "0">:$input_zero_point,
    DefaultValuedAttr<I64Attr, "0">:$weight_zero_point)> {
  let summary = "2-D convolution, channels last";
  let description = [{
    input [N, H, W, C], weight packed as [G, K, OC/G] (`#accel.pack<conv>`), or
    [KH*KW, C] if `groups` = C = OC (depthwise); result [N, OH, OW, OC]. pads =
    [top, left, bottom, right]. With `input_dilations` (a transposed
    convolution) the input index is (oh*stride + kh*dilation - top) /
    input_dilation, and it only counts where that is exact. The reduction runs
    over blocks of 32 channels, then kh, kw, then the channel in its block, one
    f32 FMA (or exact i32 multiply-add) a step. Floats are summed in chains of
    a block (1x1: 128 channels), whose sums are added in order, as MXU of the
    ISA defines. Elements are taken minus their
    zero point; out of bounds elements contribute nothing. The body's first
    argument is the accumulator (f32 or i32), the others are the extras'
    elements.
  }];
}

def Accel_MatmulOp : Accel_BinaryComputeOp<"matmul", (ins UnitAttr:$transpose_b,
    DefaultValuedAttr<I64Attr, "0">:$input_zero_point,
    DefaultValuedAttr<I64Attr, "0">:$weight_zero_point)> {
  let summary = "batched matrix product";
  let description = [{
    input [B..., M, K], weight [B'..., K, N], or [B'..., N, K] with
    `transpose_b`; result [B..., M, N]. There is at least one batch dimension;
    each of the weight's is 1 (all batches read the same matrix, as query heads
    that share a key) or that of the result. The reduction over K ascends, one
    f32 FMA (or exact i32 multiply-add) a step, floats in chains of 128 steps
    whose sums are added in order. Body as in `accel.conv`.
  }];
}

def Accel_MapOp : Accel_ComputeOp<"map", (ins)> {
  let summary = "elementwise operation";
  let description = [{
    Every operand is an extra: the body's arguments are the operands' elements
    at maps(result index). A map's results are each `d * step + offset` of one
    result dimension, or a constant (broadcast). Results may have any rank up
    to 6.
  }];
  let assemblyFormat = [{
    (`extras` `(` $extras^ `)`)? attr-dict-with-keyword
    `:` functional-type(operands, results) $body
  }];
}

def Accel_ReduceOp : Accel_UnaryComputeOp<"reduce", (ins Accel_ReduceKindAttr:$kind,
    DenseI64ArrayAttr:$dims, DefaultValuedAttr<BoolAttr, "false">:$square,
    DefaultValuedAttr<BoolAttr, "false">:$absolute)> {
  let summary = "reduction over dimensions, which stay with size 1";
  let description = [{
    Elements ascend in row-major order of the reduced dimensions. If the last
    dimension is reduced the order is `lanes` (16 partials by index modulo 16,
    then a fixed tree), otherwise `sequential`. `square` and `absolute` apply
    to an element before it is combined. The body gets the reduced value in the
    accumulation type (f32; i32 and i64 for integers).
  }];
}

def Accel_PoolOp : Accel_UnaryComputeOp<"pool", (ins Accel_ReduceKindAttr:$kind,
    DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
    DenseI64ArrayAttr:$dilations, DefaultValuedAttr<BoolAttr, "false">:$square)> {
  let summary = "window reduction, channels last";
  let description = [{
    input [N, H, W, C], result [N, OH, OW, C]; kinds sum and max, the window in
    row-major order, elements out of bounds do not take part. An average is a
    sum with the factor in the body (a constant extra where border windows
    count fewer elements).
  }];
}

def Accel_SoftmaxOp : Accel_UnaryComputeOp<"softmax", (ins
    DefaultValuedAttr<BoolAttr, "false">:$log)> {
  let summary = "softmax over the last dimension";
  let description = [{
    One algorithm whatever the schedule: m = max (lanes), e = exp(x - m), s =
    sum e (lanes), result e * (1/s); with `log` (x - m) - log(s).
  }];
}

def Accel_NormalizeOp : Accel_UnaryComputeOp<"normalize", (ins DenseI64ArrayAttr:$dims,
    F64Attr:$eps, DefaultValuedAttr<BoolAttr, "false">:$rms)> {
  let summary = "(x - mean) / sqrt(variance + eps) over dimensions";
  let description = [{
    Two passes: mean = sum(x)/n, variance = sum((x-mean)^2)/n, with the order of
    `accel.reduce`. `rms`: mean is 0. Scale and bias belong to the body.
  }];
}

def Accel_GatherOp : Accel_BinaryComputeOp<"gather"> {
  let summary = "rows of a table by index";
  let description = [{
    input [V, D...] (the table), weight: indices of any shape I (i32 or i64,
    negative from the end); result I x D. An index out of range is a run error.
  }];
}

def Accel_CopyOp : Accel_UnaryComputeOp<"copy"> {
  let summary = "a copy that has a reason: a view that no descriptor can express, a constant or input that is an output";
  let description = [{
    Planning inserts it where the layout of a view cannot be written as (size,
    stride) modes, and where a graph output is a constant or an input. It moves
    bytes like any other operation: planned, predicted and counted.
  }];
}

def Accel_PadOp : Accel_UnaryComputeOp<"pad", (ins DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
    AnyAttr:$value)> {
  let summary = "constant padding (negative amounts crop)";
  let description = [{
    Result index i reads input index i - low; outside of the input the element is
    `value`. The borders of a convolution or pool are part of that operation and
    need no pad. Other modes (reflect, edge) are slices side by side.
  }];
}

//===----------------------------------------------------------------------===//
// Views: where bytes are, nothing moves
//===----------------------------------------------------------------------===//

class Accel_ViewOp<string mnemonic, dag attrs = (ins)> : Accel_Op<mnemonic, [Pure]> {
  let arguments = !con((ins AnyStaticShapeTensor:$input), attrs);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
}
def Accel_TransposeOp : Accel_ViewOp<"transpose", (ins DenseI64ArrayAttr:$perm)> {
  let summary = "result dimension i is input dimension perm[i]";
  let description = [{
    Layout: the dimensions' modes in another order. Whoever reads or writes the
    result walks the same bytes with permuted strides.
  }];
}
def Accel_ReshapeOp : Accel_ViewOp<"reshape"> {
  let summary = "same elements in row-major order, another shape";
  let description = [{
    Layout: modes are split and joined. A dimension that is merged from parts with
    unrelated strides keeps several modes (channel shuffle); where modes cannot be
    grouped, planning puts an `accel.copy`.
  }];
}
def Accel_SliceOp : Accel_ViewOp<"slice", (ins DenseI64ArrayAttr:$offsets, DenseI64ArrayAttr:$steps)> {
  let summary = "elements offset + i*step of every dimension (steps may be negative)";
  let description = [{
    Layout: the offset moves, strides are multiplied. A producer cannot write
    through it, because elements between belong to nobody.
  }];
}
def Accel_RepeatOp : Accel_ViewOp<"repeat", (ins DenseI64ArrayAttr:$factors)> {
  let summary = "each element repeated factor times in place along every dimension (nearest upsampling)";
  let description = [{
    Result index i is input index i / factor. Layout: an inner mode of stride 0, so
    that a transfer reads each stored element once.
  }];
}
def Accel_BroadcastOp : Accel_ViewOp<"broadcast"> {
  let summary = "dimensions of size 1 become larger (ranks are equal)";
  let description = [{
    Layout: a mode of stride 0. Elementwise operations do not need it, their maps
    broadcast.
  }];
}
def Accel_ConcatOp : Accel_Op<"concat", [Pure]> {
  let summary = "tensors side by side along an axis";
  let description = [{
    Not a view of one input but the opposite: each input's producer writes its part
    of the result's stored tensor. An input that has another home already (a graph
    input, a constant, a part of another concatenation) is copied.
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$inputs, I64Attr:$axis);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$inputs attr-dict `:` functional-type($inputs, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

def Accel_GroupOp : Accel_Op<"group", [IsolatedFromAbove, SingleBlock]> {
  let summary = "operations that run in one loop nest";
  let description = [{
    What is inside stays on the chip between its producer and its consumers;
    operands come from and results go to the memory that the schedule names.
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$inputs, OptionalAttr<Accel_ScheduleAttr>:$schedule);
  let results = (outs Variadic<AnyStaticShapeTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`(` $inputs `)` (`schedule` `(` $schedule^ `)`)? attr-dict-with-keyword `:` functional-type(operands, results) $body";
  let hasVerifier = 1;
}

#endif

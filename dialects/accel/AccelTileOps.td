//===- AccelTileOps.td - tile programs: buffers and engine operations -*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACCEL_TILE_OPS_TD
#define ACCEL_TILE_OPS_TD

include "AccelAttrs.td"
include "AccelTensorOps.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Accel_AllocOp : Accel_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a buffer in SRAM or the accumulators (in a routine), in SRAM or the DRAM workspace (in main)";
  let description = [{
    Where it stands is its lifetime: in a loop's body it is a new buffer in each
    iteration, and `depth` of them rotate, so that iteration i may be written
    while i - depth + 1 is still read. Outside of a loop it persists. `slack`
    (a circular buffer filled by the loop that follows) is the number of
    iterations that the writer may run ahead of the reader.
    The memory stage adds `address`: a byte offset in the routine's frame, or in
    the memory itself for those of main.
  }];
  let arguments = (ins DefaultValuedAttr<I64Attr, "1">:$depth,
                       DefaultValuedAttr<I64Attr, "1">:$slack,
                       OptionalAttr<I64Attr>:$address, OptionalAttr<StrAttr>:$name);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Accel_TensorOp : Accel_Op<"tensor", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a tensor in DRAM: a constant, a model input or output, or one in the workspace (in main)";
  let description = [{
    kind: `weights` (with value and pack as `accel.constant`), `input`,
    `output`, `workspace`, `state`. `name` is the ONNX tensor name; for the
    ledger, the debug map and the artifact's signature. `address`, added by the
    memory stage, is the byte offset in the region of that kind. `index` orders
    inputs and outputs; `type` is their logical ONNX type.
  }];
  let arguments = (ins StrAttr:$kind, StrAttr:$name, OptionalAttr<I64Attr>:$index,
                       OptionalAttr<AnyAttr>:$value, OptionalAttr<Accel_PackAttr>:$pack,
                       OptionalAttr<TypeAttr>:$type, OptionalAttr<I64Attr>:$address);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Accel_OffsetOp : Accel_Op<"offset", [Pure]> {
  let summary = "the same memory, some bytes further (an argument of a routine that works on a part of a tensor)";
  let description = [{
    In main only. The routine gets the sum as a base address in a register, so that
    equal layers with other weights are calls of one routine.
  }];
  let arguments = (ins AnyMemRef:$source, I64Attr:$bytes);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$source `+` $bytes attr-dict `:` type($source) `to` type($result)";
  let hasVerifier = 1;
}

class Accel_EngineOp<string mnemonic, dag attrs, dag regs = (region)>
    : Accel_Op<mnemonic, [AttrSizedOperandSegments]> {
  let arguments = !con((ins Variadic<AnyMemRef>:$buffers, Variadic<Index>:$dyn,
                       DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$size_dyn,
                       ArrayAttr:$streams), attrs);
  let regions = regs;
  let hasVerifier = 1;
}

def Accel_DmaOp : Accel_EngineOp<"dma", (ins Accel_EngineAttr:$engine, Accel_ReasonAttr:$reason,
    OptionalAttr<AnyAttr>:$fill, UnitAttr:$gather, OptionalAttr<I64Attr>:$gather_bound)> {
  let summary = "moves a box between DRAM and SRAM (streams: destination, source [, index]) or fills one";
  let description = [{
    sizes: six iteration extents (upper bounds), size_dyn: index into `dyn` of the
    actual extent or -1. The first results of `streams` and `buffers` go together.
  }];
  let assemblyFormat = "`(` $buffers `:` type($buffers) `)` (`dyn` `(` $dyn^ `)`)? attr-dict";
}
def Accel_MxuOp : Accel_EngineOp<"mxu", (ins UnitAttr:$depthwise,
    DefaultValuedAttr<I64Attr, "-1">:$init_dyn, UnitAttr:$accumulate,
    DefaultValuedAttr<I64Attr, "0">:$za, DefaultValuedAttr<I64Attr, "0">:$zb)> {
  let summary = "acc (+)= A x B (streams: accumulator, A, B; dims m0 m1 n kh kw c)";
  let description = [{
    Overwrites the accumulators, or adds to them with `accumulate`, or, with
    init_dyn >= 0, overwrites only where dyn[init_dyn] is 0.
  }];
  let assemblyFormat = "`(` $buffers `:` type($buffers) `)` (`dyn` `(` $dyn^ `)`)? attr-dict";
}
def Accel_VecOp : Accel_EngineOp<"vec", (ins
    DefaultValuedAttr<I64Attr, "1">:$outputs,
    DefaultValuedAttr<I64Attr, "0">:$body_outputs,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$reduced,
    DefaultValuedAttr<ArrayAttr, "{}">:$kinds, UnitAttr:$lanes,
    DefaultValuedAttr<I64Attr, "-1">:$init_dyn, UnitAttr:$carry),
    (region SizedRegion<1>:$body, AnyRegion:$post)> {
  let summary = "a micro-program over points (streams: outputs first, then inputs)";
  let description = [{
    body: arguments are the inputs' elements (stored types; indices are not
    passed), it yields first the values of the `body_outputs` outputs that are
    stored at every point, then the values to reduce over the dims `reduced`
    (with `kinds`). post: arguments are the reduced values (f32, i32 or i64) and
    then the inputs' elements at reduced index 0; yields the remaining outputs,
    whose strides are 0 in reduced dims. Without reductions there is no post and
    every output is a body output. `carry`: the reduction goes on from what the
    output holds unless dyn[init_dyn] is 0 (sequential order only).
  }];
  let assemblyFormat = "`(` $buffers `:` type($buffers) `)` (`dyn` `(` $dyn^ `)`)? attr-dict-with-keyword $body (`post` $post^)?";
}

#endif

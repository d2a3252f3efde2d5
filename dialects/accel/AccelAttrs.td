//===- AccelAttrs.td - memories, streams, packs, schedules -----*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACCEL_ATTRS_TD
#define ACCEL_ATTRS_TD

include "AccelDialect.td"

def Accel_Space : I32EnumAttr<"Space", "a memory of the machine", [
    I32EnumAttrCase<"Dram", 1, "dram">, I32EnumAttrCase<"Sram", 2, "sram">,
    I32EnumAttrCase<"Acc", 3, "acc">]> {
  let cppNamespace = "::accel";
  let genSpecializedAttr = 0;
}
def Accel_SpaceAttr : EnumAttr<Accel_Dialect, Accel_Space, "space"> {
  let description = [{
    `dram`: a region of DRAM. `sram`: the scratchpad. `acc`: the accumulators,
    f32 or i32. The memory space of every memref in the tile form.
  }];
  let assemblyFormat = "`<` $value `>`";
}

def Accel_Engine : I32EnumAttr<"Engine", "an engine that executes instructions", [
    I32EnumAttrCase<"Ctrl", 0, "ctrl">, I32EnumAttrCase<"Ld0", 1, "ld0">,
    I32EnumAttrCase<"Ld1", 2, "ld1">, I32EnumAttrCase<"St", 3, "st">,
    I32EnumAttrCase<"Mxu", 4, "mxu">, I32EnumAttrCase<"Vec", 5, "vec">]> {
  let cppNamespace = "::accel";
  let genSpecializedAttr = 0;
}
def Accel_EngineAttr : EnumAttr<Accel_Dialect, Accel_Engine, "engine"> {
  let description = [{
    `ld0` and `ld1` load into SRAM, `st` stores out of it, `mxu` and `vec` compute,
    `ctrl` runs loops and scalars and dispatches to the others.
  }];
  let assemblyFormat = "`<` $value `>`";
}

def Accel_Reason : I32EnumAttr<"Reason", "why bytes move between DRAM and the chip", [
    I32EnumAttrCase<"None", 0, "none">,
    I32EnumAttrCase<"CompulsoryLoad", 1, "compulsory_load">,
    I32EnumAttrCase<"CompulsoryStore", 2, "compulsory_store">,
    I32EnumAttrCase<"SpillStore", 3, "spill_store">,
    I32EnumAttrCase<"SpillLoad", 4, "spill_load">,
    I32EnumAttrCase<"Reload", 5, "reload">,
    I32EnumAttrCase<"Halo", 6, "halo">,
    I32EnumAttrCase<"Alignment", 7, "alignment">,
    I32EnumAttrCase<"Fragmentation", 8, "fragmentation">,
    I32EnumAttrCase<"IllegalFusion", 9, "illegal_fusion">,
    I32EnumAttrCase<"DynamicShape", 10, "dynamic_shape">,
    I32EnumAttrCase<"Program", 11, "program">]> {
  let cppNamespace = "::accel";
  let genSpecializedAttr = 0;
}
def Accel_ReasonAttr : EnumAttr<Accel_Dialect, Accel_Reason, "reason"> {
  let description = [{
    What the ledger counts bytes by, together with the tensor and the direction:
    the meanings are those of the ISA's `Reason` (docs/isa.md). Planning chooses it
    and no later stage changes it.
  }];
  let assemblyFormat = "`<` $value `>`";
}

def Accel_Cause : I32EnumAttr<"Cause", "why bytes move that are not compulsory", [
    I32EnumAttrCase<"Compulsory", 0, "compulsory">,
    I32EnumAttrCase<"Capacity", 1, "capacity">,
    I32EnumAttrCase<"IllegalFusion", 2, "illegal_fusion">,
    I32EnumAttrCase<"Fragmentation", 3, "fragmentation">,
    I32EnumAttrCase<"Halo", 4, "halo">,
    I32EnumAttrCase<"Alignment", 5, "alignment">,
    I32EnumAttrCase<"DynamicShape", 6, "dynamic_shape">,
    I32EnumAttrCase<"Search", 7, "search">]> {
  let cppNamespace = "::accel";
  let genSpecializedAttr = 0;
}
def Accel_CauseAttr : EnumAttr<Accel_Dialect, Accel_Cause, "cause"> {
  let description = [{
    What stands between a plan and the compulsory bytes, for reports; docs/explain.md
    says what each means. The numbers are those of the artifact's `Cause`.
  }];
  let assemblyFormat = "`<` $value `>`";
}

def Accel_ReduceKind : I32EnumAttr<"ReduceKind", "how values are combined", [
    I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Max", 1, "max">,
    I32EnumAttrCase<"Min", 2, "min">, I32EnumAttrCase<"Prod", 3, "prod">]> {
  let cppNamespace = "::accel";
  let genSpecializedAttr = 0;
}
def Accel_ReduceKindAttr : EnumAttr<Accel_Dialect, Accel_ReduceKind, "reduce_kind"> {
  let description = [{
    Identities: 0, -inf (the least integer), +inf (the greatest integer), 1. max and
    min give NaN if any element is one.
  }];
  let assemblyFormat = "`<` $value `>`";
}

def Accel_PackAttr : Accel_Attr<"Pack", "pack"> {
  let summary = "how `emit` lays a constant out in the weights region";
  let description = [{
    A pure function of the constant's bytes, applied while the artifact is
    written, so that weights never enter the IR. Kinds:

    * `identity`: as stored (may then be referenced in place in its file);
    * `transpose`: dimensions permuted by `perm`;
    * `conv`: OIHW `[G*OCg, ICg, KH, KW]` to `[G, K, OCg]`, rows K in the
      canonical reduction order: blocks of 32 input channels, then kh, kw, then
      the channel in the block;
    * `conv_transposed`: IOHW `[G*ICg, OCg, KH, KW]` to `[G, K, OCg]`, same order,
      with kh and kw reversed (tap kh of the result is tap KH-1-kh of the source);
    * `depthwise`: `[C, 1, KH, KW]` to `[KH*KW, C]`;
    * `depthwise_transposed`: `[C, 1, KH, KW]` of a transposed convolution, reversed, same
      result.

    `source` is the tensor type in the file. `scale`, if present, is a constant
    of one value for each output channel (dense f32 or a file reference) that is
    multiplied into the weights (a folded batch normalisation). The result's
    element type may be narrower than the source's (`--precision`).
  }];
  let parameters = (ins "::mlir::StringAttr":$kind, "::mlir::TypeAttr":$source,
                        OptionalParameter<"::mlir::DenseI64ArrayAttr">:$perm,
                        DefaultValuedParameter<"int64_t", "1">:$groups,
                        OptionalParameter<"::mlir::Attribute">:$scale);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Accel_CoordAttr : Accel_Attr<"Coord", "coord"> {
  let summary = "one window coordinate of a stream (see WindowDesc of the ISA)";
  let description = [{
    v = (start + dyn[start_dyn] + i[dim_a]*mul_a + i[dim_b]*mul_b) / div; in
    bounds iff 0 <= v < bound (bound < 0: unchecked); position p = v -
    dyn[org_dyn], taken modulo `mod` if that is not 0; the address grows by p *
    stride bytes. Absent dims and dynamic values are -1. `exact`: v must be
    divisible by div, otherwise it is out of bounds.
  }];
  let parameters = (ins
    DefaultValuedParameter<"int64_t", "0">:$start,
    DefaultValuedParameter<"int64_t", "-1">:$start_dyn,
    DefaultValuedParameter<"int64_t", "-1">:$org_dyn,
    DefaultValuedParameter<"int64_t", "-1">:$dim_a,
    DefaultValuedParameter<"int64_t", "1">:$mul_a,
    DefaultValuedParameter<"int64_t", "-1">:$dim_b,
    DefaultValuedParameter<"int64_t", "1">:$mul_b,
    DefaultValuedParameter<"int64_t", "-1">:$bound,
    DefaultValuedParameter<"int64_t", "0">:$mod,
    DefaultValuedParameter<"int64_t", "1">:$div,
    DefaultValuedParameter<"bool", "false">:$exact,
    DefaultValuedParameter<"int64_t", "0">:$stride);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Accel_StreamAttr : Accel_Attr<"Stream", "stream"> {
  let summary = "an affine walk over one buffer (see StreamDesc of the ISA)";
  let description = [{
    Address of point (i0..i5): buffer + base + sum of dyn[base_dyn] +
    sum of i_d * strides[d] + the coordinates' parts, all in bytes. `type` is
    the stored element type. `pad` holds the bits read out of bounds.
  }];
  let parameters = (ins "::mlir::Type":$type,
    "int64_t":$base,
    OptionalArrayRefParameter<"int64_t">:$base_dyn,
    ArrayRefParameter<"int64_t">:$strides,
    OptionalArrayRefParameter<"::accel::CoordAttr">:$window,
    "int64_t":$pad);
  let assemblyFormat = [{
    `<` $type `,` `base` `=` $base (`+` `[` $base_dyn^ `]`)? `,` `strides` `=` `[` $strides `]` `,`
    (`window` `=` `[` $window^ `]` `,`)? `pad` `=` $pad `>`
  }];
}

#endif

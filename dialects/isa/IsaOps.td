//===- IsaOps.td - operations of the isa dialect ---------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations with regions or symbols. The others are generated
// (isa/IsaPlainOps.td in the build folder, acc-tblgen -gen-isa-ops).
//===----------------------------------------------------------------------===//

#ifndef ISA_OPS_TD
#define ISA_OPS_TD

include "IsaDialect.td"
include "mlir/IR/CommonAttrConstraints.td"
include "mlir/IR/SymbolInterfaces.td"

def Isa_Reg : ConfinedAttr<I32Attr, [IntMinValue<0>, IntMaxValue<63>]> {
  let summary = "scalar register r0 to r63";
}

class Isa_Op<string name, list<Trait> traits = []> : Op<Isa_Dialect, name, traits>;

/// A word of the control format.
class Isa_ControlOp<string name, list<Trait> traits = []> : Isa_Op<name, traits>;

/// A word of the engine format with its descriptors.
class Isa_EngineOp<string name, list<Trait> traits = []> : Isa_Op<name, traits> {
  let arguments = (ins
    I32Attr:$engine,
    I32Attr:$reason,
    DenseI32ArrayAttr:$tokens,
    OptionalAttr<FlatSymbolRefAttr>:$program,
    OptionalAttr<I32Attr>:$slot,
    OptionalAttr<Isa_OpDescAttr>:$desc,
    OptionalAttr<ArrayAttr>:$streams);
  let assemblyFormat = [{
    custom<EngineWord>($engine, $reason, $tokens, $program, $slot, $desc, $streams) attr-dict
  }];
}

def Isa_ProgramOp : Isa_Op<"program", [SymbolTable, NoTerminator, SingleBlock,
                                       IsolatedFromAbove]> {
  let summary = "everything that an artifact holds but weight bytes";
  let description = [{
    Routines and vector programs in the order of their numbers; the first routine
    is main. The artifact's tables are attributes, one dictionary a row. Weight
    bytes stay in the file that `source` names.
  }];
  let arguments = (ins DictionaryAttr:$tables);
  let regions = (region AnyRegion:$body);
  let assemblyFormat = "$body `tables` $tables attr-dict";
  let hasRegionVerifier = 1;
}

def Isa_RoutineOp : Isa_Op<"routine", [Symbol, NoTerminator, SingleBlock,
                                       HasParent<"ProgramOp">]> {
  let summary = "instructions that a CALL executes";
  let description = [{
    `registers` are the ranges of what it receives: [register, least, greatest]
    or, if values between are a step apart, [register, least, greatest, step].
    `nodes` has a number for each instruction (see RoutineInfo::nodeOfPc).
    `slots` holds all descriptor slots where they are not laid out as the encoder
    would (in order of first use, equal descriptors shared).
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<StrAttr>:$label,
                       OptionalAttr<ArrayAttr>:$registers,
                       OptionalAttr<DenseI32ArrayAttr>:$nodes,
                       OptionalAttr<StrAttr>:$slots);
  let regions = (region AnyRegion:$body);
  let assemblyFormat = "$sym_name $body attr-dict";
  let hasRegionVerifier = 1;
}

def Isa_VprogOp : Isa_Op<"vprog", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "a vector program";
  let description = [{
    Inputs, steps, reductions and outputs as `#isa.vector_program` writes them. VEC
    instructions name it; equal programs stand once.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Isa_VectorProgramAttr:$program);
  let assemblyFormat = "$sym_name custom<Steps>($program) attr-dict";
  let hasVerifier = 1;
}

def Isa_LoopOp : Isa_Op<"loop", [NoTerminator, SingleBlock]> {
  let summary = "LOOP ... END";
  let description = [{
    `isa.loop r1 to 8` counts r1 from 0 to 7; `isa.loop r1 to r4 max 8` makes
    min(r4, 8) trips.
  }];
  let arguments = (ins Isa_Reg:$rd, Isa_Reg:$ra, I64Attr:$imm);
  let regions = (region AnyRegion:$body);
  let assemblyFormat = "custom<Reg>($rd) `to` custom<Trips>($ra, $imm) $body attr-dict";
}

def Isa_IfOp : Isa_Op<"if", [NoTerminator, SingleBlock]> {
  let summary = "IF ... END";
  let description = [{
    `isa.if r5 { ... }` executes its body if r5 is not 0. There is no else: a second
    one with the complement (CMPEQI with 0) takes its place.
  }];
  let arguments = (ins Isa_Reg:$ra);
  let regions = (region AnyRegion:$body);
  let assemblyFormat = "custom<Reg>($ra) $body attr-dict";
}

def Isa_WhileOp : Isa_Op<"while", [NoTerminator, SingleBlock]> {
  let summary = "WHILE ... END";
  let description = [{
    `isa.while r5 max 100 { ... }` repeats its body while r5 is not 0, tested before
    each trip. The hundred and first trip ends the run with an error.
  }];
  let arguments = (ins Isa_Reg:$ra, I64Attr:$imm);
  let regions = (region AnyRegion:$body);
  let assemblyFormat = "custom<Reg>($ra) `max` custom<Number>($imm) $body attr-dict";
}

def Isa_CallOp : Isa_Op<"call"> {
  let summary = "CALL of a routine";
  let description = [{
    `isa.call @NAME`. Arguments are registers that the caller has set; the callee
    declares their ranges. Registers and semaphores are shared, not saved.
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee);
  let assemblyFormat = "$callee attr-dict";
}

def Isa_LdsOp : Isa_Op<"lds"> {
  let summary = "LDS: scalar from SRAM";
  let description = "`isa.lds r1, i32, r2, 4` reads the i32 at address r2 + 4.";
  let arguments = (ins Isa_Reg:$rd, I32Attr:$type, Isa_Reg:$ra, I64Attr:$imm);
  let assemblyFormat = [{
    custom<Reg>($rd) `,` custom<ElementType>($type) `,` custom<Reg>($ra) `,`
    custom<Number>($imm) attr-dict
  }];
}

include "isa/IsaPlainOps.td"

#endif // ISA_OPS_TD

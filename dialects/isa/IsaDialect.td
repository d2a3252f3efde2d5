//===- IsaDialect.td - the isa dialect and its attributes ------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ISA_DIALECT_TD
#define ISA_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def Isa_Dialect : Dialect {
  let name = "isa";
  let cppNamespace = "::accel::instr";
  let summary = "Instructions of the machine, one operation each";
  let description = [{
    The readable form of an artifact's code. Binary to isa and back is the
    identity: descriptors are written where they are used, loops are regions,
    calls and vector programs are symbols, the artifact's other tables are
    attributes of `isa.program`.

    Operations that are a plain word are generated from the description of the
    instruction set (dialects/isa/Isa.td); what a field may hold is checked with
    the tables that the runtime uses.
  }];
  let useDefaultAttributePrinterParser = 1;
}

class Isa_Attr<string name, string mnemonic_> : AttrDef<Isa_Dialect, name> {
  let mnemonic = mnemonic_;
  let hasCustomAssemblyFormat = 1;
}

def Isa_OpDescAttr : Isa_Attr<"OpDesc", "op"> {
  let summary = "operation descriptor";
  let description = [{
    Fields of OpDesc that differ from a descriptor that says nothing. `streams`
    is the number of streams that follow and is not written.
  }];
  let parameters = (ins "::accel::rt::isa::OpDesc":$desc);
}

def Isa_StreamAttr : Isa_Attr<"Stream", "stream"> {
  let summary = "stream descriptor with its window";
  let description = [{
    Fields of StreamDesc, and `window = {...}` with those of WindowDesc. Whether
    there is a window is not written into `flags`.
  }];
  let parameters = (ins "::accel::rt::isa::Stream":$stream);
}

def Isa_VectorProgramAttr : Isa_Attr<"VectorProgram", "vector_program"> {
  let summary = "steps of the vector engine";
  let description = [{
    One line each for an input (`in v0: f32`), a step (`body v2 = add.f32 v0, v1`,
    `post ...`), a reduction (`reduce v3 = sum.f32 v2 lanes`) and an output
    (`out v2: f32 body`).
  }];
  let parameters = (ins "::accel::rt::isa::VectorProgram":$program);
}

#endif // ISA_DIALECT_TD

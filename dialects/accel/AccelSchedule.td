//===- AccelSchedule.td - the schedule of a group, as text -----*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACCEL_SCHEDULE_TD
#define ACCEL_SCHEDULE_TD

include "AccelAttrs.td"

def Accel_LoopAttr : Accel_Attr<"Loop", "loop"> {
  let summary = "a loop over tiles of one dimension";
  let description = [{
    `dim` is a dimension of the result. Behind the result's dimensions come the
    reduction dimensions: input channels (conv), K (matmul), each reduced
    dimension in order (reduce). `tile` is in elements; a conv's channel tile is
    a multiple of 32.
  }];
  let parameters = (ins "int64_t":$dim, "int64_t":$tile);
  let assemblyFormat = "`<` $dim `:` $tile `>`";
}

def Accel_OperandAttr : Accel_Attr<"Operand", "operand"> {
  let summary = "where a group's input is loaded";
  let description = [{
    `level` counts the loops around the load: 0 loads everything once, before
    all loops (resident in SRAM for the group); up to the number of the group's
    loops: what one iteration needs; beyond that, loops of the only member that
    reads it. `depth` buffers rotate (2: double buffering). `rolling`: along the
    innermost group loop only rows that are not yet there are loaded, into a
    circular buffer.
  }];
  let parameters = (ins "int64_t":$level, DefaultValuedParameter<"int64_t", "1">:$depth,
                        DefaultValuedParameter<"bool", "false">:$rolling);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Accel_MemberAttr : Accel_Attr<"Member", "member"> {
  let summary = "how one operation of a group runs";
  let description = [{
    `loops`: its own loops inside of the group's, outermost first. `rolling`: it
    computes only rows that are not yet there, into a circular buffer, instead
    of recomputing the halo. `level` (of a result that leaves the group): loops
    around its output tile, `depth` of which rotate. `inplace`: the result takes
    the buffer of that operand (-1: its own).
  }];
  let parameters = (ins OptionalArrayRefParameter<"::accel::LoopAttr">:$loops,
                        "bool":$rolling,
                        "int64_t":$level,
                        "int64_t":$depth,
                        "int64_t":$inplace);
  let assemblyFormat = [{
    `<` (`loops` `=` `[` $loops^ `]` `,` ` `)? `rolling` `=` $rolling `,` `level` `=` $level `,`
    `depth` `=` $depth `,` `inplace` `=` $inplace `>`
  }];
}

def Accel_PartAttr : Accel_Attr<"Part", "part"> {
  let summary = "a result of a group of which the first rows stay in SRAM";
  let description = [{
    Result `result` of the group leaves for DRAM except for its first `rows` rows,
    indices of its outermost dimension of more than one element. Those stay in SRAM
    until the last use; readers get them from there.
  }];
  let parameters = (ins "int64_t":$result, "int64_t":$rows);
  let assemblyFormat = "`<` $result `:` $rows `>`";
}

def Accel_ScheduleAttr : Accel_Attr<"Schedule", "schedule"> {
  let summary = "the schedule of a group";
  let description = [{
    Version 1. `loops` are tile loops over the result of member `anchor`; all
    other members compute, in each iteration, what their consumers need. One
    `members` entry for each operation of the group in order, one `inputs` entry
    for each group operand. `resident`: results (by index) that stay in SRAM
    until their last use instead of going to DRAM. `takes`: for each of them the
    group operand whose memory it takes, or -1: a residual sum over its resident
    shortcut, element by element. `parts`: results of which only the first rows
    stay, where all of them do not fit.
    A schedule never changes a result bit; one that breaks a constraint of the
    target is refused with that constraint.
  }];
  let parameters = (ins "int64_t":$version,
                        "int64_t":$anchor,
                        OptionalArrayRefParameter<"::accel::LoopAttr">:$loops,
                        ArrayRefParameter<"::accel::MemberAttr">:$members,
                        OptionalArrayRefParameter<"::accel::OperandAttr">:$inputs,
                        OptionalArrayRefParameter<"int64_t">:$resident,
                        OptionalArrayRefParameter<"int64_t">:$takes,
                        OptionalArrayRefParameter<"::accel::PartAttr">:$parts);
  let assemblyFormat = [{
    `<` `version` `=` $version `,` `anchor` `=` $anchor `,` (`loops` `=` `[` $loops^ `]` `,`)?
    (`inputs` `=` `[` $inputs^ `]` `,`)? (`resident` `=` `[` $resident^ `]` `,`)?
    (`takes` `=` `[` $takes^ `]` `,`)? (`parts` `=` `[` $parts^ `]` `,`)?
    `members` `=` `[` $members `]` `>`
  }];
}

def Accel_LayoutAttr : Accel_Attr<"Layout", "layout"> {
  let summary = "where the elements of a tensor are: for each dimension its (size, stride) modes";
  let description = [{
    Strides in elements, outermost mode first; `ends[d]` is the number of modes
    of dimensions 0..d. Most dimensions have one mode; a merged transposed
    dimension (channel shuffle) or a repeated one (nearest upsampling) has more.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$ends, ArrayRefParameter<"int64_t">:$sizes,
                        ArrayRefParameter<"int64_t">:$strides);
  let assemblyFormat = "`<` custom<Integers>($ends) `,` custom<Integers>($sizes) `,` custom<Integers>($strides) `>`";
}

#endif

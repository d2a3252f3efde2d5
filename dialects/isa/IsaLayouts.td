//===- IsaLayouts.td - bytes of instructions and descriptors ---*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ISA_LAYOUTS_TD
#define ISA_LAYOUTS_TD

include "IsaMachine.td"

def TokenLayout : IsaLayout<"Token", 2, "a wait or a signal", [
  Semaphore<"semaphore", 0, "which semaphore; 0 together with count 0: none. Bit 7 is reserved: a semaphore of core `core`">,
  IsaField<"count", 1, U8, "tokens that are taken or given">,
]>;

def CtrlWord : IsaLayout<"CtrlWord", 16, "instruction of the sequencer", [
  IsaField<"opcode", 0, U8, "the instruction">,
  Register<"rd", 1, "register that is written">,
  Register<"ra", 2, "first register that is read">,
  IsaField<"rb", 3, U8, "second register that is read (LDS: an element type)">,
  IsaField<"imm", 4, I64, "constant">,
  IsaField<"aux", 12, U32, "length of a body in instructions, or number of a routine">,
]>;

def EngineWord : IsaLayout<"EngineWord", 16, "instruction that CTRL sends to an engine", [
  IsaField<"opcode", 0, U8, "the instruction">,
  Enumeration<"engine", 1, EngineEnum, "whose queue it enters">,
  IsaField<"desc", 2, U16, "first slot of its descriptors, in the slots of its routine", 1, "slots">,
  Nested<"tokens", 4, TokenLayout, 4, "two waits, then two signals">,
  IsaField<"vprog", 12, U16, "VEC: number of the vector program">,
  Enumeration<"reason", 14, ReasonEnum, "DMA that touches DRAM: why">,
  Reserved<"core", 15, U8, 1, "reserved: the core whose semaphores tokens with bit 7 name; version 1 has core 0 only">,
]> {
  let description = [{A wait blocks the engine until the semaphore holds at least `count` tokens and takes
them; both waits are met before the instruction starts. A signal adds tokens after its last write is
visible. Each semaphore has one signalling and one waiting engine in a whole program and is 0 at HALT.
`SYNC` carries further waits and signals of an instruction.}];
}

def OpDesc : IsaLayout<"OpDesc", 64, "operation descriptor: the iteration space", [
  IsaField<"size", 0, U32, "points of each dimension; with a size register: the bound of its value", 6, "points", 1>,
  Register<"size_reg", 24, "if not 0, the size is the register's value, 0 to `size`", 6>,
  InRange<"streams", 30, U8, 0, 6, "streams that follow">,
  IsaField<"flags", 31, U8, "bits that the instruction defines">,
  Register<"init_reg", 32, "MXU, VEC: decides whether a partial result goes on; VEC_SORT: k; VEC_COMPACT: elements that are there; VEC_SCATTER: row that dst begins with; VEC_RANDOM: number of the first element">,
  Bits<"reduce_mask", 33, U8, 63, "VEC: bit d is set if dimension d is reduced">,
  Register<"za_reg", 34, "MXU: if not 0, its value is added to za; gather and scatter: if not 0, its value, 0 to za, is the bound; VEC_SORT: length of run 0">,
  Register<"zb_reg", 35, "MXU, VEC_COMPACT: if not 0, its value is added to zb; VEC_SORT: length of run 1">,
  IsaField<"za", 36, I32, "MXU: zero point of A; gather and scatter: bound of an index, read without sign; VEC_SORT, VEC_COMPACT: elements that are stored at most, read without sign; VEC_RANDOM: low half of the key">,
  IsaField<"zb", 40, I32, "MXU: zero point of B; VEC_COMPACT: added to positions; VEC_SCATTER: how values combine; VEC_RANDOM: high half of the key">,
  IsaField<"fill_bits", 44, U32, "fill: bits of the element, in the destination's type">,
  IsaField<"fill_bits64", 48, U64, "fill of 8-byte elements: all bits">,
  Reserved<"block_a", 56, U16, 1, "reserved: channels of A that share a scale (stream 4)">,
  Reserved<"block_b", 58, U16, 1, "reserved: rows of B that share a scale (stream 5)">,
  Reserved<"zero", 60, U32>,
]> {
  let description = [{A size of 0 does nothing but wait and signal. Sizes of dimensions that are not used are 1.}];
}

def StreamDesc : IsaLayout<"StreamDesc", 64, "stream descriptor: an affine walk over one memory", [
  Enumeration<"space", 0, SpaceEnum, "which memory">,
  IsaField<"region", 1, U8, "DRAM: number of the region; SRAM: reserved for the number of another core, 0 is the own">,
  Enumeration<"dtype", 2, DTypeEnum, "element type in memory">,
  Bits<"flags", 3, U8, 1, "bit 0: a window descriptor follows in the next slot; bit 1 is reserved: indexed">,
  Register<"base_reg", 4, "each that is not 0 adds its value in bytes", 4>,
  IsaField<"base", 8, I64, "address of the first element", 1, "bytes">,
  IsaField<"stride", 16, I64, "step of each dimension", 6, "bytes">,
]> {
  let description = [{address(i0..i5) = base + Σ r[base_reg] + Σ i_d · stride_d + the window's part.

**On-chip addresses** (SRAM, accumulators) are multiples of the element's bytes: the base with its
registers, every stride of a dimension with more than one point, every stride of a window coordinate.
A program where that does not hold for every value of its registers is refused. DRAM addresses are any byte.

**Elements of less than a byte** (`i4`, `u4`, `f4e2m1`, `i2`, `u2`) are names for the signature of an artifact.
Streams of them are refused in version 1; reserved for them: the base is a byte, stride 5 is 1 and counts
elements from the lowest bits on, other strides are bytes.

**Indexed streams** are refused in version 1; reserved: with bit 1 of `flags` a slot with the StreamDesc of an
index list (i32 or i64 in SRAM) follows the stream's slots, and the list's element at the point takes the place
of i_0 in the address.}];
}

def WindowCoord : IsaLayout<"WindowCoord", 28, "one coordinate of a window", [
  IsaField<"start", 0, I32, "position at the first point">,
  Register<"start_reg", 4, "if not 0, its value is added to start">,
  Register<"org_reg", 5, "if not 0, its value is subtracted after the check: the position that address 0 holds">,
  Dimension<"dim_a", 6, "dimension that moves the position">,
  Dimension<"dim_b", 7, "a second one">,
  IsaField<"mul_a", 8, I32, "positions for each step of dim_a">,
  IsaField<"mul_b", 12, I32, "positions for each step of dim_b">,
  IsaField<"bound", 16, U32, "positions 0 to bound-1 are inside; 0xFFFFFFFF: never checked; with a bound register: the greatest value of it", 1, "", 0xFFFFFFFF>,
  IsaField<"mod", 20, U32, "if not 0, the position is taken modulo this: a circular buffer">,
  IsaField<"stride", 24, I32, "step of a position", 1, "bytes">,
]>;

def WindowDesc : IsaLayout<"WindowDesc", 64, "window descriptor: positions with borders", [
  Nested<"coord", 0, WindowCoord, 2, "y, then x">,
  IsaField<"div", 56, U8, "divisor of each coordinate; 0 and 1: none", 2>,
  Bits<"flags", 58, U8, 0x7F, "of each coordinate, bit 0: a position that the divisor does not divide is outside; else floor. Bits 1 to 6: a register; if not r0, its value, 0 to `bound`, is the bound", 2>,
  IsaField<"pad_bits", 60, U32, "bits of what is read outside">,
]> {
  let description = [{For each coordinate v = (start + r[start_reg] + i[dim_a]·mul_a + i[dim_b]·mul_b) / div; inside iff
0 ≤ v < bound; p = v − r[org_reg], p = p floor-mod mod if mod is not 0; the address grows by p · stride.
Reads outside give: MXU no contribution (the element counts as za); DMA an element with the bits
`pad_bits` in the stream's type (of a narrower type the lowest bits; of an 8-byte type the bits above are 0); VEC the
value `pad_bits` of the register's type: an f32 or i32; in f64 registers the f32 `pad_bits` widened, in i64 registers
the i32 `pad_bits` with its sign. Writes outside are skipped. Other values than these of 8-byte types are written by a
fill before the copy.}];
}

def ProgramHead : IsaLayout<"ProgramHead", 16, "head of a vector program", [
  InRange<"ins", 0, U8, 0, 4, "inputs">,
  InRange<"outs", 1, U8, 1, 2, "outputs">,
  InRange<"reductions", 2, U8, 0, 2, "reductions">,
  InRange<"body", 3, U8, 0, 48, "steps at every point">,
  InRange<"post", 4, U8, 0, 48, "steps once for each point that is left after reducing">,
  Reserved<"zero", 5, U8, 11>,
]> {
  let description = [{A program is its head, the inputs, outputs and reductions, zeros up to a multiple of 16 bytes, the
steps of the body, the steps of the post part.}];
}
def ProgramInput : IsaLayout<"ProgramInput", 4, "input of a vector program", [
  InRange<"reg", 0, U8, 0, 15, "vector register that receives it">,
  Enumeration<"type", 1, VecTypeEnum, "type that it is converted to">,
  Reserved<"zero", 2, U16>,
]>;
def ProgramOutput : IsaLayout<"ProgramOutput", 4, "output of a vector program", [
  InRange<"reg", 0, U8, 0, 15, "vector register that is stored">,
  Enumeration<"phase", 1, PhaseEnum, "when">,
  Enumeration<"type", 2, VecTypeEnum, "type of the register">,
  Reserved<"zero", 3, U8>,
]>;
def ProgramReduction : IsaLayout<"ProgramReduction", 8, "reduction of a vector program", [
  InRange<"src", 0, U8, 0, 15, "vector register that the body gives">,
  InRange<"dst", 1, U8, 0, 15, "vector register that the post part sees">,
  Enumeration<"kind", 2, ReduceEnum, "how">,
  Enumeration<"order", 3, OrderEnum, "in which order; arg kinds are sequential">,
  Enumeration<"type", 4, VecTypeEnum, "of the values">,
  Reserved<"zero", 5, U8, 3>,
]>;
def ProgramStep : IsaLayout<"ProgramStep", 16, "step of a vector program", [
  IsaField<"op", 0, U8, "what it does">,
  InRange<"dst", 1, U8, 0, 15, "vector register that is written">,
  IsaField<"a", 2, U8, "first operand (iota: a dimension; reg: a scalar register)">,
  IsaField<"b", 3, U8, "second operand (cvt: the operand's type)">,
  IsaField<"c", 4, U8, "third operand">,
  Enumeration<"type", 5, VecTypeEnum, "type of the operands and the result">,
  Reserved<"zero", 6, U16>,
  IsaField<"imm", 8, U64, "imm: bits of an f64 (float types) or an i64">,
]>;

#endif // ISA_LAYOUTS_TD

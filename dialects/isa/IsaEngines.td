//===- IsaEngines.td - instructions of the engines -------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ISA_ENGINES_TD
#define ISA_ENGINES_TD

include "IsaLayouts.td"

class OnEngine<string mnemonic, string cpp, int opcode, string summary, list<IsaCase> engines_>
    : IsaInstruction<mnemonic, cpp, opcode, EngineWord, summary> {
  let engines = engines_;
}

def : OnEngine<"SYNC", "Sync", 0x30, "waits and signals alone", [Ctrl, Ld0, Ld1, St, Mxu, Vec]> {
  let action = "Waits, then signals, in the order of the engine's queue.";
  let notes = "On CTRL the sequencer itself waits: nothing behind it is dispatched before.";
}

class Transfer<string mnemonic, string cpp, int opcode, string summary>
    : OnEngine<mnemonic, cpp, opcode, summary, [Ld0, Ld1, St]> {
  let hasReason = 1;
  let preconditions = [
    "LD0, LD1: to SRAM from DRAM or SRAM; ST: from SRAM to DRAM or SRAM; at most one stream in DRAM",
    "`reason` is not none iff a stream is in DRAM",
    "regions of weights, constants and inputs are not written"];
}
def : Transfer<"DMA", "Dma", 0x40, "copy or fill"> {
  let minStreams = 1;
  let maxStreams = 2;
  let streamNames = ["dst", "src"];
  let descriptorFields = ["fill_bits", "fill_bits64"];
  let flagMask = 1;
  let flagTexts = ["bit 0: fill; the only stream is dst"];
  let action = [{For every point: dst = convert(src), or the fill value. Elements are converted if the types differ: float to
narrower float rounds to nearest even, to integer rounds to nearest even and saturates, integer to
narrower integer saturates.}];
  let notes = [{Payload bytes: elements times the bytes of the element on the DRAM side; a dimension whose stride there is 0
counts once, elements outside of a window are not transferred.}];
}
def : Transfer<"DMA_GATHER", "DmaGather", 0x41, "rows by a list of indices"> {
  let minStreams = 3;
  let maxStreams = 3;
  let streamNames = ["dst", "src", "index"];
  let descriptorFields = ["za"];
  let action = [{For i0: idx = index[i0], plus za if negative; src's address grows by idx · stride[0] instead of i0 · stride[0];
then as DMA over dimensions 1 to 5.}];
  let preconditions = [
    "index is i32 or i64 in SRAM, without a window, and moves with dimension 0 only",
    "0 ≤ idx < za (za is the number of rows); otherwise the run ends with \"index out of range\" and the node's name",
    "the engine, reason and region rules of DMA"];
}
def : Transfer<"DMA_SCATTER", "DmaScatter", 0x42, "rows to a list of indices"> {
  let minStreams = 3;
  let maxStreams = 3;
  let streamNames = ["dst", "src", "index"];
  let descriptorFields = ["za"];
  let action = "As DMA_GATHER, with the index on dst. Points are written in ascending order: of equal indices the last wins.";
  let preconditions = [
    "index is i32 or i64 in SRAM, without a window, and moves with dimension 0 only",
    "0 ≤ idx < za (za is the number of rows); otherwise the run ends with \"index out of range\" and the node's name",
    "the engine, reason and region rules of DMA"];
}

class Matrix<string mnemonic, string cpp, int opcode, string summary>
    : OnEngine<mnemonic, cpp, opcode, summary, [Mxu]> {
  let minStreams = 3;
  let maxStreams = 3;
  let streamNames = ["C", "A", "B"];
  let descriptorFields = ["init_reg", "za", "zb"];
  let flagMask = 3;
  let flagTexts = [
    "neither bit: C is overwritten",
    "bit 0: C is added to",
    "bit 1: C is overwritten if r[init_reg] = 0, else added to"];
  let preconditions = [
    "C in ACC, A and B in SRAM; only A may have a window",
    "C does not move with reduced dimensions",
    "not both flags; init_reg only with bit 1"];
}
def : Matrix<"MXU", "Mxu", 0x50, "matrix product and convolution"> {
  let action = [{Dimensions [m0, m1, n, kh, kw, c]. C[m0,m1,n] (+)= Σ (A − za)·(B − zb) over kk ascending. The order of kk: for each
block of 32 channels of c (from this instruction's start), for kh, for kw, for the channel in the block.
A's address: its strides for m0, m1, kh, kw, c and its window. B's address: kk · stride[5] + n · stride[2], so B
is [K, N].}];
  let notes = [{Float types: operands are converted exactly to f32 and kk is cut into chains. A chain is one block of 32 channels at all
kernel positions; if there is only one position (kh · kw = 1), it is 128 channels. A chain is summed from +0 by one
f32 fused multiply-add for each kk; chains are added to C in ascending order, each by one f32 addition. Where C is
overwritten, the first chain's sum is stored as it is. A reduction that continues in another instruction at a
multiple of those channels therefore gives the same bits. Integer types: exact in i32, wrapping. f64 and types that do
not pair are refused.}];
}
def : Matrix<"MXU_DW", "MxuDw", 0x51, "depthwise convolution"> {
  let action = [{Dimensions [m0, m1, c, kh, kw, 1]. C[m0,m1,c] (+)= Σ (A[.., c] − za)·(B − zb) over kh, kw ascending. B's
address: its strides of kh, kw and c.}];
  let notes = "Numbers as in MXU; all kernel positions are one chain.";
}

def : OnEngine<"VEC", "Vec", 0x60, "vector program", [Vec]> {
  let minStreams = 1;
  let maxStreams = 6;
  let streamNames = ["outputs", "inputs"];
  let hasProgram = 1;
  let descriptorFields = ["init_reg", "reduce_mask"];
  let flagMask = 1;
  let flagTexts = ["bit 0: the reduction goes on from the output's current value unless r[init_reg] = 0 (sequential order, no post steps)"];
  let action = [{For every point: inputs are loaded and converted to their registers' types, the body's steps run, outputs of phase body are
stored. Dimensions in reduce_mask are reduced in ascending row-major order; then, for every point of the
others, the post steps see the reductions' results and the inputs as loaded at reduced index 0, and outputs
of phase post are stored.}];
  let notes = [{A store converts the register's type: f32 to f16 and bf16 rounds to nearest even; f32 to integers rounds to nearest even and
saturates; i32 and i64 to narrower integers wrap; Booleans store 0 or 1. A NaN is stored canonical
(0x7FC00000 in f32).}];
  let preconditions = [
    "streams in SRAM or ACC, as many as the program has outputs and inputs",
    "outputs are disjoint from inputs, or touch at every point exactly the bytes of that point's input",
    "outputs of phase post do not move with reduced dimensions"];
}

class ReservedVec<string mnemonic, string cpp, int opcode, string summary>
    : OnEngine<mnemonic, cpp, opcode, summary, [Vec]> {
  let isReserved = 1;
  let notes = "Its encoding and meaning are fixed; machines of version 1 refuse it by name.";
}
def : ReservedVec<"VEC_SORT", "VecSort", 0x61, "stable sort of rows with their indices"> {
  let minStreams = 3;
  let maxStreams = 4;
  let streamNames = ["values", "indices", "src", "src indices"];
  let flagMask = 7;
  let flagTexts = [
    "bit 0: descending",
    "bit 1: merge; src holds two sorted runs of size[5]/2, with src indices",
    "bit 2: NaN last (else NaN is the greatest)"];
  let descriptorFields = ["za"];
  let action = [{Each row over dimension 5 is sorted stably; indices (i64) say where each element came from. With za ≠ 0 only
the first za elements of the result are stored: top-k. Rows longer than SRAM allows are sorted in
pieces and merged.}];
}
def : ReservedVec<"VEC_COMPACT", "VecCompact", 0x62, "keep the elements whose flag is set, with a count"> {
  let minStreams = 4;
  let maxStreams = 4;
  let streamNames = ["kept", "count", "src", "flags"];
  let descriptorFields = ["init_reg"];
  let flagMask = 3;
  let flagTexts = ["bit 0: kept receives positions (i64) instead of src's elements",
                   "bit 1: kept goes on behind the r[init_reg] elements that are there"];
  let action = [{Elements of src whose flag is not 0 are stored to kept in ascending order, without gaps; count (i64) receives
how many kept holds then. LDS brings the count to CTRL.}];
}
def : ReservedVec<"VEC_SCATTER", "VecScatter", 0x63, "ordered scatter-reduce"> {
  let minStreams = 3;
  let maxStreams = 3;
  let streamNames = ["dst", "src", "index"];
  let descriptorFields = ["za", "zb"];
  let action = [{For i0 ascending: idx = index[i0], plus za if negative; dst's address grows by idx · stride[0]; dst = dst op src with
op in zb: 0 set, 1 add, 2 mul, 3 min, 4 max.}];
  let preconditions = ["0 ≤ idx < za"];
}
def : ReservedVec<"VEC_RANDOM", "VecRandom", 0x64, "counter-based random numbers"> {
  let minStreams = 1;
  let maxStreams = 2;
  let streamNames = ["dst", "seed"];
  let descriptorFields = ["za", "init_reg"];
  let action = [{dst receives 32 random bits (integer types) or a number in [0, 1) (float types): Philox4x32-10 with the key za, or
seed if there is a second stream, and the counter r[init_reg] + running index. The distribution is made from it by a
vector program.}];
}

#endif // ISA_ENGINES_TD

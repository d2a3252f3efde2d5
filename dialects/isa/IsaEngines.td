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
  let flagTexts = [
    "bit 0: fill; the only stream is dst",
    "bit 1, reserved: multicast; dst is written on every core whose bit is set in `fill_bits64`",
    "bits 2 and 3, reserved: dst = dst + src, min, max instead of src"];
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
  let descriptorFields = ["za", "za_reg"];
  let action = [{For i0: idx = index[i0], plus the number of rows n if negative; src's address grows by idx · stride[0] instead of i0 · stride[0];
then as DMA over dimensions 1 to 5.}];
  let preconditions = [
    "index is i32 or i64 in SRAM, without a window, and moves with dimension 0 only",
    "0 ≤ idx < n, with n = za rows, or r[za_reg], 0 to za; otherwise the run ends with \"index out of range\" and the node's name",
    "the engine, reason and region rules of DMA"];
}
def : Transfer<"DMA_SCATTER", "DmaScatter", 0x42, "rows to a list of indices"> {
  let minStreams = 3;
  let maxStreams = 3;
  let streamNames = ["dst", "src", "index"];
  let descriptorFields = ["za", "za_reg"];
  let action = "As DMA_GATHER, with the index on dst. Points are written in ascending order: of equal indices the last wins.";
  let preconditions = [
    "index is i32 or i64 in SRAM, without a window, and moves with dimension 0 only",
    "0 ≤ idx < n, with n = za rows, or r[za_reg], 0 to za; otherwise the run ends with \"index out of range\" and the node's name",
    "the engine, reason and region rules of DMA"];
}

class Matrix<string mnemonic, string cpp, int opcode, string summary>
    : OnEngine<mnemonic, cpp, opcode, summary, [Mxu]> {
  let minStreams = 3;
  let maxStreams = 3;
  let streamNames = ["C", "A", "B"];
  let descriptorFields = ["init_reg", "za", "zb", "za_reg", "zb_reg"];
  let flagMask = 3;
  let flagTexts = [
    "neither bit: C is overwritten",
    "bit 0: C is added to",
    "bit 1: C is overwritten if r[init_reg] = 0, else added to"];
  let preconditions = [
    "C in ACC, A and B in SRAM; only A may have a window",
    "C does not move with reduced dimensions",
    "not both flags; init_reg only with bit 1",
    "za + r[za_reg] and zb + r[zb_reg] fit an i32"];
}
def : Matrix<"MXU", "Mxu", 0x50, "matrix product and convolution"> {
  let action = [{Dimensions [m0, m1, n, kh, kw, c]. C[m0,m1,n] (+)= Σ (A − za)·(B − zb) over kk ascending (za and zb with their registers). The order of kk: for each
block of 32 channels of c (from this instruction's start), for kh, for kw, for the channel in the block.
A's address: its strides for m0, m1, kh, kw, c and its window. B's address: kk · stride[5] + n · stride[2], so B
is [K, N].}];
  let notes = [{Float types: operands are converted exactly to f32 and kk is cut into chains. A chain is one block of 32 channels at all
kernel positions; if there is only one position (kh · kw = 1), it is 128 channels. A chain is summed from +0 by one
f32 fused multiply-add for each kk; chains are added to C in ascending order, each by one f32 addition. Where C is
overwritten, the first chain's sum is stored as it is. A reduction that continues in another instruction at a
multiple of those channels therefore gives the same bits. Integer types: exact in i32, wrapping. f64 and types that do
not pair are refused; products of f64, of integers of more than 8 bits are reductions in VEC. Reserved for block
scales, and refused in version 1: streams 4 and 5, scales of A and B, with `block_a` and `block_b`; an element times its
scale, rounded to f32, is the operand.}];
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
  let flagTexts = [
    "bit 0: the reduction goes on from the current value of its output of phase post unless r[init_reg] = 0 (sequential order, no post steps)",
    "bit 1, reserved: the 16 partials of reductions in lanes order are stored instead of their result",
    "bit 2, reserved: reductions in lanes order go on from 16 stored partials"];
  let action = [{For every point: inputs are loaded and converted to their registers' types, the body's steps run, outputs of phase body are
stored. Dimensions in reduce_mask are reduced in ascending row-major order; outputs of phase scan store what a reduction
has come to at every point; then, for every point of the
others, the post steps see the reductions' results and the inputs as loaded at reduced index 0, and outputs
of phase post are stored.}];
  let notes = [{A store converts the register's type: f32 to f16 and bf16 rounds to nearest even; f32 to integers rounds to nearest even and
saturates; i32 and i64 to narrower integers wrap; Booleans store 0 or 1. A NaN is stored canonical
(0x7FC00000 in f32). A step `reg` reads a scalar register as the instruction's own registers are read: at dispatch. Integer
steps are signed: u64 values compare with their sign bit flipped by `xor`. The functions of f64 registers are fixed
as well: the same bits on every machine, and for arguments up to 33 within 4·10^−15 of the value plus 10^−15 (`pow` without a
bound).}];
  let preconditions = [
    "streams in SRAM or ACC, as many as the program has outputs and inputs",
    "outputs are disjoint from inputs, or touch at every point exactly the bytes of that point's input",
    "outputs of phase post do not move with reduced dimensions"];
}

class VecOwn<string mnemonic, string cpp, int opcode, string summary>
    : OnEngine<mnemonic, cpp, opcode, summary, [Vec]>;

def : VecOwn<"VEC_SORT", "VecSort", 0x61, "stable sort, top-k and merge of rows with their indices"> {
  let minStreams = 3;
  let maxStreams = 5;
  let streamNames = ["values", "indices", "src", "src indices", "taken"];
  let flagMask = 15;
  let flagTexts = [
    "bit 0: descending",
    "bit 1: merge of two sorted runs; dimension 4 has 2 points, the runs",
    "bit 2: NaN last (else NaN is the greatest)",
    "bit 3, with bit 1: stop when a run is used up; the fifth stream receives how many elements of each run were taken"];
  let descriptorFields = ["za", "init_reg", "za_reg", "zb_reg"];
  let action = [{Sort: each row over dimension 5 is sorted by value, equal values in the order in which they stand. Merge:
run 0 and run 1 of a row, whose lengths are r[za_reg] and r[zb_reg], 0 to size[5] (r0: size[5]), are sorted already;
of equal values those of run 0 come first. values receives the elements, indices where each came from: its position in the
row, or its element of src indices. With za ≠ 0 only the first k elements of a row are stored: k = za, or
r[init_reg], 0 to za.}];
  let notes = [{Keys are any type of whole bytes but e8m0: numbers compare by value, −0 equals 0, all NaN are equal; elements
are moved with their bits. A row longer than SRAM is sorted in pieces (src indices say where they came from), and the sorted
pieces are merged a window at a time: with bit 3 the caller goes on with what was not taken.}];
  let preconditions = [
    "streams in SRAM or ACC, without windows; values and src have one type, indices and src indices are both i32 or both i64, taken is i64",
    "merge: src indices are given, values and indices do not move with dimension 4, taken does not move with dimension 5",
    "init_reg only with za ≠ 0, za_reg and zb_reg only with bit 1",
    "outputs are disjoint from inputs and from each other"];
}
def : VecOwn<"VEC_COMPACT", "VecCompact", 0x62, "keep the elements whose flag is set, with a count"> {
  let minStreams = 3;
  let maxStreams = 4;
  let streamNames = ["kept", "count", "flags", "src"];
  let descriptorFields = ["init_reg", "za", "zb", "zb_reg"];
  let flagMask = 3;
  let flagTexts = ["bit 0: kept receives positions (i32 or i64) instead of src's elements; there is no src",
                   "bit 1: kept goes on behind the r[init_reg] elements that are there"];
  let action = [{In row-major order of all points: where the element of flags is not 0 (a NaN is not 0), src's element, or
the point's running index plus zb plus r[zb_reg], is stored behind the elements of kept, stride[5] apart. count (one i32 or i64) receives
how many kept holds then. LDS brings the count to CTRL.}];
  let notes = "As with every instruction a size of 0 stores nothing, the count neither.";
  let preconditions = [
    "streams in SRAM or ACC, without windows; kept and src have one type",
    "kept moves with dimension 5 only, count does not move",
    "kept has room for za elements (read without sign); more end the run with \"more elements are set\" and the node's name",
    "outputs are disjoint from inputs and from each other"];
}
def : VecOwn<"VEC_SCATTER", "VecScatter", 0x63, "ordered scatter-reduce"> {
  let minStreams = 3;
  let maxStreams = 3;
  let streamNames = ["dst", "src", "index"];
  let descriptorFields = ["za", "zb", "za_reg", "init_reg"];
  let flagMask = 1;
  let flagTexts = ["bit 0: an index outside of the rows is skipped, and a negative one does not count from the end: dst is a tile"];
  let action = [{For i0 ascending: idx = index[i0] − r[init_reg], plus the number of rows n if negative; dst's address grows by idx · stride[0]
instead of i0 · stride[0]; then, for every point of dimensions 1 to 5, dst = dst op src, with op a Combine in zb.}];
  let notes = [{Each value is combined and stored before the next: f32 and shorter floats are combined in f32, f64 in f64, integers
by value, and every store rounds to nearest even or wraps. add, mul, min, max as the steps of these names.}];
  let preconditions = [
    "dst and src in SRAM or ACC, without windows, of one type; index is i32 or i64 in SRAM and moves with dimension 0 only",
    "0 ≤ idx < n, with n = za rows, or r[za_reg], 0 to za; otherwise the run ends with \"index out of range\" and the node's name",
    "dst is disjoint from src and index"];
}
def : VecOwn<"VEC_RANDOM", "VecRandom", 0x64, "counter-based random numbers"> {
  let minStreams = 1;
  let maxStreams = 2;
  let streamNames = ["dst", "seed"];
  let descriptorFields = ["za", "zb", "init_reg"];
  let action = [{Element number g = r[init_reg] + running index receives word g mod 4 of Philox4x32-10 with the counter
⌊g / 4⌋ (128 bits, little-endian words) and a key of 64 bits: za and zb, or the i64 that seed points to. Types of 64 bits
receive words 2·(g mod 2) and the next, the first being the lower, of counter ⌊g / 2⌋. Integers take the lowest bits, a
bool one bit. Floats take the highest p bits times 2^−p: a number in [0, 1) without rounding, with p = 24 (f32), 53 (f64), 11
(f16), 8 (bf16), 4 (f8e4m3), 3 (f8e5m2).}];
  let notes = [{The running index is row-major over all points, g is a 64-bit number that wraps. Tiles of one tensor, given the number of
their first element, receive what the whole tensor would. The distribution is made by a vector program.}];
  let preconditions = [
    "streams in SRAM or ACC, without windows; seed is one i64 and does not move; dst is not e8m0",
    "with seed za and zb are 0",
    "dst is disjoint from seed"];
}

#endif // ISA_ENGINES_TD

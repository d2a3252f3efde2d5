//===- IsaMachine.td - engines, memories, types, constants -----*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ISA_MACHINE_TD
#define ISA_MACHINE_TD

include "IsaClasses.td"

def : IsaConstant<"kIsaVersion", 1, "version of this instruction set">;
def : IsaConstant<"kInstrBytes", 16, "bytes of an instruction">;
def : IsaConstant<"kSlotBytes", 64, "bytes of a descriptor slot">;
def : IsaConstant<"kStepBytes", 16, "bytes of a vector step">;
def : IsaConstant<"kRegisterCount", 64, "scalar registers; r0 is always 0">;
def : IsaConstant<"kSemaphoreCount", 128, "semaphores; 0 means none, so 127 can be used">;
def : IsaConstant<"kDimCount", 6, "dimensions of an iteration space, row-major, the last innermost">;
def : IsaConstant<"kStreamLimit", 6, "streams of one instruction">;
def : IsaConstant<"kNestingLimit", 8, "LOOP, IF and WHILE inside of each other in one routine">;
def : IsaConstant<"kCallLimit", 8, "calls inside of each other">;
def : IsaConstant<"kKBlock", 32, "channels that a reduction of the matrix engine takes together">;
def : IsaConstant<"kChain", 128, "channels of a chain (MXU) if there is one kernel position">;
def : IsaConstant<"kLanes", 16, "partial results of an ordered reduction">;
def : IsaConstant<"kVecRegisterCount", 16, "registers of a vector program">;
def : IsaConstant<"kVecInputLimit", 4, "input streams of a vector program">;
def : IsaConstant<"kVecOutputLimit", 2, "output streams of a vector program">;
def : IsaConstant<"kVecReductionLimit", 2, "reductions of a vector program">;
def : IsaConstant<"kVecStepLimit", 48, "steps of a body, and of a post part">;
def : IsaConstant<"kNoDim", 255, "the window coordinate does not use a dimension">;
def : IsaConstant<"kUnchecked", 0xFFFFFFFF, "bound of a window coordinate that is never outside">;

def Ctrl : IsaCase<"Ctrl", 0, "ctrl", "the sequencer: scalar registers, control flow, dispatch">;
def Ld0 : IsaCase<"Ld0", 1, "ld0", "loads into SRAM">;
def Ld1 : IsaCase<"Ld1", 2, "ld1", "loads into SRAM, a second queue">;
def St : IsaCase<"St", 3, "st", "stores out of SRAM">;
def Mxu : IsaCase<"Mxu", 4, "mxu", "matrix products into the accumulators">;
def Vec : IsaCase<"Vec", 5, "vec", "element-wise programs and reductions">;
def EngineEnum : IsaEnum<"Engine", "executes instructions on its own, in order, from a queue",
                         [Ctrl, Ld0, Ld1, St, Mxu, Vec]>;

def SpaceEnum : IsaEnum<"Space", "memory that a stream walks", [
  IsaCase<"None", 0, "none", "no stream">,
  IsaCase<"Dram", 1, "dram", "a region; addresses are bytes from its start">,
  IsaCase<"Sram", 2, "sram", "the scratchpad, by byte address">,
  IsaCase<"Acc", 3, "acc", "the accumulators, by byte address; elements are f32 or i32">]>;

def DTypeEnum : IsaEnum<"DType", "type of an element in memory", [
  IsaCase<"None", 0, "none", "no stream">,
  IsaCase<"F32", 1, "f32", "32">, IsaCase<"F16", 2, "f16", "16">,
  IsaCase<"BF16", 3, "bf16", "16">, IsaCase<"F64", 4, "f64", "64">,
  IsaCase<"I8", 5, "i8", "8">, IsaCase<"U8", 6, "u8", "8">,
  IsaCase<"I16", 7, "i16", "16">, IsaCase<"U16", 8, "u16", "16">,
  IsaCase<"I32", 9, "i32", "32">, IsaCase<"U32", 10, "u32", "32">,
  IsaCase<"I64", 11, "i64", "64">, IsaCase<"U64", 12, "u64", "64">,
  IsaCase<"Bool", 13, "bool", "8">, IsaCase<"F8E4M3FN", 14, "f8e4m3fn", "8">,
  IsaCase<"F8E4M3FNUZ", 15, "f8e4m3fnuz", "8">, IsaCase<"F8E5M2", 16, "f8e5m2", "8">,
  IsaCase<"F8E5M2FNUZ", 17, "f8e5m2fnuz", "8">, IsaCase<"I4", 18, "i4", "4">,
  IsaCase<"U4", 19, "u4", "4">, IsaCase<"F4E2M1", 20, "f4e2m1", "4">,
  IsaCase<"E8M0", 21, "e8m0", "8">, IsaCase<"I2", 22, "i2", "2">,
  IsaCase<"U2", 23, "u2", "2">]>;

def ReasonEnum : IsaEnum<"Reason", "why a transfer touches DRAM", [
  IsaCase<"None", 0, "none", "it does not">,
  IsaCase<"CompulsoryLoad", 1, "compulsory_load", "a constant, graph input or state is read for the first time">,
  IsaCase<"CompulsoryStore", 2, "compulsory_store", "a graph output or state is written">,
  IsaCase<"SpillStore", 3, "spill_store", "a tensor between nodes does not fit on chip">,
  IsaCase<"SpillLoad", 4, "spill_load", "it comes back">,
  IsaCase<"Reload", 5, "reload", "what was on chip before was given up for capacity">,
  IsaCase<"Halo", 6, "halo", "rows or columns that neighbouring tiles share">,
  IsaCase<"Alignment", 7, "alignment", "bytes beside those that are needed">,
  IsaCase<"Fragmentation", 8, "fragmentation", "it would fit, but not in one piece">,
  IsaCase<"IllegalFusion", 9, "illegal_fusion", "producer and consumer cannot share a tile">,
  IsaCase<"DynamicShape", 10, "dynamic_shape", "the size is known only when it runs">,
  IsaCase<"Program", 11, "program", "instructions, descriptors, scalars">]>;

def VecTypeEnum : IsaEnum<"VecType", "type that a vector register holds; a Boolean is an i32 0 or 1", [
  IsaCase<"F32", 0, "f32">, IsaCase<"I32", 1, "i32">, IsaCase<"I64", 2, "i64">,
  IsaCase<"F64", 3, "f64">]>;

def ReduceEnum : IsaEnum<"Reduce", "how a vector program combines values", [
  IsaCase<"Sum", 0, "sum", "identity 0">, IsaCase<"Max", 1, "max", "identity -inf (integers: least value)">,
  IsaCase<"Min", 2, "min", "identity +inf (integers: greatest value)">,
  IsaCase<"Prod", 3, "prod", "identity 1">,
  IsaCase<"ArgMax", 4, "argmax", "index of the first greatest; a NaN counts only if it comes first">,
  IsaCase<"ArgMin", 5, "argmin", "index of the first least">,
  IsaCase<"ArgMaxLast", 6, "argmax_last", "index of the last greatest">,
  IsaCase<"ArgMinLast", 7, "argmin_last", "index of the last least">]>;

def OrderEnum : IsaEnum<"Order", "order in which a reduction takes its values", [
  IsaCase<"Sequential", 0, "sequential", "acc = acc op x, ascending">,
  IsaCase<"Lanes", 1, "lanes", "16 partials by running index mod 16, then p[i] = p[i] op p[i+w] for w = 8, 4, 2, 1">]>;

def PhaseEnum : IsaEnum<"Phase", "when an output is stored", [
  IsaCase<"Body", 0, "body", "at every point">,
  IsaCase<"Post", 1, "post", "once for each point of the dimensions that are not reduced">,
  IsaCase<"Scan", 2, "scan", "at every point: a sequential reduction's result up to and with this point; the register is the reduction's">]>;

/// What VEC_SCATTER does with a value (OpDesc::zb).
def CombineEnum : IsaEnum<"Combine", "how VEC_SCATTER combines dst and src", [
  IsaCase<"Set", 0, "set", "src; of equal indices the last wins">, IsaCase<"Add", 1, "add">,
  IsaCase<"Mul", 2, "mul">, IsaCase<"Min", 3, "min">, IsaCase<"Max", 4, "max">]>;

#endif // ISA_MACHINE_TD

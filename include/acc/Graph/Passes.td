//===- Passes.td - passes of the graph stage -------------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_GRAPH_PASSES_TD
#define ACC_GRAPH_PASSES_TD

include "mlir/Pass/PassBase.td"

def SimplifyOnnx : Pass<"simplify-onnx", "::mlir::ModuleOp"> {
  let summary = "Folds constants and the arithmetic on shapes";
  let description = [{
    Exported models compute shapes at run time: Shape, Gather, Concat and their
    like feed Reshape, Slice and Expand. With static shapes all of it is known.
    One sweep in program order folds every node whose operands are small
    constants by lowering it and running the reference evaluator on the result,
    infers result types again where a constant became known, and removes
    identities. A model's float arithmetic on constants is folded in the same
    order that the machine would compute it.
  }];
  let dependentDialects = ["::accel::AccelDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def RecoverPatterns : Pass<"recover-patterns", "::mlir::ModuleOp"> {
  let summary = "Finds normalisations and softmax in their decomposed forms";
  let description = [{
    Exporters write LayerNormalization as nine nodes. As one operation it reads
    its input once and has one canonical order of summation, whatever the
    schedule. Activations such as GELU need no recovery: their nodes join one
    body in fuse-epilogues.
  }];
  let dependentDialects = ["::accel::AccelDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def RecoverQdq : Pass<"recover-qdq", "::mlir::ModuleOp"> {
  let summary = "Turns quantised float operators into integer ones";
  let description = [{
    DequantizeLinear, Conv or MatMul or Gemm, QuantizeLinear means an integer
    operator: products of 8-bit values, exact i32 sums, and the requantisation
    sat(rne(f32(acc) * m_c) + zp) with m_c = f32(sx * sw_c / sy). Computing in
    float instead would move four times the bytes.

    Averages of pools are exact sums of integers, then one factor. Linear
    interpolation by whole factors is a transposed convolution with weights in units
    of 1 / (2 * factor), divided by the sum of those that meet an element. Operators
    that only move or compare elements do so with the integers.
  }];
  let dependentDialects = ["::accel::AccelDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def LowerOnnx : Pass<"lower-onnx", "::mlir::ModuleOp"> {
  let summary = "Lowers every ONNX node to the tensor form, or says which ones it cannot";
  let description = [{
    All obstacles of a model are reported together, each with its node, reason
    and what to do: there is no fallback to the host.
  }];
  let dependentDialects = ["::accel::AccelDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def RecoverAttention : Pass<"recover-attention", "::mlir::ModuleOp"> {
  let summary = "Brings every form of attention to two products around a softmax";
  let description = [{
    Exporters scale Q, K, both or their product, write masks as constants, as
    arithmetic on positions or as a choice between numbers, and repeat keys that
    heads share. One form of all of them is what a group of the plan stage can
    hold: scores = matmul(Q, K) with one factor and the mask in its body, softmax,
    matmul with V, and nothing between them. It runs on the tensor form, before
    transposes move, so that neither an ONNX operator's name nor its layout
    matters; it looks at the graph only, never at a target or schedule.
  }];
  let dependentDialects = ["::accel::AccelDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def PropagateTransposes : Pass<"propagate-transposes", "::mlir::ModuleOp"> {
  let summary = "Moves transposes behind what they feed until they cancel";
  let description = [{
    Convolutions compute channels last and are lowered between transposes. One
    sweep moves each transpose behind elementwise operations, concatenations,
    reductions and slices; where it meets its inverse both vanish. What remains
    are views, which DMA descriptors carry out.
  }];
  let dependentDialects = ["::accel::AccelDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def FuseEpilogues : Pass<"fuse-epilogues", "::mlir::ModuleOp"> {
  let summary = "Puts elementwise operations into the body of what produces their operand";
  let description = [{
    A result that only a map reads never needs to be stored: the map's scalar
    code joins the producer's body (bias, activation, residual addition), through
    reshapes and transposes, and part by part through a concatenation. A body
    reads at most 3 extras beside the kernel's value. An f16 or bf16 value that is
    no longer stored is not rounded either. A map in front of a view that repeats
    moves behind it where that lets it write a part of a concatenation. Factors and offsets
    for each channel are merged on the way and factors move into constant
    weights (a folded batch normalisation); this changes rounding, in the same
    way on every target.
  }];
  let dependentDialects = ["::accel::AccelDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def CleanGraph : Pass<"clean-graph", "::mlir::ModuleOp"> {
  let summary = "Removes equal and unused operations of the tensor form";
  let description = [{
    Lowerings repeat constants and views; layers then differ only in their
    weights and can share code.
  }];
  let dependentDialects = ["::accel::AccelDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def NarrowStrides : Pass<"narrow-strides", "::mlir::ModuleOp"> {
  let summary = "Computes only the rows and columns that strided readers read";
  let description = [{
    A 1x1 window of stride 2 reads a quarter of its operand. Where all readers of
    a convolution, pool or map step over rows or columns, their common step moves
    into the producer: its strides grow, its extras are read in steps, its result
    shrinks. It goes on upwards: the producer's operand is now read in steps. A
    residual network that strides in the first 1x1 of a stage loses three quarters
    of the stage before's last activation, with the multiplications behind it.
    Values that are read keep their bits.
  }];
  let statistics = [Statistic<"numNarrowed", "narrowed", "operations whose result shrank">];
}

def SinkBranches : Pass<"sink-branches", "::mlir::ModuleOp"> {
  let summary = "Moves an operation to its only reader if it reads no more than it writes";
  let description = [{
    Program order is the order of execution, so it says which tensors are alive at
    a time. The projection of a residual block, written before the block's body by
    exporters, keeps a large result alive where its operand would do; beside its
    reader it joins the reader's group and is never stored. Orders only: no value
    changes.
  }];
  let statistics = [Statistic<"numSunk", "sunk", "operations that moved">];
}

def SetPrecision : Pass<"set-precision", "::mlir::ModuleOp"> {
  let summary = "Stores f32 tensors as f16 or bf16; computes in f32 as before";
  let description = [{
    Activations and weights take half the bytes. Graph inputs and outputs keep
    their types: the first and last operations convert.
  }];
  let options = [
    Option<"type", "type", "std::string", "\"f32\"", "f32, f16 or bf16">,
  ];
  let dependentDialects = ["::accel::AccelDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def VerifyGraph : Pass<"verify-graph", "::mlir::ModuleOp"> {
  let summary = "Checks what the plan stage may assume";
  let description = [{
    @main holds operations of the tensor form only, at most 3 extras a body, and
    returns values.
  }];
}

#endif // ACC_GRAPH_PASSES_TD

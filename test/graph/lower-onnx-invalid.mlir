// RUN: acc-opt %s --lower-onnx --split-input-file --verify-diagnostics

// Every obstacle is named in one run, each with its reason and what to do. A name
// of a node is its location, so there is no line.
func.func @main(%x: tensor<1x2x4x4x4xf32>, %y: tensor<4xf32>) -> (tensor<1x2x4x4x4xf32>, tensor<?x1xi64>) {
  %w = onnx.Weight {value = dense<0.5> : tensor<2x2x1x1x1xf32>} : tensor<2x2x1x1x1xf32>
  %none = onnx.None : none
  // expected-error @unknown {{"conv3d" (Conv) cannot be compiled: 3-D window; only 1-D and 2-D convolutions and pools are possible}}
  %0 = onnx.Conv(%x, %w, %none) : (tensor<1x2x4x4x4xf32>, tensor<2x2x1x1x1xf32>, none) -> tensor<1x2x4x4x4xf32> loc("conv3d")
  // expected-error @unknown {{"where" (NonZero) cannot be compiled: no lowering for this operator; express it by others (see `acc list-ops`)}}
  %1 = onnx.NonZero(%y) : (tensor<4xf32>) -> tensor<?x1xi64> loc("where")
  return %0, %1 : tensor<1x2x4x4x4xf32>, tensor<?x1xi64>
}

// -----

// What computes nothing, and products that no engine makes.
// expected-error @below {{"input 0" (graph input) cannot be compiled: tensor<2x0xf32> has no elements; give it elements, or remove it and what reads it}}
func.func @main(%x: tensor<2x0xf32>, %a: tensor<2x3xf64>, %b: tensor<3x2xf64>) -> (tensor<2x0xf32>, tensor<2x2xf64>) {
  %0 = onnx.Relu(%x) : (tensor<2x0xf32>) -> tensor<2x0xf32> loc("empty")
  // expected-error @unknown {{"product" (MatMul) cannot be compiled: products of f64; the matrix engine takes f32, f16, bf16 and 8-bit integers}}
  %1 = onnx.MatMul(%a, %b) : (tensor<2x3xf64>, tensor<3x2xf64>) -> tensor<2x2xf64> loc("product")
  return %0, %1 : tensor<2x0xf32>, tensor<2x2xf64>
}

// -----

func.func @main(%x: tensor<4xf32>) -> (tensor<4xf8E5M2FNUZ>, tensor<4xf8E4M3FN>) {
  // expected-error @unknown {{"fnuz" (Cast) cannot be compiled: conversion to an 8-bit float other than E4M3FN and E5M2}}
  %0 = onnx.Cast(%x) {to = 20 : i64} : (tensor<4xf32>) -> tensor<4xf8E5M2FNUZ> loc("fnuz")
  // expected-error @unknown {{"wrap" (Cast) cannot be compiled: conversion without saturation; leave saturate at 1}}
  %1 = onnx.Cast(%x) {to = 17 : i64, saturate = 0 : i64} : (tensor<4xf32>) -> tensor<4xf8E4M3FN> loc("wrap")
  return %0, %1 : tensor<4xf8E5M2FNUZ>, tensor<4xf8E4M3FN>
}

// -----

// A constant without elements is fine as an operand, not as an output.
// expected-error @below {{"nothing" (graph output) cannot be compiled: tensor<0xi64> has no elements; remove this output}}
func.func @main(%x: tensor<4xf32>) -> (tensor<0xi64> {onnx.name = "nothing"}) {
  %0 = onnx.Weight {value = dense<> : tensor<0xi64>} : tensor<0xi64>
  return %0 : tensor<0xi64>
}

// -----

// Attention whose operands do not fit each other.
func.func @main(%q: tensor<1x5x4x8xf32>, %k: tensor<1x3x5x8xf32>, %p: tensor<1x4x15xf32>) -> (tensor<1x5x4x8xf32>, tensor<1x5x4x8xf32>, tensor<1x4x15xf32>) {
  %none = onnx.None : none
  // expected-error @unknown {{"heads" (Attention) cannot be compiled: 5 query heads cannot share 3 key heads; correct the model}}
  %0:4 = onnx.Attention(%q, %k, %k, %none, %none, %none, %none) : (tensor<1x5x4x8xf32>, tensor<1x3x5x8xf32>, tensor<1x3x5x8xf32>, none, none, none, none) -> (tensor<1x5x4x8xf32>, none, none, none) loc("heads")
  // expected-error @unknown {{"f64" (Attention) cannot be compiled: softmax_precision 11; rows are computed in f32: use 1 (float), 10 (float16) or 16 (bfloat16)}}
  %1:4 = onnx.Attention(%q, %q, %q, %none, %none, %none, %none) {softmax_precision = 11 : i64} : (tensor<1x5x4x8xf32>, tensor<1x5x4x8xf32>, tensor<1x5x4x8xf32>, none, none, none, none) -> (tensor<1x5x4x8xf32>, none, none, none) loc("f64")
  // expected-error @unknown {{"packed" (Attention) cannot be compiled: Q, K and V must all have rank 4, or rank 3 with q_num_heads and kv_num_heads that divide their last dimension; correct the model}}
  %2:4 = onnx.Attention(%p, %p, %p, %none, %none, %none, %none) {q_num_heads = 4 : i64, kv_num_heads = 4 : i64} : (tensor<1x4x15xf32>, tensor<1x4x15xf32>, tensor<1x4x15xf32>, none, none, none, none) -> (tensor<1x4x15xf32>, none, none, none) loc("packed")
  return %0#0, %1#0, %2#0 : tensor<1x5x4x8xf32>, tensor<1x5x4x8xf32>, tensor<1x4x15xf32>
}

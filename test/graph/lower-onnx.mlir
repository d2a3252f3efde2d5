// RUN: acc-opt %s --lower-onnx --clean-graph --split-input-file | FileCheck %s

// A convolution computes channels last, its weights stay where they are.
// CHECK-LABEL: func.func @main
// CHECK: accel.constant({{.*}}) pack <kind = "conv", source = tensor<8x4x3x3xf32>> : tensor<1x36x8xf32>
// CHECK: %[[X:.*]] = accel.transpose %arg0 {perm = array<i64: 0, 2, 3, 1>}
// CHECK: accel.conv %[[X]]
// CHECK-SAME: pads = array<i64: 1, 1, 1, 1>
// CHECK: arith.addf
// CHECK: accel.transpose {{.*}} {perm = array<i64: 0, 3, 1, 2>}
func.func @main(%x: tensor<1x4x8x8xf32>) -> tensor<1x8x8x8xf32> {
  %w = onnx.Weight {value = dense<0.5> : tensor<8x4x3x3xf32>} : tensor<8x4x3x3xf32>
  %b = onnx.Weight {value = dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : tensor<8xf32>} : tensor<8xf32>
  %0 = onnx.Conv(%x, %w, %b) {auto_pad = "SAME_UPPER"} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>, tensor<8xf32>) -> tensor<1x8x8x8xf32>
  return %0 : tensor<1x8x8x8xf32>
}

// -----

// A scalar constant enters the body, it is no stream.
// CHECK-LABEL: func.func @main
// CHECK: accel.map extras(%arg0)
// CHECK: arith.constant 2.0
// CHECK: arith.mulf
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %c = onnx.Weight {value = dense<2.0> : tensor<f32>} : tensor<f32>
  %0 = onnx.Mul(%x, %c) : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// One matrix on the right takes all rows at once.
// CHECK-LABEL: func.func @main
// CHECK: accel.reshape %arg0 : tensor<2x5x8xf32> to tensor<1x10x8xf32>
// CHECK: accel.matmul {{.*}} -> tensor<1x10x4xf32>
func.func @main(%x: tensor<2x5x8xf32>, %w: tensor<8x4xf32>) -> tensor<2x5x4xf32> {
  %0 = onnx.MatMul(%x, %w) : (tensor<2x5x8xf32>, tensor<8x4xf32>) -> tensor<2x5x4xf32>
  return %0 : tensor<2x5x4xf32>
}

// -----

// Attention: two query heads share a key, which is read as it lies.
// CHECK-LABEL: func.func @main
// CHECK: accel.matmul {{.*}} attributes {transpose_b} : (tensor<3x2x4x8xf32>, tensor<3x1x5x8xf32>) -> tensor<3x2x4x5xf32>
// CHECK: accel.softmax
// CHECK: accel.matmul {{.*}} : (tensor<3x2x4x5xf32>, tensor<3x1x5x8xf32>) -> tensor<3x2x4x8xf32>
func.func @main(%q: tensor<1x6x4x8xf32>, %k: tensor<1x3x5x8xf32>, %v: tensor<1x3x5x8xf32>) -> tensor<1x6x4x8xf32> {
  %none = onnx.None : none
  %y, %present_key, %present_value, %scores = onnx.Attention(%q, %k, %v, %none, %none, %none, %none) : (tensor<1x6x4x8xf32>, tensor<1x3x5x8xf32>, tensor<1x3x5x8xf32>, none, none, none, none) -> (tensor<1x6x4x8xf32>, none, none, none)
  return %y : tensor<1x6x4x8xf32>
}

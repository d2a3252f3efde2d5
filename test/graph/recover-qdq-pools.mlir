// RUN: acc-opt %s --recover-qdq --lower-onnx --clean-graph --split-input-file | FileCheck %s

// The sum of four integers; what the zero point adds to it is 4 * 3, the factor 0.5 / 4.
// CHECK-LABEL: func.func @main
// CHECK: accel.pool {{.*}}kind = #accel.reduce_kind<sum>
// CHECK-SAME: (tensor<1x4x4x2xi8>) -> tensor<1x2x2x2xf32>
// CHECK: ^bb0(%[[SUM:.*]]: i32):
// CHECK-DAG: arith.constant 1.200000e+01 : f32
// CHECK-DAG: arith.constant 1.250000e-01 : f32
func.func @main(%x: tensor<1x2x4x4xi8>) -> tensor<1x2x2x2xf32> {
  %s = onnx.Weight {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %z = onnx.Weight {value = dense<3> : tensor<i8>} : tensor<i8>
  %0 = onnx.DequantizeLinear(%x, %s, %z) : (tensor<1x2x4x4xi8>, tensor<f32>, tensor<i8>) -> tensor<1x2x4x4xf32>
  %1 = onnx.AveragePool(%0) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  return %1 : tensor<1x2x2x2xf32>
}

// -----

// Twice as large, between pixels: weights 1 3 3 1 along each axis, 16 of them at a place.
// CHECK-LABEL: func.func @main
// CHECK: dense<{{.*}}[1, 1], [3, 3], [3, 3], [1, 1], [3, 3], [9, 9]
// CHECK: accel.conv {{.*}}groups = 2 : i64, input_dilations = array<i64: 2, 2>
// CHECK-SAME: kernel = array<i64: 4, 4>
// CHECK-SAME: pads = array<i64: 2, 2, 2, 2>
// CHECK-SAME: (tensor<1x4x4x2xi8>, tensor<16x2xi8>, tensor<8x8xf32>) -> tensor<1x8x8x2xf32>
func.func @main(%x: tensor<1x2x4x4xi8>) -> tensor<1x2x8x8xf32> {
  %s = onnx.Weight {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %z = onnx.Weight {value = dense<0> : tensor<i8>} : tensor<i8>
  %n = onnx.None : none
  %scales = onnx.Weight {value = dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>} : tensor<4xf32>
  %0 = onnx.DequantizeLinear(%x, %s, %z) : (tensor<1x2x4x4xi8>, tensor<f32>, tensor<i8>) -> tensor<1x2x4x4xf32>
  %1 = onnx.Resize(%0, %n, %scales, %n) {mode = "linear"} : (tensor<1x2x4x4xf32>, none, tensor<4xf32>, none) -> tensor<1x2x8x8xf32>
  return %1 : tensor<1x2x8x8xf32>
}

// -----

// A quantised constant beside a tensor is a number in the body.
// CHECK-LABEL: func.func @main
// CHECK: accel.map extras(%{{[a-z0-9]*}}) {{.*}} (tensor<8xf32>) -> tensor<8xf32>
// CHECK: arith.constant 1.500000e+00 : f32
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  %s = onnx.Weight {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %z = onnx.Weight {value = dense<1> : tensor<i8>} : tensor<i8>
  %c = onnx.Weight {value = dense<4> : tensor<1xi8>} : tensor<1xi8>
  %0 = onnx.DequantizeLinear(%c, %s, %z) : (tensor<1xi8>, tensor<f32>, tensor<i8>) -> tensor<1xf32>
  %1 = onnx.Mul(%x, %0) : (tensor<8xf32>, tensor<1xf32>) -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

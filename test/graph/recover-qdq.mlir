// RUN: acc-opt %s --recover-qdq --lower-onnx --clean-graph | FileCheck %s

// sat(rne(f32(acc) * m) + zp), m = 0.5 * 0.25 / 0.125 = 1.
// CHECK-LABEL: func.func @main
// CHECK: accel.matmul {{.*}}{input_zero_point = 128 : i64}
// CHECK-SAME: (tensor<1x2x4xui8>, tensor<1x4x3xi8>) -> tensor<1x2x3xui8>
// CHECK: ^bb0(%[[ACC:.*]]: i32):
// CHECK: accel.convert %[[ACC]] : i32 to f32
// CHECK: math.roundeven
// CHECK: accel.convert {{.*}} saturate : f32 to ui8
func.func @main(%x: tensor<2x4xui8>) -> tensor<2x3xui8> {
  %w = onnx.Weight {value = dense<3> : tensor<4x3xi8>} : tensor<4x3xi8>
  %sx = onnx.Weight {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %zx = onnx.Weight {value = dense<128> : tensor<ui8>} : tensor<ui8>
  %sw = onnx.Weight {value = dense<0.25> : tensor<f32>} : tensor<f32>
  %zw = onnx.Weight {value = dense<0> : tensor<i8>} : tensor<i8>
  %sy = onnx.Weight {value = dense<0.125> : tensor<f32>} : tensor<f32>
  %zy = onnx.Weight {value = dense<7> : tensor<ui8>} : tensor<ui8>
  %0 = onnx.DequantizeLinear(%x, %sx, %zx) : (tensor<2x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x4xf32>
  %1 = onnx.DequantizeLinear(%w, %sw, %zw) : (tensor<4x3xi8>, tensor<f32>, tensor<i8>) -> tensor<4x3xf32>
  %2 = onnx.MatMul(%0, %1) : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  %3 = onnx.QuantizeLinear(%2, %sy, %zy) : (tensor<2x3xf32>, tensor<f32>, tensor<ui8>) -> tensor<2x3xui8>
  return %3 : tensor<2x3xui8>
}

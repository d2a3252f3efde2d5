// RUN: acc-opt %s --simplify-onnx --lower-onnx --clean-graph --split-input-file | FileCheck %s

// The shape that feeds Reshape is known; nothing of its arithmetic is left.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: %[[R:.*]] = accel.reshape %arg0 : tensor<2x3x4xf32> to tensor<2x12xf32>
// CHECK-NEXT: return %[[R]]
func.func @main(%x: tensor<2x3x4xf32>) -> tensor<2x12xf32> {
  %zero = onnx.Weight {value = dense<0> : tensor<i64>} : tensor<i64>
  %axes = onnx.Weight {value = dense<0> : tensor<1xi64>} : tensor<1xi64>
  %minus = onnx.Weight {value = dense<-1> : tensor<1xi64>} : tensor<1xi64>
  %s = onnx.Shape(%x) : (tensor<2x3x4xf32>) -> tensor<3xi64>
  %n = onnx.Gather(%s, %zero) {axis = 0 : i64} : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %n1 = onnx.Unsqueeze(%n, %axes) : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %shape = onnx.Concat(%n1, %minus) {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %r = onnx.Reshape(%x, %shape) : (tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<2x12xf32>
  return %r : tensor<2x12xf32>
}

// -----

// Float arithmetic folds by the evaluator.
// CHECK-LABEL: func.func @main
// CHECK: accel.constant(dense<[3.000000e+00, 6.000000e+00]> : tensor<2xf32>)
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = onnx.Weight {value = dense<[1.0, 2.0]> : tensor<2xf32>} : tensor<2xf32>
  %b = onnx.Weight {value = dense<3.0> : tensor<f32>} : tensor<f32>
  %c = onnx.Mul(%a, %b) : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %0 = onnx.Add(%x, %c) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

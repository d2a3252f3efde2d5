// RUN: acc-opt %s --recover-patterns | FileCheck %s

// The nine nodes of a layer normalisation.
// CHECK-LABEL: func.func @main
// CHECK: accel.normalize %arg0 attributes {dims = array<i64: 2>, eps = {{.*}}}
// CHECK-NOT: onnx.Sqrt
func.func @main(%x: tensor<1x4x8xf32>) -> tensor<1x4x8xf32> {
  %axes = onnx.Weight {value = dense<-1> : tensor<1xi64>} : tensor<1xi64>
  %two = onnx.Weight {value = dense<2.0> : tensor<f32>} : tensor<f32>
  %eps = onnx.Weight {value = dense<1.0e-5> : tensor<f32>} : tensor<f32>
  %m = onnx.ReduceMean(%x, %axes) : (tensor<1x4x8xf32>, tensor<1xi64>) -> tensor<1x4x1xf32>
  %d = onnx.Sub(%x, %m) : (tensor<1x4x8xf32>, tensor<1x4x1xf32>) -> tensor<1x4x8xf32>
  %p = onnx.Pow(%d, %two) : (tensor<1x4x8xf32>, tensor<f32>) -> tensor<1x4x8xf32>
  %v = onnx.ReduceMean(%p, %axes) : (tensor<1x4x8xf32>, tensor<1xi64>) -> tensor<1x4x1xf32>
  %e = onnx.Add(%v, %eps) : (tensor<1x4x1xf32>, tensor<f32>) -> tensor<1x4x1xf32>
  %r = onnx.Sqrt(%e) : (tensor<1x4x1xf32>) -> tensor<1x4x1xf32>
  %y = onnx.Div(%d, %r) : (tensor<1x4x8xf32>, tensor<1x4x1xf32>) -> tensor<1x4x8xf32>
  return %y : tensor<1x4x8xf32>
}

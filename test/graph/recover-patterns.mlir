// RUN: acc-opt %s --recover-patterns --split-input-file | FileCheck %s

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

// -----

// Softmax as an exporter of opset 12 writes it, and its logarithm.
// CHECK-LABEL: func.func @main
// CHECK-DAG: accel.softmax %arg0 :
// CHECK-DAG: accel.softmax %arg0 attributes {log = true}
// CHECK-NOT: onnx.Exp
func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %axes = onnx.Weight {value = dense<-1> : tensor<1xi64>} : tensor<1xi64>
  %m = onnx.ReduceMax(%x, %axes) : (tensor<4x8xf32>, tensor<1xi64>) -> tensor<4x1xf32>
  %d = onnx.Sub(%x, %m) : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %e = onnx.Exp(%d) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %s = onnx.ReduceSum(%e, %axes) : (tensor<4x8xf32>, tensor<1xi64>) -> tensor<4x1xf32>
  %y = onnx.Div(%e, %s) : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %l = onnx.Log(%s) : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %z = onnx.Sub(%d, %l) : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  return %y, %z : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// Along another dimension, or without the maximum, it stays what it is.
// CHECK-LABEL: func.func @main
// CHECK-NOT: accel.softmax
func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %axes = onnx.Weight {value = dense<0> : tensor<1xi64>} : tensor<1xi64>
  %last = onnx.Weight {value = dense<-1> : tensor<1xi64>} : tensor<1xi64>
  %m = onnx.ReduceMax(%x, %axes) : (tensor<4x8xf32>, tensor<1xi64>) -> tensor<1x8xf32>
  %d = onnx.Sub(%x, %m) : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  %e = onnx.Exp(%d) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %s = onnx.ReduceSum(%e, %axes) : (tensor<4x8xf32>, tensor<1xi64>) -> tensor<1x8xf32>
  %y = onnx.Div(%e, %s) : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  %f = onnx.Exp(%x) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %t = onnx.ReduceSum(%f, %last) : (tensor<4x8xf32>, tensor<1xi64>) -> tensor<4x1xf32>
  %z = onnx.Div(%f, %t) : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  return %y, %z : tensor<4x8xf32>, tensor<4x8xf32>
}

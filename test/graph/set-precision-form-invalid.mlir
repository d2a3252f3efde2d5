// RUN: acc-opt %s --set-precision=type=f16 --verify-diagnostics

module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @below {{'onnx.Relu' op is not part of the tensor form}}
    %0 = onnx.Relu(%x) : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

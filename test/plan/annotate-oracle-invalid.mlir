// RUN: acc-opt %s --annotate-oracle --split-input-file --verify-diagnostics

// expected-error @below {{needs the attribute accel.target with sram_bytes and acc_bytes; name a target}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

module attributes {accel.target = {sram_bytes = 32768 : i64, acc_bytes = 4096 : i64}} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @below {{is not part of the tensor form}}
    %y = "onnx.Relu"(%x) : (tensor<4xf32>) -> tensor<4xf32>
    return %y : tensor<4xf32>
  }
}

// RUN: acc-opt %s --set-precision=type=f8 --split-input-file --verify-diagnostics

// expected-error @below {{precision "f8" is not f32, f16 or bf16}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// RUN: acc-opt %s --plan-groups --split-input-file --verify-diagnostics

// expected-error @+1 {{needs the attribute accel.target with sram_bytes and acc_bytes; name a target}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

// Not one element of each operand fits; the message says what is needed.
module attributes {accel.target = {sram_bytes = 64 : i64, acc_bytes = 1024 : i64}} {
  func.func @main(%x: tensor<4x4096xf32>) -> tensor<4x4096xf32> {
    // expected-error-re @+1 {{no tile fits on the target: buffers need {{[0-9]+}} bytes of SRAM, there are 64}}
    %0 = accel.softmax %x : (tensor<4x4096xf32>) -> tensor<4x4096xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return %0 : tensor<4x4096xf32>
  }
}

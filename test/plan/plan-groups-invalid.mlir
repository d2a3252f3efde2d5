// RUN: acc-opt %s --plan-groups --split-input-file --verify-diagnostics

// expected-error @+1 {{needs the attribute accel.target with sram_bytes and acc_bytes; name a target}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

// A row of a softmax cannot be cut; the message says what it needs.
module attributes {accel.target = {sram_bytes = 1024 : i64, acc_bytes = 1024 : i64}} {
  func.func @main(%x: tensor<4x4096xf32>) -> tensor<4x4096xf32> {
    // expected-error @+1 {{no tile fits on the target: buffers need 49280 bytes of SRAM, there are 1024}}
    %0 = accel.softmax %x : (tensor<4x4096xf32>) -> tensor<4x4096xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return %0 : tensor<4x4096xf32>
  }
}

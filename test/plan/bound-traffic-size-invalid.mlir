// RUN: acc-opt %s --bound-traffic="chip-bytes=0" --verify-diagnostics

// expected-error @below {{chip-bytes: 0 is no size of a memory}}
module attributes {accel.target = {sram_bytes = 32768 : i64, acc_bytes = 4096 : i64}} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

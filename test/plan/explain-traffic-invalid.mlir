// RUN: acc-opt %s --explain-traffic --split-input-file --verify-diagnostics

// expected-error @below {{needs the attribute accel.target with sram_bytes and acc_bytes; name a target}}
module {
  func.func @main(%x: tensor<4xf32> {onnx.name = "x"}) -> (tensor<4xf32> {onnx.name = "y"}) {
    return %x : tensor<4xf32>
  }
}

// -----

module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %0 = call @group_0(%x) : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
  // expected-error @below {{is no routine: it needs one block and accel.schedule}}
  func.func private @group_0(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

// A routine whose schedule the target cannot carry out.
module attributes {accel.target = {sram_bytes = 16 : i64, acc_bytes = 16384 : i64}} {
  func.func @main(%x: tensor<4xf32> {onnx.name = "x"}) -> (tensor<4xf32> {onnx.name = "y"}) {
    %0 = call @group_0(%x) : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
  // expected-error @below {{schedule is not possible on this target: buffers need 128 bytes of SRAM, there are 16}}
  func.func private @group_0(%x: tensor<4xf32> {accel.kind = "input", accel.layout = #accel.layout<[1], [4], [1]>, accel.reason = #accel.reason<compulsory_load>, accel.space = #accel.space<dram>}) -> (tensor<4xf32> {accel.kind = "output", accel.layout = #accel.layout<[1], [4], [1]>, accel.reason = #accel.reason<compulsory_store>, accel.space = #accel.space<dram>}) attributes {accel.schedule = #accel.schedule<version = 1, anchor = 0, inputs = [<level = 0>], members = [<rolling = false, level = 0, depth = 1, inplace = -1>]>} {
    %0 = accel.map extras(%x) attributes {maps = [affine_map<(a) -> (a)>]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%v: f32):
      %n = arith.negf %v : f32
      accel.yield %n : f32
    }
    return %0 : tensor<4xf32>
  }
}

// RUN: acc-opt %s --write-prediction | FileCheck %s

// Four floats are read and four are written; both are compulsory.
// CHECK: accel.prediction = [{bytes = 16 : i64, reason = #accel.reason<compulsory_load>, tensor = "x", write = false}
// CHECK-SAME: {bytes = 16 : i64, reason = #accel.reason<compulsory_store>, tensor = "y", write = true}
module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}} {
  func.func @main(%x: tensor<4xf32> {onnx.name = "x"}) -> (tensor<4xf32> {onnx.name = "y"}) {
    %0 = call @group_0(%x) : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
  func.func private @group_0(%x: tensor<4xf32> {accel.kind = "input", accel.layout = #accel.layout<[1], [4], [1]>, accel.reason = #accel.reason<compulsory_load>, accel.space = #accel.space<dram>}) -> (tensor<4xf32> {accel.kind = "output", accel.layout = #accel.layout<[1], [4], [1]>, accel.reason = #accel.reason<compulsory_store>, accel.space = #accel.space<dram>}) attributes {accel.schedule = #accel.schedule<version = 1, anchor = 0, inputs = [<level = 0>], members = [<rolling = false, level = 0, depth = 1, inplace = -1>]>} {
    %0 = accel.map extras(%x) attributes {maps = [affine_map<(a) -> (a)>]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%v: f32):
      %n = arith.negf %v : f32
      accel.yield %n : f32
    }
    return %0 : tensor<4xf32>
  }
}

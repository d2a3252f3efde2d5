// RUN: acc-opt %s --explain-traffic --split-input-file | FileCheck %s

// x has 12 bytes that anything touches (bound-traffic says so), 16 are loaded; the second group loads them again, and
// what plan-groups found stands on its call. y is written once.
// CHECK: module attributes {accel.explanation = [
// CHECK-SAME: {bytes = 12 : i64, cause = #accel.cause<compulsory>, group = 0 : i64, node = "first", tensor = "x", write = false}
// CHECK-SAME: {bytes = 4 : i64, cause = #accel.cause<search>, group = 0 : i64, node = "first", tensor = "x", text = "another operand is the same data
// CHECK-SAME: {bytes = 16 : i64, cause = #accel.cause<compulsory>, group = 0 : i64, node = "first", tensor = "y", write = true}
// CHECK-SAME: {bytes = 16 : i64, cause = #accel.cause<capacity>, group = 1 : i64, more = 64 : i64, node = "second", tensor = "x", text = "why", write = false}
// CHECK-SAME: {bytes = 16 : i64, cause = #accel.cause<compulsory>, group = 1 : i64, node = "second", tensor = "z", write = true}
// CHECK-SAME: accel.groups = [{alternatives = [], bytes = 32 : i64, least = 32 : i64, members = ["first"], space = 65536 : i64, sram = 128 : i64}
// CHECK-NOT: accel.alternatives
module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}} {
  func.func @main(%x: tensor<4xf32> {onnx.name = "x", accel.compulsory_bytes = 12 : i64}) -> (tensor<4xf32> {onnx.name = "y"}, tensor<4xf32> {onnx.name = "z"}) {
    %0 = call @group_0(%x) {accel.alternatives = {version = 1 : i64, members = ["first"], least = 32 : i64, space = 65536 : i64, inside = {}, inputs = [{}], outputs = [{}], alternatives = []}} : (tensor<4xf32>) -> tensor<4xf32>
    %1 = call @group_0(%x) {accel.alternatives = {version = 1 : i64, members = ["second"], least = 32 : i64, space = 65536 : i64, inside = {}, inputs = [{cause = #accel.cause<capacity>, more = 64 : i64, text = "why"}], outputs = [{}], alternatives = []}} : (tensor<4xf32>) -> tensor<4xf32>
    return %0, %1 : tensor<4xf32>, tensor<4xf32>
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

// -----

// A 3x3 pooling in strips of four rows needs the rows [0,5), [3,9), [7,13) and [11,16): 22 where there are 16, so 6 are
// halo. A row has 8 * 2 floats.
// CHECK: module attributes {accel.explanation = [
// CHECK-SAME: {bytes = 1024 : i64, cause = #accel.cause<compulsory>, group = 0 : i64, node = "pool", tensor = "x", write = false}
// CHECK-SAME: {bytes = 384 : i64, cause = #accel.cause<halo>, group = 0 : i64, node = "pool", tensor = "x", text = "tiles of this schedule overlap in what they read", write = false}
// CHECK-SAME: {bytes = 1024 : i64, cause = #accel.cause<compulsory>, group = 0 : i64, node = "pool", tensor = "y", write = true}
module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}} {
  func.func @main(%x: tensor<1x16x8x2xf32> {onnx.name = "x", accel.compulsory_bytes = 1024 : i64}) -> (tensor<1x16x8x2xf32> {onnx.name = "y"}) {
    %0 = call @group_0(%x) : (tensor<1x16x8x2xf32>) -> tensor<1x16x8x2xf32>
    return %0 : tensor<1x16x8x2xf32>
  }
  func.func private @group_0(%x: tensor<1x16x8x2xf32> {accel.kind = "input", accel.layout = #accel.layout<[1, 2, 3, 4], [1, 16, 8, 2], [256, 16, 2, 1]>, accel.reason = #accel.reason<reload>, accel.space = #accel.space<dram>}) -> (tensor<1x16x8x2xf32> {accel.kind = "output", accel.layout = #accel.layout<[1, 2, 3, 4], [1, 16, 8, 2], [256, 16, 2, 1]>, accel.reason = #accel.reason<compulsory_store>, accel.space = #accel.space<dram>}) attributes {accel.schedule = #accel.schedule<version = 1, anchor = 0, loops = [<1 : 4>], inputs = [<level = 1>], members = [<rolling = false, level = 1, depth = 1, inplace = -1>]>} {
    %0 = accel.pool %x attributes {kind = #accel.reduce_kind<max>, kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<1x16x8x2xf32>) -> tensor<1x16x8x2xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    } loc("pool")
    return %0 : tensor<1x16x8x2xf32>
  }
}

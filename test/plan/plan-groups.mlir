// RUN: acc-opt %s --plan-groups | FileCheck %s
// RUN: acc-opt %s --plan-groups --outline-groups --write-prediction | FileCheck %s --check-prefix=PREDICT

// Two convolutions of one input are one group, each result is written into its part
// of the concatenation, which stays in SRAM: no byte moves twice.

// 64 KiB are a rung of the ladder: that is what addresses may use.
// CHECK: accel.planned_sram_bytes = 65536

#map = affine_map<(n, h, w, c) -> (c)>
module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}} {
  // CHECK-LABEL: func.func @main
  func.func @main(%x: tensor<1x8x8x32xf32> {onnx.name = "x"}) -> (tensor<1x1x1x24xf32> {onnx.name = "y"}) {
    %w1 = accel.constant(dense<0.5> : tensor<16x32x1x1xf32>) pack <kind = "conv", source = tensor<16x32x1x1xf32>> : tensor<1x32x16xf32> loc("w1")
    %b1 = accel.constant(dense<0.1> : tensor<16xf32>) : tensor<16xf32> loc("b1")
    %w2 = accel.constant(dense<0.5> : tensor<8x32x3x3xf32>) pack <kind = "conv", source = tensor<8x32x3x3xf32>> : tensor<1x288x8xf32> loc("w2")
    // CHECK: accel.layout = #accel.layout<[0, 1, 2, 3], [8, 8, 16], [192, 24, 1]>
    // CHECK-SAME: accel.space = #accel.space<sram>
    // CHECK-SAME: accel.layout = #accel.layout<[0, 1, 2, 3], [8, 8, 8], [192, 24, 1]>
    // CHECK-SAME: accel.space = #accel.space<sram>
    // CHECK: accel.conv
    // CHECK: accel.conv
    // CHECK: accel.concat
    // CHECK: accel.reduce
    %c1 = accel.conv %x, %w1 extras(%b1) attributes {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>, maps = [#map]} : (tensor<1x8x8x32xf32>, tensor<1x32x16xf32>, tensor<16xf32>) -> tensor<1x8x8x16xf32> {
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      accel.yield %0 : f32
    } loc("conv1")
    %c2 = accel.conv %x, %w2 attributes {kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>} : (tensor<1x8x8x32xf32>, tensor<1x288x8xf32>) -> tensor<1x8x8x8xf32> {
    ^bb0(%acc: f32):
      accel.yield %acc : f32
    } loc("conv2")
    %cat = accel.concat %c1, %c2 {axis = 3 : i64} : (tensor<1x8x8x16xf32>, tensor<1x8x8x8xf32>) -> tensor<1x8x8x24xf32> loc("concat")
    %g = accel.reduce %cat attributes {kind = #accel.reduce_kind<max>, dims = array<i64: 1, 2>} : (tensor<1x8x8x24xf32>) -> tensor<1x1x1x24xf32> {
    ^bb0(%s: f32):
      accel.yield %s : f32
    } loc("max")
    return %g : tensor<1x1x1x24xf32>
  }
}

// Every byte once: 8*8*32*4, 24*4, 32*16*4, 16*4, 288*8*4; nothing in
// the workspace.
// PREDICT: accel.prediction = [
// PREDICT-SAME: {bytes = 8192 : i64, reason = #accel.reason<compulsory_load>, tensor = "x", write = false}
// PREDICT-SAME: {bytes = 96 : i64, reason = #accel.reason<compulsory_store>, tensor = "y", write = true}
// PREDICT-SAME: {bytes = 2048 : i64,
// PREDICT-SAME: {bytes = 64 : i64,
// PREDICT-SAME: {bytes = 9216 : i64, {{[^}]*}}}]

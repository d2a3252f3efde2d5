// RUN: acc-opt %s --fuse-epilogues --clean-graph | FileCheck %s

// A batch normalisation's factor goes into the weights, its offset and the
// bias become one, the activation follows.
// CHECK-LABEL: func.func @main
// CHECK: pack <kind = "conv", source = tensor<2x3x1x1xf32>, scale = dense<[2.000000e+00, 4.000000e+00]> : tensor<2xf32>>
// CHECK: accel.constant(dense<[2.000000e+00, 3.000000e+00]> : tensor<2xf32>)
// CHECK: accel.conv
// CHECK: %[[S:.*]] = arith.addf
// CHECK: arith.maximumf %[[S]]
// CHECK-NOT: accel.map
func.func @main(%x: tensor<1x4x4x3xf32>) -> tensor<1x4x4x2xf32> {
  %w = accel.constant(dense<0.5> : tensor<2x3x1x1xf32>) pack <kind = "conv", source = tensor<2x3x1x1xf32>> : tensor<1x3x2xf32>
  %b = accel.constant(dense<[0.5, 0.25]> : tensor<2xf32>) : tensor<2xf32>
  %s = accel.constant(dense<[2.0, 4.0]> : tensor<2xf32>) : tensor<2xf32>
  %t = accel.constant(dense<[1.0, 2.0]> : tensor<2xf32>) : tensor<2xf32>
  %0 = accel.conv %x, %w extras(%b) attributes {dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>, kernel = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>, maps = [affine_map<(a, b, c, d) -> (d)>]} : (tensor<1x4x4x3xf32>, tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32> {
  ^bb0(%acc: f32, %bias: f32):
    %1 = arith.addf %acc, %bias : f32
    accel.yield %1 : f32
  }
  %2 = accel.map extras(%0, %s, %t) attributes {maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (d)>, affine_map<(a, b, c, d) -> (d)>]} : (tensor<1x4x4x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32> {
  ^bb0(%v: f32, %scale: f32, %offset: f32):
    %z = arith.constant 0.0 : f32
    %1 = arith.mulf %v, %scale : f32
    %3 = arith.addf %1, %offset : f32
    %4 = arith.maximumf %3, %z : f32
    accel.yield %4 : f32
  }
  return %2 : tensor<1x4x4x2xf32>
}

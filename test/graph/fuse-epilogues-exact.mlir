// RUN: acc-opt %s --fuse-epilogues --clean-graph | FileCheck %s

// The offset of two maps that join one after the other, 1.0000004 * 1.0000004 - 1,
// is rounded once. Rounded after the product it would be 7.1525574e-07.
// CHECK-LABEL: func.func @main
// CHECK: accel.constant(dense<[7.152558{{[0-9]*}}E-7, 7.000000e+00]> : tensor<2xf32>) : tensor<2xf32>
// CHECK: accel.conv
// CHECK-NOT: exact
// CHECK-NOT: accel.map
func.func @main(%x: tensor<1x4x4x3xf32>) -> tensor<1x4x4x2xf32> {
  %w = accel.constant(dense<0.5> : tensor<2x3x1x1xf32>) pack <kind = "conv", source = tensor<2x3x1x1xf32>> : tensor<1x3x2xf32>
  %b = accel.constant(dense<[1.0000004, 2.0]> : tensor<2xf32>) : tensor<2xf32>
  %s = accel.constant(dense<[1.0000004, 2.0]> : tensor<2xf32>) : tensor<2xf32>
  %t = accel.constant(dense<[-1.0, 3.0]> : tensor<2xf32>) : tensor<2xf32>
  %0 = accel.conv %x, %w extras(%b) attributes {dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>, kernel = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>, maps = [affine_map<(a, b, c, d) -> (d)>]} : (tensor<1x4x4x3xf32>, tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32> {
  ^bb0(%acc: f32, %bias: f32):
    %1 = arith.addf %acc, %bias : f32
    accel.yield %1 : f32
  }
  %2 = accel.map extras(%0, %s) attributes {maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (d)>]} : (tensor<1x4x4x2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32> {
  ^bb0(%v: f32, %scale: f32):
    %1 = arith.mulf %v, %scale : f32
    accel.yield %1 : f32
  }
  %3 = accel.map extras(%2, %t) attributes {maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (d)>]} : (tensor<1x4x4x2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32> {
  ^bb0(%v: f32, %offset: f32):
    %1 = arith.addf %v, %offset : f32
    accel.yield %1 : f32
  }
  return %3 : tensor<1x4x4x2xf32>
}

// RUN: acc-opt %s --verify-graph | FileCheck %s

// Views, constants and structured operations with at most 3 extras (4 of a map) pass unchanged.
// CHECK: accel.map
// CHECK: accel.transpose
#id = affine_map<(a, b) -> (a, b)>
func.func @main(%x: tensor<2x4xf32>) -> tensor<4x2xf32> {
  %c = accel.constant(dense<1.0> : tensor<2x4xf32>) : tensor<2x4xf32>
  %0 = accel.map extras(%x, %c) attributes {maps = [#id, #id]} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    accel.yield %s : f32
  }
  %1 = accel.transpose %0 {perm = array<i64: 1, 0>} : tensor<2x4xf32> to tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}

// RUN: acc-opt %s --clean-graph | FileCheck %s

// Equal constants are one, what nobody reads goes, constants of a body stay in it.
// CHECK-LABEL: func.func @main
// CHECK-COUNT-1: accel.constant
// CHECK-NOT: accel.transpose
// CHECK: accel.map
// CHECK-NEXT: ^bb0
// CHECK: arith.constant 5.0
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = accel.constant(dense<1.0> : tensor<4xf32>) : tensor<4xf32>
  %b = accel.constant(dense<1.0> : tensor<4xf32>) : tensor<4xf32>
  %m = accel.map extras(%x) attributes {maps = [affine_map<(a) -> (a)>]} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%v: f32):
    %two = arith.constant 2.0 : f32
    %three = arith.constant 3.0 : f32
    %five = arith.addf %two, %three : f32
    %e = arith.mulf %v, %five : f32
    accel.yield %e : f32
  }
  return %a, %b, %m : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

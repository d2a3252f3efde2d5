// RUN: acc-opt %s --propagate-transposes --split-input-file | FileCheck %s

// The transpose moves behind the map and meets its inverse.
// CHECK-LABEL: func.func @main
// CHECK-NOT: accel.transpose
// CHECK: accel.map extras(%arg0) {{.*}} : (tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32>
func.func @main(%x: tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32> {
  %0 = accel.transpose %x {perm = array<i64: 0, 3, 1, 2>} : tensor<1x8x8x4xf32> to tensor<1x4x8x8xf32>
  %1 = accel.map extras(%0) attributes {maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>]} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  ^bb0(%v: f32):
    %n = arith.negf %v : f32
    accel.yield %n : f32
  }
  %2 = accel.transpose %1 {perm = array<i64: 0, 2, 3, 1>} : tensor<1x4x8x8xf32> to tensor<1x8x8x4xf32>
  return %2 : tensor<1x8x8x4xf32>
}

// -----

// A channel shuffle keeps one transpose, of the channels alone.
// CHECK-LABEL: func.func @main
// CHECK: accel.reshape %arg0 : tensor<1x8x8x12xf32> to tensor<1x8x8x4x3xf32>
// CHECK: accel.transpose {{.*}} to tensor<1x8x8x3x4xf32>
// CHECK: accel.reshape {{.*}} to tensor<1x8x8x12xf32>
// CHECK-NEXT: return
func.func @main(%x: tensor<1x8x8x12xf32>) -> tensor<1x8x8x12xf32> {
  %0 = accel.transpose %x {perm = array<i64: 0, 3, 1, 2>} : tensor<1x8x8x12xf32> to tensor<1x12x8x8xf32>
  %1 = accel.reshape %0 : tensor<1x12x8x8xf32> to tensor<1x4x3x8x8xf32>
  %2 = accel.transpose %1 {perm = array<i64: 0, 2, 1, 3, 4>} : tensor<1x4x3x8x8xf32> to tensor<1x3x4x8x8xf32>
  %3 = accel.reshape %2 : tensor<1x3x4x8x8xf32> to tensor<1x12x8x8xf32>
  %4 = accel.transpose %3 {perm = array<i64: 0, 2, 3, 1>} : tensor<1x12x8x8xf32> to tensor<1x8x8x12xf32>
  return %4 : tensor<1x8x8x12xf32>
}

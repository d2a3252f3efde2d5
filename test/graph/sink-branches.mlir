// RUN: acc-opt %s --sink-branches --split-input-file | FileCheck %s

// The projection of a residual block moves, with the map that it alone reads, to
// where its result is added. The body stays in its order.
// CHECK-LABEL: func.func @main
// CHECK-DAG: %[[WIDE:.*]] = accel.constant(dense<1.0
// CHECK-DAG: %[[NARROW:.*]] = accel.constant(dense<2.0
// CHECK: %[[BODY:.*]] = accel.matmul %arg0, %[[NARROW]]
// CHECK: %[[MAP:.*]] = accel.map extras(%arg0)
// CHECK: %[[PROJECTION:.*]] = accel.matmul %[[MAP]], %[[WIDE]]
// CHECK: accel.map extras(%[[BODY]], %[[PROJECTION]])
func.func @main(%x: tensor<1x8x4xf32>) -> tensor<1x8x16xf32> {
  %wide = accel.constant(dense<1.0> : tensor<1x4x16xf32>) : tensor<1x4x16xf32>
  %narrow = accel.constant(dense<2.0> : tensor<1x4x16xf32>) : tensor<1x4x16xf32>
  %m = accel.map extras(%x) attributes {maps = [affine_map<(b, m, k) -> (b, m, k)>]} : (tensor<1x8x4xf32>) -> tensor<1x8x4xf32> {
  ^bb0(%v: f32):
    %d = arith.addf %v, %v : f32
    accel.yield %d : f32
  }
  %p = accel.matmul %m, %wide attributes {maps = []} : (tensor<1x8x4xf32>, tensor<1x4x16xf32>) -> tensor<1x8x16xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  %b = accel.matmul %x, %narrow attributes {maps = []} : (tensor<1x8x4xf32>, tensor<1x4x16xf32>) -> tensor<1x8x16xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  %sum = accel.map extras(%b, %p) attributes {maps = [affine_map<(b, m, k) -> (b, m, k)>, affine_map<(b, m, k) -> (b, m, k)>]} : (tensor<1x8x16xf32>, tensor<1x8x16xf32>) -> tensor<1x8x16xf32> {
  ^bb0(%v: f32, %w: f32):
    %d = arith.addf %v, %w : f32
    accel.yield %d : f32
  }
  return %sum : tensor<1x8x16xf32>
}

// -----

// A lateral that narrows, a result with two readers and one that is an output stay;
// what one of them feeds goes to its reader.
// CHECK-LABEL: func.func @main
// CHECK: %[[LATERAL:.*]] = accel.matmul %arg0
// CHECK: %[[TWICE:.*]] = accel.map extras(%arg0)
// CHECK: %[[OUT:.*]] = accel.map extras(%arg0)
// CHECK: accel.map extras(%[[LATERAL]])
// CHECK: %[[LATE:.*]] = accel.map extras(%[[TWICE]])
// CHECK: accel.map extras(%[[TWICE]], %[[LATE]])
func.func @main(%x: tensor<1x8x16xf32>) -> (tensor<1x8x16xf32>, tensor<1x8x4xf32>, tensor<1x8x16xf32>) {
  %narrow = accel.constant(dense<1.0> : tensor<1x16x4xf32>) : tensor<1x16x4xf32>
  %lateral = accel.matmul %x, %narrow attributes {maps = []} : (tensor<1x8x16xf32>, tensor<1x16x4xf32>) -> tensor<1x8x4xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  %twice = accel.map extras(%x) attributes {maps = [affine_map<(b, m, k) -> (b, m, k)>]} : (tensor<1x8x16xf32>) -> tensor<1x8x16xf32> {
  ^bb0(%v: f32):
    %d = arith.addf %v, %v : f32
    accel.yield %d : f32
  }
  %out = accel.map extras(%x) attributes {maps = [affine_map<(b, m, k) -> (b, m, k)>]} : (tensor<1x8x16xf32>) -> tensor<1x8x16xf32> {
  ^bb0(%v: f32):
    %d = arith.negf %v : f32
    accel.yield %d : f32
  }
  %late = accel.map extras(%twice) attributes {maps = [affine_map<(b, m, k) -> (b, m, k)>]} : (tensor<1x8x16xf32>) -> tensor<1x8x16xf32> {
  ^bb0(%v: f32):
    %d = arith.mulf %v, %v : f32
    accel.yield %d : f32
  }
  %l = accel.map extras(%lateral) attributes {maps = [affine_map<(b, m, k) -> (b, m, k)>]} : (tensor<1x8x4xf32>) -> tensor<1x8x4xf32> {
  ^bb0(%v: f32):
    %d = arith.negf %v : f32
    accel.yield %d : f32
  }
  %sum = accel.map extras(%twice, %late) attributes {maps = [affine_map<(b, m, k) -> (b, m, k)>, affine_map<(b, m, k) -> (b, m, k)>]} : (tensor<1x8x16xf32>, tensor<1x8x16xf32>) -> tensor<1x8x16xf32> {
  ^bb0(%v: f32, %w: f32):
    %d = arith.addf %v, %w : f32
    accel.yield %d : f32
  }
  return %sum, %l, %out : tensor<1x8x16xf32>, tensor<1x8x4xf32>, tensor<1x8x16xf32>
}

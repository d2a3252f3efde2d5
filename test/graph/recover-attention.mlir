// RUN: acc-opt %s --recover-attention --split-input-file | FileCheck %s

// The square roots of the scale on both sides become one factor behind the
// product, through the transpose of K.
// CHECK-LABEL: func.func @main
// CHECK: %[[KT:.*]] = accel.transpose %arg1
// CHECK: %[[S:.*]] = accel.matmul %arg0, %[[KT]] :
// CHECK: accel.map extras(%[[S]])
// CHECK: arith.constant 2.500000e-01
// CHECK-NOT: accel.map
// CHECK: accel.softmax
func.func @main(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x8xf32>) -> tensor<2x4x8xf32> {
  %0 = accel.map extras(%q) attributes {maps = [affine_map<(a, b, c) -> (a, b, c)>]} : (tensor<2x4x8xf32>) -> tensor<2x4x8xf32> {
  ^bb0(%x: f32):
    %c = arith.constant 5.0e-01 : f32
    %y = arith.mulf %x, %c : f32
    accel.yield %y : f32
  }
  %1 = accel.map extras(%k) attributes {maps = [affine_map<(a, b, c) -> (a, b, c)>]} : (tensor<2x6x8xf32>) -> tensor<2x6x8xf32> {
  ^bb0(%x: f32):
    %c = arith.constant 2.0 : f32
    %y = arith.divf %x, %c : f32
    accel.yield %y : f32
  }
  %2 = accel.transpose %1 {perm = array<i64: 0, 2, 1>} : tensor<2x6x8xf32> to tensor<2x8x6xf32>
  %3 = accel.matmul %0, %2 : (tensor<2x4x8xf32>, tensor<2x8x6xf32>) -> tensor<2x4x6xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  %4 = accel.softmax %3 : (tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  %5 = accel.matmul %4, %v : (tensor<2x4x6xf32>, tensor<2x6x8xf32>) -> tensor<2x4x8xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  return %5 : tensor<2x4x8xf32>
}

// -----

// A causal mask that is a constant, and expanded, is a comparison of positions.
// CHECK-LABEL: func.func @main
// CHECK-DAG: %[[END:.*]] = accel.constant({{.*}}[1], [2], [3]{{.*}}) : tensor<3x1xi32>
// CHECK-DAG: %[[COLUMN:.*]] = accel.constant({{.*}}[0, 1, 2]{{.*}}) : tensor<1x3xi32>
// CHECK: accel.map extras(%{{.*}}, %[[END]], %[[COLUMN]])
// CHECK: %[[IN:.*]] = arith.cmpi slt
// CHECK: arith.select %[[IN]]
// CHECK-NOT: accel.broadcast
// CHECK: accel.softmax
func.func @main(%q: tensor<2x3x8xf32>, %k: tensor<2x8x3xf32>, %v: tensor<2x3x8xf32>) -> tensor<2x3x8xf32> {
  %mask = accel.constant(dense<[[[0.0, -1.0e9, -1.0e9], [0.0, 0.0, -1.0e9], [0.0, 0.0, 0.0]]]> : tensor<1x3x3xf32>) : tensor<1x3x3xf32>
  %full = accel.broadcast %mask : tensor<1x3x3xf32> to tensor<2x3x3xf32>
  %0 = accel.matmul %q, %k : (tensor<2x3x8xf32>, tensor<2x8x3xf32>) -> tensor<2x3x3xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  %1 = accel.map extras(%0, %full) attributes {maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b, c)>]} : (tensor<2x3x3xf32>, tensor<2x3x3xf32>) -> tensor<2x3x3xf32> {
  ^bb0(%x: f32, %m: f32):
    %y = arith.addf %x, %m : f32
    accel.yield %y : f32
  }
  %2 = accel.softmax %1 : (tensor<2x3x3xf32>) -> tensor<2x3x3xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  %3 = accel.matmul %2, %v : (tensor<2x3x3xf32>, tensor<2x3x8xf32>) -> tensor<2x3x8xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  return %3 : tensor<2x3x8xf32>
}

// -----

// Two query heads share a key and a value: the pair is a batch of its own, over
// which the weights stand still. The mask of the heads is split with them later.
// CHECK-LABEL: func.func @main
// CHECK: accel.reshape %arg0 : tensor<6x4x8xf32> to tensor<3x2x4x8xf32>
// CHECK: accel.matmul {{.*}} : (tensor<3x2x4x8xf32>, tensor<3x1x8x5xf32>) -> tensor<3x2x4x5xf32>
// CHECK: accel.softmax
// CHECK: accel.matmul {{.*}} : (tensor<3x2x4x5xf32>, tensor<3x1x5x8xf32>) -> tensor<3x2x4x8xf32>
// CHECK-NOT: accel.broadcast
// CHECK: return
func.func @main(%q: tensor<6x4x8xf32>, %k: tensor<3x5x8xf32>, %v: tensor<3x5x8xf32>) -> tensor<6x4x8xf32> {
  %k1 = accel.reshape %k : tensor<3x5x8xf32> to tensor<3x1x5x8xf32>
  %k2 = accel.broadcast %k1 : tensor<3x1x5x8xf32> to tensor<3x2x5x8xf32>
  %k3 = accel.reshape %k2 : tensor<3x2x5x8xf32> to tensor<6x5x8xf32>
  %k4 = accel.transpose %k3 {perm = array<i64: 0, 2, 1>} : tensor<6x5x8xf32> to tensor<6x8x5xf32>
  %v1 = accel.repeat %v {factors = array<i64: 2, 1, 1>} : tensor<3x5x8xf32> to tensor<6x5x8xf32>
  %0 = accel.matmul %q, %k4 : (tensor<6x4x8xf32>, tensor<6x8x5xf32>) -> tensor<6x4x5xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  %1 = accel.softmax %0 : (tensor<6x4x5xf32>) -> tensor<6x4x5xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  %2 = accel.matmul %1, %v1 : (tensor<6x4x5xf32>, tensor<6x5x8xf32>) -> tensor<6x4x8xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  return %2 : tensor<6x4x8xf32>
}

// -----

// No softmax between the products, or one that is a logarithm: nothing is moved.
// CHECK-LABEL: func.func @main
// CHECK: %[[Q:.*]] = accel.map extras(%arg0)
// CHECK: accel.matmul %[[Q]]
func.func @main(%q: tensor<2x4x8xf32>, %k: tensor<2x8x6xf32>, %v: tensor<2x6x8xf32>) -> tensor<2x4x8xf32> {
  %0 = accel.map extras(%q) attributes {maps = [affine_map<(a, b, c) -> (a, b, c)>]} : (tensor<2x4x8xf32>) -> tensor<2x4x8xf32> {
  ^bb0(%x: f32):
    %c = arith.constant 5.0e-01 : f32
    %y = arith.mulf %x, %c : f32
    accel.yield %y : f32
  }
  %1 = accel.matmul %0, %k : (tensor<2x4x8xf32>, tensor<2x8x6xf32>) -> tensor<2x4x6xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  %2 = accel.softmax %1 attributes {log = true} : (tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  %3 = accel.matmul %2, %v : (tensor<2x4x6xf32>, tensor<2x6x8xf32>) -> tensor<2x4x8xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  return %3 : tensor<2x4x8xf32>
}

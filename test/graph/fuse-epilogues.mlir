// RUN: acc-opt %s --fuse-epilogues --split-input-file --clean-graph | FileCheck %s

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

// -----

// Behind a transpose and reshapes a map of one operand still joins its kernel.
// CHECK-LABEL: func.func @main
// CHECK: accel.matmul {{.*}} -> tensor<2x3x4xi8>
// CHECK: arith.negf
// CHECK: accel.reshape {{.*}} to tensor<1x2x3x4xi8>
// CHECK: accel.transpose {{.*}} to tensor<1x3x2x4xi8>
// CHECK-NOT: accel.map
func.func @main(%a: tensor<2x3x5xf32>, %b: tensor<2x5x4xf32>) -> tensor<3x8xi8> {
  %0 = accel.matmul %a, %b : (tensor<2x3x5xf32>, tensor<2x5x4xf32>) -> tensor<2x3x4xf32> {
  ^bb0(%x: f32):
    accel.yield %x : f32
  }
  %1 = accel.reshape %0 : tensor<2x3x4xf32> to tensor<1x2x3x4xf32>
  %2 = accel.transpose %1 {perm = array<i64: 0, 2, 1, 3>} : tensor<1x2x3x4xf32> to tensor<1x3x2x4xf32>
  %3 = accel.reshape %2 : tensor<1x3x2x4xf32> to tensor<3x8xf32>
  %4 = accel.map extras(%3) attributes {maps = [affine_map<(a, b) -> (a, b)>]} : (tensor<3x8xf32>) -> tensor<3x8xi8> {
  ^bb0(%x: f32):
    %n = arith.negf %x : f32
    %y = accel.convert %n saturate : f32 to i8
    accel.yield %y : i8
  }
  return %4 : tensor<3x8xi8>
}

// -----

// A map behind a concatenation: each kernel does its part, that of a constant is
// known, and what lies along the axis is cut for each.
// CHECK-LABEL: func.func @main
// CHECK: accel.constant(dense<[{{\[}}1.100000e+01, 2.200000e+01]]>
// CHECK: %[[P:.*]] = accel.slice {{.*}} to tensor<3x2xf32>
// CHECK: %[[S:.*]] = accel.softmax {{.*}} extras(%[[P]])
// CHECK-NOT: accel.map
// CHECK: accel.concat
// CHECK-NEXT: return
func.func @main(%x: tensor<3x2xf32>) -> tensor<4x2xf32> {
  %first = accel.constant(dense<[[1.0, 2.0]]> : tensor<1x2xf32>) : tensor<1x2xf32>
  %bias = accel.constant(dense<[[10.0, 20.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>) : tensor<4x2xf32>
  %0 = accel.softmax %x : (tensor<3x2xf32>) -> tensor<3x2xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  %1 = accel.concat %first, %0 {axis = 0 : i64} : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<4x2xf32>
  %2 = accel.map extras(%1, %bias) attributes {maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>]} : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32> {
  ^bb0(%v: f32, %w: f32):
    %y = arith.addf %v, %w : f32
    accel.yield %y : f32
  }
  return %2 : tensor<4x2xf32>
}

// -----

// Upsampled parts of a concatenation are computed where they are written: repeats
// of both dimensions are one, and the map comes behind it.
// CHECK-LABEL: func.func @main
// CHECK: %[[R:.*]] = accel.repeat %arg0 {factors = array<i64: 2, 3>} : tensor<2x2xf32> to tensor<4x6xf32>
// CHECK: %[[F:.*]] = accel.repeat %arg2 {factors = array<i64: 3>}
// CHECK: %[[M:.*]] = accel.map extras(%[[R]], %[[F]]) {{.*}} -> tensor<4x6xf32>
// CHECK: accel.concat %[[M]], %arg1
func.func @main(%x: tensor<2x2xf32>, %y: tensor<4x6xf32>, %f: tensor<2xf32>) -> tensor<8x6xf32> {
  %0 = accel.map extras(%x, %f) attributes {maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (b)>]} : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32> {
  ^bb0(%v: f32, %w: f32):
    %r = arith.mulf %v, %w : f32
    accel.yield %r : f32
  }
  %1 = accel.repeat %0 {factors = array<i64: 2, 1>} : tensor<2x2xf32> to tensor<4x2xf32>
  %2 = accel.repeat %1 {factors = array<i64: 1, 3>} : tensor<4x2xf32> to tensor<4x6xf32>
  %3 = accel.concat %2, %y {axis = 0 : i64} : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<8x6xf32>
  return %3 : tensor<8x6xf32>
}

// -----

// So are they where the part is quantised behind the view: one map does both.
// CHECK-LABEL: func.func @main
// CHECK: %[[R:.*]] = accel.repeat %arg0 {factors = array<i64: 2, 1>} : tensor<2x6xf32> to tensor<4x6xf32>
// CHECK-NEXT: %[[M:.*]] = accel.map extras(%[[R]]) {{.*}} -> tensor<4x6xi8>
// CHECK: arith.mulf
// CHECK: accel.convert {{.*}} saturate
// CHECK: accel.concat %[[M]], %arg1
func.func @main(%x: tensor<2x6xf32>, %y: tensor<4x6xi8>) -> tensor<8x6xi8> {
  %0 = accel.map extras(%x) attributes {maps = [affine_map<(a, b) -> (a, b)>]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
  ^bb0(%v: f32):
    %r = arith.mulf %v, %v : f32
    accel.yield %r : f32
  }
  %1 = accel.repeat %0 {factors = array<i64: 2, 1>} : tensor<2x6xf32> to tensor<4x6xf32>
  %2 = accel.map extras(%1) attributes {maps = [affine_map<(a, b) -> (a, b)>]} : (tensor<4x6xf32>) -> tensor<4x6xi8> {
  ^bb0(%v: f32):
    %r = accel.convert %v saturate : f32 to i8
    accel.yield %r : i8
  }
  %3 = accel.concat %2, %y {axis = 0 : i64} : (tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<8x6xi8>
  return %3 : tensor<8x6xi8>
}

// -----

// A softmax that moved before a reshape takes the quantisation behind the next one in.
// CHECK-LABEL: func.func @main
// CHECK: %[[S:.*]] = accel.softmax %arg0 : (tensor<2x3x4xf32>) -> tensor<2x3x4xi8>
// CHECK: accel.convert {{.*}} saturate
// CHECK-NOT: accel.map
// CHECK: return
func.func @main(%x: tensor<2x3x4xf32>) -> tensor<1x2x3x4xi8> {
  %0 = accel.reshape %x : tensor<2x3x4xf32> to tensor<6x4xf32>
  %1 = accel.softmax %0 : (tensor<6x4xf32>) -> tensor<6x4xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  %2 = accel.reshape %1 : tensor<6x4xf32> to tensor<1x2x3x4xf32>
  %3 = accel.map extras(%2) attributes {maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>]} : (tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xi8> {
  ^bb0(%v: f32):
    %r = accel.convert %v saturate : f32 to i8
    accel.yield %r : i8
  }
  return %3 : tensor<1x2x3x4xi8>
}

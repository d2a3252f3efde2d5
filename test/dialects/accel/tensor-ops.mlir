// RUN: acc-opt %s | acc-opt | FileCheck %s

// Every operation of the tensor form prints and parses back.
// CHECK-LABEL: func.func @compute
func.func @compute(%i: tensor<1x4x4x3xf32>, %w: tensor<1x3x2xf32>, %a: tensor<2x3x5xf32>, %b: tensor<1x5x4xf32>, %n: tensor<7xi64>) {
    // CHECK: accel.conv %{{.*}}, %{{.*}} attributes {{.*}} : (tensor<1x4x4x3xf32>, tensor<1x3x2xf32>) -> tensor<1x4x4x2xf32>
    %0 = accel.conv %i, %w attributes {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>} : (tensor<1x4x4x3xf32>, tensor<1x3x2xf32>) -> tensor<1x4x4x2xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    // CHECK: accel.matmul
    %1 = accel.matmul %a, %b : (tensor<2x3x5xf32>, tensor<1x5x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    // CHECK: accel.map extras(%{{.*}}, %{{.*}}) attributes {maps = [#{{.*}}, #{{.*}}]}
    %2 = accel.map extras(%1, %1) attributes {maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, 0, c)>]} : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32, %u: f32):
      %s = accel.sigmoid %v : f32
      %r = accel.recip %u : f32
      %p = arith.mulf %s, %r : f32
      %h = accel.convert %p : f32 to f16
      %q = accel.convert %h : f16 to f32
      accel.yield %q : f32
    }
    // CHECK: accel.reduce %{{.*}} attributes {dims = array<i64: 1>, kind = #accel.reduce_kind<max>}
    %3 = accel.reduce %2 attributes {kind = #accel.reduce_kind<max>, dims = array<i64: 1>} : (tensor<2x3x4xf32>) -> tensor<2x1x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    // CHECK: accel.pool
    %4 = accel.pool %i attributes {kind = #accel.reduce_kind<sum>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x4x3xf32>) -> tensor<1x2x2x3xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    // CHECK: accel.softmax
    %5 = accel.softmax %1 attributes {log = true} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    // CHECK: accel.normalize
    %6 = accel.normalize %1 attributes {dims = array<i64: 1, 2>, eps = 1.0e-5 : f64} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    // CHECK: accel.gather %{{.*}}, %{{.*}} : (tensor<2x3x4xf32>, tensor<7xi64>) -> tensor<7x3x4xf32>
    %7 = accel.gather %1, %n : (tensor<2x3x4xf32>, tensor<7xi64>) -> tensor<7x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    // CHECK: accel.copy
    %8 = accel.copy %1 : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    // CHECK: accel.pad
    %9 = accel.pad %1 attributes {low = array<i64: 0, 1, 0>, high = array<i64: 0, -1, 2>, value = 0.0 : f32} : (tensor<2x3x4xf32>) -> tensor<2x3x6xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// CHECK-LABEL: func.func @views
func.func @views(%x: tensor<2x3x4xf32>, %y: tensor<2x1x4xf32>) {
    // CHECK: accel.constant(dense<1.000000e+00> : tensor<2x3xf32>) pack <kind = "transpose", source = tensor<2x3xf32>, perm = [1, 0]> : tensor<3x2xf32>
    %c = accel.constant(dense<1.0> : tensor<2x3xf32>) pack <kind = "transpose", source = tensor<2x3xf32>, perm = [1, 0]> : tensor<3x2xf32>
    // CHECK: accel.transpose %{{.*}} {perm = array<i64: 1, 2, 0>} : tensor<2x3x4xf32> to tensor<3x4x2xf32>
    %0 = accel.transpose %x {perm = array<i64: 1, 2, 0>} : tensor<2x3x4xf32> to tensor<3x4x2xf32>
    // CHECK: accel.reshape %{{.*}} : tensor<2x3x4xf32> to tensor<6x4xf32>
    %1 = accel.reshape %x : tensor<2x3x4xf32> to tensor<6x4xf32>
    // CHECK: accel.slice %{{.*}} {offsets = array<i64: 0, 2, 1>, steps = array<i64: 1, -1, 2>}
    %2 = accel.slice %x {offsets = array<i64: 0, 2, 1>, steps = array<i64: 1, -1, 2>} : tensor<2x3x4xf32> to tensor<2x3x2xf32>
    // CHECK: accel.repeat %{{.*}} {factors = array<i64: 1, 2, 1>}
    %3 = accel.repeat %x {factors = array<i64: 1, 2, 1>} : tensor<2x3x4xf32> to tensor<2x6x4xf32>
    // CHECK: accel.broadcast
    %4 = accel.broadcast %y : tensor<2x1x4xf32> to tensor<2x5x4xf32>
    // CHECK: accel.concat %{{.*}}, %{{.*}} {axis = 1 : i64}
    %5 = accel.concat %x, %y {axis = 1 : i64} : (tensor<2x3x4xf32>, tensor<2x1x4xf32>) -> tensor<2x4x4xf32>
    // CHECK: accel.group(%{{.*}}) schedule(<version = 1, anchor = 0, loops = [<0 : 1>], inputs = [<level = 1, depth = 2>], resident = [0], members = [<rolling = false, level = 1, depth = 2, inplace = 0>]>)
    %6 = accel.group(%x) schedule(<version = 1, anchor = 0, loops = [<0 : 1>], inputs = [<level = 1, depth = 2>], resident = [0], members = [<rolling = false, level = 1, depth = 2, inplace = 0>]>) : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%z: tensor<2x3x4xf32>):
      %8 = accel.copy %z : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
      ^bb0(%v: f32):
        accel.yield %v : f32
      }
      accel.yield %8 : tensor<2x3x4xf32>
    }
    return
}

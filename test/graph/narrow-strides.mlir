// RUN: acc-opt %s --narrow-strides --split-input-file | FileCheck %s

// The end of a residual stage, whose result only 1x1 windows of stride 2 read: they
// read densely, and what they read is computed at every second row and column. The
// shortcut is then read in steps, and the 3x3 before the last 1x1 steps itself.
// CHECK: #[[STEP:map[0-9]*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1 * 2, d2 * 2, d3)>
// CHECK: func.func @main
// CHECK: accel.conv %arg0, %arg1
// CHECK-SAME: kernel = array<i64: 3, 3>
// CHECK-SAME: strides = array<i64: 2, 2>
// CHECK-SAME: -> tensor<1x4x5x8xf32>
// CHECK: accel.conv
// CHECK-SAME: maps = [#[[STEP]]]
// CHECK-SAME: strides = array<i64: 1, 1>
// CHECK-SAME: -> tensor<1x4x5x16xf32>
// CHECK: accel.conv
// CHECK-SAME: strides = array<i64: 1, 1>
// CHECK-SAME: (tensor<1x4x5x16xf32>, tensor<1x16x8xf32>) -> tensor<1x4x5x8xf32>
func.func @main(%x: tensor<1x8x9x8xf32>, %w3: tensor<1x72x8xf32>, %w1: tensor<1x8x16xf32>,
                %shortcut: tensor<1x8x9x16xf32>, %w: tensor<1x16x8xf32>) -> tensor<1x4x5x8xf32> {
  %a = accel.conv %x, %w3 attributes {dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>, maps = [], pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>} : (tensor<1x8x9x8xf32>, tensor<1x72x8xf32>) -> tensor<1x8x9x8xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  %b = accel.conv %a, %w1 extras(%shortcut) attributes {dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>, kernel = array<i64: 1, 1>, maps = [affine_map<(n, h, w, c) -> (n, h, w, c)>], pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>} : (tensor<1x8x9x8xf32>, tensor<1x8x16xf32>, tensor<1x8x9x16xf32>) -> tensor<1x8x9x16xf32> {
  ^bb0(%v: f32, %s: f32):
    %sum = arith.addf %v, %s : f32
    accel.yield %sum : f32
  }
  %c = accel.conv %b, %w attributes {dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>, kernel = array<i64: 1, 1>, maps = [], pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 2, 2>} : (tensor<1x8x9x16xf32>, tensor<1x16x8xf32>) -> tensor<1x4x5x8xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  return %c : tensor<1x4x5x8xf32>
}

// -----

// Readers of steps 4 and 2 have 2 in common; the first still steps by 2.
// CHECK: #[[COLUMN:map[0-9]*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1 * 2, 7, d3)>
// CHECK: #[[ALL:map[0-9]*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK: func.func @main
// CHECK: accel.map extras(%arg0)
// CHECK-SAME: maps = [#[[COLUMN]]]
// CHECK-SAME: -> tensor<1x4x8x4xf32>
// CHECK: accel.pool
// CHECK-SAME: strides = array<i64: 2, 1>
// CHECK: accel.map
// CHECK-SAME: maps = [#[[ALL]]]
func.func @main(%x: tensor<1x8x8x4xf32>) -> (tensor<1x2x8x4xf32>, tensor<1x4x8x4xf32>) {
  %a = accel.map extras(%x) attributes {maps = [affine_map<(n, h, w, c) -> (n, h, 7, c)>]} : (tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  %b = accel.pool %a attributes {kind = #accel.reduce_kind<max>, dilations = array<i64: 1, 1>, kernel = array<i64: 1, 1>, maps = [], pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 4, 1>} : (tensor<1x8x8x4xf32>) -> tensor<1x2x8x4xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  %c = accel.map extras(%a) attributes {maps = [affine_map<(n, h, w, c) -> (n, h * 2, w, c)>]} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x4xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  return %b, %c : tensor<1x2x8x4xf32>, tensor<1x4x8x4xf32>
}

// -----

// A reader of everything, an offset, a window of 3 and a graph output keep all rows.
// CHECK: func.func @main
// CHECK-COUNT-3: accel.map extras({{.*}}) -> tensor<1x8x8x4xf32>
// CHECK: accel.conv
// CHECK-SAME: strides = array<i64: 2, 1>
func.func @main(%x: tensor<1x8x8x4xf32>, %w: tensor<9x4xf32>)
    -> (tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x8x8x4xf32>, tensor<1x4x8x4xf32>) {
  %a = accel.map extras(%x) attributes {maps = [affine_map<(n, h, w, c) -> (n, h, w, c)>]} : (tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32> {
  ^bb0(%v: f32):
    %d = arith.addf %v, %v : f32
    accel.yield %d : f32
  }
  %b = accel.map extras(%x) attributes {maps = [affine_map<(n, h, w, c) -> (n, h, w, c)>]} : (tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32> {
  ^bb0(%v: f32):
    %d = arith.mulf %v, %v : f32
    accel.yield %d : f32
  }
  %c = accel.map extras(%x) attributes {maps = [affine_map<(n, h, w, c) -> (n, h, w, c)>]} : (tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32> {
  ^bb0(%v: f32):
    %d = arith.negf %v : f32
    accel.yield %d : f32
  }
  %odd = accel.map extras(%a) attributes {maps = [affine_map<(n, h, w, c) -> (n, h * 2 + 1, w, c)>]} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x4xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  %even = accel.map extras(%b) attributes {maps = [affine_map<(n, h, w, c) -> (n, h * 2, w, c)>]} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x4xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  %deep = accel.conv %c, %w attributes {dilations = array<i64: 1, 1>, groups = 4 : i64, input_dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>, maps = [], pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 1>} : (tensor<1x8x8x4xf32>, tensor<9x4xf32>) -> tensor<1x4x8x4xf32> {
  ^bb0(%v: f32):
    accel.yield %v : f32
  }
  return %odd, %even, %b, %deep : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x8x8x4xf32>, tensor<1x4x8x4xf32>
}

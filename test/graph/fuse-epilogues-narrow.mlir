// RUN: acc-opt %s --fuse-epilogues | FileCheck %s

// A quantised chain behind a product that is too long for one body: it is cut where its
// tensor is narrow, and each part widens for itself.
// CHECK-LABEL: func.func @main
// CHECK: accel.matmul {{.*}} -> tensor<1x4x4xi8>
// CHECK: accel.map {{.*}} (tensor<1x4x4xi8>) -> tensor<1x4x4xi8>
// CHECK-NOT: -> tensor<{{.*}}xf32>
#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
func.func @main(%a: tensor<1x4x4xi8>, %b: tensor<1x4x4xi8>) -> tensor<1x4x4xi8> {
  %0 = accel.matmul %a, %b attributes {maps = []} : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi8> {
  ^bb0(%acc: i32):
    %f = accel.convert %acc : i32 to f32
    %c = arith.constant 0.5 : f32
    %m = arith.mulf %f, %c : f32
    %q = accel.convert %m saturate : f32 to i8
    accel.yield %q : i8
  }
  %1 = accel.map extras(%0) attributes {maps = [#map]} : (tensor<1x4x4xi8>) -> tensor<1x4x4xf32> {
  ^bb0(%x: i8):
    %i = accel.convert %x : i8 to i32
    %f = accel.convert %i : i32 to f32
    %c = arith.constant 3.0 : f32
    %m = arith.mulf %f, %c : f32
    accel.yield %m : f32
  }
  %2 = accel.map extras(%1) attributes {maps = [#map]} : (tensor<1x4x4xf32>) -> tensor<1x4x4xf32> {
  ^bb0(%x: f32):
    %t0 = math.tanh %x : f32
    %t1 = math.sin %t0 : f32
    %t2 = math.cos %t1 : f32
    %t3 = math.tanh %t2 : f32
    %t4 = math.sin %t3 : f32
    %t5 = math.cos %t4 : f32
    %t6 = math.tanh %t5 : f32
    %t7 = math.sin %t6 : f32
    %t8 = math.cos %t7 : f32
    %t9 = math.tanh %t8 : f32
    %t10 = math.sin %t9 : f32
    %t11 = math.cos %t10 : f32
    %t12 = math.tanh %t11 : f32
    %t13 = math.sin %t12 : f32
    %t14 = math.cos %t13 : f32
    %t15 = math.tanh %t14 : f32
    %t16 = math.sin %t15 : f32
    %t17 = math.cos %t16 : f32
    %t18 = math.tanh %t17 : f32
    %t19 = math.sin %t18 : f32
    accel.yield %t19 : f32
  }
  %3 = accel.map extras(%2) attributes {maps = [#map]} : (tensor<1x4x4xf32>) -> tensor<1x4x4xi8> {
  ^bb0(%x: f32):
    %c = arith.constant 0.25 : f32
    %d = arith.divf %x, %c : f32
    %r = math.roundeven %d : f32
    %q = accel.convert %r saturate : f32 to i8
    accel.yield %q : i8
  }
  %4 = accel.map extras(%3) attributes {maps = [#map]} : (tensor<1x4x4xi8>) -> tensor<1x4x4xi8> {
  ^bb0(%x: i8):
    %i = accel.convert %x : i8 to i32
    %f = accel.convert %i : i32 to f32
    %c = arith.constant 7.0 : f32
    %m = arith.mulf %f, %c : f32
    %r = math.roundeven %m : f32
    %q = accel.convert %r saturate : f32 to i8
    accel.yield %q : i8
  }
  return %4 : tensor<1x4x4xi8>
}

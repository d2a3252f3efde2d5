// RUN: acc-opt %s --set-precision=type=f16 | FileCheck %s

// Storage is f16, arithmetic f32, inputs and outputs keep their types.
// CHECK-LABEL: func.func @main(%arg0: tensor<4xf32>) -> tensor<4xf32>
// CHECK: %[[X:.*]] = accel.map extras(%arg0) {{.*}} -> tensor<4xf16>
// CHECK: %[[Y:.*]] = accel.map extras(%[[X]]) {{.*}} -> tensor<4xf16>
// CHECK: accel.convert {{.*}} : f16 to f32
// CHECK: math.exp {{.*}} : f32
// CHECK: accel.convert {{.*}} : f32 to f16
// CHECK: accel.map extras(%[[Y]]) {{.*}} -> tensor<4xf32>
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = accel.map extras(%x) attributes {maps = [affine_map<(a) -> (a)>]} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%v: f32):
    %e = math.exp %v : f32
    accel.yield %e : f32
  }
  %1 = accel.map extras(%0) attributes {maps = [affine_map<(a) -> (a)>]} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%v: f32):
    %e = math.exp %v : f32
    accel.yield %e : f32
  }
  return %1 : tensor<4xf32>
}

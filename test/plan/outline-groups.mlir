// RUN: acc-opt %s --plan-groups --outline-groups | FileCheck %s

// Two equal layers with different weights are one routine, one of another shape is not.

module attributes {accel.target = {sram_bytes = 4096 : i64, acc_bytes = 1024 : i64}} {
  // CHECK-LABEL: func.func @main
  // CHECK: call @[[SAME:.*]](%arg0, %{{[0-9]+}}) {accel.alternatives = {{.*}} :
  // CHECK: call @[[SAME]](%arg1, %{{[0-9]+}}) {
  // CHECK-NOT: call @[[SAME]](
  // CHECK: call @[[OTHER:.*]](%arg2, %{{[0-9]+}}) {
  // CHECK: func.func private @[[SAME]]
  // CHECK: accel.matmul
  // CHECK: func.func private @[[OTHER]]
  // CHECK-NOT: func.func
  func.func @main(%x: tensor<1x16x16xf32>, %y: tensor<1x16x16xf32>, %z: tensor<1x8x16xf32>) -> (tensor<1x16x16xf32>, tensor<1x16x16xf32>, tensor<1x8x16xf32>) {
    %w1 = accel.constant(dense<0.5> : tensor<1x16x16xf32>) : tensor<1x16x16xf32>
    %w2 = accel.constant(dense<0.25> : tensor<1x16x16xf32>) : tensor<1x16x16xf32>
    %w3 = accel.constant(dense<0.125> : tensor<1x16x16xf32>) : tensor<1x16x16xf32>
    %0 = accel.matmul %x, %w1 : (tensor<1x16x16xf32>, tensor<1x16x16xf32>) -> tensor<1x16x16xf32> {
    ^bb0(%acc: f32):
      accel.yield %acc : f32
    }
    %1 = accel.matmul %y, %w2 : (tensor<1x16x16xf32>, tensor<1x16x16xf32>) -> tensor<1x16x16xf32> {
    ^bb0(%acc: f32):
      accel.yield %acc : f32
    }
    %2 = accel.matmul %z, %w3 : (tensor<1x8x16xf32>, tensor<1x16x16xf32>) -> tensor<1x8x16xf32> {
    ^bb0(%acc: f32):
      accel.yield %acc : f32
    }
    return %0, %1, %2 : tensor<1x16x16xf32>, tensor<1x16x16xf32>, tensor<1x8x16xf32>
  }
}

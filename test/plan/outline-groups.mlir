// RUN: acc-opt %s --plan-groups --outline-groups | FileCheck %s

// Two equal layers with different weights are one routine.

module attributes {accel.target = {sram_bytes = 4096 : i64, acc_bytes = 1024 : i64}} {
  // CHECK-LABEL: func.func @main
  // CHECK: call @group_0
  // CHECK: call @group_1
  // CHECK: call @group_1
  // CHECK-NOT: @group_2
  func.func @main(%x: tensor<1x16x16xf32>) -> tensor<1x16x16xf32> {
    %w1 = accel.constant(dense<0.5> : tensor<1x16x16xf32>) : tensor<1x16x16xf32>
    %w2 = accel.constant(dense<0.25> : tensor<1x16x16xf32>) : tensor<1x16x16xf32>
    %w3 = accel.constant(dense<0.125> : tensor<1x16x16xf32>) : tensor<1x16x16xf32>
    %w4 = accel.constant(dense<0.5> : tensor<1x16x16xf32>) : tensor<1x16x16xf32>
    %0 = accel.matmul %x, %w1 : (tensor<1x16x16xf32>, tensor<1x16x16xf32>) -> tensor<1x16x16xf32> {
    ^bb0(%acc: f32):
      accel.yield %acc : f32
    }
    %t0 = accel.transpose %0 {perm = array<i64: 0, 2, 1>} : tensor<1x16x16xf32> to tensor<1x16x16xf32>
    %1 = accel.matmul %t0, %w2 : (tensor<1x16x16xf32>, tensor<1x16x16xf32>) -> tensor<1x16x16xf32> {
    ^bb0(%acc: f32):
      accel.yield %acc : f32
    }
    %t1 = accel.transpose %1 {perm = array<i64: 0, 2, 1>} : tensor<1x16x16xf32> to tensor<1x16x16xf32>
    %2 = accel.matmul %t1, %w3 : (tensor<1x16x16xf32>, tensor<1x16x16xf32>) -> tensor<1x16x16xf32> {
    ^bb0(%acc: f32):
      accel.yield %acc : f32
    }
    %t2 = accel.transpose %2 {perm = array<i64: 0, 2, 1>} : tensor<1x16x16xf32> to tensor<1x16x16xf32>
    %3 = accel.matmul %t2, %w4 : (tensor<1x16x16xf32>, tensor<1x16x16xf32>) -> tensor<1x16x16xf32> {
    ^bb0(%acc: f32):
      accel.yield %acc : f32
    }
    return %3 : tensor<1x16x16xf32>
  }
}

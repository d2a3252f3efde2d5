// RUN: acc-opt %s --tile-groups | FileCheck %s

// The stored tensors of the program, then the routine: load, compute, store.
// CHECK-LABEL: func.func @main()
// CHECK: %[[X:.*]] = accel.tensor {{.*}}kind = "input", name = "x"
// CHECK: %[[Y:.*]] = accel.tensor {{.*}}kind = "output", name = "y"
// CHECK: %[[FROM:.*]] = accel.offset %[[X]] + 0
// CHECK: %[[TO:.*]] = accel.offset %[[Y]] + 0
// CHECK: call @group_0(%[[FROM]], %[[TO]])
// CHECK-LABEL: func.func private @group_0(
// CHECK-SAME: %[[IN:[a-z0-9]+]]: memref<?xf32, #accel.space<dram>>
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: memref<?xf32, #accel.space<dram>>
// CHECK: %[[A:.*]] = accel.alloc
// CHECK: accel.dma(%[[A]], %[[IN]]
// CHECK-SAME: reason = #accel.reason<compulsory_load>
// CHECK: %[[B:.*]] = accel.alloc
// CHECK: accel.vec(%[[B]], %[[A]]
// CHECK: arith.negf
// CHECK: accel.dma(%[[OUT]], %[[B]]
// CHECK-SAME: reason = #accel.reason<compulsory_store>
module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}} {
  func.func @main(%x: tensor<4xf32> {onnx.name = "x"}) -> (tensor<4xf32> {onnx.name = "y"}) {
    %0 = call @group_0(%x) : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
  func.func private @group_0(%x: tensor<4xf32> {accel.kind = "input", accel.layout = #accel.layout<[1], [4], [1]>, accel.reason = #accel.reason<compulsory_load>, accel.space = #accel.space<dram>}) -> (tensor<4xf32> {accel.kind = "output", accel.layout = #accel.layout<[1], [4], [1]>, accel.reason = #accel.reason<compulsory_store>, accel.space = #accel.space<dram>}) attributes {accel.schedule = #accel.schedule<version = 1, anchor = 0, inputs = [<level = 0>], members = [<rolling = false, level = 0, depth = 1, inplace = -1>]>} {
    %0 = accel.map extras(%x) attributes {maps = [affine_map<(a) -> (a)>]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%v: f32):
      %n = arith.negf %v : f32
      accel.yield %n : f32
    }
    return %0 : tensor<4xf32>
  }
}

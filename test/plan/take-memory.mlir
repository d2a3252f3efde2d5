// RUN: acc-opt %s --plan-groups | FileCheck %s
// RUN: acc-opt %s --acc-plan --acc-tile | FileCheck %s --check-prefix=TILE

// Two tensors of 16 KiB, of which the second is made of the first element by element,
// in 24 KiB: it is written over the first, and neither goes to DRAM.

#id = affine_map<(a, b) -> (a, b)>
#one = affine_map<(a, b) -> (0, 0)>
module attributes {accel.target = {sram_bytes = 24576 : i64, acc_bytes = 16384 : i64, imem_bytes = 65536 : i64}} {
  // CHECK-LABEL: func.func @main
  // CHECK: resident = [0], takes = [0]
  // CHECK: return
  // One alloc for both.
  // TILE-LABEL: func.func @main
  // TILE: accel.alloc {{.*}}memref<64x64xf32, #accel.space<sram>>
  // TILE-NOT: accel.alloc {{.*}}memref<64x64xf32, #accel.space<sram>>
  // TILE: return
  func.func @main(%x: tensor<64x64xf32> {onnx.name = "x"}) -> (tensor<64x64xf32> {onnx.name = "y"}) {
    %s = accel.map extras(%x) attributes {maps = [#id]} : (tensor<64x64xf32>) -> tensor<64x64xf32> {
    ^bb0(%a: f32):
      %0 = arith.addf %a, %a : f32
      accel.yield %0 : f32
    } loc("s")
    %m = accel.reduce %s attributes {kind = #accel.reduce_kind<max>, dims = array<i64: 0>} : (tensor<64x64xf32>) -> tensor<1x64xf32> {
    ^bb0(%a: f32):
      accel.yield %a : f32
    } loc("m")
    %t = accel.map extras(%s, %m) attributes {maps = [#id, affine_map<(a, b) -> (0, b)>]} : (tensor<64x64xf32>, tensor<1x64xf32>) -> tensor<64x64xf32> {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.subf %a, %b : f32
      accel.yield %0 : f32
    } loc("t")
    %n = accel.reduce %t attributes {kind = #accel.reduce_kind<sum>, dims = array<i64: 0>} : (tensor<64x64xf32>) -> tensor<1x64xf32> {
    ^bb0(%a: f32):
      accel.yield %a : f32
    } loc("n")
    %y = accel.map extras(%t, %n) attributes {maps = [#id, affine_map<(a, b) -> (0, b)>]} : (tensor<64x64xf32>, tensor<1x64xf32>) -> tensor<64x64xf32> {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.mulf %a, %b : f32
      accel.yield %0 : f32
    } loc("y")
    return %y : tensor<64x64xf32>
  }
}

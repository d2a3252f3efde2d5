// RUN: acc-opt %s --plan-groups | FileCheck %s
// RUN: acc-opt %s --plan-groups --outline-groups --write-prediction | FileCheck %s --check-prefix=PREDICT
// RUN: acc-opt %s --acc-plan --acc-tile | FileCheck %s --check-prefix=TILE

// A tensor of 16 KiB that cannot stay in 12 KiB of SRAM, with its sum of squares in
// between: what fits of it stays, only the rest goes to DRAM and comes back.

#id = affine_map<(a, b) -> (a, b)>
module attributes {accel.target = {sram_bytes = 12288 : i64, acc_bytes = 16384 : i64, imem_bytes = 65536 : i64}} {
  // CHECK-LABEL: func.func @main
  // CHECK: parts = [<0 : [[ROWS:[0-9]+]]>]
  // CHECK: accel.rows = [[ROWS]] : i64
  // CHECK: return
  // Less than the 16,384 bytes of it, both ways.
  // PREDICT: {bytes = [[BYTES:[0-9][0-9]?[0-9]?[0-9]?]] : i64, reason = #accel.reason<spill_store>, tensor = "workspace{{[^"]*}}", write = true}
  // The first rows are a memory of their own.
  // TILE-LABEL: func.func @main
  // TILE: accel.alloc {{.*}}:rows{{.*}} : memref<{{[0-9]+}}x64xf32, #accel.space<sram>>
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
    %y = accel.map extras(%s, %m) attributes {maps = [#id, affine_map<(a, b) -> (0, b)>]} : (tensor<64x64xf32>, tensor<1x64xf32>) -> tensor<64x64xf32> {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.subf %a, %b : f32
      accel.yield %0 : f32
    } loc("y")
    return %y : tensor<64x64xf32>
  }
}

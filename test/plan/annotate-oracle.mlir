// RUN: acc-opt %s --annotate-oracle | FileCheck %s

// [64,256] x [256,128], 8 KiB of SRAM. One operand's block stays while the other
// streams: with r rows of A resident (1 KiB each) and a column of B (1 KiB) beside
// the output's buffer of 64 bytes, r = 6 fit, so B is read ceil(64/6) = 11 times:
//   A 65536 + C 32768 + B 131072*11 = 1540096.
// With c columns of B resident A is read ceil(128/6) = 22 times, the same:
//   B 131072 + C 32768 + A 65536*22 = 1605632, more.
// Tiles of K are chains of 128 (ISA). With those of c columns of B (512 c bytes)
// beside one of A (512) and the output's 64 rows (256 c), c = 10 fit; A is read
// ceil(128/10) = 13 times:
//   A 65536*13 + B 131072 + C 32768 = 1015808, and that is the least.
// CHECK: accel.oracle_bytes = 1015808 : i64
// CHECK: accel.matmul
// CHECK-SAME: accel.oracle = {bytes = 1015808 : i64, schedule = #accel.schedule<
module attributes {accel.target = {sram_bytes = 8192 : i64, acc_bytes = 4096 : i64}} {
  func.func @main(%a: tensor<1x64x256xf32>, %b: tensor<1x256x128xf32>) -> tensor<1x64x128xf32> {
    %c = accel.matmul %a, %b : (tensor<1x64x256xf32>, tensor<1x256x128xf32>) -> tensor<1x64x128xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return %c : tensor<1x64x128xf32>
  }
}

// RUN: acc-opt %s --bound-traffic | FileCheck %s
// RUN: acc-opt %s --bound-traffic="chip-bytes=36864,1048576,16777216" | FileCheck %s --check-prefix=CURVE

// [512,512] x [512,512] on S = 36864 bytes (its root is 192):
//   C     = 3 * 512*512 * 4 = 3145728
//   reads = (2S - 7) * (512^3 * 8 / (S * 192) - 1) - 4*512*512, about; with the stores
//   bound = 73721 * 151.704 - 73728 = 11110020
// The node has all of it.
// CHECK: accel.bound_bytes = 11110020 : i64
// CHECK-SAME: accel.compulsory_bytes = 3145728 : i64
// CHECK-SAME: accel.node_bounds = [{bound = 11110020 : i64, compulsory = 3145728 : i64, node = "product"}]
// CHECK: accel.matmul
// With 1 MiB: 2 * 512^3 * 8 / 1024 - 2 * 1048576 is less than C.
// CURVE: accel.bound_curve = [{bound = 11110020 : i64, chip_bytes = 36864 : i64}
// CURVE-SAME: {bound = 3145728 : i64, chip_bytes = 1048576 : i64}
// CURVE-SAME: {bound = 3145728 : i64, chip_bytes = 16777216 : i64}]
module attributes {accel.target = {sram_bytes = 32768 : i64, acc_bytes = 4096 : i64}} {
  func.func @main(%a: tensor<1x512x512xf32>, %b: tensor<1x512x512xf32>) -> tensor<1x512x512xf32> {
    %c = accel.matmul %a, %b : (tensor<1x512x512xf32>, tensor<1x512x512xf32>) -> tensor<1x512x512xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    } loc("product")
    return %c : tensor<1x512x512xf32>
  }
}

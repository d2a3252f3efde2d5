// RUN: acc-opt %s --assign-addresses | FileCheck %s
// C[96,64] = A[96,128] x B[128,64], tiles 32 x 32 x 64, everything double buffered.
#dram = #accel.space<dram>
#sram = #accel.space<sram>
#acc = #accel.space<acc>
module attributes {accel.target = {name = "edge", sram_bytes = 2097152 : i64, acc_bytes = 65536 : i64,
    imem_bytes = 65536 : i64, queue_depth = 32 : i64, dram_burst_bytes = 64 : i64},
    accel.prediction = [
      {tensor = "A", reason = #accel.reason<compulsory_load>, bytes = 98304 : i64},
      {tensor = "B", reason = #accel.reason<compulsory_load>, bytes = 98304 : i64},
      {tensor = "C", reason = #accel.reason<compulsory_store>, bytes = 24576 : i64, write}]} {
  func.func @main() {
    %a = accel.tensor {kind = "input", name = "A", index = 0 : i64, type = tensor<96x128xf32>} : memref<96x128xf32, #dram>
    %b = accel.tensor {kind = "input", name = "B", index = 1 : i64, type = tensor<128x64xf32>} : memref<128x64xf32, #dram>
    %c = accel.tensor {kind = "output", name = "C", index = 0 : i64, type = tensor<96x64xf32>} : memref<96x64xf32, #dram>
    func.call @group_0(%a, %b, %c) : (memref<96x128xf32, #dram>, memref<128x64xf32, #dram>, memref<96x64xf32, #dram>) -> () loc("matmul")
    return
  }
  func.func private @group_0(%a: memref<96x128xf32, #dram>, %b: memref<128x64xf32, #dram>, %c: memref<96x64xf32, #dram>) {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c64 = arith.constant 64 : index
    %c96 = arith.constant 96 : index
    %c128 = arith.constant 128 : index
    %c512 = arith.constant 512 : index
    %c256 = arith.constant 256 : index
    %c4 = arith.constant 4 : index
    scf.for %m = %c0 to %c96 step %c32 {
      scf.for %n = %c0 to %c64 step %c32 {
        %acc = accel.alloc {depth = 2 : i64} : memref<32x32xf32, #acc>
        scf.for %k = %c0 to %c128 step %c64 {
          %ta = accel.alloc {depth = 2 : i64} : memref<32x64xf32, #sram>
          %tb = accel.alloc {depth = 2 : i64} : memref<64x32xf32, #sram>
          %ma = arith.muli %m, %c512 : index
          %ka = arith.muli %k, %c4 : index
          accel.dma(%ta, %a : memref<32x64xf32, #sram>, memref<96x128xf32, #dram>) dyn(%ma, %ka) {
            engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>,
            sizes = array<i64: 1, 1, 1, 1, 32, 64>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
            streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 256, 4], pad = 0>,
                       #accel.stream<f32, base = 0 + [0, 1], strides = [0, 0, 0, 0, 512, 4], pad = 0>]} loc("matmul")
          %kb = arith.muli %k, %c256 : index
          %nb = arith.muli %n, %c4 : index
          accel.dma(%tb, %b : memref<64x32xf32, #sram>, memref<128x64xf32, #dram>) dyn(%kb, %nb) {
            engine = #accel.engine<ld1>, reason = #accel.reason<compulsory_load>,
            sizes = array<i64: 1, 1, 1, 1, 64, 32>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
            streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 128, 4], pad = 0>,
                       #accel.stream<f32, base = 0 + [0, 1], strides = [0, 0, 0, 0, 256, 4], pad = 0>]} loc("matmul")
          accel.mxu(%acc, %ta, %tb : memref<32x32xf32, #acc>, memref<32x64xf32, #sram>, memref<64x32xf32, #sram>) dyn(%k) {
            init_dyn = 0 : i64,
            sizes = array<i64: 1, 32, 32, 1, 1, 64>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
            streams = [#accel.stream<f32, base = 0, strides = [0, 128, 4, 0, 0, 0], pad = 0>,
                       #accel.stream<f32, base = 0, strides = [0, 256, 0, 0, 0, 4], pad = 0>,
                       #accel.stream<f32, base = 0, strides = [0, 0, 4, 0, 0, 128], pad = 0>]} loc("matmul")
        }
        %tc = accel.alloc {depth = 2 : i64} : memref<32x32xf32, #sram>
        accel.vec(%tc, %acc : memref<32x32xf32, #sram>, memref<32x32xf32, #acc>) attributes {body_outputs = 1 : i64,
            sizes = array<i64: 1, 1, 1, 1, 32, 32>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
            streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 128, 4], pad = 0>,
                       #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 128, 4], pad = 0>]} {
        ^bb0(%x: f32):
          %half = arith.constant 5.000000e-01 : f32
          %y = arith.mulf %x, %half : f32
          accel.yield %y : f32
        } loc("matmul")
        %mc = arith.muli %m, %c256 : index
        %nc = arith.muli %n, %c4 : index
        accel.dma(%c, %tc : memref<96x64xf32, #dram>, memref<32x32xf32, #sram>) dyn(%mc, %nc) {
            engine = #accel.engine<st>, reason = #accel.reason<compulsory_store>,
            sizes = array<i64: 1, 1, 1, 1, 32, 32>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
            streams = [#accel.stream<f32, base = 0 + [0, 1], strides = [0, 0, 0, 0, 256, 4], pad = 0>,
                       #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 128, 4], pad = 0>]} loc("matmul")
      }
    }
    return
  }
}

// Two slots of 32x64 and 64x32 f32 and of the result; the accumulators apart.
// CHECK: call @group_0{{.*}} {accel.frame = 0 : i64}
// CHECK: @group_0({{.*}}accel.acc_bytes = 8192 : i64, accel.frame_bytes = 40960 : i64
// CHECK: accel.alloc {address = 0 : i64, depth = 2 : i64} : memref<32x32xf32, #accel.space<acc>>
// CHECK: accel.alloc {address = 0 : i64, depth = 2 : i64} : memref<32x64xf32
// CHECK: accel.alloc {address = 16384 : i64, depth = 2 : i64} : memref<64x32xf32
// CHECK: accel.alloc {address = 32768 : i64, depth = 2 : i64} : memref<32x32xf32, #accel.space<sram>>

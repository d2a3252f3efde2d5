// RUN: acc-opt %s --assign-addresses | FileCheck %s
// 3x3 convolution, pad 1, [16,20,8] -> [16,20,12], stripes of 4 rows; the input
// rolls through a circular buffer of 10 rows, so that the loads of one stripe
// run ahead of the product before (slack 2).
#dram = #accel.space<dram>
#sram = #accel.space<sram>
#acc = #accel.space<acc>
module attributes {accel.target = {name = "edge", sram_bytes = 2097152 : i64, acc_bytes = 65536 : i64,
    imem_bytes = 65536 : i64, queue_depth = 32 : i64, dram_burst_bytes = 64 : i64},
    accel.prediction = [
      {tensor = "X", reason = #accel.reason<compulsory_load>, bytes = 10240 : i64},
      {tensor = "W", reason = #accel.reason<compulsory_load>, bytes = 3456 : i64},
      {tensor = "b", reason = #accel.reason<compulsory_load>, bytes = 48 : i64},
      {tensor = "Y", reason = #accel.reason<compulsory_store>, bytes = 15360 : i64, write}]} {
  func.func @main() {
    %x = accel.tensor {kind = "input", name = "X", index = 0 : i64} : memref<16x20x8xf32, #dram>
    %w = accel.tensor {kind = "input", name = "W", index = 1 : i64} : memref<72x12xf32, #dram>
    %b = accel.tensor {kind = "input", name = "b", index = 2 : i64} : memref<12xf32, #dram>
    %y = accel.tensor {kind = "output", name = "Y", index = 0 : i64} : memref<16x20x12xf32, #dram>
    func.call @group_0(%x, %w, %b, %y) : (memref<16x20x8xf32, #dram>, memref<72x12xf32, #dram>, memref<12xf32, #dram>, memref<16x20x12xf32, #dram>) -> () loc(fused["conv", "relu"])
    return
  }
  func.func private @group_0(%x: memref<16x20x8xf32, #dram>, %w: memref<72x12xf32, #dram>, %b: memref<12xf32, #dram>, %y: memref<16x20x12xf32, #dram>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %c16 = arith.constant 16 : index
    %c640 = arith.constant 640 : index
    %c960 = arith.constant 960 : index
    %tw = accel.alloc {name = "weights"} : memref<72x12xf32, #sram>
    %tb = accel.alloc {name = "bias"} : memref<12xf32, #sram>
    %ring = accel.alloc {name = "ring", slack = 2 : i64} : memref<10x20x8xf32, #sram>
    accel.dma(%tw, %w : memref<72x12xf32, #sram>, memref<72x12xf32, #dram>) {
      engine = #accel.engine<ld1>, reason = #accel.reason<compulsory_load>,
      sizes = array<i64: 1, 1, 1, 1, 72, 12>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
      streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 48, 4], pad = 0>,
                 #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 48, 4], pad = 0>]} loc("conv")
    accel.dma(%tb, %b : memref<12xf32, #sram>, memref<12xf32, #dram>) {
      engine = #accel.engine<ld1>, reason = #accel.reason<compulsory_load>,
      sizes = array<i64: 1, 1, 1, 1, 1, 12>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
      streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                 #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]} loc("conv")
    scf.for %i = %c0 to %c4 step %c1 {
      %first = arith.muli %i, %c4 : index
      %next = arith.addi %first, %c1 : index
      %is0 = arith.cmpi eq, %i, %c0 : index
      %from = arith.select %is0, %c0, %next : index
      %after = arith.addi %first, %c5 : index
      %to = arith.minsi %after, %c16 : index
      %rows = arith.subi %to, %from : index
      %at = arith.muli %from, %c640 : index
      accel.dma(%ring, %x : memref<10x20x8xf32, #sram>, memref<16x20x8xf32, #dram>) dyn(%rows, %from, %at) {
        engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>,
        sizes = array<i64: 1, 1, 1, 5, 20, 8>, size_dyn = array<i64: -1, -1, -1, 0, -1, -1>,
        streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 32, 4],
                     window = [<start_dyn = 1, dim_a = 3, mod = 10, stride = 640>], pad = 0>,
                   #accel.stream<f32, base = 0 + [2], strides = [0, 0, 0, 640, 32, 4], pad = 0>]} loc("conv")
      %acc = accel.alloc {depth = 2 : i64} : memref<4x20x12xf32, #acc>
      accel.mxu(%acc, %ring, %tw : memref<4x20x12xf32, #acc>, memref<10x20x8xf32, #sram>, memref<72x12xf32, #sram>) dyn(%first) {
        sizes = array<i64: 4, 20, 12, 3, 3, 8>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 0, strides = [960, 48, 4, 0, 0, 0], pad = 0>,
                   #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4],
                     window = [<start = -1, start_dyn = 0, dim_a = 0, dim_b = 3, bound = 16, mod = 10, stride = 640>,
                               <start = -1, dim_a = 1, dim_b = 4, bound = 20, stride = 32>], pad = 0>,
                   #accel.stream<f32, base = 0, strides = [0, 0, 4, 0, 0, 48], pad = 0>]} loc("conv")
      %out = accel.alloc {depth = 2 : i64} : memref<4x20x12xf32, #sram>
      accel.vec(%out, %acc, %tb : memref<4x20x12xf32, #sram>, memref<4x20x12xf32, #acc>, memref<12xf32, #sram>) attributes {
          body_outputs = 1 : i64,
          sizes = array<i64: 1, 1, 1, 1, 80, 12>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
          streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 48, 4], pad = 0>,
                     #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 48, 4], pad = 0>,
                     #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]} {
      ^bb0(%a: f32, %bias: f32):
        %zero = arith.constant 0.000000e+00 : f32
        %s = arith.addf %a, %bias : f32
        %r = arith.maximumf %s, %zero : f32
        accel.yield %r : f32
      } loc(fused["conv", "relu"])
      %yat = arith.muli %first, %c960 : index
      accel.dma(%y, %out : memref<16x20x12xf32, #dram>, memref<4x20x12xf32, #sram>) dyn(%yat) {
        engine = #accel.engine<st>, reason = #accel.reason<compulsory_store>,
        sizes = array<i64: 1, 1, 1, 1, 80, 12>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 48, 4], pad = 0>,
                   #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 48, 4], pad = 0>]} loc("relu")
    }
    return
  }
}

// CHECK: accel.frame_bytes = 17600 : i64

// RUN: acc-opt %s --assign-addresses --verify-packing | FileCheck %s
// RUN: acc-opt %s --assign-addresses="sram-bytes=2048" --verify-packing | FileCheck %s --check-prefix=TIGHT

// In the loop %a and %b are live over the whole of it where there is room, and
// share bytes with what follows in the iteration where there is not.
// CHECK: accel.sram_peak = 3072 : i64
// TIGHT: accel.sram_peak = 2048 : i64
module {
  func.func @main() {
    %x = accel.tensor {kind = "input", name = "x", index = 0 : i64} : memref<256xf32, #accel.space<dram>>
    %y = accel.tensor {kind = "output", name = "y", index = 0 : i64} : memref<256xf32, #accel.space<dram>>
    func.call @copy(%x, %y) : (memref<256xf32, #accel.space<dram>>, memref<256xf32, #accel.space<dram>>) -> ()
    return
  }
  func.func private @copy(%x: memref<256xf32, #accel.space<dram>>, %y: memref<256xf32, #accel.space<dram>>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    scf.for %i = %c0 to %c4 step %c1 {
      %a = accel.alloc : memref<256xf32, #accel.space<sram>>
      %b = accel.alloc : memref<256xf32, #accel.space<sram>>
      %c = accel.alloc : memref<256xf32, #accel.space<sram>>
      accel.dma(%a, %x : memref<256xf32, #accel.space<sram>>, memref<256xf32, #accel.space<dram>>) {
        engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>,
        sizes = array<i64: 1, 1, 1, 1, 1, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                   #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
      accel.dma(%b, %a : memref<256xf32, #accel.space<sram>>, memref<256xf32, #accel.space<sram>>) {
        engine = #accel.engine<ld1>, reason = #accel.reason<none>,
        sizes = array<i64: 1, 1, 1, 1, 1, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                   #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
      accel.dma(%c, %b : memref<256xf32, #accel.space<sram>>, memref<256xf32, #accel.space<sram>>) {
        engine = #accel.engine<ld0>, reason = #accel.reason<none>,
        sizes = array<i64: 1, 1, 1, 1, 1, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                   #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
      accel.dma(%y, %c : memref<256xf32, #accel.space<dram>>, memref<256xf32, #accel.space<sram>>) {
        engine = #accel.engine<st>, reason = #accel.reason<compulsory_store>,
        sizes = array<i64: 1, 1, 1, 1, 1, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                   #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    }
    return
  }
}

// RUN: acc-opt %s --assign-addresses | FileCheck %s

// Weights that are equal lie in the region once; inputs and outputs one after
// another; %t and %u of the workspace share bytes since no call uses both.
// CHECK: accel.region_bytes = {input = 1024 : i64, output = 1024 : i64, state = 0 : i64, weights = 80 : i64, workspace = 2048 : i64}
// CHECK-SAME: accel.sram_peak = 2048 : i64
module {
  func.func @main() {
    // CHECK: accel.tensor {address = 0 : i64, kind = "weights", name = "w0"
    %w0 = accel.tensor {kind = "weights", name = "w0", value = dense<1.0> : tensor<4xf32>} : memref<4xf32, #accel.space<dram>>
    // CHECK: accel.tensor {address = 0 : i64, kind = "weights", name = "w1"
    %w1 = accel.tensor {kind = "weights", name = "w1", value = dense<1.0> : tensor<4xf32>} : memref<4xf32, #accel.space<dram>>
    // CHECK: accel.tensor {address = 64 : i64, kind = "weights", name = "w2"
    %w2 = accel.tensor {kind = "weights", name = "w2", value = dense<2.0> : tensor<4xf32>} : memref<4xf32, #accel.space<dram>>
    %x = accel.tensor {kind = "input", name = "x", index = 0 : i64} : memref<256xf32, #accel.space<dram>>
    // CHECK: accel.tensor {address = 0 : i64, kind = "workspace", name = "t"}
    %t = accel.tensor {kind = "workspace", name = "t"} : memref<256xf32, #accel.space<dram>>
    // CHECK: accel.tensor {address = 1024 : i64, kind = "workspace", name = "s"}
    %s = accel.tensor {kind = "workspace", name = "s"} : memref<256xf32, #accel.space<dram>>
    // CHECK: accel.tensor {address = 0 : i64, kind = "workspace", name = "u"}
    %u = accel.tensor {kind = "workspace", name = "u"} : memref<256xf32, #accel.space<dram>>
    %y = accel.tensor {kind = "output", name = "y", index = 0 : i64} : memref<256xf32, #accel.space<dram>>
    // CHECK-COUNT-4: call @copy({{.*}}) {accel.frame = 0 : i64}
    func.call @copy(%x, %t) : (memref<256xf32, #accel.space<dram>>, memref<256xf32, #accel.space<dram>>) -> ()
    func.call @copy(%t, %s) : (memref<256xf32, #accel.space<dram>>, memref<256xf32, #accel.space<dram>>) -> ()
    func.call @copy(%s, %u) : (memref<256xf32, #accel.space<dram>>, memref<256xf32, #accel.space<dram>>) -> ()
    func.call @copy(%u, %y) : (memref<256xf32, #accel.space<dram>>, memref<256xf32, #accel.space<dram>>) -> ()
    return
  }
  // %a is dead when %c comes: they share; %b meets both.
  // CHECK: func private @copy({{.*}}accel.acc_bytes = 0 : i64, accel.frame_bytes = 2048 : i64
  func.func private @copy(%x: memref<256xf32, #accel.space<dram>>, %y: memref<256xf32, #accel.space<dram>>) {
    // CHECK: accel.alloc {address = 0 : i64}
    %a = accel.alloc : memref<256xf32, #accel.space<sram>>
    // CHECK: accel.alloc {address = 1024 : i64}
    %b = accel.alloc : memref<256xf32, #accel.space<sram>>
    // CHECK: accel.alloc {address = 0 : i64}
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
    return
  }
}

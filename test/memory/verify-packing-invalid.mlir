// RUN: acc-opt %s --verify-packing -verify-diagnostics -split-input-file

// Both are read by the second transfer and share their second half.
module attributes {accel.sram_peak = 2048 : i64} {
  func.func @main() {
    return
  }
  func.func private @f(%x: memref<256xf32, #accel.space<dram>>) attributes {accel.frame_bytes = 2048 : i64, accel.acc_bytes = 0 : i64} {
    // expected-note @below {{the other: first}}
    %a = accel.alloc {name = "first", address = 0 : i64} : memref<256xf32, #accel.space<sram>>
    // expected-error @below {{second in sram of @f: overlap at byte 512}}
    %b = accel.alloc {name = "second", address = 512 : i64} : memref<256xf32, #accel.space<sram>>
    accel.dma(%a, %x : memref<256xf32, #accel.space<sram>>, memref<256xf32, #accel.space<dram>>) {
      engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>,
      sizes = array<i64: 1, 1, 1, 1, 1, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
      streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                 #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    accel.dma(%b, %a : memref<256xf32, #accel.space<sram>>, memref<256xf32, #accel.space<sram>>) {
      engine = #accel.engine<ld0>, reason = #accel.reason<none>,
      sizes = array<i64: 1, 1, 1, 1, 1, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
      streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                 #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
  }
}

// -----

// A resident beyond the peak that the module claims.
module attributes {accel.sram_peak = 1024 : i64} {
  func.func @main() {
    // expected-error @below {{resident in sram of @main: at 1024 + 1024 bytes leaves the capacity of 1024}}
    %s = accel.alloc {name = "resident", address = 1024 : i64} : memref<256xf32, #accel.space<sram>>
    func.call @use(%s) {accel.frame = 0 : i64} : (memref<256xf32, #accel.space<sram>>) -> ()
    return
  }
  func.func private @use(%s: memref<256xf32, #accel.space<sram>>) attributes {accel.frame_bytes = 0 : i64, accel.acc_bytes = 0 : i64} {
    return
  }
}

// -----

module attributes {accel.sram_peak = 1024 : i64} {
  func.func @main() {
    // expected-error @below {{resident has no address in sram of @main}}
    %s = accel.alloc {name = "resident"} : memref<256xf32, #accel.space<sram>>
    func.call @use(%s) {accel.frame = 0 : i64} : (memref<256xf32, #accel.space<sram>>) -> ()
    return
  }
  func.func private @use(%s: memref<256xf32, #accel.space<sram>>) attributes {accel.frame_bytes = 0 : i64, accel.acc_bytes = 0 : i64} {
    return
  }
}

// -----

// expected-error @below {{needs a function @main of one block in the tile form}}
module {
}

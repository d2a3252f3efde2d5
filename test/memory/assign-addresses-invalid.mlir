// RUN: acc-opt %s --assign-addresses="sram-bytes=4096" -verify-diagnostics -split-input-file

module {
  func.func @main() {
    return
  }
  // expected-error @below {{@frame needs 6144 bytes of sram, the target has 4096; plan with smaller tiles, fewer residents or less buffering}}
  func.func private @frame(%x: memref<256xf32, #accel.space<dram>>) {
    // expected-note @below {{live there: tile, 2048 bytes, depth 1}}
    %a = accel.alloc {name = "tile"} : memref<512xf32, #accel.space<sram>>
    // expected-note @below {{live there: a buffer, 2048 bytes, depth 2}}
    %b = accel.alloc {depth = 2 : i64} : memref<512xf32, #accel.space<sram>>
    accel.dma(%a, %x : memref<512xf32, #accel.space<sram>>, memref<256xf32, #accel.space<dram>>) {
      engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>,
      sizes = array<i64: 1, 1, 1, 1, 1, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
      streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                 #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    accel.dma(%b, %a : memref<512xf32, #accel.space<sram>>, memref<512xf32, #accel.space<sram>>) {
      engine = #accel.engine<ld0>, reason = #accel.reason<none>,
      sizes = array<i64: 1, 1, 1, 1, 1, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
      streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                 #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
  }
}

// -----

// expected-error @below {{needs a function @main of one block in the tile form}}
module {
}

// -----

// A resident tensor and the frame of the call that uses it.
module {
  // expected-error @below {{@main needs 5120 bytes of sram, the target has 4096}}
  func.func @main() {
    // expected-note @below {{live there: resident, 3072 bytes, depth 1}}
    %s = accel.alloc {name = "resident"} : memref<768xf32, #accel.space<sram>>
    // expected-note @below {{live there: the frame of @use}}
    func.call @use(%s) : (memref<768xf32, #accel.space<sram>>) -> ()
    return
  }
  func.func private @use(%s: memref<768xf32, #accel.space<sram>>) {
    %a = accel.alloc : memref<512xf32, #accel.space<sram>>
    accel.dma(%a, %s : memref<512xf32, #accel.space<sram>>, memref<768xf32, #accel.space<sram>>) {
      engine = #accel.engine<ld0>, reason = #accel.reason<none>,
      sizes = array<i64: 1, 1, 1, 1, 1, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
      streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                 #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
  }
}

// -----

// A plan that was made for a smaller chip stays within it.
module attributes {accel.planned_sram_bytes = 1024 : i64} {
  func.func @main() {
    return
  }
  // expected-error @below {{@frame needs 2048 bytes of sram, the target has 1024; plan with smaller tiles, fewer residents or less buffering}}
  func.func private @frame(%x: memref<256xf32, #accel.space<dram>>) {
    // expected-note @below {{live there: tile, 2048 bytes, depth 1}}
    %a = accel.alloc {name = "tile"} : memref<512xf32, #accel.space<sram>>
    accel.dma(%a, %x : memref<512xf32, #accel.space<sram>>, memref<256xf32, #accel.space<dram>>) {
      engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>,
      sizes = array<i64: 1, 1, 1, 1, 1, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
      streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>,
                 #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
  }
}

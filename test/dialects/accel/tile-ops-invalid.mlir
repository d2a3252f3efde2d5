// RUN: acc-opt %s --split-input-file --verify-diagnostics

func.func @f() {
    // expected-error @below {{a buffer has a static shape}}
    %a = accel.alloc : memref<?xf32, #accel.space<sram>>
    return
}

// -----

func.func @f() {
    // expected-error @below {{needs a memory space}}
    %a = accel.alloc : memref<4xf32>
    return
}

// -----

func.func @f() {
    // expected-error @below {{depth and slack must be positive}}
    %a = accel.alloc {depth = 0 : i64} : memref<4xf32, #accel.space<sram>>
    return
}

// -----

func.func @f() {
    // expected-error @below {{kind "code" is not weights, input, output, workspace or state}}
    %a = accel.tensor {kind = "code", name = "x"} : memref<4xf32, #accel.space<dram>>
    return
}

// -----

func.func @f() {
    // expected-error @below {{needs a static shape in dram}}
    %a = accel.tensor {kind = "workspace", name = "x"} : memref<4xf32, #accel.space<sram>>
    return
}

// -----

func.func @f() {
    // expected-error @below {{an input needs its index}}
    %a = accel.tensor {kind = "input", name = "x"} : memref<4xf32, #accel.space<dram>>
    return
}

// -----

func.func @f(%x: memref<4xf32, #accel.space<dram>>) {
    // expected-error @below {{element type and memory stay}}
    %a = accel.offset %x + 0 : memref<4xf32, #accel.space<dram>> to memref<4xf32, #accel.space<sram>>
    return
}

// -----

func.func @f(%x: memref<4xf32, #accel.space<dram>>) {
    // expected-error @below {{cannot go back}}
    %a = accel.offset %x + -4 : memref<4xf32, #accel.space<dram>> to memref<4xf32, #accel.space<dram>>
    return
}

// -----

func.func @f(%x: memref<4xf32, #accel.space<dram>>) {
    // expected-error @below {{needs 2 buffers}}
    accel.dma(%x : memref<4xf32, #accel.space<dram>>) {engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
}

// -----

func.func @f(%x: memref<4xf32, #accel.space<dram>>, %a: memref<4xf32, #accel.space<sram>>) {
    // expected-error @below {{runs on ld0, ld1 or st}}
    accel.dma(%a, %x : memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<dram>>) {engine = #accel.engine<mxu>, reason = #accel.reason<compulsory_load>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
}

// -----

func.func @f(%x: memref<4xf32, #accel.space<dram>>, %a: memref<4xf32, #accel.space<sram>>) {
    // expected-error @below {{has 2 buffers but 1 streams}}
    accel.dma(%a, %x : memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<dram>>) {engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
}

// -----

func.func @f(%x: memref<4xf32, #accel.space<dram>>, %a: memref<4xf32, #accel.space<sram>>) {
    // expected-error @below {{size_dyn names value 0 of 0}}
    accel.dma(%a, %x : memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<dram>>) {engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>, size_dyn = array<i64: -1, -1, -1, -1, -1, 0>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
}

// -----

func.func @f(%x: memref<4xf32, #accel.space<dram>>, %a: memref<4xf32, #accel.space<sram>>) {
    // expected-error @below {{a stream's base names value 0 of 0}}
    accel.dma(%a, %x : memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<dram>>) {engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
}

// -----

func.func @f(%x: memref<4xf32, #accel.space<dram>>, %a: memref<4xf32, #accel.space<sram>>) {
    // expected-error @below {{a window coordinate is out of range}}
    accel.dma(%a, %x : memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<dram>>) {engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], window = [<dim_a = 6>], pad = 0>]}
    return
}

// -----

func.func @f(%x: memref<4xf32, #accel.space<dram>>, %a: memref<4xf32, #accel.space<sram>>) {
    // expected-error @below {{needs six sizes and six size_dyn}}
    accel.dma(%a, %x : memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<dram>>) {engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>, size_dyn = array<i64: -1>, sizes = array<i64: 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
}

// -----

func.func @f(%a: memref<4xf32, #accel.space<sram>>) {
    // expected-error @below {{needs the accumulator, A and B}}
    accel.mxu(%a : memref<4xf32, #accel.space<sram>>) {size_dyn = array<i64: -1, -1, -1, -1, -1, -1>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    return
}

// -----

func.func @f(%a: memref<4xf32, #accel.space<sram>>) {
    // expected-error @below {{body must take one element of each of the 1 inputs}}
    accel.vec(%a, %a : memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<sram>>) attributes {body_outputs = 1 : i64, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]} {
    ^bb0(%v: f32, %u: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%a: memref<4xf32, #accel.space<sram>>) {
    // expected-error @below {{needs 1 or 2 outputs and at most 4 inputs}}
    accel.vec(%a, %a : memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<sram>>) attributes {outputs = 3 : i64, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]} {
    ^bb0(%v: f32, %u: f32):
      accel.yield %v : f32
    }
    return
}

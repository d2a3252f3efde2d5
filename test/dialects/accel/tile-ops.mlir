// RUN: acc-opt %s | acc-opt | FileCheck %s

// Every operation of the tile form prints and parses back.
// CHECK-LABEL: func.func @tile
func.func @tile(%n: index) {
    // CHECK: accel.tensor {index = 0 : i64, kind = "input", name = "x"
    %x = accel.tensor {kind = "input", name = "x", index = 0 : i64, type = tensor<4xf32>} : memref<4xf32, #accel.space<dram>>
    // CHECK: accel.offset %{{.*}} + 8 :
    %o = accel.offset %x + 8 : memref<4xf32, #accel.space<dram>> to memref<?xf32, #accel.space<dram>>
    // CHECK: accel.alloc {depth = 2 : i64}
    %a = accel.alloc {depth = 2 : i64} : memref<4xf32, #accel.space<sram>>
    %b = accel.alloc : memref<4xf32, #accel.space<sram>>
    %c = accel.alloc : memref<4xf32, #accel.space<acc>>
    // CHECK: accel.dma({{.*}}) dyn({{.*}}) {engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>
    accel.dma(%a, %x : memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<dram>>) dyn(%n) {engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>, size_dyn = array<i64: -1, -1, -1, -1, -1, 0>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 4 + [0], strides = [0, 0, 0, 0, 0, 4], window = [<dim_a = 5, bound = 4, stride = 4>], pad = 0>]}
    // CHECK: accel.mxu
    accel.mxu(%c, %a, %b : memref<4xf32, #accel.space<acc>>, memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<sram>>) {accumulate, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]}
    // CHECK: accel.vec
    accel.vec(%b, %c : memref<4xf32, #accel.space<sram>>, memref<4xf32, #accel.space<acc>>) attributes {body_outputs = 1 : i64, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>, sizes = array<i64: 1, 1, 1, 1, 1, 4>, streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>, #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 0, 4], pad = 0>]} {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

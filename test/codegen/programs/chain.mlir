// RUN: acc-opt %s --assign-addresses | FileCheck %s
// Four calls of one routine: input -> workspace -> workspace -> SRAM -> output.
// Every call sees other memories, so it becomes four routines; the calls are
// ordered by what they share, frames lie beside the resident tensor.
#dram = #accel.space<dram>
#sram = #accel.space<sram>
module attributes {accel.target = {name = "edge", sram_bytes = 2097152 : i64, acc_bytes = 65536 : i64,
    imem_bytes = 65536 : i64, queue_depth = 32 : i64, dram_burst_bytes = 64 : i64},
    accel.prediction = [
      {tensor = "X", reason = #accel.reason<compulsory_load>, bytes = 65536 : i64},
      {tensor = "t0", reason = #accel.reason<spill_store>, bytes = 65536 : i64, write},
      {tensor = "t0", reason = #accel.reason<spill_load>, bytes = 65536 : i64},
      {tensor = "t1", reason = #accel.reason<spill_store>, bytes = 65536 : i64, write},
      {tensor = "t1", reason = #accel.reason<spill_load>, bytes = 65536 : i64},
      {tensor = "Y", reason = #accel.reason<compulsory_store>, bytes = 65536 : i64, write}]} {
  func.func @main() {
    %x = accel.tensor {kind = "input", name = "X", index = 0 : i64} : memref<64x256xf32, #dram>
    %t0 = accel.tensor {kind = "workspace", name = "t0"} : memref<64x256xf32, #dram>
    %t1 = accel.tensor {kind = "workspace", name = "t1"} : memref<64x256xf32, #dram>
    %s = accel.alloc {name = "resident"} : memref<64x256xf32, #sram>
    %y = accel.tensor {kind = "output", name = "Y", index = 0 : i64} : memref<64x256xf32, #dram>
    func.call @first(%x, %t0) : (memref<64x256xf32, #dram>, memref<64x256xf32, #dram>) -> () loc("n0")
    func.call @spilled(%t0, %t1) : (memref<64x256xf32, #dram>, memref<64x256xf32, #dram>) -> () loc("n1")
    func.call @to_sram(%t1, %s) : (memref<64x256xf32, #dram>, memref<64x256xf32, #sram>) -> () loc("n2")
    func.call @from_sram(%s, %y) : (memref<64x256xf32, #sram>, memref<64x256xf32, #dram>) -> () loc("n3")
    return
  }
  // The rows of one half are loaded by LD0, of the other by LD1.
  func.func private @first(%x: memref<64x256xf32, #dram>, %y: memref<64x256xf32, #dram>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %c8192 = arith.constant 8192 : index
    scf.for %i = %c0 to %c8 step %c1 {
      %in = accel.alloc {depth = 2 : i64} : memref<8x256xf32, #sram>
      %out = accel.alloc {depth = 2 : i64} : memref<8x256xf32, #sram>
      %at = arith.muli %i, %c8192 : index
      accel.dma(%in, %x : memref<8x256xf32, #sram>, memref<64x256xf32, #dram>) dyn(%at) {
        engine = #accel.engine<ld0>, reason = #accel.reason<compulsory_load>,
        sizes = array<i64: 1, 1, 1, 1, 4, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                   #accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} loc("n0")
      accel.dma(%in, %x : memref<8x256xf32, #sram>, memref<64x256xf32, #dram>) dyn(%at) {
        engine = #accel.engine<ld1>, reason = #accel.reason<compulsory_load>,
        sizes = array<i64: 1, 1, 1, 1, 4, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 4096, strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                   #accel.stream<f32, base = 4096 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} loc("n0")
      accel.vec(%out, %in : memref<8x256xf32, #sram>, memref<8x256xf32, #sram>) attributes {body_outputs = 1 : i64,
          sizes = array<i64: 1, 1, 1, 1, 8, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
          streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                     #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} {
      ^bb0(%v: f32):
        %one = arith.constant 1.000000e+00 : f32
        %r = arith.addf %v, %one : f32
        accel.yield %r : f32
      } loc("n0")
      accel.dma(%y, %out : memref<64x256xf32, #dram>, memref<8x256xf32, #sram>) dyn(%at) {
        engine = #accel.engine<st>, reason = #accel.reason<spill_store>,
        sizes = array<i64: 1, 1, 1, 1, 8, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                   #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} loc("n0")
    }
    return
  }
  // A loop in a loop: buffers rotate over three iterations through both.
  func.func private @spilled(%x: memref<64x256xf32, #dram>, %y: memref<64x256xf32, #dram>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c4 = arith.constant 4 : index
    %c32768 = arith.constant 32768 : index
    %c8192 = arith.constant 8192 : index
    scf.for %i = %c0 to %c2 step %c1 {
      scf.for %j = %c0 to %c4 step %c1 {
        %in = accel.alloc {depth = 3 : i64} : memref<8x256xf32, #sram>
        %a = arith.muli %i, %c32768 : index
        %b = arith.muli %j, %c8192 : index
        %at = arith.addi %a, %b : index
        accel.dma(%in, %x : memref<8x256xf32, #sram>, memref<64x256xf32, #dram>) dyn(%at) {
          engine = #accel.engine<ld0>, reason = #accel.reason<spill_load>,
          sizes = array<i64: 1, 1, 1, 1, 8, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
          streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                     #accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} loc("n1")
        accel.vec(%in, %in : memref<8x256xf32, #sram>, memref<8x256xf32, #sram>) attributes {body_outputs = 1 : i64,
            sizes = array<i64: 1, 1, 1, 1, 8, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
            streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                       #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} {
        ^bb0(%v: f32):
          %k = arith.constant 2.000000e+00 : f32
          %r = arith.mulf %v, %k : f32
          accel.yield %r : f32
        } loc("n1")
        accel.dma(%y, %in : memref<64x256xf32, #dram>, memref<8x256xf32, #sram>) dyn(%at) {
          engine = #accel.engine<st>, reason = #accel.reason<spill_store>,
          sizes = array<i64: 1, 1, 1, 1, 8, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
          streams = [#accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                     #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} loc("n1")
      }
    }
    return
  }
  // The first half of the loop's trips negate, the others do not: a condition.
  func.func private @to_sram(%x: memref<64x256xf32, #dram>, %y: memref<64x256xf32, #sram>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c8192 = arith.constant 8192 : index
    scf.for %i = %c0 to %c8 step %c1 {
      %in = accel.alloc {depth = 2 : i64} : memref<8x256xf32, #sram>
      %at = arith.muli %i, %c8192 : index
      accel.dma(%in, %x : memref<8x256xf32, #sram>, memref<64x256xf32, #dram>) dyn(%at) {
        engine = #accel.engine<ld0>, reason = #accel.reason<spill_load>,
        sizes = array<i64: 1, 1, 1, 1, 8, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                   #accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} loc("n2")
      %low = arith.cmpi slt, %i, %c4 : index
      scf.if %low {
        accel.vec(%y, %in : memref<64x256xf32, #sram>, memref<8x256xf32, #sram>) dyn(%at) attributes {body_outputs = 1 : i64,
            sizes = array<i64: 1, 1, 1, 1, 8, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
            streams = [#accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                       #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} {
        ^bb0(%v: f32):
          %r = arith.negf %v : f32
          accel.yield %r : f32
        } loc("n2")
      } else {
        accel.vec(%y, %in : memref<64x256xf32, #sram>, memref<8x256xf32, #sram>) dyn(%at) attributes {body_outputs = 1 : i64,
            sizes = array<i64: 1, 1, 1, 1, 8, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
            streams = [#accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                       #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} {
        ^bb0(%v: f32):
          accel.yield %v : f32
        } loc("n2")
      }
    }
    return
  }
  // Softmax-like: the row's maximum by lanes, subtracted; then stored.
  func.func private @from_sram(%x: memref<64x256xf32, #sram>, %y: memref<64x256xf32, #dram>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16384 = arith.constant 16384 : index
    scf.for %i = %c0 to %c4 step %c1 {
      %max = accel.alloc : memref<16xf32, #sram>
      %out = accel.alloc {depth = 2 : i64} : memref<16x256xf32, #sram>
      %at = arith.muli %i, %c16384 : index
      accel.vec(%max, %x : memref<16xf32, #sram>, memref<64x256xf32, #sram>) dyn(%at) attributes {
          reduced = array<i64: 5>, kinds = [#accel.reduce_kind<max>], lanes,
          sizes = array<i64: 1, 1, 1, 1, 16, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
          streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 4, 0], pad = 0>,
                     #accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} {
      ^bb0(%v: f32):
        accel.yield %v : f32
      } post {
      ^bb0(%m: f32, %v0: f32):
        accel.yield %m : f32
      } loc("n3")
      accel.vec(%out, %x, %max : memref<16x256xf32, #sram>, memref<64x256xf32, #sram>, memref<16xf32, #sram>) dyn(%at) attributes {
          body_outputs = 1 : i64,
          sizes = array<i64: 1, 1, 1, 1, 16, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
          streams = [#accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                     #accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                     #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 4, 0], pad = 0>]} {
      ^bb0(%v: f32, %m: f32):
        %r = arith.subf %v, %m : f32
        accel.yield %r : f32
      } loc("n3")
      accel.dma(%y, %out : memref<64x256xf32, #dram>, memref<16x256xf32, #sram>) dyn(%at) {
        engine = #accel.engine<st>, reason = #accel.reason<compulsory_store>,
        sizes = array<i64: 1, 1, 1, 1, 16, 256>, size_dyn = array<i64: -1, -1, -1, -1, -1, -1>,
        streams = [#accel.stream<f32, base = 0 + [0], strides = [0, 0, 0, 0, 1024, 4], pad = 0>,
                   #accel.stream<f32, base = 0, strides = [0, 0, 0, 0, 1024, 4], pad = 0>]} loc("n3")
    }
    return
  }
}

// t0 lives in calls 0 and 1, t1 in 1 and 2: they cannot share.
// CHECK: accel.tensor {address = 0 : i64, kind = "workspace", name = "t0"}
// CHECK: accel.tensor {address = 65536 : i64, kind = "workspace", name = "t1"}

// Prints, parses and prints the same again; fields with their initial value are left out.
// RUN: acc-opt %s | FileCheck %s
// RUN: acc-opt %s > %t.mlir && acc-opt %t.mlir | diff %t.mlir -

// CHECK-LABEL: isa.program {
isa.program {
  // CHECK-NEXT: isa.vprog @softsign {
  // CHECK-NEXT: in v0: f32
  // CHECK-NEXT: body v1 = imm.f32 1.0e+00
  // CHECK-NEXT: body v2 = abs.f32 v0
  // CHECK-NEXT: body v2 = add.f32 v2, v1
  // CHECK-NEXT: body v0 = div.f32 v0, v2
  // CHECK-NEXT: out v0: f32 body
  isa.vprog @softsign {
    in v0: f32
    body v1 = imm.f32 1.0
    body v2 = abs.f32 v0
    body v2 = add.f32 v2, v1
    body v0 = div.f32 v0, v2
    out v0: f32 body
  }
  // CHECK: isa.vprog @total {
  // CHECK: reduce v1 = sum.f32 v0 lanes
  // CHECK: out v1: f32 post
  isa.vprog @total {
    in v0: f32
    reduce v1 = sum.f32 v0 lanes
    out v1: f32 post
  }
  // CHECK: isa.routine @main {
  // CHECK-NEXT: isa.li r1, -5
  // CHECK-NEXT: isa.call @work
  // CHECK-NEXT: isa.halt
  isa.routine @main {
    isa.li r1, -5
    isa.call @work
    isa.halt
  }
  // CHECK: isa.routine @work {
  // CHECK-NEXT: isa.nop
  // CHECK-NEXT: isa.add r2, r1, r1
  // CHECK-NEXT: isa.muli r3, r2, 9223372036854775807
  // CHECK-NEXT: isa.lds r4, i32, r3, 8
  isa.routine @work {
    isa.nop
    isa.add r2, r1, r1
    isa.muli r3, r2, 9223372036854775807
    isa.lds r4, i32, r3, 8
    // CHECK-NEXT: isa.loop r5 to 8 {
    // CHECK-NEXT: isa.if r5 {
    // CHECK: isa.while r4 max 3 {
    isa.loop r5 to 8 {
      isa.if r5 {
        isa.addi r6, r5, 1
      }
      isa.while r4 max 3 {
        isa.li r4, 0
      }
    }
    // CHECK: isa.sync ctrl wait [s1: 2] signal [s2: 255]
    // CHECK-NEXT: isa.dma ld0 halo wait [s3: 1, s4: 1] signal [s1: 2] op<size = [1, 1, 1, 1, 4, 16], size_reg = [0, 0, 0, 0, 2, 0]>
    // CHECK-NEXT: stream<space = sram, dtype = f32, base_reg = [3, 0, 0, 0], stride = [0, 0, 0, 0, 64, 4]>
    // CHECK-NEXT: stream<space = dram, region = 1, dtype = f16, base = -2, window = {coord = [{start = -1, dim_a = 4, mul_a = 1, bound = 4, stride = 32}, {}]}>
    isa.sync ctrl wait [s1: 2] signal [s2: 255]
    isa.dma ld0 halo wait [s3: 1, s4: 1] signal [s1: 2] op<size = [1, 1, 1, 1, 4, 16], size_reg = [0, 0, 0, 0, 2, 0]>
      stream<space = sram, dtype = f32, base_reg = [3, 0, 0, 0], stride = [0, 0, 0, 0, 64, 4]>
      stream<space = dram, region = 1, dtype = f16, base = -2, window = {coord = [{start = -1, dim_a = 4, mul_a = 1, bound = 4, stride = 32}, {}]}>
    // CHECK-NEXT: isa.vec vec @total op<size = [1, 1, 1, 1, 1, 16], reduce_mask = 32>
    isa.vec vec @total op<size = [1, 1, 1, 1, 1, 16], reduce_mask = 32>
      stream<space = sram, dtype = f32>
      stream<space = sram, dtype = f32, base = 64, stride = [0, 0, 0, 0, 0, 4]>
    isa.ret
  }
} tables {}

// RUN: acc-opt %s -split-input-file -verify-diagnostics

// Routine without end.

isa.program {
  // expected-error @below {{'isa.routine' op is main and must end with isa.halt}}
  isa.routine @main {
    isa.nop
  }
} tables {}

// -----

// Routine that does not return.

isa.program {
  isa.routine @main {
    isa.halt
  }
  // expected-error @below {{'isa.routine' op must end with isa.ret}}
  isa.routine @r {
    isa.nop
  }
} tables {}

// -----

// No routine at all.

// expected-error @below {{'isa.program' op has no routine}}
isa.program {
} tables {}

// -----

// No such routine.

isa.program {
  isa.routine @main {
    // expected-error @below {{'isa.call' op there is no routine @absent}}
    isa.call @absent
    isa.halt
  }
} tables {}

// -----

// Register that is none.

isa.program {
  isa.routine @main {
    // expected-error @below {{custom op 'isa.li' expected r0 to r63}}
    isa.li r64, 0
    isa.halt
  }
} tables {}

// -----

// Semaphore that is none.

isa.program {
  isa.routine @main {
    // expected-error @below {{custom op 'isa.sync' expected s0 to s127}}
    isa.sync mxu wait [s128: 1]
    isa.halt
  }
} tables {}

// -----

// Count that does not fit.

isa.program {
  isa.routine @main {
    // expected-error @below {{custom op 'isa.sync' a count is 0 to 255}}
    isa.sync mxu wait [s1: 256]
    isa.halt
  }
} tables {}

// -----

// Too many waits.

isa.program {
  isa.routine @main {
    // expected-error @below {{custom op 'isa.sync' an instruction has two of them; isa.sync has more}}
    isa.sync mxu wait [s1: 1, s2: 1, s3: 1]
    isa.halt
  }
} tables {}

// -----

// Unknown engine.

isa.program {
  isa.routine @main {
    // expected-error @below {{custom op 'isa.sync' 'gpu' is no Engine}}
    isa.sync gpu
    isa.halt
  }
} tables {}

// -----

// Wrong engine.

isa.program {
  isa.routine @main {
    // expected-error @below {{'isa.dma' op DMA: does not run on engine mxu, only on ld0, ld1, st}}
    isa.dma mxu op<size = [1, 1, 1, 1, 1, 4]>
      stream<space = sram, dtype = f32>
      stream<space = sram, dtype = f32>
    isa.halt
  }
} tables {}

// -----

// No descriptor.

isa.program {
  isa.routine @main {
    // expected-error @below {{'isa.dma' op needs op<...> and its streams}}
    isa.dma ld0
    isa.halt
  }
} tables {}

// -----

// Streams that do not fit.

isa.program {
  isa.routine @main {
    // expected-error @below {{'isa.mxu' op MXU: OpDesc.streams is 1, it takes 3 to 3}}
    isa.mxu mxu op<size = [1, 1, 1, 1, 1, 4]>
      stream<space = sram, dtype = f32>
    isa.halt
  }
} tables {}

// -----

// Unknown field.

isa.program {
  isa.routine @main {
    // expected-error @below {{custom op 'isa.dma' OpDesc has no field 'siez'}}
    isa.dma ld0 op<siez = [1, 1, 1, 1, 1, 4]>
      stream<space = sram, dtype = f32>
    isa.halt
  }
} tables {}

// -----

// Five sizes.

isa.program {
  isa.routine @main {
    // expected-error @below {{custom op 'isa.dma' OpDesc.size has 6 elements, not 5}}
    isa.dma ld0 op<size = [1, 1, 1, 1, 4]>
      stream<space = sram, dtype = f32>
    isa.halt
  }
} tables {}

// -----

// Number too wide.

isa.program {
  isa.routine @main {
    // expected-error @below {{custom op 'isa.dma' OpDesc.size does not fit 32 bits}}
    isa.dma ld0 op<size = [1, 1, 1, 1, 1, 4294967296]>
      stream<space = sram, dtype = f32>
    isa.halt
  }
} tables {}

// -----

// Division by nothing.

isa.program {
  isa.routine @main {
    // expected-error @below {{'isa.divi' op DIVI: CtrlWord.imm is the divisor and must not be 0}}
    isa.divi r1, r2, 0
    isa.halt
  }
} tables {}

// -----

// Nine loops.

isa.program {
  isa.routine @main {
    isa.loop r1 to 2 {
      isa.loop r2 to 2 {
        isa.loop r3 to 2 {
          isa.loop r4 to 2 {
            isa.loop r5 to 2 {
              isa.loop r6 to 2 {
                isa.loop r7 to 2 {
                  isa.loop r8 to 2 {
                    // expected-error @below {{'isa.loop' op loops and conditions nest at most 8 deep}}
                    isa.loop r9 to 2 {
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    isa.halt
  }
} tables {}

// -----

// Unknown step.

isa.program {
  isa.vprog @v {
    in v0: f32
    // expected-error @below {{custom op 'isa.vprog' the vector engine has no step 'gelu'}}
    body v0 = gelu.f32 v0
    out v0: f32 body
  }
  isa.routine @main {
    isa.halt
  }
} tables {}

// -----

// Step without that type.

isa.program {
  // expected-error @below {{'isa.vprog' op body step 0: exp has no type i32}}
  isa.vprog @v {
    in v0: i32
    body v0 = exp.i32 v0
    out v0: i32 body
  }
  isa.routine @main {
    isa.halt
  }
} tables {}

// -----

// Vector register that is none.

isa.program {
  isa.vprog @v {
    // expected-error @below {{custom op 'isa.vprog' expected v0 to v15}}
    in v16: f32
    out v0: f32 body
  }
  isa.routine @main {
    isa.halt
  }
} tables {}

// -----

// No vector program.

isa.program {
  isa.routine @main {
    // expected-error @below {{'isa.vec' op names no vector program}}
    isa.vec vec op<size = [1, 1, 1, 1, 1, 4]>
      stream<space = sram, dtype = f32>
    isa.halt
  }
} tables {}

// -----

// Absent vector program.

isa.program {
  isa.routine @main {
    // expected-error @below {{'isa.vec' op there is no vector program @v}}
    isa.vec vec @v op<size = [1, 1, 1, 1, 1, 4]>
      stream<space = sram, dtype = f32>
    isa.halt
  }
} tables {}

// -----

// Stranger in a routine.

isa.program {
  isa.routine @main {
    // expected-error @below {{'arith.constant' op is no instruction; a routine holds only operations of isa}}
    %0 = arith.constant 1 : i32
    isa.halt
  }
} tables {}

// RUN: acc-opt %s --plan-groups --verify-diagnostics

// A model's input is not in SRAM: no result can be written over it.

module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}, accel.schedules = [
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, inputs = [<level = 0>], resident = [0], takes = [0], members = [<rolling = false, level = 0, depth = 1, inplace = -1>]>},
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, inputs = [<level = 0>], members = [<rolling = false, level = 0, depth = 1, inplace = -1>]>}]} {
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    // expected-error @+1 {{schedule: result 0 cannot take the memory of operand 0 (a resident one of the same type that its producer alone reads, element by element, and nothing reads later)}}
    %s = accel.map extras(%x) attributes {maps = [affine_map<(a, b) -> (a, b)>]} : (tensor<64x64xf32>) -> tensor<64x64xf32> {
    ^bb0(%a: f32):
      %0 = arith.addf %a, %a : f32
      accel.yield %0 : f32
    }
    %y = accel.map extras(%s) attributes {maps = [affine_map<(a, b) -> (a, b)>]} : (tensor<64x64xf32>) -> tensor<64x64xf32> {
    ^bb0(%a: f32):
      %0 = arith.mulf %a, %a : f32
      accel.yield %0 : f32
    }
    return %y : tensor<64x64xf32>
  }
}

// RUN: acc-opt %s --plan-groups --verify-diagnostics

// The index list of DMA_GATHER has no window, so its buffer cannot be circular.

module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}, accel.schedules = [
    {members = ["gather"], schedule = #accel.schedule<version = 1, anchor = 0, loops = [<0 : 4>], inputs = [<level = 0>, <level = 1, rolling = true>], members = [<rolling = false, level = 1, depth = 1, inplace = -1>]>}]} {
  func.func @main(%table: tensor<64x16xf32>, %ids: tensor<12xi64>) -> tensor<12x16xf32> {
    // expected-error @+1 {{schedule refused: input 1: rolling, but operand 1 of gather (member 0) cannot be read from a circular buffer}}
    %y = accel.gather %table, %ids : (tensor<64x16xf32>, tensor<12xi64>) -> tensor<12x16xf32> {
    ^bb0(%a: f32):
      accel.yield %a : f32
    }
    return %y : tensor<12x16xf32>
  }
}

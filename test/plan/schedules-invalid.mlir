// RUN: acc-opt %s --plan-groups --split-input-file --verify-diagnostics

// Schedules that no later stage could carry out are refused by plan, with the constraint.

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

// -----

// A descriptor has one dimension for the list.

module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}, accel.schedules = [
    {members = ["gather"], schedule = #accel.schedule<version = 1, anchor = 0, inputs = [<level = 0>, <level = 0>], members = [<rolling = false, level = 0, depth = 1, inplace = -1>]>}]} {
  func.func @main(%table: tensor<64x16xf32>, %ids: tensor<3x4xi64>) -> tensor<3x4x16xf32> {
    // expected-error @+1 {{schedule refused: gather (member 0): one transfer walks the indices in one dimension, a tile has 2}}
    %y = accel.gather %table, %ids : (tensor<64x16xf32>, tensor<3x4xi64>) -> tensor<3x4x16xf32> {
    ^bb0(%a: f32):
      accel.yield %a : f32
    }
    return %y : tensor<3x4x16xf32>
  }
}

// -----

module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}, accel.schedules = [
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, loops = [<0 : 2>, <1 : 2>, <2 : 2>, <3 : 2>, <4 : 2>, <5 : 2>], inputs = [<level = 6>], members = [<loops = [<0 : 1>, <1 : 1>, <2 : 1>], rolling = false, level = 9, depth = 1, inplace = -1>]>}]} {
  func.func @main(%x: tensor<4x4x4x4x4x4xf32>) -> tensor<4x4x4x4x4x4xf32> {
    // expected-error @+1 {{schedule refused: map (member 0): 9 loops inside of each other, the machine has 8 levels}}
    %y = accel.map extras(%x) attributes {maps = [affine_map<(a, b, c, d, e, f) -> (a, b, c, d, e, f)>]} : (tensor<4x4x4x4x4x4xf32>) -> tensor<4x4x4x4x4x4xf32> {
    ^bb0(%a: f32):
      %0 = arith.addf %a, %a : f32
      accel.yield %0 : f32
    }
    return %y : tensor<4x4x4x4x4x4xf32>
  }
}

// -----

// A view with seven nested strides takes a smaller tile.

module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}, accel.schedules = [
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, inputs = [<level = 0>], members = [<rolling = false, level = 0, depth = 1, inplace = -1>]>}]} {
  func.func @main(%x: tensor<2x8x12x12xf32>) -> tensor<2x12x8x12xf32> {
    %0 = accel.reshape %x : tensor<2x8x12x12xf32> to tensor<2x2x6x4x4x6xf32>
    %1 = accel.transpose %0 {perm = array<i64: 0, 5, 1, 3, 2, 4>} : tensor<2x2x6x4x4x6xf32> to tensor<2x6x2x4x6x4xf32>
    %2 = accel.reshape %1 : tensor<2x6x2x4x6x4xf32> to tensor<2x12x8x12xf32>
    %3 = accel.transpose %2 {perm = array<i64: 0, 3, 2, 1>} : tensor<2x12x8x12xf32> to tensor<2x12x8x12xf32>
    // expected-error @+1 {{schedule refused: input 0: a transfer needs 7 dimensions, a descriptor has 6}}
    %4 = accel.map extras(%3) attributes {maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>]} : (tensor<2x12x8x12xf32>) -> tensor<2x12x8x12xf32> {
    ^bb0(%a: f32):
      %5 = arith.addf %a, %a : f32
      accel.yield %5 : f32
    }
    return %4 : tensor<2x12x8x12xf32>
  }
}

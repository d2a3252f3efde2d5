// RUN: acc-opt %s --plan-groups --verify-diagnostics --split-input-file

// There is no such result.

module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}, accel.schedules = [
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, loops = [<0 : 8>], inputs = [<level = 1>], parts = [<1 : 8>], members = [<rolling = false, level = 1, depth = 1, inplace = -1>]>},
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, loops = [<0 : 8>], inputs = [<level = 1>], members = [<rolling = false, level = 1, depth = 1, inplace = -1>]>}]} {
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    // expected-error @+1 {{schedule: result 1 to keep rows of does not exist}}
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

// -----

// All rows are the whole tensor: that is `resident`.

module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}, accel.schedules = [
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, loops = [<0 : 8>], inputs = [<level = 1>], parts = [<0 : 64>], members = [<rolling = false, level = 1, depth = 1, inplace = -1>]>},
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, loops = [<0 : 8>], inputs = [<level = 1>], members = [<rolling = false, level = 1, depth = 1, inplace = -1>]>}]} {
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    // expected-error @+1 {{schedule: 64 rows of result 0, it has 64, from 1 to one less can stay}}
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

// -----

// A resident stays anyway.

module attributes {accel.target = {sram_bytes = 65536 : i64, acc_bytes = 16384 : i64}, accel.schedules = [
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, loops = [<0 : 8>], inputs = [<level = 1>], resident = [0], parts = [<0 : 8>], members = [<rolling = false, level = 1, depth = 1, inplace = -1>]>},
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, loops = [<0 : 8>], inputs = [<level = 1>], members = [<rolling = false, level = 1, depth = 1, inplace = -1>]>}]} {
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    // expected-error @+1 {{schedule: result 0 cannot stay in part (it is resident, a model output, read through a view or a table of a gather)}}
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

// -----

// The rows leave too little for the stripes.

module attributes {accel.target = {sram_bytes = 16384 : i64, acc_bytes = 16384 : i64}, accel.schedules = [
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, loops = [<0 : 8>], inputs = [<level = 1>], parts = [<0 : 63>], members = [<rolling = false, level = 1, depth = 1, inplace = -1>]>},
    {members = ["map"], schedule = #accel.schedule<version = 1, anchor = 0, loops = [<0 : 8>], inputs = [<level = 1>], members = [<rolling = false, level = 1, depth = 1, inplace = -1>]>}]} {
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    // expected-error @+1 {{schedule refused: buffers need 4096 bytes of SRAM, there are}}
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

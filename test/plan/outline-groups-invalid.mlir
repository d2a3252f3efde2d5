// RUN: acc-opt %s --outline-groups --split-input-file --verify-diagnostics

// expected-error @below {{needs a function @main of one block in the grouped form}}
module {
}

// -----

module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @below {{needs layout, space, kind and reason of each of its 1 tensors in accel.inputs}}
    %0 = accel.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%y: tensor<4xf32>):
      accel.yield %y : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @below {{is not part of the grouped form (what plan-groups makes): it is in no group}}
    %0 = accel.map extras(%x) attributes {maps = [affine_map<(a) -> (a)>]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return %0 : tensor<4xf32>
  }
}

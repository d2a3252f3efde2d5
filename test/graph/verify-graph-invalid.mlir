// RUN: acc-opt %s --verify-graph --split-input-file --verify-diagnostics

// Any module may come here; one of another form is one error, and stays as it was.

// expected-error @below {{needs a function @main of one block in the tensor form}}
module {
  func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @below {{'onnx.Relu' op is not part of the tensor form}}
    %0 = onnx.Relu(%x) : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

module {
  // expected-error @below {{takes a 'tensor<?xf32>', not as in the tensor form}}
  func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
    return %x : tensor<?xf32>
  }
}

// -----

#id = affine_map<(a) -> (a)>
module {
  func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>, %z: tensor<4xf32>, %u: tensor<4xf32>, %v: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @below {{body reads 5 extras, at most 4 are possible}}
    %0 = accel.map extras(%x, %y, %z, %u, %v) attributes {maps = [#id, #id, #id, #id, #id]} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: f32, %b: f32, %c: f32, %d: f32, %e: f32):
      accel.yield %a : f32
    }
    return %0 : tensor<4xf32>
  }
}

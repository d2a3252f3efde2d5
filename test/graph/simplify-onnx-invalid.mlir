// RUN: acc-opt %s --simplify-onnx --split-input-file --verify-diagnostics

// Any module may come here; one of another form is one error, and stays as it was.

// expected-error @below {{needs a function @main of one block in the node form}}
module {
  func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @below {{'accel.group' op is not part of the node form}}
    %0 = accel.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%y: tensor<4xf32>):
      accel.yield %y : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

module {
  // expected-error @below {{takes a 'memref<4xf32>', not as in the node form}}
  func.func @main(%x: memref<4xf32>) {
    return
  }
}

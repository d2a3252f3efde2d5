// RUN: acc-opt %s --sink-branches --split-input-file --verify-diagnostics

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

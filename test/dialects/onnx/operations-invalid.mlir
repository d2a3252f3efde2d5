// RUN: acc-opt %s -split-input-file -verify-diagnostics

func.func @wrong_operand_type(%x: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error @below {{operand #0 must be tensor of}}
  %r = onnx.Sin(%x) : (tensor<4xi32>) -> tensor<4xi32>
  return %r : tensor<4xi32>
}

// -----

func.func @wrong_result_type(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{result #0 must be tensor of}}
  %r = onnx.Shape(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @not_a_tensor(%x: i32) -> tensor<4xf32> {
  // expected-error @below {{operand #0 must be tensor of}}
  %r = onnx.Relu(%x) : (i32) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @required_operand_absent(%none: none, %x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // expected-error @below {{operand #1 must be tensor of}}
  %r = onnx.MatMul(%x, %none) : (tensor<2x2xf32>, none) -> tensor<2x2xf32>
  return %r : tensor<2x2xf32>
}

// -----

func.func @too_few_operands(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{expected 2 operands, but found 1}}
  %r = onnx.Add(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @too_many_operands(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{requires a single operand}}
  %r = onnx.Relu(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @too_many_results(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{requires one result}}
  %r:2 = onnx.Relu(%x) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %r#0 : tensor<4xf32>
}

// -----

func.func @missing_attribute(%x: tensor<1x1x4xf32>, %none: none) -> tensor<1x1x4xf32> {
  // expected-error @below {{requires attribute 'axis'}}
  %r = onnx.Concat(%x, %x) : (tensor<1x1x4xf32>, tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  return %r : tensor<1x1x4xf32>
}

// -----

func.func @wrong_attribute_type(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{attribute 'axis' failed to satisfy constraint: 64-bit signless integer attribute}}
  %r = onnx.Softmax(%x) {axis = 0.5 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @wrong_attribute_width(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{attribute 'axis' failed to satisfy constraint: 64-bit signless integer attribute}}
  %r = onnx.Softmax(%x) {axis = 0 : i32} : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @wrong_list_type(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // expected-error @below {{attribute 'perm' failed to satisfy constraint: i64 dense array attribute}}
  %r = onnx.Transpose(%x) {perm = [1, 0]} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %r : tensor<4x4xf32>
}

// -----

func.func @unknown_attribute(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{has the unknown attribute 'colour'; onnx.Relu has none}}
  %r = onnx.Relu(%x) {colour = 3 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @misspelt_attribute(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{has the unknown attribute 'axes'; onnx.Softmax has axis}}
  %r = onnx.Softmax(%x) {axes = 3 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @unknown_operation(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{unregistered operation 'onnx.Frobnicate'}}
  %r = onnx.Frobnicate(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @subgraph_absent(%c: tensor<i1>) -> tensor<4xf32> {
  // expected-error @below {{expected 2 regions}}
  %r = onnx.If(%c) : (tensor<i1>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @subgraph_without_end(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %r = onnx.If(%c) ({
    // expected-error @below {{block with no terminator}}
    %a = onnx.Relu(%x) : (tensor<4xf32>) -> tensor<4xf32>
  }, {
    onnx.Yield(%x) : (tensor<4xf32>) -> ()
  }) : (tensor<i1>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @subgraph_gives_too_little(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{subgraph 1 gives 0 values, 1 are expected}}
  %r = onnx.If(%c) ({
    onnx.Yield(%x) : (tensor<4xf32>) -> ()
  }, {
    onnx.Yield() : () -> ()
  }) : (tensor<i1>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @subgraph_of_two_blocks(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{subgraph 0 must be one block that ends in onnx.Yield}}
  %r = onnx.If(%c) ({
    cf.br ^bb1
  ^bb1:
    onnx.Yield(%x) : (tensor<4xf32>) -> ()
  }, {
    onnx.Yield(%x) : (tensor<4xf32>) -> ()
  }) : (tensor<i1>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @subgraph_takes_too_little(%c: tensor<i1>, %n: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{subgraph 0 takes 2 values, 3 are expected}}
  %r = onnx.Loop(%n, %c, %x) ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>):
    onnx.Yield(%go, %x) : (tensor<i1>, tensor<4xf32>) -> ()
  }) : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @yield_outside(%x: tensor<4xf32>) {
  // expected-error @below {{ends subgraphs of onnx operations only}}
  onnx.Yield(%x) : (tensor<4xf32>) -> ()
}

// -----

func.func @weight_of_another_type() -> tensor<4xf32> {
  // expected-error @below {{has a value that is not of type 'tensor<4xf32>'}}
  %w = onnx.Weight {value = dense<1.0> : tensor<3xf32>} : tensor<4xf32>
  return %w : tensor<4xf32>
}

// -----

func.func @weight_of_wrong_length() -> tensor<1024xf32> {
  // expected-error @below {{refers to 4095 bytes, but 'tensor<1024xf32>' has 4096}}
  %w = onnx.Weight {value = #onnx.file<"w.bin", 0, 4095>} : tensor<1024xf32>
  return %w : tensor<1024xf32>
}

// -----

func.func @weight_of_unknown_shape() -> tensor<?xf32> {
  // expected-error @below {{needs a result type with a static shape}}
  %w = onnx.Weight {value = #onnx.file<"w.bin", 0, 4096>} : tensor<?xf32>
  return %w : tensor<?xf32>
}

// -----

func.func @negative_offset() {
  // expected-error @below {{offset -8 and length 4 must not be negative}}
  %w = onnx.Weight {value = #onnx.file<"w.bin", -8, 4>} : tensor<1xf32>
  return
}

// -----

func.func @no_path() {
  // expected-error @below {{the path is empty}}
  %w = onnx.Weight {value = #onnx.file<"", 0, 4>} : tensor<1xf32>
  return
}

// -----

func.func @list_of_wrong_elements(%x: !onnx.seq<tensor<4xi32>>, %i: tensor<i64>) -> tensor<4xf32> {
  // expected-error @below {{operand #0 must be tensor of}}
  %r = onnx.Sin(%x) : (!onnx.seq<tensor<4xi32>>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @operands_and_types(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{number of operands and types do not match: got 1 operands and 2 types}}
  %r = onnx.Relu(%x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

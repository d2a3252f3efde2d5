// Every kind of operand, attribute, type and subgraph is printed and parsed back.
// RUN: acc-opt %s | acc-opt | FileCheck %s

// CHECK-LABEL: func.func @attributes
func.func @attributes(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x4x4x4xf32> {
  %none = onnx.None : none
  // CHECK: onnx.Conv(%{{.*}}, %{{.*}}, %{{.*}}) {auto_pad = "NOTSET", group = 1 : i64, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
  // CHECK-SAME: : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, none) -> tensor<1x4x4x4xf32>
  %y = onnx.Conv(%x, %w, %none) {auto_pad = "NOTSET", group = 1 : i64, pads = array<i64: 1, 1, 1, 1>,
      strides = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, none) -> tensor<1x4x4x4xf32>
  // CHECK: onnx.LeakyRelu(%{{.*}}) {alpha = 1.000000e-01 : f32}
  %z = onnx.LeakyRelu(%y) {alpha = 0.1 : f32} : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %z : tensor<1x4x4x4xf32>
}

// CHECK-LABEL: func.func @lists
func.func @lists(%x: tensor<?x!onnx.string>, %m: tensor<?xf32>) -> (tensor<?xi64>, !onnx.seq<tensor<?xf32>>) {
  // CHECK: onnx.Custom(%{{.*}}) {domain = "ai.onnx.ml", fields = {
  // CHECK-SAME: floats = array<f32: 1.000000e+00, 2.500000e+00>
  // CHECK-SAME: strings = ["a", "b"]
  // CHECK-SAME: op_type = "LabelEncoder"
  %a = onnx.Custom(%x) {domain = "ai.onnx.ml", op_type = "LabelEncoder",
      fields = {floats = array<f32: 1.0, 2.5>, strings = ["a", "b"]}} : (tensor<?x!onnx.string>) -> tensor<?xi64>
  // CHECK: onnx.SequenceConstruct(%{{.*}}, %{{.*}}) : (tensor<?xf32>, tensor<?xf32>) -> !onnx.seq<tensor<?xf32>>
  %s = onnx.SequenceConstruct(%m, %m) : (tensor<?xf32>, tensor<?xf32>) -> !onnx.seq<tensor<?xf32>>
  return %a, %s : tensor<?xi64>, !onnx.seq<tensor<?xf32>>
}

// CHECK-LABEL: func.func @types
// CHECK-SAME: !onnx.optional<tensor<f32>>, %{{.*}}: !onnx.map<i64, tensor<f32>>, %{{.*}}: !onnx.sparse<tensor<3x3xf32>>, %{{.*}}: !onnx.unknown
func.func @types(%o: !onnx.optional<tensor<f32>>, %m: !onnx.map<i64, tensor<f32>>, %s: !onnx.sparse<tensor<3x3xf32>>,
                 %u: !onnx.unknown, %q: !onnx.opaque<"domain", "name">, %r: tensor<*xf32>) -> tensor<i1> {
  // CHECK: onnx.OptionalHasElement(%{{.*}}) : (!onnx.optional<tensor<f32>>) -> tensor<i1>
  %h = onnx.OptionalHasElement(%o) : (!onnx.optional<tensor<f32>>) -> tensor<i1>
  // A type that nothing tells is allowed everywhere.
  // CHECK: onnx.Relu(%{{.*}}) : (!onnx.unknown) -> !onnx.unknown
  %a = onnx.Relu(%u) : (!onnx.unknown) -> !onnx.unknown
  return %h : tensor<i1>
}

// CHECK-LABEL: func.func @elements
func.func @elements() -> tensor<2xf8E4M3FN> {
  // CHECK: onnx.Weight {value = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf8E4M3FN>} : tensor<2xf8E4M3FN>
  %a = onnx.Weight {value = dense<[1.0, 2.0]> : tensor<2xf8E4M3FN>} : tensor<2xf8E4M3FN>
  // CHECK: onnx.Weight {value = dense<[1, -8]> : tensor<2xi4>} : tensor<2xi4>
  %b = onnx.Weight {value = dense<[1, -8]> : tensor<2xi4>} : tensor<2xi4>
  // CHECK: onnx.Weight {value = dense<["x", "\22"]> : tensor<2x!onnx.string>}
  %c = onnx.Weight {value = dense<["x", "\22"]> : tensor<2x!onnx.string>} : tensor<2x!onnx.string>
  // CHECK: onnx.Weight {value = #onnx.file<"w.bin", 4096, 4096>} : tensor<1024xf32>
  %d = onnx.Weight {value = #onnx.file<"w.bin", 4096, 4096>} : tensor<1024xf32>
  // CHECK: onnx.Constant {sparse_value = #onnx.sparse<tensor<3x3xf32>, dense<1.000000e+00> : tensor<1xf32>, dense<4> : tensor<1xi64>>} : !onnx.sparse<tensor<3x3xf32>>
  %e = onnx.Constant {sparse_value = #onnx.sparse<tensor<3x3xf32>, dense<1.0> : tensor<1xf32>, dense<4> : tensor<1xi64>>} : !onnx.sparse<tensor<3x3xf32>>
  return %a : tensor<2xf8E4M3FN>
}

// CHECK-LABEL: func.func @subgraphs
func.func @subgraphs(%c: tensor<i1>, %n: tensor<i64>, %x: tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  // CHECK: onnx.If(%{{.*}}) ({
  // CHECK: onnx.Yield(%{{.*}}) : (tensor<4xf32>) -> ()
  // CHECK: }, {
  // CHECK: }) : (tensor<i1>) -> tensor<4xf32>
  %r = onnx.If(%c) ({
    onnx.Yield(%x) : (tensor<4xf32>) -> ()
  }, {
    %a = onnx.Neg(%x) : (tensor<4xf32>) -> tensor<4xf32>
    onnx.Yield(%a) : (tensor<4xf32>) -> ()
  }) : (tensor<i1>) -> tensor<4xf32>
  // CHECK: onnx.Loop(%{{.*}}, %{{.*}}, %{{.*}}) ({
  // CHECK: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<i1>, %{{.*}}: tensor<4xf32>):
  %l:2 = onnx.Loop(%n, %c, %x) ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %v: tensor<4xf32>):
    %b = onnx.Relu(%v) : (tensor<4xf32>) -> tensor<4xf32>
    onnx.Yield(%go, %b, %b) : (tensor<i1>, tensor<4xf32>, tensor<4xf32>) -> ()
  }) : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>)
  return %r, %l#1 : tensor<4xf32>, tensor<?x4xf32>
}

// RUN: acc-opt %s --lower-onnx --verify-diagnostics

// Every obstacle is named in one run, each with its reason and what to do. A name
// of a node is its location, so there is no line.
func.func @main(%x: tensor<1x2x4x4x4xf32>, %y: tensor<4xf32>) -> (tensor<1x2x4x4x4xf32>, tensor<?x1xi64>) {
  %w = onnx.Weight {value = dense<0.5> : tensor<2x2x1x1x1xf32>} : tensor<2x2x1x1x1xf32>
  %none = onnx.None : none
  // expected-error @unknown {{"conv3d" (Conv) cannot be compiled: 3-D window; only 1-D and 2-D convolutions and pools are possible}}
  %0 = onnx.Conv(%x, %w, %none) : (tensor<1x2x4x4x4xf32>, tensor<2x2x1x1x1xf32>, none) -> tensor<1x2x4x4x4xf32> loc("conv3d")
  // expected-error @unknown {{"where" (NonZero) cannot be compiled: no lowering for this operator; express it by others (see `acc list-ops`)}}
  %1 = onnx.NonZero(%y) : (tensor<4xf32>) -> tensor<?x1xi64> loc("where")
  return %0, %1 : tensor<1x2x4x4x4xf32>, tensor<?x1xi64>
}

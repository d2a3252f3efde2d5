// Stage by stage as `acc compile` runs them, from nodes to addresses.
// RUN: acc-opt %s --acc-graph --acc-plan --acc-tile --acc-memory | FileCheck %s
// RUN: acc-opt %s --acc-graph "--acc-plan=budget=50 seed=3" --acc-tile --acc-memory -o /dev/null
// RUN: not acc-opt %s --acc-tile 2>&1 | FileCheck %s --check-prefix=EARLY

// CHECK: accel.prediction = [{{.*}}bytes = 256 : i64{{.*}}bytes = 256 : i64
// CHECK: func.func @main()
// CHECK: accel.tensor {address = 0 : i64, index = 0 : i64, kind = "input"
// CHECK: call @{{.*}} {accel.frame = 0 : i64}
// CHECK: accel.dma
// CHECK: accel.vec
// CHECK: accel.dma
// EARLY: error: {{.*}}not {{.*}}the routine form
module attributes {accel.target = {acc_bytes = 4096 : i64, sram_bytes = 32768 : i64}} {
  func.func @main(%x: tensor<4x16xf32> {onnx.name = "x"}) -> (tensor<4x16xf32> {onnx.name = "y"}) {
    %0 = onnx.Relu(%x) : (tensor<4x16xf32>) -> tensor<4x16xf32> loc("relu")
    return %0 : tensor<4x16xf32>
  }
}

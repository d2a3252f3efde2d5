// RUN: acc-opt %s --split-input-file --verify-diagnostics

func.func @f(%i: tensor<1x4x4x3xf32>, %w: tensor<1x3x2xf32>) {
    // expected-error @below {{result extent 5 does not follow from the window}}
    %0 = accel.conv %i, %w attributes {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>} : (tensor<1x4x4x3xf32>, tensor<1x3x2xf32>) -> tensor<1x5x4x2xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%i: tensor<1x4x4x3xf32>, %w: tensor<1x3x2xf32>) {
    // expected-error @below {{weight must be [groups, KH*KW*IC/groups, OC/groups]}}
    %0 = accel.conv %i, %w attributes {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>} : (tensor<1x4x4x3xf32>, tensor<1x3x2xf32>) -> tensor<1x4x4x3xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%i: tensor<1x4x4x3xf32>, %w: tensor<1x3x2xf32>) {
    // expected-error @below {{groups must divide the channels}}
    %0 = accel.conv %i, %w attributes {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>, groups = 2 : i64} : (tensor<1x4x4x3xf32>, tensor<1x3x2xf32>) -> tensor<1x4x4x2xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%i: tensor<1x4x4x3xf32>, %w: tensor<1x3x2xf32>) {
    // expected-error @below {{kernel, strides and dilations must be positive}}
    %0 = accel.conv %i, %w attributes {kernel = array<i64: 1, 1>, strides = array<i64: 0, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>} : (tensor<1x4x4x3xf32>, tensor<1x3x2xf32>) -> tensor<1x4x4x2xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%i: tensor<1x4x4x3xf32>, %w: tensor<1x3x2xf32>) {
    // expected-error @below {{needs 2 kernel sizes, strides, dilations, input dilations and 4 pads}}
    %0 = accel.conv %i, %w attributes {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>} : (tensor<1x4x4x3xf32>, tensor<1x3x2xf32>) -> tensor<1x4x4x2xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%a: tensor<2x3x5xf32>, %b: tensor<1x6x4xf32>) {
    // expected-error @below {{inner dimensions 5 and 6 differ}}
    %0 = accel.matmul %a, %b : (tensor<2x3x5xf32>, tensor<1x6x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%a: tensor<2x3x5xf32>, %b: tensor<3x5x4xf32>) {
    // expected-error @below {{batch of weight must be 1 or 2}}
    %0 = accel.matmul %a, %b : (tensor<2x3x5xf32>, tensor<3x5x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%a: tensor<3x5xf32>, %b: tensor<5x4xf32>) {
    // expected-error @below {{operands must have the same rank, at least 3}}
    %0 = accel.matmul %a, %b : (tensor<3x5xf32>, tensor<5x4xf32>) -> tensor<3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%a: tensor<2x3x5xf32>, %b: tensor<1x5x4xf32>) {
    // expected-error @below {{result has shape [2, 3, 5], expected [2, 3, 4]}}
    %0 = accel.matmul %a, %b : (tensor<2x3x5xf32>, tensor<1x5x4xf32>) -> tensor<2x3x5xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{has 1 extras but 0 maps}}
    %0 = accel.map extras(%x) attributes {maps = []} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{map 0 must take the result's 3 dimensions to the extra's 3}}
    %0 = accel.map extras(%x) attributes {maps = [affine_map<(a, b) -> (a, b)>]} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{map 0 reads element 3 of dimension 1, which has 3}}
    %0 = accel.map extras(%x) attributes {maps = [affine_map<(a, b, c) -> (a, b + 1, c)>]} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2xf16>) {
    // expected-error @below {{body argument 0 must have the element type of extra 0}}
    %0 = accel.map extras(%x) attributes {maps = [affine_map<(a) -> (a)>]} : (tensor<2xf16>) -> tensor<2xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2xf32>) {
    // expected-error @below {{body must yield one 'f16'}}
    %0 = accel.map extras(%x) attributes {maps = [affine_map<(a) -> (a)>]} : (tensor<2xf32>) -> tensor<2xf16> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2xf32>) {
    // expected-error @below {{body takes 1 values, expected 2}}
    %0 = accel.softmax %x extras(%x) attributes {maps = [affine_map<(a) -> (a)>]} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<1x1x1x1x1x1x2xf32>) {
    // expected-error @below {{result has rank 7, at most 6 is possible}}
    %0 = accel.softmax %x : (tensor<1x1x1x1x1x1x2xf32>) -> tensor<1x1x1x1x1x1x2xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{names dimension 3 of rank 3}}
    %0 = accel.reduce %x attributes {kind = #accel.reduce_kind<max>, dims = array<i64: 3>} : (tensor<2x3x4xf32>) -> tensor<2x3x1xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{dimensions must ascend, each once}}
    %0 = accel.reduce %x attributes {kind = #accel.reduce_kind<max>, dims = array<i64: 2, 1>} : (tensor<2x3x4xf32>) -> tensor<2x1x1xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{result has shape [2, 3], expected [2, 3, 1]}}
    %0 = accel.reduce %x attributes {kind = #accel.reduce_kind<max>, dims = array<i64: 2>} : (tensor<2x3x4xf32>) -> tensor<2x3xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{needs an NHWC input}}
    %0 = accel.pool %x attributes {kind = #accel.reduce_kind<max>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%i: tensor<1x4x4x3xf32>) {
    // expected-error @below {{pools by max or sum}}
    %0 = accel.pool %i attributes {kind = #accel.reduce_kind<min>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x4x3xf32>) -> tensor<1x2x2x3xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%i: tensor<1x4x4x3xf32>) {
    // expected-error @below {{result must keep batch and channels}}
    %0 = accel.pool %i attributes {kind = #accel.reduce_kind<max>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x4x3xf32>) -> tensor<1x2x2x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{result has shape [2, 3, 5], expected [2, 3, 4]}}
    %0 = accel.softmax %x : (tensor<2x3x4xf32>) -> tensor<2x3x5xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<f32>) {
    // expected-error @below {{needs a dimension to normalise over}}
    %0 = accel.softmax %x : (tensor<f32>) -> tensor<f32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{names no dimension}}
    %0 = accel.normalize %x attributes {dims = array<i64>, eps = 0.0 : f64} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>, %n: tensor<7xf32>) {
    // expected-error @below {{indices must be i32 or i64, not 'f32'}}
    %0 = accel.gather %x, %n : (tensor<2x3x4xf32>, tensor<7xf32>) -> tensor<7x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>, %n: tensor<7xi32>) {
    // expected-error @below {{result has shape [2, 3, 4], expected [7, 3, 4]}}
    %0 = accel.gather %x, %n : (tensor<2x3x4xf32>, tensor<7xi32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<4xf16>) {
    // expected-error @below {{body argument 0 must be the element that moves, 'f16'}}
    %0 = accel.copy %x : (tensor<4xf16>) -> tensor<4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{result has shape [2, 3, 4], expected [2, 3, 5]}}
    %0 = accel.pad %x attributes {low = array<i64: 0, 0, 0>, high = array<i64: 0, 0, 1>, value = 0.0 : f32} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{value must have the input's element type}}
    %0 = accel.pad %x attributes {low = array<i64: 0, 0, 0>, high = array<i64: 0, 0, 1>, value = 0 : i32} : (tensor<2x3x4xf32>) -> tensor<2x3x5xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{needs one amount for each dimension}}
    %0 = accel.pad %x attributes {low = array<i64: 0>, high = array<i64: 0>, value = 0.0 : f32} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return
}

// -----

func.func @f() {
    // expected-error @below {{value has another type than the result}}
    %0 = accel.constant(dense<1.0> : tensor<2xf32>) : tensor<3xf32>
    return
}

// -----

func.func @f() {
    // expected-error @below {{pack kind "rotate" is unknown}}
    %0 = accel.constant(dense<1.0> : tensor<2xf32>) pack <kind = "rotate", source = tensor<2xf32>> : tensor<2xf32>
    return
}

// -----

func.func @f() {
    // expected-error @below {{to another number of elements}}
    %0 = accel.constant(dense<1.0> : tensor<2xf32>) pack <kind = "identity", source = tensor<2xf32>> : tensor<3xf32>
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{perm is not a permutation}}
    %0 = accel.transpose %x {perm = array<i64: 0, 1, 1>} : tensor<2x3x4xf32> to tensor<2x3x3xf32>
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{result has shape [2, 3, 4], expected [2, 4, 3]}}
    %0 = accel.transpose %x {perm = array<i64: 0, 2, 1>} : tensor<2x3x4xf32> to tensor<2x3x4xf32>
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{number of elements changes}}
    %0 = accel.reshape %x : tensor<2x3x4xf32> to tensor<25xf32>
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{is a view and cannot change the element type}}
    %0 = accel.reshape %x : tensor<2x3x4xf32> to tensor<24xi32>
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{reads outside of dimension 1}}
    %0 = accel.slice %x {offsets = array<i64: 0, 2, 0>, steps = array<i64: 1, 1, 1>} : tensor<2x3x4xf32> to tensor<2x2x4xf32>
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{needs an offset and a step for each dimension}}
    %0 = accel.slice %x {offsets = array<i64: 0>, steps = array<i64: 1>} : tensor<2x3x4xf32> to tensor<2x3x4xf32>
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{factors must be positive}}
    %0 = accel.repeat %x {factors = array<i64: 1, 0, 1>} : tensor<2x3x4xf32> to tensor<2x0x4xf32>
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{dimension 1 of size 3 cannot become 5}}
    %0 = accel.broadcast %x : tensor<2x3x4xf32> to tensor<2x5x4xf32>
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>) {
    // expected-error @below {{axis is out of range}}
    %0 = accel.concat %x, %x {axis = 3 : i64} : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x8xf32>
    return
}

// -----

func.func @f(%x: tensor<2x3x4xf32>, %y: tensor<2x3x5xf32>) {
    // expected-error @below {{inputs differ in dimension 2}}
    %0 = accel.concat %x, %y {axis = 1 : i64} : (tensor<2x3x4xf32>, tensor<2x3x5xf32>) -> tensor<2x6x4xf32>
    return
}

// -----

func.func @f(%x: tensor<5xf32>) {
    // expected-error @below {{body must take the group's operands}}
    %0 = accel.group(%x) : (tensor<5xf32>) -> tensor<4xf32> {
    ^bb0(%z: tensor<4xf32>):
      accel.yield %z : tensor<4xf32>
    }
    return
}

// -----

func.func @f(%x: tensor<4xf32>) {
    // expected-error @below {{body must yield the group's results}}
    %0 = accel.group(%x) : (tensor<4xf32>) -> tensor<5xf32> {
    ^bb0(%z: tensor<4xf32>):
      accel.yield %z : tensor<4xf32>
    }
    return
}

// -----

func.func @f(%x: tensor<4xf32>) {
    // expected-error @below {{schedule is for 1 operations and 1 inputs; the group has 0 and 1}}
    %0 = accel.group(%x) schedule(<version = 1, anchor = 0, inputs = [<level = 0>], members = [<rolling = false, level = 0, depth = 1, inplace = -1>]>) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%z: tensor<4xf32>):
      accel.yield %z : tensor<4xf32>
    }
    return
}

// -----

func.func @f(%n: index) {
    // expected-error @below {{converts numbers, not 'index' to 'f32'}}
    %0 = accel.convert %n : index to f32
    return
}

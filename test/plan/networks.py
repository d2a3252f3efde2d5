"""Small networks with the shapes of graph that schedules have to get through: chains, branches, residuals,
depthwise stacks, concatenations, pooling, attention, several outputs."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
from onnx import numpy_helper

_TEXTS = {
    "chain": """<ir_version: 9, opset_import: ["": 20]>
        g (float[1,8,20,18] x, float[16,8,3,3] w0, float[16] b0, float[24,16,3,3] w1, float[8,24,1,1] w2) => (float[1,8,10,9] y) {
          a = Conv<pads=[1,1,1,1]>(x, w0, b0)
          b = Relu(a)
          c = Conv<pads=[1,1,1,1], strides=[2,2]>(b, w1)
          d = HardSwish(c)
          y = Conv(d, w2)
        }""",
    "residual": """<ir_version: 9, opset_import: ["": 20]>
        g (float[1,16,14,14] x, float[16,16,3,3] w0, float[16,16,3,3] w1, float[16,16,1,1] w2) => (float[1,16,14,14] y, float[1,16,14,14] z) {
          a = Conv<pads=[1,1,1,1]>(x, w0)
          b = Relu(a)
          c = Conv<pads=[1,1,1,1]>(b, w1)
          s = Conv(x, w2)
          d = Add(c, s)
          z = Relu(d)
          e = Sigmoid(z)
          y = Mul(e, b)
        }""",
    "depthwise": """<ir_version: 9, opset_import: ["": 20]>
        g (float[1,24,15,17] x, float[48,24,1,1] w0, float[48,1,5,5] w1, float[24,48,1,1] w2, float[24] b) => (float[1,24,15,17] y) {
          a = Conv(x, w0)
          c = HardSigmoid(a)
          d = Conv<pads=[2,2,2,2], group=48>(c, w1)
          e = Conv(d, w2, b)
          y = Add(e, x)
        }""",
    "squeeze": """<ir_version: 9, opset_import: ["": 20]>
        g (float[1,16,12,12] x, float[8,16,1,1] w0, float[16,8,1,1] w1) => (float[1,16,6,6] y) {
          a = GlobalAveragePool(x)
          b = Conv(a, w0)
          c = Relu(b)
          d = Conv(c, w1)
          e = Sigmoid(d)
          f = Mul(x, e)
          y = MaxPool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]>(f)
        }""",
    "branches": """<ir_version: 9, opset_import: ["": 20]>
        g (float[1,12,10,11] x, float[8,12,1,1] w0, float[8,12,3,3] w1, float[6,16,3,3] w2) => (float[1,6,20,22] y) {
          a = Conv(x, w0)
          b = Conv<pads=[1,1,1,1]>(x, w1)
          c = Concat<axis=1>(a, b)
          d = Relu(c)
          s = Constant<value_floats=[1.0, 1.0, 2.0, 2.0]>()
          u = Resize<mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor">(d, , s)
          y = Conv<pads=[1,1,1,1]>(u, w2)
        }""",
    "up": """<ir_version: 9, opset_import: ["": 20]>
        g (float[1,12,9,7] x, float[12,8,2,2] w0, float[8,8,3,3] w1) => (float[1,8,18,14] y) {
          a = ConvTranspose<strides=[2,2]>(x, w0)
          b = Relu(a)
          y = Conv<pads=[1,1,1,1]>(b, w1)
        }""",
    "attention": """<ir_version: 9, opset_import: ["": 20]>
        g (float[2,40,32] x, float[32,32] q, float[32,32] k, float[32,32] v, float[32] g0, float[32] b0) => (float[2,40,32] y) {
          n = LayerNormalization<axis=-1>(x, g0, b0)
          a = MatMul(n, q)
          b = MatMul(n, k)
          c = MatMul(n, v)
          t = Transpose<perm=[0,2,1]>(b)
          s = MatMul(a, t)
          f = Constant<value=float {0.25}>()
          m = Mul(s, f)
          p = Softmax<axis=-1>(m)
          o = MatMul(p, c)
          y = Add(o, x)
        }""",
    "mlp": """<ir_version: 9, opset_import: ["": 20]>
        g (float[70,48] x, float[48,130] w0, float[130] b0, float[130,48] w1) => (float[70,48] y, float[70,1] z) {
          a = Gemm(x, w0, b0)
          b = Gelu(a)
          c = MatMul(b, w1)
          y = Add(c, x)
          axes = Constant<value_ints=[1]>()
          z = ReduceSum(y, axes)
        }""",
    # Reductions of several chains each (ISA): 128 channels of a product, 32 of a 3x3 convolution.
    "deep": """<ir_version: 9, opset_import: ["": 20]>
        g (float[1,300,6,5] x, float[100,300,1,1] w0, float[520,100,3,3] w1, float[20,520,1,1] w2, float[30,410] w3, float[410,9] w4) => (float[1,20,6,5] y, float[20,9] z) {
          a = Conv(x, w0)
          b = Relu(a)
          c = Conv<pads=[1,1,1,1]>(b, w1)
          d = Relu(c)
          y = Conv(d, w2)
          s = Constant<value_ints=[20, 30]>()
          e = Reshape(y, s)
          f = MatMul(e, w3)
          h = Tanh(f)
          z = MatMul(h, w4)
        }""",
}
NAMES = tuple(_TEXTS)


def build(name: str) -> onnx.ModelProto:
    """The network with random weights: every graph input but `x` becomes a constant."""
    model = onnx.parser.parse_model(_TEXTS[name])
    random = np.random.default_rng(len(name))
    kept = [i for i in model.graph.input if i.name == "x"]
    for value in model.graph.input:
        if value.name != "x":
            shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
            scale = 1 / np.sqrt(max(1, np.prod(shape[1:] if len(shape) == 4 else shape[:1])))
            data = (random.normal(size=shape) * scale).astype(np.float32)
            model.graph.initializer.append(numpy_helper.from_array(data, value.name))
    del model.graph.input[:]
    model.graph.input.extend(kept)
    onnx.checker.check_model(model, full_check=True)
    return model


def inputs(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    return {"x": np.random.default_rng(1).normal(size=shape).astype(np.float32)}

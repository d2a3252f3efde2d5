"""A float ONNX network of the zoo as an int8 tflite file: same layers, same weights. Runs in the environment `tflite`.

    python tflite_from_onnx.py NET.onnx NET.tflite HEIGHT WIDTH

Layers with stride 2 are padded at the end, as TensorFlow's SAME does it, instead of on both sides: shapes are the same,
and no separate padding operator stands in the way of the peer. With the ONNX file's own padding, the graph built here is
first compared with ONNX Runtime.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime as ort  # noqa: E402
import tensorflow as tf  # noqa: E402
from onnx import numpy_helper  # noqa: E402

CALIBRATION = 4
TOLERANCE = 1e-3


class Network:
    """The ONNX graph in TensorFlow's operators, channels last."""

    def __init__(self, path: str, same_padding: bool):
        graph = onnx.load(path).graph
        self.weights = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
        self.nodes, self.same = list(graph.node), same_padding
        (self.input,) = [i.name for i in graph.input if i.name not in self.weights]
        (self.output,) = [o.name for o in graph.output]

    def __call__(self, image):
        values = {self.input: image}
        for node in self.nodes:
            if node.op_type == "Constant":
                self.weights[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
                continue
            make = getattr(self, node.op_type.lower(), None)
            if make is None:
                raise SystemExit(f"no {node.op_type} in tflite_from_onnx.py")
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            operands = [values.get(name, self.weights.get(name)) for name in node.input]
            values[node.output[0]] = make(operands, attributes)
        return values[self.output]

    def pad(self, x, attributes, fill=0.0):
        top, left, bottom, right = attributes.get("pads", [0] * 4)
        stride = attributes.get("strides", [1, 1])[0]
        if top == left == bottom == right == 0:
            return x, "VALID"
        kernel = attributes["kernel_shape"][0]
        if self.same or (stride == 1 and 2 * top == kernel - 1):
            return x, "SAME"
        return tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]], constant_values=fill), "VALID"

    def conv(self, operands, attributes):
        x, weight = operands[:2]
        strides = list(attributes.get("strides", [1, 1]))
        x, padding = self.pad(x, attributes)
        if attributes.get("group", 1) == 1:
            y = tf.nn.conv2d(x, weight.transpose(2, 3, 1, 0), strides, padding)
        else:
            y = tf.nn.depthwise_conv2d(x, weight.transpose(2, 3, 0, 1), [1, *strides, 1], padding)
        return tf.nn.bias_add(y, operands[2]) if len(operands) > 2 else y

    def batchnormalization(self, operands, attributes):
        x, scale, bias, mean, variance = operands
        factor = scale / np.sqrt(variance + attributes.get("epsilon", 1e-5))
        return x * factor + (bias - mean * factor)

    def maxpool(self, operands, attributes):
        x, padding = self.pad(operands[0], attributes, fill=-np.inf)
        return tf.nn.max_pool2d(x, attributes["kernel_shape"], attributes["strides"], padding)

    def clip(self, operands, attributes):
        low, high = (float(v) for v in operands[1:3])
        return tf.nn.relu6(operands[0]) if (low, high) == (0, 6) else tf.clip_by_value(operands[0], low, high)

    def relu(self, operands, attributes):
        return tf.nn.relu(operands[0])

    def sigmoid(self, operands, attributes):
        return tf.sigmoid(operands[0])

    def add(self, operands, attributes):
        return operands[0] + operands[1]

    def mul(self, operands, attributes):
        return operands[0] * operands[1]

    def concat(self, operands, attributes):
        return tf.concat(operands, axis={1: 3}[attributes["axis"]])

    def resize(self, operands, attributes):
        x, scales = operands[0], operands[2]
        assert attributes["mode"] == b"nearest" and list(scales) == [1, 1, 2, 2]
        return tf.image.resize(x, [2 * x.shape[1], 2 * x.shape[2]], "nearest")

    def globalaveragepool(self, operands, attributes):
        return tf.reduce_mean(operands[0], [1, 2], keepdims=True)

    def flatten(self, operands, attributes):
        x = operands[0]
        assert x.shape[1] == x.shape[2] == 1
        return tf.reshape(x, [1, x.shape[3]])

    def gemm(self, operands, attributes):
        assert attributes.get("transB") == 1
        return tf.matmul(operands[0], operands[1].T) + operands[2]


def pictures(height: int, width: int):
    rng = np.random.default_rng(8)
    for _ in range(CALIBRATION):
        coarse = rng.uniform(-1, 1, (1, height // 8, width // 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
        yield [np.clip(coarse + 0.1 * rng.standard_normal(coarse.shape), -1, 1).astype(np.float32)]


def check(path: str, height: int, width: int) -> None:
    (image,) = next(pictures(height, width))
    got = Network(path, same_padding=False)(tf.constant(image)).numpy()
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    (want,) = session.run(None, {session.get_inputs()[0].name: image.transpose(0, 3, 1, 2)})
    want = want.transpose(0, 2, 3, 1) if want.ndim == 4 else want
    error = np.abs(got - want).max() / np.abs(want).max()
    if error > TOLERANCE:
        raise SystemExit(f"{path}: TensorFlow's graph differs from ONNX Runtime by {error:.1e} of the range")


def main(path: str, to: str, height: int, width: int) -> None:
    check(path, height, width)
    network = Network(path, same_padding=True)
    function = tf.function(network, input_signature=[tf.TensorSpec([1, height, width, 3], tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: pictures(height, width)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with open(to, "wb") as file:
        file.write(converter.convert())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

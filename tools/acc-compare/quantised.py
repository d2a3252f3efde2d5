"""The step of values that a model rounds to a grid."""

from __future__ import annotations

import numpy as np
import onnx

# Operators that pass values on as they are.
MOVES = {"Identity", "Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Gather", "Expand", "Dropout",
         "MaxPool", "GlobalMaxPool", "ReduceMax", "ReduceMin", "DepthToSpace", "SpaceToDepth", "Tile", "Relu"}


def steps(model: onnx.ModelProto) -> dict[str, float]:
    """By name of a value: the distance of two neighbours, where the whole tensor has one. A quantised value has
    steps of 1, DequantizeLinear makes steps of its scale."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            constants[node.output[0]] = node.attribute[0].t
    found: dict[str, float] = {}
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul"):
            found[node.output[0]] = 1.0
        elif node.op_type == "DequantizeLinear":
            scale = constants.get(node.input[1])
            # Constants are no results of rounding; bias has steps that nobody would notice.
            if node.input[0] not in constants and scale is not None:
                values = number(scale)
                if values is not None and values.size == 1:
                    found[node.output[0]] = float(values.reshape(-1)[0])
        elif node.op_type in MOVES and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    return found


def number(tensor: onnx.TensorProto) -> np.ndarray | None:
    """None where the values are in a file of their own, which no scale is."""
    return None if tensor.data_location == onnx.TensorProto.EXTERNAL else onnx.numpy_helper.to_array(tensor)

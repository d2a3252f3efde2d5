"""Square int8 matrix products (`matmul-512` to `matmul-8192`): both operands are graph inputs, the result is int8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cache import recipe

SIZES = (512, 1024, 2048, 4096, 8192)


def product(size: int) -> onnx.ModelProto:
    """y = Q(DQ(a) . DQ(b)) with scales for which uniform operands use most of the result's range."""
    operand = np.float32(1 / 128)
    scales = {"a_scale": operand, "b_scale": operand, "y_scale": np.float32(np.sqrt(size) / 96)}
    zeros = {name: np.int8(0) for name in ("a_zero", "b_zero", "y_zero")}
    node = helper.make_node
    graph = helper.make_graph(
        [
            node("DequantizeLinear", ["a", "a_scale", "a_zero"], ["a_real"], "dequantise_a"),
            node("DequantizeLinear", ["b", "b_scale", "b_zero"], ["b_real"], "dequantise_b"),
            node("MatMul", ["a_real", "b_real"], ["y_real"], "product"),
            node("QuantizeLinear", ["y_real", "y_scale", "y_zero"], ["y"], "quantise_y"),
        ],
        f"matmul-{size}",
        [helper.make_tensor_value_info(name, TensorProto.INT8, [size, size]) for name in "ab"],
        [helper.make_tensor_value_info("y", TensorProto.INT8, [size, size])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (scales | zeros).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


for _size in SIZES:

    @recipe(f"matmul-{_size}", __file__)
    def _make(to: Path, size=_size):
        onnx.save(product(size), to)

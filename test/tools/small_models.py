"""Models of a few nodes, and the program acc, for the tests of its commands."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin"


def acc(*words: object, **more) -> subprocess.CompletedProcess[str]:
    """Runs `acc WORDS...`; its output as text."""
    command = [str(BIN / "acc"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, **more)


def good(*words: object, **more) -> str:
    """Standard output of a call that succeeds."""
    done = acc(*words, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(*words: object, status: int = 1, **more) -> str:
    """The one error of a call that fails."""
    done = acc(*words, **more)
    assert done.returncode == status, f"status {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.stdout == ""
    return done.stderr


def save(path: Path, nodes: list, inputs: dict, outputs: dict, weights: dict[str, np.ndarray], opset: int = 17) -> Path:
    """inputs, outputs: name -> shape (f32), or (shape, element type)."""

    def values(table: dict) -> list:
        return [helper.make_tensor_value_info(name, *((what[1], what[0]) if isinstance(what, tuple) else (TensorProto.FLOAT, what)))
                for name, what in table.items()]

    graph = helper.make_graph(nodes, "small", values(inputs), values(outputs),
                              [numpy_helper.from_array(value, name) for name, value in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def weights(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def residual(path: Path, batch: str | int = "batch", changed: bool = False) -> Path:
    """conv, relu, conv, sum with the first relu, pooling, matmul. `changed`: one weight of the second
    convolution is another."""
    second = weights(2, 8, 8, 3, 3) * 0.2
    if changed:
        second[3, 1, 1, 1] += 1.0
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w1", "b1"], ["c1"], name="conv1", pads=[1, 1, 1, 1]),
        node("Relu", ["c1"], ["r1"], name="relu1"),
        node("Conv", ["r1", "w2"], ["c2"], name="conv2", pads=[1, 1, 1, 1]),
        node("Add", ["c2", "r1"], ["s"], name="sum"),
        node("GlobalAveragePool", ["s"], ["p"], name="pool"),
        node("Flatten", ["p"], ["f"], name="flatten"),
        node("MatMul", ["f", "w3"], ["y"], name="classify"),
    ]
    values = {"w1": weights(1, 8, 4, 3, 3), "b1": weights(4, 8), "w2": second, "w3": weights(3, 8, 5)}
    return save(path, nodes, {"x": [batch, 4, 20, 12]}, {"y": [batch, 5]}, values)


def attention(path: Path) -> Path:
    """An embedding and one attention head over 12 tokens of 16 numbers."""
    node = helper.make_node
    nodes = [
        node("Gather", ["table", "ids"], ["e"], name="embed"),
        *(node("MatMul", ["e", f"w{part}"], [part], name=f"project_{part}") for part in "qkv"),
        node("Transpose", ["k"], ["kt"], name="turn", perm=[0, 2, 1]),
        node("MatMul", ["q", "kt"], ["scores"], name="scores"),
        node("Mul", ["scores", "quarter"], ["scaled"], name="scale"),
        node("Softmax", ["scaled"], ["p"], name="softmax", axis=-1),
        node("MatMul", ["p", "v"], ["mixed"], name="mix"),
        node("Add", ["mixed", "e"], ["y"], name="residual"),
    ]
    values = {"table": weights(5, 50, 16), **{f"w{part}": weights(i, 16, 16) * 0.3 for i, part in enumerate("qkv", 6)},
              "quarter": np.array(0.25, np.float32)}
    return save(path, nodes, {"ids": ([1, 12], TensorProto.INT64)}, {"y": [1, 12, 16]}, values)


def wide(path: Path) -> Path:
    """A 7x7 convolution that needs some SRAM however it is tiled."""
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="wide", pads=[3, 3, 3, 3])
    return save(path, [node], {"x": [1, 128, 12, 12]}, {"y": [1, 128, 12, 12]}, {"w": weights(1, 128, 128, 7, 7)})


def quantised(path: Path) -> Path:
    """A convolution in int8 between QuantizeLinear and DequantizeLinear, weights with a scale a channel."""
    node = helper.make_node
    nodes = [
        node("QuantizeLinear", ["x", "sx", "zx"], ["xq"], name="quantise_x"),
        node("DequantizeLinear", ["xq", "sx", "zx"], ["xd"], name="dequantise_x"),
        node("DequantizeLinear", ["w", "sw", "zw"], ["wd"], name="dequantise_w", axis=0),
        node("Conv", ["xd", "wd"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        node("QuantizeLinear", ["c", "sy", "zy"], ["yq"], name="quantise_y"),
        node("DequantizeLinear", ["yq", "sy", "zy"], ["y"], name="dequantise_y"),
    ]
    random = np.random.default_rng(9)
    values = {
        "sx": np.array(0.02, np.float32), "zx": np.array(3, np.int8), "sy": np.array(0.05, np.float32), "zy": np.array(-5, np.int8),
        "w": random.integers(-127, 128, (12, 8, 3, 3)).astype(np.int8),
        "sw": random.uniform(0.002, 0.004, 12).astype(np.float32), "zw": np.zeros(12, np.int8),
    }
    return save(path, nodes, {"x": [1, 8, 20, 12]}, {"y": [1, 12, 20, 12]}, values)

"""Inputs for a model: read from files, or made so that the model can work with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import acc
import numpy as np
import onnx

Feeds = dict[str, np.ndarray]
# Operators that hand the values of their first input on.
PASSES_ON = {"Cast", "Clip", "Expand", "Flatten", "Identity", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"}


def feeds(model: onnx.ModelProto, inputs: Sequence[acc.Tensor], given: dict[str, Path], seed: int) -> Feeds:
    """`inputs` says what the compiled model takes; names in `given` come from their files."""
    known = {tensor.name for tensor in inputs}
    for name in given:
        if name not in known:
            raise ValueError(f"--input {name}={given[name]}: the model has no input {name!r}, it has "
                             + ", ".join(map(repr, sorted(known))))
    rows = selected_rows(model)
    result = {}
    for index, tensor in enumerate(inputs):
        # A generator each, so that a given input does not change the others.
        random = np.random.default_rng([seed, index])
        result[tensor.name] = read(given[tensor.name]) if tensor.name in given else make(tensor, rows.get(tensor.name), random)
    return result


def read(file: Path) -> np.ndarray:
    try:
        if file.suffix == ".pb":
            return onnx.numpy_helper.to_array(onnx.load_tensor(str(file)))
        return np.load(file, allow_pickle=False)
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror or error}") from None
    except Exception:  # noqa: BLE001  (numpy and protobuf have many)
        raise ValueError(f"{file}: is neither a .npy file nor an ONNX TensorProto (.pb)") from None


def make(tensor: acc.Tensor, rows: int | None, random: np.random.Generator) -> np.ndarray:
    if tensor.dtype == np.bool_:
        return random.integers(0, 2, tensor.shape).astype(np.bool_)
    if tensor.dtype.kind not in "iu":
        return random.standard_normal(tensor.shape).astype(tensor.dtype)
    if rows is not None:
        return random.integers(0, rows, tensor.shape).astype(tensor.dtype)
    values = np.atleast_1d(random.integers(0, 2, tensor.shape)).astype(tensor.dtype)
    values[..., :1] = 1  # what is a mask lets at least one element through
    return values.reshape(tensor.shape)


def selected_rows(model: onnx.ModelProto) -> dict[str, int]:
    """Graph inputs that select rows of a weight (Gather), with the number of rows."""
    graph = model.graph
    origin = {value.name: value.name for value in graph.input}  # name of a value -> input that it is
    sizes = {weight.name: list(weight.dims) for weight in graph.initializer}
    rows: dict[str, int] = {}
    for node in graph.node:
        if node.op_type in PASSES_ON and node.input and node.input[0] in origin:
            origin[node.output[0]] = origin[node.input[0]]
        elif node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            sizes[node.output[0]] = list(node.attribute[0].t.dims)
        elif node.op_type == "Gather" and node.input[1] in origin and node.input[0] in sizes:
            axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
            name, count = origin[node.input[1]], sizes[node.input[0]][axis]
            rows[name] = min(count, rows.get(name, count))
    return rows

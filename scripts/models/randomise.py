"""Random weights, with a fixed seed, for models whose weights were left out.

The `light_*` models of the onnx package fill their weights with constants. A kernel that mixes up two
channels, transposes a filter or reads a neighbour's weight still computes the right answer on them, so
every such model also exists with random weights.

The values follow the consumer of each weight, so that activations neither die nor explode: filters and
matrices He-normal over their fan-in, BatchNorm statistics near (0, 1) but never equal to them. Last, the
classifier is scaled so that its logits have a deviation of about 2: a softmax that is one-hot or flat
would hide errors.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

LOGIT_DEVIATION = 2.0


def _shape_of_constant(node: onnx.NodeProto, constants: dict[str, np.ndarray]) -> tuple[int, ...] | None:
    shape = constants.get(node.input[0])
    return None if shape is None else tuple(int(d) for d in shape)


def _consumers(graph: onnx.GraphProto) -> dict[str, list[tuple[onnx.NodeProto, int]]]:
    users: dict[str, list[tuple[onnx.NodeProto, int]]] = {}
    for node in graph.node:
        for index, name in enumerate(node.input):
            users.setdefault(name, []).append((node, index))
    return users


def _role(name: str, users) -> tuple[str, int]:
    """Operator and operand index that finally consume a weight, seen through reshaping nodes."""
    node, index = users[name][0]
    while node.op_type in ("Unsqueeze", "Squeeze", "Reshape", "Identity") and index == 0:
        node, index = users[node.output[0]][0]
    return node.op_type, index


def _draw(rng: np.random.Generator, role: tuple[str, int], shape: tuple[int, ...], node) -> np.ndarray:
    op, operand = role
    if op == "Conv" and operand == 1:
        scale = np.sqrt(2.0 / np.prod(shape[1:]))
    elif op in ("Gemm", "MatMul") and operand == 1:
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        scale = np.sqrt(2.0 / (shape[1] if transposed else shape[0]))
    elif op == "BatchNormalization" and operand in (1, 4) or op == "Mul":
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    else:  # biases, means
        scale = 0.1
    return (rng.standard_normal(shape, np.float32) * np.float32(scale)).astype(np.float32)


def _scale_logits(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> None:
    """Scales the last Gemm's or Conv's weights so that what it computes is well spread."""
    graph = model.graph
    last = [n for n in graph.node if n.op_type in ("Gemm", "Conv", "MatMul")][-1]
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.append(helper.make_empty_tensor_value_info(last.output[0]))
    logits = ort.InferenceSession(probe.SerializeToString()).run(None, feeds)[0]
    producers = {out: n for n in graph.node for out in n.output}
    weights = list(last.input[1:])
    for name in weights:  # a weight may pass through a Reshape first
        if name in producers:
            weights.append(producers[name].input[0])
    for init in graph.initializer:
        if init.name in weights:
            value = numpy_helper.to_array(init) * np.float32(LOGIT_DEVIATION / logits.std())
            init.CopyFrom(numpy_helper.from_array(value, init.name))


def randomise(model: onnx.ModelProto, seed: int, feeds: dict[str, np.ndarray]) -> onnx.ModelProto:
    """A copy of `model` whose ConstantOfShape weights and float initialisers are random."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    graph = out.graph
    rng = np.random.default_rng(seed)
    users = _consumers(graph)
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}

    weights: dict[str, tuple[int, ...]] = {}
    kept = []
    for node in graph.node:
        shape = _shape_of_constant(node, constants) if node.op_type == "ConstantOfShape" else None
        if shape is None:
            kept.append(node)
        else:
            weights[node.output[0]] = shape
    for name, value in constants.items():
        if value.dtype == np.float32 and name in users:
            weights[name] = value.shape

    values = {
        name: _draw(rng, _role(name, users), shape, users[name][0][0])
        for name, shape in weights.items()
        if name in users
    }
    del graph.node[:]
    graph.node.extend(kept)
    used = {name for node in kept for name in node.input}
    fixed = [i for i in graph.initializer if i.name in used and i.name not in values]
    inputs = [i for i in graph.input if i.name not in constants]
    del graph.initializer[:]
    graph.initializer.extend(fixed)
    graph.initializer.extend(numpy_helper.from_array(v, n) for n, v in values.items())
    del graph.input[:]
    graph.input.extend(inputs)
    out.ir_version = max(out.ir_version, 4)  # from 4 on, initialisers need not be graph inputs
    _scale_logits(out, feeds)
    onnx.checker.check_model(out)
    return out

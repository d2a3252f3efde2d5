"""Layers of quantised networks, each against integers computed with numpy.

Every QuantizeLinear of a network becomes a graph output. A layer's inputs are then those that acc itself
computed, so that its output must be the same to the last bit: exact i32 sums, then
sat(rne(f32(acc) * m) + zp) with m = f32(f32(sx * sw) / sy)."""

from __future__ import annotations

from pathlib import Path

import acc
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from zoo import ZOO

NAMES = [name for name, model in ZOO.items() if model.quantised and "benchmark" not in model.tags]


class Graph:
    """A QDQ network: constants, producers and the only consumer of a value."""

    def __init__(self, proto: onnx.ModelProto):
        self.constants = {i.name: numpy_helper.to_array(i) for i in proto.graph.initializer}
        for node in proto.graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
        self.nodes = list(proto.graph.node)
        self.producer = {o: n for n in self.nodes for o in n.output}
        self.users: dict[str, list[onnx.NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                self.users.setdefault(name, []).append(node)
        self.graph_outputs = {o.name for o in proto.graph.output}

    def dequantised(self, name: str) -> tuple[str, np.ndarray, int] | None:
        """Quantised value, scale, zero point behind a DequantizeLinear."""
        node = self.producer.get(name)
        if node is None or node.op_type != "DequantizeLinear" or node.input[1] not in self.constants:
            return None
        zero = self.constants[node.input[2]] if len(node.input) > 2 else np.int64(0)
        return node.input[0], self.constants[node.input[1]], int(np.ravel(zero)[0])

    def only_user(self, name: str) -> onnx.NodeProto | None:
        users = self.users.get(name, [])
        return users[0] if len(users) == 1 and name not in self.graph_outputs else None


def attribute(node: onnx.NodeProto, name: str, default):
    return next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def product(node: onnx.NodeProto, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Exact sums of centred integers; f64 holds them."""
    if node.op_type == "Conv":
        import torch

        pads = attribute(node, "pads", [0, 0, 0, 0])
        x = torch.nn.functional.pad(torch.from_numpy(x), (pads[1], pads[3], pads[0], pads[2]))
        return torch.nn.functional.conv2d(x, torch.from_numpy(w), stride=attribute(node, "strides", [1, 1]),
                                          dilation=attribute(node, "dilations", [1, 1]),
                                          groups=attribute(node, "group", 1)).numpy()
    return x @ (w.T if attribute(node, "transB", 0) else w)


def expected(graph: Graph, node: onnx.NodeProto, values: dict[str, np.ndarray]) -> tuple[str, np.ndarray] | None:
    """Name and integers of the layer's quantised result, None if it is not of the integer form."""
    x, w = graph.dequantised(node.input[0]), graph.dequantised(node.input[1])
    after, relu = graph.only_user(node.output[0]), False
    if after is not None and after.op_type == "Relu":
        after, relu = graph.only_user(after.output[0]), True
    if not x or not w or after is None or after.op_type != "QuantizeLinear" or x[0] not in values:
        return None
    weight = graph.constants.get(w[0], values.get(w[0]))
    if weight is None:
        return None
    acc_i32 = product(node, values[x[0]].astype(np.float64) - x[2], weight.astype(np.float64) - w[2])
    channel = (1, -1, 1, 1) if node.op_type == "Conv" else (-1,)
    if len(node.input) > 2 and node.input[2]:
        acc_i32 = acc_i32 + graph.constants[graph.dequantised(node.input[2])[0]].reshape(channel)
    sy, zy = graph.constants[after.input[1]], graph.constants[after.input[2]]
    m = (x[1].astype(np.float32) * w[1].astype(np.float32)) / sy.astype(np.float32)
    scaled = acc_i32.astype(np.float32) * (m.reshape(channel) if m.size > 1 else m.reshape(()))
    if relu:
        scaled = np.maximum(scaled, np.float32(0))
    limits = np.iinfo(zy.dtype)
    return after.output[0], np.clip(np.rint(scaled) + np.float32(zy), limits.min, limits.max).astype(zy.dtype)


@pytest.mark.parametrize("target", ("edge", "tiny"))
@pytest.mark.parametrize("name", NAMES)
def test_every_layer_is_exact(name: str, target: str, tmp_path: Path):
    model = ZOO[name]
    proto = onnx.load(model.path())
    graph = Graph(proto)
    feeds = model.inputs()
    for value in proto.graph.input:  # all sizes are known, so are all shapes
        for dim, size in zip(value.type.tensor_type.shape.dim, feeds[value.name].shape):
            dim.dim_value = size
    del proto.graph.value_info[:]
    shapes = {v.name: v for v in onnx.shape_inference.infer_shapes(proto, data_prop=True).graph.value_info}
    for node in proto.graph.node:
        if node.op_type == "QuantizeLinear" and node.input[0] not in graph.constants:
            value = shapes.get(node.output[0])  # none: it is an output already
            if value is not None and value.type.tensor_type.HasField("shape"):  # ONNX's inference gave up elsewhere
                proto.graph.output.append(value)
    file = tmp_path / "all.onnx"
    onnx.save(proto, file)
    values = acc.compile(file, target).run(feeds)
    checked = wrong = 0
    for node in graph.nodes:
        if node.op_type not in ("Conv", "MatMul", "Gemm"):
            continue
        layer = expected(graph, node, values)
        if layer is None:
            continue
        checked += 1
        if not np.array_equal(values[layer[0]], layer[1]):
            wrong += 1
            where = np.argwhere(values[layer[0]] != layer[1])
            print(f"{node.name}: {len(where)} of {layer[1].size} elements differ, first at {where[0]}: "
                  f"{values[layer[0]][tuple(where[0])]} instead of {layer[1][tuple(where[0])]}")
    assert checked >= 4, f"only {checked} layers have the integer form"
    print(f"{checked} layers")
    assert wrong == 0, f"{wrong} of {checked} layers differ"

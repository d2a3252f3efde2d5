"""f16 and bf16 storage with f32 sums: as close to f32 as ONNX Runtime is with every tensor rounded to that
type, the same bits on every target, about half of the bytes."""

from __future__ import annotations

from pathlib import Path

import acc
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from zoo import ZOO

TYPES = {"f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
# Cast knows bf16 from opset 13 on.
CASES = [("mobilenetv2", "f16"), ("mobilenetv2", "bf16"), ("minilm-s16", "f16"), ("minilm-s16", "bf16"),
         ("ocr-rec-w160", "f16")]
LARGEST_F16 = 65504.0


def rounded(model: onnx.ModelProto, to: int) -> onnx.ModelProto:
    """Every f32 tensor is cast to the type and back where it is made."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    floats = {v.name for v in (*graph.value_info, *graph.input) if v.type.tensor_type.elem_type == TensorProto.FLOAT}
    floats |= {i.name for i in model.graph.initializer if i.data_type == TensorProto.FLOAT}
    floats -= {o.name for o in model.graph.output}
    for node in model.graph.node:  # masks of -3e38 stay what they are
        for value in (onnx.numpy_helper.to_array(a.t) for a in node.attribute if a.name == "value"):
            if value.dtype == np.float32 and np.abs(value).max(initial=0) > LARGEST_F16:
                floats -= set(node.output)
    for tensor in model.graph.initializer:
        if tensor.name in floats and np.abs(onnx.numpy_helper.to_array(tensor)).max(initial=0) > LARGEST_F16:
            floats.remove(tensor.name)
    nodes = []

    def cast(name: str) -> list[onnx.NodeProto]:
        return [helper.make_node("Cast", [name], [f"{name}/narrow"], to=to),
                helper.make_node("Cast", [f"{name}/narrow"], [f"{name}/rounded"], to=TensorProto.FLOAT)]

    for name in (*(i.name for i in model.graph.initializer), *(i.name for i in model.graph.input)):
        if name in floats:
            nodes += cast(name)
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            if name in floats:
                node.input[index] = f"{name}/rounded"
        nodes.append(node)
        for name in node.output:
            if name in floats:
                nodes += cast(name)
    del model.graph.value_info[:]
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    return made


def mean_error(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got.astype(np.float64) - want).mean() / (want.max() - want.min()))


@pytest.mark.parametrize("name, precision", [case for case in CASES if case[0] in ZOO])
def test_storage_precision(name: str, precision: str, tmp_path: Path):
    model = ZOO[name]
    feeds = model.inputs()
    full = acc.compile(model.path(), "edge", dims=model.dims)
    want = full.run(feeds)
    narrow = [acc.compile(model.path(), target, dims=model.dims, precision=precision) for target in ("edge", "tiny")]
    edge, tiny = (program.run(feeds, sanitize=True) for program in narrow)

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    onnx.save(rounded(onnx.load(model.path()), TYPES[precision]), tmp_path / "rounded.onnx")
    session = ort.InferenceSession(tmp_path / "rounded.onnx", options, providers=["CPUExecutionProvider"])
    peer = dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))
    for key, value in want.items():
        assert edge[key].dtype == value.dtype  # the model's signature stays
        assert np.array_equal(edge[key].view(np.uint8), tiny[key].view(np.uint8))
        assert 0 < mean_error(edge[key], value) <= 2 * mean_error(peer[key], value), key
    compulsory = [program.stats["dram"]["compulsory_bytes"] for program in (full, narrow[0])]
    assert compulsory[1] < 0.6 * compulsory[0]

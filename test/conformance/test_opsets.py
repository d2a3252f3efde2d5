"""Operators as each opset from 7 to 27 writes them: what the importer's upgrade makes of them computes the same.

    pytest test/conformance/test_opsets.py -k 12
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import acc
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_suite import differences
from test_import import runtime_outputs

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin"
OPSETS = range(7, 28)
RNG = np.random.default_rng(11)

PICTURE = RNG.standard_normal((1, 4, 6, 6), dtype=np.float32)
MATRIX = RNG.standard_normal((4, 6), dtype=np.float32)
CUBE = RNG.standard_normal((2, 3, 4), dtype=np.float32)
SEQUENCE = RNG.standard_normal((3, 2, 5), dtype=np.float32)  # steps, batch, features


class Case:
    """One model: nodes that read `x` (and constants) and write `y`."""

    def __init__(self, name: str, x: np.ndarray, nodes: list, outputs: int = 1, **constants):
        self.name, self.x, self.nodes, self.outputs, self.constants = name, x, nodes, outputs, constants

    def model(self, opset: int) -> onnx.ModelProto:
        kind = helper.np_dtype_to_tensor_dtype(self.x.dtype)
        outputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in ["y", "y1", "y2"][:self.outputs]]
        graph = helper.make_graph(self.nodes, self.name, [helper.make_tensor_value_info("x", kind, self.x.shape)], outputs,
                                  [numpy_helper.from_array(np.asarray(value), name) for name, value in self.constants.items()])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8 if opset < 22 else 10)
        return onnx.shape_inference.infer_shapes(with_output_types(made))


def with_output_types(model: onnx.ModelProto) -> onnx.ModelProto:
    """Outputs as inference finds them: a model must name their types."""
    outputs = list(model.graph.output)
    del model.graph.output[:]
    inferred = {value.name: value for value in onnx.shape_inference.infer_shapes(model).graph.value_info}
    kind = model.graph.input[0].type.tensor_type.elem_type  # of GroupNormalization, which it forgets
    missing = lambda name: helper.make_tensor_value_info(name, kind, None)  # noqa: E731
    model.graph.output.extend(inferred.get(output.name, missing(output.name)) for output in outputs)
    return model


def op(kind: str, inputs=("x",), outputs=("y",), **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def reductions(opset: int):
    for kind in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceL2", "ReduceLogSumExp", "ReduceProd", "ReduceSumSquare"):
        if opset >= 18 or (kind == "ReduceSum" and opset >= 13):
            yield Case(kind, CUBE, [op(kind, ["x", "axes"], keepdims=0)], axes=np.array([1]))
        else:
            yield Case(kind, CUBE, [op(kind, axes=[1], keepdims=0)])


def shapes(opset: int):
    if opset >= 13:
        yield Case("Unsqueeze", CUBE, [op("Unsqueeze", ["x", "axes"])], axes=np.array([0, 3]))
        yield Case("Squeeze", CUBE[None], [op("Squeeze", ["x", "axes"])], axes=np.array([0]))
        yield Case("Split", MATRIX, [op("Split", ["x", "parts"], ["y", "y1"], axis=1)], 2, parts=np.array([2, 4]))
    else:
        yield Case("Unsqueeze", CUBE, [op("Unsqueeze", axes=[0, 3])])
        yield Case("Squeeze", CUBE[None], [op("Squeeze", axes=[0])])
        yield Case("Split", MATRIX, [op("Split", ["x"], ["y", "y1"], axis=1, split=[2, 4])], 2)
    equal = {"num_outputs": 3} if opset >= 18 else {}
    yield Case("SplitEqual", MATRIX, [op("Split", ["x"], ["y", "y1", "y2"], axis=1, **equal)], 3)
    if opset >= 10:
        yield Case("Slice", CUBE, [op("Slice", ["x", "begin", "end", "axes", "steps"])], begin=np.array([2, 0]),
                   end=np.array([-9, 3]), axes=np.array([1, 2]), steps=np.array([-1, 2]))
    else:
        yield Case("Slice", CUBE, [op("Slice", axes=[1, 2], starts=[0, -3], ends=[2, 100])])
    if opset >= 11:
        yield Case("Pad", MATRIX, [op("Pad", ["x", "pads", "fill"], mode="constant")], pads=np.array([1, 0, 2, 3]), fill=np.float32(7))
        yield Case("PadReflect", MATRIX, [op("Pad", ["x", "pads"], mode="reflect")], pads=np.array([1, 2, 0, 1]))
    else:
        yield Case("Pad", MATRIX, [op("Pad", pads=[1, 0, 2, 3], mode="constant", value=7.0)])
        yield Case("PadReflect", MATRIX, [op("Pad", pads=[1, 2, 0, 1], mode="reflect")])
    yield Case("Reshape", CUBE, [op("Reshape", ["x", "s"])], s=np.array([0, -1]))
    yield Case("Flatten", CUBE, [op("Flatten", axis=2)])
    yield Case("Transpose", CUBE, [op("Transpose", perm=[2, 0, 1])])
    yield Case("Gather", CUBE, [op("Gather", ["x", "i"], axis=1)], i=np.array([2, 0]))
    yield Case("Tile", MATRIX, [op("Tile", ["x", "r"])], r=np.array([2, 1]))
    yield Case("DepthToSpace", PICTURE, [op("DepthToSpace", blocksize=2)])
    yield Case("Shape", CUBE, [op("Shape")])
    if opset >= 8:
        yield Case("Expand", CUBE[:, :1], [op("Expand", ["x", "s"])], s=np.array([2, 3, 4]))
    if opset >= 11:
        yield Case("ScatterElements", MATRIX, [op("ScatterElements", ["x", "i", "u"], axis=1)], i=np.array([[1, 0]]), u=np.float32([[5, 6]]))
    elif opset >= 9:
        yield Case("Scatter", MATRIX, [op("Scatter", ["x", "i", "u"], axis=1)], i=np.array([[1, 0]]), u=np.float32([[5, 6]]))


def elementwise(opset: int):
    for kind in ("Softmax", "LogSoftmax", "Hardmax"):  # until 12 over all axes behind this one
        yield Case(kind, CUBE, [op(kind, axis=1)])
        yield Case(kind + "Default", CUBE, [op(kind)])
    if opset >= 11:
        yield Case("Clip", MATRIX, [op("Clip", ["x", "low", "high"])], low=np.float32(-0.5), high=np.float32(0.5))
        yield Case("ClipHigh", MATRIX, [op("Clip", ["x", "", "high"])], high=np.float32(0.5))
    else:
        yield Case("Clip", MATRIX, [op("Clip", min=-0.5, max=0.5)])
        yield Case("ClipHigh", MATRIX, [op("Clip", max=0.5)])
    if opset >= 12:
        yield Case("Dropout", MATRIX, [op("Dropout", ["x", "ratio"])], ratio=np.float32(0.3))
    else:
        yield Case("Dropout", MATRIX, [op("Dropout", ratio=0.3)])
    for kind in ("Relu", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Softplus", "HardSigmoid", "Neg", "Exp", "Tanh", "Identity"):
        yield Case(kind, MATRIX, [op(kind)])
    yield Case("Cast", MATRIX, [op("Cast", to=TensorProto.INT32)])
    yield Case("PRelu", MATRIX, [op("PRelu", ["x", "slope"])], slope=np.float32([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
    for kind in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "Pow"):
        if opset >= 8 or kind not in ("Max", "Min", "Sum", "Mean"):
            yield Case(kind, np.abs(MATRIX), [op(kind, ["x", "b"])], b=np.float32([1, 2, 3, 1, 2, 3]))
    yield Case("Greater", MATRIX, [op("Greater", ["x", "b"])], b=np.float32(0))
    yield Case("Equal", np.arange(6), [op("Equal", ["x", "b"])], b=np.array(3))
    if opset >= 9:
        yield Case("Where", MATRIX, [op("Greater", ["x", "b"], ["c"]), op("Where", ["c", "x", "b"])], b=np.float32(0))
    if opset >= 10:
        yield Case("Mod", np.arange(6), [op("Mod", ["x", "b"])], b=np.array(-4))
    if opset >= 11:
        yield Case("CumSum", MATRIX, [op("CumSum", ["x", "a"], exclusive=1)], a=np.array(1))


def networks(opset: int):
    kernel = RNG.standard_normal((2, 4, 3, 3), dtype=np.float32)
    yield Case("Conv", PICTURE, [op("Conv", ["x", "w"], pads=[1, 0, 1, 0], strides=[2, 1])], w=kernel)
    yield Case("ConvTranspose", PICTURE, [op("ConvTranspose", ["x", "w"], strides=[2, 2])], w=kernel.transpose(1, 0, 2, 3).copy())
    yield Case("Gemm", MATRIX, [op("Gemm", ["x", "w", "b"], alpha=0.5, transB=1)], w=MATRIX[:3], b=np.float32([1, 2, 3]))
    yield Case("MatMul", MATRIX, [op("MatMul", ["x", "w"])], w=MATRIX.T.copy())
    for kind, more in (("MaxPool", {}), ("AveragePool", {"count_include_pad": 1}), ("LpPool", {"p": 2})):
        yield Case(kind, PICTURE, [op(kind, kernel_shape=[3, 2], pads=[1, 0, 1, 0], strides=[2, 2], **more)])
        if opset >= 10 and kind != "LpPool":
            yield Case(kind + "Ceil", PICTURE, [op(kind, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)])
    yield Case("GlobalAveragePool", PICTURE, [op("GlobalAveragePool")])
    four = {name: np.float32([1, 2, 3, 4]) / 3 for name in ("scale", "bias", "mean", "var")}
    yield Case("BatchNormalization", PICTURE, [op("BatchNormalization", ["x", "scale", "bias", "mean", "var"], epsilon=1e-3)], **four)
    yield Case("InstanceNormalization", PICTURE, [op("InstanceNormalization", ["x", "scale", "bias"])], scale=four["scale"], bias=four["bias"])
    yield Case("LRN", PICTURE, [op("LRN", size=3)])
    if opset >= 9:
        yield Case("MeanVarianceNormalization", PICTURE, [op("MeanVarianceNormalization")])
    if opset >= 17:
        yield Case("LayerNormalization", CUBE, [op("LayerNormalization", ["x", "s", "b"])], s=np.float32([1, 2, 3, 4]), b=np.float32([0, 1, 0, 1]))
    if opset >= 21:  # 18 to 20: test_group_normalization_of_old
        yield Case("GroupNormalization", PICTURE, [op("GroupNormalization", ["x", "s", "b"], num_groups=2)],
                   s=np.float32([1, 2, 3, 4]), b=np.float32([0, 1, 2, 3]))
    for kind, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
        w, r = (np.sin(np.arange(gates * 4 * n, dtype=np.float32)).reshape(1, gates * 4, n) for n in (5, 4))
        yield Case(kind, SEQUENCE, [op(kind, ["x", "w", "r"], ["y", "y1"], hidden_size=4)], 2, w=w, r=r)


def images(opset: int):
    if opset < 9:
        yield Case("Upsample", PICTURE, [op("Upsample", scales=[1.0, 1.0, 2.0, 3.0], mode="nearest")])
        yield Case("UpsampleFraction", PICTURE, [op("Upsample", scales=[1.0, 1.0, 1.7, 2.3], mode="nearest")])
    elif opset < 10:
        yield Case("Upsample", PICTURE, [op("Upsample", ["x", "s"], mode="nearest")], s=np.float32([1, 1, 2, 3]))
        yield Case("UpsampleLinear", PICTURE, [op("Upsample", ["x", "s"], mode="linear")], s=np.float32([1, 1, 2, 2]))
    elif opset < 11:
        yield Case("Resize", PICTURE, [op("Resize", ["x", "s"], mode="nearest")], s=np.float32([1, 1, 2, 3]))
        yield Case("ResizeFraction", PICTURE, [op("Resize", ["x", "s"], mode="nearest")], s=np.float32([1, 1, 1.7, 2.3]))
        yield Case("ResizeDown", PICTURE, [op("Resize", ["x", "s"], mode="nearest")], s=np.float32([1, 1, 0.6, 0.7]))
        yield Case("ResizeLinear", PICTURE, [op("Resize", ["x", "s"], mode="linear")], s=np.float32([1, 1, 2, 2]))
    else:
        roi = "" if opset >= 13 else "roi"
        more = {} if opset >= 13 else {"roi": np.zeros(0, np.float32)}
        for mode in ("nearest", "linear", "cubic"):
            yield Case("Resize_" + mode, PICTURE, [op("Resize", ["x", roi, "s"], mode=mode)], s=np.float32([1, 1, 2, 3]), **more)
    if opset >= 16:
        grid = np.linspace(-1, 1, 18, dtype=np.float32).reshape(1, 3, 3, 2)
        modes = ("linear", "nearest", "cubic") if opset >= 20 else ("bilinear", "nearest", "bicubic")
        for mode in modes:
            yield Case("GridSample_" + mode, PICTURE, [op("GridSample", ["x", "grid"], mode=mode)], grid=grid)
    if 10 <= opset < 22:  # half-pixel coordinates since 16; ONNX Runtime lacks the one of 22
        yield Case("RoiAlign", PICTURE, [op("RoiAlign", ["x", "boxes", "batch"], output_height=2, output_width=2, sampling_ratio=2)],
                   boxes=np.float32([[0, 0, 4, 4], [1, 1, 5, 3]]), batch=np.array([0, 0]))


def selections(opset: int):
    if opset >= 10:
        yield Case("TopK", MATRIX, [op("TopK", ["x", "k"], ["y", "y1"], axis=1)], 2, k=np.array([3]))
    else:
        yield Case("TopK", MATRIX, [op("TopK", ["x"], ["y", "y1"], axis=1, k=3)], 2)
    yield Case("ArgMax", MATRIX, [op("ArgMax", axis=1, keepdims=0)])
    if opset >= 9:
        yield Case("OneHot", np.array([1, 0, 2]), [op("OneHot", ["x", "depth", "values"])], depth=np.array(4), values=np.float32([0, 1]))
        yield Case("NonZero", MATRIX, [op("NonZero")])
    if opset >= 10:
        scale, zero = np.float32(0.02), np.uint8(128)
        yield Case("Quantize", MATRIX, [op("QuantizeLinear", ["x", "s", "z"], ["q"]), op("DequantizeLinear", ["q", "s", "z"])], s=scale, z=zero)
        if opset >= 13:
            yield Case("QuantizePerAxis", MATRIX, [op("QuantizeLinear", ["x", "s", "z"], ["q"], axis=0),
                                                   op("DequantizeLinear", ["q", "s", "z"], axis=0)],
                       s=np.float32([0.02, 0.03, 0.04, 0.05]), z=np.uint8([1, 2, 3, 128]))


def control(opset: int):
    def graph(name, nodes, inputs, outputs):
        info = lambda n, kind, shape: helper.make_tensor_value_info(n, kind, shape)  # noqa: E731
        return helper.make_graph(nodes, name, [info(*i) for i in inputs], [info(*o) for o in outputs])

    # An old operator inside of each kind of subgraph.
    axes = dict(inputs=["x", "axes"]) if opset >= 13 else dict(inputs=["x"], axes=[0])
    constant = {"axes": np.array([0])} if opset >= 13 else {}
    squeezed = graph("then", [op("Unsqueeze", outputs=["t"], **axes)], [], [("t", TensorProto.FLOAT, (1, 4, 6))])
    other = graph("else", [op("Neg", ["x"], ["n"]), op("Unsqueeze", outputs=["e"], **{**axes, "inputs": ["n", *axes["inputs"][1:]]})], [],
                  [("e", TensorProto.FLOAT, (1, 4, 6))])
    yield Case("If", MATRIX, [op("If", ["c"], then_branch=squeezed, else_branch=other)], c=np.array(True), **constant)
    body = graph("body", [op("Identity", ["go"], ["on"]), op("Softmax", ["v"], ["s"], axis=1), op("Identity", ["s"], ["o"])],
                 [("i", TensorProto.INT64, ()), ("go", TensorProto.BOOL, ()), ("v", TensorProto.FLOAT, (2, 3, 4))],
                 [("on", TensorProto.BOOL, ()), ("s", TensorProto.FLOAT, (2, 3, 4)), ("o", TensorProto.FLOAT, (2, 3, 4))])
    yield Case("Loop", CUBE, [op("Loop", ["n", "c", "x"], ["y", "y1"], body=body)], 2, n=np.array(3), c=np.array(True))
    if opset >= 8:
        step = graph("step", [op("Add", ["s", "e"], ["t"]), op("Identity", ["t"], ["o"])],
                     [("s", TensorProto.FLOAT, (4,)), ("e", TensorProto.FLOAT, (4,))],
                     [("t", TensorProto.FLOAT, (4,)), ("o", TensorProto.FLOAT, (4,))])
        inputs = ["", "start", "x"] if opset == 8 else ["start", "x"]  # 8 has a batch axis
        start = np.zeros((2, 4) if opset == 8 else 4, np.float32)
        x = CUBE if opset == 8 else CUBE[0]
        yield Case("Scan", x, [op("Scan", inputs, ["y", "y1"], body=step, num_scan_inputs=1)], 2, start=start)


@pytest.mark.parametrize("opset", (18, 19, 20))
def test_group_normalization_of_old(opset: int, tmp_path: Path):
    """ONNX withdrew the form with one scale for each group and its checker refuses it; models have it nevertheless."""
    node = op("GroupNormalization", ["x", "s", "b"], num_groups=2, epsilon=1e-3)
    case = Case("GroupNormalization", PICTURE, [node], s=np.float32([2, 3]), b=np.float32([0.5, -1]))
    onnx.save(case.model(opset), tmp_path / "model.onnx")
    groups = PICTURE.reshape(1, 2, -1).astype(np.float64)
    normal = (groups - groups.mean(2, keepdims=True)) / np.sqrt(groups.var(2, keepdims=True) + 1e-3)
    want = (normal * np.reshape([2, 3], (1, 2, 1)) + np.reshape([0.5, -1], (1, 2, 1))).reshape(PICTURE.shape)
    got = acc.compile(tmp_path / "model.onnx", "tiny").run({"x": PICTURE}, sanitize=True)["y"]
    assert np.abs(got - want).max() < 1e-5
    # What is wrong with the node itself is still the checker's to say.
    onnx.save(Case("bad", PICTURE, [op("GroupNormalization", ["x", "s", "b"])], s=np.float32([2, 3]), b=np.float32([0, 1])).model(opset),
              tmp_path / "bad.onnx")
    with pytest.raises(acc.CompileError, match="GroupNormalization"):
        acc.compile(tmp_path / "bad.onnx")


FAMILIES = (reductions, shapes, elementwise, networks, images, selections, control)


@pytest.mark.parametrize("opset", OPSETS)
def test_opset(opset: int, tmp_path: Path):
    cases = [case for family in FAMILIES for case in family(opset)]
    paths = []
    for case in cases:
        paths.append(tmp_path / f"{case.name}.onnx")
        onnx.save(case.model(opset), paths[-1])
    exported = tmp_path / "exported"
    exported.mkdir()
    done = subprocess.run([BIN / "acc-translate", "-o", exported, "--round-trip", *paths], text=True, capture_output=True, timeout=120)
    answers = [json.loads(line)["errors"] for line in done.stdout.splitlines()]
    assert len(answers) == len(cases), done.stderr[-2000:]
    wrong, compared = [], 0
    for position, (case, path, errors) in enumerate(zip(cases, paths, answers)):
        if errors:
            wrong.append(f"{case.name}: {errors}")
            continue
        if any(node.domain for node in onnx.load(exported / f"{position}.onnx").graph.node):
            wrong.append(f"{case.name}: is left as it was")
        before, refused_before = runtime_outputs(path, {"x": case.x})
        after, refused_after = runtime_outputs(exported / f"{position}.onnx", {"x": case.x})
        if before is None:
            wrong.append(f"{case.name}: the test's own model: {refused_before}")
        elif after is None and case.name == "RoiAlign":
            # ONNX Runtime lacks the newest one, which differs in types only: the old one on the same attributes.
            again = onnx.load(exported / f"{position}.onnx")
            again.opset_import[0].version, again.ir_version = 16, 8
            onnx.save(again, path)
            after, refused_after = runtime_outputs(path, {"x": case.x})
            if after is None or differences(after, before):
                wrong.append(f"{case.name}: {refused_after or 'differs'}")
        elif after is None:
            wrong.append(f"{case.name}: {refused_after}")
        elif unlike := differences(after, before):
            wrong.append(f"{case.name}: {unlike}")
        compared += 1
    assert not wrong, "\n".join(wrong)
    assert compared > 40

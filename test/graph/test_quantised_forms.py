"""Quantised operators in every form: the values of ONNX Runtime, and integers where float tensors would be four times
as many bytes."""

from __future__ import annotations

import os
import re
import subprocess
import zlib
from pathlib import Path

import acc
import numpy as np
import onnx
import onnx.parser
import onnxruntime as ort
import pytest
from onnx import numpy_helper

ACC = Path(os.environ.get("ACC_BUILD", "build")) / "bin" / "acc"
RNG = np.random.default_rng(4)


def integers(*shape: int, kind=np.int8) -> np.ndarray:
    info = np.iinfo(kind)
    return RNG.integers(info.min, info.max + 1, shape, kind)


# Scales are powers of two where two roundings in other places could differ otherwise; zero points are not 0.
CONSTANTS = {
    "s": np.float32(0.0625), "z": np.int8(-5), "s2": np.float32(0.03125), "z2": np.int8(9),
    "sy": np.float32(0.5), "zy": np.int8(3), "su": np.float32(0.0625), "zu": np.uint8(131),
    "w": integers(6, 4, 3, 3), "sw": RNG.choice([0.25, 0.125, 0.0625], 6).astype(np.float32), "zw": np.zeros(6, np.int8),
    "wt": integers(4, 6, 2, 2), "wm": integers(4, 6), "bias": RNG.integers(-999, 999, 6, np.int32), "sw1": np.float32(0.125),
    "zw1": np.int8(0), "c1": np.int8([40]), "f1": np.int8([13]), "c3": np.int8([-6]), "six": np.float32(8), "swide3": np.float32(64), "swide2": np.float32(512),
    "zw7": np.int8(7), "swide": np.float32(4), "scales": np.float32([1, 1, 2, 2]), "scales3": np.float32([1, 1, 3, 2]),
    "shape": np.int64([2, 4, 64]), "one": np.int64([1]), "nine": np.int64([9]), "three": np.int64([3]),
}
X = "int8[2,4,8,8] x"
DQ = "dx = DequantizeLinear(x, s, z) "

# body, inputs, output, whether a tensor of floats may be left between operations
FORMS = {
    "QLinearConv": ("y = QLinearConv<pads=[1,1,1,1]>(x, s, z, w, sw, zw, sy, zy, bias)", X, "int8[2,6,8,8] y"),
    "QLinearConv without bias, one scale, strided": (
        "y = QLinearConv<strides=[2,2]>(x, s, z, w, sw1, zw1, sy, zy)", X, "int8[2,6,3,3] y"),
    "QLinearConv, unsigned": ("y = QLinearConv<pads=[1,1,1,1]>(x, su, zu, w, sw, zw, sy, zu, bias)",
                              "uint8[2,4,8,8] x", "uint8[2,6,8,8] y"),
    "QLinearMatMul": ("y = QLinearMatMul(x, s, z, wm, sw1, zw7, sy, zy)", "int8[20,4] x", "int8[20,6] y"),
    "QLinearMatMul, both computed": ("y = QLinearMatMul(x, s, z, x2, s2, z2, sy, zy)", "int8[3,5,4] x, int8[3,4,6] x2",
                                     "int8[3,5,6] y"),
    "ConvTranspose, a scale for each channel": (
        DQ + "dw = DequantizeLinear<axis=1>(wt, sw, zw) c = ConvTranspose<strides=[2,2]>(dx, dw) y = QuantizeLinear(c, swide, zy)",
        X, "int8[2,6,16,16] y"),
    "ConvTranspose, overlapping windows and padding": (
        DQ + "dw = DequantizeLinear(w2, sw1, zw1) c = ConvTranspose<strides=[2,2], pads=[1,1,1,1], output_padding=[1,1]>(dx, dw) "
        "y = QuantizeLinear(c, swide, zy)", X, "int8[2,5,16,16] y"),
    "Concat of the result's scale": (
        DQ + "dx2 = DequantizeLinear(x2, s, z) c = Concat<axis=1>(dx, dx2) y = QuantizeLinear(c, s, z)",
        "int8[2,4,8,8] x, int8[2,3,8,8] x2", "int8[2,7,8,8] y"),
    "Concat of other scales": (
        DQ + "dx2 = DequantizeLinear(x2, s2, z2) c = Concat<axis=1>(dx, dx2) y = QuantizeLinear(c, s, zy)",
        "int8[2,4,8,8] x, int8[2,3,8,8] x2", "int8[2,7,8,8] y"),
    "Concat without quantisation behind it": (
        DQ + "dx2 = DequantizeLinear(x2, s, z) c = Concat<axis=1>(dx, dx2) y = Relu(c)",
        "int8[2,4,8,8] x, int8[2,3,8,8] x2", "float[2,7,8,8] y"),
    "Concat, then Relu": (
        DQ + "dx2 = DequantizeLinear(x2, s2, z2) c = Concat<axis=1>(dx, dx2) r = Relu(c) y = QuantizeLinear(r, s, z)",
        "int8[2,4,8,8] x, int8[2,3,8,8] x2", "int8[2,7,8,8] y"),
    "Resize to the nearest": (
        DQ + 'r = Resize<mode="nearest">(dx, , scales) y = QuantizeLinear(r, s, z)', X, "int8[2,4,16,16] y"),
    "Resize, other scale": (
        DQ + 'r = Resize<mode="nearest">(dx, , scales) y = QuantizeLinear(r, s2, z2)', X, "int8[2,4,16,16] y"),
    "Resize by interpolation": (
        DQ + 'r = Resize<mode="linear">(dx, , scales) y = QuantizeLinear(r, s, z)', X, "int8[2,4,16,16] y"),
    "Resize by interpolation, one channel": (
        DQ + 'r = Resize<mode="linear">(dx, , scales) y = QuantizeLinear(r, s, z)', "int8[2,1,8,8] x", "int8[2,1,16,16] y"),
    "Resize by interpolation, corners as they are": (
        DQ + 'r = Resize<mode="linear", coordinate_transformation_mode="align_corners">(dx, , scales) y = QuantizeLinear(r, s, z)',
        X, "int8[2,4,16,16] y"),
    "Resize by interpolation, asymmetric, by 3 and 2": (
        DQ + 'r = Resize<mode="linear", coordinate_transformation_mode="asymmetric">(dx, , scales3) y = QuantizeLinear(r, s, z)',
        X, "int8[2,4,24,16] y"),
    "MaxPool, other scale": (
        DQ + "m = MaxPool<kernel_shape=[3,3], pads=[1,1,1,1], strides=[2,2]>(dx) y = QuantizeLinear(m, s, zy)", X,
        "int8[2,4,4,4] y"),
    "AveragePool": (
        DQ + "m = AveragePool<kernel_shape=[2,2], strides=[2,2]>(dx) y = QuantizeLinear(m, s, z)", X, "int8[2,4,4,4] y"),
    "AveragePool, borders not counted": (
        DQ + "m = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1]>(dx) y = QuantizeLinear(m, s, z)", X, "int8[2,4,8,8] y"),
    "Softmax": (DQ + "m = Softmax<axis=-1>(dx) y = QuantizeLinear(m, s2, z)", X, "int8[2,4,8,8] y"),
    "Sigmoid": (DQ + "m = Sigmoid(dx) y = QuantizeLinear(m, s2, z)", X, "int8[2,4,8,8] y"),
    "HardSigmoid": (DQ + "m = HardSigmoid<alpha=0.25>(dx) y = QuantizeLinear(m, s2, z)", X, "int8[2,4,8,8] y"),
    "HardSwish": (DQ + "m = HardSwish(dx) y = QuantizeLinear(m, s, z)", X, "int8[2,4,8,8] y"),
    "Reshape, then Slice": (
        DQ + "r = Reshape(dx, shape) c = Slice(r, three, nine, one) y = QuantizeLinear(c, s, z)", X, "int8[2,1,64] y"),
    "Transpose, read twice": (DQ + "t = Transpose<perm=[0,2,3,1]>(dx) a = Relu(t) b = Add(a, t) y = QuantizeLinear(b, sy, zy)",
                              X, "int8[2,8,8,4] y"),
    "Sums and products with quantised constants": (
        DQ + "dc = DequantizeLinear(c1, s2, z2) df = DequantizeLinear(f1, sw1, zw1) "
        "a = Mul(dx, df) qa = QuantizeLinear(a, s, z) da = DequantizeLinear(qa, s, z) "
        "b = Add(da, dc) y = QuantizeLinear(b, s, zy)", X, "int8[2,4,8,8] y"),
    "HardSwish in steps behind a product": (
        DQ + "dw = DequantizeLinear<axis=0>(w, sw, zw) c = Conv<pads=[1,1,1,1]>(dx, dw) qc = QuantizeLinear(c, swide, zy) "
        "dq = DequantizeLinear(qc, swide, zy) dt = DequantizeLinear(c3, swide, zw1) a = Add(dq, dt) qa = QuantizeLinear(a, swide, z) "
        "da = DequantizeLinear(qa, swide, z) m = Mul(da, dq) qm = QuantizeLinear(m, swide2, z2) "
        "dm = DequantizeLinear(qm, swide2, z2) d = Div(dm, six) y = QuantizeLinear(d, swide3, zy)", X, "int8[2,6,8,8] y"),
    "MatMul of two that are computed": (
        DQ + "dx2 = DequantizeLinear(x2, s2, z2) m = MatMul(dx, dx2) y = QuantizeLinear(m, swide, zy)",
        "int8[3,5,4] x, int8[3,4,6] x2", "int8[3,5,6] y"),
}
# Operators between float tensors, of which a rounding may fall the other way.
ONE_STEP = {"Softmax", "Sigmoid", "HardSwish", "HardSigmoid", "AveragePool, borders not counted"} | {
    form for form in FORMS if form.startswith("Resize by interpolation")}


def model(form: str) -> onnx.ModelProto:
    global RNG
    RNG = np.random.default_rng(zlib.crc32(form.encode()))  # the same data whichever tests ran before
    body, inputs, output = FORMS[form]
    proto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> net ({inputs}) => ({output}) {{ {body} }}')
    constants = CONSTANTS | {"w2": integers(4, 5, 3, 3)}
    used = {name for node in proto.graph.node for name in node.input}
    for name in sorted(used & set(constants)):
        proto.graph.initializer.append(numpy_helper.from_array(np.asarray(constants[name]), name))
    onnx.checker.check_model(proto, full_check=True)
    return proto


def feeds(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    made = {}
    for value in proto.graph.input:
        kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        made[value.name] = integers(*(d.dim_value for d in value.type.tensor_type.shape.dim), kind=kind)
    return made


@pytest.mark.parametrize("target", ["edge", "tiny"])
@pytest.mark.parametrize("form", FORMS)
def test_values(form: str, target: str, tmp_path: Path) -> None:
    proto = model(form)
    path = tmp_path / "net.onnx"
    onnx.save(proto, path)
    inputs = feeds(proto)
    got = acc.compile(path, target=target).run(inputs)["y"]
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    (want,) = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run(None, inputs)
    assert got.dtype == want.dtype and got.shape == want.shape
    apart = np.abs(got.astype(np.float64) - want.astype(np.float64))
    assert apart.max() <= (1 if form in ONE_STEP else 0)
    assert len(np.unique(got)) > 20


# Forms of which every tensor between two operations is of integers.
FLOATS = ("Concat, then Relu", "Resize by interpolation, corners as they are", "Softmax")
INTEGERS = [form for form in FORMS if form not in FLOATS]


@pytest.mark.parametrize("form", ["Softmax"])
def test_what_a_group_shares_is_narrow(form: str, tmp_path: Path) -> None:
    """A kernel that computes in floats stands behind a map that widens, and what is in front of that is of integers."""
    path = tmp_path / "net.onnx"
    onnx.save(model(form), path)
    text = subprocess.run([ACC, "compile", path, "-o", "-", "--emit", "memory"], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert not re.findall(r'kind = "workspace".*memref<[0-9x]+xf32', text)


@pytest.mark.parametrize("form", INTEGERS)
def test_no_float_tensor_is_left(form: str, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(model(form), path)
    text = subprocess.run([ACC, "compile", path, "-o", "-", "--emit", "graph"], check=True, stdout=subprocess.PIPE, text=True).stdout
    results = re.findall(r"= accel\.(?!constant)(\w+) .*-> tensor<([0-9x]+)xf32>", text)
    output_is_float = FORMS[form][2].startswith("float")
    assert len(results) <= output_is_float, results

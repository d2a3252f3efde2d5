"""Activations and row operations as exporters take them apart: one operation is left of each, with the values
of ONNX Runtime."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import acc
import numpy as np
import onnx
import onnx.parser
import onnxruntime as ort
import pytest

ACC = Path(os.environ.get("ACC_BUILD", "build")) / "bin" / "acc"
ROW = "axes = Constant<value_ints=[-1]>() two = Constant<value=float {2.0}>() eps = Constant<value=float {0.00001}>() "
CLIP = "c0 = Constant<value=float {0.0}>() c3 = Constant<value=float {3.0}>() c6 = Constant<value=float {6.0}>() "

# name: operation that is left, body
FORMS = {
    "HardSwish of HardSigmoid": ("map", "h = HardSigmoid<alpha=0.1666667, beta=0.5>(x) y = Mul(x, h)"),
    "HardSwish of Clip": ("map", CLIP + "a = Add(x, c3) b = Clip(a, c0, c6) c = Mul(x, b) y = Div(c, c6)"),
    "HardSigmoid of Clip": ("map", CLIP + "a = Add(x, c3) b = Clip(a, c0, c6) y = Div(b, c6)"),
    "SiLU": ("map", "h = Sigmoid(x) y = Mul(x, h)"),
    "GELU of Erf": ("map", "s = Constant<value=float {1.41421354}>() o = Constant<value=float {1.0}>() "
                           "f = Constant<value=float {0.5}>() a = Div(x, s) b = Erf(a) c = Add(b, o) d = Mul(x, c) y = Mul(d, f)"),
    "GELU of Tanh": ("map", "p = Constant<value=float {3.0}>() k = Constant<value=float {0.044715}>() "
                            "q = Constant<value=float {0.797884583}>() o = Constant<value=float {1.0}>() "
                            "f = Constant<value=float {0.5}>() a = Pow(x, p) b = Mul(a, k) c = Add(x, b) d = Mul(c, q) "
                            "e = Tanh(d) g = Add(e, o) h = Mul(x, g) y = Mul(h, f)"),
    "softmax": ("softmax", ROW + "m = ReduceMax(x, axes) d = Sub(x, m) e = Exp(d) s = ReduceSum(e, axes) y = Div(e, s)"),
    "log-softmax": ("softmax", ROW + "m = ReduceMax(x, axes) d = Sub(x, m) e = Exp(d) s = ReduceSum(e, axes) l = Log(s) y = Sub(d, l)"),
    "layer normalisation": ("normalize", ROW + "m = ReduceMean(x, axes) d = Sub(x, m) q = Pow(d, two) v = ReduceMean(q, axes) "
                                               "w = Add(v, eps) r = Sqrt(w) y = Div(d, r)"),
    "RMS normalisation": ("normalize", ROW + "q = Mul(x, x) v = ReduceMean(q, axes) w = Add(v, eps) r = Sqrt(w) i = Reciprocal(r) y = Mul(x, i)"),
}


@pytest.mark.parametrize("name", FORMS)
def test_one_operation_is_left(name: str, tmp_path: Path):
    left, body = FORMS[name]
    text = '<ir_version: 9, opset_import: ["": 20]> g (float[5,33] x) => (float[5,33] y) {' + body + "}"
    file = tmp_path / "model.onnx"
    onnx.save(onnx.parser.parse_model(text), file)
    said = subprocess.run([ACC, "compile", file, "-o", "-", "--emit", "graph"], capture_output=True, text=True, check=True)
    tensors = re.findall(r"%\w+ = accel\.(\w+) .*-> tensor", said.stdout)
    assert tensors == [left], said.stdout
    x = np.random.default_rng(3).normal(0, 3, (5, 33)).astype(np.float32)
    got = acc.compile(file).run({"x": x}, sanitize=True)["y"]
    want = ort.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    assert np.abs(got - want).max() <= 2e-6 * np.abs(want).max()

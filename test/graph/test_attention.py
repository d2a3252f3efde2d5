"""Attention as exporters write it: whatever the form, a product, a softmax and a product are left, with the
values of ONNX Runtime."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import acc
import numpy as np
import onnx
import onnx.parser
import onnxruntime as ort
import pytest
from onnx.reference import ReferenceEvaluator

ACC = Path(os.environ.get("ACC_BUILD", "build")) / "bin" / "acc"
THREE = ["matmul", "softmax", "matmul"]

B, H, M, N, D, E = 2, 3, 5, 7, 8, 6
Q, K, V = f"float[{B},{H},{M},{D}] q", f"float[{B},{H},{N},{D}] k", f"float[{B},{H},{N},{E}] v"
PRODUCT = "t = Transpose<perm=[0,1,3,2]>(k) s = MatMul(q, t) "
REST = "p = Softmax<axis=-1>(s3) y = MatMul(p, v)"
C = "c = Constant<value=float {0.3535534}>() "
ROOT = "r = Constant<value=float {0.5946036}>() "
SCALED = C + PRODUCT + "s2 = Mul(s, c) "
NO_MASK = "s3 = Identity(s2) "
INF = "inf = Constant<value=float {-inf}>() low = Constant<value=float {-1e9}>() zero = Constant<value=float {0}>() "


def ints(name: str, *values: int) -> str:
    return f"{name} = Constant<value_ints=[{','.join(map(str, values))}]>() "


# Row and column of each score by Range, and whether the column is beyond the row.
POSITIONS = (
    "i0 = Constant<value_int=0>() i1 = Constant<value_int=1>() im = Constant<value_int=5>() in = Constant<value_int=7>() "
    + ints("a0", 0) + ints("a1", 1)
    + "rows1 = Range(i0, im, i1) columns1 = Range(i0, in, i1) rows = Unsqueeze(rows1, a1) columns = Unsqueeze(columns1, a0) "
)


@dataclass(frozen=True)
class Form:
    body: str
    inputs: tuple[str, ...] = (Q, K, V)
    output: str = f"float[{B},{H},{M},{E}] y"
    opset: int = 20
    # Operations of the tensor form that compute.
    left: list[str] = field(default_factory=lambda: THREE)
    transposes: int = 0  # views that split or join heads
    scale: float | None = 0.35355339  # merged with the division of a softcap


FORMS: dict[str, Form] = {
    # Where the scale is.
    "scale by Mul behind the product": Form(SCALED + NO_MASK + REST),
    "scale by Div behind the product": Form("c = Constant<value=float {2.8284271}>() " + PRODUCT + "s2 = Div(s, c) " + NO_MASK + REST),
    "scale by Mul on Q": Form(C + "q2 = Mul(q, c) t = Transpose<perm=[0,1,3,2]>(k) s3 = MatMul(q2, t) " + REST),
    "scale by Div on Q": Form("c = Constant<value=float {2.8284271}>() q2 = Div(q, c) t = Transpose<perm=[0,1,3,2]>(k) s3 = MatMul(q2, t) " + REST),
    "scale by Mul on K": Form(C + "k2 = Mul(c, k) t = Transpose<perm=[0,1,3,2]>(k2) s3 = MatMul(q, t) " + REST),
    "scale on the transposed K": Form(C + "t = Transpose<perm=[0,1,3,2]>(k) t2 = Mul(t, c) s3 = MatMul(q, t2) " + REST),
    "square root of the scale on both": Form(ROOT + "q2 = Mul(q, r) t = Transpose<perm=[0,1,3,2]>(k) t2 = Mul(t, r) s3 = MatMul(q2, t2) " + REST),
    "a part on Q and a part behind": Form(ROOT + "q2 = Mul(q, r) t = Transpose<perm=[0,1,3,2]>(k) s = MatMul(q2, t) s3 = Mul(s, r) " + REST),
    "scale computed from the shape": Form(
        ints("last", -1) + "one = Constant<value=float {1}>() d = Shape(q) d1 = Gather<axis=0>(d, last) df = Cast<to=1>(d1) "
        "root = Sqrt(df) c = Div(one, root) c2 = Sqrt(c) q2 = Mul(q, c2) t = Transpose<perm=[0,1,3,2]>(k) t2 = Mul(t, c2) s3 = MatMul(q2, t2) " + REST),
    "no scale": Form(PRODUCT + "s3 = Identity(s) " + REST, scale=None),
    # How K is transposed.
    "K transposed in two steps": Form(C + "t1 = Transpose<perm=[0,2,1,3]>(k) t = Transpose<perm=[0,2,3,1]>(t1) s = MatMul(q, t) s3 = Mul(s, c) " + REST),
    "K transposed by Gemm": Form(
        "s3 = Gemm<transB=1, alpha=0.35355339>(q, k) p = Softmax<axis=-1>(s3) y = MatMul(p, v)",
        (f"float[{M},{D}] q", f"float[{N},{D}] k", f"float[{N},{E}] v"), f"float[{M},{E}] y"),
    "K transposed by Einsum": Form(C + 's = Einsum<equation="bhmd,bhnd->bhmn">(q, k) s3 = Mul(s, c) ' + REST),
    "heads in rows": Form(
        ints("sq", 0, 0, 3, -1) + ints("sy", 0, 0, -1) + C
        + "q1 = Reshape(q, sq) q2 = Transpose<perm=[0,2,1,3]>(q1) k1 = Reshape(k, sq) t = Transpose<perm=[0,2,3,1]>(k1) "
        "v1 = Reshape(v, sq) v2 = Transpose<perm=[0,2,1,3]>(v1) s = MatMul(q2, t) s3 = Mul(s, c) p = Softmax<axis=-1>(s3) "
        "y1 = MatMul(p, v2) y2 = Transpose<perm=[0,2,1,3]>(y1) y = Reshape(y2, sy)",
        (f"float[{B},{M},24] q", f"float[{B},{N},24] k", f"float[{B},{N},18] v"), f"float[{B},{M},18] y", transposes=4),
    # Masks.
    "mask added, input of each batch": Form(SCALED + "s3 = Add(s2, mask) " + REST, (Q, K, V, f"float[{B},1,1,{N}] mask")),
    "mask added, input of each head": Form(SCALED + "s3 = Add(mask, s2) " + REST, (Q, K, V, f"float[1,{H},{M},{N}] mask")),
    "mask added, input of all": Form(SCALED + "s3 = Add(s2, mask) " + REST, (Q, K, V, f"float[{M},{N}] mask")),
    "mask expanded, then added": Form(
        ints("full", B, H, M, N) + SCALED + "m2 = Expand(mask, full) s3 = Add(s2, m2) " + REST, (Q, K, V, f"float[{B},1,{M},{N}] mask")),
    "mask from tokens": Form(
        INF + ints("axes", 1, 2) + "one = Constant<value=float {1}>() " + SCALED
        + "f = Cast<to=1>(mask) f1 = Unsqueeze(f, axes) f2 = Sub(one, f1) f3 = Mul(f2, low) s3 = Add(s2, f3) " + REST, (Q, K, V, f"int64[{B},{N}] mask")),
    "boolean mask, Where with -inf": Form(SCALED + INF + "s3 = Where(mask, s2, inf) " + REST, (Q, K, V, f"bool[{B},1,{M},{N}] mask")),
    "boolean mask, Where with a large number": Form(SCALED + INF + "n = Not(mask) s3 = Where(n, low, s2) " + REST, (Q, K, V, f"bool[{M},{N}] mask")),
    "boolean mask as a bias": Form(SCALED + INF + "m2 = Where(mask, zero, inf) s3 = Add(s2, m2) " + REST, (Q, K, V, f"bool[{B},1,{M},{N}] mask")),
    "boolean mask and NaN guard": Form(
        SCALED + INF + "m2 = Where(mask, zero, inf) s3 = Add(s2, m2) p1 = Softmax<axis=-1>(s3) nan = IsNaN(p1) p = Where(nan, zero, p1) y = MatMul(p, v)",
        (Q, K, V, f"bool[{B},1,{M},{N}] mask")),
    # Causal masks.
    "causal by Range and Less": Form(SCALED + INF + POSITIONS + "out = Less(rows, columns) s3 = Where(out, inf, s2) " + REST),
    "causal by Range and GreaterOrEqual, added": Form(SCALED + INF + POSITIONS + "in2 = GreaterOrEqual(rows, columns) m = Where(in2, zero, low) s3 = Add(s2, m) " + REST),
    "causal by Trilu of ones": Form(
        SCALED + INF + ints("mn", M, N) + "ones = ConstantOfShape<value=float[1] {1}>(mn) tri = Trilu<upper=0>(ones) b = Cast<to=9>(tri) s3 = Where(b, s2, inf) " + REST),
    "causal by Trilu of -inf": Form(
        SCALED + INF + ints("mn", M, N) + "i1 = Constant<value_int=1>() full = Expand(inf, mn) tri = Trilu<upper=1>(full, i1) s3 = Add(s2, tri) " + REST),
    "causal and a mask of tokens": Form(
        SCALED + INF + POSITIONS + ints("axes", 1, 2)
        + "in2 = GreaterOrEqual(rows, columns) seen = Cast<to=9>(mask) seen2 = Unsqueeze(seen, axes) both = And(in2, seen2) m = Where(both, zero, low) s3 = Add(s2, m) " + REST,
        (Q, K, V, f"int64[{B},{N}] mask")),
    "sliding window": Form(
        SCALED + INF + POSITIONS
        + "i2 = Constant<value_int=2>() end = Add(columns, i2) past = GreaterOrEqual(rows, columns) near = Less(rows, end) both = And(past, near) s3 = Where(both, s2, inf) " + REST),
    "sliding window by a difference of positions": Form(
        SCALED + INF + POSITIONS
        + "i2 = Constant<value_int=2>() d = Sub(rows, columns) past = GreaterOrEqual(d, i0) near = Less(d, i2) both = And(past, near) s3 = Where(both, s2, inf) " + REST),
    # Around the softmax.
    "softcap": Form(SCALED + "cap = Constant<value=float {2}>() g = Div(s2, cap) h = Tanh(g) s3 = Mul(h, cap) " + REST, scale=0.35355339 / 2),
    "softmax taken apart": Form(
        SCALED + NO_MASK + ints("axes", -1) + "m = ReduceMax(s3, axes) d = Sub(s3, m) e = Exp(d) z = ReduceSum(e, axes) p = Div(e, z) y = MatMul(p, v)"),
    "NaN guard": Form(SCALED + INF + NO_MASK + "p1 = Softmax<axis=-1>(s3) nan = IsNaN(p1) p = Where(nan, zero, p1) y = MatMul(p, v)"),
    "casts around the softmax": Form(
        "c0 = Constant<value=float {0.35355339}>() c = Cast<to=10>(c0) t = Transpose<perm=[0,1,3,2]>(k) s = MatMul(q, t) s1 = Mul(s, c) s3 = Cast<to=1>(s1) "
        "p1 = Softmax<axis=-1>(s3) p = Cast<to=10>(p1) y = MatMul(p, v)",
        tuple(x.replace("float", "float16") for x in (Q, K, V)), f"float16[{B},{H},{M},{E}] y"),
    # Heads that share a key.
    "keys repeated by Expand": Form(
        ints("a2", 2) + ints("five", B, 3, 2, N, D) + ints("five2", B, 3, 2, N, E) + ints("four", B, 6, N, D) + ints("four2", B, 6, N, E) + C
        + "k1 = Unsqueeze(k, a2) k2 = Expand(k1, five) k3 = Reshape(k2, four) v1 = Unsqueeze(v, a2) v2 = Expand(v1, five2) v3 = Reshape(v2, four2) "
        "t = Transpose<perm=[0,1,3,2]>(k3) s = MatMul(q, t) s2 = Mul(s, c) s3 = Add(s2, mask) p = Softmax<axis=-1>(s3) y = MatMul(p, v3)",
        (f"float[{B},6,{M},{D}] q", K, V, f"float[{B},1,{M},{N}] mask"), f"float[{B},6,{M},{E}] y"),
    "keys repeated by Gather": Form(
        ints("twice", 0, 0, 1, 1, 2, 2) + C + "k3 = Gather<axis=1>(k, twice) v3 = Gather<axis=1>(v, twice) "
        "t = Transpose<perm=[0,1,3,2]>(k3) s = MatMul(q, t) s2 = Mul(s, c) s3 = Add(s2, mask) p = Softmax<axis=-1>(s3) y = MatMul(p, v3)",
        (f"float[{B},6,{M},{D}] q", K, V, f"float[6,{M},{N}] mask"), f"float[{B},6,{M},{E}] y"),
    "one key for all heads": Form(
        ints("full", B, H, N, D) + ints("full2", B, H, N, E) + C + "k3 = Expand(k, full) v3 = Expand(v, full2) t = Transpose<perm=[0,1,3,2]>(k3) s = MatMul(q, t) s3 = Mul(s, c) "
        "p = Softmax<axis=-1>(s3) y = MatMul(p, v3)", (Q, f"float[{B},1,{N},{D}] k", f"float[{B},1,{N},{E}] v")),
    # ONNX's own operator.
    "Attention": Form("y = Attention(q, k, v)", opset=23),
    "Attention with scale": Form("y = Attention<scale=0.2>(q, k, v)", opset=23, scale=0.2),
    "Attention, causal": Form("y = Attention<is_causal=1>(q, k, v)", opset=23),
    "Attention with a boolean mask": Form("y = Attention(q, k, v, mask)", (Q, K, V, f"bool[{B},1,{M},{N}] mask"), opset=24),
    "Attention, everything": Form(
        "y = Attention<is_causal=1, softcap=1.5>(q, k, v, mask)",
        (f"float[{B},6,{M},{D}] q", K, V, f"float[{M},{N}] mask"), f"float[{B},6,{M},{E}] y", opset=24, scale=0.35355339 / 1.5),
    "Attention with heads in rows": Form(
        "y = Attention<q_num_heads=6, kv_num_heads=3>(q, k, v)",
        (f"float[{B},{M},48] q", f"float[{B},{N},24] k", f"float[{B},{N},18] v"), f"float[{B},{M},36] y", opset=24, transposes=4),
}


def model(form: Form) -> onnx.ModelProto:
    head = f'<ir_version: 10, opset_import: ["": {form.opset}]> '
    return onnx.parser.parse_model(head + f"g ({', '.join(form.inputs)}) => ({form.output}) {{ {form.body} }}")


def inputs(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    feeds = {}
    for value in proto.graph.input:
        tensor = value.type.tensor_type
        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        shape = [d.dim_value for d in tensor.shape.dim]
        if kind.kind in "bi":  # the first column takes part, so that no row is empty
            feeds[value.name] = random.integers(0, 2, shape).astype(kind)
            feeds[value.name][..., 0] = 1
        else:
            feeds[value.name] = random.normal(0, 1.5, shape).astype(kind)
    return feeds


def reference(proto: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> np.ndarray:
    if proto.opset_import[0].version >= 23:
        return ReferenceEvaluator(proto).run(None, feeds)[0]
    return ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feeds)[0]


def graph(file: Path) -> str:
    return subprocess.run([ACC, "compile", file, "-o", "-", "--emit", "graph"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", FORMS)
def test_three_operations_are_left(name: str, tmp_path: Path):
    form = FORMS[name]
    proto = model(form)
    file = tmp_path / "model.onnx"
    onnx.save(proto, file)
    text = graph(file)
    lines = re.findall(r"^ *%\w+ = accel\.(\w+)(.*) -> (?:tensor|\()", text, re.M)
    assert [kind for kind, _ in lines] == form.left, text
    assert len(re.findall(r"= accel\.transpose", text)) == form.transposes, text
    assert not re.search(r"= accel\.(copy|broadcast|repeat|slice|pad|concat|gather)", text), text
    # K is read as it lies, and the scores' body has the scale.
    first = text[text.index("accel.matmul"):text.index("accel.softmax")]
    assert "transpose_b" in first, first
    factors = [float(x) for x in re.findall(r"arith.constant ([-+.\de]+) : f32", first)]
    if form.scale is not None:
        assert sum(abs(f - form.scale) < 1e-3 for f in factors) == 1, first

    feeds = inputs(proto)
    want = reference(proto, feeds)
    for target in ("edge", "tiny"):
        got = acc.compile(file, target=target).run(feeds, sanitize=True)["y"]
        assert got.dtype == want.dtype
        tolerance = 1e-4 if want.dtype == np.float32 else 4e-3  # f16 has 11 bits
        difference = np.abs(got.astype(np.float64) - want).max()
        assert difference <= tolerance * np.abs(want).max(), f"{target}: {difference}"

"""Operators of com.microsoft that ONNX Runtime's quantiser and its optimiser of transformers write, against ONNX Runtime."""

from __future__ import annotations

import os
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
RNG = np.random.default_rng(6)


def integers(*shape: int, kind=np.int8) -> np.ndarray:
    info = np.iinfo(kind)
    return RNG.integers(info.min, info.max + 1, shape, kind)


def reals(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


CONSTANTS = {
    "s": np.float32(0.0625), "z": np.int8(-5), "s2": np.float32(0.03125), "z2": np.int8(9), "sy": np.float32(0.125), "zy": np.int8(3),
    "su": np.float32(0.0625), "zu": np.uint8(131), "shi": np.float32(2), "sprob": np.float32(1 / 256), "zprob": np.int8(-128),
    "uprob": np.uint8(0), "w": integers(6, 4, 3, 3), "sw": RNG.choice([0.25, 0.125, 0.0625], 6).astype(np.float32), "zw": np.zeros(6, np.int8),
    "sbig": np.float32(8), "bias": RNG.integers(-999, 999, 6, np.int32), "wm": integers(8, 6), "wmt": integers(6, 8), "sw1": np.float32(0.125),
    "zw1": np.int8(0), "zw7": np.int8(7), "zw6": integers(6), "fb": reals(6), "wf": reals(6, 4, 3, 3), "bf": reals(6), "gamma": reals(16), "beta": reals(16),
    "b16": reals(16), "wu": integers(8, 6, kind=np.uint8), "zwu": np.uint8(120),
    "words": reals(20, 16), "places": reals(12, 16), "kinds": reals(2, 16), "wqkv": 0.3 * reals(16, 48), "bqkv": reals(48), "bq3": reals(48),
    "cos": np.cos(reals(12, 4)), "sin": np.sin(reals(12, 4)), "mm": reals(16, 6), "cos8": np.cos(reals(12, 8)), "sin8": np.sin(reals(12, 8)),
    "nb": integers(6, 3, 16, kind=np.uint8), "ns": 0.1 + np.abs(reals(6, 3)), "nz": integers(6, 2, kind=np.uint8), "nzf": 8 + reals(6, 3),
    "nb8": integers(6, 3, 32, kind=np.uint8), "cr": 20 * reals(1), "zp0": np.uint8(128), "total": np.int32([6]),
}
X = "int8[2,4,8,8] x"
ROWS = "float[2,6,16] x"
QKV = "float[2,6,16] q, float[2,6,16] k, float[2,6,16] v"
GQA = "float[2,6,32] q, float[2,6,16] k, float[2,6,16] v, int32[2] lengths"
# body, inputs, output
INTEGER_FORMS = {
    "QLinearAdd": ("y = com.microsoft.QLinearAdd(x, s, z, x2, s2, z2, sy, zy)", "int8[2,4,8] x, int8[2,4,8] x2", "int8[2,4,8] y"),
    "QLinearAdd, unsigned, broadcast": ("y = com.microsoft.QLinearAdd(x, su, zu, x2, s2, zu, sy, zu)",
                                        "uint8[2,4,8] x, uint8[4,1] x2", "uint8[2,4,8] y"),
    "QLinearMul": ("y = com.microsoft.QLinearMul(x, s, z, x2, s2, z2, sy, zy)", "int8[2,4,8] x, int8[2,4,8] x2", "int8[2,4,8] y"),
    "QLinearSigmoid": ("y = com.microsoft.QLinearSigmoid(x, s, z, sprob, zprob)", X, "int8[2,4,8,8] y"),
    "QLinearLeakyRelu": ("y = com.microsoft.QLinearLeakyRelu<alpha=0.25>(x, s, z, s2, zy)", X, "int8[2,4,8,8] y"),
    "QLinearSoftmax": ("y = com.microsoft.QLinearSoftmax<opset=13, axis=-1>(x, su, zu, sprob, uprob)", "uint8[4,16] x", "uint8[4,16] y"),
    "QLinearSoftmax of all from an axis on": ("y = com.microsoft.QLinearSoftmax<opset=11, axis=1>(x, su, zu, sprob, uprob)", "uint8[4,4,4] x",
                                              "uint8[4,4,4] y"),
    "QLinearGlobalAveragePool": ("y = com.microsoft.QLinearGlobalAveragePool(x, su, zu, s2, zu)", "uint8[2,40,5,5] x", "uint8[2,40,1,1] y"),
    "QLinearGlobalAveragePool, channels last": ("y = com.microsoft.QLinearGlobalAveragePool<channels_last=1>(x, su, zu, s2, zu)",
                                                "uint8[2,5,5,40] x", "uint8[2,1,1,40] y"),
    "QLinearAveragePool": ("y = com.microsoft.QLinearAveragePool<kernel_shape=[3,3], pads=[1,1,1,1], strides=[2,2]>(x, su, zu, s2, zu)",
                           "uint8[2,4,8,8] x", "uint8[2,4,4,4] y"),
    "QLinearAveragePool, padding counted": (
        "y = com.microsoft.QLinearAveragePool<kernel_shape=[3,3], pads=[1,1,1,1], count_include_pad=1>(x, su, zu, s2, zu)",
        "uint8[2,4,8,8] x", "uint8[2,4,8,8] y"),
    "QLinearConcat": ("y = com.microsoft.QLinearConcat<axis=1>(s, zy, x, s, z, x2, s2, z2)", "int8[2,4,8] x, int8[2,3,8] x2", "int8[2,7,8] y"),
    "QLinearConv, channels last": ("y = com.microsoft.QLinearConv<channels_last=1, pads=[1,1,1,1]>(x, su, zu, w, sw, zw, sbig, zu, bias)",
                                   "uint8[2,8,8,4] x", "uint8[2,8,8,6] y"),
    "QLinearWhere": ("y = com.microsoft.QLinearWhere(c, x, s, z, x2, s2, z2, sy, zy)", "bool[2,4,8] c, int8[2,4,8] x, int8[2,4,8] x2",
                     "int8[2,4,8] y"),
    "QGemm": ("y = com.microsoft.QGemm(x, s, z, wm, sw1, zw7, bias, shi, zy)", "int8[5,8] x", "int8[5,6] y"),
    "QGemm, transposed": ("y = com.microsoft.QGemm<transB=1>(x, s, z, wmt, sw, zw, bias, shi, zy)", "int8[5,8] x", "int8[5,6] y"),
    "ConvInteger": ("y = ConvInteger<pads=[1,1,1,1]>(x, w, z)", X, "int32[2,6,8,8] y"),
    "ConvInteger, unsigned": ("y = ConvInteger<strides=[2,2]>(x, w, zu)", "uint8[2,4,8,8] x", "int32[2,6,3,3] y"),
    "ConvInteger, zero point computed": ("y = ConvInteger<pads=[1,1,0,1]>(x, w, p)", "uint8[2,4,8,8] x, uint8 p", "int32[2,6,7,8] y"),
    "ConvInteger, zero point computed, no padding": ("y = ConvInteger(x, w, p)", "uint8[2,4,8,8] x, uint8 p", "int32[2,6,6,6] y"),
    "ConvInteger, both zero points computed": ("y = ConvInteger<pads=[1,1,1,1]>(x, w, p, o)", "uint8[2,4,8,8] x, uint8 p, int8 o",
                                               "int32[2,6,8,8] y"),
    "ConvInteger, zero point of the weights computed": ("y = ConvInteger<pads=[1,1,1,1]>(x, w, zu, o)", "uint8[2,4,8,8] x, int8 o",
                                                        "int32[2,6,8,8] y"),
    "MatMulInteger": ("y = MatMulInteger(x, wm, zu, zw7)", "uint8[2,5,8] x", "int32[2,5,6] y"),
    "MatMulInteger, unsigned": ("y = MatMulInteger(x, wu, zu, zwu)", "uint8[5,8] x", "int32[5,6] y"),
    "MatMulInteger without zero points": ("y = MatMulInteger(x, wm)", "uint8[5,8] x", "int32[5,6] y"),
    "MatMulInteger, zero point computed": ("y = MatMulInteger(x, wm, p)", "uint8[5,8] x, uint8 p", "int32[5,6] y"),
    "MatMulInteger, a zero point for each column": ("y = MatMulInteger(x, wm, p, zw6)", "uint8[5,8] x, uint8 p", "int32[5,6] y"),
    "MatMulInteger, both computed": ("y = MatMulInteger(x, x2, p, zwu)", "uint8[3,5,8] x, uint8[3,8,6] x2, uint8 p", "int32[3,5,6] y"),
    "DynamicQuantizeLinear": ("y, a, b = DynamicQuantizeLinear(x)", "float[5,8] x", "uint8[5,8] y"),
}
FLOAT_FORMS = {
    "DynamicQuantizeMatMul": ("y = com.microsoft.DynamicQuantizeMatMul(x, wm, sw, zw, fb)", "float[5,8] x", "float[5,6] y"),
    "Dynamic quantisation of a product": (
        "q, a, p = DynamicQuantizeLinear(x) m = MatMulInteger(q, wm, p, zw1) f = Cast<to=1>(m) t = Mul(a, sw1) y = Mul(f, t)", "float[5,8] x",
        "float[5,6] y"),
    "Dynamic quantisation of a convolution": (
        "q, a, p = DynamicQuantizeLinear(x) m = ConvInteger<pads=[1,1,1,1]>(q, w, p) f = Cast<to=1>(m) t = Mul(a, sw1) y = Mul(f, t)",
        "float[1,4,8,8] x", "float[1,6,8,8] y"),
    "MatMulIntegerToFloat": ("y = com.microsoft.MatMulIntegerToFloat(x, wm, s, sw, zu, zw, fb)", "uint8[5,8] x", "float[5,6] y"),
    "MatMulNBits": ("y = com.microsoft.MatMulNBits<K=96, N=6, bits=4, block_size=32>(x, nb, ns)", "float[2,5,96] x", "float[2,5,6] y"),
    "MatMulNBits, zero points": ("y = com.microsoft.MatMulNBits<K=96, N=6, bits=4, block_size=32>(x, nb, ns, nz)", "float[5,96] x", "float[5,6] y"),
    "MatMulNBits, a part of a block": ("y = com.microsoft.MatMulNBits<K=90, N=6, bits=4, block_size=32>(x, nb, ns, nz, , fb)", "float[5,90] x",
                                       "float[5,6] y"),
    "MatMulNBits of 8 bits": ("y = com.microsoft.MatMulNBits<K=96, N=6, bits=8, block_size=32>(x, nb8, ns)", "float[5,96] x", "float[5,6] y"),
    "FusedConv": ('y = com.microsoft.FusedConv<activation="LeakyRelu", activation_params=[0.25], pads=[1,1,1,1]>(x, wf, bf)',
                  "float[2,4,8,8] x", "float[2,6,8,8] y"),
    "FusedConv with a sum": ('y = com.microsoft.FusedConv<activation="Relu", pads=[1,1,1,1]>(x, wf, bf, x2)',
                             "float[2,4,8,8] x, float[2,6,8,8] x2", "float[2,6,8,8] y"),
    "FusedGemm": ('y = com.microsoft.FusedGemm<activation="Relu", alpha=0.5>(x, mm, fb)', "float[5,16] x", "float[5,6] y"),
    "FusedMatMul": ("y = com.microsoft.FusedMatMul<transB=1, alpha=0.25>(x, x2)", "float[2,5,8] x, float[2,6,8] x2", "float[2,5,6] y"),
    "FusedMatMul, transposed left": ("y = com.microsoft.FusedMatMul<transA=1>(x, x2)", "float[2,8,5] x, float[2,8,6] x2", "float[2,5,6] y"),
    "Gelu": ("y = com.microsoft.Gelu(x)", ROWS, "float[2,6,16] y"),
    "FastGelu": ("y = com.microsoft.FastGelu(x, b16)", ROWS, "float[2,6,16] y"),
    "BiasGelu": ("y = com.microsoft.BiasGelu(x, b16)", ROWS, "float[2,6,16] y"),
    "QuickGelu": ("y = com.microsoft.QuickGelu(x)", ROWS, "float[2,6,16] y"),
    "SkipLayerNormalization": ("y = com.microsoft.SkipLayerNormalization<epsilon=0.001>(x, x2, gamma, beta, b16)",
                               ROWS + ", float[2,6,16] x2", "float[2,6,16] y"),
    "SkipLayerNormalization, sum": ("n, , , y = com.microsoft.SkipLayerNormalization(x, x2, gamma, beta)",
                                    ROWS + ", float[2,6,16] x2", "float[2,6,16] y"),
    "SkipSimplifiedLayerNormalization": ("y = com.microsoft.SkipSimplifiedLayerNormalization(x, x2, gamma)",
                                         ROWS + ", float[2,6,16] x2", "float[2,6,16] y"),
    "EmbedLayerNormalization": ("y, m = com.microsoft.EmbedLayerNormalization(ids, types, words, places, kinds, gamma, beta)",
                                "int32[2,6] ids, int32[2,6] types", "float[2,6,16] y"),
    "Attention": ("y = com.microsoft.Attention<num_heads=4>(x, wqkv, bqkv)", ROWS, "float[2,6,16] y"),
    "Attention, causal": ("y = com.microsoft.Attention<num_heads=4, unidirectional=1>(x, wqkv, bqkv)", ROWS, "float[2,6,16] y"),
    "Attention, mask": ("y = com.microsoft.Attention<num_heads=2>(x, wqkv, bqkv, mask)", ROWS + ", int32[2,6] mask", "float[2,6,16] y"),
    "Attention, lengths": ("y = com.microsoft.Attention<num_heads=2>(x, wqkv, bqkv, lengths)", ROWS + ", int32[2] lengths", "float[2,6,16] y"),
    "Attention, past": ("y, p = com.microsoft.Attention<num_heads=2, unidirectional=1>(x, wqkv, bqkv, , past)",
                        ROWS + ", float[2,2,2,3,8] past", "float[2,6,16] y"),
    "MultiHeadAttention": ("y = com.microsoft.MultiHeadAttention<num_heads=4>(q, k, v)", QKV, "float[2,6,16] y"),
    "MultiHeadAttention, bias and mask": ("y = com.microsoft.MultiHeadAttention<num_heads=4>(q, k, v, bq3, mask)",
                                          QKV + ", int32[2,6] mask", "float[2,6,16] y"),
    "MultiHeadAttention, bias of the scores": ("y = com.microsoft.MultiHeadAttention<num_heads=4>(q, k, v, , , add)",
                                               QKV + ", float[1,4,6,6] add", "float[2,6,16] y"),
    "MultiHeadAttention of heads": ("y = com.microsoft.MultiHeadAttention<num_heads=4>(q, k, v)",
                                    "float[2,6,16] q, float[2,4,7,4] k, float[2,4,7,4] v", "float[2,6,16] y"),
    "RotaryEmbedding": ("y = com.microsoft.RotaryEmbedding(x, positions, cos, sin)", "float[2,6,16] x, int64[2,6] positions", "float[2,6,16] y"),
    "RotaryEmbedding, interleaved, from a position on": ("y = com.microsoft.RotaryEmbedding<interleaved=1>(x, first, cos, sin)",
                                                         "float[2,6,16] x, int64[1] first", "float[2,6,16] y"),
    "GroupQueryAttention": ("y, a, b = com.microsoft.GroupQueryAttention<num_heads=2, kv_num_heads=1>(q, k, v, , , lengths, total)", GQA,
                            "float[2,6,32] y"),
    "GroupQueryAttention, packed": ("y, a, b = com.microsoft.GroupQueryAttention<num_heads=2, kv_num_heads=1>(q, , , , , lengths, total)",
                                    "float[2,6,64] q, int32[2] lengths", "float[2,6,32] y"),
    "GroupQueryAttention, rotary": (
        "y, a, b = com.microsoft.GroupQueryAttention<num_heads=2, kv_num_heads=1, do_rotary=1>(q, k, v, , , lengths, total, cos8, sin8)", GQA,
        "float[2,6,32] y"),
    "GroupQueryAttention, window": (
        "y, a, b = com.microsoft.GroupQueryAttention<num_heads=2, kv_num_heads=1, local_window_size=3>(q, k, v, , , lengths, total)", GQA,
        "float[2,6,32] y"),
}
ONE_STEP = {"QLinearSigmoid", "QLinearSoftmax", "QLinearSoftmax of all from an axis on", "QLinearAveragePool", "QLinearGlobalAveragePool",
            "QLinearGlobalAveragePool, channels last", "QLinearAveragePool, padding counted", "QLinearMul", "QLinearAdd", "QLinearAdd, unsigned, broadcast"}
ALL = INTEGER_FORMS | FLOAT_FORMS


def model(form: str) -> onnx.ModelProto:
    global RNG
    RNG = np.random.default_rng(zlib.crc32(form.encode()))  # the same data whichever tests ran before
    body, inputs, output = ALL[form]
    text = f'<ir_version: 8, opset_import: ["": 17, "com.microsoft": 1]> net ({inputs}) => ({output}) {{ {body} }}'
    proto = onnx.parser.parse_model(text)
    used = {name for node in proto.graph.node for name in node.input}
    for name in sorted(used & set(CONSTANTS)):
        proto.graph.initializer.append(numpy_helper.from_array(np.asarray(CONSTANTS[name]), name))
    return proto


def feeds(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    made = {}
    for value in proto.graph.input:
        kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
        ranges = {"mask": (0, 2), "ids": (0, 20), "types": (0, 2), "positions": (0, 12), "first": (3, 4), "c": (0, 2)}
        if value.name == "lengths":
            made[value.name] = np.array([5, 5] if "Group" in proto.graph.node[0].op_type else [4, 6], kind)
        elif value.name in ranges:
            made[value.name] = RNG.integers(*ranges[value.name], shape).astype(kind)
        else:
            made[value.name] = reals(*shape) if kind == np.float32 else np.asarray(integers(*shape, kind=kind))
    return made


@pytest.mark.parametrize("target", ["edge", "tiny"])
@pytest.mark.parametrize("form", ALL)
def test_values(form: str, target: str, tmp_path: Path) -> None:
    proto = model(form)
    path = tmp_path / "net.onnx"
    onnx.save(proto, path)
    inputs = feeds(proto)
    got = acc.compile(path, target=target).run(inputs, sanitize=True)["y"]
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    (want,) = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run(["y"], inputs)
    assert got.dtype == want.dtype and got.shape == want.shape
    apart = np.abs(got.astype(np.float64) - want.astype(np.float64)).max()
    if form in INTEGER_FORMS:
        assert apart <= (1 if form in ONE_STEP else 0)
        assert len(np.unique(got)) > 10
    else:
        assert apart <= 1e-5 * max(1, np.abs(want).max())


@pytest.mark.parametrize(
    ("body", "inputs", "reason"),
    [
        ("y = com.microsoft.Attention<num_heads=2, do_rotary=1>(x, wqkv, bqkv)", ROWS, "do_rotary"),
        ('y = com.microsoft.FusedConv<activation="Softplus">(x, wf)', "float[2,4,8,8] x", "activation 'Softplus'"),
        ("y = com.microsoft.MatMulNBits<K=96, N=6, bits=3, block_size=32>(x, nb, ns)", "float[5,96] x", "3 bits"),
        ("y = com.microsoft.GroupQueryAttention<num_heads=4, kv_num_heads=2>(q, k, v, pk, pk, lengths, total)",
         GQA + ", float[2,2,3,4] pk", "a past whose length is data"),
        ("y = com.microsoft.Nothing(x)", ROWS, "no lowering for this operator of another domain"),
    ],
)
def test_refusals(body: str, inputs: str, reason: str, tmp_path: Path) -> None:
    ALL["refused"] = (body, inputs, "float[N] y" if "Conv" in body else "float[M,N] y")
    path = tmp_path / "net.onnx"
    proto = model("refused")
    del proto.graph.output[0].type.tensor_type.shape.dim[:]
    onnx.save(proto, path)
    done = subprocess.run([ACC, "compile", path, "-o", tmp_path / "net.acc"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "com.microsoft." in done.stderr and reason in done.stderr

"""Rows that no SRAM holds: taken in pieces they give the bits of a whole row (contract C2)."""

from __future__ import annotations

from pathlib import Path

import acc
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

ROW = 20_003  # f32, more than twice the SRAM of `tiny`; a piece at its end is not whole


def model(folder: Path, op: str, shape: list[int], **attributes) -> Path:
    reduced = op.startswith("Reduce")
    names, constants = ["x"], []
    if reduced:
        names.append("axes")
        constants.append(helper.make_tensor("axes", TensorProto.INT64, [1], [-1]))
    out = [*shape[:-1], 1] if reduced else shape
    graph = helper.make_graph([helper.make_node(op, names, ["y"], name="it", **attributes)], "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)], constants)
    file = folder / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), file)
    return file


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceL1"])
def test_pieces_of_a_row(op: str, tmp_path: Path):
    file = model(tmp_path, op, [3, ROW])
    x = np.random.default_rng(5).normal(-3, 4, (3, ROW)).astype(np.float32)
    whole = acc.compile(file, "edge").run({"x": x}, sanitize=True)["y"]
    pieces = acc.compile(file, "tiny").run({"x": x}, sanitize=True)["y"]
    np.testing.assert_array_equal(whole.view(np.int32), pieces.view(np.int32))
    want = ort.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    assert np.abs(whole - want).max() <= 1e-5 * np.abs(want).max()


def test_row_of_minus_infinity_and_nan(tmp_path: Path):
    file = model(tmp_path, "Softmax", [2, ROW])
    x = np.full((2, ROW), -np.inf, np.float32)
    x[0, 7] = 1.0
    x[1, 8] = np.nan
    whole = acc.compile(file, "edge").run({"x": x}, sanitize=True)["y"]
    pieces = acc.compile(file, "tiny").run({"x": x}, sanitize=True)["y"]
    np.testing.assert_array_equal(whole.view(np.int32), pieces.view(np.int32))
    assert whole[0, 7] == 1.0 and np.isnan(whole[1]).all()


def test_mean_of_a_picture_whose_row_is_too_large(tmp_path: Path):
    """[N,C,H,W] with 64 KiB a row: `tiny` takes a part of the channels at a time."""
    graph = helper.make_graph([helper.make_node("GlobalAveragePool", ["x"], ["y"])], "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 128, 9, 128])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 128, 1, 1])])
    file = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), file)
    x = np.random.default_rng(6).normal(size=(1, 128, 9, 128)).astype(np.float32)
    edge, tiny = (acc.compile(file, t).run({"x": x}, sanitize=True)["y"] for t in ("edge", "tiny"))
    np.testing.assert_array_equal(edge.view(np.int32), tiny.view(np.int32))
    np.testing.assert_allclose(edge, x.mean((2, 3), keepdims=True), atol=1e-5)

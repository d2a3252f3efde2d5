"""The Python package: compile, run, statistics, and what wrong use says."""

from __future__ import annotations

from pathlib import Path

import acc
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """y = relu(conv3x3(x)), with a dynamic batch."""
    random = np.random.default_rng(3)
    weights = random.standard_normal((8, 4, 3, 3), dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
         helper.make_node("Relu", ["c"], ["y"], name="relu")],
        "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4, 12, 10])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 8, 12, 10])],
        [numpy_helper.from_array(weights, "w")])
    path = tmp_path_factory.mktemp("small") / "small.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(4).standard_normal((1, 4, 12, 10), dtype=np.float32)


@pytest.mark.parametrize("target", ["edge", "tiny"])
def test_matches_onnx_runtime(model: Path, picture: np.ndarray, target: str) -> None:
    program = acc.compile(model, target=target, dims={"batch": 1})
    assert program.target == target
    assert [str(t) for t in program.inputs] == ["x: float32[1, 4, 12, 10]"]
    got = program.run({"x": picture}, sanitize=True)
    assert list(got) == ["y"]
    want = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": picture})[0]
    np.testing.assert_allclose(got["y"], want, rtol=0, atol=1e-4 * np.ptp(want))


def test_statistics_hold_the_promise(model: Path, picture: np.ndarray) -> None:
    program = acc.compile(model, dims={"batch": 1})
    assert program.stats is None
    program.run({"x": picture})
    assert program.stats is not None
    dram = program.stats["dram"]
    assert dram["predicted_bytes"] == dram["read_bytes"] + dram["write_bytes"]
    # x, w and y once each: 4 bytes an element.
    assert dram["compulsory_bytes"] == 4 * (4 * 120 + 8 * 4 * 9 + 8 * 120)


def test_runs_again_and_from_a_file(model: Path, picture: np.ndarray, tmp_path: Path) -> None:
    file = tmp_path / "small.acc"
    program = acc.compile(model, dims={"batch": 1}, output=file)
    first = program.run({"x": picture})["y"]
    other = program.run({"x": 2 * picture})["y"]
    assert not np.array_equal(first, other)
    # An array that is not contiguous means the same values.
    turned = np.ascontiguousarray(picture.transpose(0, 1, 3, 2)).transpose(0, 1, 3, 2)
    np.testing.assert_array_equal(acc.load(file).run({"x": turned}, threads=2)["y"], first)


def test_precision(model: Path, picture: np.ndarray) -> None:
    exact = acc.compile(model, dims={"batch": 1}).run({"x": picture})["y"]
    half = acc.compile(model, dims={"batch": 1}, precision="bf16").run({"x": picture})["y"]
    assert 0 < np.abs(half - exact).max() < 0.05 * np.ptp(exact)


def test_wrong_inputs(model: Path, picture: np.ndarray) -> None:
    program = acc.compile(model, dims={"batch": 1})
    with pytest.raises(ValueError, match="no input 'z'.*x: float32"):
        program.run({"z": picture})
    with pytest.raises(ValueError, match="'x' is missing"):
        program.run({})
    with pytest.raises(ValueError, match="float64"):
        program.run({"x": picture.astype(np.float64)})
    with pytest.raises(ValueError):
        program.run({"x": picture[:, :, :5]})


def test_compile_errors_name_the_file(tmp_path: Path, model: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(acc.CompileError, match="broken.onnx"):
        acc.compile(broken)
    with pytest.raises(acc.CompileError, match="--dim"):
        acc.compile(model)
    with pytest.raises(acc.CompileError, match="nowhere"):
        acc.compile(model, target="nowhere", dims={"batch": 1})


def test_compile_errors_are_exceptions_with_a_status(tmp_path: Path, model: Path) -> None:
    older = tmp_path / "net.acc"
    older.write_bytes(b"older")
    with pytest.raises(acc.CompileError, match="--dim") as caught:
        acc.compile(model, output=older)
    assert caught.value.status == 1 and older.read_bytes() == b"older"
    with pytest.raises(acc.CompileError, match="f64 not in") as caught:
        acc.compile(model, dims={"batch": 1}, precision="f64")
    assert caught.value.status == 2


def test_dims_by_input_and_axis(model: Path) -> None:
    assert acc.compile(model, dims={"x:0": 2}).inputs[0].shape == (2, 4, 12, 10)


def test_a_schedule_is_obeyed(model: Path, picture: np.ndarray, tmp_path: Path) -> None:
    program = acc.compile(model, dims={"batch": 1}, target="tiny")
    schedule = tmp_path / "none.mlir"
    schedule.write_text("module {}")
    with pytest.raises(acc.CompileError, match="is this a schedule file"):
        acc.compile(model, dims={"batch": 1}, target="tiny", schedule=schedule)
    assert program.run({"x": picture})["y"].shape == (1, 8, 12, 10)


def test_typed() -> None:
    assert (Path(acc.__file__).parent / "py.typed").exists()
    for name in acc.__all__:
        assert getattr(acc, name).__doc__, name


def test_load_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing.acc"):
        acc.load(tmp_path / "missing.acc")
    empty = tmp_path / "empty.acc"
    empty.write_bytes(b"")
    with pytest.raises((ValueError, RuntimeError)):
        acc.load(empty)


def test_stub_is_current() -> None:
    built = Path(acc.__file__).parent / "_runtime.pyi"
    kept = ROOT / "python" / "acc" / "_runtime.pyi"
    assert kept.read_text() == built.read_text(), f"copy {built} to {kept}"

"""acc run --timing and --timing-only: the same cycles with data and without, and what a target's figures do to them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import good, refused  # noqa: E402


def timed(model: Path, *words: object) -> dict:
    artifact = model.with_suffix(".acc")
    good("compile", model, *words, "-o", artifact)
    return json.loads(good("run", artifact, "--timing-only", "--stats", "-"))


def matmul(folder: Path, m: int, n: int, k: int) -> Path:
    return small_models.save(folder / f"{m}x{n}x{k}.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"], "matmul")],
                             {"x": [m, k]}, {"y": [m, n]}, {"w": small_models.weights(1, k, n)})


def test_with_data_and_without(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    without = timed(model)
    shape = json.loads(json.dumps(without))["nodes"]
    assert shape and without["cycles"] > 0
    import onnx
    io = onnx.load(model).graph.input[0]
    np.save(tmp_path / "x.npy", np.ones([d.dim_value or 1 for d in io.type.tensor_type.shape.dim], np.float32))
    inputs = ("--input", f"{io.name}={tmp_path / 'x.npy'}")
    with_data = json.loads(good("run", tmp_path / "net.acc", *inputs, "--timing", "--threads", 2, "--stats", "-"))
    for key in ("cycles", "seconds", "utilization", "engines", "dram", "macs", "instructions", "nodes"):
        assert with_data[key] == without[key], key
    plain = json.loads(good("run", tmp_path / "net.acc", *inputs, "--stats", "-"))
    assert plain["cycles"] is None and plain["utilization"] == {"mxu": None, "dram": None}
    assert "engines" not in plain


def test_times_add_up(tmp_path: Path) -> None:
    stats = timed(small_models.residual(tmp_path / "net.onnx", 1))
    assert stats["seconds"] == stats["cycles"] / 1e9
    assert sum(n["cycles"] for n in stats["nodes"]) <= stats["cycles"]
    for engine, time in stats["engines"].items():
        assert time["busy_cycles"] + sum(time["idle_cycles"].values()) == pytest.approx(stats["cycles"], abs=1), engine
    moved = stats["dram"]["bus_bytes"] + stats["dram"]["program_bytes"]
    assert stats["utilization"]["dram"] == pytest.approx(moved / 16 / stats["cycles"], rel=1e-3)


def test_a_vector_times_a_matrix_is_bound_by_bandwidth(tmp_path: Path) -> None:
    stats = timed(matmul(tmp_path, 1, 2048, 2048))
    assert stats["utilization"]["dram"] >= 0.97
    assert stats["cycles"] <= 1.03 * (stats["dram"]["bus_bytes"] + stats["dram"]["program_bytes"]) / 16


def test_a_large_product_keeps_the_array_busy_with_little_else(tmp_path: Path) -> None:
    stats = timed(matmul(tmp_path, 1024, 1024, 1024))
    ideal = 1024**3 / 256
    assert ideal <= stats["engines"]["mxu"]["busy_cycles"] <= 1.01 * ideal  # the operands that are held load meanwhile
    assert stats["utilization"]["mxu"] == pytest.approx(ideal / stats["cycles"], rel=1e-6)


def test_rows_of_dram_that_are_hardly_used(tmp_path: Path) -> None:
    """A tile of the matrix takes a piece of each of its rows: each is in another row of DRAM."""
    model = matmul(tmp_path, 1, 2048, 2048)
    dram = timed(model, "--set", "dram.row_cycles=100")["engines"]["dram"]
    assert dram["idle_cycles"]["rows"] > dram["busy_cycles"]
    assert timed(model, "--set", "dram.row_cycles=0")["engines"]["dram"]["idle_cycles"]["rows"] == 0


def test_twice_the_bandwidth_and_half(tmp_path: Path) -> None:
    model = matmul(tmp_path, 1, 1024, 1024)
    cycles = {b: timed(model, "--set", f"dram.bytes_per_cycle={b}", "--set", "dram.row_cycles=0")["cycles"] for b in (4, 8, 16)}
    assert cycles[8] == pytest.approx(2 * cycles[16], rel=0.05) and cycles[4] == pytest.approx(2 * cycles[8], rel=0.05)


@pytest.mark.parametrize("words", [("--timing",), ("--sanitize",), ("--output-dir", "out"), ("--input", "x=x.npy")])
def test_timing_only_stands_alone(words: tuple[str, ...]) -> None:
    assert "excludes" in refused("run", "net.acc", "--timing-only", *words, status=2)

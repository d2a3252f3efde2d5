"""The bound of a model: never below the compulsory bytes, never above what a run counts, the sum of its nodes'."""

from __future__ import annotations

import sys
from pathlib import Path

import acc
import numpy as np
import onnx
import onnx.parser
import pytest
from onnx import numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parent))
import networks  # noqa: E402


def stats_of(model: onnx.ModelProto, feeds: dict, target: str, folder: Path) -> dict:
    file = folder / "model.onnx"
    onnx.save(model, file)
    program = acc.compile(file, target=target)
    program.run(feeds)
    return program.stats


def check(stats: dict) -> dict:
    dram = stats["dram"]
    moved = dram["read_bytes"] + dram["write_bytes"]
    assert 0 < dram["compulsory_bytes"] <= dram["bound_bytes"] <= moved == dram["predicted_bytes"]
    for key in ("compulsory_bytes", "bound_bytes"):
        assert sum(node["dram"][key] for node in stats["nodes"]) == dram[key]
    return dram


@pytest.mark.parametrize("target", ["edge", "tiny"])
@pytest.mark.parametrize("name", networks.NAMES)
def test_small_networks(name: str, target: str, tmp_path: Path):
    model = networks.build(name)
    check(stats_of(model, networks.inputs(model), target, tmp_path))


def parse(text: str, **constants: np.ndarray) -> onnx.ModelProto:
    model = onnx.parser.parse_model(text)
    model.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in constants.items())
    onnx.checker.check_model(model, full_check=True)
    return model


def test_matmul_that_cannot_stay(tmp_path: Path):
    """[512, 512] squared on 36 KiB: the square root counts."""
    n = 512
    model = parse(f"""<ir_version: 9, opset_import: ["": 20]> g (float[{n},{n}] a, float[{n},{n}] b) => (float[{n},{n}] c)
        {{ c = MatMul(a, b) }}""")
    feeds = {k: np.ones((n, n), np.float32) for k in "ab"}
    tiny = check(stats_of(model, feeds, "tiny", tmp_path))
    chip = (32 + 4) * 1024
    by_hand = 2 * n**3 * 8 / chip**0.5 - 2 * chip - 4 * n * n + 4 * n * n
    assert by_hand * 0.999 <= tiny["bound_bytes"] <= by_hand
    assert tiny["bound_bytes"] > 3 * tiny["compulsory_bytes"]


def test_only_what_is_touched(tmp_path: Path):
    """An input is read with stride 2, of a table three rows are gathered."""
    model = parse(
        """<ir_version: 9, opset_import: ["": 20]>
        g (float[1,4,8,8] x, int64[3] i) => (float[1,5,4,4] y, float[3,10] z) {
          y = Conv<strides=[2,2]>(x, k)
          z = Gather(t, i)
        }""",
        k=np.random.default_rng(0).normal(size=(5, 4, 1, 1)).astype(np.float32),
        t=np.random.default_rng(1).normal(size=(100, 10)).astype(np.float32),
    )
    feeds = {"x": np.ones((1, 4, 8, 8), np.float32), "i": np.array([5, 7, 9], np.int64)}
    dram = check(stats_of(model, feeds, "edge", tmp_path))
    assert dram["compulsory_bytes"] == 4 * (4 * 4 * 4 + 5 * 4 + 5 * 4 * 4 + 3 * 10 + 3 * 10) + 8 * 3


def test_parts_of_one_input(tmp_path: Path):
    """Two slices that overlap: their union is compulsory, not their sum."""
    model = parse("""<ir_version: 9, opset_import: ["": 20]> g (float[10,6] x) => (float[4,6] y) {
          s0 = Constant<value_ints=[0]>()
          s2 = Constant<value_ints=[2]>()
          e4 = Constant<value_ints=[4]>()
          e6 = Constant<value_ints=[6]>()
          axes = Constant<value_ints=[0]>()
          a = Slice(x, s0, e4, axes)
          b = Slice(x, s2, e6, axes)
          y = Mul(a, b)
        }""")
    dram = check(stats_of(model, {"x": np.ones((10, 6), np.float32)}, "edge", tmp_path))
    assert dram["compulsory_bytes"] == 4 * (6 * 6 + 4 * 6)

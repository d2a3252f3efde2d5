"""acc compare: equal, different, the first wrong node, inputs from files and made, errors."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import acc, good, refused  # noqa: E402


@pytest.mark.parametrize("target", ["edge", "tiny"])
@pytest.mark.parametrize("how", [[], ["--per-node"]])
def test_equal(tmp_path: Path, target: str, how: list[str]) -> None:
    said = good("compare", small_models.residual(tmp_path / "net.onnx"), "--dim", "batch=1", "--target", target, *how)
    assert said.splitlines()[-1] == f"EQUAL within 0.0001 of the range, target {target}, f32"


def test_a_different_model(tmp_path: Path) -> None:
    """One weight of conv2 differs in the model that ONNX Runtime runs."""
    model = small_models.residual(tmp_path / "net.onnx", 1)
    other = small_models.residual(tmp_path / "other.onnx", 1, changed=True)
    plain = acc("compare", model, "--reference", other)
    assert plain.returncode == 1
    assert plain.stdout.startswith("WRONG  y float32[1, 5]: largest difference")
    nodes = acc("compare", model, "--reference", other, "--per-node")
    assert nodes.returncode == 1
    assert nodes.stdout.startswith("first wrong node: 'conv2' (Conv)\n  c2 float32[1, 8, 20, 12]: largest difference")
    assert " instead of " in nodes.stdout
    # Channel 3 of conv2 and all that is computed from it: c2, s, p, f, y.
    assert "\n5 of 7 node outputs are wrong\n" in nodes.stdout


def test_json(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    other = small_models.residual(tmp_path / "other.onnx", 1, changed=True)
    told = json.loads(acc("compare", model, "--reference", other, "--per-node", "--json").stdout)
    assert told["equal"] is False and len(told["outputs"]) == 7
    assert told["first_wrong"]["node"] == "conv2"
    channel = told["first_wrong"]["position"][1]
    assert channel == 3
    assert told["first_wrong"]["relative"] > 1e-4


def test_precision_has_its_own_tolerance(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    good("compare", model, "--precision", "bf16")
    assert acc("compare", model, "--precision", "bf16", "--tolerance", "1e-6").returncode == 1


def test_one_quantisation_step_is_called_so(tmp_path: Path) -> None:
    """The reference multiplies by a little more, which takes some values over the border to the next step."""

    def quantised(path: Path, factor: float) -> Path:
        nodes = [helper.make_node("Mul", ["x", "factor"], ["m"]), helper.make_node("QuantizeLinear", ["m", "scale", "zero"], ["q"]),
                 helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"]), helper.make_node("Flatten", ["d"], ["y"])]
        return small_models.save(path, nodes, {"x": [1, 4, 200]}, {"y": [1, 800]}, {
            "factor": np.float32(factor), "scale": np.float32(0.05), "zero": np.uint8(128)}, opset=13)

    model, other = quantised(tmp_path / "net.onnx", 1.0), quantised(tmp_path / "other.onnx", 1.004)
    said = good("compare", model, "--reference", other)
    assert re.match(r"steps  y float32\[1, 800\]: one quantisation step of 0\.05 apart at \d+ of 800 elements, at \[0, \d+\]: ", said), said
    assert said.splitlines()[-1] == ("EQUAL within 0.0001 of the range, one quantisation step in 1 of 1 tensors, target edge, f32")
    told = json.loads(good("compare", model, "--reference", other, "--json"))
    assert told["equal"] is True and told["outputs"][0]["steps"] == 1 and 0 < told["outputs"][0]["elements"] < 100
    for strict in (["--steps", "0"], ["--tolerance", "1e-4"]):
        assert acc("compare", model, "--reference", other, *strict).returncode == 1
    far = acc("compare", model, "--reference", quantised(tmp_path / "far.onnx", 1.1))
    assert far.returncode == 1 and " quantisation steps of 0.05 apart at " in far.stdout
    assert "--steps" in refused("compare", model, "--steps", "-1", status=2)


def test_made_indices_are_rows_of_the_table(tmp_path: Path) -> None:
    """Ids beyond the 50 rows of the embedding would make ONNX Runtime refuse."""
    model = small_models.attention(tmp_path / "net.onnx")
    for seed in range(3):
        good("compare", model, "--seed", seed, "--per-node")


def test_given_inputs(tmp_path: Path) -> None:
    model = small_models.attention(tmp_path / "net.onnx")
    np.save(tmp_path / "ids.npy", np.arange(12).reshape(1, 12))
    good("compare", model, "--input", f"ids={tmp_path / 'ids.npy'}")
    np.save(tmp_path / "far.npy", np.full((1, 12), 50))
    assert acc("compare", model, "--input", f"ids={tmp_path / 'far.npy'}").returncode == 1


def test_errors(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx")
    missing = tmp_path / "missing.onnx"
    assert refused("compare", missing) == f"acc compare: error: {missing}: No such file or directory\n"
    text = tmp_path / "text.onnx"
    text.write_text("no model")
    assert "text.onnx" in refused("compare", text)
    assert "--dim" in refused("compare", model)
    assert "nowhere" in refused("compare", model, "--dim", "batch=1", "--target", "nowhere")
    assert "no input 'z'" in refused("compare", model, "--dim", "batch=1", "--input", "z=a.npy")
    assert "a.npy" in refused("compare", model, "--dim", "batch=1", "--input", "x=a.npy")
    np.save(tmp_path / "small.npy", np.zeros((1, 4), np.float32))
    assert "float32[1, 4]" in refused("compare", model, "--dim", "batch=1", "--input", f"x={tmp_path / 'small.npy'}").replace("(", "[").replace(")", "]")
    assert "--dim batch" in refused("compare", model, "--dim", "batch", status=2)

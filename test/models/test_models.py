"""Every model of the zoo on every target: compiled, run under the sanitizer, held against ONNX Runtime.

    pytest test/models                          what `make test` runs
    ACC_TEST_MODELS=all pytest test/models      also the largest (minutes each)
    ACC_TEST_MODELS=fast pytest test/models     one small model of each family
    pytest test/models -k "minilm and tiny"
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "examples")]
from engine import AccEngine, OrtEngine, Result  # noqa: E402
from zoo import ZOO, Model, light, relative_error  # noqa: E402

# Of the mean difference that rounding alone makes in a quantised network, relative to the range.
LEAST_SPREAD = 1e-3
TARGETS = ("edge", "tiny")
ACC = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin" / "acc"


def chosen(model: Model) -> bool:
    which = os.environ.get("ACC_TEST_MODELS", "default")
    if which not in ("fast", "default", "all"):
        raise ValueError(f"ACC_TEST_MODELS={which}: must be fast, default or all")
    if "benchmark" in model.tags:  # benchmarks/traffic compares these with ONNX Runtime itself
        return False
    if which == "fast":
        return "fast" in model.tags
    return which == "all" or "large" not in model.tags


def run(model: Model, target: str, folder: Path) -> Result:
    engine = AccEngine(ACC, target, folder, sanitize=True)
    return engine.load("model", model.path(), dict(model.dims)).run(model.inputs())


def reference_without_fusion(model: Model) -> dict[str, np.ndarray]:
    """Quantised operators as ONNX defines them: dequantise, compute in f32, quantise."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(model.path()), options, providers=["CPUExecutionProvider"])
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, model.inputs())))


def mean_error(got: np.ndarray, want: np.ndarray) -> float:
    """Mean difference relative to the range of `want`."""
    return float(np.abs(got.astype(np.float64) - want).mean()) / float(want.max() - want.min())


def check_explanation(artifact: Path, stats: dict) -> None:
    """Every byte above the compulsory ones has a reason, and each node the bytes that the simulator counted."""
    done = subprocess.run([ACC, "explain", artifact, "--json"], capture_output=True, text=True, check=True)
    report, dram = json.loads(done.stdout), stats["dram"]
    reasons = {row["cause"]: row["bytes"] for row in report["causes"]}
    assert reasons["compulsory"] == dram["compulsory_bytes"]
    assert sum(reasons.values()) == dram["read_bytes"] + dram["write_bytes"]
    explained = {node["name"]: node for node in report["nodes"]}
    for node in stats["nodes"]:
        row = explained.get(node["name"], {})
        for way in ("read_bytes", "write_bytes"):
            assert row.get(way, 0) == node["dram"][way], node["name"]


def models() -> list:
    return [pytest.param(m, id=m.name) for m in ZOO.values() if chosen(m)]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", models())
def test_agrees_with_onnx_runtime(model: Model, target: str, tmp_path: Path):
    result = run(model, target, tmp_path)
    expected = OrtEngine(threads=1).load(model.name, model.path(), {}).run(model.inputs()).outputs
    by_definition = reference_without_fusion(model) if model.quantised else expected
    assert list(result.outputs) == list(expected)
    for name, want in expected.items():
        got = result.outputs[name]
        assert got.dtype == want.dtype, name
        if model.quantised:
            spread = mean_error(want, by_definition[name])
            assert mean_error(got, by_definition[name]) <= 2 * max(spread, LEAST_SPREAD), name
        else:
            assert relative_error(got, want) <= model.tolerance, name

    dram = result.stats["dram"]  # every byte accounted for, and none below what is physically needed
    assert dram["read_bytes"] + dram["write_bytes"] == dram["predicted_bytes"]
    assert dram["predicted_bytes"] >= dram["bound_bytes"] >= dram["compulsory_bytes"] > 0
    nodes = result.stats["nodes"]  # and each has its node
    assert all(node["op"] for node in nodes)
    assert sum(node["macs"] for node in nodes) == result.stats["macs"] > 0
    for way in ("read_bytes", "write_bytes", "compulsory_bytes", "bound_bytes"):
        assert sum(node["dram"][way] for node in nodes) == dram[way]
    check_explanation(tmp_path / "model.acc", result.stats)


@pytest.mark.parametrize("name", ["squeezenet"])
def test_agrees_with_the_onnx_package(name: str, tmp_path: Path):
    """The expected output that came with the model, not one computed here."""
    import onnx

    model = ZOO[light.cache_name(name)]
    result = run(model, "edge", tmp_path)
    want = onnx.numpy_helper.to_array(onnx.load_tensor(light.folder() / f"light_{name}_output_0.pb"))
    assert relative_error(next(iter(result.outputs.values())), want) <= model.tolerance

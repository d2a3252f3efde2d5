"""How far plans are searched: fast, default and best give the same bits, and best never moves more than default."""

from __future__ import annotations

import sys
from pathlib import Path

import acc as package
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import acc, good  # noqa: E402


@pytest.mark.parametrize("name", ["residual", "attention", "quantised"])
def test_the_same_bits_and_no_more_bytes(name: str, tmp_path: Path) -> None:
    model = getattr(small_models, name)(tmp_path / "net.onnx")
    flags = ["--dim", "batch=1"] if name == "residual" else []
    bytes_of: dict[str, int] = {}
    results: list[dict[str, np.ndarray]] = []
    for effort in ("fast", "default", "best"):
        artifact = tmp_path / f"{effort}.acc"
        good("compile", model, *flags, "--target", "tiny", "--plan-effort", effort, "-o", artifact)
        program = package.load(artifact)
        random = np.random.default_rng(5)
        feeds = {t.name: random.integers(0, 50, t.shape) if t.dtype.kind == "i"
                 else random.standard_normal(t.shape).astype(t.dtype) for t in program.inputs}
        results.append(program.run(feeds, sanitize=True))
        bytes_of[effort] = program.stats["dram"]["predicted_bytes"]
    for other in results[1:]:
        assert all(value.tobytes() == results[0][key].tobytes() for key, value in other.items())
    assert bytes_of["best"] <= bytes_of["default"]


def test_an_unknown_effort_is_a_usage_error(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    done = acc("compile", model, "--plan-effort", "maximal", "-o", tmp_path / "net.acc")
    assert done.returncode == 2 and "fast" in done.stderr and "--plan-effort" in done.stderr

"""Any legal schedule gives the same bits (contract C2), moves the bytes that were predicted (C1) and passes
the sanitizer. Schedules are random walks through the space (lib/plan/RandomSchedule.cpp)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import acc
import onnx
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import networks  # noqa: E402

ACC = Path(os.environ.get("ACC_BUILD", "build")) / "bin" / "acc"
SEEDS = int(os.environ.get("ACC_TEST_SEEDS", "6"))  # a model and target; more by hand


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("random")


@pytest.mark.parametrize("target", ("edge", "tiny"))
@pytest.mark.parametrize("name", networks.NAMES)
def test_same_bits(name: str, target: str, folder: Path):
    model = networks.build(name)
    file = folder / f"{name}.onnx"
    if not file.exists():
        onnx.save(model, file)
    feeds = networks.inputs(model)
    want = acc.compile(file, target).run(feeds, sanitize=True)
    for seed in range(1, SEEDS + 1):
        artifact = folder / f"{name}-{target}-{seed}.acc"
        command = [ACC, "compile", file, "-o", artifact, "--target", target, "--plan-seed", str(seed)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"seed {seed}: {done.stderr}"
        try:
            got = acc.load(artifact).run(feeds, sanitize=True)
        except Exception as error:
            raise AssertionError(f"{' '.join(map(str, command))}\n{error}") from None
        for key, value in want.items():
            assert got[key].tobytes() == value.tobytes(), f"{' '.join(map(str, command))}: {key} differs"

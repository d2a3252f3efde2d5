"""Artifacts of every version of the format go on running, with the same bits: one folder a version, never rewritten.

Each holds `*.acc` with `x.npy` and `y.npy`, its input and output. v1: a convolution, ReLU, mean, matrix product and
softmax for the target tiny.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BIN = Path(os.environ.get("ACC_BUILD", HERE.parents[1] / "build")) / "bin"


@pytest.mark.parametrize("artifact", sorted(HERE.glob("v*/*.acc")), ids=lambda path: path.parent.name)
@pytest.mark.parametrize("threads", [1, 2])
def test_runs_with_the_same_bits(artifact: Path, threads: int, tmp_path: Path) -> None:
    done = subprocess.run([BIN / "acc", "run", artifact, "--input", f"x={artifact.with_name('x.npy')}", "--output-dir", tmp_path,
                           "--threads", str(threads), "--sanitize"], text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "y.npy").read_bytes() == artifact.with_name("y.npy").read_bytes()


def test_there_is_one_of_the_first_version() -> None:
    assert list(HERE.glob("v1/*.acc"))

"""Models that are large in one direction each: many nodes, deep nesting, many bytes.

Time and memory grow with the structure, never with the bytes of the weights: those stay in their file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from bad_models import graph, length_delimited, model, node, value
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin"
MIB = 1 << 20


def anonymous_bytes(pid: int) -> int:
    """Memory of a process that no file backs, now."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass  # it has just ended
    return 0


def run(*words, limit: float, **more) -> tuple[float, int, str]:
    """Seconds, peak anonymous bytes and what was said; fails the test on a bad exit."""
    begin, peak = time.monotonic(), 0
    with subprocess.Popen([str(w) for w in words], text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more) as process:
        while process.poll() is None:
            peak = max(peak, anonymous_bytes(process.pid))
            if time.monotonic() - begin > limit:
                process.kill()
                pytest.fail(f"{words[0]} still runs after {limit} s")
            time.sleep(0.002)
        said = process.stderr.read()
    assert process.returncode == 0, said[-2000:]
    return time.monotonic() - begin, peak, said


#--- Nodes ------------------------------------------------------------------------------------------------------

def chain(path: Path, length: int):
    """Relu and Neg in turn, so that nothing can be folded away."""
    nodes = [node(("Relu", "Neg")[i % 2], [f"v{i}"], [f"v{i + 1}"], f"n{i}") for i in range(length)]
    path.write_bytes(model(graph(nodes, [value("v0", (1, 8))], [value(f"v{length}", (1, 8))])).SerializeToString())
    return path


def test_chain_imports(tmp_path: Path):
    """100,000 nodes; memory at most 4.4 times that of 25,000 above the start."""
    _, floor, _ = run(BIN / "acc-translate", "--quiet", "--import-onnx", chain(tmp_path / "one.onnx", 1), limit=20)
    _, small, _ = run(BIN / "acc-translate", "--quiet", "--import-onnx", chain(tmp_path / "small.onnx", 25_000), limit=20)
    seconds, large, _ = run(BIN / "acc-translate", "--quiet", "--import-onnx", chain(tmp_path / "large.onnx", 100_000), limit=30)
    assert large - floor < 4.4 * (small - floor)
    assert large < 600 * MIB

"""acc explore sram: its figures are those of a compile for each size."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import acc as package
import numpy as np
import onnx
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test/plan"), str(ROOT / "test/models")]
import networks  # noqa: E402
from zoo import ZOO  # noqa: E402

ACC = Path(os.environ.get("ACC_BUILD", "build")) / "bin" / "acc"


def run(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(word) for word in (ACC, "explore", *words)], capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def explored(*words: object) -> dict:
    return json.loads(run("sram", *words, "--json").stdout)


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    file = tmp_path / "chain.onnx"
    onnx.save(networks.build("chain"), file)
    return file


def test_figures_are_those_of_compiles(tmp_path: Path):
    """At the size of edge-128k, of the u65-256 and at an odd one."""
    model = ZOO["ocr-cls-int8"]
    sizes = {131072: "edge-128k", 393216: "edge", 100016: "edge"}
    result = explored(model.path(), *model.flags(), "--target", "edge", "--sizes", ",".join(map(str, sizes)))
    assert [point["sram_bytes"] for point in result["points"]] == sorted(sizes)
    for point in result["points"]:
        words = [ACC, "compile", model.path(), *model.flags(), "-o", tmp_path / "net.acc", "--target",
                 sizes[point["sram_bytes"]], "--set", f"sram.bytes={point['sram_bytes']}"]
        subprocess.run(list(map(str, words)), check=True)
        program = package.load(tmp_path / "net.acc")
        program.run({t.name: np.zeros(t.shape, t.dtype) for t in program.inputs})
        dram = program.stats["dram"]
        assert point["dram_bytes"] == dram["predicted_bytes"] == dram["read_bytes"] + dram["write_bytes"]
        assert point["bound_bytes"] == dram["bound_bytes"]
        assert result["compulsory_bytes"] == dram["compulsory_bytes"]


def test_bytes_fall_to_the_bound(chain: Path):
    points = explored(chain, "--from", "8KiB", "--to", "1MiB")["points"]
    moved = [point["dram_bytes"] for point in points]
    assert moved == sorted(moved, reverse=True) and moved[0] > moved[-1] == points[-1]["bound_bytes"]
    assert all(point["bound_bytes"] <= point["dram_bytes"] for point in points)
    assert [point["sram_bytes"] for point in points] == [8192 << k for k in range(8)]


def test_table_and_plot(chain: Path, tmp_path: Path):
    page = tmp_path / "slope.html"
    text = run("sram", chain, "--sizes", "9KiB,1MiB", "--plot", page).stdout
    assert "9 KiB" in text and "1 MiB" in text and "█" in text and "1.000" in text
    page_text = page.read_text()
    assert "chain.onnx" in page_text and not re.search(r"<script[^>]*\ssrc=", page_text), "must work offline"


def test_a_size_that_is_too_small_is_a_row(chain: Path):
    point = explored(chain, "--sizes", "1KiB,1MiB", "--target", "edge")["points"][0]
    assert point["dram_bytes"] is None and "no tile fits" in point["why"]
    assert "does not run" in run("sram", chain, "--sizes", "1KiB,1MiB").stdout


@pytest.mark.parametrize(("words", "status", "says"), [
    (("--sizes", "5"), 1, "sram.bytes"),
    (("--sizes", "100001"), 1, "sram.banks"),
    (("--target", "nowhere"), 1, "nowhere"),
    (("--from", "2MiB", "--to", "1MiB"), 2, "is more than"),
    (("--from", "two"), 2, "must be a whole number"),
    (("--plot", "slope.png"), 2, ".html"),
])
def test_refusals(chain: Path, words: tuple[str, ...], status: int, says: str):
    done = run("sram", chain, *words, status=status)
    assert says in done.stderr and "Traceback" not in done.stderr


def test_a_model_that_is_not_there(tmp_path: Path):
    assert "nothing.onnx" in run("sram", tmp_path / "nothing.onnx", status=1).stderr

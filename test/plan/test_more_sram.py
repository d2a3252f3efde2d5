"""More SRAM never costs bytes: for sizes on the planner's ladder (include/acc/Plan/Ladder.h), between its rungs, and
just beside them, what a compile predicts never grows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT / "test/models")]
import networks  # noqa: E402
from zoo import ZOO  # noqa: E402

ACC = Path(os.environ.get("ACC_BUILD", "build")) / "bin" / "acc"
# Multiples of the 16 banks; few are multiples of the 64 bytes that buffers are rounded up to.
SMALL = (8208, 9104, 10240, 12000, 14336, 15376, 18000, 20480, 22544, 28656, 28672, 40000, 65536, 100000, 262144)
LARGE = (65552, 98304, 114672, 131072, 150000, 393216)


def planned_bytes(file: Path, flags: list[str], sram: int) -> int:
    command = [ACC, "compile", file, "-o", "-", "--emit", "plan", "--set", f"sram.bytes={sram}", *flags]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    prediction = re.search(r"accel\.prediction = \[(.*?)\]", text, re.DOTALL)[1]
    return sum(map(int, re.findall(r"bytes = (\d+)", prediction)))


def check(file: Path, flags: list[str], sizes: tuple[int, ...]) -> None:
    moved = [planned_bytes(file, flags, size) for size in sizes]
    grown = [(sizes[i - 1 : i + 1], moved[i - 1 : i + 1]) for i in range(1, len(sizes)) if moved[i] > moved[i - 1]]
    assert not grown, f"more SRAM, more bytes: {grown}"
    assert moved[-1] < moved[0], "the sizes are not worth comparing"


# `up` moves the fewest bytes in any of these sizes.
@pytest.mark.parametrize("name", [name for name in networks.NAMES if name != "up"])
def test_small_networks(name: str, tmp_path: Path):
    file = tmp_path / "model.onnx"
    onnx.save(networks.build(name), file)
    check(file, ["--target", "edge"], SMALL)


@pytest.mark.parametrize("name", ["ocr-cls-int8"])
def test_whole_models(name: str):
    check(ZOO[name].path(), ["--target", "edge", *ZOO[name].flags()], LARGE)

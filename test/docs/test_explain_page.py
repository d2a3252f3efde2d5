"""docs/explain.md: its example prints what the page shows, and its table has every reason."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "explain.md").read_text()
EXAMPLES = ROOT / "examples" / "schedules"
ACC = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin" / "acc"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain")
    subprocess.run([sys.executable, EXAMPLES / "make_models.py", path], check=True)
    return path


def acc(*words: object) -> str:
    return subprocess.run([ACC, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def shown(first: str) -> list[str]:
    """Lines of the block that begins so."""
    block = next(b for b in re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if b.startswith(first))
    return [line.rstrip() for line in block.splitlines() if line and line != "..."]


def test_what_explain_prints(folder: Path) -> None:
    flags = ("--target", EXAMPLES / "small.toml", "--schedule", EXAMPLES / "separate.mlir")
    acc("compile", folder / "two_convs.onnx", "-o", folder / "a.acc", *flags)
    said = [line.rstrip() for line in acc("explain", folder / "a.acc").splitlines()]
    for line in shown("DRAM bytes"):
        assert line in said


def test_what_the_diff_prints(folder: Path) -> None:
    short = "examples/schedules"
    said = acc("compile", folder / "two_convs.onnx", "--target", f"{short}/small.toml", "--schedule", f"{short}/separate.mlir",
               "--schedule-diff", f"{short}/rolling-between.mlir")
    assert shown(f"{short}/separate") == [line.rstrip() for line in said.splitlines() if line]


def test_every_reason_is_explained() -> None:
    names = re.search(r"CauseName.*?\{(.*?)\};", (ROOT / "runtime" / "artifact" / "names.cc").read_text(), re.DOTALL)
    assert names
    for reason in re.findall(r'"([a-z-]+)"', names[1]):
        assert reason == "compulsory" or f"| `{reason}` |" in PAGE

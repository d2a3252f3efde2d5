"""docs/schedules.md: its schedules move the bytes that it says, give equal bits, and are refused as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import acc
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "schedules"
PAGE = (ROOT / "docs" / "schedules.md").read_text()


def table(head: str) -> list[list[str]]:
    """Rows of every table whose head begins so."""
    lines = PAGE.splitlines()
    rows = []
    for start in (i for i, line in enumerate(lines) if line.startswith(head)):
        for line in lines[start + 2:]:
            if not line.startswith("|"):
                break
            rows.append([cell.strip().strip("`") for cell in line.strip("|").split(" | ")])
    assert rows, head
    return rows


MEASURED = table("| model | target | schedule |")
REFUSED = table("| file | change | to |")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schedules")
    subprocess.run([sys.executable, EXAMPLES / "make_models.py", path], check=True)
    return path


def target_of(name: str) -> str | Path:
    return EXAMPLES / name if name.endswith(".toml") else name


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: row[2])
def test_bytes_are_those_of_the_page(row: list[str], folder: Path):
    model, target, schedule, read, written, _ = row
    x = np.load(folder / "x.npy")
    program = acc.compile(folder / f"{model}.onnx", target_of(target), schedule=EXAMPLES / f"{schedule}.mlir")
    y = program.run({"x": x}, sanitize=True)["y"]
    dram = program.stats["dram"]
    assert [f"{dram['read_bytes']:,}", f"{dram['write_bytes']:,}"] == [read, written]
    searched = acc.compile(folder / f"{model}.onnx", "edge").run({"x": x})["y"]
    np.testing.assert_array_equal(y.view(np.int32), searched.view(np.int32))


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row[3][:30])
def test_refusals_are_those_of_the_page(row: list[str], folder: Path, tmp_path: Path):
    file, change, to, message = row
    text = (EXAMPLES / f"{file}.mlir").read_text()
    assert change in text
    (tmp_path / "edited.mlir").write_text(text.replace(change, to))
    with pytest.raises(acc.CompileError) as refusal:
        acc.compile(folder / "one_conv.onnx", "tiny", schedule=tmp_path / "edited.mlir", output=tmp_path / "a.acc")
    assert message in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["edited.mlir"]


def test_text_on_the_page_is_that_of_the_files():
    squeeze = lambda text: re.sub(r"\s+", " ", text)  # noqa: E731
    files = squeeze("".join(path.read_text() for path in sorted(EXAMPLES.glob("*.mlir"))))
    blocks = re.findall(r"^```mlir\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        assert squeeze(block).strip() in files, block

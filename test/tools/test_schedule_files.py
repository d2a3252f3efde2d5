"""Schedules as text: given back unchanged, edited by hand, refused with the constraint that they break."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import acc as package
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import good, refused  # noqa: E402


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Model, its artifact for tiny, and the schedules."""
    folder = tmp_path_factory.mktemp("schedules")
    model, artifact, schedule = small_models.residual(folder / "net.onnx", 1), folder / "net.acc", folder / "net.mlir"
    good("compile", model, "--target", "tiny", "-o", artifact, "--schedule-out", schedule)
    return model, artifact, schedule


def edited(schedule: Path, to: Path, pattern: str, new: str) -> Path:
    text, count = re.subn(pattern, new, schedule.read_text(), count=1)
    assert count == 1, f"{pattern} is not in\n{schedule.read_text()}"
    to.write_text(text)
    return to


@pytest.mark.parametrize("target", ["edge", "tiny"])
@pytest.mark.parametrize("make", [small_models.residual, small_models.attention, small_models.quantised])
def test_given_back(make, target: str, tmp_path: Path) -> None:
    flags = ["--target", target, *(["--dim", "batch=1"] if make is small_models.residual else [])]
    model = make(tmp_path / "net.onnx")
    good("compile", model, *flags, "-o", tmp_path / "a.acc", "--schedule-out", tmp_path / "a.mlir")
    good("compile", model, *flags, "-o", tmp_path / "b.acc", "--schedule", tmp_path / "a.mlir", "--schedule-out", tmp_path / "b.mlir")
    assert (tmp_path / "a.acc").read_bytes() == (tmp_path / "b.acc").read_bytes()
    assert (tmp_path / "a.mlir").read_text() == (tmp_path / "b.mlir").read_text()


def test_a_tile_size_by_hand(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    model, artifact, schedule = files
    loop = re.search(r"<(\d+) : (\d+)>", schedule.read_text())
    assert loop and int(loop[2]) > 1
    other = edited(schedule, tmp_path / "s.mlir", re.escape(loop[0]), f"<{loop[1]} : 1>")
    good("compile", model, "--target", "tiny", "-o", tmp_path / "other.acc", "--schedule", other)
    assert (tmp_path / "other.acc").read_bytes() != artifact.read_bytes()
    feeds = {"x": np.random.default_rng(1).standard_normal((1, 4, 20, 12)).astype(np.float32)}
    one, two = package.load(artifact), package.load(tmp_path / "other.acc")
    assert one.run(feeds)["y"].tobytes() == two.run(feeds, sanitize=True)["y"].tobytes()
    dram = two.stats["dram"]
    assert dram["read_bytes"] + dram["write_bytes"] == dram["predicted_bytes"]


EDITS = {
    "unknown version": (r"version = 1", "version = 2", "version"),
    "wrong member": (r'"conv1"', '"conv9"', "conv9"),
    "tile too large": (r"<(\d+) : \d+>", r"<\1 : 4000>", "bytes of accumulators, the target has 4096"),
    "two loops over one dimension": (r"loops = \[<(\d+) : (\d+)>", r"loops = [<\1 : \2>, <\1 : \2>", "dimension"),
    "level too deep": (r"level = \d+", "level = 9", "level"),
    "depth 0": (r"depth = \d+", "depth = 0", "depth"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_illegal(edit: str, files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    model, _, schedule = files
    pattern, new, constraint = EDITS[edit]
    bad = edited(schedule, tmp_path / "bad.mlir", pattern, new)
    said = refused("compile", model, "--target", "tiny", "-o", tmp_path / "net.acc", "--schedule", bad)
    assert constraint in said
    assert not (tmp_path / "net.acc").exists()


def test_a_resident_output_of_the_model(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """The last group's result is the model's output, which has to go to DRAM."""
    model, _, schedule = files
    head, _, last = schedule.read_text().rpartition("schedule = ")
    assert "resident" not in last
    bad = tmp_path / "bad.mlir"
    bad.write_text(head + "schedule = " + re.sub(r"members = \[", "resident = [0], members = [", last, count=1))
    said = refused("compile", model, "--target", "tiny", "-o", tmp_path / "net.acc", "--schedule", bad)
    assert "resident" in said or "output" in said


def test_files_that_are_none(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    model, _, _ = files
    for text, reason in (("", "accel.schedules"), ("module {", "s.mlir:1:"), ("module {}", "is this a schedule file?")):
        (tmp_path / "s.mlir").write_text(text)
        assert reason in refused("compile", model, "-o", tmp_path / "net.acc", "--schedule", tmp_path / "s.mlir")
    assert "missing.mlir" in refused("compile", model, "-o", tmp_path / "net.acc", "--schedule", tmp_path / "missing.mlir")

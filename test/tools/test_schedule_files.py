"""Schedules as text: given back unchanged, edited by hand, refused with the constraint that they break."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import acc as package
import numpy as np
import pytest
from onnx import helper

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


def fused(folder: Path, nodes: list, members: list[str], inputs: dict, outputs: dict) -> str:
    """What is said when these members are to be one group."""
    model = small_models.save(folder / "net.onnx", nodes, inputs, outputs, {})
    one = "<rolling = false, level = 0, depth = 1, inplace = -1>"
    names = ", ".join(f'"{name}"' for name in members)
    (folder / "s.mlir").write_text(
        "module attributes {accel.schedules = [{members = [" + names + "], schedule = #accel.schedule<version = 1, anchor = 0, members = ["
        + ", ".join([one] * len(members)) + "]>}]} {}\n")
    said = refused("compile", model, "-o", folder / "net.acc", "--schedule", folder / "s.mlir")
    assert not (folder / "net.acc").exists() and len(said.splitlines()) == 1
    return said


def test_a_fusion_that_a_dependence_forbids(tmp_path: Path) -> None:
    node = helper.make_node
    shape = [1, 4, 8, 8]
    pools = [node("MaxPool", [name], [f"{name}p"], name=f"pool_{name}", kernel_shape=[3, 3], pads=[1, 1, 1, 1]) for name in "ab"]
    apart = fused(tmp_path, pools, ["pool_a", "pool_b"], {"a": shape, "b": shape}, {"ap": shape, "bp": shape})
    assert '"pool_b"' in apart and "cannot be in one group with the operations before it: it reads nothing that they make" in apart
    chain = [pools[0], node("MaxPool", ["ap"], ["bp"], name="pool_b", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             node("Concat", ["ap", "bp"], ["c"], name="concat", axis=1),
             node("AveragePool", ["c"], ["y"], name="last", kernel_shape=[2, 2])]
    view = fused(tmp_path, chain, ["pool_a", "pool_b", "last"], {"a": shape}, {"y": [1, 8, 7, 7]})
    assert '"last"' in view and "it reads their result through a view" in view


EXAMPLES = small_models.ROOT / "examples" / "schedules"


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    subprocess.run([sys.executable, EXAMPLES / "make_models.py", folder], check=True)
    return folder


def test_residents_that_leave_too_little(examples: Path, tmp_path: Path) -> None:
    text = (EXAMPLES / "separate.mlir").read_text().replace("members = [<", "resident = [0], members = [<", 1)
    (tmp_path / "s.mlir").write_text(text)
    compile = ("compile", examples / "two_convs.onnx", "-o", tmp_path / "net.acc", "--schedule", tmp_path / "s.mlir", "--target",
               EXAMPLES / "small.toml")
    assert "residents take 524288 bytes of SRAM here, there are 262144" in refused(*compile)
    said = refused(*compile, "--set", "sram.bytes=576KiB")
    assert "bytes of SRAM, there are 65536, because residents take 524288 of 589824" in said
    assert '"first"' in said or '"second"' in said
    good(*compile, "--set", "sram.bytes=768KiB")


def test_diff_of_groups(examples: Path) -> None:
    said = good("compile", examples / "two_convs.onnx", "--target", EXAMPLES / "small.toml",
                "--schedule", EXAMPLES / "separate.mlir", "--schedule-diff", EXAMPLES / "rolling-between.mlir")
    head, cut, *groups = [line for line in said.splitlines()[1:] if line]
    assert "1 group, 1122304 bytes, 1048576 fewer" in head
    assert cut == '"first" to "second": 2 groups, 2170880 bytes  ->  1 group, 1122304 bytes'
    assert [line.split(":")[0] for line in groups] == ['  - "first"', '  - "second"', '  + "first" to "second"']
    assert all("of SRAM" in line for line in groups)


def test_diff_of_one_group(examples: Path) -> None:
    said = good("compile", examples / "one_conv.onnx", "--target", "tiny", "--schedule", EXAMPLES / "stripes.mlir",
                "--schedule-diff", EXAMPLES / "channels-outside.mlir")
    squeezed = [re.sub(r"\s+", " ", line).strip() for line in said.splitlines()]
    for line in ('"conv": 3725824 bytes in 25088 of SRAM -> 2723840 bytes in 28160',
                 "group loops [<2 : 16>, <1 : 4>] -> [<3 : 8>, <2 : 32>, <1 : 2>]", '"conv" loops [<3 : 8>] -> []',
                 'load of "x" level 2 -> 3', 'load of "x" rolling false -> true', 'load of "x" 842240 bytes -> 2162688 bytes',
                 'load of the constant "conv" 2359296 bytes -> 36864 bytes'):
        assert line in squeezed
    assert "depth" not in said  # the same in both


def test_diff_of_equals_and_of_the_illegal(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    model, artifact, schedule = files
    compile = ("compile", model, "--target", "tiny", "--schedule", schedule)
    assert good(*compile, "--schedule-diff", schedule).endswith("the schedules are equal\n")
    good(*compile, "--schedule-diff", schedule, "-o", tmp_path / "net.acc")
    assert (tmp_path / "net.acc").read_bytes() == artifact.read_bytes()
    bad = edited(schedule, tmp_path / "bad.mlir", r"<(\d+) : \d+>", r"<\1 : 4000>")
    assert "bytes of accumulators" in refused(*compile, "--schedule-diff", bad)
    assert "--schedule" in refused("compile", model, "--schedule-diff", schedule, status=2)
    assert "need -o" in refused(*compile, "--schedule-diff", schedule, "--report", tmp_path / "r.json", status=2)

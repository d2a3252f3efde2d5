"""Every stage's text continues to the artifact of a compile at once, and acc-opt takes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import BIN, good, refused  # noqa: E402

STAGES = ("import", "graph", "plan", "tile", "memory", "codegen")
MODELS = {"residual": (small_models.residual, ["--dim", "batch=2"]), "attention": (small_models.attention, [])}


@pytest.mark.parametrize("target", ["edge", "tiny"])
@pytest.mark.parametrize("name", MODELS)
def test_continuing_gives_the_same_artifact(name: str, target: str, tmp_path: Path) -> None:
    make, dims = MODELS[name]
    model = make(tmp_path / "net.onnx")
    good("compile", model, *dims, "--target", target, "-o", tmp_path / "at-once.acc")
    want = (tmp_path / "at-once.acc").read_bytes()
    for stage in STAGES:
        text, artifact = tmp_path / f"{stage}.mlir", tmp_path / f"{stage}.acc"
        good("compile", model, *dims, "--target", target, "--emit", stage, "-o", text)
        again = subprocess.run([BIN / "acc-opt", text], capture_output=True, text=True)
        assert again.returncode == 0, f"{stage}: {again.stderr}"
        good("compile", text, "--from", stage, "-o", artifact)
        assert artifact.read_bytes() == want, stage


def test_from_stage_to_stage(tmp_path: Path) -> None:
    """One stage at a time, each from the text of the one before."""
    model = small_models.residual(tmp_path / "net.onnx", 1)
    good("compile", model, "--emit", "import", "-o", tmp_path / "import.mlir")
    for before, stage in zip(STAGES, STAGES[1:]):
        good("compile", tmp_path / f"{before}.mlir", "--from", before, "--emit", stage, "-o", tmp_path / f"{stage}.mlir")
    good("compile", tmp_path / "codegen.mlir", "--from", "codegen", "-o", tmp_path / "staged.acc")
    good("compile", model, "-o", tmp_path / "net.acc")
    assert (tmp_path / "staged.acc").read_bytes() == (tmp_path / "net.acc").read_bytes()


def test_program_on_standard_output(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    text = good("compile", model, "--emit", "codegen", "-o", "-")
    assert "isa.routine @main" in text
    again = subprocess.run([BIN / "acc-opt"], input=text, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    (tmp_path / "shown.mlir").write_text(text)
    said = refused("compile", tmp_path / "shown.mlir", "--from", "codegen", "-o", tmp_path / "net.acc")
    assert "weights" in said and "write it to a file" in said
    assert not (tmp_path / "net.acc").exists()


def test_standard_output_that_is_full(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    good("compile", model, "-o", tmp_path / "net.acc")
    for words in (*(["acc", "compile", model, "-o", "-", "--emit", stage] for stage in STAGES), ["acc", "--help"], ["acc", "list-ops"],
                  ["acc", "dump", tmp_path / "net.acc"], ["acc-translate", "--import-onnx", model],
                  ["acc-translate", "--artifact-to-isa", tmp_path / "net.acc"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BIN / words[0], *words[1:]], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1, words
        assert done.stderr == f"{words[0]}: error: standard output: No space left on device\n", words


def test_text_names_its_weights_from_its_own_folder(tmp_path: Path) -> None:
    """Text and weights are moved together, and read from anywhere."""
    model = small_models.residual(tmp_path / "net.onnx", 1)
    good("compile", model, "-o", tmp_path / "net.acc")
    (tmp_path / "made").mkdir()
    for stage in STAGES:
        good("compile", "net.onnx", "--emit", stage, "-o", f"made/{stage}.mlir", cwd=tmp_path)
    subprocess.run([BIN / "acc-translate", "--artifact-to-isa", "net.acc", "-o", "made/shown.mlir"], cwd=tmp_path, check=True)
    subprocess.run([BIN / "acc-translate", "--isa-to-artifact", tmp_path / "made" / "shown.mlir", "-o", "back.acc"], cwd=tmp_path, check=True)
    assert (tmp_path / "back.acc").read_bytes() == (tmp_path / "net.acc").read_bytes()
    (tmp_path / "made").rename(tmp_path / "moved")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for stage in STAGES:
        good("compile", f"../moved/{stage}.mlir", "--from", stage, "-o", "again.acc", cwd=elsewhere)
        assert (elsewhere / "again.acc").read_bytes() == (tmp_path / "net.acc").read_bytes(), stage


def test_a_plan_that_does_not_pack_at_first(tmp_path: Path) -> None:
    """The text of plan is that of the attempt that packs. A machine with little memory needs several."""
    tiny = (small_models.ROOT / "targets" / "tiny.toml").read_text()
    target = tmp_path / "small.toml"
    target.write_text(tiny.replace("bytes = 32768", "bytes = 16384"))
    model = small_models.residual(tmp_path / "net.onnx", 1)
    good("compile", model, "--target", target, "-o", tmp_path / "at-once.acc")
    for stage in ("plan", "tile"):
        good("compile", model, "--target", target, "--emit", stage, "-o", tmp_path / "text.mlir")
        good("compile", tmp_path / "text.mlir", "--from", stage, "-o", tmp_path / "continued.acc")
        assert (tmp_path / "continued.acc").read_bytes() == (tmp_path / "at-once.acc").read_bytes()


def test_contradictions(tmp_path: Path) -> None:
    text, out = tmp_path / "plan.mlir", tmp_path / "net.acc"
    good("compile", small_models.residual(tmp_path / "net.onnx", 1), "--emit", "plan", "-o", text)
    for words in (["--target", "tiny"], ["--dim", "x=1"], ["--precision", "bf16"], ["--schedule", "s.mlir"], ["--plan-seed", 3]):
        assert f"{words[0]} has no meaning with --from plan" in refused("compile", text, "--from", "plan", "-o", out, *words, status=2)
    assert "comes before" in refused("compile", text, "--from", "plan", "--emit", "graph", "-o", out, status=2)
    assert "nothing comes after" in refused("compile", text, "--from", "emit", "-o", out, status=2)
    assert "is not text" in refused("compile", tmp_path / "net.onnx", "-o", "-", status=2)
    for stage in ("tile", "codegen"):
        refused("compile", text, "--from", stage, "-o", out)
    assert "is not what --emit codegen writes" in refused("compile", text, "--from", "codegen", "-o", out)
    assert not out.exists()

"""Artifact → isa text → artifact is the identity, byte for byte; damaged input of acc-translate is one clear error."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import onnx.backend.test
import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin"
LIGHT = Path(onnx.backend.test.__file__).parent / "data" / "light"


def tool(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / name, *map(str, words)], text=True, errors="replace", capture_output=True, timeout=300)


@pytest.mark.parametrize("target", ["edge", "tiny"])
@pytest.mark.parametrize("model", ["light_squeezenet", "light_shufflenet", "light_resnet50"])
def test_binary_text_binary(model: str, target: str, tmp_path: Path) -> None:
    first, text, second = tmp_path / "first.acc", tmp_path / "m.mlir", tmp_path / "second.acc"
    for name, *words in (("acc", "compile", LIGHT / f"{model}.onnx", "-o", first, "--target", target),
                         ("acc-translate", "--artifact-to-isa", first, "-o", text),
                         ("acc-translate", "--isa-to-artifact", text, "-o", second)):
        done = tool(name, *words)
        assert done.returncode == 0, done.stderr
    assert first.read_bytes() == second.read_bytes()


@pytest.fixture(scope="module")
def stored() -> Path:
    return next((ROOT / "test" / "artifacts" / "v1").glob("*.acc"))


def refused(done: subprocess.CompletedProcess[str], out: Path, *said: str) -> None:
    assert done.returncode == 1, f"status {done.returncode}: {done.stderr}"
    assert done.stderr.count("error:") == 1, done.stderr
    for words in said:
        assert words in done.stderr
    assert not out.exists()


def test_damaged_artifacts(stored: Path, tmp_path: Path) -> None:
    out, bad = tmp_path / "out.mlir", tmp_path / "bad.acc"
    whole = stored.read_bytes()
    for content, said in ((b"", "has 0 bytes"), (b"text\n" * 99, "does not start with ACCARTF1"),
                          (whole[:-1], "not a valid artifact"), (whole[:5000], "not a valid artifact"),
                          (whole[:4100] + b"\xff" * 8 + whole[4108:], "not a valid artifact")):
        bad.write_bytes(content)
        refused(tool("acc-translate", "--artifact-to-isa", bad, "-o", out), out, "bad.acc", said)
    refused(tool("acc-translate", "--artifact-to-isa", tmp_path / "no.acc", "-o", out), out, "no.acc")


def test_damaged_text(stored: Path, tmp_path: Path) -> None:
    text, out, bad = tmp_path / "good.mlir", tmp_path / "out.acc", tmp_path / "bad.mlir"
    done = tool("acc-translate", "--artifact-to-isa", stored, "-o", text)
    assert done.returncode == 0, done.stderr
    whole = text.read_text()
    for content, said in (("", ""), (whole[: whole.index("isa.routine")], "bad.mlir:"), (whole.replace("isa.halt", "isa.stop"), "bad.mlir:"),
                          (whole.replace("isa.li r1,", "isa.li r99,"), "expected r0 to r63"),
                          (whole.replace("isa.call @", "isa.call @no_"), "there is no routine")):
        bad.write_text(content)
        refused(tool("acc-translate", "--isa-to-artifact", bad, "-o", out), out, said)
    bad.write_bytes(bytes(range(256)) * 20)
    refused(tool("acc-translate", "--isa-to-artifact", bad, "-o", out), out)

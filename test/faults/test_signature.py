"""A program written as isa text, with sizes that a run decides: `acc run` takes every size in range and refuses others by
name. And isa text that is cut anywhere is one error."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

BIN = Path(os.environ.get("ACC_BUILD", Path(__file__).resolve().parents[2] / "build")) / "bin"

# y = the k greatest of each row of x, and their running sum; rows come in r10, k in r11 (as the size of `like`).
TEXT = """
module {
  isa.program {
    isa.vprog @sum {
    in v0: f32
    body v2 = reg.f32 r10
    body v3 = mul.f32 v0, v2
    reduce v1 = sum.f32 v3 sequential
    out v1: f32 scan
    }
    isa.routine @main {
      isa.dma ld0 compulsory_load signal [s1: 1] op<size = [1, 1, 1, 1, 8, 6], size_reg = [0, 0, 0, 0, 10, 0]>
        stream<space = sram, dtype = f32, stride = [0, 0, 0, 0, 24, 4]>
        stream<space = dram, region = 1, dtype = f32, stride = [0, 0, 0, 0, 24, 4]>
      isa.vec_sort vec wait [s1: 1] op<size = [1, 1, 1, 1, 8, 6], size_reg = [0, 0, 0, 0, 10, 0], flags = 1, init_reg = 11, za = 6>
        stream<space = sram, dtype = f32, base = 1024, stride = [0, 0, 0, 0, 24, 4]>
        stream<space = sram, dtype = i64, base = 2048, stride = [0, 0, 0, 0, 48, 8]>
        stream<space = sram, dtype = f32, stride = [0, 0, 0, 0, 24, 4]>
      isa.vec vec @sum signal [s2: 1] op<size = [1, 1, 1, 1, 8, 6], size_reg = [0, 0, 0, 0, 10, 11], reduce_mask = 32>
        stream<space = sram, dtype = f32, base = 4096, stride = [0, 0, 0, 0, 24, 4]>
        stream<space = sram, dtype = f32, base = 1024, stride = [0, 0, 0, 0, 24, 4]>
      isa.dma st compulsory_store wait [s2: 1] op<size = [1, 1, 1, 1, 8, 6], size_reg = [0, 0, 0, 0, 10, 11]>
        stream<space = dram, region = 2, dtype = f32, stride = [0, 0, 0, 0, 24, 4]>
        stream<space = sram, dtype = f32, base = 4096, stride = [0, 0, 0, 0, 24, 4]>
      isa.halt
    }
  } tables {isa_version = 1 : i64, producer = "a test",
    inputs = [{bytes = 192 : i64, dims = array<i64: 8, 6>, dtype = 1 : i64, name = "x", region = 1 : i64,
               ranges = [{min = 1 : i64, reg = 10 : i64, name = "batch"}, {min = 6 : i64}]},
              {bytes = 6 : i64, dims = array<i64: 6>, dtype = 6 : i64, name = "like", region = 3 : i64,
               ranges = [{min = 1 : i64, reg = 11 : i64, name = "k"}]}],
    outputs = [{bytes = 192 : i64, dims = array<i64: 8, 6>, dtype = 1 : i64, name = "y", region = 2 : i64,
                ranges = [{min = 1 : i64, reg = 10 : i64, name = "batch"}, {min = 1 : i64, reg = 11 : i64, name = "k"}]}],
    counters = [{kind = 2 : i64}, {kind = 2 : i64, routine = 1 : i64}],
    predictions = [{reason = 1 : i64, terms = [{coef = 24 : i64, counters = array<i64: 0>}]},
                   {reason = 2 : i64, tensor = 1 : i64, terms = [{coef = 4 : i64, counters = array<i64: 0, 1>}], write = true}],
    regions = [{bytes = 192 : i64, id = 1 : i64, kind = 1 : i64}, {bytes = 192 : i64, id = 2 : i64, kind = 2 : i64},
               {bytes = 6 : i64, id = 3 : i64, kind = 1 : i64}],
    target = {acc_bytes = 4096 : i64, burst_bytes = 64 : i64, imem_bytes = 16384 : i64, name = "t", queue_depth = 8 : i64,
              sram_bytes = 8192 : i64},
    tensors = [{bytes = 192 : i64, dims = array<i64: 8, 6>, dtype = 1 : i64, live_end = 4294967295 : i64, name = "x",
                node = 4294967295 : i64, region = 1 : i64},
               {bytes = 192 : i64, dims = array<i64: 8, 6>, dtype = 1 : i64, live_end = 4294967295 : i64, name = "y",
                node = 4294967295 : i64, region = 2 : i64}]}
}
"""


def tool(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / name, *map(str, words)], text=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signature")
    (folder / "p.mlir").write_text(TEXT)
    done = tool("acc-translate", "--isa-to-artifact", folder / "p.mlir", "-o", folder / "p.acc")
    assert done.returncode == 0, done.stderr
    return folder / "p.acc"


def run(artifact: Path, folder: Path, x: np.ndarray, k: int) -> subprocess.CompletedProcess[str]:
    np.save(folder / "x.npy", x)
    np.save(folder / "like.npy", np.zeros(k, np.uint8))
    return tool("acc", "run", artifact, "--input", f"x={folder / 'x.npy'}", "--input", f"like={folder / 'like.npy'}",
                "--output-dir", folder / "out", "--sanitize")


@pytest.mark.parametrize(("rows", "k"), [(1, 1), (3, 4), (8, 6), (5, 6), (8, 2)])
def test_every_size_in_range(artifact: Path, tmp_path: Path, rows: int, k: int) -> None:
    x = np.random.default_rng(rows).integers(-8, 8, (rows, 6)).astype(np.float32)
    done = run(artifact, tmp_path, x, k)
    assert done.returncode == 0, done.stderr
    want = np.cumsum(-np.sort(-x, axis=1)[:, :k] * np.float32(rows), axis=1, dtype=np.float32)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "y.npy"), want)


@pytest.mark.parametrize(("rows", "k", "message"), [
    (9, 1, 'input "x": dimension 0 (batch) is 9, the artifact was compiled for 1 to 8'),
    (2, 7, 'input "like": dimension 0 (k) is 7, the artifact was compiled for 1 to 6'),
])
def test_a_size_out_of_range_is_refused_by_name(artifact: Path, tmp_path: Path, rows: int, k: int, message: str) -> None:
    done = run(artifact, tmp_path, np.zeros((rows, 6), np.float32), k)
    assert done.returncode == 1
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_text_and_artifact_are_the_same(artifact: Path, tmp_path: Path) -> None:
    once, twice = tmp_path / "once.mlir", tmp_path / "twice.mlir"
    assert tool("acc-translate", "--artifact-to-isa", artifact, "-o", once).returncode == 0
    assert "reg.f32 r10" in once.read_text() and "f32 scan" in once.read_text() and "isa.vec_sort" in once.read_text()
    again = tmp_path / "again.acc"
    assert tool("acc-translate", "--isa-to-artifact", once, "-o", again).returncode == 0
    assert again.read_bytes() == artifact.read_bytes()
    assert tool("acc-translate", "--artifact-to-isa", again, "-o", twice).returncode == 0
    ignore = re.compile(r'source = "[^"]*"')
    assert ignore.sub("", once.read_text()) == ignore.sub("", twice.read_text())


def test_cut_instructions_are_one_error(tmp_path: Path) -> None:
    """Cut behind each word and sign of the instructions. (MLIR's own array attributes in tables report twice.)"""
    code = TEXT[:TEXT.index("} tables")]
    cuts = sorted({m.end() for m in re.finditer(r"[\w.]+|[<=\[{:]", code)})[1::2]
    for cut in cuts:
        done = subprocess.run([BIN / "acc-opt", "-"], input=code[:cut], text=True, capture_output=True, timeout=60)
        assert done.returncode == 1
        assert done.stderr.count("error:") == 1, (code[max(0, cut - 60):cut], done.stderr)

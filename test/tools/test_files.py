"""Files appear whole or not at all (contract C8): killed at random moments, disk full, no folder."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import BIN, acc, good, refused  # noqa: E402

KILLS = 25


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two matrices of 16 MB: the artifact takes a while to write."""
    weights = [np.random.default_rng(i).standard_normal((2048, 2048)).astype(np.float32) for i in (1, 2)]
    nodes = [helper.make_node("MatMul", ["x", "w1"], ["h"], name="first"), helper.make_node("MatMul", ["h", "w2"], ["y"], name="second")]
    path = tmp_path_factory.mktemp("heavy") / "heavy.onnx"
    return small_models.save(path, nodes, {"x": [1, 2048]}, {"y": [1, 2048]}, {"w1": weights[0], "w2": weights[1]})


@pytest.mark.parametrize("older", [False, True])
def test_killed_at_random_moments(heavy: Path, older: bool, tmp_path: Path) -> None:
    artifact = tmp_path / "net.acc"
    start = time.monotonic()
    good("compile", heavy, "-o", artifact)
    whole_run = time.monotonic() - start
    new, old = artifact.read_bytes(), b"an older artifact"
    moments, killed = random.Random(7), 0
    for _ in range(KILLS):
        artifact.unlink(missing_ok=True)
        if older:
            artifact.write_bytes(old)
        process = subprocess.Popen([BIN / "acc", "compile", heavy, "-o", artifact], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0, 1.1 * whole_run))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        if artifact.exists():
            assert artifact.read_bytes() in ((new, old) if older else (new,))
        else:
            assert not older, "the older artifact is gone"
        # Between link and rename the file has a second name; it is complete then.
        for left in tmp_path.iterdir():
            assert left == artifact or left.read_bytes() == new, f"{left.name} is left behind"
            left.unlink()
    assert killed > KILLS // 3


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(heavy: Path, stop: signal.Signals, tmp_path: Path) -> None:
    whole, artifact = tmp_path / "whole.acc", tmp_path / "out" / "net.acc"
    good("compile", heavy, "-o", whole)
    artifact.parent.mkdir()
    for delay in (0.02, 0.06, 0.1):
        process = subprocess.Popen([BIN / "acc", "compile", heavy, "-o", artifact])
        time.sleep(delay)
        process.send_signal(stop)
        finished = process.wait() == 0
        # The signal may also come between the rename and the end of the process.
        left = list(artifact.parent.iterdir())
        assert left in ([], [artifact]) and (left or not finished)
        if left:
            assert artifact.read_bytes() == whole.read_bytes()
            artifact.unlink()


def limited(size: int):
    """At most `size` bytes a file: what a full disk looks like to a program that writes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("words", [["-o"], ["--emit", "codegen", "-o"], ["--emit", "plan", "-o"]])
def test_no_room(words: list[str], tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    folder = tmp_path / "out"
    folder.mkdir()
    for old in (None, b"older"):
        if old:
            (folder / "net").write_bytes(old)
        before = sorted(p.name for p in folder.iterdir())
        said = refused("compile", model, *words, folder / "net", preexec_fn=limited(2000))
        assert "File too large" in said and len(said.splitlines()) == 1
        assert sorted(p.name for p in folder.iterdir()) == before
        assert not old or (folder / "net").read_bytes() == old


def test_no_room_for_outputs_and_statistics(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    good("compile", model, "-o", tmp_path / "net.acc")
    np.save(tmp_path / "x.npy", np.zeros((1, 4, 20, 12), np.float32))
    words = ("run", tmp_path / "net.acc", "--input", f"x={tmp_path / 'x.npy'}")
    said = refused(*words, "--stats", tmp_path / "stats.json", preexec_fn=limited(100))
    assert "File too large" in said and not (tmp_path / "stats.json").exists()
    refused(*words, "--output-dir", tmp_path / "out", preexec_fn=limited(10))
    assert not (tmp_path / "out").exists()


def test_full_standard_output(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    good("compile", model, "-o", tmp_path / "net.acc")
    for words in (["compile", model, "--emit", "plan", "-o", "-"], ["dump", tmp_path / "net.acc"], ["list-ops"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BIN / "acc", *words], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and "No space left on device" in done.stderr
    assert "No space left on device" in refused("compile", model, "-o", "/dev/full")


def test_folders(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    good("compile", model, "-o", tmp_path / "net.acc")
    said = refused("compile", model, "-o", tmp_path / "nowhere" / "net.acc")
    assert str(tmp_path / "nowhere" / "net.acc") in said and "No such file or directory" in said
    assert "is a directory" in refused("compile", model, "-o", tmp_path)
    said = refused("compile", model, "--emit", "graph", "-o", tmp_path / "nowhere" / "net.mlir")
    assert "No such file or directory" in said
    said = refused("compile", model, "-o", tmp_path / "again.acc", "--schedule-out", tmp_path / "nowhere" / "s.mlir")
    assert "nowhere/s.mlir" in said
    np.save(tmp_path / "x.npy", np.zeros((1, 4, 20, 12), np.float32))
    said = refused("run", tmp_path / "net.acc", "--input", f"x={tmp_path / 'x.npy'}", "--output-dir", tmp_path / "net.acc")
    assert "net.acc" in said
    # proc is a folder that not even root may write into.
    assert "acc: error:" in refused("compile", model, "-o", "/proc/net.acc")


def test_symbolic_links_stay(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    (tmp_path / "real.acc").write_bytes(b"old")
    (tmp_path / "link.acc").symlink_to("real.acc")
    good("compile", model, "-o", tmp_path / "link.acc")
    assert (tmp_path / "link.acc").is_symlink()
    assert len((tmp_path / "real.acc").read_bytes()) > 1000


def test_a_bug_leaves_a_reproducer(heavy: Path, tmp_path: Path) -> None:
    """A signal that no input causes stands in for a bug. The reproducer continues to the same artifact."""
    good("compile", heavy, "-o", tmp_path / "whole.acc")
    artifact = tmp_path / "net.acc"
    for attempt in range(40):
        process = subprocess.Popen([BIN / "acc", "compile", heavy, "-o", artifact], stderr=subprocess.PIPE, text=True)
        time.sleep(0.01 * 1.12 ** attempt)  # a loaded machine takes longer to get there
        process.send_signal(signal.SIGSEGV)
        said = process.communicate()[1]
        if process.returncode == 3 and "stage import" not in said:
            break
    assert process.returncode == 3 and "which is a bug of acc: please report it with" in said
    assert not artifact.exists()
    reproducer = tmp_path / "net.acc.reproducer.mlir"
    text = reproducer.read_text()
    assert f"// made by: acc compile {heavy} -o {artifact}\n" in text
    command = next(line for line in text.splitlines() if line.startswith("// shows it: acc ")).removeprefix("// shows it: acc ")
    assert command.startswith(f"compile {reproducer} --from ")
    good(*command.split())
    assert artifact.read_bytes() == (tmp_path / "whole.acc").read_bytes()

"""What a user meets who gives `acc run` something broken: one clear error, status 1, nothing left behind."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

BIN = Path(os.environ.get("ACC_BUILD", Path(__file__).resolve().parents[2] / "build")) / "bin"
# Flips of single bits in an artifact. Seeded: the same ones every time.
FLIPS = 300
CPU_SECONDS = 60


def acc(*words: str | Path, **more) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / "acc", *map(str, words)], text=True, errors="replace", capture_output=True,
                          timeout=CPU_SECONDS, **more)


def one_error(done: subprocess.CompletedProcess[str], *said: str) -> None:
    """Status 1 and one message that says all of this."""
    assert done.returncode == 1, f"status {done.returncode}: {done.stderr}"
    assert done.stderr.startswith("acc: error: ") and done.stderr.count("error:") == 1, done.stderr
    assert done.stdout == ""
    for words in said:
        assert words in done.stderr


def value(name: str, *dims: int, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, dims)


def save(path: Path, nodes: list, inputs: list, outputs: list, constants: list = ()) -> Path:
    graph = helper.make_graph(nodes, "small", inputs, outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def artifact(folder: Path) -> Path:
    """y = relu(conv(x))."""
    weights = np.random.default_rng(5).standard_normal((4, 2, 3, 3), dtype=np.float32)
    model = save(folder / "m.onnx",
                 [helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["c"], ["y"])],
                 [value("x", 1, 2, 6, 5)], [value("y", 1, 4, 6, 5)], [numpy_helper.from_array(weights, "w")])
    path = folder / "m.acc"
    done = acc("compile", model, "-o", path, "--target", "tiny")
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def x(folder: Path) -> Path:
    path = folder / "x.npy"
    np.save(path, np.random.default_rng(6).standard_normal((1, 2, 6, 5), dtype=np.float32))
    return path


def run(artifact: Path, x: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    return acc("run", artifact, "--input", f"x={x}", *more)


# ---------------------------------------------------------------------------------------------- the artifact


def test_truncated_at_every_interesting_length(artifact: Path, x: Path, tmp_path: Path) -> None:
    whole = artifact.read_bytes()
    lengths = {*range(0, 80), *range(4096, len(whole), 4096), *(n + 1 for n in range(4096, len(whole) - 1, 4096)),
               *(len(whole) * i // 40 for i in range(40)), len(whole) - 1}
    cut = tmp_path / "cut.acc"
    for length in sorted(lengths):
        cut.write_bytes(whole[:length])
        one_error(run(cut, x, "--output-dir", tmp_path / "out"), f"{cut}: not a valid artifact: ")
    assert not (tmp_path / "out").exists()


def test_bit_flips_are_found_or_harmless(artifact: Path, x: Path, tmp_path: Path) -> None:
    whole = artifact.read_bytes()
    done = run(artifact, x, "--output-dir", tmp_path / "good")
    assert done.returncode == 0, done.stderr
    right = (tmp_path / "good" / "y.npy").read_bytes()
    seeded, bad, found = random.Random(8), tmp_path / "bad.acc", 0
    for _ in range(FLIPS):
        at = seeded.randrange(len(whole))
        bad.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << seeded.randrange(8)]) + whole[at + 1:])
        done = run(bad, x, "--output-dir", tmp_path / "out")
        if done.returncode == 0:  # padding between segments, which nothing reads
            assert whole[at] == 0, f"byte {at}"
            assert (tmp_path / "out" / "y.npy").read_bytes() == right
        else:
            one_error(done, f"{bad}: ")
            found += 1
    assert found > 20


@pytest.mark.parametrize("content,said", [
    (b"", "has 0 bytes"), (b"hello, world\n" * 40, "does not start with ACCARTF1"),
    (bytes(random.Random(1).randbytes(5000)), "does not start with ACCARTF1"),
    (b"ACCARTF1" + bytes(random.Random(2).randbytes(5000)), "not a valid artifact")])
def test_files_that_are_no_artifacts(content: bytes, said: str, x: Path, tmp_path: Path) -> None:
    path = tmp_path / "f.acc"
    path.write_bytes(content)
    one_error(run(path, x), f"{path}: ", said)


def test_a_model_instead_of_an_artifact(folder: Path, artifact: Path, x: Path) -> None:
    one_error(run(folder / "m.onnx", x), "m.onnx: not a valid artifact")


def test_missing_file_and_folder(x: Path, tmp_path: Path) -> None:
    one_error(run(tmp_path / "no.acc", x), "no.acc: cannot open: No such file or directory")
    one_error(run(tmp_path, x), f"{tmp_path}: is not a regular file")


# ---------------------------------------------------------------------------------------------- its inputs


def test_inputs_that_do_not_fit(artifact: Path, x: Path, tmp_path: Path) -> None:
    def given(array: np.ndarray, *said: str) -> None:
        path = tmp_path / "i.npy"
        np.save(path, array)
        one_error(run(artifact, path, "--output-dir", tmp_path / "out"), f"{path}: ", *said, "input 'x' is float[1, 2, 6, 5]")

    good = np.load(x)
    given(good[:, :1], "has shape [1, 1, 6, 5]")
    given(good[0], "has shape [2, 6, 5]")
    given(good.astype(np.float64), "has element type <f8")
    given(good.astype(">f4"), "has element type >f4")
    given(np.asfortranarray(good), "Fortran order")
    given(np.zeros((0,), np.float32), "has shape [0]")
    assert not (tmp_path / "out").exists()


def test_names_of_inputs(artifact: Path, x: Path) -> None:
    one_error(acc("run", artifact), "input 'x' is not given: add --input x=FILE.npy")
    one_error(run(artifact, x, "--input", f"q={x}"), "the model has no input 'q', it has 'x'")
    one_error(run(artifact, x, "--input", f"x={x}"), "'x' is given twice")
    one_error(acc("run", artifact, "--input", "x"), "--input x: is not NAME=FILE")


def test_unreadable_inputs(artifact: Path, x: Path, tmp_path: Path) -> None:
    one_error(run(artifact, tmp_path / "no.npy"), "no.npy: cannot be read")
    one_error(run(artifact, tmp_path), f"{tmp_path}: cannot be read: ", "directory")
    whole = x.read_bytes()
    path = tmp_path / "i.npy"
    for length in (0, 5, 9, 11, 40, 127, 128, len(whole) - 1):
        path.write_bytes(whole[:length])
        one_error(run(artifact, path), f"{path}: ")
    for header in (b"{'descr':", b"{'descr': '<f4', 'fortran_order': False, 'shape': (", b"{" * 50, b"\xff" * 70):
        path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        one_error(run(artifact, path), f"{path}: ")
    proto = tmp_path / "i.pb"
    proto.write_bytes(b"\x12\xff\xff\xff")
    one_error(run(artifact, proto), "not an ONNX TensorProto")


# ---------------------------------------------------------------------------------------------- its outputs


def test_outputs_that_cannot_be_written(artifact: Path, x: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    one_error(run(artifact, x, "--output-dir", tmp_path / "file"), "file: ")
    one_error(run(artifact, x, "--output-dir", tmp_path / "file" / "below"), "below: ")
    one_error(run(artifact, x, "--output-dir", "/proc/outputs"), "/proc/outputs: ")
    one_error(run(artifact, x, "--stats", tmp_path / "absent" / "stats.json"), "stats.json: cannot ")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_full_disk(artifact: Path, x: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for it, and the device that is always full."""
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    done = acc("run", artifact, "--input", f"x={x}", "--output-dir", tmp_path / "new" / "out", preexec_fn=small_files)
    one_error(done, "y.npy: cannot write the file: ", "free some space")
    assert not list(tmp_path.iterdir())
    one_error(run(artifact, x, "--stats", "/dev/full", "--output-dir", tmp_path / "out"), "/dev/full: cannot write the file")
    assert not list(tmp_path.iterdir())  # outputs and statistics appear together


def test_a_failed_run_leaves_older_outputs_alone(artifact: Path, x: Path, tmp_path: Path) -> None:
    assert run(artifact, x, "--output-dir", tmp_path).returncode == 0
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert sorted(before) == ["outputs.json", "y.npy"]
    other = tmp_path.parent / "other.npy"
    np.save(other, np.load(x) * 2)
    one_error(run(artifact, other, "--output-dir", tmp_path, "--max-instructions", "5"), "stopped after 5 instructions")
    one_error(run(artifact, other, "--output-dir", tmp_path, "--stats", "/dev/full"), "/dev/full: ")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_devices_stay_devices(artifact: Path, x: Path, tmp_path: Path) -> None:
    link = tmp_path / "stats.json"
    link.symlink_to(tmp_path / "real.json")
    (tmp_path / "real.json").write_text("old")
    assert run(artifact, x, "--stats", "/dev/null").returncode == 0
    assert Path("/dev/null").is_char_device()
    assert run(artifact, x, "--stats", link).returncode == 0
    assert link.is_symlink() and "dram" in json.loads((tmp_path / "real.json").read_text())


def test_outputs_whose_names_no_file_can_tell_apart(folder: Path, tmp_path: Path) -> None:
    model = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y/0"]), helper.make_node("Neg", ["x"], ["y:0"])],
                 [value("x", 2)], [value("y/0", 2), value("y:0", 2)])
    assert acc("compile", model, "-o", tmp_path / "m.acc").returncode == 0
    np.save(tmp_path / "x.npy", np.array([-3, 5], np.float32))
    done = run(tmp_path / "m.acc", tmp_path / "x.npy", "--output-dir", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    listed = json.loads((tmp_path / "out" / "outputs.json").read_text())
    assert [(o["name"], o["file"]) for o in listed] == [("y/0", "y_0.npy"), ("y:0", "y_0_2.npy")]
    assert np.load(tmp_path / "out" / "y_0.npy").tolist() == [0, 5]
    assert np.load(tmp_path / "out" / "y_0_2.npy").tolist() == [3, -5]


@pytest.mark.parametrize("words", [["--threads", "0"], ["--threads", "many"], ["--max-instructions", "-1"],
                                   ["--output-format", "csv"], ["--no-such-option"]])
def test_wrong_usage(artifact: Path, x: Path, words: list[str]) -> None:
    done = run(artifact, x, *words)
    assert done.returncode == 2 and done.stderr and not done.stdout

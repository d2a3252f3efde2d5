"""Models that are large in one direction each: many nodes, deep nesting, many bytes.

Time and memory grow with the structure, never with the bytes of the weights: those stay in their file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from bad_models import graph, length_delimited, model, node, value
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin"
MIB = 1 << 20


def anonymous_bytes(pid: int) -> int:
    """Memory of a process that no file backs, now."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass  # it has just ended
    return 0


def run(*words, limit: float, **more) -> tuple[float, int]:
    """User CPU seconds and peak anonymous bytes; fails the test on a bad exit."""
    begin, peak = time.monotonic(), 0
    with subprocess.Popen([str(w) for w in words], text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more) as process:
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            peak = max(peak, anonymous_bytes(process.pid))
            if time.monotonic() - begin > limit:
                process.kill()
                pytest.fail(f"{words[0]} still runs after {limit} s")
            time.sleep(0.002)
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        assert process.returncode == 0, process.stderr.read()[-2000:]
    return ended[2].ru_utime, peak


def translate(model_file: Path, limit: float = 30) -> tuple[float, int]:
    return run(BIN / "acc-translate", "--quiet", "--import-onnx", model_file, limit=limit)


def compile_model(model_file: Path, limit: float = 120) -> tuple[float, int]:
    return run(BIN / "acc", "compile", model_file, "-o", model_file.with_suffix(".acc"), limit=limit)


#--- Nodes ------------------------------------------------------------------------------------------------------

def relus(length: int) -> onnx.GraphProto:
    """Relu and Neg in turn: all of it fits into one group."""
    nodes = [node(("Relu", "Neg")[i % 2], [f"v{i}"], [f"v{i + 1}"], f"n{i}") for i in range(length)]
    return graph(nodes, [value("v0", (1, 8))], [value(f"v{length}", (1, 8))])


def matmuls(length: int) -> onnx.GraphProto:
    """Groups of their own that read one weight."""
    weight = numpy_helper.from_array(np.eye(8, dtype=np.float32), "w")
    nodes = [node("MatMul", [f"v{i}", "w"], [f"v{i + 1}"], f"n{i}") for i in range(length)]
    return graph(nodes, [value("v0", (1, 8))], [value(f"v{length}", (1, 8))], [weight])


def residuals(length: int) -> onnx.GraphProto:
    nodes = [node("Add", [f"v{i}", f"v{max(0, i - 1)}"], [f"v{i + 1}"], f"n{i}") for i in range(length)]
    return graph(nodes, [value("v0", (1, 8))], [value(f"v{length}", (1, 8))])


@pytest.mark.parametrize(("work", "chain"), [(translate, relus), (compile_model, relus), (compile_model, matmuls),
                                             (compile_model, residuals)])
def test_chain_is_linear(work, chain, tmp_path: Path):
    """Four times the nodes, about four times the seconds and the bytes."""
    measured = {}
    for length in (1, 25_000, 100_000):
        path = tmp_path / f"{length}.onnx"
        path.write_bytes(model(chain(length)).SerializeToString())
        measured[length] = work(path)
    (floor_seconds, floor_bytes), (seconds, used), (long_seconds, long_used) = measured.values()
    assert long_used - floor_bytes < 5 * (used - floor_bytes)
    assert long_used < 600 * MIB
    assert long_seconds - floor_seconds < 6.5 * (seconds - floor_seconds)


def nested_ifs(depth: int) -> bytes:
    """If in If in If; the innermost branch computes on the input of the whole model.

    By hand: Python's protobuf does not go that deep. Bytes that follow a message add fields to it."""
    def branch(name: str, inside: bytes, result: str) -> bytes:
        shell = helper.make_graph([], "g_" + result, [], [value(result, (2, 3))])
        head = onnx.AttributeProto(name=name, type=onnx.AttributeProto.GRAPH).SerializeToString()
        return length_delimited(5, head + length_delimited(6, shell.SerializeToString() + length_delimited(1, inside)))

    result, inside = "r", node("Relu", ["x"], ["r"], "innermost").SerializeToString()
    for level in range(depth):
        other = node("Neg", ["x"], [f"e{level}"], f"else{level}").SerializeToString()
        inside = (node("If", ["c"], [f"t{level}"], f"if{level}").SerializeToString() + branch("then_branch", inside, result) +
                  branch("else_branch", other, f"e{level}"))
        result = f"t{level}"
    shell = graph([], [value("x"), value("c", (), TensorProto.BOOL)], [value(result)])
    whole = model(shell)
    whole.ClearField("graph")
    return whole.SerializeToString() + length_delimited(7, shell.SerializeToString() + length_delimited(1, inside))


def test_500_nested_subgraphs(tmp_path: Path):
    (tmp_path / "m.onnx").write_bytes(nested_ifs(500))
    run(BIN / "acc-translate", "-o", tmp_path, "--round-trip", tmp_path / "m.onnx", limit=30)
    # The text form too, and everything that reads it.
    run(BIN / "acc-translate", "--import-onnx", tmp_path / "m.onnx", "-o", tmp_path / "m.mlir", limit=30)
    run(BIN / "acc-opt", tmp_path / "m.mlir", "-o", tmp_path / "again.mlir", limit=30)
    done = subprocess.run([BIN / "acc", "compile", tmp_path / "m.onnx", "-o", tmp_path / "m.acc"], text=True,
                          stderr=subprocess.PIPE, timeout=60)
    assert done.returncode in (0, 1), done.stderr[-2000:]


#--- Bytes ------------------------------------------------------------------------------------------------------

ROWS = 3 << 18  # x 1024 f32: 3 GiB


def add_weight(path: Path, weight: TensorProto):
    lookup = node("Gather", ["w", "i"], ["y"], "lookup", axis=0)
    return model(graph([lookup], [value("i", (4,), TensorProto.INT64)], [value("y", (4, 1024))], [weight]))


def external_3_gib(folder: Path) -> Path:
    """Sparse: 3 GiB of zeros behind one number, no block of the disk."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[ROWS, 1024], data_location=TensorProto.EXTERNAL)
    for key, text in {"location": "w.bin", "offset": "0", "length": str(ROWS * 4096)}.items():
        weight.external_data.add(key=key, value=text)
    (folder / "m.onnx").write_bytes(add_weight(folder, weight).SerializeToString())
    with open(folder / "w.bin", "wb") as file:
        file.truncate(ROWS * 4096)
    return folder / "m.onnx"


def embedded_1_gib(folder: Path) -> Path:
    """raw_data inside of the protobuf file, by hand: the file is sparse as well."""
    rows = 1 << 18
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[rows, 1024])
    whole = add_weight(folder, weight)
    del whole.graph.initializer[:]

    def head(number: int, length: int) -> bytes:
        return length_delimited(number, b"\0" * length)[:-length] if length < 1 << 16 else bytes([number << 3 | 2]) + varint(length)

    def varint(number: int) -> bytes:
        return (bytes([number & 0x7F | 0x80]) + varint(number >> 7)) if number > 0x7F else bytes([number])

    size = rows * 4096
    tensor = weight.SerializeToString() + head(9, size)  # raw_data
    others = whole.graph.SerializeToString()
    initializer = head(5, len(tensor) + size)
    graph_length = len(others) + len(initializer) + len(tensor) + size
    del whole.graph.node[:], whole.graph.input[:], whole.graph.output[:]
    whole.ClearField("graph")
    with open(folder / "m.onnx", "wb") as file:
        file.write(whole.SerializeToString() + head(7, graph_length) + others + initializer + tensor)
        file.truncate(file.tell() + size)
    return folder / "m.onnx"


@pytest.mark.parametrize("write", [external_3_gib, embedded_1_gib])
def test_weights_stay_in_their_file(write, tmp_path: Path):
    """Gigabytes of weights, some megabytes of memory that are not the mapped file."""
    path = write(tmp_path)
    _, floor = run(BIN / "acc-translate", "--help", limit=20)
    _, used = translate(path)
    assert used - floor < 40 * MIB
    text = tmp_path / "m.mlir"
    run(BIN / "acc-translate", "--import-onnx", path, "-o", text, limit=30)
    assert text.stat().st_size < 10_000 and "#onnx.file<" in text.read_text()


def test_graph_stage_leaves_weights_alone(tmp_path: Path):
    path = external_3_gib(tmp_path)
    _, used = run(BIN / "acc", "compile", path, "-o", tmp_path / "m.mlir", "--emit", "graph", limit=60)
    assert used < 100 * MIB


#--- Text -------------------------------------------------------------------------------------------------------

def perceptron(folder: Path, external: bool) -> Path:
    rng = np.random.default_rng(3)
    weights = [numpy_helper.from_array(rng.standard_normal((64, 96), dtype=np.float32), "w"),
               numpy_helper.from_array(rng.standard_normal(96, dtype=np.float32), "b")]
    made = model(graph([node("Gemm", ["x", "w", "b"], ["h"], "gemm"), node("Relu", ["h"], ["y"], "relu")],
                       [value("x", (4, 64))], [value("y", (4, 96))], weights))
    onnx.save(made, folder / "m.onnx", save_as_external_data=external, location="m.bin", size_threshold=0)
    return folder / "m.onnx"


@pytest.mark.parametrize("external", [False, True], ids=["embedded", "external"])
@pytest.mark.parametrize("stage", ["import", "graph", "plan"])
def test_text_of_another_folder_continues(stage: str, external: bool, tmp_path: Path):
    """--emit writes references to the weights; --from reads them wherever it runs, with the same artifact.

    Relative paths in a text are relative to the text."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    path = perceptron(here, external)
    acc = BIN / "acc"
    run(acc, "compile", "m.onnx", "-o", "direct.acc", limit=60, cwd=here)
    run(acc, "compile", "m.onnx", "-o", "m.mlir", "--emit", stage, limit=60, cwd=here)
    run(acc, "compile", path, "-o", there / "m.mlir", "--emit", stage, limit=60, cwd=there)
    run(acc, "compile", "../here/m.mlir", "-o", "moved.acc", "--from", stage, limit=60, cwd=there)
    run(acc, "compile", there / "m.mlir", "-o", "absolute.acc", "--from", stage, limit=60, cwd=there)
    direct = (here / "direct.acc").read_bytes()
    assert (there / "absolute.acc").read_bytes() == direct
    assert (there / "moved.acc").read_bytes() == direct
    shutil.move(here, tmp_path / "elsewhere")
    run(acc, "compile", "elsewhere/m.mlir", "-o", "moved.acc", "--from", stage, limit=60, cwd=tmp_path)
    assert (tmp_path / "moved.acc").read_bytes() == direct


def test_text_without_its_weights(tmp_path: Path):
    perceptron(tmp_path, external=True)
    run(BIN / "acc", "compile", "m.onnx", "-o", "m.mlir", "--emit", "import", limit=60, cwd=tmp_path)
    (tmp_path / "m.bin").unlink()
    done = subprocess.run([BIN / "acc", "compile", "m.mlir", "-o", "m.acc", "--from", "import"], cwd=tmp_path, text=True,
                          stderr=subprocess.PIPE, timeout=60)
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    assert done.returncode == 1 and len(errors) == 1 and "m.bin" in errors[0], done.stderr
    assert not (tmp_path / "m.acc").exists()

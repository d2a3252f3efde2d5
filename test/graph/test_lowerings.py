"""Every operator that acc lowers, judged by ONNX: the node tests of the onnx package, compiled and run.

    pytest test/graph/test_lowerings.py                     one of three cases on tiny, all operators on edge
    ACC_TEST_NODES=all pytest test/graph/test_lowerings.py  every case on both targets
    python test/graph/test_lowerings.py [TEXT]              what was refused or failed, and the counts

A case counts where all of its operators are in `acc list-ops`. One that acc refuses (exit status 1 and a
message) is tried again with every input but the first as a constant, since most models have axes, shapes
and weights as constants. Those refused then, too, stand in refused-nodes.txt with acc's reason: another
one that is refused is a failure, as is one there that compiles. Not held against ONNX's numbers: random
operators, and sequences, optionals and strings, which are no tensors of the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

ROOT = Path(__file__).resolve().parents[2]
ACC = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin" / "acc"
NODES = Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"
RANDOM = {"Bernoulli", "Dropout", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial"}
# ONNX's text says that the last position of aligned corners is the length of the result less one; so do ONNX
# Runtime and acc. Its reference, from which the cases' outputs come, takes scale * length - 1, a fraction.
DIVERGES = {"test_resize_downsample_scales_cubic_align_corners", "test_resize_downsample_scales_linear_align_corners"}
# ONNX's own backend test uses these for f32; narrower types carry fewer digits.
RELATIVE, ABSOLUTE = 1e-3, 1e-6
NARROW = {"float16": 4e-3, "bfloat16": 3e-2}
REFUSED = {line.split("#")[0].strip() for line in (Path(__file__).parent / "refused-nodes.txt").read_text().splitlines()} - {""}


class Refused(Exception):
    """acc says that it cannot compile the model."""


@dataclass(frozen=True)
class Case:
    name: str
    operators: frozenset[str]

    @property
    def folder(self) -> Path:
        return NODES / self.name


def lowered_operators() -> set[str]:
    listed = subprocess.run([ACC, "list-ops"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {line.split()[0] for line in listed.splitlines() if line.strip()}


def is_tensor(value: onnx.ValueInfoProto) -> bool:
    return value.type.HasField("tensor_type") and value.type.tensor_type.elem_type != onnx.TensorProto.STRING


def cases(whole: bool) -> list[Case]:
    known = (lowered_operators() | {"Constant"}) - RANDOM  # constants are weights from import on
    found = []
    for folder in sorted(NODES.iterdir()):
        if folder.name in DIVERGES or not whole and "_expanded" in folder.name and "attention" not in folder.name:
            continue  # the bodies of functions, made of operators that have cases of their own
        model = onnx.load(folder / "model.onnx")
        operators = frozenset(node.op_type for node in model.graph.node)
        plain = all(is_tensor(v) for v in (*model.graph.input, *model.graph.output))
        if operators <= known and plain and all(node.domain in ("", "ai.onnx") for node in model.graph.node):
            found.append(Case(folder.name, operators))
    return found


def tensors(folder: Path, kind: str) -> list[onnx.TensorProto]:
    count = len(list(folder.glob(f"{kind}_*.pb")))
    return [onnx.load_tensor(folder / f"{kind}_{i}.pb") for i in range(count)]


def acc(*words: str | Path) -> None:
    done = subprocess.run([ACC, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    if done.returncode == 1 and words[0] == "compile":
        raise Refused(done.stderr.strip())
    assert done.returncode == 0, f"acc {words[0]}: exit status {done.returncode}\n{done.stderr[-2000:]}"


def compiled(model: onnx.ModelProto, inputs: list[onnx.TensorProto], target: str, into: Path) -> None:
    """Compiles with shapes of the actual inputs, with all but the first as constants if need be."""
    for value, tensor in zip(model.graph.input, inputs):
        shape = value.type.tensor_type.shape
        del shape.dim[:]
        for size in tensor.dims:
            shape.dim.add().dim_value = size
    onnx.save(model, into / "model.onnx")
    try:
        acc("compile", into / "model.onnx", "--target", target, "-o", into / "model.acc")
    except Refused:
        if len(inputs) < 2:
            raise
        for value, tensor in list(zip(model.graph.input, inputs))[1:]:
            constant = onnx.TensorProto()
            constant.CopyFrom(tensor)
            constant.name = value.name
            model.graph.initializer.append(constant)
            model.graph.input.remove(value)
        onnx.save(model, into / "model.onnx")
        acc("compile", into / "model.onnx", "--target", target, "-o", into / "model.acc")


def compare(name: str, got: onnx.TensorProto, want: onnx.TensorProto) -> None:
    assert got.data_type == want.data_type, name
    have, expected = numpy_helper.to_array(got), numpy_helper.to_array(want)
    assert have.shape == expected.shape, f"{name}: shape {have.shape}, expected {expected.shape}"
    relative = NARROW.get(str(expected.dtype), RELATIVE)
    if expected.dtype.kind in "biu":
        np.testing.assert_array_equal(have, expected, err_msg=name)
    else:
        np.testing.assert_allclose(have.astype(np.float64), expected.astype(np.float64), relative, ABSOLUTE, err_msg=name)


def check(case: Case, target: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder)
        data = case.folder / "test_data_set_0"
        model = onnx.load(case.folder / "model.onnx")
        inputs = tensors(data, "input")
        names = [value.name for value in model.graph.input]
        compiled(model, inputs, target, into)
        words: list[str | Path] = []
        for index, value in enumerate(model.graph.input):
            words += ["--input", f"{value.name}={data}/input_{names.index(value.name)}.pb"]
        acc("run", into / "model.acc", *words, "--sanitize", "--output-dir", into / "out", "--output-format", "pb")
        for value, want in zip(model.graph.output, tensors(data, "output")):
            file = "".join(c if c.isalnum() or c in "._-" else "_" for c in value.name)
            compare(value.name, onnx.load_tensor(into / "out" / f"{file}.pb"), want)


def chosen() -> list:
    which = os.environ.get("ACC_TEST_NODES", "default")
    if which not in ("default", "all"):
        raise ValueError(f"ACC_TEST_NODES={which}: must be default or all")
    whole = which == "all"
    found = cases(whole)
    on_tiny = found if whole else found[::3]
    return [(case, "edge") for case in found] + [(case, "tiny") for case in on_tiny]


def outcome(case: Case, target: str) -> tuple[str, str]:
    try:
        check(case, target)
        return "passed", ""
    except Refused as refused:
        return "refused", str(refused)
    except (AssertionError, subprocess.TimeoutExpired, OSError, ValueError) as failed:
        return "failed", str(failed)


@pytest.mark.parametrize("case, target", [pytest.param(c, t, id=f"{c.name}-{t}") for c, t in chosen()])
def test_node(case: Case, target: str):
    try:
        check(case, target)
    except Refused as refused:
        assert case.name in REFUSED, str(refused)
        assert "error: " in str(refused)
        return
    assert case.name not in REFUSED, "compiles now: take its line out of refused-nodes.txt"


@pytest.mark.parametrize("name", sorted(DIVERGES))
def test_aligned_corners_as_onnx_runtime(name: str, tmp_path: Path):
    import onnxruntime as ort

    model, inputs = onnx.load(NODES / name / "model.onnx"), tensors(NODES / name / "test_data_set_0", "input")
    feeds = {value.name: numpy_helper.to_array(tensor) for value, tensor in zip(model.graph.input, inputs)}
    want = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feeds)[0]
    compiled(model, inputs, "edge", tmp_path)
    first = model.graph.input[0].name
    np.save(tmp_path / "x.npy", feeds[first])
    acc("run", tmp_path / "model.acc", "--input", f"{first}={tmp_path}/x.npy", "--sanitize", "--output-dir", tmp_path / "out")
    np.testing.assert_allclose(np.load(tmp_path / "out" / f"{model.graph.output[0].name}.npy"), want, RELATIVE, ABSOLUTE)


def main(words: list[str]) -> int:
    work = [(c, t) for c, t in chosen() if not words or words[0] in c.name]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda item: outcome(*item), work))
    for (case, target), (state, why) in zip(work, done):
        if state != "passed":
            print(f"{state:8} {case.name} {target}: {' '.join(why.split())[:240]}")
    print(", ".join(f"{sum(o[0] == s for o in done)} {s}" for s in ("passed", "refused", "failed")))
    return any(o[0] == "failed" for o in done)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

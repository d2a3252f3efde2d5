"""Corners of the model format that no model of the onnx package has: they come back as they went in."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from bad_models import graph, model, node, value
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin"


def round_trip(made: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
    onnx.save(made, folder / "m.onnx")
    done = subprocess.run([BIN / "acc-translate", "-o", folder, "--round-trip", folder / "m.onnx"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0 and json.loads(done.stdout)["errors"] == [], done
    return onnx.load(folder / "0.onnx")


def test_custom_operator_keeps_its_attributes(tmp_path: Path):
    branch = lambda name: helper.make_graph([node("Relu", ["x"], [name], "in_" + name)], name, [], [value(name)])  # noqa: E731
    custom = node("Switch", ["x"], domain="my.domain", one=branch("a"), number=3, list=[1, 2], text="t", dense=numpy_helper.from_array(np.eye(2)))
    custom.attribute.add(name="cases", type=onnx.AttributeProto.GRAPHS, graphs=[branch("b"), branch("c")])
    custom.attribute.add(name="nothing", type=onnx.AttributeProto.GRAPHS)
    custom.attribute.add(name="dotted.name", type=onnx.AttributeProto.INT, i=5)
    custom.attribute.add(name="empty", type=onnx.AttributeProto.INTS)
    made = model(graph([custom], outputs=[value("y")]))
    made.opset_import.add(domain="my.domain", version=2)
    after = round_trip(made, tmp_path)
    was, now = ({a.name: a for a in m.graph.node[0].attribute} for m in (made, after))
    assert now.keys() == was.keys()
    for name in was:
        assert now[name].type == was[name].type, name
        if was[name].type not in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS, onnx.AttributeProto.TENSOR):
            assert now[name] == was[name]
    assert [len(now[name].graphs) for name in ("cases", "nothing")] == [2, 0]
    assert now["one"].g.node[0].op_type == now["cases"].graphs[1].node[0].op_type == "Relu"
    assert {(o.domain, o.version) for o in after.opset_import} == {("", 27), ("my.domain", 2)}


def same_results(made: onnx.ModelProto, after: onnx.ModelProto, **inputs):
    def run(m):
        session = ort.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
        return [o.name for o in session.get_outputs()], session.run(None, inputs)

    names, results = run(made)
    names_after, results_after = run(after)
    assert names_after == names
    for one, other in zip(results, results_after):
        np.testing.assert_array_equal(one, other)


X = np.arange(6, dtype=np.float32).reshape(2, 3) - 2


@pytest.mark.parametrize("nodes, outputs, weights", [
    ([], ["x"], []),  # an input is an output
    ([], ["w"], ["w"]),  # so is an initialiser
    ([node("Relu", ["x"], ["a"])], ["a", "x"], []),
    ([node("Relu", ["x"], ["a"], ""), node("Relu", ["a"], ["b"], ""), node("Add", ["a", "b"], ["y"], "")], ["y", "a"], []),  # nameless
    ([node("Add", ["x", "w"], ["x/1"], "x"), node("Mul", ["x/1", "x"], ["y"], "w")], ["y"], ["w"]),  # nodes called as values are
])
def test_names_and_outputs(nodes, outputs, weights, tmp_path: Path):
    made = model(graph(nodes, [value("x")], [value(o) for o in outputs], [numpy_helper.from_array(X, w) for w in weights]))
    same_results(made, round_trip(made, tmp_path), x=X)


def test_nodes_of_one_name_get_two(tmp_path: Path):
    """ONNX's checker accepts them, ONNX Runtime does not."""
    made = model(graph([node("Relu", ["x"], ["a"], "same"), node("Neg", ["a"], ["y"], "same")], outputs=[value("y")]))
    after = round_trip(made, tmp_path)
    assert [n.name for n in after.graph.node] == ["same", "same_1"]


def test_initialiser_that_is_an_input_too(tmp_path: Path):
    made = model(graph([node("Add", ["x", "w"])], [value("x"), value("w")], [value("y")], [numpy_helper.from_array(X, "w")]))
    after = round_trip(made, tmp_path)
    assert [i.name for i in after.graph.input] == ["x"]
    same_results(made, after, x=X)


def test_functions_are_inlined(tmp_path: Path):
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("f", 1)]
    twice = helper.make_function("f", "Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"], "add")], opsets)
    four = helper.make_function("f", "Four", ["a"], ["b"], [node("Twice", ["a"], ["t"], "one", domain="f"), node("Twice", ["t"], ["b"], "two", domain="f")], opsets)
    made = helper.make_model(graph([node("Four", ["x"], domain="f")], outputs=[value("y")]), opset_imports=opsets, ir_version=10,
                             functions=[twice, four])
    after = round_trip(made, tmp_path)
    assert [n.op_type for n in after.graph.node] == ["Add", "Add"] and not after.functions
    same_results(made, after, x=X)


def test_symbols_come_back(tmp_path: Path):
    made = model(graph([node("Relu", ["x"])], [value("x", ("batch", 3))], [value("y", ("batch", 3))]))
    after = round_trip(made, tmp_path)
    for info in (after.graph.input[0], after.graph.output[0]):
        assert info.type.tensor_type.shape.dim[0].dim_param == "batch"


@pytest.mark.parametrize("kind", [TensorProto.INT4, TensorProto.UINT4, TensorProto.FLOAT8E4M3FN, TensorProto.BFLOAT16, TensorProto.FLOAT16,
                                  TensorProto.BOOL, TensorProto.INT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64, TensorProto.INT64,
                                  TensorProto.DOUBLE, TensorProto.FLOAT])
@pytest.mark.parametrize("raw", [True, False], ids=["raw", "fields"])
@pytest.mark.parametrize("size", [5, 4001], ids=["small", "large"])
def test_tensor_bytes(kind: int, raw: bool, size: int, tmp_path: Path):
    """Embedded as raw bytes or in the field of its type, in the text or left in the file: the numbers are the same."""
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    values = (np.arange(size) % 5).astype(np.float32).astype(dtype)
    weight = numpy_helper.from_array(values, "w") if raw else helper.make_tensor("w", kind, [size], values)
    assert weight.HasField("raw_data") == raw
    made = model(graph([node("Identity", ["w"])], [], [value("y", (size,), kind)], [weight]))
    after = round_trip(made, tmp_path)
    np.testing.assert_array_equal(numpy_helper.to_array(after.graph.initializer[0]), values)


def test_path_that_looks_like_a_buffer(tmp_path: Path):
    made = model(graph([node("Add", ["x", "w"])], [value("x", (1, 3))], [value("y", None)],
                       [numpy_helper.from_array(np.ones((2000, 3), np.float32), "w")]))
    onnx.save(made, tmp_path / "memory:0", save_as_external_data=True, location="memory:1", size_threshold=0)
    done = subprocess.run([BIN / "acc", "compile", "memory:0", "-o", "m.acc"], cwd=tmp_path, text=True, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [["acc-translate", "--import-onnx"], ["acc", "compile", "--emit", "graph"]], ids=["translate", "compile"])
def test_output_that_cannot_be_written(command: list[str], tmp_path: Path):
    """A device is written in place, a full one is an error, and so is a folder that does not exist."""
    onnx.save(model(graph([node("Relu", ["x"])])), tmp_path / "m.onnx")
    (tmp_path / "full").symlink_to("/dev/full")
    (tmp_path / "null").symlink_to("/dev/null")
    for output, status in (("null", 0), ("full", 1), ("absent/m.mlir", 1)):
        done = subprocess.run([BIN / command[0], *command[1:], "m.onnx", "-o", output], cwd=tmp_path, text=True, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == status and done.stderr.count("error:") == status, done.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"m.onnx", "full", "null"}
    assert Path("/dev/full").is_char_device() and Path("/dev/null").is_char_device()

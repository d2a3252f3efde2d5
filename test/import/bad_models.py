"""Models that are wrong, one way each: what is written, and what the error must say."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


@dataclass
class Bad:
    name: str
    write: Callable[[Path], None]  # makes the model at this path
    says: str  # regular expression that the error matches
    options: list[str] = field(default_factory=list)


CASES: list[Bad] = []


def bad(says: str, *options: str):
    """Registers a function (path) as a case."""
    def register(function):
        CASES.append(Bad(function.__name__, function, says, list(options)))
        return function
    return register


def bad_graph(says: str, *options: str):
    """The same for a function () that gives a graph or a model."""
    def register(function):
        def write(path: Path):
            made = function()
            path.write_bytes((made if isinstance(made, onnx.ModelProto) else model(made)).SerializeToString())
        CASES.append(Bad(function.__name__, write, says, list(options)))
        return function
    return register


def value(name: str, shape=(2, 3), kind: int = FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(graph: onnx.GraphProto, opset: int = 21, **more) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10, **more)


def graph(nodes, inputs=None, outputs=None, weights=()):
    return helper.make_graph(nodes, "g", inputs if inputs is not None else [value("x")],
                             outputs if outputs is not None else [value("y", None)], list(weights))


def node(op: str, inputs, outputs=("y",), name: str = "the_node", **attributes):
    return helper.make_node(op, list(inputs), list(outputs), name=name, **attributes)


def good_bytes() -> bytes:
    """A valid model with a large weight, a small one and a subgraph."""
    rng = np.random.default_rng(1)
    weight = numpy_helper.from_array(rng.standard_normal((3, 600), dtype=np.float32), "w")
    bias = numpy_helper.from_array(np.arange(600, dtype=np.float32), "b")
    shape = numpy_helper.from_array(np.array([2, 600]), "shape")
    branch = lambda op: helper.make_graph([node(op, ["h"], ["o" + op], op)], op, [], [value("o" + op, None)])  # noqa: E731
    nodes = [node("Gemm", ["x", "w", "b"], ["g"], "gemm"), node("Reshape", ["g", "shape"], ["h"], "reshape"),
             node("If", ["c"], ["y"], "if", then_branch=branch("Relu"), else_branch=branch("Neg"))]
    return model(graph(nodes, [value("x"), value("c", (), TensorProto.BOOL)], weights=[weight, bias, shape])).SerializeToString()


#--- Files --------------------------------------------------------------------------------------------------

@bad("damaged at byte [0-9]+|protobuf cannot read")
def truncated(path):
    path.write_bytes(good_bytes()[:-700])


@bad("is empty")
def empty(path):
    path.write_bytes(b"")


@bad("damaged at byte [0-9]+|protobuf cannot read")
def random_bytes(path):
    path.write_bytes(random.Random(5).randbytes(4096))


@bad("is text, not a binary ONNX model")
def text(path):
    path.write_text("import torch\nmodel = torch.nn.Linear(3, 4)\n")


@bad("Git LFS pointer.*git lfs pull")
def lfs_pointer(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")


@bad("is a folder")
def directory(path):
    path.mkdir()


@bad("cannot be opened: No such file")
def absent(path):
    pass


@bad("is not a regular file")
def named_pipe(path):
    os.mkfifo(path)


@bad("has no graph")
def no_graph(path):
    path.write_bytes(helper.make_model(graph([node("Relu", ["x"])])).SerializeToString()[:2])


@bad("damaged at byte 2: field 7 needs 1000 bytes, 3 are left")
def length_beyond_the_file(path):
    path.write_bytes(b"\x08\x08\x3a\xe8\x07abc")


@bad("damaged at byte 2: field 7 needs 18446744073709551615 bytes")
def length_overflows(path):
    path.write_bytes(b"\x08\x08\x3a" + b"\xff" * 9 + b"\x01abc")


@bad("damaged at byte 2: a number is longer than 10 bytes")
def endless_number(path):
    path.write_bytes(b"\x08\x08" + b"\xff" * 40)


@bad("damaged at byte 2: wire type 3 does not occur")
def groups(path):
    path.write_bytes(b"\x08\x08" + b"\x0b" * 100_000)


def length_delimited(number: int, payload: bytes) -> bytes:
    size, length = b"", len(payload)
    while length >= 0x80:
        size, length = size + bytes([length & 0x7F | 0x80]), length >> 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + payload


@bad("nested deeper than 1024")
def graphs_in_graphs(path):
    # graph { node { attribute { graph { ...: fields 7, then 1, 5, 6
    payload = b""
    for _ in range(20_000):
        payload = length_delimited(1, length_delimited(5, length_delimited(6, payload)))
    path.write_bytes(b"\x08\x08" + length_delimited(7, payload))


@bad("protobuf cannot read it")
def types_in_types(path):
    # graph.input.type.sequence_type.elem_type.sequence_type...: fields 7, 11, 2, 4, 1
    kind = b""
    for _ in range(50_000):
        kind = length_delimited(4, length_delimited(1, kind))
    path.write_bytes(b"\x08\x08" + length_delimited(7, length_delimited(11, length_delimited(1, b"x") + length_delimited(2, kind))))


#--- Operators, domains, versions -----------------------------------------------------------------------------

@bad_graph('"the_node" \\(Frobnicate\\).*No Op registered for Frobnicate')
def unknown_operator():
    return graph([node("Frobnicate", ["x"])])


@bad_graph("the_node.*my.domain")
def unknown_domain():
    return graph([node("Frobnicate", ["x"], domain="my.domain")])


@bad_graph('"the_node" \\(my.domain.Frobnicate\\) cannot be compiled')
def operator_of_another_domain():
    made = model(graph([node("Frobnicate", ["x"], domain="my.domain")]))
    made.opset_import.add(domain="my.domain", version=1)
    return made


@bad_graph("uses opset 99 of ai.onnx; versions 7 to 27 are understood")
def unknown_opset():
    return model(graph([node("Relu", ["x"])]), opset=99)


@bad_graph("uses opset -3 of ai.onnx")
def negative_opset():
    return model(graph([node("Relu", ["x"])]), opset=-3)


@bad_graph("names no version of the operator set ai.onnx")
def no_opset():
    made = model(graph([node("Relu", ["x"])]))
    del made.opset_import[:]
    return made


@bad_graph('"the_node" \\(Swish\\).*No Op registered for Swish')
def operator_newer_than_the_opset():
    return model(graph([node("Swish", ["x"])]), opset=13)


@bad_graph("the_node.*strides")
def wrong_attribute_type():
    return graph([node("MaxPool", ["x"], kernel_shape=[1], strides=1.5)], [value("x", (1, 1, 4))])


@bad_graph("the_node.*kernel_shape")
def missing_attribute():
    return graph([node("MaxPool", ["x"])], [value("x", (1, 1, 4))])


@bad_graph("the_node.*[Uu]nrecognized attribute: colour")
def unknown_attribute():
    return graph([node("Relu", ["x"], colour=3)])


@bad_graph("the_node.*input size 1 not in range")
def too_few_inputs():
    return graph([node("Add", ["x"])])


@bad_graph("the_node.*input size 3 not in range")
def too_many_inputs():
    return graph([node("Add", ["x", "x", "x"])])


#--- Names and order ------------------------------------------------------------------------------------------

@bad_graph('node "first" \\(Add\\) lies on a cycle: "first" -> "second" -> "first"')
def cycle():
    return graph([node("Add", ["x", "b"], ["a"], "first"), node("Relu", ["a"], ["b"], "second"), node("Relu", ["b"])])


@bad_graph("reads 'y', which|lies on a cycle")
def self_loop():
    return graph([node("Add", ["x", "y"])])


@bad_graph('node "first" \\(Relu\\) reads \'b\', which node "second" \\(Relu\\) writes only later; sort')
def unsorted():
    return graph([node("Relu", ["b"], ["y"], "first"), node("Relu", ["x"], ["b"], "second")])


@bad_graph('node "the_node" \\(Conv\\) reads \'weight\', which no graph input, initialiser or node provides')
def missing_initialiser():
    return graph([node("Conv", ["x", "weight"])], [value("x", (1, 3, 8, 8))])


@bad_graph("graph output 'z' is written by no node")
def undefined_output():
    return graph([node("Relu", ["x"])], outputs=[value("z")])


@bad_graph('the name \'y\' is given twice: by node "one" \\(Relu\\) and by node "two" \\(Neg\\)')
def two_nodes_write_one_name():
    return graph([node("Relu", ["x"], name="one"), node("Neg", ["x"], name="two")])


@bad_graph("the name 'x' is given twice: by a graph input and by a graph input")
def two_inputs_of_one_name():
    return graph([node("Relu", ["x"])], [value("x"), value("x")])


@bad_graph("two initialisers have the name 'w'")
def two_initialisers_of_one_name():
    weights = [numpy_helper.from_array(np.zeros(3, np.float32), "w")] * 2
    return graph([node("Add", ["x", "w"])], weights=weights)


@bad_graph("reads 'outside', which no graph input")
def subgraph_reads_what_is_not_there():
    branch = lambda n: helper.make_graph([node("Relu", ["outside"], [n], "in_" + n)], n, [], [value(n, None)])  # noqa: E731
    return graph([node("If", ["c"], then_branch=branch("t"), else_branch=branch("e"))], [value("c", (), TensorProto.BOOL)])


#--- Types and shapes -----------------------------------------------------------------------------------------

@bad_graph("the_node.*(type|elem)")
def types_contradict():
    return graph([node("Add", ["x", "i"])], [value("x"), value("i", (2, 3), INT64)])


@bad_graph("the_node.*(dimension|[Ii]ncompatible)")
def shapes_do_not_broadcast():
    return graph([node("Add", ["x", "z"])], [value("x"), value("z", (2, 5))])


@bad_graph("the_node.*[Ii]ncompatible dimensions for matrix multiplication")
def matrices_do_not_fit():
    return graph([node("MatMul", ["x", "z"])], [value("x"), value("z", (5, 2))])


@bad_graph("the_node.*(Inferred shape|differ|dimension)")
def declared_output_is_wrong():
    return graph([node("Relu", ["x"])], outputs=[value("y", (2, 4))])


@bad_graph("the_node.*type")
def declared_output_type_is_wrong():
    return graph([node("Relu", ["x"])], outputs=[value("y", (2, 3), INT64)])


@bad_graph("the_node")
def reshape_to_another_size():
    return graph([node("Reshape", ["x", "s"])], weights=[numpy_helper.from_array(np.array([5, 5]), "s")])


@bad_graph("the_node.*axis")
def axis_out_of_range():
    return graph([node("Concat", ["x", "x"], axis=7)])


@bad_graph("graph input 'x' has size -5 on axis 1; bind it with --dim x:1=N")
def negative_dimension():
    return graph([node("Relu", ["x"])], [value("x", (2, -5))])


@bad_graph("graph input 'x' has more than 2\\^48 elements; check axis 1")
def huge_dimension():
    return graph([node("Relu", ["x"])], [value("x", (1 << 40, 1 << 40))])


@bad_graph("initialiser 'big' has more than 2\\^48 elements")
def huge_initialiser():
    weight = TensorProto(name="big", data_type=FLOAT, dims=[1 << 40, 1 << 40], raw_data=b"1234")
    return graph([node("Add", ["x", "big"])], weights=[weight])


@bad_graph("the_node.*'y' would have more than 2\\^48 elements")
def huge_constant_of_shape():
    return graph([node("ConstantOfShape", ["s"])], [], weights=[numpy_helper.from_array(np.array([1 << 31, 1 << 31]), "s")])


@bad_graph("the_node.*'y' would have more than 2\\^48 elements")
def huge_intermediate():
    weight = numpy_helper.from_array(np.array([1 << 20] * 4), "s")
    return graph([node("Expand", ["x", "s"])], [value("x", (1, 1, 1, 1))], weights=[weight])


@bad_graph('"x" \\(graph input\\).*no elements')
def no_elements():
    return graph([node("Relu", ["x"])], [value("x", (0, 3))], [value("y", (0, 3))])


@bad_graph('node "the_node" \\(LeakyRelu\\): attribute \'alpha\' refers to attribute \'slope\' of a function')
def reference_to_an_attribute_of_no_function():
    made = node("LeakyRelu", ["x"])
    made.attribute.add(name="alpha", type=onnx.AttributeProto.FLOAT, ref_attr_name="slope")
    return graph([made])


@bad_graph("graph output 'y' is listed twice")
def output_listed_twice():
    return graph([node("Relu", ["x"])], outputs=[value("y"), value("y")])


@bad_graph("imports ai.onnx twice, in versions 21 and 13")
def two_versions_of_one_domain():
    made = model(graph([node("Relu", ["x"])]))
    made.opset_import.add(domain="ai.onnx", version=13)
    return made


#--- Tensors in the file --------------------------------------------------------------------------------------

@bad_graph("initialiser 'w' has the negative dimension -3")
def negative_dimension_of_an_initialiser():
    return graph([node("Add", ["x", "w"])], weights=[TensorProto(name="w", data_type=FLOAT, dims=[-3], raw_data=b"")])


@bad_graph("'w'.* (5000|raw_data)")
def too_few_bytes():
    weight = TensorProto(name="w", data_type=FLOAT, dims=[2000, 3], raw_data=b"\0" * 5000)
    return graph([node("Add", ["x", "w"])], [value("x", (1, 3))], weights=[weight])


@bad_graph("w.*(size|bytes|elements|values)")
def too_few_bytes_of_a_small_tensor():
    return graph([node("Add", ["x", "w"])], weights=[TensorProto(name="w", data_type=FLOAT, dims=[3], raw_data=b"\0" * 8)])


@bad_graph("w.*(size|bytes|elements|values)")
def too_many_numbers():
    return graph([node("Add", ["x", "w"])], weights=[TensorProto(name="w", data_type=FLOAT, dims=[3], float_data=[1, 2, 3, 4])])


@bad_graph("w.*(data|field)")
def two_kinds_of_data():
    weight = TensorProto(name="w", data_type=FLOAT, dims=[3], float_data=[1, 2, 3], raw_data=b"\0" * 12)
    return graph([node("Add", ["x", "w"])], weights=[weight])


@bad_graph("initialiser 'w' has the element type 77")
def unknown_element_type():
    return graph([node("Add", ["x", "w"])], weights=[TensorProto(name="w", data_type=77, dims=[3], raw_data=b"\0" * 12)])


@bad_graph("the_node.*v.*(size|bytes|elements|values)")
def too_few_bytes_in_a_constant():
    tensor = TensorProto(name="v", data_type=FLOAT, dims=[1000], raw_data=b"\0" * 3999)
    return graph([node("Constant", [], value=tensor)], [])


#--- External data --------------------------------------------------------------------------------------------

def external(path: Path, location: str | None = "weights.bin", dims=(2000, 3), **entries):
    weight = TensorProto(name="w", data_type=FLOAT, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, text in ({"location": location} if location is not None else {} | {}).items():
        weight.external_data.add(key=key, value=text)
    for key, text in entries.items():
        weight.external_data.add(key=key, value=str(text))
    path.write_bytes(model(graph([node("Add", ["x", "w"])], [value("x", (1, 3))], weights=[weight])).SerializeToString())
    (path.parent / "weights.bin").write_bytes(b"\0" * 24000)


@bad("'w'.*absent.bin.*No such file.*place it beside the model")
def external_absent(path):
    external(path, "absent.bin")


@bad("'w'.*leaves the model's folder")
def external_outside(path):
    (path.parent / "sub").mkdir()
    external(path, "sub/../../weights.bin")


@bad("'w'.*absolute path; it must be relative")
def external_absolute(path):
    external(path, "/etc/passwd")


@bad("'w'.*out of the model's folder through a symbolic link")
def external_symlink(path):
    os.symlink("/etc/passwd", path.parent / "link.bin")
    external(path, "link.bin")


@bad("'w'.*out of the model's folder through a symbolic link")
def external_linked_folder(path):
    os.symlink("/etc", path.parent / "linked")
    external(path, "linked/passwd")


@bad("'w'.*is a folder")
def external_folder(path):
    (path.parent / "sub").mkdir()
    external(path, "sub")


@bad("'w'.*is not a regular file")
def external_pipe(path):
    os.mkfifo(path.parent / "pipe")
    external(path, "pipe")


@bad("'w'.*empty location")
def external_empty_location(path):
    external(path, "")


@bad("'w'.*no location")
def external_no_location(path):
    external(path, None, offset=0)


@bad("'w'.*24000 bytes, but bytes 1 to 24001 are needed")
def external_offset_beyond(path):
    external(path, offset=1)


@bad("'w'.*has 24000 bytes")
def external_offset_overflows(path):
    external(path, offset=2**64 - 4, length=24000)


@bad("'w'.*offset '18446744073709551616', which is not a number of bytes")
def external_offset_beyond_64_bits(path):
    external(path, offset=2**64)


@bad("'w'.*offset '-4', which is not a number of bytes")
def external_negative_offset(path):
    external(path, offset=-4)


@bad("'w'.*length 'many', which is not a number of bytes")
def external_length_is_no_number(path):
    external(path, length="many")


@bad("'w'.*has 4 bytes, but type and shape need 24000")
def external_too_short(path):
    external(path, length=4)


@bad("'w'.*has 18446744073709551615 bytes, but type and shape need 24000")
def external_length_overflows(path):
    external(path, length=2**64 - 1)


@bad("'w'.*24000 bytes, but bytes 0 to 36000 are needed")
def external_larger_shape(path):
    external(path, dims=(3000, 3))


@bad("'w'.*give no size in bytes")
def external_shape_overflows(path):
    external(path, dims=(1 << 40, 1 << 40))


@bad("'w'.*negative dimension -2000")
def external_negative_dimension(path):
    external(path, dims=(-2000, -3))


#--- --dim ------------------------------------------------------------------------------------------------------

def two_symbols():
    return graph([node("Add", ["x", "z"])], [value("x", ("batch", "length")), value("z", ("batch", 1))])


@bad_graph("--dim batsh: the model has no such symbolic dimension \\(it has 'batch', 'length'\\)", "--dim", "batsh=3")
def unknown_dim():
    return two_symbols()


@bad_graph("--dim n: .*none at all", "--dim", "n=3")
def dim_of_a_fixed_model():
    return graph([node("Relu", ["x"])])


@bad_graph("--dim batch is given twice, as 3 and as 4", "--dim", "batch=3", "--dim", "batch=4")
def dim_given_twice():
    return two_symbols()


@bad_graph("--dim x:1=4: axis 1 of input 'x' is fixed to 3", "--dim", "x:1=4")
def dim_of_a_fixed_axis():
    return graph([node("Relu", ["x"])])


@bad_graph("--dim x:5: input 'x' has rank 2, so the axis must be 0 to 1", "--dim", "x:5=4")
def dim_of_an_absent_axis():
    return graph([node("Relu", ["x"])])


@bad_graph("batch.*(3|4)", "--dim", "x:0=3", "--dim", "z:0=4", "--dim", "length=5")
def one_symbol_two_sizes():
    return two_symbols()


@bad_graph("the_node", "--dim", "n=3", "--dim", "m=4")
def dims_contradict_the_operator():
    return graph([node("Add", ["x", "z"])], [value("x", ("n", 2)), value("z", ("m", 2))])


@bad_graph("'x' \\[batch, length\\], 'z' \\[batch, 1\\]; give --dim batch=N --dim length=N$")
def unbound_dims():
    return two_symbols()


@bad_graph("'x' \\[\\?, \\?\\]; give --dim x:0=N --dim x:1=N$")
def unbound_dims_that_are_all_called_the_same():
    return graph([node("Relu", ["x"])], [value("x", ("?", "?"))])


@bad_graph("give --dim x:0=N$")
def unbound_nameless_dim():
    return graph([node("Relu", ["x"])], [value("x", (None, 3))])


@bad_graph("'x'.*(rank|shape)")
def input_without_rank():
    return graph([node("Relu", ["x"])], [value("x", None)])


#--- Functions of the model -------------------------------------------------------------------------------------

def with_functions(count: int, body: Callable[[int], list]) -> onnx.ModelProto:
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("f", 1)]
    functions = [helper.make_function("f", f"F{i}", ["a"], ["b"], body(i), opsets) for i in range(count)]
    made = helper.make_model(graph([node(f"F{count - 1}", ["x"], domain="f")], outputs=[value("y")]),
                             opset_imports=opsets, ir_version=10, functions=functions)
    return made


@bad_graph("F0.*(calls itself|recurs)")
def function_calls_itself():
    return with_functions(1, lambda i: [node("F0", ["a"], ["b"], "inside", domain="f")])


@bad_graph("F[01].*(calls itself|recurs)")
def functions_call_each_other():
    return with_functions(2, lambda i: [node(f"F{1 - i}", ["a"], ["b"], "inside", domain="f")])


@bad_graph("F[0-9]+.*nodes")
def function_bomb():
    def body(i):
        if i == 0:
            return [node("Relu", ["a"], ["b"])]
        names = ["a"] + [f"t{k}" for k in range(9)] + ["b"]
        return [node(f"F{i - 1}", [names[k]], [names[k + 1]], f"call{k}", domain="f") for k in range(10)]
    return with_functions(20, body)

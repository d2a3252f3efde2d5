"""Every model of the onnx package goes through the onnx dialect and comes back as it was.

Import, print, parse, verify and print again happen in `acc-translate --round-trip`, many models in one
process. The model that it exports must compute what the original computes.

    pytest test/conformance/test_import.py -k test_conv
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx.reference import ReferenceEvaluator
from onnx_suite import SuiteModel, differences, suite

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin"
MODELS = suite()
BATCH = 100  # models a process
RANDOM = {"Bernoulli", "RandomUniform", "RandomNormal", "RandomUniformLike", "RandomNormalLike", "Multinomial"}
# What a float16 result may differ by where ONNX Runtime has another kernel for the newer operator.
TOLERANCE = 1e-3

ort.set_default_logger_severity(4)


@functools.cache
def round_trips(batch: int) -> tuple[list[list[str]], Path]:
    """What is wrong with each model of a batch, and the folder of the exported ones."""
    folder = Path(tempfile.mkdtemp(prefix="acc-round-trip-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    models = [str(m.path) for m in MODELS[batch * BATCH:(batch + 1) * BATCH]]
    done = subprocess.run([BIN / "acc-translate", "-o", folder, "--round-trip", *models], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    answers = [json.loads(line)["errors"] for line in done.stdout.splitlines()]
    if len(answers) < len(models):
        answers.append([f"acc-translate died with status {done.returncode}: {done.stderr[-2000:]}"])
        answers += [["not reached: an earlier model of the batch crashed"]] * (len(models) - len(answers))
    return answers, folder


def runtime_outputs(path: Path, inputs: dict):
    """What ONNX Runtime computes, or why it does not."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return session.run(None, inputs), ""
    except Exception as error:  # its own hierarchy of exceptions has no common base
        return None, str(error)


def reference_outputs(model: onnx.ModelProto, inputs: dict):
    try:
        return ReferenceEvaluator(model).run(None, inputs), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def random_inputs(model: onnx.ModelProto) -> dict:
    """For the light models, whose only input is a picture."""
    weights = {w.name for w in model.graph.initializer}
    return {value.name: np.random.default_rng(0).random([d.dim_value for d in value.type.tensor_type.shape.dim], np.float32)
            for value in model.graph.input if value.name not in weights}


def shapes(outputs: list) -> list:
    return [(np.asarray(o).dtype, np.asarray(o).shape) for o in outputs]


@pytest.mark.parametrize("position", range(len(MODELS)), ids=[m.name for m in MODELS])
def test_round_trip(position: int):
    model: SuiteModel = MODELS[position]
    answers, folder = round_trips(position // BATCH)
    assert answers[position % BATCH] == []
    exported = folder / f"{position % BATCH}.onnx"
    onnx.checker.check_model(str(exported))

    inputs = model.inputs() if model.has_data() else random_inputs(model.proto)
    before, refused_before = runtime_outputs(model.path, inputs)
    after, refused_after = runtime_outputs(exported, inputs)
    if before is None or after is None:  # types and operators that ONNX Runtime lacks
        before, refused_before = reference_outputs(model.proto, inputs)
        after, refused_after = reference_outputs(onnx.load(exported), inputs)
    if before is None:
        # Nothing here can run it: the nodes themselves must be the same.
        ours = [(n.domain, n.op_type) for n in onnx.load(exported).graph.node]
        assert ours == [(n.domain, n.op_type) for n in model.proto.graph.node], refused_before
        return
    assert after is not None, refused_after
    if model.operators() & RANDOM:
        assert shapes(after) == shapes(before)
        return
    wrong = differences(after, before)
    if wrong and model.has_data():  # a newer operator may have a better kernel
        wrong = differences(after, model.outputs(), TOLERANCE, TOLERANCE) and wrong
    assert not wrong

"""Two ways from a torch module to an ONNX file.

Both of torch's exporters are used, because the graphs that one meets in the field come from both, and
they differ: today's writes LayerNormalization and shapes folded away, the older one writes layer norms as
eight nodes and shapes as chains of Shape, Gather and Concat.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import onnxruntime as ort
import torch

Axes = dict[str, dict[int, str]]  # per input: axis -> symbolic name


def export(module: torch.nn.Module, inputs: dict[str, torch.Tensor], outputs: list[str], to: Path, axes: Axes = {}):
    """torch's present exporter, opset 18. Writes no BatchNorm: it folds them into convolutions."""
    shapes = {
        name: {axis: torch.export.Dim(symbol) for axis, symbol in axes.get(name, {}).items()}
        for name in inputs
    }
    with _quiet():
        torch.onnx.export(
            module.eval(),
            kwargs=inputs,
            f=str(to),
            input_names=list(inputs),
            output_names=outputs,
            opset_version=18,
            dynamic_shapes=shapes if axes else None,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    _check(module, inputs, to)


def export_traced(module: torch.nn.Module, inputs: dict[str, torch.Tensor], outputs: list[str], to: Path, opset: int, axes: Axes = {}):
    """torch's older exporter, which keeps BatchNorm as nodes when asked to preserve the mode."""
    with _quiet():
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            str(to),
            input_names=list(inputs),
            output_names=outputs,
            opset_version=opset,
            dynamic_axes=axes,
            training=torch.onnx.TrainingMode.PRESERVE,
            dynamo=False,
        )
    _check(module, inputs, to)


def _check(module: torch.nn.Module, inputs: dict[str, torch.Tensor], file: Path) -> None:
    """The file computes what the module does: two inputs of one export must be two tensors, for instance,
    or an exporter takes them for the same."""
    with torch.no_grad():
        wanted = module(**inputs)
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    got = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    for output, want, value in zip(session.get_outputs(), wanted, got):
        error = float((torch.from_numpy(value) - want).abs().max() / want.abs().max())
        if error > 1e-4:
            raise ValueError(f"{file.name}: output {output.name} is off by {error:.1e} from the module's")


class _quiet:
    """No warnings about a deprecated exporter, operators of torchvision or traced constants."""

    def __enter__(self):
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        self.caught = warnings.catch_warnings()
        self.caught.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, *error):
        self.caught.__exit__(*error)

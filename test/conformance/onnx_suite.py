"""The models of the onnx package (backend/test/data) with the inputs and outputs that come with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"


def load_value(path: Path, kind: onnx.TypeProto):
    """One .pb file: a tensor, a list for a sequence, None for an empty optional."""
    data = path.read_bytes()
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


@dataclass(frozen=True)
class SuiteModel:
    name: str  # node/test_abs
    path: Path

    @property
    def folder(self) -> Path:
        return self.path.parent / "test_data_set_0"

    @cached_property
    def proto(self) -> onnx.ModelProto:
        return onnx.load(self.path)

    def has_data(self) -> bool:
        return self.folder.is_dir()

    def inputs(self) -> dict:
        # Old models list their initialisers behind the inputs; those have no file.
        return {value.name: load_value(path, value.type)
                for i, value in enumerate(self.proto.graph.input)
                if (path := self.folder / f"input_{i}.pb").exists()}

    def outputs(self) -> list:
        return [load_value(self.folder / f"output_{i}.pb", value.type) for i, value in enumerate(self.proto.graph.output)]

    def operators(self) -> set[str]:
        return {node.op_type for node in self.proto.graph.node}


def suite() -> list[SuiteModel]:
    found = []
    for path in sorted(DATA.rglob("*.onnx")):
        short = path.relative_to(DATA)
        name = short.with_suffix("") if path.name != "model.onnx" else short.parent
        found.append(SuiteModel(str(name), path))
    return found


def differences(got: list, want: list, relative: float = 1e-5, absolute: float = 1e-7) -> str:
    """Empty if two lists of outputs agree, else which does not and how."""
    if len(got) != len(want):
        return f"{len(got)} outputs instead of {len(want)}"
    for position, (one, other) in enumerate(zip(got, want)):
        if isinstance(one, list) or isinstance(other, list):
            inner = differences(one, other, relative, absolute) if isinstance(one, list) and isinstance(other, list) else "one is no list"
            if inner:
                return f"output {position}: {inner}"
            continue
        if one is None or other is None:
            if one is not other:
                return f"output {position} is {one} instead of {other}"
            continue
        if isinstance(one, dict) or isinstance(other, dict):
            if one != other:
                return f"output {position} is {one} instead of {other}"
            continue
        a, b = np.asarray(one), np.asarray(other)
        if a.dtype != b.dtype or a.shape != b.shape:
            return f"output {position} is {a.dtype}{list(a.shape)} instead of {b.dtype}{list(b.shape)}"
        if a.dtype == object or a.dtype.kind in "biuSU":
            same = bool(np.array_equal(a, b))
        elif a.dtype.kind == "c":
            same = np.allclose(a, b, rtol=relative, atol=absolute, equal_nan=True)
        else:  # also the types of ml_dtypes, which numpy cannot compare by itself
            same = np.allclose(a.astype(np.float64), b.astype(np.float64), rtol=relative, atol=absolute, equal_nan=True)
        if not same:
            return f"output {position} differs"
    return ""

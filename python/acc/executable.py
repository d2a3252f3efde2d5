"""A compiled model: its inputs and outputs as numpy arrays, executed by the simulator."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from . import _runtime

# Element types by ISA code. Types smaller than a byte are stored one element a byte.
_DTYPES: dict[int, Any] = {
    1: np.float32, 2: np.float16, 3: ml_dtypes.bfloat16, 4: np.float64,
    5: np.int8, 6: np.uint8, 7: np.int16, 8: np.uint16, 9: np.int32, 10: np.uint32,
    11: np.int64, 12: np.uint64, 13: np.bool_,
    14: ml_dtypes.float8_e4m3fn, 15: ml_dtypes.float8_e4m3fnuz,
    16: ml_dtypes.float8_e5m2, 17: ml_dtypes.float8_e5m2fnuz,
    18: ml_dtypes.int4, 19: ml_dtypes.uint4,
}


@dataclass(frozen=True)
class Tensor:
    """A graph input or output."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype.name}[{', '.join(map(str, self.shape))}]"


class Executable:
    """A verified program. `run` may be called any number of times.

    inputs, outputs  what the graph takes and gives, in its order
    target           name of the machine that it was compiled for
    stats            what the last run counted (the statistics JSON), None before
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    target: str
    stats: dict[str, Any] | None

    def __init__(self, program: _runtime.Program, keep: object = None):
        self._program = program
        self._keep = keep  # a temporary folder, removed with the last reference
        self.inputs = tuple(_tensor(*entry) for entry in program.inputs)
        self.outputs = tuple(_tensor(*entry) for entry in program.outputs)
        self.target = program.target
        self.stats = None

    def run(self, inputs: Mapping[str, np.ndarray], *, threads: int = 1, sanitize: bool = False,
            max_instructions: int = 0) -> dict[str, np.ndarray]:
        """Executes the model and returns its outputs in graph order.

        Raises ValueError for a wrong name, shape or type and RuntimeError if the program breaks a rule of
        the machine (with `sanitize`, every hazard too) or exceeds `max_instructions` (0: no limit).
        """
        known = {tensor.name: tensor for tensor in self.inputs}
        for name in inputs:
            if name not in known:
                raise ValueError(f"there is no input {name!r}; the model takes {_listed(self.inputs)}")
        feeds = {}
        for name, tensor in known.items():
            if name not in inputs:
                raise ValueError(f"input {name!r} is missing; the model takes {_listed(self.inputs)}")
            array = np.asarray(inputs[name])
            if array.dtype != tensor.dtype or array.ndim != len(tensor.shape):
                raise ValueError(f"input {tensor} was given {array.dtype.name}{list(array.shape)}")
            # A scalar has no contiguous layout of its own: ascontiguousarray makes it one element.
            feeds[name] = (np.ascontiguousarray(array).reshape(-1).view(np.uint8), list(array.shape))
        raw, stats = self._program.run(feeds, threads=threads, sanitize=sanitize,
                                       max_instructions=max_instructions)
        self.stats = json.loads(stats)
        return {tensor.name: raw[tensor.name][0].view(tensor.dtype).reshape(raw[tensor.name][1]) for tensor in self.outputs}

    def __repr__(self) -> str:
        return f"<acc.Executable for {self.target}: {_listed(self.inputs)} -> {_listed(self.outputs)}>"


def load(path: str | os.PathLike[str], *, keep: object = None) -> Executable:
    """Opens an artifact that `acc compile` has written. `keep` lives as long as the result."""
    return Executable(_runtime.Program.load(os.fspath(path)), keep)


def _tensor(name: str, code: int, shape: list[int]) -> Tensor:
    if code not in _DTYPES:
        raise ValueError(f"{name!r} has element type {code}, which numpy cannot hold; use acc run --output-format pb")
    return Tensor(name, np.dtype(_DTYPES[code]), tuple(shape))


def _listed(tensors: tuple[Tensor, ...]) -> str:
    return ", ".join(map(str, tensors)) or "nothing"

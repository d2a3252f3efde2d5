"""How far two tensors are apart, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Difference:
    name: str
    type: str
    shape: tuple[int, ...]
    absolute: float  # largest difference
    relative: float  # that, over the range of the expected values (zero counts as part of the range)
    position: tuple[int, ...] | None  # of the largest difference; None if there is none
    got: Any = None
    expected: Any = None
    node: str = ""
    operator: str = ""

    def __str__(self) -> str:
        what = f"{self.name} {self.type}[{', '.join(map(str, self.shape))}]: "
        if self.position is None:
            return what + "no difference"
        where = f"[{', '.join(map(str, self.position))}]"
        return (what + f"largest difference {self.absolute:.3g}, {self.relative:.1e} of the range, "
                f"at {where}: {self.got} instead of {self.expected}")

    def entry(self) -> dict[str, Any]:
        """For JSON, which knows no infinity."""
        entry = {key: value for key, value in vars(self).items() if value != ""}
        for key, value in entry.items():
            if isinstance(value, float) and not math.isfinite(value):
                entry[key] = str(value)
        return entry


def difference(name: str, got: np.ndarray, want: np.ndarray) -> Difference:
    result = Difference(name, got.dtype.name, got.shape, math.inf, math.inf, None)
    if got.shape != want.shape:
        raise ValueError(f"output {name!r} has shape {list(got.shape)}, ONNX Runtime's has {list(want.shape)}")
    if got.size == 0 or np.array_equal(got, want):
        result.absolute = result.relative = 0.0
        return result
    mine, theirs = got.astype(np.float64), want.astype(np.float64)
    same = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))  # infinities agree with themselves
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(mine - theirs))
    apart[np.isnan(apart)] = math.inf  # a number on one side only
    at = np.unravel_index(int(apart.argmax()), apart.shape)
    result.absolute = float(apart[at])
    finite = theirs[np.isfinite(theirs)]
    span = max(float(finite.max(initial=0.0)), 0.0) - min(float(finite.min(initial=0.0)), 0.0)
    result.relative = 0.0 if result.absolute == 0 else result.absolute / span if span > 0 else math.inf
    if result.absolute > 0:
        result.position = tuple(int(i) for i in at)
        result.got, result.expected = got[at].item(), want[at].item()
    return result

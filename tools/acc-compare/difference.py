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
    elements: int = 0  # that differ
    step: float | None = None  # of a tensor that is rounded to a grid (quantised.py)
    got: Any = None
    expected: Any = None
    node: str = ""
    operator: str = ""

    def __str__(self) -> str:
        what = f"{self.name} {self.type}[{', '.join(map(str, self.shape))}]: "
        if self.position is None:
            return what + "no difference"
        where = f"[{', '.join(map(str, self.position))}]"
        if (steps := self.steps()) is not None:
            count = "one quantisation step" if steps == 1 else f"{steps} quantisation steps"
            return (what + f"{count} of {self.step:.3g} apart at {self.elements:,} of {math.prod(self.shape):,} elements, "
                    f"at {where}: {self.got} instead of {self.expected}")
        return (what + f"largest difference {self.absolute:.3g}, {self.relative:.1e} of the range, "
                f"at {where}: {self.got} instead of {self.expected}")

    def steps(self) -> int | None:
        """The largest difference in steps of the grid; none where there is no grid or the difference does not fit."""
        if self.step is None or self.position is None or not math.isfinite(self.absolute):
            return None
        steps = round(self.absolute / self.step)
        exact = abs(self.absolute - steps * self.step) <= 1e-2 * self.step  # values are floats: steps are nearly equal
        return steps if steps and exact else None

    def entry(self) -> dict[str, Any]:
        """For JSON, which knows no infinity."""
        entry = {key: value for key, value in vars(self).items() if value != ""}
        if (steps := self.steps()) is not None:
            entry["steps"] = steps
        for key, value in entry.items():
            if isinstance(value, float) and not math.isfinite(value):
                entry[key] = str(value)
        return entry


def difference(name: str, got: np.ndarray, want: np.ndarray, step: float | None = None) -> Difference:
    result = Difference(name, got.dtype.name, got.shape, math.inf, math.inf, None, step=step)
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
    result.elements = int(np.count_nonzero(apart))
    finite = theirs[np.isfinite(theirs)]
    span = max(float(finite.max(initial=0.0)), 0.0) - min(float(finite.min(initial=0.0)), 0.0)
    result.relative = 0.0 if result.absolute == 0 else result.absolute / span if span > 0 else math.inf
    if result.absolute > 0:
        result.position = tuple(int(i) for i in at)
        result.got, result.expected = got[at].item(), want[at].item()
    return result

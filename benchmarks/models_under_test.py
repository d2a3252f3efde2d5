"""The zoo and the engines, from where benchmarks find them."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "test" / "models"), str(ROOT / "examples")]
from engine import AccEngine, EngineError, OrtEngine  # noqa: E402, F401
from zoo import ZOO, Model  # noqa: E402, F401


def pick(names: list[str] | None, default: list[str]) -> list[Model]:
    """The named models, or of `default` those that exist here."""
    if names is None:
        return [ZOO[name] for name in default if name in ZOO]
    for name in names:
        if name not in ZOO:
            raise SystemExit(f"bench: no model {name!r}; python test/models/zoo.py lists them")
    return [ZOO[name] for name in names]


def import_acc():
    """The Python package as it was built."""
    sys.path.insert(0, str(ROOT / "build" / "python"))
    import acc

    return acc


def reason(error: Exception) -> str:
    """The first line of a failure that says something, for a table's cell."""
    lines = [line for line in str(error).splitlines() if "error:" in line] or str(error).splitlines()
    return lines[0].split("error:")[-1].strip().replace("|", "/")[:90]

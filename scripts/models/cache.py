"""Where model files live, and when they must be made again.

A model is a file `NAME.onnx` in the cache folder, outside the source tree, beside a `NAME.json` that
holds the hash of everything the file was made from. Making a model is a pure function of its recipe:
fixed seeds, pinned packages. A file whose hash still agrees is never made twice.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

ROOT = Path(os.environ.get("ACC_CACHE", Path.home() / ".cache" / "acc")).expanduser() / "models"


@dataclass(frozen=True)
class Recipe:
    """How one model file is made."""

    name: str
    make: Callable[[Path], None]  # writes the model to the given path
    sources: tuple[str, ...]  # files whose text decides the result
    needs: tuple[str, ...] = ()  # models that must exist first

    def key(self) -> str:
        digest = hashlib.sha256()
        for source in self.sources:
            digest.update(Path(source).read_bytes())
        for name in self.needs:
            digest.update(RECIPES[name].key().encode())
        return digest.hexdigest()


RECIPES: dict[str, Recipe] = {}


def recipe(name: str, *sources: str, needs: tuple[str, ...] = ()):
    """Registers the decorated function as the recipe of model `name`."""

    def register(make: Callable[[Path], None]):
        if name in RECIPES:
            raise ValueError(f"two recipes for model {name!r}")
        RECIPES[name] = Recipe(name, make, sources, needs)
        return make

    return register


def path(name: str) -> Path:
    """The file of a model, whether or not it has been made."""
    return ROOT / f"{name}.onnx"


def is_current(name: str) -> bool:
    stamp = ROOT / f"{name}.json"
    if not stamp.exists() or not path(name).exists():
        return False
    try:
        return json.loads(stamp.read_text()).get("key") == RECIPES[name].key()
    except json.JSONDecodeError:
        return False


def ensure(name: str, log: Callable[[str], None] = lambda _: None) -> Path:
    """Makes the model unless an up-to-date file is there; returns its path.

    The file appears by a rename, so an interrupted export leaves no half model behind.
    """
    if name not in RECIPES:
        raise KeyError(f"no model {name!r}; known: {', '.join(sorted(RECIPES))}")
    if is_current(name):
        return path(name)
    for needed in RECIPES[name].needs:
        ensure(needed, log)
    ROOT.mkdir(parents=True, exist_ok=True)
    log(f"making {name}")
    with open(ROOT / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests in two processes may want the same model
        if not is_current(name):
            with tempfile.TemporaryDirectory(dir=ROOT, prefix=f".{name}-") as aside:
                made = Path(aside) / f"{name}.onnx"
                RECIPES[name].make(made)
                made.replace(path(name))
            (ROOT / f"{name}.json").write_text(json.dumps({"key": RECIPES[name].key()}) + "\n")
    return path(name)


def package_folder(package: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"package {package!r} is not installed; "
            "scripts/setup --models installs it"
        )
    return Path(spec.origin).parent

"""acc.compile: the compiler, called as the program `acc`.

A process of its own: torch and onnx may be loaded beside acc without their copies of LLVM and protobuf
meeting, and no model, however broken, can take the interpreter down.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .executable import Executable, load


class CompileError(Exception):
    """The model could not be compiled; the text is the compiler's, with the node and what to do."""


def compile(  # noqa: A001  (acc.compile is the name that reads well)
    model: str | os.PathLike[str],
    target: str | os.PathLike[str] = "edge",
    dims: Mapping[str, int] | None = None,
    *,
    precision: str = "f32",
    schedule: str | os.PathLike[str] | None = None,
    output: str | os.PathLike[str] | None = None,
) -> Executable:
    """Compiles an ONNX file.

    target     name of a machine, or a TOML file that describes one
    dims       sizes of dynamic dimensions, by name or as "input[axis]"
    precision  storage of f32 tensors: f32, f16 or bf16
    schedule   a schedule file to carry out instead of a search
    output     where the artifact goes; without it, it lives as long as the result
    """
    folder = None
    if output is None:
        folder = tempfile.TemporaryDirectory(prefix="acc-")
        output = Path(folder.name) / "model.acc"
    command: list[str] = [str(program()), "compile", os.fspath(model), "-o", os.fspath(output),
                          "--target", os.fspath(target), "--precision", precision]
    for name, size in (dims or {}).items():
        command += ["--dim", f"{name}={size}"]
    if schedule is not None:
        command += ["--schedule", os.fspath(schedule)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        if folder is not None:
            folder.cleanup()
        text = done.stdout.strip()
        if done.returncode not in (1, 2):
            text += f"\n(acc ended with status {done.returncode}: a bug of acc, please report it)"
        raise CompileError(text)
    return load(output, keep=folder)


def program() -> Path:
    """The compiler: of this package's build folder, else of PATH."""
    built = Path(__file__).resolve().parents[2] / "bin" / "acc"
    if built.exists():
        return built
    found = shutil.which("acc")
    if found is None:
        raise CompileError(f"no program acc in {built.parent} or PATH; `make build` makes it")
    return Path(found)

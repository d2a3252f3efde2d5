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
    """The model could not be compiled. The text is the compiler's: what is wrong, at which node, and what
    to do.

    status  1 the model, an option or a file is at fault; 2 an option has a value that does not exist;
            3 a bug of acc (the text names the files to report)
    """

    def __init__(self, text: str, status: int = 1):
        super().__init__(text)
        self.status = status


def compile(  # noqa: A001  (acc.compile is the name that reads well)
    model: str | os.PathLike[str],
    target: str | os.PathLike[str] = "edge",
    dims: Mapping[str, int] | None = None,
    *,
    precision: str = "f32",
    plan_effort: str = "default",
    schedule: str | os.PathLike[str] | None = None,
    output: str | os.PathLike[str] | None = None,
) -> Executable:
    """Compiles an ONNX file.

    target     name of a machine (`acc targets` lists them), or a TOML file that describes one
    dims       sizes of dynamic dimensions in elements: {"batch": 1} by name, {"x:0": 1} by input and axis
    precision  storage of f32 tensors: f32, f16 or bf16; sums stay f32
    plan_effort  how far to search for a plan that moves few bytes: fast, default or best
    schedule   a schedule file to carry out instead of a search
    output     where the artifact goes; without it, it lives as long as the result

    Raises CompileError with the compiler's message; a file at `output` is then as it was before.
    """
    folder = None
    if output is None:
        folder = tempfile.TemporaryDirectory(prefix="acc-")
        output = Path(folder.name) / "model.acc"
    command: list[str] = [str(program()), "compile", os.fspath(model), "-o", os.fspath(output),
                          "--target", os.fspath(target), "--precision", precision,
                          "--plan-effort", plan_effort]
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
        if done.returncode not in (1, 2, 3):  # a signal: it could say nothing itself
            text += f"\nacc: error: ended with status {done.returncode}, which is a bug of acc: please report it"
        raise CompileError(text, done.returncode if done.returncode in (1, 2) else 3)
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

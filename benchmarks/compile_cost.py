"""User CPU and memory of a compile, import included, against IREE's compiler on the same files.

IREE needs `pip install iree-base-compiler==3.13.0 onnx` in any environment: name its bin folder in
ACC_IREE_BIN, or have iree-import-onnx and iree-compile on PATH. Without it, only acc's numbers are given.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import onnx
from models_under_test import Model, pick

MODELS = ["resnet50", "mobilenetv2", "bert-base-s128", "minilm-s128"]
ROUNDS = 5  # of acc; IREE runs once
SAMPLE_SECONDS = 0.02


@dataclass(frozen=True)
class Cost:
    user_seconds: float
    anonymous_bytes: int  # peak; mapped weights are not counted


def measure(command: list[object]) -> Cost:
    """Runs a command; its CPU time as the kernel accounts it, its anonymous memory by sampling."""
    peak = 0
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    status_file = Path(f"/proc/{process.pid}/status")
    said: list[bytes] = []
    reader = threading.Thread(target=lambda: said.append(process.stdout.read()))
    reader.start()
    while True:
        try:
            for line in status_file.read_text().splitlines():
                if line.startswith("RssAnon:"):
                    peak = max(peak, int(line.split()[1]) * 1024)
        except OSError:
            pass
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            break
        time.sleep(SAMPLE_SECONDS)
    reader.join()
    if process.returncode:
        raise RuntimeError(said[0].decode(errors="replace")[:400])
    return Cost(usage.ru_utime, peak)


def best(run, rounds: int) -> Cost:
    costs = [run() for _ in range(rounds)]
    return Cost(min(c.user_seconds for c in costs), min(c.anonymous_bytes for c in costs))


def compile_with_acc(acc: Path, model: Model, scratch: Path) -> Cost:
    return measure([acc, "compile", model.path(), "-o", scratch / "model.acc", "--target", "edge", *model.flags()])


def iree_tool(name: str) -> str | None:
    folder = os.environ.get("ACC_IREE_BIN")
    return shutil.which(name, path=folder) if folder else shutil.which(name)


def with_sizes(model: Model, to: Path) -> Path:
    proto = onnx.load(model.path())
    feeds = model.inputs()
    for value in proto.graph.input:
        if value.name in feeds:
            for dim, size in zip(value.type.tensor_type.shape.dim, feeds[value.name].shape):
                dim.dim_value = size
    for value in proto.graph.output:  # inferred again
        for dim in value.type.tensor_type.shape.dim:
            dim.Clear()
    del proto.graph.value_info[:]
    onnx.save(proto, to)
    return to


def compile_with_iree(model: Model, scratch: Path) -> Cost:
    """Both steps, on a copy of the model with the same sizes bound."""
    imported = scratch / "model.mlir"
    bound = with_sizes(model, scratch / "bound.onnx")
    importing = measure([iree_tool("iree-import-onnx"), bound, "--opset-version", "17", "-o", imported])
    compiling = measure(
        [
            iree_tool("iree-compile"),
            imported,
            "--iree-hal-target-device=local",
            "--iree-hal-local-target-device-backends=llvm-cpu",
            "--iree-llvmcpu-target-cpu=host",
            "-o",
            scratch / "model.vmfb",
        ]
    )
    return Cost(
        importing.user_seconds + compiling.user_seconds,
        max(importing.anonymous_bytes, compiling.anonymous_bytes),
    )


def table(acc: Path, scratch: Path, names: list[str] | None) -> str:
    peer = iree_tool("iree-compile") is not None
    rows = [
        "## Compile time and memory",
        "",
        "User CPU seconds and peak anonymous memory (MB), import and compile together. Limits: 0.2 of IREE's "
        "time, 0.5 of its memory." + ("" if peer else " IREE is not installed here (benchmarks/compile_cost.py)."),
        "",
        "| model | acc, s | IREE, s | ratio | acc, MB | IREE, MB | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for model in pick(names, MODELS):
        cells = [model.name, "-", "-", "-", "-", "-", "-"]
        ours = theirs = None
        try:
            ours = best(lambda: compile_with_acc(acc, model, scratch), ROUNDS)
            cells[1], cells[4] = f"{ours.user_seconds:.2f}", f"{ours.anonymous_bytes / 1e6:.0f}"
        except RuntimeError as error:
            cells[1] = str(error).strip().splitlines()[0].replace("|", "/")[:80]
        if peer:
            try:
                theirs = best(lambda: compile_with_iree(model, scratch), 1)
                cells[2], cells[5] = f"{theirs.user_seconds:.2f}", f"{theirs.anonymous_bytes / 1e6:.0f}"
            except RuntimeError as error:
                cells[2] = str(error).strip().splitlines()[0].replace("|", "/")[:80]
        if ours and theirs:
            cells[3] = f"{ours.user_seconds / theirs.user_seconds:.2f}"
            cells[6] = f"{ours.anonymous_bytes / theirs.anonymous_bytes:.2f}"
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)

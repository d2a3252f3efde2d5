"""One interface to what executes a model: acc's simulated accelerator, or ONNX Runtime.

    engine = AccEngine(Path("build/bin/acc"), target="edge", folder=Path("build/demo"))
    network = engine.load("rec-320", Path("rec.onnx"), {"batch": 1, "width": 320})
    result = network.run({"x": picture})
    result.outputs["logits"], result.stats["dram"]["read_bytes"]
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


class EngineError(Exception):
    """A model could not be compiled or run; the text is meant for the user."""


@dataclass(frozen=True)
class Result:
    outputs: Arrays  # in graph order
    seconds: float  # host time of the execution
    stats: dict | None  # the simulator's statistics, where there is a simulator


class Network(ABC):
    """A model that is ready to run."""

    load_seconds: float = 0.0

    @abstractmethod
    def run(self, feeds: Arrays) -> Result: ...


class Engine(ABC):
    name: str

    @abstractmethod
    def load(self, name: str, model: Path, dims: dict[str, int]) -> Network:
        """Makes `model` ready with its dynamic dimensions bound. `name` names its artifact."""


class OrtEngine(Engine):
    name = "ONNX Runtime"

    def __init__(self, threads: int = 0, optimise: bool = True):
        """`optimise` off: every operator as it stands, none fused or rewritten."""
        self.threads, self.optimise = threads, optimise
        self.sessions: dict[Path, object] = {}

    def load(self, name: str, model: Path, dims: dict[str, int]) -> Network:
        import onnxruntime as ort

        start = time.perf_counter()
        if model not in self.sessions:
            options = ort.SessionOptions()
            options.intra_op_num_threads = self.threads
            options.log_severity_level = 3
            if not self.optimise:
                options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
            self.sessions[model] = ort.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        network = OrtNetwork(self.sessions[model])
        network.load_seconds = time.perf_counter() - start
        return network


class OrtNetwork(Network):
    def __init__(self, session):
        self.session = session
        self.output_names = [o.name for o in session.get_outputs()]

    def run(self, feeds: Arrays) -> Result:
        start = time.perf_counter()
        outputs = self.session.run(self.output_names, feeds)
        seconds = time.perf_counter() - start
        return Result(dict(zip(self.output_names, outputs)), seconds, None)


class AccEngine(Engine):
    """Compiles with `acc compile` and executes with `acc run`."""

    name = "acc"

    def __init__(self, acc: Path, target: str, folder: Path, sanitize: bool = False, threads: int = 0):
        """`threads` 0 leaves the number to the simulator."""
        self.acc, self.target, self.folder = acc, target, folder
        self.sanitize, self.threads = sanitize, threads
        if not acc.exists():
            raise EngineError(f"{acc} does not exist; `make build` makes it")
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, name: str, model: Path, dims: dict[str, int]) -> Network:
        artifact = self.folder / f"{name}.acc"
        start = time.perf_counter()
        flags = [word for key, size in dims.items() for word in ("--dim", f"{key}={size}")]
        self.call("compile", model, "-o", artifact, "--target", self.target, *flags)
        network = AccNetwork(self, artifact)
        network.load_seconds = time.perf_counter() - start
        return network

    def call(self, *words: object) -> None:
        command = [str(self.acc), *map(str, words)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise EngineError(f"{' '.join(command)}\nended with status {done.returncode}:\n{done.stdout}")


class AccNetwork(Network):
    def __init__(self, engine: AccEngine, artifact: Path):
        self.engine, self.artifact = engine, artifact

    def run(self, feeds: Arrays) -> Result:
        with tempfile.TemporaryDirectory(prefix="acc-run-") as scratch:
            folder = Path(scratch)
            words: list[object] = []
            for index, (name, value) in enumerate(feeds.items()):
                file = folder / f"input-{index}.npy"
                np.save(file, np.ascontiguousarray(value))
                words += ["--input", f"{name}={file}"]
            stats_file = folder / "stats.json"
            if self.engine.sanitize:
                words.append("--sanitize")
            if self.engine.threads:
                words += ["--threads", self.engine.threads]
            self.engine.call(
                "run", self.artifact, *words, "--output-dir", folder / "out", "--stats", stats_file
            )
            stats = json.loads(stats_file.read_text())
            outputs = read_outputs(folder / "out")
        return Result(outputs, stats["host"]["seconds"], stats)


def read_outputs(folder: Path) -> Arrays:
    """What `acc run --output-dir` wrote, by name in graph order."""
    listing = json.loads((folder / "outputs.json").read_text())
    entries = listing["outputs"] if isinstance(listing, dict) else listing
    return {entry["name"]: np.load(folder / entry["file"]) for entry in entries}


def relative_error(got: np.ndarray, want: np.ndarray) -> float:
    """Largest difference relative to the range of `want` (zero counts as part of the range)."""
    if got.shape != want.shape or not np.all(np.isfinite(got) == np.isfinite(want)):
        return float("inf")
    if want.size == 0:
        return 0.0
    span = max(float(want.max()), 0.0) - min(float(want.min()), 0.0)
    difference = float(np.abs(got.astype(np.float64) - want.astype(np.float64)).max())
    if span == 0:
        return 0.0 if difference == 0 else float("inf")
    return difference / span

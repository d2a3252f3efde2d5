"""The pipeline: detection, direction, recognition, each step a network run by an engine and checked."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import detect  # noqa: E402
import lines  # noqa: E402
from engine import Engine, EngineError, Network, OrtEngine, relative_error  # noqa: E402

TOLERANCE = 1e-4  # of the output's range
# ONNX Runtime's graph optimisations change the rounding of f32: on a few pictures its outputs are then more than
# that from an f64 evaluation, and from its own without them. There the operators as they stand are the measure.

FILES = {
    "detection": "ch_PP-OCRv4_det_infer.onnx",
    "direction": "ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "recognition": "ch_PP-OCRv4_rec_infer.onnx",
}


def model_folder() -> Path:
    spec = importlib.util.find_spec("rapidocr_onnxruntime")  # found, not imported
    if spec is None or spec.origin is None:
        raise EngineError("package rapidocr-onnxruntime 1.4.4 is not installed; `make setup` installs it")
    return Path(spec.origin).parent / "models"


def bound_dims(task: str, height: int, width: int) -> dict[str, int]:
    """Batch 1 and the picture's size, under the names that each file gives to its dimensions. Those of
    the direction classifier have no usable names, so they are given by input and axis."""
    if task == "direction":
        return {"x:0": 1, "x:2": height, "x:3": width}
    if task == "recognition":
        return {"p2o.DynamicDimension.0": 1, "?": height, "p2o.DynamicDimension.1": width}
    return {
        "p2o.DynamicDimension.0": 1,
        "p2o.DynamicDimension.1": height,
        "p2o.DynamicDimension.2": width,
    }


@dataclass
class Program:
    """One model compiled for one size, and what its runs showed."""

    task: str
    size: tuple[int, int]
    network: Network
    nodes: int
    runs: int = 0
    seconds: float = 0.0
    worst_error: float = 0.0
    plain_runs: int = 0  # within TOLERANCE only of ONNX Runtime without graph optimisations
    worst_noise: float = 0.0  # what ONNX Runtime differs from itself there
    stats: dict | None = None  # of the last run; sizes are fixed, so every run counts the same bytes
    failures: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.task} {self.size[0]}x{self.size[1]}"


@dataclass(frozen=True)
class Line:
    text: str
    confidence: float
    turned: bool


class Reader:
    def __init__(self, engine: Engine, side: int, say: Callable[[str], None] = lambda _: None):
        self.engine, self.side, self.say = engine, side, say
        self.reference, self.unoptimised = OrtEngine(), OrtEngine(optimise=False)
        self.programs: dict[tuple[str, tuple[int, int]], Program] = {}
        self.models = {task: model_folder() / file for task, file in FILES.items()}
        self.node_counts = {}
        for task, file in self.models.items():
            model = onnx.load(file)
            self.node_counts[task] = sum(node.op_type != "Constant" for node in model.graph.node)
            if task == "recognition":
                metadata = {p.key: p.value for p in model.metadata_props}
                self.classes = lines.alphabet(metadata["character"])

    def program(self, task: str, size: tuple[int, int]) -> Program:
        if (task, size) not in self.programs:
            self.say(f"compiling {task} {size[0]}x{size[1]}")
            name = f"{task}-{size[0]}x{size[1]}"
            network = self.engine.load(name, self.models[task], bound_dims(task, *size))
            self.programs[task, size] = Program(task, size, network, self.node_counts[task])
        return self.programs[task, size]

    def run(self, task: str, pixels: np.ndarray) -> np.ndarray:
        """Runs a network on `pixels` [1,3,H,W] and holds its output against ONNX Runtime's."""
        program = self.program(task, pixels.shape[2:])
        self.say(f"running {program.name}")
        feeds = {"x": pixels}
        result = program.network.run(feeds)
        expected = self.reference.load(task, self.models[task], {}).run(feeds).outputs
        program.runs += 1
        program.seconds += result.seconds
        program.stats = result.stats
        for name, want in expected.items():
            error = relative_error(result.outputs[name], want)
            if error > TOLERANCE:
                plain = self.unoptimised.load(task, self.models[task], {}).run(feeds).outputs[name]
                program.plain_runs += 1
                program.worst_noise = max(program.worst_noise, relative_error(plain, want))
                optimised, error = error, relative_error(result.outputs[name], plain)
                if error > TOLERANCE:
                    program.failures.append(
                        f"{program.name}: output {name} is off by {optimised:.1e} of its range, by {error:.1e} "
                        f"from ONNX Runtime without graph optimisations (limit {TOLERANCE:g})"
                    )
            program.worst_error = max(program.worst_error, error)
        if result.stats is not None:
            dram = result.stats["dram"]
            counted = dram["read_bytes"] + dram["write_bytes"]
            if counted != dram["predicted_bytes"]:
                program.failures.append(
                    f"{program.name}: {counted} bytes counted, {dram['predicted_bytes']} predicted"
                )
        return next(iter(result.outputs.values()))

    def read(self, picture: np.ndarray) -> list[Line]:
        """`picture` [H,W,3] u8 BGR, the channel order that these networks were trained with."""
        canvas = detect.lay_out(picture, detect.canvas_size(*picture.shape[:2], self.side))
        probability = self.run("detection", canvas.pixels)[0, 0]
        found = detect.boxes(probability, canvas.scale, picture.shape)
        result = [self.read_line(detect.crop(picture, box)) for box in found]
        if sum(line.turned for line in result) > len(result) / 2:
            result.reverse()  # the whole picture stands on its head
        return [line for line in result if line.text]

    def read_line(self, line: np.ndarray) -> Line:
        turned = lines.is_upside_down(self.run("direction", lines.lay_out(line, lines.DIRECTION_WIDTH)))
        if turned:
            line = np.rot90(line, 2).copy()
        texts, confidences = [], []
        for part in lines.split(line):
            steps = self.run("recognition", lines.lay_out(part, lines.read_width(part)))
            text, confidence = lines.decode(steps, self.classes)
            texts.append(text)
            confidences.append(confidence)
        return Line(" ".join(texts), min(confidences), turned)

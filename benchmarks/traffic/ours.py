"""acc on every workload and machine: bytes, bound, planning time, and whether results are right."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from models_under_test import OrtEngine, reason
from results import Results
from workloads import MACHINES, Machine, Workload

RUN_SECONDS = 60  # a simulation that takes longer ends: its bytes are the prediction
EFFORTS = ("default", "fast")
# Mean difference relative to the range of an output. In an int8 network roundings decide between steps, and later layers
# carry a step on. Allowed is twice what that makes in ONNX Runtime itself, between its fused kernels and the operators'
# definitions or when one input value changes by one step, and this at least.
QUANTISED_TOLERANCE = 2e-3
BF16_TOLERANCE = 1e-2


class Refused(Exception):
    pass


def call(command: list[object], timeout: float | None = None) -> tuple[str, float]:
    """What a command prints, and its user CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=timeout)
    if done.returncode:
        raise Refused(done.stdout)
    return done.stdout, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def planner_options(acc: Path, effort: str) -> list[str]:
    """As far as this acc has them."""
    known, _ = call([acc, "compile", "--help"])
    options = ["--objective", "bytes"] if "--objective" in known else []
    if "--plan-effort" in known:
        options += ["--plan-effort", effort]
    elif effort != "default":
        raise Refused(f"this acc has no effort {effort}")
    return options


def predicted(acc: Path, artifact: Path) -> dict:
    """Bytes that the artifact says it moves, by reason."""
    text, _ = call([acc, "dump", artifact])
    compulsory = int(re.search(r"^compulsory (\d+) bytes", text, re.MULTILINE)[1])
    bound = re.search(r"^bound\s+(\d+) bytes", text, re.MULTILINE)
    section = text.split("predicted DRAM bytes by reason\n")[1].split("\n\n")[0]
    reasons: dict[str, int] = {}
    for way, count, why in re.findall(r"^\s+(reads|writes)\s+(\d+)\s+(\S+)", section, re.MULTILINE):
        reasons[why] = reasons.get(why, 0) + int(count)
    return {
        "bytes": sum(count for why, count in reasons.items() if why != "program"),
        "compulsory": compulsory,
        "bound": int(bound[1]) if bound else 0,
        "reasons": reasons,
    }


def simulate(acc: Path, artifact: Path, feeds: dict[str, np.ndarray], scratch: Path) -> tuple[dict, list[np.ndarray]] | None:
    """Statistics and outputs; none if it takes too long."""
    words: list[object] = []
    for index, (name, value) in enumerate(feeds.items()):
        np.save(scratch / f"input-{index}.npy", value)
        words += ["--input", f"{name}={scratch / f'input-{index}.npy'}"]
    out = scratch / "out"
    try:
        call([acc, "run", artifact, *words, "--output-dir", out, "--stats", scratch / "stats.json"], RUN_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    listing = json.loads((out / "outputs.json").read_text())
    entries = listing["outputs"] if isinstance(listing, dict) else listing
    return json.loads((scratch / "stats.json").read_text()), [np.load(out / e["file"]) for e in entries]


def mean_error(got: np.ndarray, want: np.ndarray) -> float:
    got, want = got.astype(np.float64), want.astype(np.float64)
    if got.shape != want.shape or not np.array_equal(np.isfinite(got), np.isfinite(want)):
        return float("inf")
    return float(np.abs(got - want).mean() / max(want.max() - want.min(), 1e-30))


def one_step(feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """One int8 value in the middle of each input moved by one; other types stay."""
    moved = {}
    for name, value in feeds.items():
        value = value.copy()
        if value.dtype == np.int8:
            middle = value.size // 2
            value.flat[middle] += 1 if value.flat[middle] < 127 else -1
        moved[name] = value
    return moved


class Reference:
    """ONNX Runtime's outputs of one workload, and acc's first: the bits of every other machine must be these."""

    def __init__(self, workload: Workload):
        model = workload.model
        self.workload, self.feeds = workload, model.inputs()
        fused = OrtEngine().load(model.name, model.path(), {}).run(self.feeds).outputs
        self.want = list(fused.values())
        self.allowed = model.tolerance
        if model.quantised or workload.precision != "f32":
            self.allowed = QUANTISED_TOLERANCE if model.quantised else BF16_TOLERANCE
        if model.quantised:
            # ONNX Runtime's fused kernels round in other places than the operators' definitions do.
            plain = OrtEngine(optimise=False).load(model.name, model.path(), {})
            exact = list(plain.run(self.feeds).outputs.values())
            stepped = plain.run(one_step(self.feeds)).outputs.values()
            spread = max(mean_error(a, b) for a, b in (*zip(self.want, exact), *zip(stepped, exact)))
            self.want = exact
            self.allowed = max(self.allowed, 2 * spread)
        self.first: list[np.ndarray] | None = None

    def judge(self, got: list[np.ndarray]) -> dict:
        error = max(mean_error(a, b) for a, b in zip(got, self.want))
        verdict = {"error": error, "right": error <= self.allowed, "allowed": self.allowed}
        if self.first is None:
            self.first = got
        verdict["same_bits"] = all(a.tobytes() == b.tobytes() for a, b in zip(got, self.first))
        return verdict


def compile_(acc: Path, workload: Workload, machine: Machine, effort: str, artifact: Path) -> float:
    _, seconds = call([acc, "compile", workload.model.path(), "-o", artifact, *machine.flags(), *workload.model.flags(),
                       "--precision", workload.precision, *planner_options(acc, effort)])
    return seconds


def one(acc: Path, workload: Workload, machine: Machine, reference: Reference, scratch: Path) -> dict:
    artifact = scratch / "model.acc"
    record: dict = {}
    try:
        seconds = compile_(acc, workload, machine, "fast", artifact)
        record["fast"] = {"user_seconds": seconds, "bytes": predicted(acc, artifact)["bytes"]}
    except Refused:
        pass
    record["user_seconds"] = compile_(acc, workload, machine, "default", artifact)
    record |= predicted(acc, artifact)
    ran = simulate(acc, artifact, reference.feeds, scratch)
    record["counted"] = ran is not None
    if ran:
        stats, outputs = ran
        dram = stats["dram"]
        counted = dram["read_bytes"] + dram["write_bytes"]
        if counted != record["bytes"]:
            raise Refused(f"{workload.name}: {counted} bytes counted, {record['bytes']} predicted")
        record |= {"bound": dram.get("bound_bytes") or record["bound"], "macs": stats["macs"],
                   "sram_peak": stats["sram"]["peak_bytes"]} | reference.judge(outputs)
    return record


def measure(acc: Path, workloads: list[Workload], machines: dict[str, Machine], results: Results, scratch: Path) -> None:
    for workload in workloads:
        chosen = [name for name in MACHINES if name in machines and name in workload.machines]
        reference = None
        for name in chosen:
            start = time.monotonic()
            try:
                reference = reference or Reference(workload)
                record = one(acc, workload, machines[name], reference, scratch)
            except Refused as error:
                record = {"refused": reason(error)}
            results.put("acc", workload.name, name, record | {"date": time.strftime("%Y-%m-%d")})
            if "refused" in record:
                said = record["refused"]
            else:
                said = f"{record['bytes'] / 1e6:10.3f} MB, {record['bytes'] / record['compulsory']:6.3f} x C, " \
                       f"{record['user_seconds']:5.1f} s"
                if record["counted"]:
                    said += f", error {record['error']:.1e}{'' if record['right'] else ' WRONG'}"
                    said += "" if record["same_bits"] else " OTHER BITS"
                else:
                    said += ", predicted"
            print(f"  {workload.name:26} {name:16} {said}  ({time.monotonic() - start:.0f} s)", file=sys.stderr, flush=True)

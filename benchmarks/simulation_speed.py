"""Wall clock of functional simulation against ONNX Runtime: same process, same inputs, same threads."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from models_under_test import AccEngine, Model, OrtEngine, import_acc, pick, reason

MODELS = ["resnet50", "ocr-det-640x640", "ocr-rec-w320", "minilm-s128", "mobilenetv2", "bert-base-s128"]
ROUNDS = 9
THREADS = (1, 2)
LIMIT = 2.0  # the aim is 1


def measure(artifact: Path, model: Model, threads: int, rounds: int) -> tuple[float, float, list[np.ndarray], dict]:
    """Least seconds of acc and of ONNX Runtime, acc's outputs and statistics. The runs alternate, so that a
    busy moment meets both; each side's first run, which also allocates, does not count."""
    executable = import_acc().load(artifact)
    peer = OrtEngine(threads=threads).load(model.name, model.path(), {})
    feeds = model.inputs()
    ours, theirs = [], []
    for _ in range(rounds + 1):
        outputs = executable.run(feeds, threads=threads)
        ours.append(executable.stats["host"]["seconds"])
        start = time.perf_counter()
        peer.run(feeds)
        theirs.append(time.perf_counter() - start)
    return min(ours[1:]), min(theirs[1:]), list(outputs.values()), executable.stats


def table(acc: Path, scratch: Path, names: list[str] | None) -> str:
    rows = [
        "## Functional simulation, f32",
        "",
        f"Target edge. Milliseconds, least of {ROUNDS} alternating runs in one process, with one thread and with "
        f"two; the limit for the ratio with one thread is {LIMIT:g}, the aim 1. Outputs with one and two threads "
        "have the same bits.",
        "",
        "| model | GMAC | instructions | acc | ONNX Runtime | ratio | acc, 2 threads | ONNX Runtime, 2 | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for model in pick(names, MODELS):
        try:
            engine = AccEngine(acc, "edge", scratch)
            artifact = engine.load(model.name, model.path(), dict(model.dims)).artifact
            runs = [measure(artifact, model, threads, ROUNDS) for threads in THREADS]
        except Exception as error:  # noqa: BLE001  (the table says what happened)
            rows.append(f"| {model.name} | {reason(error)} | | | | | | | |")
            continue
        if not all(np.array_equal(a.view(np.uint8), b.view(np.uint8)) for a, b in zip(runs[0][2], runs[1][2])):
            raise SystemExit(f"bench: {model.name}: two threads give other bits than one")
        stats = runs[0][3]
        cells = [model.name, f"{stats['macs'] / 1e9:.2f}", f"{stats['instructions']:,}"]
        for mine, other, _, _ in runs:
            cells += [f"{mine * 1e3:.1f}", f"{other * 1e3:.1f}", f"{mine / other:.2f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)

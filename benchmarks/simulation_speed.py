"""Wall clock of functional simulation against ONNX Runtime, one thread each."""

from __future__ import annotations

from pathlib import Path

from models_under_test import AccEngine, EngineError, OrtEngine, pick, reason

MODELS = ["resnet50", "mobilenetv2", "ocr-det-640x640", "ocr-rec-w320", "minilm-s128"]
ROUNDS = 7
LIMIT = 2.0  # the aim is 1


def table(acc: Path, scratch: Path, names: list[str] | None) -> str:
    rows = [
        "## Functional simulation, f32, one thread",
        "",
        f"Target edge; least of {ROUNDS} alternating runs; the limit is {LIMIT:g}, the aim 1.",
        "",
        "| model | acc, ms | ONNX Runtime, ms | ratio |",
        "| --- | ---: | ---: | ---: |",
    ]
    engine, reference = AccEngine(acc, "edge", scratch, threads=1), OrtEngine(threads=1)
    for model in pick(names, MODELS):
        feeds = model.inputs()
        try:
            ours = engine.load(model.name, model.path(), dict(model.dims))
            theirs = reference.load(model.name, model.path(), {})
            theirs.run(feeds)  # the first run also allocates
            times = [(ours.run(feeds).seconds, theirs.run(feeds).seconds) for _ in range(ROUNDS)]
        except EngineError as error:
            rows.append(f"| {model.name} | {reason(error)} | | |")
            continue
        mine, other = (min(column) * 1e3 for column in zip(*times))
        rows.append(f"| {model.name} | {mine:.1f} | {other:.1f} | {mine / other:.2f} |")
    return "\n".join(rows)

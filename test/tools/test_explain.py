"""acc explain and acc compile --report: every byte above the compulsory ones has a reason, and the reasons add up."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import ROOT, good, refused  # noqa: E402

MAKERS = {"residual": small_models.residual, "attention": small_models.attention, "quantised": small_models.quantised}


def flags(make) -> list[str]:
    return ["--dim", "batch=1"] if make is small_models.residual else []


def reported(model: Path, folder: Path, *words: object) -> dict:
    good("compile", model, "-o", folder / "net.acc", "--report", folder / "net.json", *words)
    return json.loads((folder / "net.json").read_text())


def check_sums(report: dict) -> None:
    """Tensors, nodes, reasons and lines are the same bytes, cut differently."""
    dram = report["dram"]
    moved = dram["read_bytes"] + dram["write_bytes"]
    for rows in (report["tensors"], report["nodes"]):
        for key in ("read_bytes", "write_bytes", "compulsory_bytes"):
            assert sum(row[key] for row in rows) == dram[key]
        for row in rows:
            assert sum(row["causes"].values()) == row["read_bytes"] + row["write_bytes"]
            assert row["causes"].get("compulsory", 0) == row["compulsory_bytes"]
    assert sum(line["bytes"] for line in report["lines"]) == moved
    assert {row["cause"]: row["bytes"] for row in report["causes"]} == dram["causes"]
    reasons = sum(row["bytes"] for row in report["causes"] if row["cause"] != "compulsory")
    assert reasons == moved - dram["compulsory_bytes"]
    assert moved >= dram["bound_bytes"] >= dram["compulsory_bytes"] > 0
    for line in report["lines"]:
        assert line["cause"] == "compulsory" or line["text"], line
    assert sum(group["bytes"] for group in report["groups"]) == moved


@pytest.mark.parametrize("sram", ["2MiB", "32KiB", "20KiB", "12KiB"])
@pytest.mark.parametrize("make", MAKERS)
def test_reasons_add_up(make: str, sram: str, tmp_path: Path) -> None:
    model = MAKERS[make](tmp_path / "net.onnx")
    report = reported(model, tmp_path, "--set", f"sram.bytes={sram}", "--target", "tiny", *flags(MAKERS[make]))
    check_sums(report)
    dumped = good("dump", tmp_path / "net.acc")
    assert f"compulsory {report['dram']['compulsory_bytes']} bytes" in dumped
    assert f"bound      {report['dram']['bound_bytes']} bytes" in dumped


@pytest.mark.parametrize("seed", range(1, 7))
def test_reasons_of_any_schedule_add_up(seed: int, tmp_path: Path) -> None:
    """Not only of plans that the search makes."""
    model = small_models.residual(tmp_path / "net.onnx", 1)
    check_sums(reported(model, tmp_path, "--target", "tiny", "--plan-seed", seed))


def light(name: str) -> Path:
    import onnx

    return Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / f"light_{name}.onnx"


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("squeezenet")
    return folder / "net.acc", reported(light("squeezenet"), folder, "--target", "edge-128k")


def test_squeezenet(squeezenet: tuple[Path, dict]) -> None:
    """On 128 KiB: large results go to DRAM and back, and concatenations end groups."""
    _, report = squeezenet
    check_sums(report)
    causes = report["dram"]["causes"]
    assert causes["capacity"] > 0 and causes["illegal-fusion"] > 0
    forbidden = next(line for line in report["lines"] if line["cause"] == "illegal-fusion")
    assert "cannot be in one group with" in forbidden["text"] and "view" in forbidden["text"]
    assert any(line.get("more_sram_bytes", 0) > 0 for line in report["lines"] if line["cause"] == "capacity")
    alternatives = [other for group in report["groups"] for other in group["alternatives"]]
    assert any(other["bytes"] is not None and other["bytes"] > other["bytes_now"] for other in alternatives)
    assert all(other["bytes"] is not None or other["obstacle"] for other in alternatives)
    # The most that is asked for removes everything: nothing but the search is left.
    need = max(line.get("more_sram_bytes", 0) for line in report["lines"])
    assert report["sram"]["capacity_bytes"] == 128 << 10 and need > 0


def test_more_sram_removes_what_it_says(squeezenet: tuple[Path, dict], tmp_path: Path) -> None:
    """A single group's excess goes with the SRAM that its line asks for."""
    _, report = squeezenet
    line = next(line for line in report["lines"] if "moves everything once" in line.get("text", ""))
    size = (128 << 10) + line["more_sram_bytes"]
    larger = reported(light("squeezenet"), tmp_path, "--target", "edge-128k", "--set", f"sram.bytes={-(-size // 1024)}KiB")
    again = [x for x in larger["lines"] if x["tensor"] == line["tensor"] and x["cause"] == line["cause"]]
    assert sum(x["bytes"] for x in again) < line["bytes"]


def test_occupancy(squeezenet: tuple[Path, dict]) -> None:
    """Nothing overlaps, and the fullest moment is the peak."""
    _, report = squeezenet
    occupants = report["sram"]["occupants"]
    assert max(o["offset"] + o["bytes"] for o in occupants) == report["sram"]["peak_bytes"]
    for group in range(len(report["groups"])):
        here = sorted((o["offset"], o["bytes"]) for o in occupants if o["begin"] <= group < o["end"])
        assert here
        assert all(a + size <= b for (a, size), (b, _) in zip(here, here[1:]))


def test_text(squeezenet: tuple[Path, dict]) -> None:
    artifact, report = squeezenet
    said = good("explain", artifact)
    dram = report["dram"]
    for part in (f"{dram['read_bytes'] + dram['write_bytes']:,}", f"{dram['compulsory_bytes']:,}", "why bytes move", "illegal-fusion",
                 "tensors above compulsory", "nodes above compulsory", "reasons", "alternatives that were considered"):
        assert part in said
    assert max(map(len, said.splitlines()[1:])) <= 120
    assert len(good("explain", artifact, "--rows", "0").splitlines()) > len(said.splitlines())
    one = good("explain", artifact, "--node", "n62", "--rows", "0")
    assert "n62" in one and "why bytes move" not in one and "(n10)" not in one
    assert "nothing above compulsory" in good("explain", artifact, "--tensor", "no such tensor")
    assert json.loads(good("explain", artifact, "--json"))["lines"] == report["lines"]


def test_same_report_from_compile_and_explain(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    for ending in ("json", "html"):
        good("compile", model, "-o", tmp_path / "net.acc", "--target", "tiny", "--report", tmp_path / f"a.{ending}")
        good("explain", tmp_path / "net.acc", "--report", tmp_path / f"b.{ending}")
        first, second = ((tmp_path / f"{which}.{ending}").read_text() for which in "ab")
        assert first.replace("net.onnx", "") == second.replace(str(tmp_path / "net.acc"), "")
        good("compile", model, "-o", tmp_path / "net.acc", "--target", "tiny", "--report", tmp_path / f"c.{ending}")
        assert (tmp_path / f"c.{ending}").read_text() == first


def test_text_form_keeps_the_explanation(tmp_path: Path) -> None:
    """Artifact to text of the instruction set and on from it."""
    model = small_models.residual(tmp_path / "net.onnx", 1)
    good("compile", model, "-o", tmp_path / "a.acc", "--target", "tiny")
    good("compile", model, "-o", tmp_path / "a.mlir", "--target", "tiny", "--emit", "codegen")
    good("compile", tmp_path / "a.mlir", "-o", tmp_path / "b.acc", "--from", "codegen")
    assert (tmp_path / "a.acc").read_bytes() == (tmp_path / "b.acc").read_bytes()
    good("explain", tmp_path / "b.acc")


def test_refused(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    compile = ("compile", model, "-o", tmp_path / "net.acc")
    assert "must end in .json or .html" in refused(*compile, "--report", tmp_path / "net.txt", status=2)
    assert "needs the whole program" in refused(*compile, "--report", tmp_path / "r.json", "--emit", "plan", status=2)
    assert "is done" in refused("compile", "a.mlir", "-o", "b.acc", "--from", "codegen", "--report", "r.json", status=2)
    old = next((ROOT / "test" / "artifacts" / "v1").glob("*.acc"))
    assert "says nothing about why bytes move; compile the model again" in refused("explain", old)
    assert "not a valid artifact" in refused("explain", model)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.onnx"]

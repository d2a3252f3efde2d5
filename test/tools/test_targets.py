"""Target files: what is wrong, where, and what is possible; the two that come with acc."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import ROOT, good, refused  # noqa: E402

TEXT = (ROOT / "targets" / "tiny.toml").read_text()


def changed(folder: Path, old: str, new: str) -> Path:
    assert TEXT.count(old) == 1
    path = folder / "mine.toml"
    path.write_text(TEXT.replace(old, new))
    return path


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line)


FAULTS = {
    "unknown key": ("[queue]\ndepth = 8", "[queue]\ndepth = 8\ndepht = 8", "depht", "unknown key 'queue.depht'; did you mean 'queue.depth'?"),
    "unknown table": ("[queue]", "[queues]", "[queues]", "unknown table or key 'queues'"),
    "a key outside of its table": ('name = "tiny"', 'name = "tiny"\nhz = 5', "hz = 5", "unknown table or key 'hz'"),
    "a string with a unit": ("hz = 1_000_000_000", 'hz = "1 GHz"', "hz =", "'clock.hz' must be an integer in Hz, it is a string"),
    "a fraction": ("lanes = 8", "lanes = 8.5", "lanes", "'vec.lanes' must be an integer in elements/cycle, it is a floating-point"),
    "another unit": ("hz = 1_000_000_000", "hz = 1_000", "hz =", "'clock.hz' is 1000 Hz, possible are 100000 to 100000000000"),
    "bytes a second": ("bytes_per_cycle = 4.0", "bytes_per_cycle = 4e9", "bytes_per_cycle", "'dram.bytes_per_cycle' is 4000000000 bytes/cycle"),
    "negative": ("banks = 4", "banks = -4", "banks", "'sram.banks' is -4 banks, possible are 1 to 4096"),
    "not a number": ("bytes_per_cycle = 4.0", "bytes_per_cycle = nan", "bytes_per_cycle", "'dram.bytes_per_cycle' is nan"),
    "a name of another type": ('name = "tiny"', "name = 7", "name = 7", "'name' must be a string"),
    "bad syntax": ("rows = 8", "rows = = 8", "rows", ""),
    "twice": ("rows = 8", "rows = 8\nrows = 9", "rows = 9", "rows"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_with_line_and_column(fault: str, tmp_path: Path) -> None:
    old, new, where, message = FAULTS[fault]
    path = changed(tmp_path, old, new)
    said = refused("targets", path)
    assert said.startswith(f"acc: error: {path}:{line_of(path, where)}:"), said
    assert message in said and len(said.splitlines()) == 1


def test_missing_key(tmp_path: Path) -> None:
    path = changed(tmp_path, "banks = 4\n", "")
    assert refused("targets", path) == f"acc: error: {path}: 'sram.banks' is missing (banks of the scratchpad, in banks)\n"
    path = changed(tmp_path, 'name = "tiny"\n', "")
    assert "'name' is missing" in refused("targets", path)


def test_contradictions(tmp_path: Path) -> None:
    said = refused("targets", changed(tmp_path, "f32_macs = 16", "f32_macs = 65"))
    assert "cannot exceed mxu.rows x mxu.columns" in said
    said = refused("targets", changed(tmp_path, "banks = 4", "banks = 3"))
    assert "sram.bytes must be a multiple of sram.banks" in said


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "missing.toml", "No such file"), (tmp_path, "directory")):
        said = refused("targets", path)
        assert str(path) in said and reason in said and "one of: edge tiny" in said
    binary = tmp_path / "binary.toml"
    binary.write_bytes(bytes(range(256)))
    assert str(binary) in refused("targets", binary)
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    assert "is missing" in refused("targets", empty)


def test_compile_and_check_say_the_same(tmp_path: Path) -> None:
    path = changed(tmp_path, "banks = 4", "banks = 3")
    model = small_models.residual(tmp_path / "net.onnx", 1)
    said = refused("targets", path)
    assert refused("compile", model, "--target", path, "-o", tmp_path / "net.acc") == said
    assert refused("check", model, "--target", path) == said
    assert not (tmp_path / "net.acc").exists()


def test_too_little_memory_names_node_and_bytes(tmp_path: Path) -> None:
    path = changed(tmp_path, "bytes = 32768", "bytes = 1024")
    said = refused("compile", small_models.wide(tmp_path / "net.onnx"), "--target", path, "-o", tmp_path / "net.acc")
    assert '"wide"' in said
    assert "no tile fits" in said and "bytes of SRAM, there are 1024" in said
    assert not (tmp_path / "net.acc").exists()


@pytest.mark.parametrize("name", ["edge", "tiny"])
def test_listed_with_units_and_source(name: str) -> None:
    assert name in [line.split()[0] for line in good("targets").splitlines()]
    shown = good("targets", name).splitlines()
    figures = tomllib.loads((ROOT / "targets" / f"{name}.toml").read_text())
    assert shown[0] == f"{name}: {figures['summary']}"
    assert shown[1] == f"source: {figures['source']}"
    rows = {line.split()[0]: line.split()[1:] for line in shown[2:]}
    tables = {k: v for k, v in figures.items() if isinstance(v, dict)}
    assert set(rows) == {f"{table}.{key}" for table, keys in tables.items() for key in keys}
    for table, keys in tables.items():
        for key, value in keys.items():
            assert float(rows[f"{table}.{key}"][0]) == value
            assert len(rows[f"{table}.{key}"]) >= 3  # value, unit, meaning


def test_figures_of_the_two_machines() -> None:
    edge, tiny = (tomllib.loads((ROOT / "targets" / f"{n}.toml").read_text()) for n in ("edge", "tiny"))
    assert edge["clock"]["hz"] == 10**9
    assert edge["mxu"] == {"rows": 64, "columns": 32, "int8_macs": 2048, "f16_macs": 1024, "f32_macs": 256}
    assert edge["acc"]["bytes"] == 64 * 1024
    assert edge["vec"] == {"lanes": 64, "transcendental_divisor": 4}
    assert edge["sram"] == {"bytes": 2 * 1024 * 1024, "banks": 16}
    assert edge["imem"]["bytes"] == 64 * 1024
    assert edge["dram"] == {"bytes_per_cycle": 16.0, "burst_bytes": 64, "latency_cycles": 200}
    assert edge["queue"]["depth"] == 32
    assert (tiny["mxu"]["rows"], tiny["mxu"]["columns"]) == (8, 8)
    assert tiny["sram"]["bytes"] == 32 * 1024 and tiny["acc"]["bytes"] == 4 * 1024
    assert tiny["dram"]["bytes_per_cycle"] == 4.0

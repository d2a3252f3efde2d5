"""Target files: what is wrong, where, and what is possible; those that come with acc; single figures replaced."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import BIN, ROOT, good, refused  # noqa: E402

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
    "bytes a second": ("bytes_per_cycle = 4.0", "bytes_per_cycle = 4e9", "bytes_per_cycle = 4e9", "'dram.bytes_per_cycle' is 4000000000 bytes/cycle"),
    "negative": ("banks = 4", "banks = -4", "banks", "'sram.banks' is -4 banks, possible are 1 to 4096"),
    "not a number": ("bytes_per_cycle = 4.0", "bytes_per_cycle = nan", "bytes_per_cycle = nan", "'dram.bytes_per_cycle' is nan"),
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
    assert "dram.burst_bytes must be a power of two" in refused("targets", changed(tmp_path, "burst_bytes = 64", "burst_bytes = 96"))


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "missing.toml", "No such file"), (tmp_path, "directory")):
        said = refused("targets", path)
        assert str(path) in said and reason in said and "one of: edge-128k edge tiny tpu-v5e u65-256" in said
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


@pytest.mark.parametrize("name", sorted(p.stem for p in (ROOT / "targets").glob("*.toml")))
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
    assert edge["mxu"] == {"rows": 64, "columns": 32, "int8_macs": 2048, "f16_macs": 1024, "f32_macs": 256,
                           "depthwise_macs": 256, "load_bytes_per_cycle": 128}
    assert edge["acc"]["bytes"] == 64 * 1024
    assert edge["vec"] == {"lanes": 64, "transcendental_divisor": 4, "steps": 8, "wide_divisor": 2, "latency_cycles": 4}
    assert edge["sram"] == {"bytes": 2 * 1024 * 1024, "banks": 16, "bank_bytes": 64, "latency_cycles": 4}
    assert edge["imem"]["bytes"] == 64 * 1024
    assert edge["dram"] == {"bytes_per_cycle": 16.0, "burst_bytes": 64, "latency_cycles": 200,
                            "write_latency_cycles": 100, "row_bytes": 2048, "row_cycles": 5.0}
    assert edge["dma"] == {"bytes_per_cycle": 64, "setup_cycles": 16, "outstanding": 4}
    assert edge["queue"]["depth"] == 32
    assert (tiny["mxu"]["rows"], tiny["mxu"]["columns"]) == (8, 8)
    assert tiny["sram"]["bytes"] == 32 * 1024 and tiny["acc"]["bytes"] == 4 * 1024
    assert tiny["dram"]["bytes_per_cycle"] == 4.0


def test_edge_128k_is_edge_with_less_memory() -> None:
    edge, small = (tomllib.loads((ROOT / "targets" / f"{n}.toml").read_text()) for n in ("edge", "edge-128k"))
    assert small["sram"].pop("bytes") == 128 * 1024
    del edge["sram"]["bytes"]
    assert all(edge[table] == small[table] for table in edge if isinstance(edge[table], dict))


def shown(*words: object) -> dict[str, float]:
    return {line.split()[0]: float(line.split()[1]) for line in good("targets", *words).splitlines()[2:]}


def test_figures_replaced() -> None:
    before = shown("edge")
    after = shown("edge", "--set", "sram.bytes=128KiB", "--set", "dram.bytes_per_cycle=3.75", "--set", "acc.bytes=32768")
    changes = {"sram.bytes": 131072, "dram.bytes_per_cycle": 3.75, "acc.bytes": 32768}
    assert after == before | changes
    assert shown("edge", "--set", "sram.bytes=1KiB", "--set", "sram.bytes=3MiB")["sram.bytes"] == 3 << 20


@pytest.mark.parametrize("setting, message", [
    ("sram.byte=5", "unknown key 'sram.byte'; did you mean 'sram.bytes'?"),
    ("sram=5", "must be TABLE.KEY=VALUE, as in sram.bytes=128KiB"),
    ("sram.bytes", "must be TABLE.KEY=VALUE, as in sram.bytes=128KiB"),
    ("sram.bytes=much", "'much' is not a number (in bytes; KiB, MiB and GiB are possible)"),
    ("sram.bytes=128kB", "'128kB' is not a number (in bytes; KiB, MiB and GiB are possible)"),
    ("sram.bytes=1000.5", "'sram.bytes' must be an integer in bytes"),
    ("sram.bytes=16", "'sram.bytes' is 16 bytes, possible are 1024 to 1000000000000"),
    ("sram.bytes=-128KiB", "'sram.bytes' is -131072 bytes, possible are"),
    ("sram.bytes=99999999999999999999", "'sram.bytes' "),
    ("sram.banks=3", "sram.bytes must be a multiple of sram.banks"),
])
def test_replaced_by_what_is_impossible(setting: str, message: str, tmp_path: Path) -> None:
    said = refused("targets", "edge", "--set", setting)
    assert message in said and len(said.splitlines()) == 1
    model = small_models.residual(tmp_path / "net.onnx", 1)
    assert refused("compile", model, "--set", setting, "-o", tmp_path / "net.acc") == said
    assert not (tmp_path / "net.acc").exists()


def test_replaced_figures_decide(tmp_path: Path) -> None:
    """A named target and the same figures one by one give the same program; another size another target digest."""
    model = small_models.residual(tmp_path / "net.onnx", 1)
    text = {}
    for name, words in {"named": ["edge-128k"], "set": ["edge", "--set", "sram.bytes=128KiB"], "edge": ["edge"]}.items():
        good("compile", model, "--target", *words, "--emit", "plan", "-o", tmp_path / name)
        text[name] = (tmp_path / name).read_text()
    assert "sram_bytes = 131072" in text["named"] and "sram_bytes = 131072" in text["set"]
    assert "sram_bytes = 2097152" in text["edge"]
    digest = {name: re.search(r'accel.target = {[^}]*digest = "(\w+)"', own)[1] for name, own in text.items()}
    assert len(set(digest.values())) == 3


def test_the_artifact_has_the_limits(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    good("compile", model, "--set", "dram.burst_bytes=128", "--set", "queue.depth=5", "-o", tmp_path / "net.acc")
    shown = subprocess.run([BIN / "acc-translate", "--artifact-to-isa", tmp_path / "net.acc"], check=True, capture_output=True, text=True).stdout
    assert "burst_bytes = 128 : i64" in shown and "queue_depth = 5 : i64" in shown


def test_set_needs_a_target_to_be_chosen(tmp_path: Path) -> None:
    assert "--set" in refused("targets", "--set", "sram.bytes=1MiB", status=2)
    assert "stage import is done" in refused("compile", tmp_path / "x.mlir", "--from", "plan", "--set", "sram.bytes=1MiB",
                                             "-o", tmp_path / "y.acc", status=2)

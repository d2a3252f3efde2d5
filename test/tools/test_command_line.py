"""Help, messages, exit status and progress of the program acc."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small_models  # noqa: E402
from small_models import BIN, acc, good, refused  # noqa: E402

COMMANDS = ("compile", "run", "check", "dump", "explain", "targets", "list-ops", "compare")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str) -> None:
    said = good(command, "--help")
    assert "xamples:" in said and f"acc {command}" in said


def test_help_lists_every_command() -> None:
    said = good("--help")
    for command in (*COMMANDS, "bench"):
        assert f"\n  {command} " in said


def test_usage() -> None:
    assert "unknown command 'nothing'; commands: compile run" in refused("nothing", status=2)
    assert refused("compile", status=2) == "acc: error: model is required; --help shows what is possible\n"
    assert "nowhere not in" in refused("compile", "a", "-o", "b", "--emit", "nowhere", status=2)
    assert refused(status=2).startswith("acc: error: ")


def test_unknown_target_names_the_known() -> None:
    assert "one of: edge-128k edge tiny tpu-v5e u65-256" in refused("targets", "nowhere")


def test_check_lists_every_obstacle(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Unique", ["x"], ["u"], name="first_obstacle", sorted=1),
        helper.make_node("Relu", ["x"], ["r"], name="no_obstacle"),
        helper.make_node("Det", ["r"], ["y"], name="second_obstacle"),
    ]
    model = small_models.save(tmp_path / "net.onnx", nodes, {"x": [4, 4]}, {"y": [], "u": ["n"]}, {})
    said = refused("check", model)
    assert "first_obstacle" in said and "second_obstacle" in said and "no_obstacle" not in said
    entries = [json.loads(line) for line in acc("check", model, "--json").stderr.splitlines()]
    assert sum(entry["type"] == "error" for entry in entries) >= 2


def test_check_says_good(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    assert good("check", model, "--target", "tiny") == f"{model}: compiles for target tiny\n"
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]


def test_dump(tmp_path: Path) -> None:
    model, artifact = small_models.residual(tmp_path / "net.onnx", 1), tmp_path / "net.acc"
    good("compile", model, "-o", artifact)
    said = good("dump", artifact)
    for part in ("DRAM regions", "routines", "predicted DRAM bytes by reason", "compulsory-load", "input      x float[1, 4, 20, 12]"):
        assert part in said
    assert "CALL" not in said
    # Inputs and outputs are counted in full: 4 bytes an element.
    assert any(line.split()[:2] == ["reads", str(4 * 4 * 20 * 12)] and line.endswith(" x") for line in said.splitlines())
    code = good("dump", artifact, "--code")
    assert code.startswith(said) and "CALL routine" in code and "vector program 0" in code


def test_quiet_and_json(tmp_path: Path) -> None:
    model, artifact = small_models.residual(tmp_path / "net.onnx", 1), tmp_path / "net.acc"
    done = acc("compile", model, "-o", artifact)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = acc("compile", model, "-o", artifact, "--json")
    assert json.loads(done.stdout)["bytes"] == artifact.stat().st_size
    stages = [json.loads(line)["name"] for line in done.stderr.splitlines()]
    assert stages == ["import", "graph", "plan", "tile", "memory", "codegen", "emit"]
    np.save(tmp_path / "x.npy", np.ones((1, 4, 20, 12), np.float32))
    done = acc("run", artifact, "--input", f"x={tmp_path / 'x.npy'}", "--json")
    assert json.loads(done.stdout)["dram"]["read_bytes"] > 0
    done = acc("run", artifact, "--json")
    assert "input 'x' is not given" in [json.loads(line) for line in done.stderr.splitlines()][-1]["text"]


def test_progress_on_a_terminal_only_after_a_second(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    master, slave = pty.openpty()
    done = subprocess.run([BIN / "acc", "compile", model, "-o", tmp_path / "net.acc"], stderr=slave, stdin=subprocess.DEVNULL)
    os.close(slave)
    try:
        said = os.read(master, 1000)
    except OSError:  # nothing was written and the other end is closed
        said = b""
    os.close(master)
    assert done.returncode == 0 and said == b""


def test_nothing_that_is_read_is_written_over(tmp_path: Path) -> None:
    model = small_models.residual(tmp_path / "net.onnx", 1)
    before = model.read_bytes()
    (tmp_path / "link.onnx").symlink_to(model)
    for out in (model, tmp_path / "link.onnx", tmp_path / ".." / tmp_path.name / "net.onnx"):
        for words in (["-o", out], ["-o", out, "--emit", "graph"], ["-o", tmp_path / "net.acc", "--schedule-out", out]):
            assert "is read and cannot be written over" in refused("compile", model, *words, status=2)
    target = tmp_path / "mine.toml"
    target.write_bytes((small_models.ROOT / "targets" / "edge.toml").read_bytes())
    assert "mine.toml" in refused("compile", model, "-o", target, "--target", target, status=2)
    out = tmp_path / "net.acc"
    assert "name the same file" in refused("compile", model, "-o", out, "--schedule-out", out, status=2)
    assert model.read_bytes() == before and not out.exists()


def test_empty_names(tmp_path: Path) -> None:
    model, artifact = small_models.residual(tmp_path / "net.onnx", 1), tmp_path / "net.acc"
    good("compile", model, "-o", artifact)
    for words in (["compile", "", "-o", artifact], ["compile", model, "-o", ""], ["compile", model, "-o", artifact, "--target", ""],
                  ["compile", model, "-o", artifact, "--schedule", ""], ["check", ""], ["run", ""], ["run", artifact, "--stats", ""],
                  ["run", artifact, "--output-dir", ""]):
        assert "the name is empty" in refused(*words, status=2)
    assert refused("run", artifact, "--input", "x=") == "acc: error: --input x=: names no file\n"


def test_a_tensor_beyond_what_an_artifact_holds(tmp_path: Path) -> None:
    model = small_models.save(tmp_path / "net.onnx", [helper.make_node("Relu", ["x"], ["y"])], {"x": ["n", 3]}, {"y": ["n", 3]}, {})
    said = refused("compile", model, "-o", tmp_path / "net.acc", "--dim", "n=100000000000")
    assert "DRAM region 'input' needs 1200000000000 bytes, an artifact can have 1099511627776" in said
    assert not (tmp_path / "net.acc").exists()


def test_names_with_spaces_and_of_other_scripts(tmp_path: Path) -> None:
    folder = tmp_path / "a b \u00fc \u540d"
    model = small_models.save(tmp_path / "net.onnx", [helper.make_node("Relu", ["x y=\u00fc"], ["out/1 \u540d"])], {"x y=\u00fc": [2]},
                              {"out/1 \u540d": [2]}, {})
    folder.mkdir()
    model = model.rename(folder / "m\u00f6del.onnx")
    good("compile", model, "-o", folder / "net \u540d.acc")
    np.save(folder / "x=.npy", np.float32([np.nan, -1]))  # --input splits at the last =
    refused("run", folder / "net \u540d.acc", "--input", f"x y=\u00fc={folder / 'x=.npy'}")
    (folder / "x=.npy").rename(folder / "x.npy")
    good("run", folder / "net \u540d.acc", "--input", f"x y=\u00fc={folder / 'x.npy'}", "--output-dir", folder / "out")
    listed = json.loads((folder / "out" / "outputs.json").read_text())
    assert [(entry["name"], entry["file"]) for entry in listed] == [("out/1 \u540d", "out_1__.npy")]
    got = np.load(folder / "out" / "out_1__.npy")
    assert np.isnan(got[0]) and got[1] == 0

"""Faults injected into compiled artifacts, one at a time, through their isa text.

The simulator executes in dispatch order, so a missing dependence or buffers that overlap in time still give the right
output: the sanitizer must see them nevertheless, and name the instruction and its ONNX node. A transfer that is not
what plan predicted fails every run (contract C1).
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

BIN = Path(os.environ.get("ACC_BUILD", Path(__file__).resolve().parents[2] / "build")) / "bin"
ENGINE_OP = r"isa\.(?:sync|dma|mxu|vec)\b.*"


def tool(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / name, *map(str, words)], text=True, capture_output=True, timeout=120)


def good(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


@dataclass
class Outcome:
    status: int
    message: str
    y: np.ndarray | None


class Bench:
    """relu(conv3x3(x)), compiled for the machine with the smallest memories, as text."""

    def __init__(self, folder: Path) -> None:
        random = np.random.default_rng(3)
        value = lambda name, *dims: helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)  # noqa: E731
        graph = helper.make_graph(
            [helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
             helper.make_node("Relu", ["c"], ["y"], name="relu")],
            "faults", [value("x", 1, 8, 32, 32)], [value("y", 1, 16, 32, 32)],
            [numpy_helper.from_array(random.standard_normal((16, 8, 3, 3), dtype=np.float32), "w")])
        self.folder = folder
        self.model = folder / "conv.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), self.model)
        np.save(folder / "x.npy", random.standard_normal((1, 8, 32, 32), dtype=np.float32))
        good(tool("acc", "compile", self.model, "-o", folder / "conv.acc", "--target", "tiny"))
        good(tool("acc-translate", "--artifact-to-isa", folder / "conv.acc", "-o", folder / "conv.mlir"))
        self.text = (folder / "conv.mlir").read_text()
        self.right = self.run(self.text, sanitize=True)
        assert self.right.status == 0, self.right.message

    def run(self, text: str, sanitize: bool) -> Outcome:
        source, artifact, out = self.folder / "fault.mlir", self.folder / "fault.acc", self.folder / "out"
        source.write_text(text)
        good(tool("acc-translate", "--isa-to-artifact", source, "-o", artifact))
        done = tool("acc", "run", artifact, "--input", f"x={self.folder / 'x.npy'}", "--output-dir", out,
                    *(["--sanitize"] if sanitize else []))
        return Outcome(done.returncode, done.stderr, None if done.returncode else np.load(out / "y.npy"))

    def altered(self, pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> str:
        """The program with every match replaced; the pattern has to occur."""
        text, count = re.subn(pattern, replacement, self.text)
        assert count, f"the compiled program has no {pattern}"
        return text

    def without(self, semaphore: str, what: str, op: str = ENGINE_OP) -> str:
        """Without the semaphore's tokens in the lists `what` (wait, signal) of the instructions `op`."""
        def drop(match: re.Match[str]) -> str:
            kept = [token for token in match[2].split(", ") if not token.startswith(f"{semaphore}:")]
            return f" {match[1]} [{', '.join(kept)}]" if kept else ""

        text = re.sub(op, lambda line: re.sub(rf" ({what}) \[([^\]]*)\]", drop, line[0]), self.text)
        assert text != self.text, f"nothing has {what} {semaphore}"
        return text

    def semaphores(self) -> list[str]:
        return sorted(set(re.findall(r"\b(s\d+): \d", self.text)))

    def hidden(self, text: str, *said: str) -> None:
        """The output is right, and only the sanitizer sees why that is luck."""
        plain = self.run(text, sanitize=False)
        assert plain.status == 0, plain.message
        np.testing.assert_array_equal(plain.y, self.right.y)
        self.caught(text, "sanitizer: ", *said)

    def caught(self, text: str, *said: str, sanitize: bool = True) -> None:
        outcome = self.run(text, sanitize)
        assert outcome.status == 1, f"status {outcome.status}: {outcome.message}"
        for words in said:
            assert words in outcome.message


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("faults"))


# The instruction, where it stands, whose it is: in every message about one.
PLACE = ('routine 1 "group_0" pc ', 'node "conv"')


def test_every_dropped_dependence_is_seen_though_the_output_is_right(bench: Bench) -> None:
    semaphores = bench.semaphores()
    assert len(semaphores) >= 6  # loads, both double buffers, the store: forward and back
    for semaphore in semaphores:
        bench.hidden(bench.without(semaphore, "wait|signal"), " hazard: ", " without waiting for ", *PLACE)


def test_every_dropped_wait_is_seen(bench: Bench) -> None:
    for semaphore in bench.semaphores():
        text = bench.without(semaphore, "wait")
        bench.caught(text, " hazard: ", *PLACE)
        bench.caught(text, f"semaphore {semaphore[1:]} is at ", "at HALT, must be 0", "waited for by nothing", sanitize=False)


def test_one_dropped_wait_among_others(bench: Bench) -> None:
    # VEC alone waits for the matrix engine; the engine's own wait for the vector engine stays.
    text = bench.without(semaphore_from(bench, "mxu", "vec"), "wait", r"isa\.vec\b.*")
    bench.caught(text, "read-after-write hazard: VEC at ", " without waiting for MXU at ", *PLACE)


def semaphore_from(bench: Bench, signaller: str, waiter: str) -> str:
    """The semaphore that the loop's instruction on one engine signals and the one on another waits for."""
    tokens = lambda op, what: set(re.findall(r"(s\d+):", " ".join(  # noqa: E731
        re.findall(rf"isa\.{op} [^\n]*?\b{what} \[([^\]]*)\]", bench.text))))
    both = tokens(signaller, "signal") & tokens(waiter, "wait")
    assert len(both) == 1, both
    return both.pop()


def test_a_dropped_signal_is_a_deadlock_with_its_graph(bench: Bench) -> None:
    # VEC never gives accumulators back; the two buffers that are free at first do not last.
    semaphore = semaphore_from(bench, "vec", "mxu")
    text = bench.without(semaphore, "signal", r"isa\.vec\b.*")
    bench.caught(text, "sanitizer: deadlock; wait-for graph:", f"waits for 1 of semaphore {semaphore[1:]} (now 0) from VEC",
                 "waits for room in the queue", *PLACE)
    bench.caught(text, "dispatch order is not a legal serial execution", *PLACE, sanitize=False)


def test_a_semaphore_that_nothing_signals_is_refused(bench: Bench) -> None:
    text = bench.without(semaphore_from(bench, "vec", "mxu"), "signal")
    bench.caught(text, "fault.acc: program refused: MXU waits for semaphore ", ", which nothing signals", sanitize=False)


@pytest.mark.parametrize("distance", [0, 1024])
def test_overlapping_buffers(bench: Bench, distance: int) -> None:
    # Both accumulator and output buffers of a row (32 points of 16 channels, 2048 bytes) in one place, or halfway.
    text = bench.altered(r"isa\.muli (r\d+), \1, 2048", rf"isa.muli \1, \1, {distance}")
    bench.hidden(text, "write-after-read hazard: ", " without waiting for ", *PLACE)


def test_shifted_source_of_a_store(bench: Bench) -> None:
    text = bench.altered(r"(isa\.dma st .*\n.*\n.*base = )(\d+)", lambda m: m[1] + str(int(m[2]) + 4))
    bench.caught(text, "read of uninitialised memory: ST at ", "of SRAM, which nothing wrote", *PLACE)


def test_store_beyond_its_tensor(bench: Bench) -> None:
    text = bench.altered(r"(stream<space = dram, region = 2, dtype = f32, base_reg = \[[^\]]*\])", r"\1, base = 4")
    for sanitize in (False, True):
        bench.caught(text, "program refused: ", "could write bytes [", "of region 2, which has 65536 bytes", *PLACE,
                     sanitize=sanitize)


def test_buffer_beyond_sram(bench: Bench) -> None:
    text = bench.altered(r"(isa\.vec .*\n.*base = )\d+", r"\g<1>32000")
    bench.caught(text, "VEC", "of SRAM, which has 32768 bytes", *PLACE, sanitize=False)


def test_shortened_weights(bench: Bench) -> None:
    text = bench.altered(r"1, 1152\]", "1, 1151]")  # 8·3·3·16 elements
    bench.caught(text, "contract C1", '"weights', "predicted 4608 bytes, counted 4604", sanitize=False)
    bench.caught(text, "read of uninitialised memory: MXU at ", "bytes [4604, 4608) of SRAM", *PLACE)


def test_shortened_rows_of_the_input(bench: Bench) -> None:
    text = bench.altered(r", 32, 8\], size_reg", ", 31, 8], size_reg")
    # 31 of 32 columns of 8 channels and 32 rows.
    bench.caught(text, 'read of tensor "x", reason compulsory-load: predicted 32768 bytes, counted 31744', sanitize=False)
    bench.caught(text, "read of uninitialised memory: MXU at ", *PLACE)


def test_shortened_store(bench: Bench) -> None:
    text = bench.altered(r"(isa\.dma st .*), 16\]", r"\1, 15]")
    bench.caught(text, 'write of tensor "y", reason compulsory-store: predicted 65536 bytes, counted 61440', sanitize=False)
    bench.caught(text, 'output "y": byte ', "was never written")


def test_doubled_transfer(bench: Bench) -> None:
    text = bench.altered(r"(isa\.dma ld1 compulsory_load) signal (\[[^\]]*\])(.*\n.*\n.*)",
                         r"\1\3\n      isa.dma ld1 compulsory_load signal \2\3")
    # One more instruction of the same node.
    text = re.sub(r"(isa\.ret\n\s*\} \{nodes = array<i32: 0)", r"\1, 0", text)
    bench.caught(text, "predicted 4608 bytes, counted 9216", sanitize=False)


def test_other_reason(bench: Bench) -> None:
    text = bench.altered("compulsory_store", "spill_store")
    bench.caught(text, 'write of tensor "y", reason compulsory-store: predicted 65536 bytes, counted 0',
                 'write of tensor "y", reason spill-store: predicted 0 bytes, counted 65536', sanitize=False)


def test_a_transfer_altered_after_plan_fails_the_run(bench: Bench, tmp_path: Path) -> None:
    """The prediction is plan's: what a later stage moves otherwise is caught, here in the compiler's own IR."""
    stage = tmp_path / "memory.mlir"
    good(tool("acc", "compile", bench.model, "--target", "tiny", "--emit", "memory", "-o", stage))
    text, count = re.subn(r"(accel\.dma\(.* sizes = array<i64: 1, 1, 1, 1, 1, )1152>", r"\g<1>1151>", stage.read_text())
    assert count == 1, "one load of all the weights after memory"
    stage.write_text(text)
    good(tool("acc", "compile", stage, "--from", "memory", "-o", tmp_path / "altered.acc"))
    done = tool("acc", "run", tmp_path / "altered.acc", "--input", f"x={bench.folder / 'x.npy'}")
    assert done.returncode == 1
    assert "predicted 4608 bytes, counted 4604" in done.stderr

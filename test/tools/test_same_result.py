"""Artifacts are a function of model and flags (C4); results are one of model and precision (C2)."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import acc as package
import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "models")]
import small_models  # noqa: E402
from small_models import good  # noqa: E402
from zoo import ZOO  # noqa: E402

# Convolutions, a transformer, int8; real ones where they compile within a second.
ZOO_NAMES = [name for name in ("light-squeezenet", "ocr-cls-int8", "minilm-s16") if name in ZOO]
SEEDS = (1, 2, 3)


def model_and_flags(name: str, folder: Path) -> tuple[Path, list[str]]:
    if name in ZOO:
        return ZOO[name].path(), ZOO[name].flags()
    return getattr(small_models, name)(folder / "net.onnx"), ["--dim", "batch=1"] if name == "residual" else []


def on_one_processor() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@pytest.mark.parametrize("target", ["edge", "tiny"])
@pytest.mark.parametrize("name", ["residual", "attention", *ZOO_NAMES])
def test_the_same_artifact(name: str, target: str, tmp_path: Path) -> None:
    """Twice, on one processor, from another folder, under another name, beside other files."""
    model, flags = model_and_flags(name, tmp_path)
    good("compile", model, *flags, "--target", target, "-o", tmp_path / "first.acc")
    want = (tmp_path / "first.acc").read_bytes()
    elsewhere = tmp_path / "another folder" / "deep"
    elsewhere.mkdir(parents=True)
    shutil.copyfile(model, elsewhere / "other-name.onnx")
    out = elsewhere / "second.acc"
    for words, more in (
        ([model.resolve()], {}),
        ([model], {"preexec_fn": on_one_processor}),
        (["other-name.onnx"], {"cwd": elsewhere}),
        ([elsewhere / "other-name.onnx"], {"cwd": "/", "env": {"MALLOC_PERTURB_": "85", "LC_ALL": "C"}}),
    ):
        good("compile", *words, *flags, "--target", target, "-o", out, **more)
        assert out.read_bytes() == want, words
        out.unlink()
    good("compile", "other-name.onnx", *flags, "--target", target, "-o", "second.acc", cwd=elsewhere)
    assert out.read_bytes() == want


@pytest.mark.parametrize("precision", ["f32", "bf16", "f16"])
@pytest.mark.parametrize("name", ["residual", "attention", "quantised"])
def test_the_same_bits(name: str, precision: str, tmp_path: Path) -> None:
    """Random legal schedules on both targets, and other numbers of threads, change no bit."""
    model, flags = model_and_flags(name, tmp_path)
    want: dict[str, np.ndarray] = {}
    feeds: dict[str, np.ndarray] = {}
    plans = set()
    # A network that fits both targets has the same plans on both: other seeds.
    for target, seeds in (("edge", (0, *SEEDS)), ("tiny", (0, *(10 + seed for seed in SEEDS)))):
        for seed in seeds:
            artifact, schedule = tmp_path / "net.acc", tmp_path / "schedule.mlir"
            good("compile", model, *flags, "--target", target, "--precision", precision, "--plan-seed", seed,
                 "-o", artifact, "--schedule-out", schedule)
            plans.add(schedule.read_text())
            program = package.load(artifact)
            if not feeds:
                random = np.random.default_rng(5)
                feeds = {t.name: random.integers(0, 50, t.shape) if t.dtype.kind == "i"
                         else random.standard_normal(t.shape).astype(t.dtype) for t in program.inputs}
            got = program.run(feeds, sanitize=True, threads=1 + seed % 2)
            for key, value in got.items():
                assert value.tobytes() == want.setdefault(key, value).tobytes(), f"{target}, --plan-seed {seed}: {key} differs"
            dram = program.stats["dram"]
            assert dram["read_bytes"] + dram["write_bytes"] == dram["predicted_bytes"]
    assert len(plans) >= 5, "the seeds give too few different schedules"

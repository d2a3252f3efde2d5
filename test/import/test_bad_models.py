"""Wrong input: exit status 1, one located error that says what to do, nothing left behind, no waiting.

    pytest test/import/test_bad_models.py -k external
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from pathlib import Path

import pytest
from bad_models import CASES, Bad, good_bytes

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin"
LIMIT = 20  # seconds; all take well below one


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def run(*words, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run([str(w) for w in words], cwd=folder, text=True, errors="replace", timeout=LIMIT,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_error(case: Bad, tmp_path: Path):
    case.write(tmp_path / "model.onnx")
    before = files(tmp_path)
    done = run(BIN / "acc", "compile", "model.onnx", "-o", "out.acc", *case.options, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    assert len(errors) == 1 and len(done.stderr) < 2000, done.stderr
    assert re.search(case.says, errors[0]), done.stderr
    assert "model.onnx" in errors[0], done.stderr
    assert done.stdout == "" and files(tmp_path) == before


def test_damaged_anywhere(tmp_path: Path):
    """Flipped bits, cut ends, swapped pieces: refused or understood, never a crash."""
    whole, rng = good_bytes(), random.Random(7)
    models = []
    for i in range(400):
        data = bytearray(whole)
        # The weights are most of the file and any of their bits are good: aim at the rest.
        spots = [rng.choice([rng.randrange(300), rng.randrange(len(data) - 400, len(data)), rng.randrange(len(data))])
                 for _ in range(rng.randint(1, 4))]
        match i % 4:
            case 0 | 1:
                for spot in spots:
                    data[spot] ^= 1 << rng.randrange(8)
            case 2:
                del data[spots[0]:]
            case 3:
                del data[spots[0]:spots[0] + rng.randint(1, 40)]
        path = tmp_path / f"{i}.onnx"
        path.write_bytes(data)
        models.append(path)
    out = tmp_path / "out"
    out.mkdir()
    done = run(BIN / "acc-translate", "-o", out, "--round-trip", *models, folder=tmp_path)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    answers = done.stdout.splitlines()
    assert len(answers) == len(models)
    for answer in answers:
        assert answer.count('","') <= 1, answer  # one error, then the name

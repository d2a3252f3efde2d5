"""What the examples say to a new user who gives them something wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def demo(picture: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "examples" / "ocr" / "demo.py", picture]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("kind", ["missing", "folder", "text", "cut off"])
def test_pictures_that_are_none(kind: str, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    if kind == "folder":
        picture.mkdir()
    elif kind == "text":
        picture.write_text("no picture")
    elif kind == "cut off":
        whole = (ROOT / "examples" / "ocr" / "pictures" / "code.png").read_bytes()
        picture.write_bytes(whole[: len(whole) // 2])
    done = demo(picture)
    assert done.returncode == 1
    assert done.stderr.startswith(f"demo: {picture}: ") and len(done.stderr.splitlines()) == 1
    assert done.stdout == ""

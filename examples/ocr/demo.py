"""Reads the text in pictures with PP-OCRv4 on the simulated accelerator.

    python examples/ocr/demo.py                     the pictures of the repository
    python examples/ocr/demo.py my.jpg other.png    any others
    python examples/ocr/demo.py --engine onnxruntime

Every output of every network is held against ONNX Runtime. Exit status 1 if one differs, if a byte was
moved that the compiler had not predicted, or if a shipped picture is misread.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
from engine import AccEngine, Engine, EngineError, OrtEngine  # noqa: E402
from reader import Reader  # noqa: E402
from report import Report  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="*", type=Path, metavar="PICTURE")
    parser.add_argument("--engine", choices=("acc", "onnxruntime"), default="acc")
    parser.add_argument("--acc", type=Path, default=ROOT / "build" / "bin" / "acc", help="the compiler")
    parser.add_argument("--target", default="edge", help="machine to compile for (default: edge)")
    parser.add_argument("--sanitize", action="store_true", help="check every access and hazard on the way")
    parser.add_argument("--side", type=int, default=640, help="long side of detection's input in pixels, "
                        "a multiple of 32; more finds smaller text (default: 640)")
    parser.add_argument("--artifacts", type=Path, default=ROOT / "build" / "demo", help="where programs go")
    args = parser.parse_args()
    if args.side < 32 or args.side % 32:
        parser.error(f"--side {args.side} is not a positive multiple of 32")
    return args


def load_picture(file: Path) -> np.ndarray:
    """[H,W,3] u8 BGR, turned as the camera's EXIF tag says, transparency on white."""
    try:
        with Image.open(file) as image:
            image = ImageOps.exif_transpose(image).convert("RGBA")
            page = Image.new("RGBA", image.size, "white")
            rgb = Image.alpha_composite(page, image).convert("RGB")
    except UnidentifiedImageError:
        raise EngineError(f"{file}: is not a picture; PNG, JPEG and other usual formats are read") from None
    except OSError as error:  # also a picture that ends too early
        raise EngineError(f"{file}: {error.strerror or error}") from None
    except (Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise EngineError(f"{file}: {error}") from None
    return cv2.cvtColor(np.asarray(rgb), cv2.COLOR_RGB2BGR)


def expected_text(file: Path) -> list[str] | None:
    """What a shipped picture says; nothing is known of any other."""
    beside = file.with_suffix(".txt")
    if file.resolve().parent != HERE / "pictures" or not beside.exists():
        return None
    return beside.read_text(encoding="utf-8").splitlines()


def main() -> int:
    args = arguments()
    report = Report()
    shipped = sorted(p for p in (HERE / "pictures").iterdir() if p.suffix in (".png", ".jpg"))
    files = args.pictures or shipped
    pictures = [load_picture(file) for file in files]  # a wrong name shows before any work
    engine: Engine
    if args.engine == "acc":
        engine = AccEngine(args.acc, args.target, args.artifacts, args.sanitize)
        report.title("acc's simulator", args.target)
    else:
        engine = OrtEngine()
        report.title(engine.name, None)

    misread = []
    with report.status("starting") as status:
        reader = Reader(engine, args.side)
        for file, picture in zip(files, pictures):
            if status:
                reader.say = lambda text, file=file: status.update(f"{file.name}: {text}")
            lines = reader.read(picture)
            expected = expected_text(file)
            report.picture(file, picture.shape[:2], lines, expected)
            if expected is not None and [line.text for line in lines] != expected:
                misread.append(file.name)

    programs = sorted(reader.programs.values(), key=lambda p: (list(reader.models).index(p.task), p.size))
    report.programs(programs)
    return 0 if report.verdict(programs, misread) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EngineError as error:
        print(f"demo: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

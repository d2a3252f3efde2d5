"""Draws the pictures in examples/ocr/pictures, the same ones every time.

    apt install fonts-dejavu-core fonts-wqy-microhei
    python examples/ocr/make_pictures.py [--fonts /usr/share/fonts]

Beside each picture stands a `.txt` with the text that it shows, line by line.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

PICTURES = Path(__file__).resolve().parent / "pictures"

PARAGRAPH = """\
The cost of a neural network is not
arithmetic but movement. A multiply
takes one picojoule; fetching its
operands from memory takes hundreds.
So the compiler decides, for each of
the tensors, where it lives, when it
moves, and how often."""

SIGN = ["HARBOUR STREET", "No parking 08:00-18:00", "Permit holders only"]

CHINESE = ["每一个字节都有据可查", "编译器决定数据何时移动"]

CODE = """\
def plan(group, limit):
    best = None
    for tile in candidates(group):
        if tile.bytes > limit:
            continue
        cost = traffic(group, tile)
        if best is None or cost < best:
            best = cost
    return best"""

LABEL = ["FRAGILE", "This side up", "Order 2741-B"]


class Fonts:
    def __init__(self, folder: Path):
        self.folder = folder

    def __call__(self, file: str, size: int) -> ImageFont.FreeTypeFont:
        found = sorted(self.folder.rglob(file))
        if not found:
            raise SystemExit(f"no font {file} under {self.folder}; see the head of this file")
        return ImageFont.truetype(str(found[0]), size)


def save(picture: Image.Image, file: str, text: list[str]) -> None:
    PICTURES.mkdir(exist_ok=True)
    options = {"quality": 85} if file.endswith(".jpg") else {"optimize": True}
    picture.save(PICTURES / file, **options)
    (PICTURES / file).with_suffix(".txt").write_text("\n".join(text) + "\n", encoding="utf-8")


def paragraph(fonts: Fonts) -> None:
    lines = PARAGRAPH.split("\n")
    picture = Image.new("L", (640, 384), 246)
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        draw.text((40, 32 + 47 * row), line, font=fonts("DejaVuSerif.ttf", 28), fill=24)
    save(picture.filter(ImageFilter.GaussianBlur(0.4)), "paragraph.png", lines)


def sign(fonts: Fonts, rng: np.random.Generator) -> None:
    """A street sign, seen from the side, in uneven light, by a noisy camera held askew."""
    plate = Image.new("RGB", (640, 300), (22, 62, 140))
    draw = ImageDraw.Draw(plate)
    draw.rounded_rectangle((10, 10, 629, 289), radius=22, outline=(240, 240, 240), width=6)
    rows = ((50, "DejaVuSans-Bold.ttf", 58), (140, "DejaVuSans.ttf", 40), (208, "DejaVuSans.ttf", 40))
    for (y, font, size), line in zip(rows, SIGN):
        draw.text((320, y), line, font=fonts(font, size), fill=(240, 240, 240), anchor="ma")

    height, width = 600, 960
    # A wall of coarse and fine grain.
    grain = sum(
        cv2.resize(rng.normal(0, s, (height // c, width // c)).astype(np.float32), (width, height))
        for c, s in ((40, 14), (8, 8), (2, 5))
    )
    scene = np.clip(np.array([150.0, 162.0, 170.0]) + grain[..., None], 0, 255).astype(np.float32)
    corners = np.float32([[0, 0], [640, 0], [640, 300], [0, 300]])
    seen = np.float32([[150, 190], [800, 90], [815, 395], [130, 470]])
    matrix = cv2.getPerspectiveTransform(corners, seen)
    board = cv2.warpPerspective(np.asarray(plate, np.float32), matrix, (width, height))
    cover = cv2.warpPerspective(np.ones((300, 640), np.float32), matrix, (width, height))[..., None]
    scene = scene * (1 - cover) + board * cover
    light = np.linspace(1.15, 0.7, width)[None, :] * np.linspace(1.05, 0.85, height)[:, None]
    scene = cv2.GaussianBlur(scene * light[..., None].astype(np.float32), (0, 0), 1.1)
    scene = np.clip(scene + rng.normal(0, 9, scene.shape), 0, 255).astype(np.uint8)
    save(Image.fromarray(scene), "sign.jpg", SIGN)


def chinese(fonts: Fonts) -> None:
    picture = Image.new("RGB", (640, 200), (250, 247, 238))
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(CHINESE):
        draw.text((320, 32 + 76 * row), line, font=fonts("wqy-microhei.ttc", 48), fill=(140, 24, 20), anchor="ma")
    save(picture, "chinese.png", CHINESE)


def code(fonts: Fonts) -> None:
    """A screenshot of an editor with a dark theme."""
    lines = CODE.split("\n")
    picture = Image.new("RGB", (640, 384), (30, 32, 40))
    draw = ImageDraw.Draw(picture)
    font = fonts("DejaVuSansMono.ttf", 23)
    words = {"def", "for", "in", "if", "is", "or", "continue", "return", "None"}
    for row, line in enumerate(lines):
        x = 36.0
        for word in line.split(" "):
            colour = (198, 120, 221) if word.strip(":") in words else (208, 212, 222)
            draw.text((x, 24 + 38 * row), word, font=font, fill=colour)
            x += draw.textlength(word + " ", font=font)
    save(picture, "code.png", [line.strip() for line in lines])


def label(fonts: Fonts) -> None:
    """A parcel label that was photographed upside down: work for the direction classifier."""
    picture = Image.new("RGB", (512, 300), (222, 200, 164))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((14, 14, 497, 285), outline=(60, 40, 30), width=4)
    rows = ((34, "DejaVuSans-Bold.ttf", 64), (132, "DejaVuSans.ttf", 44), (206, "DejaVuSans.ttf", 44))
    for (y, font, size), line in zip(rows, LABEL):
        draw.text((256, y), line, font=fonts(font, size), fill=(50, 34, 26), anchor="ma")
    save(picture.rotate(180), "upside-down.png", LABEL)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the demo's pictures.")
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts"))
    fonts = Fonts(parser.parse_args().fonts)
    paragraph(fonts)
    sign(fonts, np.random.default_rng(2024))
    chinese(fonts)
    code(fonts)
    label(fonts)


if __name__ == "__main__":
    main()

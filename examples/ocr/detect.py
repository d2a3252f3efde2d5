"""Text detection: a picture in, boxes around its lines of text out.

The network (differentiable binarisation, Liao et al., 2020) gives for every pixel the probability that it
belongs to the shrunken core of a line of text. Cores are outlined, boxed and grown back to full lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

CORE_THRESHOLD = 0.3  # a pixel belongs to a core
BOX_THRESHOLD = 0.5  # least mean probability of a core
UNCLIP_RATIO = 1.6  # growth: area times this over perimeter is the distance between core and line
SMALLEST_SIDE = 3.0  # of a core, in pixels of the network's input
STRIDE = 32  # the network halves its input five times


@dataclass(frozen=True)
class Canvas:
    """The network's input of fixed size, and where the picture lies on it (top left, scaled)."""

    pixels: np.ndarray  # [1,3,H,W] f32
    scale: float  # canvas pixels per picture pixel


def canvas_size(height: int, width: int, side: int) -> tuple[int, int]:
    """The network's input size for a picture: few different sizes, so that few programs are needed.

    The long side is `side`; the short side is the full one or three fifths of it.
    """
    long_side = max(STRIDE, round(side / STRIDE) * STRIDE)
    short_side = max(STRIDE, round(0.6 * side / STRIDE) * STRIDE)
    if min(height, width) * long_side > short_side * max(height, width):
        return long_side, long_side
    return (short_side, long_side) if width >= height else (long_side, short_side)


def lay_out(picture: np.ndarray, size: tuple[int, int]) -> Canvas:
    """`picture` is [H,W,3] u8 BGR. Small pictures are not enlarged more than twice."""
    height, width = picture.shape[:2]
    scale = min(size[0] / height, size[1] / width, 2.0)
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    smaller = cv2.resize(picture, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    pixels = np.zeros((1, 3, *size), np.float32)  # 0 is mid grey
    pixels[0, :, : shape[1], : shape[0]] = (smaller.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)
    return Canvas(pixels, scale)


def boxes(probability: np.ndarray, scale: float, picture_shape: tuple[int, ...]) -> list[np.ndarray]:
    """Corners [4,2] of each line in picture pixels, clockwise from the top left, in reading order."""
    cores = (probability > CORE_THRESHOLD).astype(np.uint8)
    cores = cv2.dilate(cores, np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(cores, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    height, width = picture_shape[:2]
    found = []
    for outline in outlines:
        (centre, (w, h), angle) = cv2.minAreaRect(outline)
        if min(w, h) < SMALLEST_SIDE or _mean_inside(probability, outline) < BOX_THRESHOLD:
            continue
        # Growing a rectangle by a distance on every side is the exact form of the polygon offset.
        grow = 2.0 * (w * h * UNCLIP_RATIO) / (2.0 * (w + h))
        corners = cv2.boxPoints((centre, (w + grow, h + grow), angle)) / scale
        corners = np.clip(corners, 0, (width - 1, height - 1)).astype(np.float32)
        found.append(_clockwise(corners))
    return _reading_order(found)


def _mean_inside(probability: np.ndarray, outline: np.ndarray) -> float:
    x, y, w, h = cv2.boundingRect(outline)
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [outline.reshape(-1, 2) - (x, y)], 1)
    return cv2.mean(probability[y : y + h, x : x + w], mask)[0]


def _clockwise(corners: np.ndarray) -> np.ndarray:
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def _reading_order(found: list[np.ndarray]) -> list[np.ndarray]:
    """Top to bottom; boxes whose centres differ by less than half a height are one line."""
    rows: list[list[np.ndarray]] = []
    for box in sorted(found, key=lambda b: b[:, 1].mean()):
        height = np.linalg.norm(box[0] - box[3])
        if rows and abs(rows[-1][-1][:, 1].mean() - box[:, 1].mean()) < height / 2:
            rows[-1].append(box)
        else:
            rows.append([box])
    return [box for row in rows for box in sorted(row, key=lambda b: b[:, 0].min())]


def crop(picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The line inside `box`, straightened; a line much taller than wide is turned to lie flat."""
    width = max(np.linalg.norm(box[0] - box[1]), np.linalg.norm(box[3] - box[2]))
    height = max(np.linalg.norm(box[0] - box[3]), np.linalg.norm(box[1] - box[2]))
    width, height = max(1, round(float(width))), max(1, round(float(height)))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(box, target)
    line = cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.rot90(line).copy() if height >= 1.5 * width else line

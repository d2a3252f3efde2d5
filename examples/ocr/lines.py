"""One line of text: is it upside down, and what does it say?"""

from __future__ import annotations

import cv2
import numpy as np

HEIGHT = 48  # of both networks' input
DIRECTION_WIDTH = 192
# Programs exist for these widths; a line is padded to the next one and split if it is longer.
READ_WIDTHS = (160, 320, 480, 640, 960)
TURN_CONFIDENCE = 0.9


def lay_out(line: np.ndarray, width: int) -> np.ndarray:
    """`line` [h,w,3] u8 BGR, scaled to the input's height, squeezed if need be, padded on the right with
    mid grey: [1,3,HEIGHT,width] f32."""
    scaled = min(width, natural_width(line))
    small = cv2.resize(line, (scaled, HEIGHT), interpolation=cv2.INTER_LINEAR)
    pixels = np.zeros((1, 3, HEIGHT, width), np.float32)
    pixels[0, :, :, :scaled] = (small.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)
    return pixels


def natural_width(line: np.ndarray) -> int:
    return max(1, int(np.ceil(HEIGHT * line.shape[1] / line.shape[0])))


def read_width(line: np.ndarray) -> int:
    """The width of the program that reads this line."""
    return next((w for w in READ_WIDTHS if natural_width(line) <= w), READ_WIDTHS[-1])


def is_upside_down(probabilities: np.ndarray) -> bool:
    """`probabilities` [1,2]: upright, turned by 180 degrees."""
    return bool(probabilities[0, 1] > TURN_CONFIDENCE)


def split(line: np.ndarray) -> list[np.ndarray]:
    """A line too long for the widest program, cut at its plainest columns (gaps between words)."""
    parts = int(np.ceil(natural_width(line) / READ_WIDTHS[-1]))
    if parts == 1:
        return [line]
    # Widest gap = the column whose surroundings, half a text height wide, vary least.
    contrast = line.astype(np.float32).mean(axis=2).std(axis=0)
    reach = max(1, line.shape[0] // 4)
    calm = np.convolve(contrast, np.ones(2 * reach + 1), mode="same")
    slack = line.shape[1] // (4 * parts)
    cuts = [0]
    for part in range(1, parts):
        centre = line.shape[1] * part // parts
        cuts.append(centre - slack + int(np.argmin(calm[centre - slack : centre + slack])))
    cuts.append(line.shape[1])
    return [line[:, begin:end] for begin, end in zip(cuts, cuts[1:])]


def alphabet(metadata: str) -> list[str]:
    """The recogniser's classes: a blank, the characters embedded in its model file, a space."""
    return ["", *metadata.split("\n"), " "]


def decode(probabilities: np.ndarray, classes: list[str]) -> tuple[str, float]:
    """CTC: the best class of every step [1,T,C], repeats joined, blanks dropped; mean confidence."""
    best = probabilities[0].argmax(axis=1)
    confidence = probabilities[0].max(axis=1)
    kept = (best != 0) & np.concatenate(([True], best[1:] != best[:-1]))
    text = "".join(classes[index] for index in best[kept])
    return text, float(confidence[kept].mean()) if kept.any() else 0.0

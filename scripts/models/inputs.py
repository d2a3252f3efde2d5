"""Inputs that a model can work with, for calibration and for tests, drawn from a given generator."""

from __future__ import annotations

from typing import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Arrays = dict[str, np.ndarray]
Inputs = Callable[[np.random.Generator], Arrays]


def picture(name: str, *shape: int) -> Inputs:
    """Smooth values in [-1, 1] with edges: closer to a picture than white noise."""

    def make(rng: np.random.Generator) -> Arrays:
        height, width = shape[-2:]
        coarse = rng.uniform(-1, 1, (*shape[:-2], -(-height // 8), -(-width // 8)))
        blocks = coarse.repeat(8, axis=-2).repeat(8, axis=-1)[..., :height, :width]
        values = np.clip(blocks + 0.1 * rng.standard_normal(shape), -1, 1)
        return {name: values.astype(np.float32)}

    return make


def page(name: str, height: int, width: int) -> Inputs:
    """A page of words. On a picture without text, detection answers with zeros everywhere."""

    def make(rng: np.random.Generator) -> Arrays:
        sheet = Image.new("L", (width, height), 235)
        font = ImageFont.load_default(26)
        for y in range(12, height - 30, 44):
            letters = rng.choice(list("abcdefghiklmnoprstu"), (8, 6))
            line = " ".join("".join(word) for word in letters)
            ImageDraw.Draw(sheet).text((14, y), line, font=font, fill=20)
        pixels = np.asarray(sheet, np.float32) / 127.5 - 1.0
        pixels = pixels + 0.02 * rng.standard_normal(pixels.shape)
        return {name: np.broadcast_to(pixels, (1, 3, height, width)).astype(np.float32)}

    return make


def tokens(vocabulary: int, batch: int, length: int, *, mask: bool = True, types: bool = True) -> Inputs:
    """Token ids; with a mask, the last eighth of the sequence is padding."""

    def make(rng: np.random.Generator) -> Arrays:
        feeds = {"input_ids": rng.integers(1000, vocabulary, (batch, length))}
        if mask:
            feeds["attention_mask"] = np.ones((batch, length), np.int64)
            feeds["attention_mask"][:, length - length // 8 :] = 0
        if types:
            feeds["token_type_ids"] = np.zeros((batch, length), np.int64)
        return feeds

    return make

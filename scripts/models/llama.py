"""One block of a Llama-like network with random weights: the widths of Llama-3-8B (hidden 4096, 32 heads over 8 key and
value heads of 128, MLP 14336), 218 million parameters."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import nn

from cache import recipe
from torch_export import __file__ as EXPORT
from torch_export import export

WIDTH, HEADS, KV_HEADS, HIDDEN, BASE = 4096, 32, 8, 14336, 500000.0


class RmsNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5))


def rotate(x, cos, sin):
    """Rotary embedding (Su et al., 2021), halves as Llama pairs them."""
    half = x.shape[-1] // 2
    turned = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    return x * cos + turned * sin


class LlamaBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.depth = WIDTH // HEADS
        linear = lambda cin, cout: nn.Linear(cin, cout, bias=False)  # noqa: E731
        self.query, self.output = linear(WIDTH, WIDTH), linear(WIDTH, WIDTH)
        self.key, self.value = linear(WIDTH, KV_HEADS * self.depth), linear(WIDTH, KV_HEADS * self.depth)
        self.gate, self.up, self.down = linear(WIDTH, HIDDEN), linear(WIDTH, HIDDEN), linear(HIDDEN, WIDTH)
        self.norm1, self.norm2 = RmsNorm(WIDTH), RmsNorm(WIDTH)

    def split(self, x, heads: int):  # [1,T,heads*D] -> [1,heads,T,D]
        return x.view(1, x.shape[1], heads, self.depth).transpose(1, 2)

    def attention(self, x):
        length = x.shape[1]
        frequency = BASE ** (-torch.arange(0, self.depth, 2, dtype=torch.float32) / self.depth)
        angle = torch.arange(length, dtype=torch.float32)[:, None] * frequency[None, :]
        angle = torch.cat([angle, angle], dim=-1)
        cos, sin = angle.cos(), angle.sin()
        q = rotate(self.split(self.query(x), HEADS), cos, sin)
        k = rotate(self.split(self.key(x), KV_HEADS), cos, sin)
        v = self.split(self.value(x), KV_HEADS)
        # Each key and value head serves four query heads.
        group = HEADS // KV_HEADS
        k = k[:, :, None].expand(1, KV_HEADS, group, length, self.depth).reshape(1, HEADS, length, self.depth)
        v = v[:, :, None].expand(1, KV_HEADS, group, length, self.depth).reshape(1, HEADS, length, self.depth)
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        bias = torch.zeros(length, length).masked_fill(future, float("-inf"))
        scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(self.depth) + bias
        mixed = torch.matmul(torch.softmax(scores, dim=-1), v).transpose(1, 2)
        return self.output(mixed.reshape(1, length, WIDTH))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        y = self.norm2(x)
        return x + self.down(nn.functional.silu(self.gate(y)) * self.up(y))


@recipe("llama-block", __file__, EXPORT)
def _llama(to: Path):
    torch.manual_seed(8)
    net = LlamaBlock()
    for name, value in net.named_parameters():
        if name.startswith("norm"):
            nn.init.uniform_(value, 0.5, 1.5)
        else:
            nn.init.normal_(value, 0.0, 1 / math.sqrt(value.shape[1]))
    export(net, {"x": torch.randn(1, 16, WIDTH)}, ["y"], to, {"x": {1: "sequence"}})

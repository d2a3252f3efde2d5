"""Every model that acc is held against: file, bound dimensions, inputs and tolerance.

    from zoo import ZOO
    model = ZOO["ocr-rec-w320"]
    model.path()      the ONNX file (made on first use, see scripts/models)
    model.inputs()    the same seeded arrays on every call
    model.flags()     ["--dim", "x:0=1", ...] for acc compile

`python test/models/zoo.py [NAME...]` lists the models with their dimensions and operators.
"""

from __future__ import annotations

import sys
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "models"))
import cache  # noqa: E402
import light  # noqa: E402
import matmuls  # noqa: E402
import recipes  # noqa: E402, F401
from inputs import Arrays, Inputs, page, picture, tokens  # noqa: E402

# Largest difference allowed, relative to the range of the output (see `relative_error`).
F32_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Model:
    name: str
    file: str  # name in the cache
    inputs_of: Inputs
    # By symbolic name, or by input and axis ("x:2") where a file has no usable name.
    dims: Mapping[str, int] = field(default_factory=dict)
    tolerance: float = F32_TOLERANCE
    # Rounding decides between steps of a quantised value, and later layers carry a step on: ONNX Runtime
    # itself differs between its fused kernels and the operators' definition. See test_models.py.
    quantised: bool = False
    tags: frozenset[str] = frozenset()

    def path(self) -> Path:
        return cache.ensure(self.file)

    def inputs(self) -> Arrays:
        return self.inputs_of(np.random.default_rng(zlib.crc32(self.name.encode())))

    def flags(self) -> list[str]:
        return [word for name, size in self.dims.items() for word in ("--dim", f"{name}={size}")]


ZOO: dict[str, Model] = {}


def add(name: str, file: str, inputs: Inputs, *tags: str, **more) -> None:
    if file in cache.RECIPES:  # some recipes need torch
        ZOO[name] = Model(name, file, inputs, tags=frozenset(tags), **more)


def relative_error(got: np.ndarray, want: np.ndarray) -> float:
    """Largest absolute difference over the range of `want`; zero counts as part of the range, so that
    the range of a constant output is its magnitude."""
    if got.shape != want.shape:
        return float("inf")
    if want.size == 0:
        return 0.0
    got, want = got.astype(np.float64), want.astype(np.float64)
    if not np.array_equal(np.isnan(got), np.isnan(want)):
        return float("inf")
    span = max(np.nanmax(want), 0.0) - min(np.nanmin(want), 0.0)
    difference = float(np.nanmax(np.abs(got - want)))
    return difference / span if span > 0 else (0.0 if difference == 0 else float("inf"))


# PP-OCRv4. The dynamic dimensions are batch, height and width; the classifier's have no names.
for _h, _w, *_tags in ((160, 320, "fast"), (640, 640), (480, 736)):
    add(
        f"ocr-det-{_h}x{_w}",
        "ocr-det",
        page("x", _h, _w),
        *_tags,
        dims={
            "p2o.DynamicDimension.0": 1,
            "p2o.DynamicDimension.1": _h,
            "p2o.DynamicDimension.2": _w,
        },
    )
add(
    "ocr-cls",
    "ocr-cls",
    picture("x", 1, 3, 48, 192),
    "fast",
    dims={"x:0": 1, "x:2": 48, "x:3": 192},
)
for _w, *_tags in ((160, "fast"), (320,), (480,), (640,)):
    add(
        f"ocr-rec-w{_w}",
        "ocr-rec",
        picture("x", 1, 3, 48, _w),
        *_tags,
        dims={"p2o.DynamicDimension.0": 1, "?": 48, "p2o.DynamicDimension.1": _w},
    )

# The light models: the constant weights as shipped (with the package's expected output, see
# test_models.py) and random ones. Random weights of the largest are left to ACC_TEST_MODELS=all.
_LIGHT_INPUT = {"resnet50": "gpu_0/data_0", "shufflenet": "gpu_0/data_0", "zfnet512": "gpu_0/data_0"}
_LIGHT_FAST = {"squeezenet", "shufflenet", "densenet121"}


def _ramp(name: str) -> Inputs:
    """The input that the onnx package's own expected outputs belong to."""
    size = 3 * 224 * 224
    values = (np.arange(size).reshape(1, 3, 224, 224) / size).astype(np.float32)
    return lambda _: {name: values}


for _light in light.NAMES:
    _input = _LIGHT_INPUT.get(_light, "data_0")
    _tags = ("fast",) if _light in _LIGHT_FAST else ()
    _name = light.cache_name(_light)
    _large = ("large",) if _light in ("bvlc_alexnet", "vgg19", "zfnet512") else ()
    add(_name, _name, _ramp(_input), *_tags[: _light == "squeezenet"])
    add(_name + "-random", _name + "-random", picture(_input, 1, 3, 224, 224), *_tags, *_large)

# Networks exported by torch. MiniLM has its real weights, the others random ones.
for _s, *_tags in ((16, "fast"), (128,)):
    add(f"minilm-s{_s}", "minilm", tokens(30522, 1, _s), *_tags, dims={"batch": 1, "sequence": _s})
add("minilm-b4-s32", "minilm", tokens(30522, 4, 32), dims={"batch": 4, "sequence": 32})
add("resnet50", "resnet50", picture("image", 1, 3, 224, 224), dims={"batch": 1})
add("mobilenetv2", "mobilenetv2", picture("image", 1, 3, 224, 224), "fast", dims={"batch": 1})
add("bert-base-s128", "bert-base", tokens(30522, 1, 128), dims={"batch": 1, "sequence": 128})
add("vit-b16", "vit-b16", picture("image", 1, 3, 224, 224))
for _s in (64, 256):
    add(
        f"gpt2-s{_s}",
        "gpt2",
        tokens(50257, 1, _s, mask=False, types=False),
        dims={"sequence": _s},
    )

# Quantised by ONNX Runtime's quantiser.
for _full, *_tags in (
    ("ocr-det-160x320",),
    ("ocr-cls", "fast"),
    ("ocr-rec-w320",),
    ("resnet50",),
    ("mobilenetv2", "fast"),
    ("minilm-s16",),
):
    if _full in ZOO:
        _base = ZOO[_full]
        add(f"{_full}-int8", f"{_base.file}-int8", _base.inputs_of, *_tags, dims=_base.dims, quantised=True)


# Whole networks in int8, graph inputs and outputs too (benchmarks/traffic): one file serves every resolution.


def integers(inputs: Inputs) -> Inputs:
    """Values in [-1, 1] as int8 of scale 1/127; what is an integer already stays."""

    def make(rng: np.random.Generator) -> Arrays:
        return {
            name: np.clip(np.rint(value * 127), -128, 127).astype(np.int8) if value.dtype == np.float32 else value
            for name, value in inputs(rng).items()
        }

    return make


for _name, _file, *_sizes in (
    ("mobilenetv1", "any-mobilenetv1", 224, 512),
    ("mobilenetv2", "any-mobilenetv2", 224, 512),
    ("resnet50", "any-resnet50", 224, 512),
    ("efficientnet-b0", "any-efficientnet-b0", 224),
    ("unet", "any-unet", 256),
):
    for _size in _sizes:
        # Tests take two; the others are for the benchmark alone.
        _tested = _size == 224 and _name.startswith("mobilenet")
        _tags = ("fast",) if _tested else ("benchmark",)
        add(
            f"{_name}-{_size}-int8",
            f"{_file}-int8",
            integers(picture("image", 1, 3, _size, _size)),
            *_tags,
            dims={"batch": 1, "height": _size, "width": _size},
            quantised=True,
        )
_DETECTION = {"p2o.DynamicDimension.0": 1, "p2o.DynamicDimension.1": 736, "p2o.DynamicDimension.2": 736}
add("ocr-det-736x736", "ocr-det", page("x", 736, 736), "benchmark", dims=_DETECTION)
add(
    "ocr-det-736x736-int8",
    "ocr-det-whole-int8",
    integers(page("x", 736, 736)),
    "benchmark",
    dims=_DETECTION,
    quantised=True,
)
for _s in (128, 384):
    add(
        f"bert-base-s{_s}-int8",
        "bert-base-int8",
        tokens(30522, 1, _s),
        "benchmark",
        dims={"batch": 1, "sequence": _s},
        quantised=True,
    )
add(
    "gpt2-s512-int8",
    "gpt2-int8",
    tokens(50257, 1, 512, mask=False, types=False),
    "benchmark",
    dims={"sequence": 512},
    quantised=True,
)


def rows(name: str, *shape: int) -> Inputs:
    return lambda rng: {name: rng.standard_normal(shape).astype(np.float32)}


for _s in (512, 2048):
    add(f"llama-block-s{_s}", "llama-block", rows("x", 1, _s, 4096), "benchmark", dims={"sequence": _s})


def operands(size: int) -> Inputs:
    return lambda rng: {name: rng.integers(-128, 128, (size, size), np.int8) for name in "ab"}


for _size in matmuls.SIZES:
    add(f"matmul-{_size}", f"matmul-{_size}", operands(_size), "benchmark", quantised=True)


def describe(model: Model) -> str:
    """Name, file, dimensions, opset, signature and operator counts."""
    import onnx

    proto = onnx.load(model.path(), load_external_data=False)
    weights = {i.name for i in proto.graph.initializer}

    def shape(value):
        dims = value.type.tensor_type.shape.dim
        return "x".join(d.dim_param or str(d.dim_value) for d in dims)

    operators = Counter(n.op_type for n in proto.graph.node).most_common()
    feeds = model.inputs()
    lines = [
        f"### {model.name}{' (' + ', '.join(sorted(model.tags)) + ')' if model.tags else ''}",
        f"- file `{model.path()}`, {model.path().stat().st_size / 1e6:.1f} MB, opset "
        + ", ".join(f"{o.domain or 'ai.onnx'} {o.version}" for o in proto.opset_import),
        f"- flags `{' '.join(model.flags()) or '(none)'}`, tolerance {model.tolerance:g}",
        "- inputs "
        + ", ".join(
            f"`{i.name}` {shape(i)} → {feeds[i.name].dtype} {'x'.join(map(str, feeds[i.name].shape))}"
            for i in proto.graph.input
            if i.name not in weights
        ),
        "- outputs " + ", ".join(f"`{o.name}` {shape(o)}" for o in proto.graph.output),
        f"- {len(proto.graph.node)} nodes: " + ", ".join(f"{op} {n}" for op, n in operators),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    for _wanted in sys.argv[1:] or ZOO:
        print(describe(ZOO[_wanted]), end="\n\n")

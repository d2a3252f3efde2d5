"""Networks, machines, and which network is measured on which machine."""

from __future__ import annotations

from dataclasses import dataclass

from models_under_test import ZOO, Model


@dataclass(frozen=True)
class Machine:
    """A target of acc, with figures replaced."""

    target: str
    settings: tuple[str, ...] = ()

    def flags(self) -> list[str]:
        return ["--target", self.target, *(word for setting in self.settings for word in ("--set", setting))]


def sized(target: str, sizes: tuple[str, ...]) -> dict[str, Machine]:
    return {f"{target} {size}": Machine(target, (f"sram.bytes={size}",)) for size in sizes}


# By name in the tables: target and SRAM. Sizes ascend, so that more memory can be compared with less.
SIZES = ("128KiB", "384KiB", "2MiB")
SWEEP = ("64KiB", "256KiB", "1MiB", "4MiB", "16MiB")
MACHINES: dict[str, Machine] = {
    **sized("u65-256", SIZES),
    **sized("edge", tuple(sorted({*SIZES, *SWEEP}, key=lambda s: int(s[:-3]) * (1024 if s.endswith("MiB") else 1)))),
    "tpu-v5e 128MiB": Machine("tpu-v5e"),
}


@dataclass(frozen=True)
class Workload:
    name: str
    machines: tuple[str, ...]
    precision: str = "f32"

    @property
    def model(self) -> Model:
        return ZOO[self.name.removesuffix(" bf16")]


def named(*groups: tuple[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(f"{target} {size}" for target, sizes in groups for size in sizes)


SMALL = named(("u65-256", SIZES), ("edge", SIZES))
TPU = ("tpu-v5e 128MiB",)
WORKLOADS = [
    Workload(name, machines, precision)
    for name, machines, precision in (
        *((f"{net}-{size}-int8", SMALL, "f32")
          for size in (224, 512) for net in ("mobilenetv1", "mobilenetv2", "resnet50")),
        ("efficientnet-b0-224-int8", SMALL, "f32"),
        ("unet-256-int8", SMALL, "f32"),
        ("ocr-det-736x736-int8", SMALL, "f32"),
        ("ocr-det-736x736", named(("edge", SIZES)), "f32"),
        *((f"bert-base-s{s}-int8", SMALL + TPU, "f32") for s in (128, 384)),
        ("gpt2-s512-int8", named(("edge", SIZES)) + TPU, "f32"),
        *((f"llama-block-s{s} bf16", named(("edge", ("2MiB", "16MiB"))) + TPU, "bf16") for s in (512, 2048)),
        *((f"matmul-{size}", named(("edge", SWEEP)), "f32") for size in (512, 1024, 2048, 4096, 8192)),
    )
    if name.removesuffix(" bf16") in ZOO
]

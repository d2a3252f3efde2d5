"""The nine light models of the onnx package: as they are, and with random weights (`-random`)."""

import shutil
from pathlib import Path

import numpy as np
import onnx

from cache import package_folder, path, recipe
from randomise import __file__ as RANDOMISE
from randomise import randomise

NAMES = (
    "bvlc_alexnet",
    "densenet121",
    "inception_v1",
    "inception_v2",
    "resnet50",
    "shufflenet",
    "squeezenet",
    "vgg19",
    "zfnet512",
)


def folder() -> Path:
    return package_folder("onnx") / "backend" / "test" / "data" / "light"


def cache_name(light: str) -> str:
    return "light-" + light.replace("_", "-")


for _seed, _light in enumerate(NAMES):

    @recipe(cache_name(_light), __file__)
    def _copy(to: Path, light=_light):
        shutil.copyfile(folder() / f"light_{light}.onnx", to)

    @recipe(cache_name(_light) + "-random", __file__, RANDOMISE, needs=(cache_name(_light),))
    def _random(to: Path, light=_light, seed=_seed):
        model = onnx.load(path(cache_name(light)))
        weights = {i.name for i in model.graph.initializer}
        feeds = {
            i.name: np.random.default_rng(seed)
            .standard_normal([d.dim_value for d in i.type.tensor_type.shape.dim])
            .astype(np.float32)
            for i in model.graph.input
            if i.name not in weights
        }
        onnx.save(randomise(model, seed, feeds), to)

"""Int8 versions (`NAME-int8`) of models, quantised statically by ONNX Runtime's own quantiser.

The result holds QuantizeLinear and DequantizeLinear around convolutions and matrix products: weights
signed, one scale a channel; activations one scale a tensor, signed or unsigned as the table says, so that
both kinds occur. Other operators stay in floating point.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx.version_converter
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from cache import RECIPES, path, recipe
from inputs import Inputs, page, picture, tokens
from inputs import __file__ as INPUTS

SAMPLES = 4  # calibration runs
PER_CHANNEL_OPSET = 13  # the first whose QuantizeLinear has an axis


@dataclass(frozen=True)
class Settings:
    calibration: Inputs
    activations: QuantType
    operators: tuple[str, ...]


CONVOLUTIONS = ("Conv", "Gemm", "MatMul")
SIGNED, UNSIGNED = QuantType.QInt8, QuantType.QUInt8

MODELS = {
    "ocr-det": Settings(page("x", 320, 320), UNSIGNED, CONVOLUTIONS),
    "ocr-cls": Settings(page("x", 48, 192), SIGNED, CONVOLUTIONS),
    "ocr-rec": Settings(page("x", 48, 320), SIGNED, CONVOLUTIONS),
    # the residual additions too: a whole network without a step in floating point
    "resnet50": Settings(picture("image", 1, 3, 224, 224), SIGNED, (*CONVOLUTIONS, "Add", "MaxPool")),
    "mobilenetv2": Settings(picture("image", 1, 3, 224, 224), UNSIGNED, (*CONVOLUTIONS, "Add")),
    "minilm": Settings(tokens(30522, 1, 64), SIGNED, CONVOLUTIONS),
}


class Calibration(CalibrationDataReader):
    def __init__(self, inputs: Inputs):
        rng = np.random.default_rng(8)
        self.samples = iter([inputs(rng) for _ in range(SAMPLES)])

    def get_next(self):
        return next(self.samples, None)


def quantise(model: Path, settings: Settings, to: Path) -> None:
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        source = onnx.load(model)
        if source.opset_import[0].version < PER_CHANNEL_OPSET:
            source = onnx.version_converter.convert_version(source, PER_CHANNEL_OPSET)
            model = Path(folder) / "converted.onnx"
            onnx.save(source, model)
        # Folds BatchNorm into convolutions, as the quantiser's manual asks for.
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            to,
            Calibration(settings.calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(settings.operators),
            per_channel=True,
            activation_type=settings.activations,
            weight_type=SIGNED,
        )
    onnx.checker.check_model(str(to))


def register() -> None:
    for name, settings in MODELS.items():
        if name not in RECIPES:
            continue

        @recipe(f"{name}-int8", __file__, INPUTS, needs=(name,))
        def _make(to: Path, name=name, settings=settings):
            quantise(path(name), settings, to)

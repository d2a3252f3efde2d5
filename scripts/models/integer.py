"""Networks in int8 from end to end (`NAME-int8`), for the traffic benchmark.

ONNX Runtime's static quantiser, with everything it can quantise, not convolutions only; then the quantisation of graph
inputs and the dequantisation of graph outputs go, so that these are int8 tensors as a tflite file has them.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnx.version_converter
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from cache import RECIPES, path, recipe
from inputs import Inputs, page, picture, tokens
from inputs import __file__ as INPUTS
from quantise import PER_CHANNEL_OPSET, Calibration


@dataclass(frozen=True)
class Settings:
    source: str
    calibration: Inputs
    # None: all that the quantiser knows.
    operators: tuple[str, ...] | None = None


# Masks of -3.4e38 and the probabilities they make have no useful 8-bit scale: in transformers softmax, normalisations
# and GELU stay in floating point, between integer products.
PRODUCTS = ("MatMul", "Gemm")
MODELS = {
    "any-mobilenetv1-int8": Settings("any-mobilenetv1", picture("image", 1, 3, 224, 224)),
    "any-mobilenetv2-int8": Settings("any-mobilenetv2", picture("image", 1, 3, 224, 224)),
    "any-resnet50-int8": Settings("any-resnet50", picture("image", 1, 3, 224, 224)),
    "any-efficientnet-b0-int8": Settings("any-efficientnet-b0", picture("image", 1, 3, 224, 224)),
    "any-unet-int8": Settings("any-unet", picture("image", 1, 3, 256, 256)),
    "ocr-det-whole-int8": Settings("ocr-det", page("x", 320, 320)),
    "bert-base-int8": Settings("bert-base", tokens(30522, 1, 64), PRODUCTS),
    "gpt2-int8": Settings("gpt2", tokens(50257, 1, 64, mask=False, types=False), PRODUCTS),
}


def integer_ends(model: onnx.ModelProto) -> None:
    """Graph inputs that are only quantised, and outputs that were just dequantised, become the integers themselves."""
    graph = model.graph
    weights = {w.name: w for w in graph.initializer}

    def element(node: onnx.NodeProto) -> int:
        return weights[node.input[2]].data_type

    removed = []
    for value in graph.input:
        users = [n for n in graph.node if value.name in n.input]
        if len(users) == 1 and users[0].op_type == "QuantizeLinear":
            (quantise,) = users
            for node in graph.node:
                for i, name in enumerate(node.input):
                    if name == quantise.output[0]:
                        node.input[i] = value.name
            value.type.tensor_type.elem_type = element(quantise)
            removed.append(quantise)
    makers = {name: n for n in graph.node for name in n.output}
    for value in graph.output:
        maker = makers[value.name]
        if maker.op_type == "DequantizeLinear" and not any(value.name in n.input for n in graph.node):
            before = makers[maker.input[0]]
            users = [n for n in graph.node if maker.input[0] in n.input]
            value.type.tensor_type.elem_type = element(maker)
            for node in (before, *users):
                names = node.output if node is before else node.input
                for i, name in enumerate(names):
                    if name == maker.input[0]:
                        names[i] = value.name
            removed.append(maker)
    for node in removed:
        graph.node.remove(node)
    del graph.value_info[:]


def quantise(settings: Settings, to: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        prepared, quantised = Path(folder) / "prepared.onnx", Path(folder) / "quantised.onnx"
        source = path(settings.source)
        model = onnx.load(source)
        if model.opset_import[0].version < PER_CHANNEL_OPSET:
            source = Path(folder) / "converted.onnx"
            onnx.save(onnx.version_converter.convert_version(model, PER_CHANNEL_OPSET), source)
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            quantised,
            Calibration(settings.calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(settings.operators) if settings.operators else None,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )
        model = onnx.load(quantised)
        integer_ends(model)
        onnx.checker.check_model(model)
        onnx.save(model, to)


def register() -> None:
    for name, settings in MODELS.items():
        if settings.source not in RECIPES:
            continue

        @recipe(name, __file__, INPUTS, needs=(settings.source,))
        def _make(to: Path, settings=settings):
            quantise(settings, to)

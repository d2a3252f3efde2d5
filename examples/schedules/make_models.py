"""Writes the models of docs/schedules.md: one_conv.onnx, two_convs.onnx, and x.npy, an input for both.

    python examples/schedules/make_models.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPE = [1, 32, 64, 64]  # x and every result, f32


def save(path: Path, convolutions: list[str], random: np.random.Generator) -> None:
    """3x3 convolutions of 32 channels, one behind the other."""
    names = ["x", *(f"t{i}" for i in range(1, len(convolutions))), "y"]
    nodes = [helper.make_node("Conv", [names[i], f"w{i}"], [names[i + 1]], name=name, pads=[1, 1, 1, 1])
             for i, name in enumerate(convolutions)]
    weights = [numpy_helper.from_array(random.standard_normal((32, 32, 3, 3), dtype=np.float32), f"w{i}")
               for i in range(len(convolutions))]
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE)  # noqa: E731
    graph = helper.make_graph(nodes, path.stem, [value("x")], [value("y")], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    save(folder / "one_conv.onnx", ["conv"], random)
    save(folder / "two_convs.onnx", ["first", "second"], random)
    np.save(folder / "x.npy", random.standard_normal(SHAPE, dtype=np.float32))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

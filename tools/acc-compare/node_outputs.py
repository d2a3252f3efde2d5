"""A model whose outputs are the outputs of all its nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx

MOST_IN_ONE_FILE = 1 << 30  # bytes; protobuf ends at 2 GiB


def in_order(model: onnx.ModelProto) -> Iterator[tuple[onnx.NodeProto, str]]:
    """Every node with each of its outputs, in the order in which the graph computes them."""
    for node in model.graph.node:
        if node.op_type == "Constant":
            continue
        # Dropout's mask changed its type with opset 10, and is all ones in inference.
        for name in node.output[: 1 if node.op_type == "Dropout" else None]:
            if name:
                yield node, name


def named(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which each value that a node gives is a graph output, without type: enough for ONNX Runtime.
    What stands in subgraphs is not."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    already = {output.name for output in model.graph.output}
    result.graph.output.extend(onnx.ValueInfoProto(name=name) for _, name in in_order(model) if name not in already)
    return result


def typed(model: onnx.ModelProto, values: dict[str, np.ndarray]) -> onnx.ModelProto:
    """A copy whose outputs are `values`, in their order, with the types and shapes that they have."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.output[:]
    for name, value in values.items():
        code = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
        result.graph.output.append(onnx.helper.make_tensor_value_info(name, code, value.shape))
    return result


def save(model: onnx.ModelProto, original: Path, folder: Path) -> Path:
    """Writes the model and its weights, wherever the original keeps them, into `folder`."""
    onnx.load_external_data_for_model(model, str(original.resolve().parent))
    path = folder / f"{original.stem}-every-node.onnx"
    big = model.ByteSize() > MOST_IN_ONE_FILE
    onnx.save(model, path, save_as_external_data=big, location="weights")
    return path

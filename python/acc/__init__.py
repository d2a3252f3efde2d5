"""acc: compile ONNX models for an accelerator and run them on its simulator.

    import acc, numpy as np

    model = acc.compile("model.onnx", target="edge", dims={"batch": 1})
    outputs = model.run({"x": np.zeros((1, 3, 224, 224), np.float32)})
    model.stats["dram"]["read_bytes"]
"""

from .compiler import CompileError, compile
from .executable import Executable, Tensor, load

__all__ = ["CompileError", "Executable", "Tensor", "compile", "load"]

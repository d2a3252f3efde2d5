"""Programs of the simulated accelerator and their execution, in bytes."""

import numpy


class Program:
    """A verified program: nothing else can be executed."""

    @staticmethod
    def load(path: str) -> Program:
        """Maps an artifact and verifies it."""

    @property
    def inputs(self, /) -> list[tuple[str, int, list[int]]]:
        """(name, element type code, shape) of each graph input"""

    @property
    def outputs(self, /) -> list[tuple[str, int, list[int]]]:
        """(name, element type code, shape) of each graph output"""

    @property
    def target(self) -> str:
        """name of the machine that the program was compiled for"""

    def run(self, inputs: dict[str, tuple[numpy.ndarray, list[int]]], threads: int = 1, sanitize: bool = False, max_instructions: int = 0) -> tuple[dict[str, tuple[numpy.ndarray, list[int]]], str]:
        """
        inputs: name -> (bytes, shape). Returns (name -> (bytes, shape), statistics JSON).
        """

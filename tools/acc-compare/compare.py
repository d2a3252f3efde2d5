"""acc compare: runs a model in ONNX Runtime and on acc's simulator and says where they differ.

For each output of the model: the largest difference, as a number and relative to the range of ONNX
Runtime's values, with its position and both values. With --per-node every node's output becomes an output
of the model in both, and the first node that is wrong is named.

Inputs come from files (--input NAME=FILE, .npy or TensorProto .pb) or are made from a seed: normally
distributed numbers; for integers that select rows of an embedding, valid rows; other integers 0 or 1.

A quantised value that lies between two steps may be rounded to either. Where a tensor is rounded to a grid
(QuantizeLinear, DequantizeLinear with one scale), a difference of one step is reported as such and is no error;
--steps says how many are allowed, --tolerance judges such tensors like any other. Layers behind it carry a step on:
an output that is not on a grid may then need --tolerance 4e-3, a step of 8 bits.

exit status: 0 equal within the tolerance, 1 different or no comparison possible, 2 usage, 3 a bug of acc
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import acc
import made_inputs
import node_outputs
import numpy as np
import onnx
import onnxruntime
import quantised
from difference import Difference, difference

# Largest difference relative to the range of the output, unless --tolerance says else: f32 differs by the
# order of its sums only, narrower types by the rounding of every stored tensor.
TOLERANCE = {"f32": 1e-4, "f16": 1e-2, "bf16": 5e-2}

Arrays = dict[str, np.ndarray]

EXAMPLES = """examples:
  acc compare net.onnx
  acc compare net.onnx --target tiny --dim batch=1 --per-node
  acc compare net.onnx --dim sequence=16 --input input_ids=ids.npy
  acc compare net.onnx --precision bf16 --tolerance 0.02 --json
  acc compare simplified.onnx --reference net.onnx --per-node
"""


class Refused(Exception):
    """No comparison is possible; the text says why."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="acc compare", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="M.onnx")
    parser.add_argument("--target", default="edge", help="machine: a name that `acc targets` lists, or a TOML file")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=N",
                        help="size of a symbolic dimension; INPUT:AXIS=N for one axis of an input")
    parser.add_argument("--precision", default="f32", choices=TOLERANCE, help="storage of f32 tensors")
    parser.add_argument("--per-node", action="store_true", help="compare every node's output, name the first wrong node")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=FILE", help=".npy or .pb; others are made")
    parser.add_argument("--reference", type=Path, metavar="OTHER.onnx", help="what ONNX Runtime runs instead, for instance "
                        "the model before it was simplified; --per-node compares values of equal name")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of inputs that are made (default: 0)")
    parser.add_argument("--tolerance", type=float, metavar="X",
                        help="largest difference over the output's range (default: "
                        + ", ".join(f"{v:g} for {k}" for k, v in TOLERANCE.items()) + ")")
    parser.add_argument("--steps", type=int, default=1, metavar="N", help="quantisation steps that a tensor on a grid may "
                        "be away, unless --tolerance is given (default: 1)")
    parser.add_argument("--no-sanitize", dest="sanitize", action="store_false",
                        help="leave out the simulator's checks of every access, which take time")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")
    args = parser.parse_args()
    for text in args.dim:
        if not text.rpartition("=")[2].isdecimal() or not text.rpartition("=")[0]:
            parser.error(f"--dim {text}: must be NAME=N")
    for text in args.input:
        if not text.rpartition("=")[0]:
            parser.error(f"--input {text}: must be NAME=FILE")
    if args.seed < 0:
        parser.error(f"--seed {args.seed}: must not be negative")
    if args.steps < 0:
        parser.error(f"--steps {args.steps}: must not be negative")
    if args.tolerance is None:
        args.tolerance = TOLERANCE[args.precision]
    else:
        args.steps = 0
    return args


def read_model(path: Path) -> onnx.ModelProto:
    """The graph; weights in files of their own stay there."""
    try:
        return onnx.load(path, load_external_data=False)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    except Exception:  # protobuf's own exceptions differ between its implementations
        raise Refused(f"{path}: is not an ONNX model") from None


def reference(path: Path, feeds: Arrays) -> Arrays:
    """ONNX Runtime's outputs, every operator by its definition: fused integer kernels round differently."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feeds)))
    except Exception as error:  # noqa: BLE001  (its exceptions have no common base of their own)
        raise Refused(f"{path}: ONNX Runtime refuses: {str(error).strip()}") from None


class Comparison:
    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.model = read_model(args.model)
        self.other_file = args.reference or args.model
        self.other = read_model(args.reference) if args.reference else self.model
        self.steps = quantised.steps(self.model)
        dims = {name: int(size) for name, _, size in (text.rpartition("=") for text in args.dim)}
        self.options = {"target": args.target, "dims": dims, "precision": args.precision}
        self.program = acc.compile(args.model, **self.options)
        given = {name: Path(file) for name, _, file in (text.rpartition("=") for text in args.input)}
        self.feeds = made_inputs.feeds(self.model, self.program.inputs, given, args.seed)

    def outputs(self) -> list[Difference]:
        """Of the model's outputs, in their order."""
        got = self.program.run(self.feeds, sanitize=self.args.sanitize)
        want = reference(self.other_file, self.feeds)
        missing = [name for name in got if name not in want]
        if missing:
            raise Refused(f"{self.other_file}: has no output {missing[0]!r}")
        return [difference(name, value, want[name], self.steps.get(name)) for name, value in got.items()]

    def node_outputs(self) -> list[Difference]:
        """Of every node's outputs, in the order in which the graph computes them.

        More outputs keep nodes apart that are computed together otherwise. If they are right and the
        model's own outputs are not, one output at a time is added and the first wrong one is searched.
        """
        with tempfile.TemporaryDirectory(prefix="acc-compare-") as scratch:
            folder = Path(scratch)
            want = reference(node_outputs.save(node_outputs.named(self.other), self.other_file, folder), self.feeds)
            # Sequences and maps have no bytes to compare; what is empty has none either.
            want = {name: value for name, value in want.items() if isinstance(value, np.ndarray) and value.size}
            nodes = {name: node for node, name in node_outputs.in_order(self.model) if name in want}
            found = self.with_outputs(nodes, want, folder)
            together = [one for one in self.outputs() if self.is_wrong(one)]
            if any(map(self.is_wrong, found)) or not together:
                return found
            print("each node alone is right, but the model's outputs are wrong: searching with one more output at a time",
                  file=sys.stderr)
            names = list(nodes)
            first, last, found = 0, len(names), together  # right before `first`, wrong at `last`
            while first < last:
                middle = (first + last) // 2
                one = self.with_outputs({names[middle]: nodes[names[middle]]}, want, folder)
                if self.is_wrong(one[0]):
                    last, found = middle, one + found
                else:
                    first = middle + 1
            return found

    def with_outputs(self, nodes: dict[str, onnx.NodeProto], want: Arrays, folder: Path) -> list[Difference]:
        """Differences of these values in a model that has them as outputs, beside its own."""
        own = [output.name for output in self.model.graph.output if output.name in want]
        shown = {name: want[name] for name in (*nodes, *own)}
        path = node_outputs.save(node_outputs.typed(self.model, shown), self.args.model, folder)
        got = acc.compile(path, **self.options).run(self.feeds, sanitize=self.args.sanitize)
        found = [difference(name, got[name], want[name], self.steps.get(name)) for name in nodes]
        for one, node in zip(found, nodes.values()):
            one.node, one.operator = node.name or f"without a name, gives {one.name}", node.op_type
        return found

    def is_wrong(self, one: Difference) -> bool:
        if one.relative <= self.args.tolerance:
            return False
        steps = one.steps()
        return steps is None or steps > self.args.steps


def conclusion(args: argparse.Namespace, differences: list[Difference], wrong: list[Difference]) -> str:
    rounded = [one for one in differences if one.relative > args.tolerance and one not in wrong]
    but = ""
    if rounded and not wrong:
        most = max(one.steps() or 0 for one in rounded)
        but = f", {'one quantisation step' if most == 1 else f'up to {most} quantisation steps'} in {len(rounded)} of " \
              f"{len(differences)} tensors"
    return (f"{'DIFFERENT' if wrong else 'EQUAL'} within {args.tolerance:g} of the range{but}, target {args.target}, "
            f"{args.precision}")


def report(args: argparse.Namespace, differences: list[Difference], wrong: list[Difference]) -> None:
    if args.json:
        print(json.dumps({"equal": not wrong, "tolerance": args.tolerance, "target": args.target,
                          "precision": args.precision, "first_wrong": wrong[0].entry() if wrong else None,
                          "outputs": [d.entry() for d in differences]}, indent=2))
        return
    if not args.per_node:
        for one in differences:
            print(f"{'WRONG' if one in wrong else 'equal' if one.relative <= args.tolerance else 'steps'}  {one}")
    elif wrong:
        first = wrong[0]
        print(f"first wrong node: {first.node!r} ({first.operator})" if first.node else "wrong output of the model:")
        print(f"  {first}")
        if len(wrong) > 1:
            print(f"{len(wrong)} of {len(differences)} node outputs are wrong")
    else:
        worst = max(differences, key=lambda d: d.relative)
        print(f"{len(differences)} node outputs are equal; the worst:\n  {worst}")
    print(conclusion(args, differences, wrong))


def main() -> int:
    args = arguments()
    try:
        comparison = Comparison(args)
        differences = comparison.node_outputs() if args.per_node else comparison.outputs()
    except (Refused, ValueError, RuntimeError, OSError) as error:
        print(f"acc compare: error: {error}", file=sys.stderr)
        return 1
    except acc.CompileError as error:
        print(error, file=sys.stderr)  # says already who speaks
        return 3 if error.status == 3 else 1
    wrong = [one for one in differences if comparison.is_wrong(one)]
    report(args, differences, wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

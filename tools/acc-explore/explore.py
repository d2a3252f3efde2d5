"""acc explore: how a model's DRAM traffic depends on the machine.

    acc explore sram M.onnx       bytes against the size of the SRAM (the ski-slope), beside what no schedule avoids

Every size is planned as `acc compile --set sram.bytes=SIZE` would plan it, from one search. The bound counts SRAM and
accumulators; C is every constant, input and output once. A size between two rungs of the planner's ladder (128, 160,
192, 224, 256 KiB, ...) is planned as the lower one.

exit status: 0 good, 1 the model or a file is at fault, 2 usage, 3 a bug of acc
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
from pathlib import Path

from acc.compiler import program

UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
EXAMPLES = """examples:
  acc explore sram net.onnx
  acc explore sram net.onnx --from 64KiB --to 32MiB --target edge --dim batch=1
  acc explore sram net.onnx --sizes 128KiB,384KiB,2MiB --plot slope.html
  acc explore sram net.onnx --json
"""


def size(text: str) -> int:
    """Bytes of a size with an optional binary unit."""
    match = re.fullmatch(r"(\d+)(|KiB|MiB|GiB)", text)
    if not match or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a whole number with KiB, MiB, GiB or nothing behind it")
    return int(match[1]) * UNITS[match[2]]


def label(count: int) -> str:
    """A size as people write it."""
    for unit in ("GiB", "MiB", "KiB"):
        if count % UNITS[unit] == 0:
            return f"{count // UNITS[unit]} {unit}"
    return f"{count:,} B"


def doubling(first: int, last: int) -> list[int]:
    """first, 2*first, ... up to last, and last."""
    return sorted({min(first << k, last) for k in range(math.ceil(math.log2(last / first)) + 1)})


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="acc explore", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_subparsers(dest="what", required=True, metavar="sram")
    sram = what.add_parser("sram", description="DRAM bytes against the size of the SRAM", epilog=EXAMPLES,
                           formatter_class=argparse.RawDescriptionHelpFormatter)
    sram.add_argument("model", type=Path, metavar="M.onnx")
    sram.add_argument("--from", dest="first", type=size, default=size("64KiB"), metavar="SIZE",
                      help="smallest SRAM (default: 64KiB); each further one is twice as large")
    sram.add_argument("--to", dest="last", type=size, default=size("32MiB"), metavar="SIZE",
                      help="largest SRAM (default: 32MiB)")
    sram.add_argument("--sizes", type=lambda text: [size(one) for one in text.split(",")], metavar="SIZE,...",
                      help="these sizes instead")
    sram.add_argument("--target", default="edge", help="machine: a name that `acc targets` lists, or a TOML file")
    sram.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE",
                      help="replaces a figure of the machine")
    sram.add_argument("--dim", action="append", default=[], metavar="NAME=N",
                      help="size of a symbolic dimension; INPUT:AXIS=N for one axis of an input")
    sram.add_argument("--precision", default="f32", choices=["f32", "f16", "bf16"], help="storage of f32 tensors")
    sram.add_argument("--plan-effort", default="default", choices=["fast", "default", "best"],
                      help="how far to search for plans with few bytes")
    sram.add_argument("--plot", type=Path, metavar="FILE.html", help="writes the curve as a page that works offline")
    sram.add_argument("--json", action="store_true", help="the figures as JSON on standard output")
    args = parser.parse_args()
    if not args.sizes and args.first > args.last:
        sram.error(f"--from {args.first} is more than --to {args.last}")
    if args.plot and args.plot.suffix != ".html":
        sram.error(f"--plot {args.plot}: must end in .html")
    args.sizes = sorted(set(args.sizes)) if args.sizes else doubling(args.first, args.last)
    return args


def sweep(args: argparse.Namespace) -> dict:
    """The figures, or the end of this program with the compiler's message."""
    command = [program(), "sweep", args.model, "--sram", ",".join(map(str, args.sizes)),
               "--target", args.target, "--precision", args.precision,
               "--plan-effort", args.plan_effort]
    for option, values in (("--dim", args.dim), ("--set", args.set)):
        command += [word for value in values for word in (option, value)]
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(done.returncode if done.returncode in (1, 2) else 3)
    return json.loads(done.stdout)


def show(args: argparse.Namespace, result: dict) -> None:
    """A table with a bar for each size; bars have a logarithmic scale that begins at C."""
    from rich import box
    from rich.bar import Bar
    from rich.console import Console
    from rich.table import Table

    compulsory = result["compulsory_bytes"]
    most = max([p["dram_bytes"] for p in result["points"] if p["dram_bytes"]] + [compulsory])
    table = Table(box=box.SIMPLE_HEAD, caption_justify="left", caption=f"C {compulsory:,} bytes; bars: / C, logarithmic, "
                  f"the longest {most / compulsory:.2f}")
    for name in ("SRAM", "DRAM bytes", "/ C", "bound", "/ bound"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(width=32)
    for point in result["points"]:
        moved, bound = point["dram_bytes"], point["bound_bytes"]
        if moved is None:
            table.add_row(label(point["sram_bytes"]), "does not run", "", f"{bound:,}", "", point["why"][:32])
            continue
        scale = math.log(most / compulsory) or 1.0
        table.add_row(label(point["sram_bytes"]), f"{moved:,}", f"{moved / compulsory:.3f}", f"{bound:,}",
                      f"{moved / bound:.3f}", Bar(size=1.0, begin=0, end=max(math.log(moved / compulsory) / scale, 0.004), width=32))
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(f"{args.model.name}, target {result['target']}")
    console.print(table)


def plot(args: argparse.Namespace, result: dict) -> None:
    import plotly.graph_objects as go

    points = result["points"]
    sizes = [p["sram_bytes"] for p in points]
    figure = go.Figure(layout={"template": "plotly_white", "title": f"{args.model.name}, target {result['target']}"})
    moved = [p["dram_bytes"] for p in points]
    # A size is as good as the last one that was planned: steps.
    figure.add_scatter(x=sizes, y=moved, name="acc", mode="lines+markers", line={"shape": "hv"})
    figure.add_scatter(x=sizes, y=[p["bound_bytes"] for p in points], name="bound", mode="lines", line={"dash": "dash"})
    figure.add_scatter(x=sizes, y=[result["compulsory_bytes"]] * len(sizes), name="C", mode="lines", line={"dash": "dot"})
    figure.update_xaxes(type="log", title="SRAM, bytes", tickvals=sizes, ticktext=[label(s) for s in sizes])
    figure.update_yaxes(type="log", title="DRAM bytes of an inference")
    args.plot.write_text(figure.to_html(include_plotlyjs=True))


def main() -> int:
    args = arguments()
    result = sweep(args)
    if args.json:
        print(json.dumps(result))
    else:
        show(args, result)
    if args.plot:
        try:
            plot(args, result)
        except OSError as error:
            print(f"acc: error: {args.plot}: {error.strerror}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`make bench`: acc beside ONNX Runtime and IREE, in one run on this machine, written to docs/benchmarks.md.

    python benchmarks/bench.py                      everything
    python benchmarks/bench.py simulation bytes     only these parts
    python benchmarks/bench.py compile --models mobilenetv2,minilm-s128

simulation  wall clock of one inference on the simulator and in ONNX Runtime, one thread each; least of
            several runs, the two alternating so that a busy moment meets both
compile     user CPU and anonymous memory, import included, against iree-base-compiler (llvm-cpu)
bytes       DRAM bytes over compulsory bytes for every model and target

The parts measured are replaced in docs/benchmarks.md; the others stay as they were.
"""

from __future__ import annotations

import argparse
import platform
import re
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Callable

import compile_cost
import simulation_speed
import zoo_bytes

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Made by `make bench`; each table says when and where.
"""

PARTS: dict[str, Callable[..., str]] = {
    "simulation": simulation_speed.table,
    "compile": compile_cost.table,
    "bytes": zoo_bytes.table,
}


def machine() -> str:
    text = Path("/proc/cpuinfo").read_text()
    names = re.findall(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{names[0] if names else platform.processor()}, {len(names)} CPUs"


def replace_part(page: str, part: str, table: str) -> str:
    begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
    body = f"{begin}\n{table.strip()}\n\n{date.today().isoformat()}, {machine()}.\n{end}"
    old = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if old.search(page):
        return old.sub(lambda _: body, page)
    return f"{page.rstrip()}\n\n{body}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--models", help="names of test/models/zoo.py, separated by commas")
    parser.add_argument("--acc", type=Path, default=ROOT / "build" / "bin" / "acc")
    parser.add_argument("--page", type=Path, default=PAGE)
    args = parser.parse_args()
    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}: {', '.join(PARTS)}")
    if not args.acc.exists():
        print(f"bench: {args.acc} does not exist; `make build` makes it", file=sys.stderr)
        return 1
    models = args.models.split(",") if args.models else None
    with tempfile.TemporaryDirectory(prefix="acc-bench-") as scratch:
        for part in args.parts or PARTS:
            table = PARTS[part](args.acc, Path(scratch), models)
            page = args.page.read_text() if args.page.exists() else HEAD
            args.page.parent.mkdir(exist_ok=True)
            args.page.write_text(replace_part(page, part, table))
            print(table, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

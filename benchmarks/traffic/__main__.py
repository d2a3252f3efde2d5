"""How many bytes acc moves, beside the least that is possible and beside other schedulers on the same machine.

    .venv/bin/python benchmarks/traffic                     everything: hours; `make bench-traffic` is the same
    .venv/bin/python benchmarks/traffic ours                only acc
    .venv/bin/python benchmarks/traffic ours --only mobilenet --machines u65    (write --only=-int8)
    .venv/bin/python benchmarks/traffic vela zigzag         only these peers, on the networks that they accept
    .venv/bin/python benchmarks/traffic table               only the page, from what has been measured

Results gather in build/traffic/results.json; each part replaces its own. The tables go to docs/benchmarks.md, each
result with the date of its measurement's part. Peers are installed from PyPI, with pinned versions, in environments of
their own in the cache folder (see peers.py); nothing of them is needed to build or test acc.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import ours  # noqa: E402
import page  # noqa: E402
import peers  # noqa: E402
from bench import PAGE, replace_part  # noqa: E402
from results import Results  # noqa: E402
from workloads import MACHINES, WORKLOADS  # noqa: E402

ROOT = HERE.parents[1]
PARTS = ("ours", "vela", "zigzag", "table")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks/traffic", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--only", default="", metavar="TEXT", help="workloads whose name contains it")
    parser.add_argument("--machines", default="", metavar="TEXT", help="machines whose name contains it")
    parser.add_argument("--acc", type=Path, default=ROOT / "build" / "bin" / "acc")
    parser.add_argument("--results", type=Path, default=ROOT / "build" / "traffic" / "results.json")
    parser.add_argument("--page", type=Path, default=PAGE)
    args = parser.parse_args()
    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}: {', '.join(PARTS)}")
    if not args.acc.exists():
        print(f"traffic: {args.acc} does not exist; `make build` makes it", file=sys.stderr)
        return 1
    parts = args.parts or PARTS
    workloads = [w for w in WORKLOADS if args.only in w.name]
    machines = {name: m for name, m in MACHINES.items() if args.machines in name}
    results = Results(args.results)
    with tempfile.TemporaryDirectory(prefix="acc-traffic-") as scratch:
        if "ours" in parts:
            ours.measure(args.acc, workloads, machines, results, Path(scratch))
        for peer in peers.PEERS:
            if peer in parts:
                peers.measure(peer, args.acc, workloads, machines, results, Path(scratch))
    text, verdicts = page.tables(results)
    args.page.write_text(replace_part(args.page.read_text(), "traffic", text))
    print("\n".join(verdicts))
    return 0


if __name__ == "__main__":
    sys.exit(main())

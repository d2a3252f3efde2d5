"""Makes model files: `python scripts/models/export.py [NAME...]`, all of them without names.

    python scripts/models/export.py --list          names, files, and whether they are up to date
    python scripts/models/export.py minilm resnet50
"""

from __future__ import annotations

import argparse
import sys
import time

import cache
import recipes  # noqa: F401  (registers every recipe)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="say what there is and make nothing")
    args = parser.parse_args()
    unknown = [n for n in args.names if n not in cache.RECIPES]
    if unknown:
        print(f"export: no model {unknown[0]!r}; --list shows all names", file=sys.stderr)
        return 2
    names = args.names or list(cache.RECIPES)
    if args.list:
        for name in names:
            print(f"{name:32} {'ready' if cache.is_current(name) else 'to be made':12} {cache.path(name)}")
        return 0
    for name in names:
        start = time.monotonic()
        made = not cache.is_current(name)
        file = cache.ensure(name)
        size = file.stat().st_size / 1e6
        what = f"made in {time.monotonic() - start:.1f} s" if made else "up to date"
        print(f"{name:32} {size:8.1f} MB  {what}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

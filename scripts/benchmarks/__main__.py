"""Runs the named benchmarks, or all of them:  python -m scripts.benchmarks [--quick] [name ...]"""

import argparse
import importlib
import pkgutil
import sys

from rich.console import Console

import scripts.benchmarks as package
from scripts.benchmarks.tables import show

_NOT_BENCHMARKS = {"__main__", "tables"}


def names() -> list[str]:
    """The benchmarks there are, in alphabetical order."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name not in _NOT_BENCHMARKS)


def main() -> int:
    """Prints each benchmark's tables as soon as it is done."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes; the ratios are then smaller too")
    parser.add_argument("name", nargs="*", help=f"any of: {', '.join(names())} (default: all)")
    chosen = parser.parse_args()
    unknown = set(chosen.name) - set(names())
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))} (there are: {', '.join(names())})", file=sys.stderr)
        return 2
    console = Console(width=None if sys.stdout.isatty() else 140)
    for name in chosen.name or names():
        for table in importlib.import_module(f"scripts.benchmarks.{name}").run(chosen.quick):
            show(table, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A function of these benchmarks in a process of its own, so that its peak memory is its own."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

KIBIBYTES_IN_MEBIBYTE = 1024


FRESH = {"MALLOC_MMAP_THRESHOLD_": "131072"}
"""glibc then gives large arrays back to the system at once, so that no run works in memory that one before it left."""


def alone(function: Callable[..., Any], *numbers: int, fresh: bool = False) -> tuple[Any, str]:
    """What a function gives for some integers, as JSON carries it, and the peak memory of its process in MiB: VmHWM,
    interpreter and libraries included. `fresh`: see FRESH."""
    command = [sys.executable, "-m", __name__, function.__module__, function.__name__, *map(str, numbers)]
    environment = {**os.environ, **(FRESH if fresh else {})}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    lines = done.stdout.splitlines()
    found = json.loads(lines[-1])  # TenSEAL prints warnings before
    return found["found"], f"{found['peak'] / KIBIBYTES_IN_MEBIBYTE:,.0f}"


def main() -> None:
    """Runs the named function and prints what it gave."""
    module, name, *numbers = sys.argv[1:]
    found = getattr(importlib.import_module(module), name)(*map(int, numbers))
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(json.dumps({"found": found, "peak": int(status.split("VmHWM:")[1].split()[0])}))


if __name__ == "__main__":
    main()

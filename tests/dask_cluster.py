"""A real Dask cluster on this machine: a scheduler and two workers, started as their operators start them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60


@contextmanager
def dask_cluster(folder: Path, workers: int = 2) -> Iterator[str]:
    """Address of the scheduler; the processes end with the block."""
    card = folder / "scheduler.json"
    common = ["--scheduler-file", str(card), "--no-dashboard"]
    scheduler = _start(folder, "scheduler", "--host", "127.0.0.1", "--port", "0", *common)
    started = [scheduler]
    try:
        _wait(card, scheduler)
        for number in range(workers):
            own = ["--nthreads", "1", "--no-nanny", "--name", str(number), "--local-directory", str(folder)]
            started.append(_start(folder, "worker", "--host", "127.0.0.1", *own, *common))
        yield json.loads(card.read_text("utf-8"))["address"]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def _start(folder: Path, program: str, *options: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "dask", program, *options]
    with (folder / f"{program}.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env={**os.environ})


def _wait(card: Path, scheduler: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while not (card.exists() and card.read_text("utf-8").endswith("}")):
        assert scheduler.poll() is None, (card.parent / "scheduler.log").read_text("utf-8")
        assert time.monotonic() < end
        time.sleep(0.05)

"""Loaders that do what a broken native library would, each at its own word in the blob; run in the confined process."""

import ctypes
import os
import socket
import time
from pathlib import Path

from crypto.errors import MalformedInput
from crypto.seal.confined_child import serve_with
from crypto.seal.parameters import Profile


def serve() -> None:
    """Misbehave as the blob says."""
    serve_with(_load)


def _load(_profile: Profile, data: bytes) -> None:
    word = data[:40].split(b" ")[0].decode("latin-1")
    if word == "segfault":
        ctypes.string_at(1)
    if word == "abort":
        os.abort()
    if word == "memory":
        held = [bytearray(1 << 26) for _ in range(64)]
        raise AssertionError(f"{len(held)} pieces of memory were given")
    if word == "loop":
        while True:
            pass
    if word == "sleep":
        time.sleep(600)
    if word == "file":
        with open(os.memfd_create("large"), "wb") as file:  # noqa: PTH123 - by its descriptor
            file.truncate(1 << 30)
    if word == "files":
        held_open = [os.memfd_create("many") for _ in range(1000)]
        raise AssertionError(f"{len(held_open)} files were opened")
    if word == "once":
        _die_the_first_time(Path(data.split(b" ")[1].decode()))
    if word == "network":
        with socket.socket() as tried:
            tried.settimeout(1)
            tried.connect(("127.0.0.1", int(data.split(b" ")[1])))
        raise SystemExit(77)
    if word == "environment" and set(os.environ) - {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "LC_CTYPE"}:
        raise SystemExit(78)
    if word == "refused":
        raise MalformedInput("no blob")


def _die_the_first_time(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        os.abort()

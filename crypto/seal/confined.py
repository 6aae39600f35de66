"""Foreign blobs are loaded once in a process of their own before SEAL loads them here: what breaks the library there is
refused, and breaks nothing else.

The other process (confined_child.py) holds no key, inherits no environment and no open file but its two pipes, and has
limits on memory, processor time, files and file sizes. It loads the blob, transforms it and reads it back (trial.py).
A blob is refused only after two fresh processes died of it, so that somebody else's `kill` condemns nobody's data.

Assumes: that SEAL does the same with the same bytes every time. It therefore stands against crashes, endless loops and
memory without bound, not against code that an attacker would bring to run inside SEAL; against that stands that nothing
of a blob but range-checked words and a seed reaches SEAL at all (wire.py).
Leaks: nothing. Cost: about one load more per blob and process, half a second for the first; see decision 0022.
"""

import atexit
import contextlib
import os
import selectors
import struct
import subprocess
import sys
import threading
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import IO

from crypto.errors import LoaderDied, LoaderUnavailable

REQUEST = struct.Struct(">BI")  # length of the profile's name, length of the blob
LOADED, REFUSED, READY = b"1", b"0", b"R"
MAX_BLOB = 1 << 24
REMEMBERED = 1 << 16
ATTEMPTS = 2
START_SECONDS = 60.0
ANSWER_SECONDS = 60.0  # of the wall clock, in case a process hangs without using processor time
_ROOT = str(Path(__file__).resolve().parents[2])


class ConfinedLoader:
    """A loader in a process of its own, started when first needed and again whenever it died.

    Args:
        serve: "module:function" that the process runs. patience: seconds that it may take for one blob.
    """

    def __init__(self, serve: str = "crypto.seal.confined_child:serve", patience: float = ANSWER_SECONDS) -> None:
        self._serve, self._patience = serve, patience
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        self._survived: OrderedDict[tuple[str, str], None] = OrderedDict()

    def check(self, profile: str, name: str, data: bytes) -> None:
        """Load `data` over there, unless a blob of this name was loaded before.

        Returning says that loading it is safe, not that it is a blob: what the checks of `wire` refuse never gets to
        SEAL, here or there.

        Args:
            profile: name of the parameter set. name: digest of the data; the caller has compared it.

        Raises:
            LoaderDied: the process did not survive this blob, twice. LoaderUnavailable: it does not start.
        """
        key = (profile, name)
        with self._lock:
            if key not in self._survived:
                self._load(profile, data)
                self._survived[key] = None
                while len(self._survived) > REMEMBERED:
                    self._survived.popitem(last=False)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _load(self, profile: str, data: bytes) -> None:
        if len(data) > MAX_BLOB:
            return  # longer than any blob, so refused by its length before anything is loaded
        how = ""
        for _ in range(ATTEMPTS):
            how = self._attempt(profile, data)
            if not how:
                return
        raise LoaderDied(f"the native loader did not survive this blob, in {ATTEMPTS} fresh processes: {how}")

    def _attempt(self, profile: str, data: bytes) -> str:
        """How the process died of the blob; empty where it did not."""
        process, name = self._started(), profile.encode()
        try:
            _write(process.stdin, REQUEST.pack(len(name), len(data)) + name + data)
            answer = _answer(process.stdout, self._patience)
        except BrokenPipeError:
            answer = b""
        if answer in (LOADED, REFUSED):
            return ""
        self._end()
        status = process.returncode
        return f"signal {-status}" if status < 0 else f"status {status}"

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._owner != os.getpid():  # a forked copy of us must not write into its parent's pipe
            self._process, self._owner = None, os.getpid()
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._process = _start(self._serve)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            _reap(process)


@cache
def confined_loader() -> ConfinedLoader:
    """The one loader of this process."""
    loader = ConfinedLoader()
    atexit.register(loader.close)
    return loader


def _start(serve: str) -> "subprocess.Popen[bytes]":
    module, _, function = serve.partition(":")
    code = f"import sys; sys.path.insert(0, {_ROOT!r}); from {module} import {function}; {function}()"
    quiet = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # threads would each reserve memory
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own words
        [sys.executable, "-I", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=quiet,
        cwd="/",
        start_new_session=True,
    )
    if _answer(process.stdout, START_SECONDS) != READY:
        raise LoaderUnavailable(f"the confined loader does not start: status {_reap(process)}")
    return process


def _reap(process: "subprocess.Popen[bytes]") -> int:
    """Kill the process if it still runs, close its pipes, and return its exit status."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(BrokenPipeError):
            if pipe:
                pipe.close()
    return process.wait()


def _write(pipe: IO[bytes] | None, data: bytes) -> None:
    assert pipe is not None
    pipe.write(data)
    pipe.flush()


def _answer(pipe: IO[bytes] | None, seconds: float) -> bytes:
    """One byte; none where the other side is gone or says nothing for so long."""
    assert pipe is not None
    with selectors.DefaultSelector() as waiting:  # `select` itself takes no descriptor beyond 1023
        waiting.register(pipe, selectors.EVENT_READ)
        return os.read(pipe.fileno(), 1) if waiting.select(seconds) else b""

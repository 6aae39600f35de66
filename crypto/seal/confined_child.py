"""The process in which foreign blobs are loaded first (see confined.py). It never meets a key.

Limits, all from within and before the first foreign byte, none of which the process can take back:

  - no core file; 64 MiB for any file, which is what the memory files of `engine` count as; 64 open files;
  - 256 MiB of memory beyond what it has when it is ready; three seconds of processor time for each blob;
  - no new privileges, no further process (for users other than root), and it ends with its parent;
  - no network, in namespaces of its own, where the system grants them to anybody. Where it does not, the process could
    open a socket if code of an attacker ran in it.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import IO

from crypto.errors import CryptoError
from crypto.seal.confined import LOADED, READY, REFUSED, REQUEST
from crypto.seal.parameters import Profile, profile

Load = Callable[[Profile, bytes], None]
MEMORY_BYTES = 256 << 20
FILE_BYTES = 64 << 20
OPEN_FILES = 64
PROCESSOR_SECONDS = 3  # a blob takes some milliseconds
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000


def serve() -> None:
    """Load what comes on standard input until it ends."""
    from crypto.seal.trial import trial  # noqa: PLC0415 - the library comes after the limit on core files

    serve_with(trial)


def serve_with(load: Load) -> None:
    """As `serve`, by another loader: for tests of the confinement itself."""
    confine()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _say(sink, READY)
    while head := source.read(REQUEST.size):
        name_size, size = REQUEST.unpack(head)
        name, data = source.read(name_size).decode(), source.read(size)
        _limit_processor_time()
        try:
            load(profile(name), data)
        except CryptoError:
            _say(sink, REFUSED)
        else:
            _say(sink, LOADED)


def confine() -> None:
    """Take from this process what loading does not need."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC)  # may be refused: see above
        most = _memory_now() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _memory_now() -> int:
    """Bytes of address space of this process."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - one read of a kernel file
        return int(file.read().split()[0]) * resource.getpagesize()


def _limit_processor_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + 1 + PROCESSOR_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _say(sink: IO[bytes], word: bytes) -> None:
    os.write(sink.fileno(), word)

"""What a process that opens keys does first, so that they leave its memory by no back door.

  - It leaves no core dump, whatever kills it and wherever the system writes them: the limit on core files is zero and
    cannot be raised again, and the process is not dumpable (prctl PR_SET_DUMPABLE).
  - Not being dumpable, it cannot be attached to or read through /proc/<pid>/mem by other processes of its user.
  - A long-running process also asks that its memory is not written to swap. That needs an allowance (RLIMIT_MEMLOCK or
    CAP_IPC_LOCK); without it the process says so and goes on.

Against the machine's administrator nothing here helps. Python copies what it computes with and cannot erase it. Outside
Linux only the limit on core files is set.
"""

import ctypes
import resource
import sys
from functools import cache

from marketplace.errors import ConfigurationError

_PR_SET_DUMPABLE, _PR_GET_DUMPABLE = 4, 3
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


def close_process() -> None:
    """No core dumps and no reading by other processes, from now on. Again is harmless.

    Raises:
        ConfigurationError: `process_not_closed`, the system refused; keys should not be opened here.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and (_libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) or is_dumpable()):
        message = "this system does not let a process keep its memory to itself; no key was opened"
        raise ConfigurationError("process_not_closed", message, zh="系统不允许进程关闭内存转储；未打开任何密钥")


def is_dumpable() -> bool:
    """Whether this process may be dumped, attached to and read by others of its user."""
    return bool(_libc().prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0))


def lock_memory() -> bool:
    """Ask that nothing this process uses, now and later, is written to swap; returns whether the system agreed.

    Only asked for where the allowance is unlimited: with a limit, reaching it would make the process fail.
    """
    if sys.platform != "linux" or resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY:
        return False
    return bool(_libc().mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)

"""The loop of a process that asks the service for work: it waits while the service is away, says so, and resumes.

One task that cannot be done is reported and does not stop the loop; the service will offer it again.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from crypto.errors import CryptoError
from marketplace.errors import MarketplaceError, PortError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0  # seconds


class Notice(Protocol):
    """Told, in English and Chinese, what a person at the terminal should know."""

    def __call__(self, message: str, zh: str) -> None: ...


def poll(step: Callable[[], bool], stop: threading.Event, notice: Notice, *, pause: float = FIRST_PAUSE) -> None:
    """Call `step` until `stop` is set.

    Args:
        step: asks for one task and does it; returns whether there was one. It long-polls by itself.
        pause: seconds before the first new try after a failure; doubles up to LONGEST_PAUSE.
    """
    wait, away = pause, False
    while not stop.is_set():
        try:
            step()
        except PortError as error:
            if not away:
                notice(f"cannot reach the service ({error}); waiting for it", f"无法连接服务({error});等待恢复")
            away = True
            stop.wait(wait)
            wait = min(2 * wait, LONGEST_PAUSE)
            continue
        except (MarketplaceError, CryptoError) as error:
            notice(f"a task could not be done: {error}", f"任务未能完成:{error}")
            stop.wait(wait)
            continue
        if away:
            notice("the service is back; going on", "服务已恢复,继续工作")
        wait, away = pause, False

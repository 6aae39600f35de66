"""The loop of a process that asks the service for work: it waits while the service is away, says so, and resumes.

One task that cannot be done is reported and does not stop the loop; the service will offer it again.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from crypto.errors import CryptoError
from marketplace.errors import MarketplaceError, PortError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0  # seconds


_idle = False  # signals come to the process, so this is the process's too


class Stopped(BaseException):
    """A signal came while there was nothing in hand; no error, and passes everything that handles errors."""


class Notice(Protocol):
    """Told, in English and Chinese, what a person at the terminal should know."""

    def __call__(self, message: str, zh: str) -> None: ...


@contextmanager
def idle() -> Iterator[None]:
    """Around asking for a task, which takes as long as there is none: what `break_off` ends at once.

    A task that is on its way just then is lost, and comes again when its lease has run out.
    """
    global _idle  # noqa: PLW0603 - see above
    _idle = True
    try:
        yield
    finally:
        _idle = False


def break_off() -> None:
    """For a signal handler: raise Stopped in an idle process; do nothing to one at work."""
    if _idle:
        raise Stopped


def task_in(answer: object, *fields: str) -> Mapping[str, Any] | None:
    """The task that the service answered with, None where it has none.

    Args:
        fields: what the task must have; their content is for the caller to check.
    Raises:
        PortError: `answer_malformed`, anything else.
    """
    task = answer.get("task", "absent") if isinstance(answer, Mapping) else "absent"
    if task is None:
        return None
    if not isinstance(task, Mapping) or any(field not in task for field in fields):
        message = "the service's answer is no task"
        raise PortError("answer_malformed", message, zh="服务端返回的不是任务", expected=", ".join(fields))
    return task


def poll(step: Callable[[], bool], stop: threading.Event, notice: Notice, *, pause: float = FIRST_PAUSE) -> None:
    """Call `step` until `stop` is set.

    Args:
        step: asks for one task, with `idle` around it, and does it; returns whether there was one. It long-polls by
            itself.
        pause: seconds before the first new try after a failure; doubles up to LONGEST_PAUSE.
    """
    wait, away = pause, False
    while not stop.is_set():
        try:
            step()
        except Stopped:
            return
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

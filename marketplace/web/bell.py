"""A bell: threads ring a topic, coroutines wait for it. Holds no thread and no database connection while waiting.

The bell is a hint, never the truth: whoever waits looks again at least every half second, so a ring that is lost
(another process wrote the row) costs time and nothing else.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

POLL_SECONDS = 0.5
T = TypeVar("T")


class Bell:
    """Wakes coroutines of any event loop from any thread."""

    def __init__(self) -> None:
        # A signal handler may close the bell while its own thread is in here.
        self._lock = threading.RLock()
        self._waiting: dict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(set)
        self._called: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self.closing = False

    def call(self, topic: str, back: Callable[[], None]) -> None:
        """Call `back`, which must be quick, at every ring of `topic`."""
        self._called[topic].append(back)

    def close(self) -> None:
        """The service stops: every long poll ends now with what it has."""
        self.closing = True
        self.ring(*tuple(self._waiting))

    def ring(self, *topics: str) -> None:
        """Wake all who wait for one of `topics`. Call it after the transaction that they look for."""
        with self._lock:
            woken = {waiter for topic in topics for waiter in self._waiting.get(topic, ())}
        for loop, event in woken:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
        for topic in topics:
            for back in self._called.get(topic, ()):
                back()

    def listen(self, topics: Iterable[str]) -> "Ticket":
        """A ticket that hears rings from now on."""
        return Ticket(self, tuple(topics))

    def _add(self, topics: tuple[str, ...], waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event]) -> None:
        with self._lock:
            for topic in topics:
                self._waiting[topic].add(waiter)

    def _remove(self, topics: tuple[str, ...], waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event]) -> None:
        with self._lock:
            for topic in topics:
                self._waiting[topic].discard(waiter)
                if not self._waiting[topic]:
                    del self._waiting[topic]


class Ticket:
    """One waiter's place; use as a context manager."""

    def __init__(self, bell: Bell, topics: tuple[str, ...]) -> None:
        self._bell, self._topics, self._event = bell, topics, asyncio.Event()
        self._waiter = (asyncio.get_running_loop(), self._event)

    def __enter__(self) -> "Ticket":
        self._bell._add(self._topics, self._waiter)
        return self

    def __exit__(self, *_: object) -> None:
        self._bell._remove(self._topics, self._waiter)

    async def heard(self, seconds: float) -> None:
        """Return at the next ring, or after `seconds`."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return
        self._event.clear()


async def long_poll(bell: Bell, topics: Iterable[str], seconds: float, look: Callable[[], T | None]) -> T | None:
    """The first answer of `look` that is not None, or None once `seconds` have passed.

    Args:
        look: short synchronous check with a transaction of its own; runs in a worker thread.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    with bell.listen(topics) as ticket:
        while True:
            answer = await run_in_threadpool(look)
            left = end - loop.time()
            if answer is not None or left <= 0 or bell.closing:
                return answer
            await ticket.heard(min(POLL_SECONDS, left))

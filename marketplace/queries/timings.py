"""Where the time of one query goes, for whoever asks to see it (`--timings`); by default nothing is measured.

A record is one JSON line on standard error: which program, which query, when its work began and ended (unix seconds),
and the milliseconds of its parts. A part may be entered many times; its times add up. Nothing secret is in a record.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

log = logging.getLogger("marketplace.timings")
_parts: ContextVar[dict[str, float] | None] = ContextVar("parts", default=None)


def show() -> None:
    """From now on write records to standard error."""
    log.addHandler(logging.StreamHandler())
    log.propagate = False
    log.setLevel(logging.DEBUG)


@contextmanager
def record(program: str, task: object) -> Iterator[None]:
    """Time a block and the parts within it; the record is written when the block ends, whatever the outcome.

    Args:
        program: who works. task: as the service gave it; its "digest" names the query in the record.
    """
    if not log.isEnabledFor(logging.DEBUG):
        yield
        return
    query = task.get("digest") if isinstance(task, Mapping) else None
    parts: dict[str, float] = {}
    token, began = _parts.set(parts), time.time()
    try:
        yield
    finally:
        _parts.reset(token)
        rounded = {name: round(spent, 3) for name, spent in parts.items()}
        line = {"timing": program, "query": query, "began": began, "ended": time.time(), "milliseconds": rounded}
        log.debug("%s", json.dumps(line))


@contextmanager
def part(name: str) -> Iterator[None]:
    """Add the block's time to this part of the record around it, if there is one. Parts do not nest."""
    parts = _parts.get()
    if parts is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        parts[name] = parts.get(name, 0.0) + (time.perf_counter() - began) * 1000

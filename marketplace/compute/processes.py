"""Worker processes beside this one, each with a thread here that hands it errands and waits for its answers.

A worker starts when it is first needed, from nothing: no copy of this process's memory, no setting of ours in its
environment, so neither keys nor passwords. It talks through a socket that only the two have, and ends when this process
does, by whatever death. A worker that dies is replaced.
"""

import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Condition, Thread

import marketplace
from marketplace.compute.columns import ATTEMPTS, Errand, Ticket, Workers, lost
from marketplace.queries.protocol.opening import Sealed

PROGRAM = "from marketplace.compute.worker import main; main()"
ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")
END_SECONDS = 5  # for a worker to finish the piece in hand when nobody needs it any more


class Processes(Workers):
    """So many processes.

    Attributes:
        closed: whether there will be no more errands.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._waiting, self._changed, self.closed = deque[_Job](), Condition(), False
        self._hands = [_Hand(self, number) for number in range(count)]

    @property
    def count(self) -> int:
        """As `Workers.count`."""
        return self._count

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run."""
        return [hand.pid for hand in self._hands if hand.pid is not None]

    def send(self, errand: Errand) -> Ticket:
        """As `Workers.send`."""
        job = _Job(errand)
        with self._changed:
            if self.closed:
                raise lost("they were ended")
            self._waiting.append(job)
            self._changed.notify_all()
        return job

    def close(self) -> None:
        """As `Workers.close`."""
        with self._changed:
            self.closed = True
            while self._waiting:
                self._waiting.pop().drop()
            self._changed.notify_all()
        for hand in self._hands:
            hand.end()

    def take(self, number: int) -> "_Job | None":
        """The next errand for this worker, its own before others'; None when there will be no more."""
        with self._changed:
            while not self.closed:
                mine = (job for job in self._waiting if job.errand.piece.home % self.count == number)
                job = next(mine, self._waiting[0] if self._waiting else None)
                if job is not None:
                    self._waiting.remove(job)
                    return job
                self._changed.wait()
        return None


class _Job(Ticket):
    def __init__(self, errand: Errand) -> None:
        self.errand, self.future = errand, Future[Sequence[Sealed]]()

    def result(self) -> Sequence[Sealed]:
        try:
            return self.future.result()
        except CancelledError:
            raise lost("they were ended") from None

    def drop(self) -> None:
        self.future.cancel()


class _Hand:
    """One worker and its thread."""

    def __init__(self, pool: Processes, number: int) -> None:
        self._pool, self._number = pool, number
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._thread = Thread(target=self._work, name=f"worker {number}", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def end(self) -> None:
        """Let the worker finish what it has in hand, for a while, and see it gone."""
        self._thread.join(END_SECONDS)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
        self._thread.join()

    def _work(self) -> None:
        while (job := self._pool.take(self._number)) is not None:
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                job.future.set_result(self._done(job.errand))
            except BaseException as error:  # raised again where the result is waited for
                job.future.set_exception(error)
        self._stop()

    def _done(self, errand: Errand) -> Sequence[Sealed]:
        reason = ""
        for _ in range(ATTEMPTS):
            pipe = self._pipe or self._start()
            try:
                pipe.send(errand)
                answer = pipe.recv()
            except (EOFError, OSError):
                reason = self._stop()
                if self._pool.closed:
                    break
                continue
            if isinstance(answer, Exception):
                raise answer
            return list(answer)
        raise lost(reason)

    def _start(self) -> Connection:
        mine, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
                [sys.executable, "-P", "-c", PROGRAM, str(its.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
                pass_fds=[its.fileno()],
            )
        self._pipe = Connection(mine.detach())
        return self._pipe

    def _stop(self) -> str:
        """Close the socket, which ends the worker, and collect it; says how it ended."""
        if self._pipe is not None:
            with suppress(OSError):
                self._pipe.close()
        ended = "" if self._process is None else f"exit code {self._process.wait()}"
        self._process = self._pipe = None
        return ended


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    return kept | {"PYTHONPATH": str(Path(marketplace.__file__).parents[1])}

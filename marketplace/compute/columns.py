"""Evaluating pieces on workers: what is sent, what is sent again, what is given up.

Workers may die, or find a blob's file damaged; a piece is then evaluated again, a few times at most. Evaluation has no
randomness, so a repeat gives the same bytes. What a worker answers is believed, as this process believes itself: a
lying worker makes a lying node, which the panel outvotes and the vault does not follow.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from crypto.canonical import from_hex
from crypto.seal.confined import confined_loader
from marketplace.errors import MarketplaceError, PortError
from marketplace.queries.evaluation import SpreadColumns
from marketplace.queries.evaluation.data import Fetch
from marketplace.queries.evaluation.pieces import Piece
from marketplace.queries.protocol.opening import Sealed
from marketplace.queries.timings import part

ATTEMPTS = 3  # of one piece, if its worker dies each time
_BLOB_FAULTS = frozenset(("blob_altered", "blob_not_here"))


@dataclass(frozen=True)
class Errand:
    """A piece for a worker.

    Args:
        folder: with the blobs that it names. foreign: whether they are somebody else's, to be loaded in a confined
            process first (crypto/seal/confined.py).
    """

    piece: Piece
    folder: str
    foreign: bool


class Ticket(ABC):
    """An errand that is under way."""

    @abstractmethod
    def result(self) -> Sequence[Sealed]:
        """Wait for its numbers.

        Raises:
            PortError: `compute_lost`, workers died over it; `compute_failed`; `compute_unreachable`.
            MarketplaceError, crypto.errors.CryptoError: what evaluating it raised.
        """

    @abstractmethod
    def drop(self) -> None:
        """Nobody waits for it any more."""


class Workers(ABC):
    """Some workers."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many errands are done at once."""

    @abstractmethod
    def send(self, errand: Errand) -> Ticket:
        """Have it done by some worker, as soon as one is free."""

    @abstractmethod
    def close(self) -> None:
        """End them. Again is harmless."""


class WorkersColumns(SpreadColumns):
    """Sealed columns that workers open and evaluate.

    Args:
        workers: who. folder: where they read blobs: blob 0xAB… is the file ab….
        fetch: gives the checked bytes of a blob and leaves a sound file in the folder. foreign: see Errand.
    """

    def __init__(self, workers: Workers, folder: Path, fetch: Fetch, *, foreign: bool = False) -> None:
        super().__init__(fetch, probe=confined_loader().check if foreign else None)
        self._workers, self._folder, self._foreign = workers, folder.resolve(), foreign

    @property
    def workers(self) -> int:
        """As `SpreadColumns.workers`."""
        return self._workers.count

    def evaluate(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, Sequence[Sealed]]]:
        """As `SpreadColumns.evaluate`.

        Raises:
            VerificationError: as `evaluate_piece`. PortError: `compute_lost`, `compute_failed`, `compute_unreachable`.
        """
        left, under_way = iter(pieces), deque[tuple[Piece, Ticket]]()
        try:
            while True:
                for piece in islice(left, max(0, 2 * self.workers - len(under_way))):
                    under_way.append((piece, self._send(piece)))
                if not under_way:
                    return
                piece, ticket = under_way.popleft()
                yield piece, self._result(piece, ticket)
        finally:
            for _, ticket in under_way:
                ticket.drop()

    def _send(self, piece: Piece) -> Ticket:
        with part("fetching"):
            for blob in piece.blobs:
                if not (self._folder / from_hex(blob, 32, "blob").hex()).exists():
                    self._fetch(blob)
        return self._workers.send(Errand(piece, str(self._folder), self._foreign))

    def _result(self, piece: Piece, ticket: Ticket) -> Sequence[Sealed]:
        with part("workers"):
            try:
                return ticket.result()
            except MarketplaceError as error:
                if error.code not in _BLOB_FAULTS:
                    raise
            for blob in piece.blobs:
                self._fetch(blob)  # a damaged copy is replaced, where there is something to replace it with
            return self._workers.send(Errand(piece, str(self._folder), self._foreign)).result()


def failed(error: Exception) -> PortError:
    """The failure of an errand over which a worker met an error that is none of a refusal's."""
    told = f"{type(error).__name__}: {error}"
    return PortError(
        "compute_failed",
        f"a worker met an error that it does not know: {told}",
        zh="计算进程遇到未预期的错误",
        got=told,
        hint="look into the worker's installation and memory; the task is tried again",
        hint_zh="请检查计算进程的安装与内存;任务将重试",
    )


def lost(reason: object) -> PortError:
    """The failure of an errand whose workers died."""
    return PortError(
        "compute_lost",
        f"workers died while they evaluated: {reason}",
        zh="计算进程在运算中终止",
        got=str(reason),
        hint="look for what ended them, often too little memory; the task is tried again",
        hint_zh="请检查终止原因,常见为内存不足;任务将重试",
    )

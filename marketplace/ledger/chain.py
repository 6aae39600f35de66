"""What the worker needs of a network, whoever makes its blocks: we do (`embedded`) or others do (`external`)."""

from collections.abc import Iterator
from typing import Protocol

from sqlmodel import Session

from marketplace.ledger.blocks import SealedBlock
from marketplace.ledger.profile import Start


class Chain(Protocol):
    """A network.

    A block that `advance` yields is final for this program: the worker commits it before it asks for the next one.
    """

    def start(self, now: int) -> Start:
        """Where a new ledger would begin; asked once in a ledger's life."""

    def open(self) -> None:
        """Connect, and compare the network with the journal.

        Raises:
            ConfigurationError: `ledger_journal_differs`: they do not agree.
        """

    def plan_block(self, session: Session, now: int) -> int | None:
        """Plan the next block in the journal, and return its number; None where others make blocks."""

    def ready(self, session: Session, now: int) -> bool:
        """Whether another block may be planned now."""

    def advance(self) -> Iterator[SealedBlock]:
        """Bring what is planned to the network, and yield each new block of it in order."""

    def alive(self) -> bool:
        """Whether the network answers."""

    def close(self) -> None:
        """Let go of it."""

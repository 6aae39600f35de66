"""What a request finds in its hands: the operator's settings, the store, the deployment, the clock and the bell."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Query, Request
from sqlalchemy import Engine
from sqlmodel import Session

from marketplace.intents import Deployment
from marketplace.settings import Settings
from marketplace.storage.blobs import BlobStore
from marketplace.storage.engine import reading, session
from marketplace.types import Act
from marketplace.web.bell import Bell
from marketplace.web.openid import Provider

_RINGS = "rings"


def _unix_now() -> int:
    return int(time.time())


@dataclass(frozen=True)
class Context:
    """One running service.

    Attributes:
        settings: the operator's choices.
        engine: the relational store.
        blobs: the sealed data.
        deployment: chain id and contract addresses, for signing domains.
        treasury: the account that fees go to.
        ledger_problem: None while the ledger serves, else why it does not.
        hindrances: what the service had to leave undone, while all the rest goes on.
        bell: wakes long polls.
        clock: unix seconds; a test may move it.
        account_for: the account that a key reads for at a time, and may do such an act for; None for none. A linked
            identity counts as a key (participants/identities.py).
        openid: the provider of OpenID Connect, if the operator has chosen one.
    """

    settings: Settings
    engine: Engine
    blobs: BlobStore
    deployment: Deployment
    treasury: str
    ledger_problem: Callable[[], str | None]
    hindrances: Callable[[], list[str]] = list
    bell: Bell = field(default_factory=Bell)
    clock: Callable[[], int] = _unix_now
    account_for: Callable[[Session, str, int, Act], str | None] = lambda _session, key, _now, _act: key
    openid: Provider | None = None

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Session]:
        """One transaction: everything or nothing. What was announced in it rings after it is committed.

        Args:
            durable: False for what a power cut may undo (storage/engine.py).
        """
        with session(self.engine, durable=durable) as opened:
            yield opened
        self.bell.ring(*opened.info.pop(_RINGS, ()))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent snapshot."""
        with reading(self.engine) as opened:
            yield opened


def announce(session: Session, *topics: str) -> None:
    """Ring `topics` once the transaction of `session` is committed."""
    session.info.setdefault(_RINGS, set()).update(topics)


# Dependencies that only look at the request are coroutines: a plain function would cost a worker thread's turn.
async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(_context)]


async def _wait(
    here: Here, wait: Annotated[float, Query(ge=0, le=300, description="long poll: seconds to wait for an answer")] = 0
) -> float:
    return min(wait, here.settings.max_wait_seconds)


Wait = Annotated[float, Depends(_wait)]

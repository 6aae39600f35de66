"""A migrated database, settings for an embedded ledger on it, and workers that are closed at the end."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger.profile import LedgerSettings
from marketplace.ledger.worker import LedgerWorker
from marketplace.storage.engine import make_engine, session
from marketplace.storage.migrate import upgrade
from tests.integration.ledger.market import Call, Market, ledger_settings

MakeWorker = Callable[..., LedgerWorker]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def settings(tmp_path: Path) -> LedgerSettings:
    return ledger_settings(tmp_path)


@pytest.fixture
def make_worker(engine: Engine, settings: LedgerSettings) -> Iterator[MakeWorker]:
    """Opens workers on the test's database."""
    made: list[LedgerWorker] = []

    def make(**changes: object) -> LedgerWorker:
        arguments = {"engine": engine, "settings": settings, "projectors": PROJECTORS} | changes
        worker = LedgerWorker(**arguments)  # type: ignore[arg-type]
        made.append(worker)
        worker.open()
        return worker

    yield make
    for worker in made:
        worker.close()


@pytest.fixture
def worker(make_worker: MakeWorker) -> LedgerWorker:
    return make_worker()


@pytest.fixture
def market(worker: LedgerWorker, engine: Engine) -> Market:
    """A market with everything that comes before the first order already on the ledger."""
    made = Market(worker.profile.deployment)
    enqueue(engine, made.opening(int(time.time())))
    worker.drain()
    return made


def enqueue(engine: Engine, calls: list[Call]) -> None:
    """Queue calls in one transaction."""
    with session(engine) as opened:
        for call in calls:
            assert call.queue(opened, int(time.time()))

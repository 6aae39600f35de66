"""An order's calls are kept up with each of its answers, in the transaction that answers."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from crypto.canonical import from_hex
from crypto.merkle import root
from marketplace.queries.inbox.vault import finish
from marketplace.queries.permission.pricing import calls_of
from marketplace.queries.service.accounts import answered_calls
from marketplace.queries.tables import APPROVED, QueryRow
from marketplace.storage.engine import make_engine
from marketplace.storage.migrate import upgrade
from tests.query_rows import query_row

ORDER, OTHER = "0x" + "0a" * 32, "0x" + "0b" * 32
NAMES = ["0x" + f"{number:064x}" for number in range(1, 14)]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    upgrade(made)
    yield made
    made.dispose()


def answer(session: Session, order: str, name: str, sequence: int) -> None:
    session.add(query_row(order, name, sequence))
    session.flush()
    finish(session, session.get_one(QueryRow, name), now=1)


def test_the_stored_edge_gives_the_root_over_all_answers(engine: Engine) -> None:
    for number, name in enumerate(NAMES, 1):
        with Session(engine) as session, session.begin():
            answer(session, ORDER, name, number)
            answer(session, OTHER, "0x" + "ff" + name[4:], number)
        with Session(engine) as session:
            calls = answered_calls(session, ORDER)
            assert (calls.size, calls.root()) == (number, root(map(from_hex, NAMES[:number])))
            assert calls.hashes == calls_of(NAMES[:number]).hashes


def test_a_process_that_dies_before_the_commit_has_counted_nothing(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        answer(session, ORDER, NAMES[0], 1)
        session.add(query_row(ORDER, NAMES[1], 2))
    with Session(engine) as session:
        finish(session, session.get_one(QueryRow, NAMES[1]), now=2)
        session.flush()
        assert answered_calls(session, ORDER).size == 2
        session.rollback()
    with Session(engine) as session:
        assert answered_calls(session, ORDER).hashes == calls_of(NAMES[:1]).hashes
        assert session.get_one(QueryRow, NAMES[1]).state == APPROVED

"""The migrations lead to exactly the tables of the models, on both databases."""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest
from alembic import command
from sqlalchemy import JSON, Connection, Engine, Integer, column, inspect, select, table
from sqlmodel import Session

from crypto.canonical import from_hex
from crypto.merkle import Frontier, root
from marketplace.queries.tables import AnsweredCalls
from marketplace.storage.engine import make_engine
from marketplace.storage.metadata import metadata
from marketplace.storage.migrate import alembic_config, differences, upgrade
from marketplace.types import ZERO_DIGEST
from tests.query_rows import query_row


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    upgrade(made)
    yield made
    made.dispose()


def test_an_upgraded_database_has_every_table_and_lacks_nothing(engine: Engine) -> None:
    upgrade(engine)
    assert set(inspect(engine).get_table_names()) == set(metadata.tables) | {"alembic_version"}
    assert differences(engine) == []


def test_a_missing_column_would_be_noticed(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE ledger_intent DROP COLUMN reason")
    assert [change[0] for change in differences(engine)] == ["add_column"]


def test_every_migration_can_be_undone(engine: Engine) -> None:
    with redirect_stdout(io.StringIO()), engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]


def test_what_is_on_an_old_ledger_gets_its_identifier(engine: Engine) -> None:
    """The participant admitted twice has one, from its first admission."""
    account, asset, paper = "0x" + "12" * 20, "0x" + "34" * 32, "0x" + "56" * 32
    events = [
        (5, "Admitted", {"account": account}),
        (6, "Admitted", {"account": account}),
        (7, "Confirmed", {"assetId": asset, "certificateDigest": paper}),
        (8, "Moved", {"titleId": paper, "assetId": asset}),
    ]
    with redirect_stdout(io.StringIO()), engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0005")
        for block, name, args in events:
            _insert_event(connection, block, name, args)
    upgrade(engine)
    with engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT subject, kind, about, event_block FROM identifiers ORDER BY 4").all()
        about = connection.exec_driver_sql("SELECT name, about FROM ledger_event ORDER BY block").all()
    assert [tuple(row) for row in rows] == [(account, "party", "", 5), (paper, "cert", asset, 7)]
    assert [tuple(row) for row in about] == [("Admitted", ""), ("Admitted", ""), ("Confirmed", asset), ("Moved", paper)]


def test_what_was_answered_before_is_counted_among_its_orders_calls(engine: Engine) -> None:
    orders, refused = ("0x" + "0a" * 32, "0x" + "0b" * 32), 5
    asked = [(orders[number % 4 == 0], "0x" + f"{number:064x}") for number in range(11)]
    with redirect_stdout(io.StringIO()), engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0028")
        for leaf, (order, name) in enumerate(asked):
            known = {"state": "refused" if leaf == refused else "released", "leaf": leaf, "voucher_digest": name}
            row = query_row(order, name, leaf, **known)
            connection.execute(metadata.tables["queries"].insert().values(**row.model_dump()))
    upgrade(engine)
    with Session(engine) as session:
        for order in orders:
            answered = [name for leaf, (of, name) in enumerate(asked) if of == order and leaf != refused]
            found = session.get_one(AnsweredCalls, order)
            calls = Frontier(found.calls, [from_hex(item) for item in found.edge])
            assert (calls.root(), found.voucher_digest) == (root(map(from_hex, answered)), answered[-1])


def test_first_titles_get_the_end_that_their_registration_was_renewed_to(engine: Engine) -> None:
    """Each of the two ends where the asset does; the one that changed hands after the renewal still says so."""
    asset, order, roots = "0x" + "34" * 32, "0x" + "78" * 32, ["0x" + "9a" * 32, "0x" + "9b" * 32]
    with redirect_stdout(io.StringIO()), engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0030")
        for block, until in ((5, 100), (6, 100), (7, 200)):
            args = {"assetId": asset, "validUntil": until}
            _insert_event(connection, block, "Confirmed", args, about=asset)
        for name, block, used in ((roots[0], 5, ZERO_DIGEST), (roots[1], 9, ZERO_DIGEST), ("0xc", 6, order)):
            _insert_title(connection, title_id=name, asset_id=asset, order_id=used, event_block=block)
    upgrade(engine)
    with engine.begin() as connection:
        told = "SELECT title_id, valid_until, event_block, event_intent FROM titles ORDER BY title_id"
        rows = [tuple(row) for row in connection.exec_driver_sql(told)]
    assert rows == [(roots[0], 200, 7, "0xi7"), (roots[1], 200, 9, ""), ("0xc", 100, 6, "")]


def _insert_title(connection: Connection, **named: Any) -> None:
    titles = metadata.tables["titles"]
    others = {item.name: 0 if isinstance(item.type, Integer) else ZERO_DIGEST for item in titles.columns}
    connection.execute(titles.insert().values(others | {"valid_until": 100, "event_intent": ""} | named))


def test_receipts_of_an_old_ledger_are_kept_both_ways(engine: Engine) -> None:
    receipts = [{"status": "0x1", "logs": [{"data": "0x" + "00" * 32, "topics": []}]}]
    held = {1: receipts, 2: [], 3: None}
    blocks = metadata.tables["ledger_block"]
    plain = table("ledger_block", column("number"), column("receipts", JSON))
    with engine.begin() as connection:
        for number, value in held.items():
            connection.execute(blocks.insert().values(number=number, timestamp=1, receipts=value))
    with redirect_stdout(io.StringIO()), engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0026")
        assert dict(map(tuple, connection.execute(select(plain)))) == held
    upgrade(engine)
    with engine.begin() as connection:
        assert dict(map(tuple, connection.execute(select(blocks.c.number, blocks.c.receipts)))) == held
        packed = table("ledger_block", column("receipts"))
        assert connection.execute(select(packed.c.receipts)).scalars().all().count(None) == 1


def _insert_event(connection: Connection, block: int, name: str, args: dict[str, Any], **more: str) -> None:
    known = {"block": block, "block_hash": "0x", "timestamp": 1, "tx_hash": "0x", "contract": "X", "intent": ""}
    connection.execute(metadata.tables["ledger_block"].insert().values(number=block, timestamp=1))
    known |= {"intent": f"0xi{block}", **more} if more else {}
    old = table("ledger_event", *map(column, known), column("log_index"), column("name"), column("args", JSON))
    connection.execute(old.insert().values(**known, log_index=0, name=name, args=args))

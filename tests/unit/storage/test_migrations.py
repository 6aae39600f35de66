"""The migrations lead to exactly the tables of the models, on both databases."""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout

import pytest
from alembic import command
from sqlalchemy import Engine, inspect

from marketplace.storage.engine import make_engine
from marketplace.storage.metadata import metadata
from marketplace.storage.migrate import alembic_config, differences, upgrade


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

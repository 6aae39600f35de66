"""Fixtures for every test: databases of both kinds. Generated examples have no deadline."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import postgres

# Workers share the cores with each other and with what tests start: the time of one example tells nothing.
hypothesis.settings.register_profile("shared cores", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("shared cores")

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    """The socket folder of a PostgreSQL server. Where none is installed the test is skipped, but never in CI."""
    found = postgres.binaries()
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have the PostgreSQL server installed (apt-get install postgresql)")
        pytest.skip("the PostgreSQL server is not installed")
    with postgres.server(found) as socket:
        yield socket


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on SQLite and on PostgreSQL in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'market.db'}"
    return postgres.create_database(request.getfixturevalue("postgres_socket"), f"test_{next(_numbers)}")

"""Fixtures for every test: databases of both kinds, a watch on every refusal and on every field that is told. Generated
examples have no deadline."""

import functools
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from marketplace.console import fields
from marketplace.errors import MarketplaceError
from tests import postgres, refusals

# Workers share the cores with each other and with what tests start: the time of one example tells nothing.
hypothesis.settings.register_profile("shared cores", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("shared cores")

_numbers = itertools.count()
_faults: list[str] = []
_unnamed: list[str] = []


def _watch_refusals() -> None:
    """Note what is wrong with a refusal wherever this process makes one; a service's comes here by its client."""
    make = MarketplaceError.__init__

    @functools.wraps(make)
    def watched(self: MarketplaceError, *values: Any, **named: Any) -> None:
        make(self, *values, **named)
        _faults.extend(f"{self.code}: {fault}" for fault in refusals.faults(self))

    MarketplaceError.__init__ = watched  # type: ignore[method-assign]


def _watch_fields() -> None:
    """Note each field that the command line tells a Chinese reader by its English name."""
    find = fields.label

    @functools.wraps(find)
    def watched(name: str, language: str) -> str:
        told = find(name, language)
        if language == "zh" and re.fullmatch("[a-z][A-Za-z_]*", told):
            _unnamed.append(name)
        return told

    fields.label = watched


_watch_refusals()
_watch_fields()


@pytest.fixture(autouse=True)
def refusals_can_be_read(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test may raise a refusal that has something left to fill in (see tests/refusals.py). Those of the fuzzer quote
    bytes that mean nothing in any language."""
    _faults.clear()
    yield
    assert not _faults or "fuzz" in request.path.parts


@pytest.fixture(autouse=True)
def fields_have_words() -> Iterator[None]:
    """No test may have the command line tell a Chinese reader a field that console/fields.py has no word for."""
    _unnamed.clear()
    yield
    assert not _unnamed


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

"""Two ids that begin alike: the second is refused before it is queued, and neither resolves should both exist."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session

from marketplace.documents.identifiers import Kind, identifier
from marketplace.errors import NotFoundError, RuleError
from marketplace.evidence.inbox.naming import KIND_OF, require_free
from marketplace.evidence.tables import SignedStatement
from marketplace.identifiers.service.finding import find
from marketplace.identifiers.tables import Named
from marketplace.storage.engine import make_engine, session
from marketplace.storage.migrate import upgrade

BEGIN = "0x" + "5a" * 20
FIRST, SECOND, OTHER = BEGIN + "00" * 12, BEGIN + "ff" * 12, "0x" + "5a" * 19 + "5b" + "00" * 12
STATEMENTS = {kind: statement for statement, kind in KIND_OF.items()}


@pytest.fixture
def opened(database_url: str) -> Iterator[Session]:
    engine: Engine = make_engine(database_url)
    upgrade(engine)
    with session(engine) as made:
        yield made
    engine.dispose()


def refused(opened: Session, kind: Kind, subject: str) -> RuleError:
    with pytest.raises(RuleError) as error:
        require_free(opened, kind, subject)
    assert (error.value.code, error.value.rule) == ("identifier_taken", "identifiers.unique")
    assert error.value.zh
    assert error.value.hint_zh
    return error.value


@pytest.mark.parametrize("kind", [Kind.DATA, Kind.PRODUCT, Kind.CERTIFICATE, Kind.ORDER])
def test_an_id_that_begins_as_one_on_the_ledger_is_refused(opened: Session, kind: Kind) -> None:
    opened.add(Named(subject=FIRST, kind=kind.value))
    opened.flush()
    assert refused(opened, kind, SECOND).got == FIRST
    require_free(opened, kind, FIRST)  # itself
    require_free(opened, kind, OTHER)
    for other in set(Kind) - {kind, Kind.PARTY, Kind.SERIES}:
        require_free(opened, other, SECOND)  # another kind is another identifier


@pytest.mark.parametrize("kind", list(STATEMENTS))
def test_an_id_that_begins_as_one_on_its_way_is_refused(opened: Session, kind: Kind) -> None:
    opened.add(SignedStatement(name=STATEMENTS[kind], subject=FIRST, message={}, signature=""))
    opened.flush()
    assert refused(opened, kind, SECOND).got == FIRST
    require_free(opened, kind, FIRST)
    for other in set(STATEMENTS) - {kind}:
        require_free(opened, other, SECOND)


def test_should_both_be_on_the_ledger_neither_resolves(opened: Session) -> None:
    opened.add(Named(subject=FIRST, kind="data"))
    opened.flush()
    assert find(opened, str(identifier(Kind.DATA, FIRST)), None).subject == FIRST
    opened.add(Named(subject=SECOND, kind="data"))
    opened.flush()
    for subject in (FIRST, SECOND):
        with pytest.raises(RuleError) as error:
            find(opened, str(identifier(Kind.DATA, subject)), None)
        assert error.value.code == "identifier_ambiguous"
        assert find(opened, subject, None).subject == subject


def test_an_identifier_is_found_by_the_primary_key_alone(tmp_path: Path) -> None:
    """However many objects there are; asked of the database itself, which says how it would look."""
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(engine)
    asked: list[tuple[str, Any]] = []
    with session(engine) as made:
        made.add(Named(subject=FIRST, kind="data"))
        made.flush()
        event.listen(engine, "before_cursor_execute", lambda _c, _k, text, values, *_: asked.append((text, values)))
        find(made, str(identifier(Kind.DATA, FIRST)), None)
        (looked,) = [(text, values) for text, values in asked if "FROM identifiers" in text]
        plan = made.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {looked[0]}", looked[1]).all()
    engine.dispose()
    assert len(plan) == 1
    assert "SEARCH identifiers USING INDEX sqlite_autoindex_identifiers_1 (subject>? AND subject<?)" in str(plan)


def test_two_orders_that_begin_alike_are_unknown_to_strangers(opened: Session) -> None:
    """Even that there are two would tell whoever has no part in them that they exist."""
    for subject in (FIRST, SECOND):
        opened.add(Named(subject=subject, kind=Kind.ORDER.value))
    opened.flush()
    for account in (None, "0x" + "11" * 20):
        with pytest.raises(NotFoundError) as hidden:
            find(opened, str(identifier(Kind.ORDER, FIRST)), account)
        assert hidden.value.code == "unknown_identifier"

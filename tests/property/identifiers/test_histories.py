"""Identifiers over random histories of the ledger: never shared, never reused, always found again."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlmodel import Session

from marketplace.deployment import Genesis
from marketplace.documents.identifiers import Identifier, Kind, identifier, parse_identifier
from marketplace.errors import MarketplaceError, NotFoundError
from marketplace.events import Event
from marketplace.evidence.projections import PROJECTORS
from marketplace.identifiers.service.finding import find
from marketplace.identifiers.tables import Named
from marketplace.ledger.projection import ProjectionSession, project
from marketplace.ledger.rebuild import read_model_tables
from marketplace.ledger.tables import LedgerEvent, about_of
from marketplace.storage.engine import make_engine, reading, session_of
from marketplace.storage.migrate import upgrade
from tests.histories import ADDRESSES, TREASURY, Call, History
from tests.registering import rulebook

STEPS = 150
# The contracts count in 256 bits, the read model in 64; what balances come to is no matter of identifiers.
UNBOUNDED_LEFT_OUT = {name: found for name, found in PROJECTORS.items() if name not in ("Transfer", "SharePaid")}
Object = tuple[Kind, str, str | None]
"""(kind, full id, who may see it)."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = make_engine(f"sqlite:///{Path(tmp_path_factory.mktemp('identifiers')) / 'a.db'}")
    upgrade(made)
    yield made
    made.dispose()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_object_of_any_history_has_one_identifier_for_ever(engine: Engine, seed: int) -> None:
    history = History(
        Random(seed), Genesis("0x" + "11" * 20, ADDRESSES["registrar"], TREASURY, 250, rulebook().digest), 1_800_000_000
    )
    events = [*history.state.founding, *_play(history, history.opening())]
    halfway = objects(events)
    for _ in range(STEPS):
        history.now += history.random.choice([1, 3600, 86_400])
        call = history.next_call()
        events += _play(history, [call] if call else [])
    everything = objects(events)
    assert everything[: len(halfway)] == halfway  # nothing takes the place of what was there
    with session_of(ProjectionSession, engine) as opened:
        for table in read_model_tables():
            opened.execute(delete(table))
        project(opened, [_row(number, event) for number, event in enumerate(events)], UNBOUNDED_LEFT_OUT)
    with reading(engine) as session:
        _check(session, history, everything)


def _check(session: Session, history: History, everything: list[Object]) -> None:
    assert len(set(everything)) == len(everything)
    names = {str(identifier(kind, subject)) for kind, subject, _ in everything}
    assert len(names) == len(everything)
    for kind, subject, account in everything:
        name = identifier(kind, subject)
        found = find(session, str(name), account)
        assert (found.name, found.subject) == (name, subject)
        assert parse_identifier(name.grouped) == name
        if kind is not Kind.SERIES:
            assert find(session, subject, account).name == name
    for kind, subject, account in everything[-20:]:
        wrong = Identifier(kind, bytes(part ^ 0xFF for part in name_bytes(subject)))
        with pytest.raises(NotFoundError):
            find(session, str(wrong), account)
    assert {subject for kind, subject, _ in everything if kind is Kind.ORDER} == set(history.state.orders.records)
    # Who has applied and was not admitted has no roles yet, and no identifier.
    admitted = {account for account, record in history.state.participants.records.items() if record.roles}
    assert {subject for kind, subject, _ in everything if kind is Kind.PARTY} == admitted


def name_bytes(subject: str) -> bytes:
    return bytes.fromhex(subject[2:42])


def objects(events: list[Event]) -> list[Object]:
    """Every object that the events bring into being, in their order, each once."""
    found: dict[Object, None] = {}
    for event in events:
        args = event.args
        made: dict[str, list[Object]] = {
            "Admitted": [(Kind.PARTY, args.get("account", ""), None)],
            "Registered": [(kind, args.get("assetId", ""), None) for kind in (Kind.DATA, Kind.SERIES)],
            "Confirmed": [(Kind.CERTIFICATE, args.get("certificateDigest", ""), None)],
            "Listed": [(Kind.PRODUCT, args.get("listingId", ""), None)],
            "Funded": [(Kind.ORDER, args.get("orderId", ""), args.get("buyer"))],
        }
        found |= dict.fromkeys(made.get(event.name, []))
    return list(found)


def _play(history: History, calls: list[Call]) -> list[Event]:
    done: list[Event] = []
    for call in calls:
        try:
            verb, arguments = call.verb, call.arguments
            done += history.state.apply_signed(call.contract, verb, arguments, history.now, history.recover)
        except MarketplaceError:
            continue
    return done


def _row(number: int, event: Event) -> LedgerEvent:
    return LedgerEvent(
        block=number,
        log_index=0,
        block_hash="0x" + "00" * 32,
        timestamp=number,
        tx_hash="0x" + "00" * 32,
        contract=event.contract,
        name=event.name,
        about=about_of(event.contract, event.args),
        args={name: min(value, 2**63 - 1) if isinstance(value, int) else value for name, value in event.args.items()},
    )


def test_a_named_object_is_never_renamed(engine: Engine) -> None:
    """Admitted again with other roles, a participant keeps the row of its first admission."""
    args = {"account": "0x" + "12" * 20, "roles": 1, "identityDigest": "0x" + "00" * 32, "version": 1}
    events = [Event("Participants", "Admitted", args | {"roles": roles, "version": roles}) for roles in (1, 2, 3)]
    with session_of(ProjectionSession, engine) as opened:
        for table in read_model_tables():
            opened.execute(delete(table))
        project(opened, [_row(7 + number, event) for number, event in enumerate(events)], PROJECTORS)
    with reading(engine) as session:
        row = session.get(Named, (args["account"], "party"))
        assert row is not None
        assert row.event_block == 7

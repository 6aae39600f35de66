"""Two short cuts, held to what they stand for: events read from hex text, and a session that remembers its rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, event
from sqlmodel import Session, SQLModel, select

from crypto.canonical import keccak256, to_hex
from marketplace import artifacts
from marketplace.errors import InvalidInputError
from marketplace.intents import CONTRACTS
from marketplace.ledger.events import _quick, _thorough, read_events
from marketplace.ledger.projection import ProjectionSession, make_event, project
from marketplace.ledger.tables import LedgerEvent
from marketplace.settlement.tables import Balance, Payout

EVENTS = [(name, entry) for name in CONTRACTS for entry in artifacts.load(name).entries("event")]
FIXED = [
    (n, e)
    for n, e in EVENTS
    if not any(i["type"].endswith("]") or i["type"] in ("bytes", "tuple") for i in e["inputs"])
]
ACCOUNT = "0x" + "ab" * 20


@st.composite
def logs(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A log of one of our events, its words mostly as they should be and sometimes not."""
    contract, entry = draw(st.sampled_from(FIXED))
    topics = [to_hex(keccak256(f"{entry['name']}({','.join(i['type'] for i in entry['inputs'])})".encode()))]
    data = ""
    for item in entry["inputs"]:
        bits = {"address": 160, "bytes32": 256}.get(item["type"]) or int(item["type"][4:])
        word = draw(st.integers(0, 2 ** draw(st.sampled_from((bits, bits, bits, 256))) - 1)).to_bytes(32, "big").hex()
        topics, data = ([*topics, "0x" + word], data) if item["indexed"] else (topics, data + word)
    return contract, {"topics": topics, "data": "0x" + data, "logIndex": "0x5", "address": ACCOUNT}


@given(logs())
def test_an_event_read_from_hex_is_the_event_decoded(log: tuple[str, dict[str, Any]]) -> None:
    contract, entry = log
    try:
        expected = _thorough(contract, entry)
    except InvalidInputError:
        with pytest.raises(InvalidInputError):
            read_events({"logs": [entry]}, {ACCOUNT: contract})
        return
    (placed,) = read_events({"logs": [entry]}, {ACCOUNT: contract})
    assert (placed.event, placed.log_index) == (expected, 5)
    assert list(placed.event.args) == list(expected.args)
    assert _quick(contract, entry) in (expected, None)


def test_somebody_else_s_events_are_not_ours() -> None:
    assert read_events({"logs": [{"address": "0x" + "00" * 20, "topics": [], "data": "0x"}]}, {ACCOUNT: "Orders"}) == []


@pytest.fixture
def session() -> Iterator[ProjectionSession]:
    engine = create_engine("sqlite://")
    with ProjectionSession(engine) as opened:
        SQLModel.metadata.create_all(opened.connection())
        yield opened
    engine.dispose()


def test_a_row_is_seen_from_when_it_is_added_until_it_is_deleted(session: ProjectionSession) -> None:
    assert session.get(Balance, (ACCOUNT, "CNY")) is None
    row = Balance(account=ACCOUNT, currency="CNY", balance=1)
    session.add(row)
    assert session.get(Balance, (ACCOUNT, "CNY")) is row
    session.write()
    kept = session.get(Balance, (ACCOUNT, "CNY"))
    assert kept.balance == 1
    session.delete(kept)
    assert session.get(Balance, (ACCOUNT, "CNY")) is None
    session.add(Balance(account=ACCOUNT, currency="CNY", balance=7))
    session.write()
    assert [found.balance for found in session.exec(select(Balance))] == [7]


def test_a_row_is_read_once_and_written_once_however_often_it_changes(session: ProjectionSession) -> None:
    session.add(Balance(account=ACCOUNT, currency="CNY", balance=0))
    session.write()
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *args: statements.append(args[2]))

    def add(opened: Any, happened: LedgerEvent) -> None:
        found = opened.get(Balance, (happened.args["account"], "CNY"))
        found.balance += happened.args["value"]
        opened.add(found)

    events = [
        make_event({"block": 1, "log_index": i, "name": "Paid", "args": {"account": ACCOUNT, "value": i}})
        for i in range(50)
    ]
    assert project(session, events, {"Paid": (add,)}) == 50
    touching = [statement.split()[0] for statement in statements if "balances" in statement]
    assert touching == ["SELECT", "UPDATE"]
    assert session.get(Balance, (ACCOUNT, "CNY")).balance == sum(range(50))


def test_a_row_becomes_a_plain_session_s_when_it_is_added(session: ProjectionSession) -> None:
    made = Balance(account=ACCOUNT, currency="CNY", balance=1)
    made.balance += 1
    with Session(session.connection(), expire_on_commit=False) as plain:
        plain.add(made)
        plain.flush()
        made.balance += 1
        plain.flush()
        plain.expunge(made)
        assert plain.get_one(Balance, (ACCOUNT, "CNY")).balance == 3
    with pytest.raises(AttributeError):
        _ = made.amount  # type: ignore[attr-defined]


def test_rows_whose_whole_key_the_events_spell_are_read_together(session: ProjectionSession) -> None:
    holders = [f"0x{n:040x}" for n in range(20)]
    paid = [
        make_event({"block": 1, "name": "SharePaid", "args": {"orderId": "0x1", "assetId": "0x2", "holder": holder}})
        for holder in holders
    ]
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *args: statements.append(args[2]))

    def pay(opened: Any, happened: LedgerEvent) -> None:
        key = happened.args["orderId"], happened.args["assetId"], happened.args["holder"]
        row = opened.get(Payout, key) or Payout(order_id=key[0], asset_id=key[1], holder=key[2], amount=0)
        row.amount += 1
        opened.add(row)

    for _ in range(2):
        project(session, paid[:10] + paid, {"SharePaid": (pay,)})
    touching = [statement.split()[0] for statement in statements if "payouts" in statement]
    assert touching == ["SELECT", "INSERT", "SELECT", "UPDATE"]
    assert [session.get(Payout, ("0x1", "0x2", holder)).amount for holder in holders] == [4] * 10 + [2] * 10

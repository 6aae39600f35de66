"""Shares follow the ledger's events, also when they come and go within one block; titles follow their registration."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from marketplace.auditor.readmodel.rows import Placed, Tables
from marketplace.documents.ids import title_id
from marketplace.events import Event
from marketplace.ledger.projection import ProjectionSession, project
from marketplace.ledger.tables import LedgerEvent
from marketplace.rights.projections import PROJECTORS
from marketplace.rights.tables import Asset, Share, Title
from marketplace.storage.engine import make_engine, reading, session_of
from marketplace.storage.migrate import upgrade
from marketplace.types import ZERO_DIGEST, TitleKind

ANY = "0x" + "11" * 32
REGISTERED: dict[str, Any] = {
    "assetId": ANY,
    "holder": "a",
    "manifestDigest": ANY,
    "ciphertextRoot": ANY,
    "claimDigest": ANY,
}
REGISTERED |= {"level": 1, "epsilonBudget": 5, "shareHolders": ["a", "b"], "shareBps": [9_000, 1_000]}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(made)
    yield made
    made.dispose()


def play(engine: Engine, *blocks: list[tuple[str, str, int]], same_as_founding: bool) -> tuple[dict[str, int], int]:
    """Register, then move shares (from, to, bps) block by block; returns what everybody holds, and the version."""
    named: list[list[tuple[str, dict[str, Any]]]] = [[("Registered", REGISTERED)]]
    version = 1
    for number, block in enumerate(blocks):
        events = named[0] if number == 0 and same_as_founding else []
        for giver, taker, bps in block:
            version += 1
            args = {"assetId": ANY, "from": giver, "to": taker, "bps": bps, "version": version}
            events.append(("ShareTransferred", args))
        named += [] if events is named[0] else [events]
    for number, listed in enumerate(named):
        events_of = [_event(number, index, name, args) for index, (name, args) in enumerate(listed)]
        with session_of(ProjectionSession, engine) as opened:
            project(opened, events_of, PROJECTORS)
    with reading(engine) as opened:
        held = {share.holder: share.bps for share in opened.exec(select(Share))}
        return held, opened.exec(select(Asset.share_version)).one()


def _event(block: int, index: int, name: str, args: dict[str, Any]) -> LedgerEvent:
    place: dict[str, Any] = {"block": block, "log_index": index, "block_hash": ANY, "timestamp": 1, "tx_hash": ANY}
    return LedgerEvent(**place, contract="Rights", name=name, args=args)


@pytest.mark.parametrize("same_as_founding", [True, False])
@pytest.mark.parametrize("one_block", [True, False])
def test_a_share_may_be_passed_on_and_come_back_in_one_block(
    engine: Engine, one_block: bool, same_as_founding: bool
) -> None:
    moves = [("b", "a", 1_000), ("a", "b", 300), ("b", "a", 300), ("a", "c", 9_999), ("c", "a", 9_999), ("a", "b", 1)]
    moves += [("b", "a", 1), ("a", "b", 1)]
    blocks = [moves] if one_block else [[move] for move in moves]
    held, version = play(engine, *blocks, same_as_founding=same_as_founding)
    assert held == {"a": 9_999, "b": 1}
    assert version == 1 + len(moves)
    with reading(engine) as opened:
        changed = {share.holder: (share.event_block, share.event_log_index) for share in opened.exec(select(Share))}
    last = (len(blocks) - same_as_founding, (len(moves) if one_block else 1) - (not (one_block and same_as_founding)))
    assert changed == {"a": last, "b": last}, "both rows are of the last move"


def test_the_first_titles_of_a_renewed_registration_end_when_it_does(engine: Engine) -> None:
    """Not before: a change of the entry leaves them. The auditor's rows are the same."""
    digests = {"certificateDigest": ANY, "registrar": "r"}
    confirmed = [
        {"assetId": ANY, "validUntil": until, "version": v, **digests} for v, until in ((2, 9), (3, 9), (4, 90))
    ]
    root = {"titleId": title_id(ANY, TitleKind.USE), "assetId": ANY, "kind": 2, "holder": "a", "validUntil": 9}
    root |= {"orderId": ZERO_DIGEST, "parent": ZERO_DIGEST}
    part = root | {"titleId": "part", "parent": root["titleId"], "orderId": ANY}
    named = [("Registered", REGISTERED), ("Confirmed", confirmed[0]), ("TitleGranted", root), ("TitleGranted", part)]
    named += [("Confirmed", confirmed[1]), ("Confirmed", confirmed[2])]
    ends, tables = [], Tables()
    for block, (name, args) in enumerate(named):
        with session_of(ProjectionSession, engine) as opened:
            project(opened, [_event(block, 0, name, args)], PROJECTORS)
        tables.apply(Placed(Event("Rights", name, args), block, 1, 0, None))
        with reading(engine) as opened:
            rows = {row.title_id: row.as_json() for row in opened.exec(select(Title))}
        assert rows == {key[0]: row for key, row in tables.rows["titles"].items()}
        ends.append({row["validUntil"]: row["event"]["block"] for row in rows.values()})
    assert ends[2:] == [{9: 2}, {9: 3}, {9: 3}, {90: 5, 9: 3}]

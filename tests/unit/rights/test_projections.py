"""Shares follow the ledger's events, also when they come and go within one block."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from marketplace.ledger.projection import ProjectionSession, project
from marketplace.ledger.tables import LedgerEvent
from marketplace.rights.projections import PROJECTORS
from marketplace.rights.tables import Asset, Share
from marketplace.storage.engine import make_engine, reading, session_of
from marketplace.storage.migrate import upgrade

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

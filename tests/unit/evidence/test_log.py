"""The stored log is the tree of crypto/merkle.py, entry by entry, and its own times never go back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session

from crypto import merkle
from marketplace.errors import NotFoundError
from marketplace.evidence import log
from marketplace.evidence.service import LogSigner, make_checkpoint, tile_bytes
from marketplace.storage.engine import make_engine, session
from marketplace.storage.metadata import metadata

NOW = 1_790_000_000
SIGNER = LogSigner("test.example/log", b"\x07" * 32)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Session]:
    engine = make_engine(f"sqlite:///{tmp_path / 'log.db'}")
    metadata.create_all(engine)
    with session(engine) as opened:
        yield opened
    engine.dispose()


def fill(store: Session, count: int) -> list[bytes]:
    """Append `count` entries; returns the leaves."""
    for number in range(count):
        assert log.append(store, "test.entry", NOW + number, number=number) == number
    return log.entries(store, 0, count)


def test_roots_of_every_size_are_those_of_the_reference_tree(store: Session) -> None:
    leaves = fill(store, 70)
    for size in range(71):
        assert log.root(store, size) == merkle.root(leaves[:size])


def test_proofs_from_the_store_verify(store: Session) -> None:
    leaves = fill(store, 37)
    root = log.root(store, 37)

    def node(level: int, position: int) -> bytes:
        return log.node(store, level, position)

    for position, leaf in enumerate(leaves):
        path = merkle.inclusion_proof(position, 37, node)
        merkle.verify_inclusion(merkle.leaf_hash(leaf), position, 37, path, root)
    for old in range(1, 38):
        merkle.verify_consistency(old, log.root(store, old), 37, root, merkle.consistency_proof(old, 37, node))


def test_a_clock_that_goes_back_does_not_turn_the_log_back(store: Session) -> None:
    log.append(store, "test.entry", NOW)
    log.append(store, "test.entry", NOW - 100)
    first, second = (json.loads(leaf) for leaf in log.entries(store, 0, 2))
    assert first["at"] == second["at"]


def test_only_signed_entries_are_served_as_tiles(store: Session) -> None:
    fill(store, 3)
    with pytest.raises(NotFoundError):
        tile_bytes(store, "tile/0/000.p/3")
    make_checkpoint(store, SIGNER, NOW)
    fill_more = log.append(store, "test.entry", NOW)
    assert fill_more == 3
    assert len(tile_bytes(store, "tile/0/000.p/3")[0]) == 3 * 32
    for path in ("tile/0/000.p/4", "tile/0/001", "tile/9/000", "tile/0/x000/000", "nonsense"):
        with pytest.raises(NotFoundError):
            tile_bytes(store, path)


def test_a_size_is_signed_once(store: Session) -> None:
    fill(store, 2)
    first = make_checkpoint(store, SIGNER, NOW)
    assert make_checkpoint(store, SIGNER, NOW + 5).note == first.note

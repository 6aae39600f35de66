"""The log tree's laws: every way to the root agrees, honest proofs verify, tampered ones never do."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crypto import merkle, tlog
from crypto.errors import InvalidProof, ParameterError

ENTRIES = st.lists(st.binary(max_size=4), max_size=70)
SPLITS = st.integers(1, 70).flatmap(lambda size: st.tuples(st.integers(1, size), st.just(size)))


def definition(entries: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, as it is written there."""
    if not entries:
        return merkle.EMPTY_ROOT
    if len(entries) == 1:
        return merkle.leaf_hash(entries[0])
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return merkle.node_hash(definition(entries[:split]), definition(entries[split:]))


def log_of(size: int) -> merkle.Tree:
    return merkle.Tree(merkle.leaf_hash(b"%d" % number) for number in range(size))


def must_fail(check: Callable[[], None]) -> None:
    with pytest.raises((InvalidProof, ParameterError)):
        check()


def flipped(value: bytes, bit: int) -> bytes:
    number = int.from_bytes(value, "big") ^ (1 << bit)
    return number.to_bytes(32, "big")


@given(ENTRIES)
def test_every_way_to_the_root_is_the_definition(entries: list[bytes]) -> None:
    frontier = merkle.Frontier()
    for entry in entries:
        frontier.append(merkle.leaf_hash(entry))
    tree = merkle.Tree(map(merkle.leaf_hash, entries))
    expected = definition(entries)
    assert merkle.root(entries) == frontier.root() == tree.root() == expected


@given(ENTRIES, st.integers(0, 70))
def test_frontier_continues_from_what_was_stored(entries: list[bytes], stop: int) -> None:
    before = merkle.Frontier()
    for entry in entries[:stop]:
        before.append(merkle.leaf_hash(entry))
    restored = merkle.Frontier(before.size, before.hashes)
    for entry in entries[stop:]:
        restored.append(merkle.leaf_hash(entry))
    assert (restored.size, restored.root()) == (len(entries), merkle.root(entries))


@given(SPLITS)
def test_inclusion_proofs_verify_for_their_entry_place_and_size_only(split: tuple[int, int]) -> None:
    position, size = split
    index, tree = position - 1, log_of(size + 1)
    path, root, leaf = merkle.inclusion_proof(index, size, tree.node), tree.root(size), tree.node(0, index)
    merkle.verify_inclusion(leaf, index, size, path, root)
    assert len(path) <= (size - 1).bit_length()
    for other in {0, index - 1, index + 1, size - 1} - {index}:
        must_fail(lambda other=other: merkle.verify_inclusion(leaf, other, size, path, root))  # type: ignore[misc]
    must_fail(lambda: merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, path, root))
    must_fail(lambda: merkle.verify_inclusion(leaf, index, size, [*path, root], root))
    must_fail(lambda: merkle.verify_inclusion(leaf, index, size, path, tree.root(size + 1)))


@given(SPLITS, st.data())
def test_tampered_inclusion_path_never_verifies(split: tuple[int, int], data: st.DataObject) -> None:
    position, size = split
    assume(size > 1)
    tree = log_of(size)
    path = merkle.inclusion_proof(position - 1, size, tree.node)
    spoiled = data.draw(tampered(path))
    must_fail(lambda: merkle.verify_inclusion(tree.node(0, position - 1), position - 1, size, spoiled, tree.root()))


@given(SPLITS)
def test_consistency_proofs_verify_for_their_two_logs_only(split: tuple[int, int]) -> None:
    old, size = split
    tree = log_of(size)
    path = merkle.consistency_proof(old, size, tree.node)
    merkle.verify_consistency(old, tree.root(old), size, tree.root(), path)
    rewritten = merkle.Tree(merkle.leaf_hash(b"x%d" % number) for number in range(size))
    must_fail(lambda: merkle.verify_consistency(old, rewritten.root(old), size, tree.root(), path))
    must_fail(lambda: merkle.verify_consistency(old, tree.root(old), size, rewritten.root(), path))
    must_fail(lambda: merkle.verify_consistency(old, tree.root(old), size, tree.root(), [*path, tree.root()]))


@given(SPLITS, st.data())
def test_tampered_consistency_path_never_verifies(split: tuple[int, int], data: st.DataObject) -> None:
    old, size = split
    assume(old < size)
    tree = log_of(size)
    spoiled = data.draw(tampered(merkle.consistency_proof(old, size, tree.node)))
    must_fail(lambda: merkle.verify_consistency(old, tree.root(old), size, tree.root(), spoiled))


@given(st.integers(0, 2**40), st.integers(0, 2**20))
def test_tile_exists_exactly_when_the_log_lists_it(index: int, size: int) -> None:
    listed = {tile.index for tile in tlog.tiles(size) if tile.level == 0 and tile.width == 256}
    assert tlog.exists(tlog.Tile(0, index), size) == (index in listed)
    assert tlog.parse_path(tlog.Tile(0, index).path) == tlog.Tile(0, index)


@st.composite
def tampered(draw: st.DrawFn, path: list[bytes]) -> list[bytes]:
    """A path with one bit changed, one hash left out, repeated or swapped; never the same path."""
    at, bit = draw(st.integers(0, len(path) - 1)), draw(st.integers(0, 255))
    spoiled = draw(
        st.sampled_from(
            [
                [*path[:at], flipped(path[at], bit), *path[at + 1 :]],
                [*path[:at], *path[at + 1 :]],
                [*path[:at], path[at], *path[at:]],
                path[::-1],
            ]
        )
    )
    assume(spoiled != path)
    return spoiled

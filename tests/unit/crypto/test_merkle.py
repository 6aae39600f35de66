"""The log tree against published roots and proofs, honest and tampered."""

import base64
from hashlib import sha256
from typing import Any

import pytest

from crypto import merkle
from crypto.errors import InvalidProof, ParameterError
from tests.unit.crypto.vectors import load

REFERENCE = load("merkle-roots")
ENTRIES = [bytes.fromhex(entry) for entry in REFERENCE["entries"]]
HASHES = [merkle.leaf_hash(entry) for entry in ENTRIES]


def decode(values: list[str] | None) -> list[bytes]:
    return [base64.b64decode(value) for value in values or []]


def test_leaf_node_and_empty_tree_have_the_published_hashes() -> None:
    assert merkle.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert (
        merkle.node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    )
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_reference_log_has_the_published_root_at_every_size(size: int) -> None:
    expected = bytes.fromhex(REFERENCE["roots"][size - 1])
    frontier = merkle.Frontier()
    for leaf in HASHES[:size]:
        frontier.append(leaf)
    assert merkle.root(ENTRIES[:size]) == frontier.root() == merkle.Tree(HASHES).root(size) == expected


@pytest.mark.parametrize("case", load("merkle-inclusion"), ids=lambda case: case["name"])
def test_published_inclusion_proofs(case: dict[str, Any]) -> None:
    leaf, root = decode([case["leafHash"], case["root"]])

    def check() -> None:
        merkle.verify_inclusion(leaf, case["leafIdx"], case["treeSize"], decode(case["proof"]), root)

    if not case["wantErr"]:
        check()
        return
    with pytest.raises((InvalidProof, ParameterError)):
        check()


@pytest.mark.parametrize("case", load("merkle-consistency"), ids=lambda case: case["name"])
def test_published_consistency_proofs(case: dict[str, Any]) -> None:
    # Some published cases have a short text for a root that must not matter; ours have to be hashes.
    old_root, root = (
        value if len(value) == 32 else sha256(value).digest() for value in decode([case["root1"], case["root2"]])
    )

    def check() -> None:
        merkle.verify_consistency(case["size1"], old_root, case["size2"], root, decode(case["proof"]))

    if not case["wantErr"]:
        check()
        return
    with pytest.raises((InvalidProof, ParameterError)):
        check()


def test_our_proofs_are_the_published_ones() -> None:
    tree = merkle.Tree(HASHES)
    for case in (case for case in load("merkle-inclusion") if case["name"].endswith("/happy-path")):
        assert merkle.inclusion_proof(case["leafIdx"], case["treeSize"], tree.node) == decode(case["proof"])
    for case in (case for case in load("merkle-consistency") if case["name"].endswith("/happy-path")):
        assert merkle.consistency_proof(case["size1"], case["size2"], tree.node) == decode(case["proof"])


def test_an_inner_node_cannot_pose_as_an_entry() -> None:
    left, right = HASHES[:2]
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


def test_proof_about_a_larger_log_cannot_pose_as_one_about_a_smaller() -> None:
    """Without the RFC's length checks (its steps 4.1 and 6.1) each of these would lead to the right root."""
    tree = merkle.Tree(HASHES)
    inclusion = merkle.inclusion_proof(3, 4, tree.node)
    with pytest.raises(InvalidProof, match="too long"):
        merkle.verify_inclusion(HASHES[3], 1, 2, inclusion, tree.root(4))
    consistency = merkle.consistency_proof(7, 8, tree.node)
    with pytest.raises(InvalidProof, match="too long"):
        merkle.verify_consistency(3, tree.root(7), 4, tree.root(8), consistency)


def test_refusals_tell_expected_and_got() -> None:
    tree = merkle.Tree(HASHES)
    with pytest.raises(InvalidProof, match=f"expected {'00' * 32}, the path leads to {tree.root().hex()}"):
        merkle.verify_inclusion(HASHES[3], 3, 8, merkle.inclusion_proof(3, 8, tree.node), bytes(32))


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (8, 8), (0, 0), (0, 2**63)])
def test_index_out_of_range_is_refused(index: int, size: int) -> None:
    with pytest.raises(ParameterError):
        merkle.inclusion_proof(index, size, merkle.Tree(HASHES).node)
    with pytest.raises(ParameterError):
        merkle.verify_inclusion(HASHES[0], index, size, [], bytes(32))


@pytest.mark.parametrize(("old_size", "size"), [(0, 8), (9, 8), (-1, 8), (0, 0)])
def test_sizes_out_of_range_are_refused(old_size: int, size: int) -> None:
    with pytest.raises(ParameterError):
        merkle.consistency_proof(old_size, size, merkle.Tree(HASHES).node)
    with pytest.raises(ParameterError):
        merkle.verify_consistency(old_size, bytes(32), size, bytes(32), [])


def test_proof_for_more_entries_than_there_are_is_refused() -> None:
    with pytest.raises(ParameterError, match="has no node"):
        merkle.inclusion_proof(0, 9, merkle.Tree(HASHES).node)
    with pytest.raises(ParameterError, match=r"expected 0 .. 8"):
        merkle.Tree(HASHES).root(9)


def test_hashes_of_another_length_are_refused() -> None:
    for call in (
        lambda: merkle.root_of_hashes([b"short"]),
        lambda: merkle.Frontier().append(b"short"),
        lambda: merkle.Tree([b"short"]),
        lambda: merkle.verify_inclusion(HASHES[0], 0, 2, [b"short"], bytes(32)),
    ):
        with pytest.raises(ParameterError):
            call()


def test_frontier_must_fit_its_size() -> None:
    with pytest.raises(ParameterError):
        merkle.Frontier(3, [bytes(32)])
    with pytest.raises(ParameterError):
        merkle.Frontier(-1, [])
    with pytest.raises(ParameterError):
        merkle.Frontier(1, [b"short"])

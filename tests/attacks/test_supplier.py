"""A supplier that seals what it did not declare, and whoever can write to its files.

Guards: sealing refuses values outside the declared bounds; every blob is named by its digest in the registered
manifest, and every chunk of a draft by a tag that only the vault makes; the buyer refuses numbers that data within the
bounds cannot give. What remains: a supplier that lies within its bounds, and a holder of a key that shifts its share by
as little, are believed. Registration fixes what was sealed; nothing proves it true.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.canonical import sha256, to_hex
from crypto.seal.cells import decrypt_chunk, seal_chunk
from crypto.seal.parameters import CELLS
from crypto.seal.wire import Blob, read_blob, write_blob
from marketplace.documents import column_chunks
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.panel.evaluate import PanelNode
from marketplace.queries.answers.answer import Answer
from marketplace.queries.evaluation import SealedColumns
from marketplace.vault.decisions.cases import Case
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.sealing.dataset import seal_file
from marketplace.vault.sealing.drafts import Draft
from marketplace.vault.sealing.schema import parse_schema
from tests.attacks.scene import (
    EXACT,
    GUARDED,
    SCHEMA,
    STREETS,
    answered,
    make_streets,
    nothing,
    open_alone,
    open_streets,
    rich_order,
    totals,
)
from tests.sealed_market import DEPLOYMENT, NOW, Market, keys, write_csv
from tests.split_market import SplitMarket, open_split_market

ALL = "SELECT street, SUM(score) FROM f GROUP BY street"
ODD_STREET, ODD_SCORE = 17, 5_000  # a hundred times what was declared


def true_totals(market: Market) -> list[int]:
    return [sum(int(row["score"]) for row in market.rows if row["street"] == street) for street in STREETS]


# -- a value beyond its bounds, by mistake: noise as wide as the bounds does not hide it


def with_an_odd_score(home: Path) -> Market:
    """The streets with one score far beyond the bounds."""
    rows = make_streets()
    place = next(place for place, row in enumerate(rows) if row["street"] == STREETS[ODD_STREET])
    rows[place] = {**rows[place], "score": str(ODD_SCORE)}
    return open_alone(home, SCHEMA, rows)


def test_a_sealed_value_beyond_its_bounds_stands_out_of_the_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row's owner was promised noise of scale 50 at epsilon 1; its street is found all the same."""
    monkeypatch.setattr("marketplace.vault.sealing.values._out_of_bounds", nothing)
    market = with_an_odd_score(tmp_path)
    sums = totals(market.ask(rich_order(market, **GUARDED), ALL, 1_000_000))
    assert int(np.argmax(sums)) == ODD_STREET


def test_a_value_beyond_its_bounds_is_not_sealed(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        with_an_odd_score(tmp_path)
    assert caught.value.code == "out_of_bounds"
    assert list((tmp_path / "vault" / "datasets").iterdir()) == []


# -- totals beyond their bounds, on purpose, by a program of the supplier's own

HUGE = CELLS.half // 2 + 7
"""A little more than a quarter of the modulus."""


def huge(key: Any, values: Any) -> bytes:
    """In place of sealing: cells so large that three go round the modulus."""
    return seal_chunk(key, np.full(len(values), HUGE, dtype=np.int64))


def asked_of_a_liar(home: Path, seal: Callable[[Any, Any], bytes], monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patched:
        patched.setattr("marketplace.vault.sealing.sealers.seal_chunk", seal)
        market = open_streets(home)
    return market.ask(rich_order(market, **GUARDED), ALL, EXACT)


def test_totals_that_wrapped_are_believed_where_nobody_compares_them_with_the_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sum of three cells has come round to below zero."""
    monkeypatch.setattr("marketplace.queries.answers.answer.check_plausible", nothing)
    sums = totals(asked_of_a_liar(tmp_path, huge, monkeypatch))
    assert sums == [3 * HUGE - CELLS.plain_modulus] * len(STREETS)


def test_totals_beyond_the_bounds_are_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VerificationError) as caught:
        asked_of_a_liar(tmp_path, huge, monkeypatch)
    assert caught.value.code == "number_out_of_range"


def test_a_lie_within_the_bounds_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit: whatever wraps to a possible number could as well have been sealed as it is."""
    outcome = asked_of_a_liar(
        tmp_path, lambda key, values: seal_chunk(key, np.full(len(values), 100, dtype=np.int64)), monkeypatch
    )
    assert totals(outcome) == [300] * len(STREETS)


# -- bytes that somebody changed: a ciphertext plus q/t is one more in the clear, and takes no key


def raised(blob: bytes, cell: int, by: int) -> bytes:
    """The blob of a chunk whose cell holds more, valid in every field."""
    parsed = read_blob(CELLS, blob)
    c0, shift = parsed.c0.copy(), CELLS.modulus * by // CELLS.plain_modulus
    for row, prime in zip(c0, CELLS.data_primes, strict=True):
        row[cell] = (int(row[cell]) + shift) % prime
    return write_blob(CELLS, Blob(parsed.count, parsed.seed, c0))


def forge(market: Market, monkeypatch: pytest.MonkeyPatch, *, digests: bool) -> None:
    """Every disk gives another blob for the scores: the first street's hold 400 more. Without `digests` nobody sees
    it by the blob's name."""
    (chunk,) = column_chunks(market.manifest["batches"][0], 0, "sum:score")
    name, true = str(chunk["blob"]), Dataset.blob
    other = raised(market.dataset.blob(name), 0, 400)
    monkeypatch.setattr(Dataset, "blob", lambda self, asked: other if asked == name else true(self, asked))
    if not digests:
        monkeypatch.setattr("marketplace.queries.evaluation.data._check_digest", nothing)


def with_cold_caches(market: Market) -> Market:
    """The same parties, none of which has opened a blob."""
    nodes = [PanelNode(node.keys, SealedColumns(market.dataset.blob)) for node in market.nodes]
    vault = Vault(market.supplier, market.vault.folder, market.vault.store, DEPLOYMENT)
    return replace(market, nodes=nodes, vault=vault)


def test_a_changed_blob_changes_the_answer_where_digests_are_not_compared(
    streets: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge(streets, monkeypatch, digests=False)
    market = with_cold_caches(streets)
    found = totals(market.ask(rich_order(market, **GUARDED), ALL, EXACT))
    assert [a - b for a, b in zip(found, true_totals(streets), strict=True)] == [400] + [0] * (len(STREETS) - 1)


def test_a_changed_blob_is_evaluated_by_neither_node_nor_vault(
    streets: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = rich_order(streets, **GUARDED)
    query = streets.query(order, ALL, EXACT)
    task = streets.task(order, query)
    forge(streets, monkeypatch, digests=True)
    market = with_cold_caches(streets)
    with pytest.raises(VerificationError) as caught:
        market.nodes[0].evaluate(market.manifest, query)
    assert caught.value.code == "blob_altered"
    refusal = market.decide(task).refusal
    assert refusal is not None
    assert refusal["code"] == "blob_altered"


# -- a draft left by a kill: somebody with the disk, but not the key, raises a sealed count before the work goes on


class Killed(BaseException):
    """The process ends here."""


def seal(home: Path, *, kill: bool) -> Dataset:
    """Seal the streets; with `kill`, end when the first column is sealed."""

    def progress(stage: str, done: int, _: int) -> None:
        if kill and stage == "sealing" and done == 1:
            raise Killed

    folder = VaultFolder(home / "vault", Cipher(keys("supplier").seed))
    address = keys("supplier").address
    path = write_csv(home / "rows.csv", make_streets())
    return seal_file(
        path, parse_schema(SCHEMA), folder, holder=address, release_key=address, now=NOW, progress=progress
    )


def taken_up(home: Path) -> list[int]:
    """Kill, forge, go on: the counts of rows that end up sealed."""
    with pytest.raises(Killed):
        seal(home, kill=True)
    (draft,) = (home / "vault" / "datasets").iterdir()
    journal = draft / "chunks.jsonl"
    (line,) = journal.read_bytes().splitlines()
    form, column, index, name, size, tag = json.loads(line)
    assert column == "rows"
    forged = raised((draft / "blobs" / name[2:]).read_bytes(), 0, 1000)
    other = to_hex(sha256(forged))
    (draft / "blobs" / other[2:]).write_bytes(forged)
    journal.write_text(json.dumps([form, column, index, other, size, tag], separators=(",", ":")) + "\n")
    made = seal(home, kill=False)
    (chunk,) = column_chunks(made.manifest["batches"][0], 0, "rows")
    counts: list[int] = decrypt_chunk(made.whole_ring[0], made.blob(chunk["blob"])).tolist()
    return counts


TRUE_COUNTS = [12, 12, 1] * len(STREETS)


def test_a_forged_chunk_is_taken_up_where_lines_carry_no_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Draft, "_is_tagged", lambda *_: True)
    assert taken_up(tmp_path) == [1012, *TRUE_COUNTS[1:]]


def test_a_forged_chunk_is_sealed_again(tmp_path: Path) -> None:
    assert taken_up(tmp_path) == TRUE_COUNTS


# -- a holder of half a key that shifts its share


def shifted(market: SplitMarket, by: int, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """An answer to which the custodian added."""
    true = market.custodian._draw

    def draw(case: Case) -> list[int]:
        return [noise + by for noise in true(case)]

    monkeypatch.setattr(market.custodian, "_draw", draw)
    return answered(market.ask(market.order(), "SELECT COUNT(*) FROM f", 5_000_000))


@pytest.fixture
def split(tmp_path: Path) -> SplitMarket:
    return open_split_market(tmp_path / "split")


def test_a_shifted_share_is_believed_where_nobody_compares(split: SplitMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.queries.answers.answer.check_plausible", nothing)
    assert shifted(split, 10**9, monkeypatch).numbers[0]["rows"] > 10**8


def test_a_share_shifted_out_of_the_possible_is_no_answer(split: SplitMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VerificationError) as caught:
        shifted(split, 10**9, monkeypatch)
    assert caught.value.code == "number_out_of_range"


def test_a_share_shifted_by_little_is_believed(split: SplitMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit: a holder of a key can falsify within the range, as the supplier can with its data."""
    assert abs(shifted(split, -200, monkeypatch).numbers[0]["rows"] - len(split.rows) + 200) < 60

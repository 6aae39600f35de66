"""A batch appended, corrected or withdrawn makes a new version; others keep their blobs, old versions live on."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.seal.cells import decrypt_chunk
from marketplace.documents import all_chunks, cell_count, ciphertext_root, column_chunks, differences, row_count
from marketplace.errors import InvalidInputError, MarketplaceError, NotFoundError, RuleError
from marketplace.queries.cohort import check_cohort
from marketplace.queries.planning.plan import make_plan
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.updates import append_batch, correct_batch, withdraw_batch
from tests.sealed_market import NOW, SCHEMA, Market, Row, make_rows, open_market, with_version, write_csv

LATER = NOW + 3600


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return open_market(tmp_path)


def other_rows(count: int = 120) -> list[Row]:
    """Rows of carrier B6 alone, all delays 5."""
    return [{**row, "carrier": "B6", "delay": "5"} for row in make_rows(count)]


def append(market: Market, base: Dataset, batch: str, rows: list[Row], schema: dict[str, Any] | None = None) -> Dataset:
    path = write_csv(market.home / "batch.csv", rows)
    return append_batch(path, parse_schema(schema or SCHEMA), market.vault.folder, base, batch, now=LATER)


def total(dataset: Dataset, name: str) -> int:
    chunks = [chunk for batch in dataset.manifest["batches"] for chunk in column_chunks(batch, 0, name)]
    return sum(int(decrypt_chunk(dataset.whole_ring[0], dataset.blob(chunk["blob"])).sum()) for chunk in chunks)


def names_of(dataset: Dataset) -> list[str]:
    return [batch["name"] for batch in dataset.manifest["batches"]]


def test_an_appended_batch_adds_its_rows_and_leaves_the_others_as_they_are(market: Market) -> None:
    first, second = market.dataset, append(market, market.dataset, "april", other_rows())
    assert names_of(second) == ["first", "april"]
    assert (row_count(second.manifest), total(second, "rows")) == (520, 520)
    assert total(second, "sum:delay") == total(first, "sum:delay") + 120 * 5
    assert second.manifest["batches"][0] == first.manifest["batches"][0]
    assert second.manifest["series"] == second.manifest["previous"] == first.digest
    assert second.manifest["sealedAt"] > first.manifest["sealedAt"]
    assert ciphertext_root(second.manifest) != ciphertext_root(first.manifest)
    assert list(differences(second.manifest, first.manifest)) == []


def test_shared_blobs_are_stored_once_and_all_versions_open_with_one_key(market: Market) -> None:
    first, second = market.dataset, append(market, market.dataset, "april", other_rows())
    for chunk in all_chunks(first.manifest):
        files = [item.path / "blobs" / chunk["blob"][2:] for item in (first, second)]
        assert files[0].stat().st_ino == files[1].stat().st_ino
    again = VaultFolder(market.home / "vault", market.vault.folder.cipher)
    opened = [again.open(item.digest) for item in (first, second)]
    assert opened[0].ring[0].to_bytes() == opened[1].ring[0].to_bytes()
    assert [item.counts.rows.size for item in opened] == [36, 72]


def test_the_same_rows_sealed_twice_under_the_key_of_the_series_share_no_blob(market: Market) -> None:
    second = append(market, market.dataset, "again", make_rows())
    blobs = [chunk["blob"] for chunk in all_chunks(second.manifest)]
    assert len(set(blobs)) == len(blobs)
    halves = [column_chunks(batch, 0, "sum:fare")[0]["blob"] for batch in second.manifest["batches"]]
    first, again = (decrypt_chunk(second.whole_ring[0], second.blob(name)) for name in halves)
    assert (first == again).all()


def test_a_corrected_batch_takes_the_place_and_a_new_block(market: Market) -> None:
    second = append(market, market.dataset, "april", other_rows())
    path = write_csv(market.home / "right.csv", other_rows(130))
    third = correct_batch(path, parse_schema(SCHEMA), market.vault.folder, second, "april", now=LATER)
    assert names_of(third) == ["first", "april"]
    assert [batch["block"] for batch in third.manifest["batches"]] == [0, 2]
    assert (third.manifest["blocks"], total(third, "rows")) == (3, 530)
    assert list(differences(third.manifest, second.manifest)) == []
    assert third.counts.rows.reshape(3, 36).sum(axis=1).tolist() == [400, 120, 130]


def test_a_withdrawn_batch_is_gone_from_the_sums_and_kept_in_the_true_counts(market: Market) -> None:
    second = append(market, market.dataset, "april", other_rows())
    third = withdraw_batch(market.vault.folder, second, "first", now=LATER)
    assert names_of(third) == ["april"]
    assert (row_count(third.manifest), total(third, "rows")) == (120, 120)
    assert list(differences(third.manifest, second.manifest)) == []
    again = market.vault.folder.open(third.digest)
    assert again.counts.rows.reshape(2, 36).sum(axis=1).tolist() == [400, 120]
    assert again.counts.atoms(np.array([0, 35])).tolist() == [36, 71]
    fourth = append(market, third, "first", make_rows())
    assert [batch["block"] for batch in fourth.manifest["batches"]] == [1, 2]


def test_queries_add_up_all_batches_of_their_version(market: Market) -> None:
    second = append(market, market.dataset, "april", other_rows())
    for version, rows in ((market, market.rows), (with_version(market, second), [*market.rows, *other_rows()])):
        answer = version.ask(version.order(), "SELECT COUNT(*), SUM(delay) FROM f WHERE carrier = 'B6'", 5_000_000)
        assert not isinstance(answer, dict)
        (row,) = answer.rows()
        chosen = [item for item in rows if item["carrier"] == "B6"]
        assert row["count"] == pytest.approx(len(chosen), abs=30)
        truth = sum(int(item["delay"]) for item in chosen if item["delay"] != "NA")
        assert row["sum_delay"] == pytest.approx(truth, abs=6000)


def test_an_answer_of_one_version_counts_against_the_next(market: Market) -> None:
    """EWR in April has 4 rows: whoever has EWR of version 1 may not have EWR of version 2."""
    rows = [{**row, "origin": "EWR" if index < 4 else "JFK"} for index, row in enumerate(other_rows())]
    first, second = market.dataset, append(market, market.dataset, "april", rows)
    folder, sql = market.vault.folder, "SELECT COUNT(*) FROM f WHERE origin = 'EWR'"
    versions = [with_version(market, item) for item in (first, second)]
    plans = [make_plan(item.manifest, item.query(item.order(), sql)) for item in versions]
    released = check_cohort(plans[0], folder.counts(first), [], 10).sets
    assert check_cohort(plans[1], folder.counts(second), [], 10).released
    with pytest.raises(RuleError) as caught:
        check_cohort(plans[1], folder.counts(second), released, 10)
    assert caught.value.code == "cohort_difference_too_small"
    # And the other way round: version 1 is asked after version 2, whose atoms its own counts do not have.
    released = check_cohort(plans[1], folder.counts(second), [], 10).sets
    with pytest.raises(RuleError):
        check_cohort(plans[0], folder.counts(first), released, 10)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"measures": [{**SCHEMA["measures"][0], "high": 201}, SCHEMA["measures"][1]]}, "measures"),
        ({"dimensions": [{**SCHEMA["dimensions"][0], "ordered": True}, *SCHEMA["dimensions"][1:]]}, "dimensions"),
        ({"joints": [{"measures": ["delay", "fare"]}]}, "joints"),
        ({"privacy": {"measure": "zcdp", "delta": "1e-9"}}, "privacy"),
        ({"prefix": "month"}, "forms"),
    ],
)
def test_what_was_declared_stays(market: Market, change: dict[str, Any], part: str) -> None:
    with pytest.raises(InvalidInputError, match=f"other {part} ") as caught:
        append(market, market.dataset, "april", other_rows(), SCHEMA | change)
    assert caught.value.code == "schema_differs"
    assert market.vault.folder.names() == [market.dataset.digest]


def test_categories_that_the_schema_leaves_open_are_those_of_the_series(market: Market) -> None:
    schema = SCHEMA | {"dimensions": [{"name": name} for name in ("origin", "carrier", "month")]}
    second = append(market, market.dataset, "april", other_rows()[:1], schema)
    assert cell_count(second.manifest) == 36
    with pytest.raises(InvalidInputError) as caught:
        append(market, second, "may", [{**other_rows()[0], "origin": "SFO"}], schema)
    assert caught.value.code == "unknown_category"


def test_only_the_newest_version_and_its_own_batches_can_be_changed(market: Market) -> None:
    folder, first = market.vault.folder, market.dataset
    second = append(market, first, "april", other_rows())
    cases: list[tuple[type[MarketplaceError], str, Callable[[], object]]] = [
        (RuleError, "version_not_newest", lambda: append(market, first, "may", other_rows())),
        (InvalidInputError, "batch_exists", lambda: append(market, second, "april", other_rows())),
        (InvalidInputError, "malformed_document", lambda: append(market, second, "April 2026", other_rows())),
        (NotFoundError, "batch_unknown", lambda: withdraw_batch(folder, second, "may", now=LATER)),
        (RuleError, "last_batch", lambda: withdraw_batch(folder, first, "first", now=LATER)),
    ]
    for kind, code, act in cases:
        with pytest.raises(kind) as caught:
            act()
        assert caught.value.code == code
    assert len(folder.names()) == 2


def test_rows_of_all_batches_together_must_fit_the_sealed_form(tmp_path: Path) -> None:
    bound = 18_000_000  # 400 rows of its square are below 2^57, 520 are not
    schema = SCHEMA | {"measures": [{"name": "delay", "unit": "u", "scale": 0, "low": -bound, "high": bound}]}
    market = open_market(tmp_path, schema=schema)
    with pytest.raises(InvalidInputError) as caught:
        append(market, market.dataset, "april", other_rows(), schema)
    assert caught.value.code == "bounds_too_wide"


Change = Callable[[dict[str, Any]], object]


def _forged(manifest: dict[str, Any], change: Change) -> dict[str, Any]:
    forged = copy.deepcopy(manifest)
    change(forged)
    return forged


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("holder", lambda m: m.update(holder="0x" + "11" * 20)),
        ("measures", lambda m: m["measures"][0].update(high=199)),
        ("dimensions", lambda m: m["dimensions"][0]["categories"].append("SFO")),
        ("joints", lambda m: m.update(joints=[["delay", "fare"]])),
        ("privacy", lambda m: m.update(privacy={"measure": "zcdp", "delta": "1e-9"})),
        ("forms", lambda m: m["forms"][0].update(prefix="month")),
        ("custodian", lambda m: m.update(custodian="0x" + "11" * 20)),
        ("series", lambda m: m.update(series="0x" + "22" * 32)),
        ("minimumCohort", lambda m: m.update(minimumCohort=9)),
        ("blocks", lambda m: m.update(blocks=5)),
        ("batches.april.block", lambda m: m["batches"][1].update(block=0)),
        ("batches.first", lambda m: m["batches"][0].update(rows=401)),
        ("batches", lambda m: m["batches"].pop(0)),
        ("batches", lambda m: m["batches"].reverse()),
        ("batches.first", lambda m: m["batches"][0]["columns"][0]["chunks"][0].update(blob="0x" + "33" * 32)),
    ],
)
def test_a_version_that_changes_more_than_it_says_is_found(market: Market, what: str, change: Change) -> None:
    second = append(market, market.dataset, "april", other_rows())
    assert what in [item[0] for item in differences(_forged(second.manifest, change), market.manifest)]


def test_data_sealed_again_keep_their_batches_and_may_change_their_form(market: Market) -> None:
    def again(manifest: dict[str, Any]) -> None:
        manifest.update(series=market.dataset.digest, previous=market.dataset.digest)
        manifest["change"] = {"kind": "reseal", "batch": None}
        manifest["forms"][0]["prefix"] = "month"
        manifest["batches"][0]["columns"][0]["chunks"][0]["blob"] = "0x" + "44" * 32

    forged = _forged(market.manifest, again)
    assert list(differences(forged, market.manifest)) == []
    forged["batches"][0]["rows"] -= 1
    assert [item[0] for item in differences(forged, market.manifest)] == ["batches.first"]

"""Versions of a data set: each follows from one registered before by its holder; a block is one batch for good."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from crypto.canonical import canonical_json
from marketplace.auditor.documents.store import Documents, document_name
from marketplace.auditor.documents.versions import Versions
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Tables
from marketplace.documents import digest
from marketplace.documents.ids import asset_id
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.updates import append_batch, withdraw_batch
from tests.memory import MemoryBundle
from tests.sealed_market import NOW, SCHEMA, make_rows, open_market, write_csv

Json = dict[str, Any]
Change = Callable[[list[Json], list[Json]], object]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """Manifests of three versions: sealed, a batch appended, the first one withdrawn."""
    market = open_market(tmp_path_factory.mktemp("market"))
    folder, path = market.vault.folder, write_csv(market.home / "april.csv", make_rows(100))
    second = append_batch(path, parse_schema(SCHEMA), folder, market.dataset, "april", now=NOW)
    third = withdraw_batch(folder, second, "first", now=NOW)
    return [market.manifest, second.manifest, third.manifest]


def audited(manifests: list[Json], change: Change = lambda *_: None) -> list[tuple[str, str]]:
    """What the auditor finds where these manifests were registered in this order, each with the same budget."""
    manifests = [copy.deepcopy(item) for item in manifests]
    rows = [{"holder": item["holder"], "epsilonBudget": 10} for item in manifests]
    change(manifests, rows)
    tables, report = Tables(), Report()
    for manifest, row in zip(manifests, rows, strict=True):
        name = digest(manifest)
        tables.put("assets", row | {"assetId": asset_id(row["holder"], name), "manifestDigest": name})
    files = {document_name(digest(item)): canonical_json(item) for item in manifests}
    versions = Versions(tables, Documents(MemoryBundle(files), report), report)
    for manifest, row in zip(manifests, tables.rows["assets"].values(), strict=True):
        versions.check(row, manifest)
    return [(item.code, item.subject.rpartition(" ")[2]) for item in report.findings]


def test_true_versions_pass_in_their_order(versions: list[Json]) -> None:
    assert audited(versions) == []


def test_a_version_that_was_registered_before_its_predecessor(versions: list[Json]) -> None:
    found = audited([versions[1], versions[0]])
    assert [code for code, _ in found] == ["previous_unregistered"]


def test_a_version_of_somebody_elses_data(versions: list[Json]) -> None:
    def change(_: list[Json], rows: list[Json]) -> None:
        rows[1]["holder"] = "0x" + "99" * 20

    assert [code for code, _ in audited(versions[:2], change)] == ["previous_unregistered"]


CHANGES: dict[str, Change] = {
    "epsilonBudget": lambda _, rows: rows[1].update(epsilonBudget=11),
    "manifest.measures": lambda manifests, _: manifests[1]["measures"][0].update(high=201),
    "manifest.batches.first": lambda manifests, _: manifests[1]["batches"][0]["missing"].update(delay=0),
    "manifest.minimumCohort": lambda manifests, _: manifests[1].update(minimumCohort=1),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_version_that_does_not_follow(versions: list[Json], what: str) -> None:
    assert ("version_not_next", what) in audited(versions[:2], CHANGES[what])


def test_two_versions_that_give_one_block_to_different_rows(versions: list[Json]) -> None:
    fork = copy.deepcopy(versions[1])
    fork["batches"][1]["rows"] += 1
    assert audited([*versions[:2], fork]) == [("block_reused", "1")]

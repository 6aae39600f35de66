"""Two versions of one data set on one exchange: each with its own root and orders, and the auditor follows both."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import LEVELS, Document
from marketplace.documents.identifiers import Kind, identifier
from marketplace.errors import NotFoundError, RuleError
from marketplace.sdk import evidence, identifiers, queries, rights, settlement
from marketplace.vault.keeping.folder import Dataset
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.updates import append_batch, correct_batch, withdraw_batch
from marketplace.vault.sealing.uploading import upload_dataset
from tests.integration.service.town import BUDGET, ESCROW, NODES, Town
from tests.sealed_market import SCHEMA, make_rows, write_csv

MINUTE = 60


def ask(town: Town, order: str, sql: str) -> float:
    """The first number of an answer, with panel and vault at work meanwhile."""
    steps: list[Callable[[float], bool]] = [*(town.node(name).step for name in NODES), town.vault().step]
    workers = threading.Thread(target=lambda: [step(10) for step in steps])
    workers.start()
    answer = queries.ask(town["buyer"], order, sql, 1_000_000, wait_seconds=MINUTE)
    workers.join()
    return float(answer.rows()[0]["count"])


def upload(town: Town, made: Dataset) -> int:
    """Upload a version; how many blobs went over."""
    told: list[int] = []
    upload_dataset(town["supplier"], made, lambda _, done, __: told.append(done))
    return len(told)


def update(town: Town, base: Dataset, batch: str) -> Dataset:
    """Seal another hundred rows as a batch, and upload the version: only the new batch's blobs."""
    path = write_csv(town.folder / "batch.csv", make_rows(100))
    made = append_batch(path, parse_schema(SCHEMA), town.vault_folder, base, batch, now=int(time.time()))
    assert upload(town, made) == len(made.manifest["batches"][-1]["columns"])
    return made


def correct(town: Town, base: Dataset, batch: str) -> Dataset:
    """Seal three hundred rows in the place of a batch, and upload the version."""
    path = write_csv(town.folder / "corrected.csv", make_rows(300))
    made = correct_batch(path, parse_schema(SCHEMA), town.vault_folder, base, batch, now=int(time.time()))
    assert upload(town, made) == len(made.manifest["batches"][-1]["columns"])
    return made


def receipts(town: Town) -> dict[int, Document]:
    """What the log says of every released answer so far, each proven to be in it, by its position."""
    town.wait_for_anchor()
    positions = [
        place for place, leaf in enumerate(evidence.entries(town["buyer"])) if leaf["type"] == "query.released"
    ]
    return {place: evidence.verify_entry(town["buyer"], place) for place in positions}


def claim(town: Town, manifest: Document) -> Document:
    shares = [(town["supplier"].address, 10_000)]
    return rights.make_claim(
        manifest, level=LEVELS[1], source_class="COLLECTED_GENERATED", origin="ENTERPRISE", shares=shares
    )


def refusal(town: Town, manifest: Document, budget: int = BUDGET) -> str:
    with pytest.raises(RuleError) as refused:
        rights.register(town["supplier"], manifest, claim(town, manifest), budget)
    return refused.value.code


def check_versions_resolve(town: Town, first: str, second: str) -> None:
    """Each version leads to the other and to the series, which bears the first one's name and shows the second."""

    def links(kind: Kind, subject: str) -> dict[str, list[str]]:
        found = identifiers.resolve(town["buyer"], str(identifier(kind, subject)))
        named: dict[str, list[str]] = {}
        for link in found["links"]:
            named.setdefault(link["rel"], []).append(link["subject"])
        return named

    old, new, series = links(Kind.DATA, first), links(Kind.DATA, second), links(Kind.SERIES, first)
    assert (old["successor"], new["predecessor"]) == ([second], [first])
    assert old["series"] == new["series"] == [first]
    assert (series["newest"], series["version"]) == ([second], [second, first])
    assert "successor" not in new
    assert "predecessor" not in old
    with pytest.raises(NotFoundError) as refused:  # a later version begins no series
        links(Kind.SERIES, second)
    assert refused.value.code == "unknown_identifier"


def test_versions_are_registered_in_order_answer_their_own_orders_and_audit(town: Town, tmp_path: Path) -> None:
    settlement.issue(town["bank"], town["buyer"].address, 3 * ESCROW)
    first = town.facts["dataset"]
    order = town.fund(town.facts["listing"])
    assert ask(town, order, "SELECT COUNT(*) FROM data WHERE month IN ('1', '2')") == pytest.approx(200, abs=40)

    second = update(town, first, "april")
    third = withdraw_batch(town.vault_folder, second, "first", now=int(time.time()))
    assert upload(town, third) == 0
    assert refusal(town, third.manifest) == "previous_unregistered"
    assert refusal(town, second.manifest, BUDGET + 1) == "version_not_next"
    wider = second.manifest | {"minimumCohort": 1}
    assert refusal(town, wider) == "version_not_next"

    asset = town.register(second.manifest)
    check_versions_resolve(town, town.facts["asset"], asset)
    later = town.fund(town.list_product(asset))
    assert ask(town, later, "SELECT COUNT(*) FROM data WHERE month IN ('1', '2')") == pytest.approx(250, abs=40)
    assert ask(town, order, "SELECT COUNT(*) FROM data WHERE month IN ('3', '4')") == pytest.approx(200, abs=40)
    town.register(third.manifest)
    before = receipts(town)
    assert len(before) >= 3

    fourth = correct(town, third, "april")
    assert refusal(town, fourth.manifest | {"previous": first.digest}) == "version_not_next"
    corrected = town.register(fourth.manifest)
    newest = town.fund(town.list_product(corrected))
    assert ask(town, newest, "SELECT COUNT(*) FROM data WHERE month IN ('1', '2')") == pytest.approx(150, abs=40)
    assert ask(town, order, "SELECT COUNT(*) FROM data WHERE month IN ('2', '3')") == pytest.approx(200, abs=40)
    after = receipts(town)
    assert before.items() <= after.items(), "what was proven of answers from corrected rows still is"
    assert len(after) == len(before) + 2

    assets = (town.facts["asset"], asset, corrected)
    roots = {rights.get_asset(town["rival"], item)["ciphertextRoot"] for item in assets}
    assert len(roots) == 3
    evidence.download_bundle(town["auditor"], tmp_path / "evidence.zip")
    profile = town["auditor"].get("/profile")
    trust = Trust(chain_id=profile["chainId"], registrar=town["registrar"].address, contracts=profile["contracts"])
    with open_bundle(tmp_path / "evidence.zip") as bundle:
        report = audit(bundle, trust, reexecute=None)
    assert report.findings == []
    assert report.counts[9]["versions"] == 3
    assert report.counts[11]["queries"] == len(after), (
        "every answer is computed again, from the version it was given on"
    )

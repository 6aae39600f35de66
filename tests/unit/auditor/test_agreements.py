"""An agreement that is not what was signed, and an order beyond it, are found; the ledger's own checks are step 5's."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.auditor.documents import agreements
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Tables
from marketplace.documents.plans import flat_plan
from marketplace.types import AgreementStatus
from tests.bundles import Made
from tests.memory import MemoryBundle
from tests.unit.auditor.forger import Forger, tables_of

Json = dict[str, Any]


def _cited(tables: Tables) -> Json:
    (order,) = [row for row in tables.rows["orders"].values() if (row["agreementId"],) in tables.rows["agreements"]]
    return tables.rows["agreements"][order["agreementId"],]


def test_what_the_bundle_tells(made: Made) -> None:
    rows = tables_of(Forger(made)).rows["agreements"].values()
    assert sorted((row["status"], row["version"]) for row in rows) == [
        (AgreementStatus.SIGNED, 2),
        (AgreementStatus.AMENDED, 1),
        (AgreementStatus.RETIRED, 1),
    ]


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lambda document: None, []),
        (lambda document: document.update(partyB="0x" + "ee" * 20), ["agreement_differs"]),
        (lambda document: document.update(validUntil="2031-01-01T00:00:00Z"), ["agreement_differs"]),
        (lambda document: document.update(amends=None), ["agreement_differs"]),
        (lambda document: document["fields"].update(cure_days=0), ["agreement_form"]),
        (lambda document: document.update(formDigest="0x" + "00" * 32), ["agreement_form"]),
        (lambda document: document["fields"].update(assets=["0x" + "00" * 32]), ["order_outside_agreement"]),
        (lambda document: document["fields"].update(purposes=["EDUCATION"]), ["order_outside_agreement"]),
        (lambda document: document["fields"].update(regions=["CN-BJ"]), ["order_outside_agreement"]),
        (lambda document: document["fields"].update(plan=flat_plan(1)), ["order_outside_agreement"]),
        (lambda document: document["fields"].update(delivery_modes=["API"]), ["order_outside_agreement"]),
    ],
)
def test_a_document_beside_its_row(made: Made, change: Callable[[Json], None], codes: list[str]) -> None:
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    row = _cited(tables)
    document = forger.document(row["agreementDigest"])
    change(document)
    row["agreementDigest"] = forger.store(document)
    agreements.check_agreements(tables, Documents(MemoryBundle(forger.files), report), report)
    assert [finding.code for finding in report.findings] == codes


def test_a_document_that_was_swapped_or_left_out(made: Made) -> None:
    for code in ("document_missing", "document_digest"):
        forger = Forger(made)
        name = f"documents/{_cited(tables_of(forger))['agreementDigest'][2:]}.json"
        if code == "document_missing":
            del forger.files[name]
        else:
            forger.files[name] = forger.files[name].replace(b'"cure_days":15', b'"cure_days":90')
        assert forger.codes() == {code}


def test_an_order_that_cites_another_agreement_than_it_was_funded_under(made: Made) -> None:
    forger = Forger(made)
    cited = _cited(tables_of(forger))["agreementId"]

    def change(rows: list[Json]) -> None:
        (row,) = [row for row in rows if row["agreementId"] == cited]
        row["agreementId"] = "0x" + "00" * 32

    forger.edit("read_model/orders.jsonl", change)
    (finding,) = forger.report().findings
    assert (finding.code, finding.step) == ("row_field", 6)

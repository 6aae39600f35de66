"""A way of delivery that the level forbids, another sum than the terms ask, and another's list of defects are found."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.auditor.documents import deliveries
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.auditor.usage.billing import Billing
from marketplace.intents import Deployment
from marketplace.participants.keybook import KeyBook
from marketplace.types import DeliveryStatus
from tests.bundles import CHAIN_ID, Made
from tests.memory import MemoryBundle
from tests.unit.auditor.forger import Forger, tables_of

Json = dict[str, Any]
Change = Callable[[Forger, Tables, Row], None]


def _asset(tables: Tables) -> Row:
    asset, *_ = tables.rows["assets"].values()
    return asset


def _offer(tables: Tables) -> Row:
    (offer,) = [row for row in tables.rows["delivery_offers"].values() if row["amount"] == 0]
    return offer


def _delivery(tables: Tables, status: DeliveryStatus) -> Row:
    """Of the file that costs nothing."""
    orders = tables.rows["orders"]
    found = [row for row in tables.rows["deliveries"].values() if orders[row["orderId"],]["escrow"] == 0]
    (row,) = [row for row in found if row["status"] == status]
    return row


def _restate(forger: Forger, row: Row, name: str, **changes: object) -> None:
    row[name] = forger.store({**forger.document(row[name]), **changes})


def _public(forger: Forger, tables: Tables, _: Row) -> None:
    _restate(forger, _asset(tables), "claimDigest", origin="PUBLIC")


def _of_another_order(forger: Forger, _: Tables, row: Row) -> None:
    _restate(forger, row, "defectsDigest", order="0x" + "cd" * 32)


CASES: list[tuple[Change, list[str]]] = [
    (lambda _, tables, row: None, []),
    (lambda _, tables, row: _asset(tables).update(level=3), []),
    (lambda _, tables, row: _asset(tables).update(level=4), ["delivery_mode_forbidden"] * 2),
    (lambda _, tables, row: _asset(tables).update(level=6), ["delivery_mode_forbidden"] * 4),
    (_public, ["delivery_mode_forbidden"] * 2),
    (lambda _, tables, row: _offer(tables).update(amount=1), ["delivery_price"]),
    (_of_another_order, ["delivery_differs"]),
    (lambda _, tables, row: row.update(defectsDigest="0x" + "cd" * 32), ["document_missing"]),
]


@pytest.mark.parametrize(("change", "codes"), CASES)
def test_what_stands_beside_the_rows(made: Made, change: Change, codes: list[str]) -> None:
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    row = _delivery(tables, DeliveryStatus.OBJECTED)
    assert (row["rounds"], row["acknowledged"]) == (1, 1)
    change(forger, tables, row)
    deliveries.check_deliveries(tables, Documents(MemoryBundle(forger.files), report), report)
    assert [finding.code for finding in report.findings] == codes


@pytest.mark.parametrize(("field", "value"), [("amount", 1), ("epsilon", 1), ("calls", 0), ("callsRoot", "0x00")])
def test_what_acceptance_settled_is_what_was_offered(made: Made, field: str, value: object) -> None:
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    order = _delivery(tables, DeliveryStatus.ACCEPTED)["orderId"]
    tables.rows["orders"] = {(order,): tables.rows["orders"][order,]}
    book = KeyBook(Deployment(CHAIN_ID, {}))
    Billing(book, report).finish(tables)
    assert report.findings == []
    tables.rows["orders"][order,][field] = value
    Billing(book, report).finish(tables)
    assert [finding.code for finding in report.findings] == ["settled_differs"]


def test_an_offer_beside_terms_of_sealed_questions(made: Made) -> None:
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    offer = _offer(tables)
    other = next(row for row in tables.rows["listings"].values() if row["listingId"] != offer["listingId"])
    tables.put("delivery_offers", {**offer, "listingId": other["listingId"]})
    deliveries.check_deliveries(tables, Documents(MemoryBundle(forger.files), report), report)
    assert [finding.code for finding in report.findings] == ["delivery_not_offered"]

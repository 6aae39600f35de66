"""Calls are counted again from their records: whatever either side bends, the first difference is named."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from marketplace.api.levels import figures_of
from marketplace.api.metering import meter_of, voucher_due
from marketplace.api.statements import sign
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Placed, Row, Tables
from marketplace.auditor.usage.barred import Barred
from marketplace.auditor.usage.billing import Billing
from marketplace.auditor.usage.calls import Calls
from marketplace.auditor.usage.orders import Papers
from marketplace.documents import Document, digest, iso_time, voucher_document
from marketplace.documents.ids import title_id
from marketplace.events import Event
from marketplace.intents import Deployment, sign_intent
from marketplace.participants.keybook import KeyBook
from marketplace.types import OrderStatus, TitleKind, TitleMark
from tests.bundles import CHAIN_ID, START, Made, keys
from tests.calls import OPERATIONS, delivery, record
from tests.memory import MemoryBundle
from tests.plans import plan
from tests.unit.auditor.forger import Forger, tables_of

SELLER, BUYER = keys("heir"), keys("buyer")
PLAN = plan("PER_HIT", scheme="GRADUATED", tiers=[{"upTo": None, "unitPrice": 7}])
OUTCOMES = ("HIT", "MISS", "HIT", "ERROR", "HIT")


@dataclass
class Story:
    """An order of five calls, three of them hits, paid for all, with an accepted service record.

    Args:
        order: its row. records: signed. voucher: the last one. service: the service record.
    """

    forger: Forger
    tables: Tables
    deployment: Deployment
    order: Row
    terms: Document
    records: list[Document] = field(default_factory=list)
    voucher: Document = field(default_factory=dict)
    service: Document = field(default_factory=dict)
    answers: int = 1
    events: list[Placed] = field(default_factory=list)

    def happens(self, name: str, at: int, **args: Any) -> None:
        """An event of the ledger, so many seconds after the start."""
        self.events.append(Placed(Event("Any", name, args), len(self.events), START + at, 0, None))

    def sell(self, body: Document) -> Document:
        """Signed anew by the seller."""
        return sign(
            {key: value for key, value in body.items() if key != "signature"}, self.deployment, SELLER.signing_key
        )

    def bend(self, number: int, /, **changes: Any) -> None:
        """Another record in place of one, properly signed."""
        self.records[number - 1] = self.sell({**self.records[number - 1], **changes})

    def promise(self, records: list[Document], **changes: Any) -> None:
        """A voucher for these records, bent."""
        due = voucher_due(self.order["orderId"], meter_of(self.terms, records), self.terms, "TRANSPORT") | changes
        signature = sign_intent("Voucher", due, self.deployment, BUYER.signing_key)
        self.voucher = voucher_document(due, BUYER.address, signature)

    def serve(self, **changes: Any) -> None:
        """The service record of the records, bent."""
        figures = figures_of(self.records, "2026-09", self.terms)
        body: Document = {"type": "service_record", "version": 1, "order": self.order["orderId"], **(figures or {})}
        self.service = self.sell({**body, **changes, "seller": SELLER.address})

    def settle(self) -> None:
        """The ledger paid by the voucher."""
        self.order |= {name: self.voucher[name] for name in ("amount", "epsilon", "calls", "callsRoot")}

    def codes(self) -> list[str]:
        """What the auditor finds."""
        report, forger, order = Report(), self.forger, self.order["orderId"]
        batch = {"type": "call_batch", "version": 1, "order": order, "records": self.records}
        answer: Document = {"type": "service_answer", "version": 1, "order": order, "record": digest(self.service)}
        answer |= {"accepted": True, "reasons": [], "buyer": BUYER.address}
        signed = sign(answer, self.deployment, BUYER.signing_key)
        leaves = [
            {"type": "api.calls", "order": order, "batch": forger.store(batch)},
            {"type": "api.voucher", "order": order, "voucher": forger.store(self.voucher)},
            {"type": "api.service", "order": order, "record": forger.store(self.service)},
            *[{"type": "api.answer", "order": order, "record": digest(self.service), "answer": forger.store(signed)}]
            * self.answers,
        ]
        documents = Documents(MemoryBundle(forger.files), report)
        papers = Papers(self.tables, documents, report)
        billing = Billing(KeyBook(self.deployment), report)
        calls = Calls(self.tables, documents, papers, billing, report, barred=Barred(self.tables, self.events))
        for leaf in leaves:
            calls.check({**leaf, "at": iso_time(START + 900)}, leaf["type"])
        assert calls.settles(order, self.order)
        return [finding.code for finding in report.findings]


@pytest.fixture
def story(made: Made) -> Story:
    forger = Forger(made)
    tables = tables_of(forger)
    profile = forger.files["profile.json"]
    deployment = Deployment(CHAIN_ID, json.loads(profile)["contracts"])
    order = next(row for row in tables.rows["orders"].values() if row["status"] == OrderStatus.SETTLED)
    listing = tables.rows["listings"][order["listingId"],]
    offered = [{**operation, "columns": ["origin"], "filters": []} for operation in OPERATIONS]
    price = {"version": 4, "plan": PLAN, "price": 7, "computations": [], "delivery": delivery(operations=offered)}
    terms = {**forger.document(listing["termsDigest"]), **price}
    listing |= {"termsDigest": forger.store(terms), "price": 7}
    agreement = {**forger.document(order["agreementDigest"]), "terms": listing["termsDigest"]}
    order |= {"agreementDigest": forger.store(agreement), "validUntil": START + 86_400, "escrow": 1_000}
    found = Story(forger, tables, deployment, order, terms)
    for number, outcome in enumerate(OUTCOMES, 1):
        body = record(number, order=order["orderId"], outcome=outcome, seller=SELLER.address)
        found.records.append(found.sell(body))
    found.promise(found.records)
    found.serve()
    found.settle()
    return found


def test_an_honest_order_of_calls_passes(story: Story) -> None:
    assert story.voucher["amount"] == 21
    assert story.codes() == []


Bend = Callable[[Story], object]


def _unsigned(story: Story) -> None:
    story.records[2] = {**story.records[2], "latencyMs": 1}


def _strangers(story: Story) -> None:
    body = {key: value for key, value in story.records[2].items() if key != "signature"}
    story.records[2] = sign(body, story.deployment, BUYER.signing_key)


def _underpaid(story: Story) -> None:
    """Both sides agree on less than the plan asks: holders and fee would be short."""
    story.promise(story.records, amount=14)
    story.settle()


def _left_out(story: Story) -> None:
    """The seller hides the last three calls from the order's end."""
    story.promise(story.records[:2])
    story.settle()


def _settled_for_more(story: Story) -> None:
    story.order["amount"] = 28


def _claimed(story: Story, **claim: Any) -> None:
    """The buyer claimed alone, by a voucher that the log does not know, and the ledger paid by that."""
    figures = {name: story.order[name] for name in ("amount", "epsilon", "calls", "callsRoot")} | claim
    story.tables.rows["order_claims"][story.order["orderId"],] = {**figures, "claimedBy": BUYER.address}
    story.order |= figures


def _claimed_lower_and_settled_higher(story: Story) -> None:
    _claimed(story)
    story.order["amount"] = 28


def _for_no_calls(story: Story) -> None:
    story.promise(story.records, callsRoot="0x" + "11" * 32)
    story.settle()


def _beyond_escrow(story: Story) -> None:
    story.order["escrow"] = 20


def _with_epsilon(story: Story) -> None:
    story.promise(story.records, epsilon=1)
    story.settle()


def _by_the_seller(story: Story) -> None:
    message = {name: story.voucher[name] for name in ("amount", "epsilon", "calls", "callsRoot")}
    message["orderId"] = story.order["orderId"]
    signature = sign_intent("Voucher", message, story.deployment, SELLER.signing_key)
    story.voucher = voucher_document(message, BUYER.address, signature)


def _seized(story: Story) -> None:
    """From before the first call on, and lifted later."""
    title = story.tables.rows["listings"][story.order["listingId"],]["titleId"]
    story.happens("TitleEncumbered", -5_000, titleId=title, marks=int(TitleMark.SEIZED))
    story.happens("TitleEncumbered", -4_000, titleId=title, marks=int(TitleMark.SEIZED | TitleMark.CONTROLLED))
    story.happens("TitleEncumbered", 500, titleId=title, marks=0)


def _free_again(story: Story) -> None:
    title = story.tables.rows["listings"][story.order["listingId"],]["titleId"]
    story.happens("TitleEncumbered", -5_000, titleId=title, marks=int(TitleMark.SEIZED))
    story.happens("TitleEncumbered", -4_000, titleId=title, marks=0)
    story.happens(
        "TitleEncumbered", -100, titleId=title, marks=int(TitleMark.SEIZED)
    )  # too late for the gateway to know


def _ended_use(story: Story) -> None:
    use = title_id(story.order["assetId"], TitleKind.USE, story.order["orderId"])
    story.happens("TitleEnded", -700, titleId=use)


def _beyond_quota(story: Story) -> None:
    terms = {**story.terms, "delivery": {**story.terms["delivery"], "quota": 3}}
    listing = story.tables.rows["listings"][story.order["listingId"],]
    listing["termsDigest"] = story.forger.store(terms)
    agreement = {**story.forger.document(story.order["agreementDigest"]), "terms": listing["termsDigest"]}
    story.order["agreementDigest"] = story.forger.store(agreement)


CASES: dict[str, tuple[Bend, list[str]]] = {
    "a record changed after it was signed": (_unsigned, ["call_signature"]),
    "a record that another signed": (_strangers, ["call_signature"]),
    "a miss billed as a hit": (
        lambda story: story.bend(2, outcome="HIT", records=1),
        ["voucher_calls", "voucher_amount", "service_differs"],
    ),
    "more records than the terms allow": (
        lambda story: story.bend(3, records=11),
        ["call_record_impossible"],
    ),
    "a record from before the one before": (
        lambda story: story.bend(4, at=iso_time(START)),
        ["call_record_order"],
    ),
    "a call after the order's term": (
        lambda story: story.bend(5, at=iso_time(START + 90_000)),
        ["call_record_impossible"],
    ),
    "too little promised": (_underpaid, ["voucher_amount"]),
    "calls left out": (_left_out, ["calls_unpaid"]),
    "the ledger paid more": (_settled_for_more, ["settled_differs"]),
    "claimed by a voucher for calls that never were": (
        lambda story: _claimed(story, calls=2**32 - 1, callsRoot="0x" + "11" * 32),
        ["claim_unearned"],
    ),
    "claimed for more than was metered": (lambda story: _claimed(story, amount=28), ["claim_unearned"]),
    "claimed below the last voucher in calls alone": (
        lambda story: _claimed(story, calls=4),
        ["claim_unchallenged"],
    ),
    "claimed as metered": (_claimed, []),
    "the ledger paid otherwise than it was claimed": (_claimed_lower_and_settled_higher, ["settled_differs"]),
    "a voucher for other calls": (_for_no_calls, ["voucher_calls"]),
    "a voucher beyond the escrow": (_beyond_escrow, ["voucher_over_escrow"]),
    "a voucher that spends privacy budget": (_with_epsilon, ["voucher_amount"]),
    "a voucher that the seller signed": (_by_the_seller, ["voucher_signature"]),
    "a call beyond the quota": (_beyond_quota, ["call_over_quota"]),
    "a call under a seized title": (_seized, ["call_barred"]),
    "calls while nothing barred them": (_free_again, []),
    "a call under a title that is over": (_ended_use, ["call_barred"]),
    "a call after the order was settled": (
        lambda story: story.happens("Settled", -601, orderId=story.order["orderId"]),
        ["call_barred"],
    ),
    "a better service record": (lambda story: story.serve(p95Ms=1), ["service_differs"]),
    "two answers": (lambda story: setattr(story, "answers", 2), ["service_answer_differs"]),
}


def test_every_figure_that_a_side_signs_anew_is_named(story: Story) -> None:
    told: list[tuple[str, int | str]] = []
    for number, one in enumerate(story.records, 1):
        told += [(name, number) for name, value in one.items() if type(value) is int and name != "version"]
    told += [(name, "voucher") for name in ("amount", "epsilon", "calls")]
    told += [(name, "service") for name, value in story.service.items() if type(value) is int and name != "version"]
    assert len(told) >= 25
    true = story.records, story.voucher, story.service
    for name, what in told:
        story.records, story.voucher, story.service = [*true[0]], *true[1:]
        if what == "voucher":
            story.promise(story.records, **{name: story.voucher[name] + 1})
        elif what == "service":
            story.serve(**{name: story.service[name] + 1})
        else:
            story.bend(int(what), **{name: story.records[int(what) - 1][name] + 1})
        assert story.codes(), (what, name)


@pytest.mark.parametrize(("bend", "codes"), CASES.values(), ids=CASES)
def test_the_first_difference_is_named(story: Story, bend: Bend, codes: list[str]) -> None:
    bend(story)
    assert list(dict.fromkeys(story.codes())) == codes

"""Every integer that an event says fits into a signed 64-bit column, so that no one's act stops a reader of the ledger.

An integer of 63 bits or less does so by its type. BOUNDED says why each wider one does; a new one fails here until it
is there, too, with what bounds it on the ledger. Versions count the acts on one record.
"""

import re
from collections.abc import Iterator
from typing import Any

from marketplace import artifacts
from marketplace.intents import CONTRACTS

SUPPLY = "money that there is: at most 2^53 - 1"
BUDGET = "within an asset's privacy budget: at most 10^12"
SOON = "the block's time and a bounded wait"
TERM = "within the term of an asset's confirmation: at most five years"
INTEGER = re.compile(r"(u?)int(\d+)")

BOUNDED = {
    ("Agreements", "Agreed", "validUntil"): "AgreementsTerm",
    ("Agreements", "AgreementAmended", "validUntil"): "AgreementsTerm",
    ("Clearing", "BatchClosed", "payBy"): SOON,
    ("Clearing", "BatchOpened", "closeBy"): SOON,
    ("Clearing", "Collected", "amount"): SUPPLY,
    ("Clearing", "Entered", "amounts"): SUPPLY,
    ("Clearing", "Owed", "amount"): "ClearingAmount: at most 2^52 - 1",
    ("Clearing", "PaidOut", "amount"): SUPPLY,
    ("Deliveries", "Delivered", "dueAt"): SOON,
    ("Deliveries", "DeliveryArranged", "dueAt"): SOON,
    ("Deliveries", "DeliveryObjected", "dueAt"): "the block's time and a bounded wait, or the order's term",
    ("Deliveries", "DeliveryOffered", "amount"): "DeliveriesAmount",
    ("Keys", "GuardiansSet", "delay"): "KeysDelay: at most 30 days",
    ("Keys", "KeyAdded", "limit"): "KeysLimit: at most the giver's, 2^53 - 1",
    ("Keys", "KeyAdded", "validFrom"): "the block's time",
    ("Keys", "KeyAdded", "validUntil"): "KeysTerm: at most 2^53 - 1",
    ("Keys", "RecoveryApproved", "readyAt"): SOON,
    ("Lineage", "ConsentGiven", "validUntil"): "LineageTerm",
    ("Listings", "Listed", "price"): "ListingsPrice",
    ("Listings", "Listed", "validUntil"): TERM,
    ("Orders", "Challenged", "amount"): SUPPLY,
    ("Orders", "Challenged", "epsilon"): BUDGET,
    ("Orders", "Claimed", "amount"): SUPPLY,
    ("Orders", "Claimed", "epsilon"): BUDGET,
    ("Orders", "Claimed", "until"): SOON,
    ("Orders", "Funded", "escrow"): SUPPLY,
    ("Orders", "Funded", "epsilonCap"): BUDGET,
    ("Orders", "Funded", "validUntil"): TERM,
    ("Orders", "Refunded", "amount"): SUPPLY,
    ("Orders", "Settled", "amount"): SUPPLY,
    ("Orders", "Settled", "epsilon"): BUDGET,
    ("Orders", "Settled", "fee"): SUPPLY,
    ("Orders", "Settled", "refund"): SUPPLY,
    ("Orders", "SharePaid", "amount"): SUPPLY,
    ("Participants", "Leaving", "exitAt"): SOON,
    ("Registrations", "Acted", "statedAt"): "RegistrationsTime: at most the block's time",
    ("Registrations", "Acted", "dueAt"): "RegistrationsDates: a bounded wait after statedAt",
    ("Registrations", "Acted", "decideBy"): "RegistrationsDates: a bounded wait after statedAt",
    ("Registrations", "Certified", "validUntil"): TERM,
    ("Registrations", "Filed", "filing.statedAt"): "RegistrationsTime: at most the block's time",
    ("Registrations", "Filed", "filing.dueAt"): "RegistrationsDates: a bounded wait after statedAt",
    ("Registrations", "Filed", "filing.decideBy"): "RegistrationsDates: a bounded wait after statedAt",
    (
        "Registrations",
        "Filed",
        "filing.deadline",
    ): "not bounded, but in no column: the JSON of the event has it",
    ("Rights", "BudgetCommitted", "amount"): BUDGET,
    ("Rights", "BudgetReleased", "amount"): BUDGET,
    ("Rights", "Confirmed", "validUntil"): TERM,
    ("Rights", "Registered", "epsilonBudget"): BUDGET,
    ("SettlementToken", "Approval", "value"): "never said: nobody approves",
    ("SettlementToken", "Issued", "amount"): SUPPLY,
    ("SettlementToken", "RedemptionExpired", "amount"): SUPPLY,
    ("SettlementToken", "RedemptionPaid", "amount"): SUPPLY,
    ("SettlementToken", "RedemptionRejected", "amount"): SUPPLY,
    ("SettlementToken", "RedemptionRequested", "amount"): SUPPLY,
    ("SettlementToken", "RedemptionRequested", "payBy"): SOON,
    ("SettlementToken", "Transfer", "value"): SUPPLY,
    ("Titles", "TitleDerived", "validFrom"): "before its end, which is within the title above",
    ("Titles", "TitleDerived", "validUntil"): TERM,
    ("Titles", "TitleGranted", "validUntil"): TERM,
}


def wide(inputs: list[dict[str, Any]], within: str = "") -> Iterator[str]:
    """Names of the integers that may need more than 63 bits, those of structs and lists among them."""
    for item in inputs:
        name = within + item["name"]
        if item["type"].startswith("tuple"):
            yield from wide(item["components"], f"{name}.")
        elif found := INTEGER.match(item["type"]):
            bits = int(found[2]) - (not found[1])
            if bits > 63:
                yield name


def test_every_wide_integer_of_an_event_is_bounded() -> None:
    found = {
        (contract, event["name"], name)
        for contract in CONTRACTS
        for event in artifacts.load(contract).entries("event")
        for name in wide(event["inputs"])
    }
    counted = {item for item in found if item[2] == "version"}
    placed = {item for item in found if item[1:] == ("Refused", "index")}  # a call's place in its batch
    assert found - counted - placed == BOUNDED.keys()

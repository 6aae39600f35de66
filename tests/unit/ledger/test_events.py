"""Which call caused which event: told from their order alone, and refused where they do not add up."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace import artifacts
from marketplace.calls import VERBS
from marketplace.errors import VerificationError
from marketplace.events import Event
from marketplace.ledger.events import OPENINGS, attribute

# What one accepted or refused call of Orders leaves, by what was asked.
SHAPES: dict[str, Sequence[tuple[str, str]]] = {
    "fund": (
        ("Orders", "Funded"),
        ("SettlementToken", "Transfer"),
        ("Rights", "BudgetCommitted"),
        ("Rights", "TitleGranted"),
    ),
    "settle": (
        ("Orders", "Settled"),
        ("Rights", "BudgetReleased"),
        ("Orders", "SharePaid"),
        ("SettlementToken", "Transfer"),
    ),
    "refund": (("Orders", "Refunded"), ("SettlementToken", "Transfer")),
    "claim": (("Orders", "Claimed"),),
    "refused": (("Orders", "Refused"),),
}


def events_of(calls: Sequence[str]) -> tuple[list[Event], list[int]]:
    events, owners = [], []
    for index, call in enumerate(calls):
        for contract, name in SHAPES[call]:
            args: dict[str, Any] = {"index": index} if name == "Refused" else {}
            events.append(Event(contract, name, args))
            owners.append(index)
    return events, owners


@given(st.lists(st.sampled_from(sorted(SHAPES)), max_size=30))
def test_every_event_finds_its_call(calls: list[str]) -> None:
    events, owners = events_of(calls)
    assert attribute(events, "Orders", len(calls)) == owners


@given(st.lists(st.sampled_from(sorted(SHAPES)), min_size=1, max_size=10), st.integers(-1, 1).filter(bool))
def test_a_call_too_many_or_too_few_is_noticed(calls: list[str], difference: int) -> None:
    events, _ = events_of(calls)
    if difference < 0 and calls[-1] == "refused":
        difference = 1
    with pytest.raises(VerificationError) as finding:
        attribute(events, "Orders", len(calls) + difference)
    assert finding.value.code == "ledger_calls_unclear"


def test_an_event_before_any_call_is_noticed() -> None:
    events, _ = events_of(["fund"])
    with pytest.raises(VerificationError):
        attribute([events[1], *events], "Orders", 1)


def test_every_opening_is_an_event_of_its_contract_and_every_contract_has_one() -> None:
    assert set(OPENINGS) == set(VERBS)
    for contract, names in OPENINGS.items():
        assert names <= {entry["name"] for entry in artifacts.load(contract).entries("event")}

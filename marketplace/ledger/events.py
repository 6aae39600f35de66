"""From receipts to named events, and which intent caused which event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.calls import decode_event
from marketplace.errors import VerificationError
from marketplace.events import Event

REFUSED = "Refused"

# Every accepted verb emits exactly one of these, before any other event, from the contract that was called.
OPENINGS: Mapping[str, frozenset[str]] = {
    "Participants": frozenset(("Admitted", "StatusChanged")),
    "Rights": frozenset(("Registered", "Confirmed", "TitleTransferred", "ShareTransferred")),
    "Listings": frozenset(("Listed", "Delisted")),
    "SettlementToken": frozenset(("Transfer",)),
    "Orders": frozenset(("Funded", "Settled", "Refunded")),
    "Evidence": frozenset(("Anchored",)),
}


@dataclass(frozen=True)
class PlacedEvent:
    """An event and its index within its block."""

    event: Event
    log_index: int


def read_events(receipt: Mapping[str, Any], names: Mapping[str, str]) -> list[PlacedEvent]:
    """The events of our contracts in one receipt, in order.

    Args:
        names: contract name by address, "0x" lower-case hex.

    Raises:
        InvalidInputError: one of our contracts emitted what its ABI does not name.
    """
    ours = ((names.get(entry["address"]), entry) for entry in receipt["logs"])
    return [_place(contract, entry) for contract, entry in ours if contract is not None]


def attribute(events: Sequence[Event], contract: str, count: int) -> list[int]:
    """For each event of a `submit` to `contract` with `count` calls: the index of the call that caused it.

    Raises:
        VerificationError: `ledger_calls_unclear`: the events do not add up to `count` calls.
    """
    refused = {event.args["index"] for event in events if _is_refusal(event, contract)}
    accepted = [i for i in range(count) if i not in refused]
    owners, position = [], -1
    for event in events:
        position += event.contract == contract and event.name in OPENINGS[contract]
        current = accepted[position] if 0 <= position < len(accepted) else -1
        owners.append(event.args["index"] if _is_refusal(event, contract) else current)
    if position + 1 != len(accepted) or -1 in owners:
        raise VerificationError(
            "ledger_calls_unclear",
            f"{position + 1} calls of {contract} took effect where {len(accepted)} were accepted",
            zh="区块事件与调用数目不符",
            expected=len(accepted),
            got=position + 1,
        )
    return owners


def _is_refusal(event: Event, contract: str) -> bool:
    return event.contract == contract and event.name == REFUSED


def _place(contract: str, entry: Mapping[str, Any]) -> PlacedEvent:
    topics = [bytes.fromhex(topic[2:]) for topic in entry["topics"]]
    return PlacedEvent(decode_event(contract, topics, bytes.fromhex(entry["data"][2:])), int(entry["logIndex"], 16))

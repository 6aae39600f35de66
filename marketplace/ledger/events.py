"""From receipts to named events, and which intent caused which event."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from crypto.canonical import keccak256, to_hex
from marketplace import artifacts
from marketplace.calls import decode_event
from marketplace.currencies import kind_of
from marketplace.errors import VerificationError
from marketplace.events import Event

REFUSED = "Refused"

_FIXED = re.compile(r"address|bytes32|uint\d+")
_PADDING = "0" * 24

# Every accepted verb emits exactly one of these, before any other event, from the contract that was called.
OPENINGS: Mapping[str, frozenset[str]] = {
    "Participants": frozenset(("Admitted", "StatusChanged", "Applied", "Leaving")),
    "Rights": frozenset(
        (
            *("Registered", "Confirmed", "ShareTransferred", "Marked"),
            *("SharePledged", "ShareReleased", "ShareEnforced", "ShareEncumbered"),
        )
    ),
    "Titles": frozenset(
        (
            *("TitleTransferred", "TitleDerived", "TitleEnded", "TitleEncumbered"),
            *("TitlePledged", "PledgeReleased", "ActPermitted", "PledgeEnforced"),
        )
    ),
    "Listings": frozenset(("Listed", "Delisted")),
    "Agreements": frozenset(("Agreed", "AgreementAmended", "AgreementRetired")),
    "SettlementToken": frozenset(("Transfer",)),
    "Orders": frozenset(("Funded", "Settled", "Refunded", "Claimed", "Challenged")),
    "Evidence": frozenset(("Anchored",)),
    "Clearing": frozenset(("BatchOpened", "Owed", "BatchClosed", "Collected", "Dropped", "BatchConfirmed", "PaidOut")),
    "Keys": frozenset(
        ("KeyAdded", "KeyEnded", "KeyRotated", "GuardiansSet", "RecoveryApproved", "RecoveryVetoed", "Recovered")
    ),
    "Lineage": frozenset(("LineageDeclared", "ConsentGiven", "ConsentWithdrawn")),
    "Deliveries": frozenset(
        (
            *("DeliveryOffered", "DeliveryArranged", "Delivered", "DeliveryAcknowledged"),
            *("DeliveryObjected", "DeliveryAccepted", "DeliveryDeemed", "DeliveryLapsed"),
        )
    ),
    "Registrations": frozenset(("Filed", "Acted", "Expired", "RulebookAdopted")),
}


class PlacedEvent(NamedTuple):
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
        position += event.contract == contract and event.name in OPENINGS[kind_of(contract)]
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
    return PlacedEvent(_quick(contract, entry) or _thorough(contract, entry), int(entry["logIndex"], 16))


def _thorough(contract: str, entry: Mapping[str, Any]) -> Event:
    topics = [bytes.fromhex(topic[2:]) for topic in entry["topics"]]
    return decode_event(contract, topics, bytes.fromhex(entry["data"][2:]))


def _quick(contract: str, entry: Mapping[str, Any]) -> Event | None:
    """The same event from hex text, several times faster; None unless every field is fixed-size and regular."""
    layout = _layouts(contract).get(entry["topics"][0])
    if layout is None or len(entry["data"]) != 2 + 64 * layout.words or len(entry["topics"]) != layout.topics:
        return None
    data = entry["data"].lower()
    args = {}
    for name, kind, is_topic, place in layout.fields:
        word = entry["topics"][place][2:].lower() if is_topic else data[2 + 64 * place : 66 + 64 * place]
        value = _read_word(kind, word)
        if value is None:
            return None
        args[name] = value
    return Event(contract, layout.name, args)


@dataclass(frozen=True)
class _Layout:
    """Where an event's fields are: (name, ABI type, whether a topic, index among topics or words)."""

    name: str
    fields: tuple[tuple[str, str, bool, int], ...]
    topics: int
    words: int


@cache
def _layouts(contract: str) -> dict[str, _Layout]:
    """By first topic: the events of `contract` that have fixed-size fields only."""
    fixed = [
        e
        for e in artifacts.load(contract).entries("event")
        if all(_FIXED.fullmatch(item["type"]) for item in e["inputs"])
    ]
    return {_topic(entry): _layout(entry) for entry in fixed}


def _layout(entry: Mapping[str, Any]) -> _Layout:
    fields, topics, words = [], 1, 0
    for item in entry["inputs"]:
        fields.append((item["name"], item["type"], item["indexed"], topics if item["indexed"] else words))
        topics, words = topics + item["indexed"], words + (not item["indexed"])
    return _Layout(entry["name"], tuple(fields), topics, words)


def _topic(entry: Mapping[str, Any]) -> str:
    return to_hex(keccak256(f"{entry['name']}({','.join(item['type'] for item in entry['inputs'])})".encode()))


def _read_word(kind: str, word: str) -> str | int | None:
    """A 32-byte word in hex as a JSON value; None if its padding is not as it should be."""
    if kind == "bytes32":
        return "0x" + word
    if kind == "address":
        return "0x" + word[24:] if word.startswith(_PADDING) else None
    value = int(word, 16)
    return value if value < 1 << int(kind[4:]) else None

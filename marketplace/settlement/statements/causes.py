"""Why money moved: pure functions of the ledger's events, for the service and the auditor alike."""

from collections.abc import Mapping
from typing import Any

from marketplace.webhooks.rules import type_of

_ABOUT = ("orderId", "redemptionId", "batchId", "ref")
UNKNOWN = (type_of("SettlementToken", "Transfer"), "")  # of a movement that no event gives a cause


def cause_of(contract: str, name: str, args: Mapping[str, Any]) -> tuple[str, str] | None:
    """The kind of an event and the id of the object that it names; None where it names none.

    An intent's cause is that of the first of its events that has one.
    """
    about = next((args[field] for field in _ABOUT if field in args), None)
    return None if about is None else (type_of(contract, name), about)


def amount_for(account: str, args: Mapping[str, Any]) -> int:
    """What a `Transfer` brings an account; negative for what goes, 0 for what it sends to itself."""
    amount: int = args["value"] * ((args["to"] == account) - (args["from"] == account))
    return amount

"""What happened, as the ledger states it: one form for rules, contracts, read model and auditor."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event of one contract.

    Args:
        contract: one of `marketplace.intents.CONTRACTS`.
        name: the Solidity event, past tense.
        args: its fields by name; addresses and bytes32 as "0x" lower-case hex text, integers as int, arrays as list.
    """

    contract: str
    name: str
    args: dict[str, Any]

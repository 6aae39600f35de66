"""Every reason for which the ledger refuses a call: one table for the contracts' errors and for the Python rules.

A rule in Python refuses with the name and the values of the Solidity error, so both give the same code, the same words
and even the same revert bytes.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from crypto.canonical import from_hex, keccak256, to_hex
from marketplace import artifacts
from marketplace.errors import RuleError
from marketplace.intents import CONTRACTS
from marketplace.refusals.agreements import AGREEMENTS
from marketplace.refusals.claims import CLAIMS
from marketplace.refusals.clearing import CLEARING
from marketplace.refusals.deliveries import DELIVERIES
from marketplace.refusals.entry import Refusal
from marketplace.refusals.keys import KEYS
from marketplace.refusals.lineage import LINEAGE
from marketplace.refusals.money import MONEY
from marketplace.refusals.registers import REGISTERS
from marketplace.refusals.registrations import REGISTRATIONS
from marketplace.refusals.titles import TITLES

REFUSALS: dict[str, Refusal] = {
    refusal.error: refusal
    for refusal in (
        *(*REGISTERS, *TITLES, *REGISTRATIONS, *LINEAGE, *KEYS),
        *(*AGREEMENTS, *MONEY, *CLAIMS, *CLEARING, *DELIVERIES),
    )
}
FAILED = "ledger_call_failed"


class LedgerRuleError(RuleError):
    """A rule of the ledger refuses.

    Args:
        error: name of the Solidity custom error.
        values: its values by name, in the forms of `marketplace.events`.
    """

    def __init__(self, error: str, values: Mapping[str, Any]) -> None:
        refusal = REFUSALS[error]
        super().__init__(refusal.code, **refusal.told(values))
        self.error, self.values = error, dict(values)


def refuse(error: str, **values: Any) -> LedgerRuleError:
    """The refusal that the contracts would give; raise it.

    Args:
        error: name of a custom error in the contracts.
        values: the error's values by their Solidity names.
    """
    return LedgerRuleError(error, values)


def to_revert(refusal: LedgerRuleError) -> bytes:
    """The revert data with which the contracts refuse for the same reason."""
    selector, names, kinds = _errors()[refusal.error]
    values = [_to_abi(kind, refusal.values[name]) for name, kind in zip(names, kinds, strict=True)]
    return selector + encode(kinds, values)


def from_revert(reason: bytes) -> RuleError:
    """The refusal that revert data states. Never raises: what no table explains becomes `ledger_call_failed`.

    Args:
        reason: revert data, e.g. of the event Refused; empty where a call ran out of gas or its shape was wrong.
    """
    error = _errors_by_selector().get(reason[:4])
    if error is None:
        return _unexplained(reason)
    _, names, kinds = _errors()[error]
    try:
        values = [_from_abi(value) for value in decode(kinds, reason[4:])]
    except (DecodingError, ValueError, OverflowError):  # a length beyond any machine's, or text that is no UTF-8
        return _unexplained(reason)
    return LedgerRuleError(error, dict(zip(names, values, strict=True)))


@cache
def _errors() -> dict[str, tuple[bytes, list[str], list[str]]]:
    entries = [entry for contract in CONTRACTS for entry in artifacts.load(contract).entries("error")]
    return {entry["name"]: _error(entry) for entry in entries}


def _error(entry: Mapping[str, Any]) -> tuple[bytes, list[str], list[str]]:
    kinds = [item["type"] for item in entry["inputs"]]
    selector = keccak256(f"{entry['name']}({','.join(kinds)})".encode())[:4]
    return selector, [item["name"] for item in entry["inputs"]], kinds


@cache
def _errors_by_selector() -> dict[bytes, str]:
    return {selector: name for name, (selector, _, _) in _errors().items()}


def _to_abi(kind: str, value: Any) -> Any:
    return from_hex(value) if kind == "bytes32" else value


def _from_abi(value: Any) -> Any:
    return to_hex(value) if isinstance(value, bytes) else value


def _unexplained(reason: bytes) -> RuleError:
    return RuleError(
        FAILED,
        "the ledger gave the call up without naming a rule",
        zh="账本中止了该调用，未说明规则",
        rule="ledger.call_completes",
        got=to_hex(reason[:68]),
        hint="the call ran out of gas, or a value in it has the wrong form; check it and send it again",
        hint_zh="调用耗尽燃料或数值格式有误；请检查后重新提交",
    )


__all__ = ["FAILED", "REFUSALS", "LedgerRuleError", "Refusal", "from_revert", "refuse", "to_revert"]

"""The Solidity sources, the committed ABI and the Python vocabulary say the same."""

import re
from pathlib import Path

import pytest

from marketplace import artifacts
from marketplace.calls import SUBMIT, VERBS, parameters_of
from marketplace.intents import CHALLENGE_SECONDS, CONTRACTS, INTENTS, OFF_LEDGER, REFUND_GRACE_SECONDS
from marketplace.participants import keys
from marketplace.refusals import REFUSALS, LedgerRuleError, from_revert, to_revert
from marketplace.types import Act, Role

SOURCES = Path(__file__).resolve().parents[3] / "contracts" / "src"
LEDGER_INTENTS = {name: intent for name, intent in INTENTS.items() if name not in OFF_LEDGER}

# What only another contract may call, and what an ERC-20 has to offer although the loop is closed.
NO_VERBS = {
    *("certify", "open", "enter", "grantUse", "commitBudget", "releaseBudget", "conclude", "giveBack"),
    *("approve", "transferFrom", SUBMIT),
}


def _errors() -> dict[str, list[str]]:
    entries = [entry for name in CONTRACTS for entry in artifacts.load(name).entries("error")]
    return {entry["name"]: [item["name"] for item in entry["inputs"]] for entry in entries}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_type_strings_in_solidity_are_the_intents(contract: str) -> None:
    text = (SOURCES / f"{contract}.sol").read_text(encoding="utf-8")
    written = set(re.findall(r'keccak256\(\s*"([^"]+)"\s*\)', text))
    assert written == {intent.type_string for intent in LEDGER_INTENTS.values() if intent.contract == contract}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_verbs_take_intents_field_by_field(contract: str) -> None:
    for verb in VERBS[contract]:
        for parameter in parameters_of(contract, verb):
            if parameter.struct:
                fields = tuple((item.name, item.kind) for item in parameter.fields)
                assert (fields, contract) == (INTENTS[parameter.struct].fields, INTENTS[parameter.struct].contract)


def test_every_intent_has_a_verb() -> None:
    taken = {
        item.struct for contract, verbs in VERBS.items() for verb in verbs for item in parameters_of(contract, verb)
    }
    assert taken - {""} == set(LEDGER_INTENTS)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_function_that_writes_is_a_verb_or_known_not_to_be_one(contract: str) -> None:
    functions = artifacts.load(contract).entries("function")
    writing = {entry["name"] for entry in functions if entry["stateMutability"] not in ("view", "pure")}
    called = {"Titles": {"offer", "hand"}, "Rights": {"end", "noteParty"}}  # by other contracts alone
    known = NO_VERBS | called.get(contract, set())
    assert writing - known - {"transfer"} == set(VERBS[contract]) - {"transfer"}


def test_every_custom_error_is_explained_and_none_is_invented() -> None:
    assert set(_errors()) == set(REFUSALS)


@pytest.mark.parametrize("error", sorted(REFUSALS))
def test_refusals_speak_of_their_own_values_in_two_languages(error: str) -> None:
    refusal = REFUSALS[error]
    names = {*_errors()[error], *refusal.terms}
    parts = [part for part in (refusal.expected, refusal.got) if part]
    assert {part for part in parts if isinstance(part, str)} <= names
    words = [text for part in parts if not isinstance(part, str) for text in part]
    for text in (refusal.message, refusal.zh, refusal.hint, refusal.hint_zh, *words):
        assert text.format_map(dict.fromkeys(names, 1))
    assert re.fullmatch(r"[a-z0-9_]+", refusal.code)
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", refusal.rule)


def test_codes_are_distinct() -> None:
    codes = [refusal.code for refusal in REFUSALS.values() if refusal.code != "deployment_invalid"]
    assert len(set(codes)) == len(codes)


def test_roles_have_the_same_bits() -> None:
    text = (SOURCES / "Roles.sol").read_text(encoding="utf-8")
    bits = {name: int(value) for name, value in re.findall(r"constant (\w+) = (\d+);", text)}
    assert bits == {role.name: int(role) for role in Role} | {"ALL": sum(Role)}


def test_acts_have_the_same_bits() -> None:
    text = (SOURCES / "Acts.sol").read_text(encoding="utf-8")
    bits = {name: int(value) for name, value in re.findall(r"constant (\w+) = (\d+);", text)}
    assert bits == {act.name: int(act) for act in Act} | {"ALL": sum(Act)}


def test_grace_and_limits_are_the_same_numbers() -> None:
    sources = "".join((SOURCES / name).read_text(encoding="utf-8") for name in ("Orders.sol", "Keys.sol"))
    units = {"days": 86_400}
    found = re.findall(r"constant (\w+_GRACE|\w+_DELAY|CHALLENGE_WINDOW) = (\d+) (\w+);", sources)
    assert {name: int(value) * units[unit] for name, value, unit in found} == {
        "VOUCHER_GRACE": INTENTS["Voucher"].grace,
        "CHALLENGE_WINDOW": CHALLENGE_SECONDS,
        "REFUND_GRACE": REFUND_GRACE_SECONDS,
        "MIN_DELAY": keys.MIN_DELAY_SECONDS,
        "MAX_DELAY": keys.MAX_DELAY_SECONDS,
        "REGISTRAR_DELAY": keys.REGISTRAR_DELAY_SECONDS,
    }


@pytest.mark.parametrize("reason", [b"", b"\x08\xc3y\xa0", bytes(4), b"Nh{q" + bytes(32)])
def test_unexplained_revert_data_is_still_a_refusal(reason: bytes) -> None:
    assert from_revert(reason).code == "ledger_call_failed"


def test_revert_data_cut_short_is_still_a_refusal() -> None:
    whole = to_revert(LedgerRuleError("OrdersNotDue", {"orderId": "0x" + "11" * 32, "validUntil": 7}))
    assert from_revert(whole).code == "refund_not_due"
    assert from_revert(whole[:-1]).code == "ledger_call_failed"

"""The authorisation matrix of the ledger: every verb, signed by every role and standing, on contracts and in the rules.

The table is marketplace/refusals/signers.py. Calls that take effect come from a random history (tests/histories.py);
each is then signed by everybody else in the place of its signer, and must be refused with the error that the table
says, or taken where the table has nothing against it. Contracts and rules are asked the same and must say the same.
"""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from crypto import typed_data
from crypto.canonical import keccak256, to_hex
from marketplace.calls import VERBS, encode_call, parameters_of
from marketplace.documents.ids import (
    agreement_id,
    asset_id,
    batch_id,
    case_id,
    debt_id,
    granted_id,
    listing_id,
    order_id,
    redemption_id,
)
from marketplace.intents import INTENTS, intent_digest
from marketplace.refusals import from_revert
from marketplace.refusals.signers import SIGNERS, UNSIGNED, Active, Check, Fresh, Is, NotSuspended, Signer
from marketplace.rights.records import MAX_SHARE_HOLDERS
from marketplace.types import ParticipantStatus, Role
from tests.histories import ADDRESSES, BUILDERS, CLAIM_VERBS, ENCUMBERING, STRANGER, Call, History, Part
from tests.integration.contracts.test_histories import Chain, draw_calls, found_market, run_batch, run_calls

NOBODY = Role(0)
LONE = {"without a role": NOBODY, **{f"lone {role.name}": role for role in Role}}
EVERYBODY = {"stranger": NOBODY, **LONE, "suspended": NOBODY}
SECRETS = {name: keccak256(f"signers {name}".encode()) for name in (*LONE, "suspended")} | {"stranger": STRANGER}
ACCOUNTS = {name: typed_data.address_of(secret) for name, secret in SECRETS.items()}
MOST_STEPS = 400

# what is derived from a signer's address, by intent: (field, from the history and the message)
DERIVED: Mapping[str, tuple[str, Any]] = {
    "Admit": ("version", lambda h, m: h.state.participants.of(m["account"]).version),
    "Leave": ("version", lambda h, m: h.state.participants.of(m["account"]).version),
    "Register": ("assetId", lambda _, m: asset_id(m["holder"], m["manifestDigest"])),
    "File": ("caseId", lambda _, m: case_id(m["assetId"], m["applicant"], m["formDigest"], m["statedAt"])),
    "List": ("listingId", lambda _, m: listing_id(m["seller"], m["assetId"], m["termsDigest"])),
    "Grant": ("titleId", lambda _, m: granted_id(m["parent"], m["grantee"], m["termsDigest"])),
    "PledgeShare": ("version", lambda h, m: h.state.rights.assets[m["assetId"]].encumbrance_of(m["holder"]).version),
    "Fund": ("orderId", lambda _, m: order_id(m["buyer"], m["listingId"], m["agreementDigest"])),
    "Redeem": ("redemptionId", lambda _, m: redemption_id(m["account"], m["currency"], m["payoutDigest"])),
    "Agree": ("agreementId", lambda _, m: agreement_id(m["partyA"], m["partyB"], m["agreementDigest"])),
    "AmendAgreement": ("agreementId", lambda _, m: agreement_id(m["partyA"], m["partyB"], m["agreementDigest"])),
    "OpenBatch": ("batchId", lambda _, m: batch_id(m["exchange"], m["number"])),
    "Owe": ("debtId", lambda _, m: debt_id(m["debtor"], m["creditor"], m["ref"])),
}
# what a caller is refused for whom the table has nothing against: no bank issues to whoever never was admitted
LACKING = {("SettlementToken", "redeem"): {"stranger": "ERC20InsufficientBalance"}}
Cells = dict[str, tuple[str, str]]
"""Who signs -> the error of the rules and that of the contract; "" where the call is taken."""


@contextmanager
def signing(history: History) -> Iterator[None]:
    """Our people sign meanwhile; else the history would make keys and mischief of their addresses."""
    mine = {ACCOUNTS[name]: secret for name, secret in SECRETS.items()}
    history.secrets |= mine
    history.careful = True
    yield
    history.careful = False
    for account in mine:
        del history.secrets[account]


@contextmanager
def aside(history: History, dice: Random) -> Iterator[None]:
    """Draw from `dice` meanwhile, so that the history goes on as if nothing had been drawn."""
    own, history.random = history.random, dice
    yield
    history.random = own


def join_everybody(chain: Chain, history: History, key: bytes) -> None:
    """Admit a participant of each role and one of all roles, suspend that one, and give those who trade money."""
    admissions, issues = [], []
    for name, role in {**LONE, "suspended": Role(sum(Role))}.items():
        account = ACCOUNTS[name]
        join = {"account": account, "roles": int(role), "identityDigest": "0x" + "5d" * 32, "deadline": 2**53 - 1}
        admission = {**join, "version": 0, "registrar": ADDRESSES["registrar"]}
        admissions.append(
            history._sign("Participants", "admit", [history._part("Join", join), history._part("Admit", admission)])
        )
        issues.append(history._sign("SettlementToken", "issue", [history._payment(account, 3_000_000)]))
    suspended = suspension(history, ACCOUNTS["suspended"], version=1)
    for calls in (admissions, issues, [suspended]):
        assert all(outcome.refusal is None for outcome in run_batch(chain, history, key, calls))


def acting(history: History, parts: list[Part], place: int, field: str, account: str) -> list[Part]:
    """The call with `account` in the place of a signer: in every part that names the same one, ids made anew."""
    old = parts[place].message[field]
    changed = []
    for index, part in enumerate(parts):
        same = index == place or part.message.get(field) == old
        message = {**part.message, field: account} if same else dict(part.message)
        if part.intent in DERIVED:
            name, derive = DERIVED[part.intent]
            message[name] = derive(history, message)
        signers = tuple(message[name] for name in INTENTS[part.intent].signers) or part.signers
        changed.append(replace(part, message=message, signers=signers))
    return changed


def kept(valid: Call, call: Call) -> Call:
    """The call with the signatures of `valid` under what both say: another key of an account may be bound to less."""
    arguments, same = [], False
    for before, value in zip(valid.arguments, call.arguments, strict=True):
        same = before == value if isinstance(value, Mapping) else same
        arguments.append(before if same else value)
    return replace(call, arguments=arguments)


def forged(history: History, call: Call, part: Part, number: int) -> Call:
    """The call as it was, but for one signature, which a stranger made."""
    intent, message = part.intent, part.message
    at = next(i for i, value in enumerate(call.arguments) if value is message) + 1 + number
    false = to_hex(typed_data.sign(intent_digest(intent, message, history.deployment), STRANGER))
    return replace(call, arguments=[*call.arguments[:at], false, *call.arguments[at + 1 :]])


def about(history: History, message: Mapping[str, Any]) -> str:
    """Whom an act is about: the account that it names, or the registrant of the asset that it, or its title, is of."""
    if "account" in message:
        return str(message["account"])
    asset = message.get("assetId") or history.state.titles.records[message["titleId"]].asset_id
    return history.state.rights.assets[asset].registrant


def by_rules(history: History, call: Call) -> str:
    """The error with which the rules refuse a call; "" where they take it."""
    state = deepcopy(history.state)
    data = encode_call(call.contract, call.verb, call.arguments)
    (outcome,) = state.apply_transaction(call.contract, data, history.now, history.recover)
    return "" if outcome.refusal is None else str(getattr(outcome.refusal, "error", outcome.refusal.code))


def by_contract(chain: Chain, history: History, call: Call) -> str:
    """The error with which the contract refuses a call; "" where it takes it. Nothing is changed."""
    asked = {
        "to": history.genesis.addresses()[call.contract],
        "data": to_hex(encode_call(call.contract, call.verb, call.arguments)),
    }
    more: dict[str, Any] = {"time": hex(history.now)}
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [asked, "latest", {}, more]}
    request = urllib.request.Request(chain.node.url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        told = json.load(answer)
    if "error" not in told:
        return ""
    refusal = from_revert(bytes.fromhex(told["error"]["data"][2:]))
    return str(getattr(refusal, "error", refusal.code))


def suspension(history: History, account: str, version: int) -> Call:
    """Suspends an account, by a regulator whom the history never moves: its registrars may be leaving."""
    decider = ACCOUNTS[f"lone {Role.REGULATOR.name}"]
    change = {"account": account, "status": int(ParticipantStatus.SUSPENDED), "decider": decider}
    change |= {"version": version, "deadline": 2**53 - 1, "reasonDigest": "0x" + "5e" * 32}
    return history._sign("Participants", "setStatus", [history._part("SetStatus", change)])


def when_suspended(chain: Chain, history: History, key: bytes, call: Call, account: str) -> tuple[str, str]:
    """What becomes of a call whose signer is suspended before; afterwards nothing of it has happened."""
    state, blocks, now, nonces = deepcopy(history.state), chain.blocks, chain.now, chain._nonces.copy()
    before = chain.node.rpc.call("evm_snapshot")
    (done,) = run_batch(
        chain, history, key, [suspension(history, account, history.state.participants.of(account).version)]
    )
    assert done.refusal is None
    told = by_rules(history, call), by_contract(chain, history, call)
    assert chain.node.rpc.call("evm_revert", before)
    history.state, chain.blocks, chain.now, chain._nonces = state, blocks, now, nonces
    return told


def is_special(check: Check) -> bool:
    """Whether suspension changes more than standing: the version of a record, or who a registrar stands in for."""
    return isinstance(check, NotSuspended) or (isinstance(check, Is) and check.or_role != NOBODY)


def is_full(history: History, message: Mapping[str, Any]) -> bool:
    """Whether a share is to be pledged where all places of holders are taken, so that no stranger is given a pledge."""
    if "pledgee" not in message or "assetId" not in message:
        return False
    shares = history.state.rights.assets[message["assetId"]].shares
    return len(shares) == MAX_SHARE_HOLDERS and all(share.bps for share in shares)


def walk(chain: Chain, history: History, key: bytes, contract: str, verb: str) -> dict[Signer, Cells] | None:
    """What becomes of a verb for every signer in every place; None where no valid call is to be had now."""
    parts = BUILDERS[verb][1](history)
    valid = None if parts is None else history._sign(contract, verb, parts)
    if valid is None or by_rules(history, valid) != "" or is_full(history, parts[0].message):
        return None
    walked = {}
    for signer in SIGNERS[contract, verb]:
        place = next(i for i, part in enumerate(parts) if part.intent == signer.intent)
        number = (INTENTS[signer.intent].signers or ("",)).index(signer.field)
        calls = {"forged": forged(history, valid, parts[place], number)}
        people = dict(ACCOUNTS) if signer.field else {}
        if signer.own:
            people["own"] = about(history, parts[place].message)
        for name, account in people.items():
            changed = acting(history, parts, place, signer.field, account)
            calls[name] = kept(valid, history._sign(contract, verb, changed))
        cells = {name: (by_rules(history, call), by_contract(chain, history, call)) for name, call in calls.items()}
        account = parts[place].message.get(signer.field, "")
        if history.state.participants.is_active(account) and not any(map(is_special, signer.checks)):
            cells["suspended party"] = when_suspended(chain, history, key, valid, account)
        walked[signer] = cells
    return walked


def trade(
    chain: Chain,
    history: History,
    key: bytes,
    *more: str,
    usual: tuple[str, ...] = ("confirm", "list", "fund", "pledge", "openBatch"),
) -> None:
    """What has to have happened before the last verbs of the table, or `more`, can take effect, as far as it can happen
    now."""
    for verb in (*usual, *more):
        contract, build, _ = BUILDERS[verb]
        parts = build(history)
        if parts is None:
            continue
        with signing(history):
            call = history._sign(contract, verb, parts)
        if by_rules(history, call) == "":
            run_batch(chain, history, key, [call])


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, Signer], Cells]:
    """All cells of all verbs that somebody signs, walked along one random history."""
    chain = Chain(tmp_path_factory.mktemp("node"))
    history, key = found_market(chain, 3)
    history.oversteps = False
    opening = history.opening()
    for contract in ("Participants", "SettlementToken"):
        run_batch(chain, history, key, [call for call in opening if call.contract == contract])
    history.now = chain.now + 1
    for calls in history.head_start():
        assert all(outcome.refusal is None for outcome in run_batch(chain, history, key, calls))
    with signing(history), aside(history, Random(3)):
        join_everybody(chain, history, key)
    left, dice = set(SIGNERS), Random(2)
    late = {verb for verb in left if verb[1] in (*CLAIM_VERBS, *ENCUMBERING)}  # they end or bar what others need
    walked: dict[tuple[str, str, Signer], Cells] = {}
    for _ in range(MOST_STEPS):
        chain.now += history.random.choice([0, 1, 60, 3600])
        history.now = chain.now + 1
        for contract, verb in sorted(left - late or left):
            drawing = aside(history, dice) if contract == "Lineage" else nullcontext()
            with signing(history), drawing:
                found = walk(chain, history, key, contract, verb)
            if found is not None:
                left.remove((contract, verb))
                walked |= {(contract, verb, signer): cells for signer, cells in found.items()}
        if not left:
            break
        trade(chain, history, key, *(() if left - late else ("claim", "pledgeShare")))
        if ("Lineage", "withdraw") in left:
            with aside(history, dice):
                trade(chain, history, key, "declare", "consent", usual=())
        run_calls(chain, history, key, draw_calls(history))
    chain.node.stop()
    assert left == set(), f"no call that takes effect was drawn in {MOST_STEPS} steps"
    return walked


def expected(signer: Signer, caller: str) -> str:
    """The error that the table says; "" where it has nothing against the caller."""
    if caller == "forged":
        return "IntentBatchSignatureInvalid"
    if caller == "own":
        return signer.own
    return next((error for check in signer.checks if (error := failing(check, caller))), "")


def failing(check: Check, caller: str) -> str:
    """The error of a check that the caller does not pass; ""."""
    roles, party = EVERYBODY.get(caller, NOBODY), caller == "suspended party"
    match check:
        case Active(needed, instead):
            ok = caller in LONE and (roles & needed == needed or bool(roles & instead))
            return "" if ok else "ParticipantsNotActive"
        case Is(error=error, or_role=role):
            return "" if party or roles & role else error
        case Fresh(error):
            return "" if caller == "stranger" else error
        case NotSuspended(error):
            return error if caller in ("suspended", "suspended party") else ""


def test_every_verb_is_in_the_table_and_no_other() -> None:
    verbs = {(contract, verb) for contract, names in VERBS.items() for verb in names}
    listed = SIGNERS.keys() | UNSIGNED.keys()
    assert verbs - listed == set(), "say who must sign it, and as what: marketplace/refusals/signers.py"
    assert listed - verbs == set(), "marketplace/refusals/signers.py names a verb that is not there"


@pytest.mark.parametrize(("contract", "verb"), SIGNERS)
def test_every_signer_of_a_verb_is_in_the_table(contract: str, verb: str) -> None:
    structs = [item.struct for item in parameters_of(contract, verb) if item.struct]
    wanted = [(name, field) for name in structs for field in INTENTS[name].signers or ("",)]
    assert [(signer.intent, signer.field) for signer in SIGNERS[contract, verb]] == wanted


@pytest.mark.parametrize(
    ("contract", "verb", "signer"), [(*verb, signer) for verb, signers in SIGNERS.items() for signer in signers]
)
def test_a_verb_takes_its_signers_and_nobody_else(
    matrix: dict[tuple[str, str, Signer], Cells], contract: str, verb: str, signer: Signer
) -> None:
    cells = matrix[contract, verb, signer]
    assert len(cells) > len(EVERYBODY) or not signer.field
    wanted = {caller: expected(signer, caller) for caller in cells} | LACKING.get((contract, verb), {})
    assert {caller: rules for caller, (rules, _) in cells.items()} == wanted
    assert {caller: contracts for caller, (_, contracts) in cells.items()} == wanted

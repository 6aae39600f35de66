"""The contracts on a real node against the Python rules: same histories, same events, same refusals to the byte."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from eth_account import Account

from crypto import typed_data
from crypto.canonical import from_hex, keccak256, to_hex
from marketplace.calls import VERBS, decode_event, encode_batch, encode_call
from marketplace.currencies import kind_of
from marketplace.deployment import Genesis
from marketplace.events import Event
from marketplace.ledger.node import Node, NodeSettings
from marketplace.refusals import LedgerRuleError, from_revert, to_revert
from marketplace.replay import Outcome
from tests.histories import ADDRESSES, CHAIN_ID, CLAIM_VERBS, ENCUMBERING, TREASURY, Call, History
from tests.registering import rulebook

START = 1_800_000_000
HISTORIES = 22
DELIVERING = (
    *("confirm", *["list"] * 2, "offer", *["fund"] * 3, *["arrange"] * 2, *["deliver"] * 3, "acknowledge", "accept"),
    *(*["object"] * 2, *["deem"] * 3, "lapse", "issue"),
)
CLEARING = (
    *("issue", "openBatch", *["owe"] * 6, *["closeBatch"] * 2, *["collect"] * 3, *["drop"] * 2, "confirmBatch"),
    *["pay"] * 3,
)
PASSING = (
    *("confirm", "confirm", *["file"] * 3, *["act"] * 3, *["decide"] * 6, *["grant"] * 12, "transfer", *["pledge"] * 2),
    *("revoke", *["enforce"] * 2, "list", "fund", *["surrender"] * 3, "releasePledge"),
)
CLAIMING = (
    *("confirm", *["list"] * 2, *["fund"] * 5, *["claim"] * 4, *["challenge"] * 5, *["finish"] * 3, "settle", "clear"),
    *("refund", "openBatch", *["offer"] * 2, *["arrange"] * 3, "addKey", "endKey", "issue"),
)
TRADING = (
    *("confirm", *["list"] * 4, *["fund"] * 5, "settle", *["clear"] * 3, "refund", *["issue"] * 2, *["redeem"] * 3),
    *("payRedemption", "rejectRedemption", "expireRedemption", "openBatch", *["owe"] * 3, "closeBatch"),
    *(*["collect"] * 2, "drop", "confirmBatch", *["pay"] * 2),
)
SHARING = (
    *(*["transferShare"] * 4, *["pledgeShare"] * 9, "releaseShare", *["enforceShare"] * 2, "encumberShare"),
    *("register", *["confirm"] * 3),
)
DERIVING = (
    *("register", "file", *["decide"] * 5, *["confirm"] * 2, *["declare"] * 4, *["consent"] * 5, "mark", "grant"),
    *(*["list"] * 6, *["fund"] * 8, *["settle"] * 4, *["clear"] * 2, "openBatch", "transferShare", "issue"),
)
# By seed: histories of a few verbs, which need a course of acts before they have anything to try.
FOCUSED = {12: DELIVERING, 13: DELIVERING, 14: CLEARING, 15: PASSING, 16: CLAIMING, 17: TRADING, 18: SHARING}
FOCUSED |= {19: DERIVING, 20: DERIVING, 21: (*DELIVERING, *["claim"] * 3)}
# By seed: markets of several currencies, one of them without a minor unit.
CURRENCIES = {17: ("CNY", "HKD", "JPY")}
STEPS = 1300
GAS = 25_000_000


class Chain:
    """A node, and one relayer that deploys a market and sends it batches."""

    def __init__(self, folder: Path) -> None:
        self.node = Node(NodeSettings(CHAIN_ID, START, folder))
        self.blocks = 0
        self.now = START
        self.reached: dict[int, Counter[str]] = {}
        self._nonces: Counter[bytes] = Counter()

    def deploy(self, key: bytes, genesis: Genesis) -> list[Event]:
        """Create the contracts; the events that this leaves."""
        receipts = self.seal(key, [(None, genesis.creation_code(name)) for name in genesis.contracts])
        addresses = genesis.addresses()
        assert [receipt["contractAddress"] for receipt in receipts] == [addresses[name] for name in genesis.contracts]
        return [event for receipt in receipts for event in self.events(receipt, genesis)]

    def seal(self, key: bytes, messages: list[tuple[str | None, bytes]]) -> list[dict[str, Any]]:
        """One block of these (to, data) transactions; their receipts."""
        signed = [self._sign(key, to, data) for to, data in messages]
        self.blocks += 1
        self.now += 1
        hashes = [to_hex(keccak256(raw)) for raw in signed]
        return self.node.seal(self.blocks, self.now, signed, hashes).receipts

    @staticmethod
    def events(receipt: dict[str, Any], genesis: Genesis) -> list[Event]:
        """The decoded events of a receipt."""
        names = {address: name for name, address in genesis.addresses().items()}
        return [
            decode_event(
                names[entry["address"]],
                [bytes.fromhex(topic[2:]) for topic in entry["topics"]],
                bytes.fromhex(entry["data"][2:]),
            )
            for entry in receipt["logs"]
        ]

    def _sign(self, key: bytes, to: str | None, data: bytes) -> bytes:
        fields = {"chainId": CHAIN_ID, "nonce": self._nonces[key], "gas": GAS, "type": 2, "value": 0, "data": data}
        fields |= {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0} | ({"to": _checksum(to)} if to else {})
        self._nonces[key] += 1
        return bytes(Account.sign_transaction(fields, key).raw_transaction)


def _checksum(address: str) -> str:
    digits = keccak256(address[2:].encode()).hex()
    return "0x" + "".join(c.upper() if int(d, 16) > 7 else c for c, d in zip(address[2:], digits, strict=False))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    chain = Chain(tmp_path_factory.mktemp("node"))
    yield chain
    chain.node.stop()


def found_market(chain: Chain, seed: int) -> tuple[History, bytes]:
    """A fresh market on the node, and the same one in Python; with the key of its relayer."""
    key = keccak256(f"history relayer {seed}".encode())
    genesis = Genesis(
        typed_data.address_of(key),
        ADDRESSES["registrar"],
        TREASURY,
        (0, 250, 10_000)[seed % 3],
        rulebook().digest,
        CURRENCIES.get(seed, ("CNY",)),
    )
    history = History(Random(seed), genesis, chain.now)
    assert chain.deploy(key, genesis) == history.state.founding
    return history, key


def run_batch(chain: Chain, history: History, key: bytes, calls: list[Call]) -> list[Outcome]:
    """Submit calls of one contract in one transaction, and compare everything with the rules."""
    contract = calls[0].contract
    data = encode_batch([encode_call(contract, call.verb, call.arguments) for call in calls])
    (receipt,) = chain.seal(key, [(history.genesis.addresses()[contract], data)])
    assert receipt["status"] == "0x1"
    outcomes = history.state.apply_transaction(contract, data, chain.now, history.recover)
    assert chain.events(receipt, history.genesis) == [event for item in outcomes for event in _events(contract, item)]
    return outcomes


def _events(contract: str, outcome: Outcome) -> list[Event]:
    if outcome.refusal is None:
        return outcome.events
    assert isinstance(outcome.refusal, LedgerRuleError)
    reason = to_revert(outcome.refusal)
    assert from_revert(reason).as_dict() == outcome.refusal.as_dict()
    return [Event(contract, "Refused", {"index": outcome.index, "reason": to_hex(reason)})]


def run_alone(chain: Chain, history: History, key: bytes, call: Call) -> list[Outcome]:
    """Send one call without a batch: a refusal reverts the transaction."""
    data = encode_call(call.contract, call.verb, call.arguments)
    (receipt,) = chain.seal(key, [(history.genesis.addresses()[call.contract], data)])
    (outcome,) = history.state.apply_transaction(call.contract, data, chain.now, history.recover)
    assert receipt["status"] == ("0x1" if outcome.refusal is None else "0x0")
    assert chain.events(receipt, history.genesis) == outcome.events
    return [outcome]


def run_calls(chain: Chain, history: History, key: bytes, calls: list[Call]) -> list[Outcome]:
    """Mostly in a batch; a call that is alone sometimes goes without."""
    if not calls:
        return []
    if len(calls) == 1 and history.random.random() < 0.3:
        return run_alone(chain, history, key, calls[0])
    return run_batch(chain, history, key, calls)


def draw_calls(history: History, verb: str | None = None) -> list[Call]:
    """One to eight calls of one contract, the first of `verb` if given; drawn before any of them runs, so they also get
    in each other's way."""
    first = history.next_call(verb)
    if first is None:
        return []
    barred = (*history.without, *(() if history.claims else CLAIM_VERBS))
    verbs = [verb for verb in VERBS[kind_of(first.contract)] if verb not in barred]
    more = [history.next_call(history.random.choice(verbs)) for _ in range(history.random.randint(0, 7))]
    return [first, *(call for call in more if call is not None and call.contract == first.contract)]


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_contracts_and_rules_agree(chain: Chain, seed: int) -> None:
    assert reached(chain, seed)


def reached(chain: Chain, seed: int) -> Counter[str]:
    """Run one history, once; the verbs that took effect and the codes of refusals that it came to."""
    if seed not in chain.reached:
        chain.reached[seed] = run_history(chain, seed)
    return chain.reached[seed]


def run_history(chain: Chain, seed: int) -> Counter[str]:
    """Some hundred calls, compared one transaction after the other, and all balances at the end."""
    history, key = found_market(chain, seed)
    focus = FOCUSED.get(seed)
    history.changes_hands = focus is PASSING
    history.forgets_keys, history.claims = focus is DELIVERING, focus is CLAIMING
    history.derives = focus is DERIVING
    history.without = ("Lineage",) if focus in (DELIVERING, CLAIMING) else ("Deliveries", "Lineage")
    history.without += () if focus is SHARING else ENCUMBERING
    opening = history.opening()
    for contract in ("Participants", *history.state.tokens):
        outcomes = run_batch(chain, history, key, [call for call in opening if call.contract == contract])
        assert all(outcome.refusal is None for outcome in outcomes)
    history.now = chain.now + 1
    for calls in history.head_start():
        assert all(outcome.refusal is None for outcome in run_batch(chain, history, key, calls))
    seen: Counter[str] = Counter()
    steps = 0
    while steps < STEPS:
        jump = 86_400 * (4 if focus is CLAIMING else 1 if focus else 40)
        chain.now += history.random.choice([0, 1, 60, 3600] if history.random.random() < 0.97 else [jump])
        history.now = chain.now + 1
        calls = draw_calls(history, history.random.choice(focus) if focus else None)
        steps += len(calls) + 1
        outcomes = run_calls(chain, history, key, calls)
        seen.update(outcome.refusal.code if outcome.refusal else outcome.verb for outcome in outcomes)
    compare_balances(chain, history)
    return seen


def compare_balances(chain: Chain, history: History) -> None:
    """Every account's balance on the node is what the rules say."""
    selector = keccak256(b"balanceOf(address)")[:4]
    for token in history.state.tokens.values():
        accounts = [*ADDRESSES.values(), TREASURY, token.accounts.escrow, history.state.batches.account]
        accounts.append(token.accounts.locked)
        requests = [
            (
                "eth_call",
                [{"to": accounts[-1], "data": to_hex(selector + from_hex(account).rjust(32, b"\0"))}, "latest"],
            )
            for account in accounts
        ]
        balances = [int(answer, 16) for answer in chain.node.rpc.batch(requests)]
        assert balances == [token.accounts.balance(account) for account in accounts]


def test_histories_reach_every_verb_and_most_refusals(chain: Chain) -> None:
    """The comparison above is worth what it reached."""
    seen = {name for seed in range(HISTORIES) for name in reached(chain, seed)}
    assert {verb for verbs in VERBS.values() for verb in verbs} <= seen
    expected = {
        "title_marks", "title_pledged", "title_not_pledgee", "title_id_mismatch", "title_first",
        "intent_signature_invalid", "intent_expired", "intent_stale", "participant_not_active", "participant_status",
        "participant_application_mismatch", "asset_status", "asset_claim_mismatch", "asset_own_matter",
        "asset_term_over", "certificate_term",
        "asset_shares_invalid", "asset_id_mismatch", "asset_expired", "title_not_held", "title_not_transferable",
        "title_not_grantable", "title_wider", "title_conflict", "title_over", "title_encumbered",
        "share_pledged", "share_not_pledgee", "share_encumbered", "share_marks", "share_same_party",
        "share_to_registrar",
        "transfer_same_party", "share_too_small", "shares_full", "budget_exceeded", "listing_not_listed",
        "listing_expired", "listing_term", "issue_reference_used", "balance_insufficient", "order_not_funded",
        "order_own_listing", "order_term", "escrow_too_small", "close_mismatch", "close_not_seller",
        "voucher_over_escrow", "voucher_over_epsilon_cap", "refund_not_due", "anchor_size", "anchor_previous_root",
        "clearing_id_mismatch", "clearing_status", "clearing_same_party", "clearing_debt_exists", "clearing_amount",
        "clearing_legs", "clearing_pay_by", "clearing_covered", "clearing_short", "clearing_solvent",
        "clearing_not_due", "clearing_uncovered", "clearing_nothing_to_pay",
        "act_not_permitted", "act_over_limit", "key_not_administrator", "key_taken", "key_acts", "key_limit_range",
        "key_term", "key_not_live", "key_own", "key_account_unknown", "guardians_invalid", "guardians_delay",
        "recovery_not_guardian", "recovery_own_matter", "recovery_open", "recovery_status", "recovery_not_ready",
        "clearing_total", "clearing_not_latest", "case_period_short", "rulebook_bounds",
        "delivery_not_buyer", "delivery_not_seller", "delivery_status", "delivery_amount", "delivery_offered",
        "delivery_not_offered", "delivery_terms", "delivery_times", "delivery_over",
        "delivery_not_due", "delivery_silence", "delivery_key_zero",
        "order_not_claimed", "claim_not_party", "claim_after_term", "claim_of_delivery", "voucher_root_zero",
        "voucher_not_higher", "voucher_below_claim", "window_over", "window_open",
        "currency_differs", "currency_not_in_market",
        "lineage_not_registrant", "lineage_exists", "lineage_inputs", "lineage_title", "lineage_no_input",
        "lineage_bps", "lineage_term", "lineage_no_consent", "lineage_not_consenter",
        "listing_price", "agreement_term",
        "redemption_id_mismatch", "redemption_pay_by", "redemption_status", "redemption_not_bank", "redemption_not_due",
    }  # fmt: skip
    assert expected <= seen, expected - seen


def test_a_batch_in_a_batch_is_refused_and_its_neighbours_stand(chain: Chain) -> None:
    history, key = found_market(chain, 1_000)
    admissions = [call for call in history.opening() if call.contract == "Participants"][:2]
    members = [encode_call(call.contract, call.verb, call.arguments) for call in admissions]
    data = encode_batch([members[0], encode_batch([members[1]]), members[1]])
    (receipt,) = chain.seal(key, [(history.genesis.addresses()["Participants"], data)])
    outcomes = history.state.apply_transaction("Participants", data, chain.now, history.recover)
    expected = [event for outcome in outcomes for event in _events("Participants", outcome)]
    assert chain.events(receipt, history.genesis) == expected
    assert [event.name for event in expected] == ["Admitted", "Refused", "Admitted"]


def test_gas_of_each_verb_in_a_batch_is_bounded(chain: Chain) -> None:
    """A block of 1e9 gas takes two thousand calls of any kind; a change that makes one much dearer is noticed here."""
    history, key = found_market(chain, 2_000)
    calls = [call for call in history.opening() if call.contract == "Participants"]
    data = encode_batch([encode_call(call.contract, call.verb, call.arguments) for call in calls])
    (receipt,) = chain.seal(key, [(history.genesis.addresses()["Participants"], data)])
    assert int(receipt["gasUsed"], 16) / len(calls) < 80_000


def test_the_committed_artifacts_are_fresh() -> None:
    """What Python loads is what the Solidity sources give. Needs node and the npm packages, as the ledger does."""
    script = Path(__file__).resolve().parents[3] / "contracts" / "build.py"
    checked = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr

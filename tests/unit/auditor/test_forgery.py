"""Forgeries that agree with themselves: documents replaced and the log signed again, receipts rewritten and all blocks
hashed again, sometimes with the help of a participant's key. Each is found by the step that is there for it.
"""

from collections.abc import Callable
from typing import Any

import pytest

from crypto import bls
from crypto.canonical import from_hex, keccak256, to_hex
from crypto.note import decode_base64
from marketplace.auditor.trust import Seen, Trust
from marketplace.documents import iso_time, voucher_message
from marketplace.intents import CONTRACTS, Deployment, sign_intent
from marketplace.queries.protocol.statements import attested_message, sign_refusal, sign_release
from tests.bundles import CHAIN_ID, Made, keys
from tests.unit.auditor.forger import CHECKPOINTS, RECEIPTS, TRANSACTIONS, Forger, resign

Json = dict[str, Any]


def _deployment(forger: Forger) -> Deployment:
    assert forger.trust.contracts is not None
    return Deployment(CHAIN_ID, forger.trust.contracts)


# -- one document of a released answer is replaced


def _replace(kind: str, change: Callable[[Json], object], number: int = 0) -> Callable[[Forger], object]:
    return lambda forger: forger.replace(forger.leaf("query.released", number)[kind], change)


def _voucher(**changes: Any) -> Callable[[Forger], object]:
    """The buyer signs another voucher than it should have."""

    def forge(forger: Forger) -> None:
        def change(voucher: Json) -> None:
            voucher.update(changes)
            message = voucher_message(voucher)
            signature = sign_intent("Voucher", message, _deployment(forger), keys("buyer").signing_key)
            voucher["signature"] = to_hex(signature)

        forger.replace(forger.leaf("query.released")["voucher"], change)

    return forge


def _release(number: int = 0, **changes: Any) -> Callable[[Forger], object]:
    """The vault signs another release than it should have."""

    def forge(forger: Forger) -> None:
        def change(release: Json) -> None:
            release.update(changes)
            release.update(sign_release(_unsigned(release), _deployment(forger), keys("vault").signing_key))

        forger.replace(forger.leaf("query.released", number)["release"], change)

    return forge


def _refusal(**changes: Any) -> Callable[[Forger], object]:
    def forge(forger: Forger) -> None:
        def change(refusal: Json) -> None:
            refusal.update(changes)
            refusal.update(sign_refusal(_unsigned(refusal), _deployment(forger), keys("vault").signing_key))

        forger.replace(forger.leaf("query.refused")["refusal"], change)

    return forge


def _unsigned(document: Json) -> Json:
    return {name: value for name, value in document.items() if name != "signature"}


def _panel(result: Callable[[Json], object]) -> Callable[[Forger], object]:
    """The whole panel signs another result, and the vault releases it."""

    def forge(forger: Forger) -> None:
        leaf = forger.leaf("query.released")
        name = forger.replace(leaf["result"], result)
        nodes = [keys(f"node{index}") for index in range(3)]
        signatures = [bls.sign(node.bls_secret, attested_message(name)) for node in nodes]

        def attest(attestation: Json) -> None:
            attestation.update(result=name, signers=[node.address for node in nodes])
            attestation["signature"] = to_hex(bls.aggregate(signatures))

        forger.replace(leaf["attestation"], attest)
        shares = forger.replace(leaf["shares"], lambda document: document.update(result=name))
        _release(result=name, shares=shares)(forger)

    return forge


ZERO = "0x" + "00" * 32
STRANGER = "0x" + "ab" * 20

PAPERS: dict[str, tuple[str, Callable[[Forger], object]]] = {
    "voucher not signed": ("voucher_signature", _replace("voucher", lambda v: v.update(amount=v["amount"] + 1))),
    "voucher signed by another": ("voucher_signature", _replace("voucher", lambda v: v.update(buyer=STRANGER))),
    "voucher for too little": ("voucher_amount", _voucher(amount=499)),
    "voucher for too much": ("voucher_over_escrow", _voucher(amount=10_000_000)),
    "voucher for other calls": ("voucher_calls", _voucher(callsRoot=ZERO)),
    "voucher with another count": ("voucher_calls", _voucher(calls=7)),
    "voucher without epsilon": ("epsilon_cap", _voucher(epsilon=0)),
    "voucher above the cap": ("epsilon_cap", _voucher(epsilon=10**9)),
    "voucher for another order": ("reference", _voucher(order=ZERO)),
    "voucher other than accepted": (
        "reference",
        lambda f: f.edit_log(lambda leaves: leaves[1].update(voucher=leaves[2]["voucher"])),
    ),
    "attestation by one": (
        "attestation_members",
        _replace("attestation", lambda a: a.update(signers=a["signers"][:1])),
    ),
    "attestation by a stranger": (
        "attestation_members",
        _replace("attestation", lambda a: a["signers"].append(STRANGER)),
    ),
    "attestation of another result": ("attestation_result", _replace("attestation", lambda a: a.update(result=ZERO))),
    "attestation by other nodes": ("attestation_signature", _replace("attestation", lambda a: a["signers"].pop(), 2)),
    "attestation signature": (
        "attestation_signature",
        _replace("attestation", lambda a: a.update(signature=to_hex(bls.sign(keys("node0").bls_secret, b"other")))),
    ),
    "result for another query": ("reference", _replace("result", lambda r: r.update(query=ZERO))),
    "result on other data": ("reference", _replace("result", lambda r: r.update(ciphertextRoot=ZERO))),
    "result of another plan": ("plan_differs", _replace("result", lambda r: r.update(plan=ZERO))),
    "result with a number too many": ("plan_differs", _panel(lambda r: r["numbers"].append(r["numbers"][0]))),
    "result invented by the whole panel": (
        "result_differs",
        _panel(lambda r: r["numbers"][0].update(c0="0x" + "01" * 32)),
    ),
    "release not signed": ("release_signature", _replace("release", lambda r: r.update(spentAsset=5))),
    "release by another": ("reference", _release(signer=STRANGER)),
    "release of another result": ("reference", _release(result=ZERO)),
    "release of other shares": ("reference", _release(shares=ZERO)),
    "release that charges nothing": ("epsilon_charge", _release(epsilon=0)),
    "repeated question charged again": ("epsilon_charge", _release(1, epsilon=100_000)),
    "release with a wrong order total": ("epsilon_order", _release(spentOrder=3)),
    "release with a wrong data set total": ("epsilon_asset", _release(spentAsset=3)),
    "release with a wrong total of its buyer": ("epsilon_buyer", _release(spentBuyer=3)),
    "repeat with a wrong total of its buyer": ("epsilon_buyer", _release(1, spentBuyer=0)),
    "shares with a number less": ("shares_differ", _replace("shares", lambda s: s.update(released=[5]))),
    "shares of another query": ("reference", _replace("shares", lambda s: s.update(query=ZERO))),
    "question beyond the terms": ("query_not_permitted", _replace("query", lambda q: q.update(epsilon=10**8))),
    "computation not permitted": (
        "query_not_permitted",
        _replace("query", lambda q: q.update(select=[{"op": "VARIANCE", "measure": "delay"}])),
    ),
    "question without meaning": (
        "query_unanswerable",
        _replace("query", lambda q: q.update(select=[{"op": "SUM", "measure": "height"}])),
    ),
    "question on another order": ("order_unknown", _replace("query", lambda q: q.update(order=ZERO))),
    "refusal not signed": ("refusal_signature", lambda f: f.replace(f.leaf("query.refused")["refusal"], _cheaper)),
    "refusal with other totals": ("epsilon_order", _refusal(spentOrder=1)),
    "refusal with another remainder": ("epsilon_asset", _refusal(leftAsset=1)),
    "refusal at a moment that never was": ("epsilon_asset", _refusal(spentAsset=1, leftAsset=10**9)),
    "refusal with another total of its buyer": ("epsilon_buyer", _refusal(spentBuyer=1, leftBuyer=10**9 - 1)),
    "refusal with another remainder of its buyer": ("epsilon_buyer", _refusal(leftBuyer=None)),
    "refusal of another query": ("reference", _refusal(query=ZERO)),
    "a node slandered": (
        "statement_signature",
        lambda f: f.replace(f.leaf("panel.divergence")["statement"], lambda s: s.update(node=keys("node1").address)),
    ),
}


def _cheaper(refusal: Json) -> None:
    refusal["found"] = "many"


@pytest.mark.parametrize("case", PAPERS)
def test_a_replaced_document(made: Made, case: str) -> None:
    code, forge = PAPERS[case]
    forger = Forger(made)
    forge(forger)
    codes = forger.codes(full=code == "result_differs")
    assert code in codes
    assert "document_digest" not in codes


# -- leaves, the log signed again


def _without(kind: str) -> Callable[[list[Json]], object]:
    return lambda leaves: leaves.remove(next(leaf for leaf in leaves if leaf["type"] == kind))


def _without_second_answer(leaves: list[Json]) -> None:
    # The first order has two answers; it was settled by the voucher of the second.
    leaves.remove([leaf for leaf in leaves if leaf["type"] == "query.released"][1])


LEAVES: dict[str, tuple[str, Callable[[list[Json]], object]]] = {
    "answer told twice": ("query_ended_twice", lambda leaves: leaves.append(leaves[1])),
    "answer never accepted": ("query_not_accepted", _without("query.accepted")),
    "answer of a settled order kept quiet": ("settled_differs", _without_second_answer),
    "unknown kind of leaf": ("leaf_unknown", lambda leaves: leaves.append({**leaves[-1], "type": "query.whispered"})),
    "a member too many": ("leaf_unknown", lambda leaves: leaves[1].update(comment="0x00")),
    "a member too few": ("leaf_unknown", lambda leaves: leaves[1].pop("shares")),
    "a member of another kind": ("leaf_unknown", lambda leaves: leaves[1].update(result=5)),
    "time backwards": ("leaf_time", lambda leaves: leaves[-1].update(at="2020-01-01T00:00:00Z")),
    "no time": ("leaf_malformed", lambda leaves: leaves[-1].update(at="yesterday")),
    "another order": ("reference", lambda leaves: leaves[1].update(order=ZERO)),
    "a word too many": ("leaf_unknown", lambda leaves: leaves[0].update(plan=ZERO)),
    "a document that does not exist": ("document_missing", lambda leaves: leaves[1].update(shares=ZERO)),
    "a document of another kind": ("document_kind", lambda leaves: leaves[1].update(shares=leaves[1]["query"])),
    "a divergence from itself": (
        "divergence_unproven",
        lambda leaves: next(leaf for leaf in leaves if leaf["type"] == "panel.divergence").update(
            attested=next(leaf for leaf in leaves if leaf["type"] == "panel.divergence")["result"]
        ),
    ),
}


@pytest.mark.parametrize("case", LEAVES)
def test_a_rewritten_log(made: Made, case: str) -> None:
    code, change = LEAVES[case]
    forger = Forger(made)
    forger.edit_log(change)
    assert code in forger.codes()


def test_a_question_that_is_taken_long_after_its_order_was_claimed(made: Made) -> None:
    forger = Forger(made)
    (claim,) = forger.lines("read_model/order_claims.jsonl")

    def ask_again(leaves: list[Json]) -> None:
        asked = [leaf for leaf in leaves if leaf["type"] == "query.accepted" and leaf["order"] == claim["orderId"]]
        leaves.append({**asked[-1], "at": iso_time(claim["until"])})

    forger.edit_log(ask_again)
    assert "asked_after_claim" in forger.codes()


def test_a_log_rewritten_after_its_last_anchor_is_found_by_whoever_kept_a_checkpoint(made: Made) -> None:
    old = Forger(made)
    size, note = max((line["size"], line["note"]) for line in old.lines(CHECKPOINTS))
    root = decode_base64(note.split("\n")[2])
    forger = Forger(made)
    forger.edit_log(lambda leaves: leaves[0].update(order=ZERO))
    seen = Seen(checkpoints=((size, root, "my notebook"),))
    assert any("my notebook" in finding.subject for finding in forger.report(seen=seen).findings)
    assert old.report(seen=seen).passed


def test_another_key_signs_the_checkpoints(made: Made) -> None:
    forger = Forger(made)
    forger.trust = Trust(**{**forger.trust.__dict__, "log_key": "0x" + "11" * 32})
    assert {"checkpoint_signature", "profile_pinned"} <= forger.codes()


# -- the ledger, all blocks hashed again


def _logs_of(found: list[Json], event: str) -> tuple[Json, int]:
    """The first of an event; of shares the first that is money: what costs nothing has shares of nothing."""
    topic = to_hex(keccak256(event.encode()))
    for receipt in found:
        for index, log in enumerate(receipt["logs"]):
            if log["topics"][0] == topic and (event != SHARE or int(log["data"][-64:], 16)):
                return receipt, index
    raise AssertionError(event)


ISSUED = "Issued(address,uint256,bytes32,address)"
TRANSFER = "Transfer(address,address,uint256)"
SETTLED = "Settled(bytes32,bytes32,uint96,uint64,uint32,bytes32,uint96,uint96)"
PAID_OUT = "RedemptionPaid(bytes32,address,uint96,bytes32,address)"
LOCKED = "RedemptionRequested(bytes32,address,uint96,bytes32,address,uint64)"
SHARE = "SharePaid(bytes32,address,bytes32,uint96)"
CLEARED = "PaidOut(bytes32,address,uint64)"


def _more(event: str, word: int) -> Callable[[list[Json]], object]:
    """One unit more in the `word`-th word of an event's data."""

    def change(found: list[Json]) -> None:
        receipt, index = _logs_of(found, event)
        data = bytearray(from_hex(receipt["logs"][index]["data"]))
        data[32 * word + 31] += 1
        receipt["logs"][index]["data"] = to_hex(bytes(data))

    return change


def _drop(event: str) -> Callable[[list[Json]], object]:
    def change(found: list[Json]) -> None:
        receipt, index = _logs_of(found, event)
        receipt["logs"].pop(index)

    return change


def _double(event: str) -> Callable[[list[Json]], object]:
    def change(found: list[Json]) -> None:
        receipt, index = _logs_of(found, event)
        receipt["logs"].append(dict(receipt["logs"][index]))

    return change


def _fail(found: list[Json]) -> None:
    receipt, _ = _logs_of(found, SETTLED)
    receipt.update(status="0x0", logs=[])


def _another_contract(found: list[Json]) -> None:
    receipt, index = _logs_of(found, SHARE)
    receipt["logs"][index]["address"] = STRANGER


HISTORY: dict[str, tuple[set[str], Callable[[list[Json]], object]]] = {
    "a fen more issued": ({"event_differs", "money_total"}, _more(ISSUED, 0)),
    "a fen more paid out": ({"event_differs", "money_total"}, _more(PAID_OUT, 0)),
    "a fen more locked": ({"event_differs", "money_locked"}, _more(LOCKED, 0)),
    "a payout hidden": ({"event_differs", "money_total", "money_locked"}, _drop(PAID_OUT)),
    "a fen more transferred": ({"event_differs", "money_total"}, _more(TRANSFER, 0)),
    "a fen more fee": ({"event_differs", "money_order"}, _more(SETTLED, 5)),
    "a fen more for a share holder": ({"event_differs", "money_order"}, _more(SHARE, 1)),
    "a share not paid": ({"event_differs", "money_order"}, _drop(SHARE)),
    "a share paid twice": ({"event_extra", "money_order"}, _double(SHARE)),
    "a fen more paid out of a batch": ({"event_differs", "money_batch"}, _more(CLEARED, 0)),
    "a payout of a batch hidden": ({"event_differs", "money_batch"}, _drop(CLEARED)),
    "a refusal hidden": ({"event_differs"}, _drop("Refused(uint256,bytes)")),
    "a settlement declared failed": ({"transaction_failed", "row_extra"}, _fail),
    "an event of another contract": ({"event_unknown"}, _another_contract),
}


@pytest.mark.parametrize("case", HISTORY)
def test_receipts_rewritten_and_all_blocks_hashed_again(made: Made, case: str) -> None:
    codes, change = HISTORY[case]
    forger = Forger(made)
    forger.edit(RECEIPTS, change)
    forger.remake_chain()
    found = forger.codes()
    assert codes <= found
    assert not {"header_hash", "header_parent", "receipts_root", "transactions_root", "receipt_field"} & found


def test_a_true_chain_made_again_is_the_same_chain(made: Made) -> None:
    forger = Forger(made)
    forger.remake_chain()
    assert forger.files == made.files


def test_a_call_forged_by_the_relayer_has_no_effect_by_rule(made: Made) -> None:
    """The relayer changes a participant's call, signs its own transaction around it, and rewrites history."""
    forger = Forger(made)
    sent = forger.lines(TRANSACTIONS)
    raw = from_hex(sent[-3]["raw"])  # the batch that settles

    def change(fields: list[Any]) -> None:
        data = bytearray(fields[7])
        data[-70] ^= 1  # the seller's signature; the last bytes are padding that no contract reads
        fields[7] = bytes(data)

    sent[-3]["raw"] = to_hex(resign(raw, keys("relayer").signing_key, change))
    forger.write(TRANSACTIONS, sent)
    forger.remake_chain()
    found = forger.codes()
    assert "event_differs" in found
    assert not {"transactions_root", "header_hash"} & found


def test_a_rewritten_ledger_is_found_by_whoever_saw_a_block(made: Made) -> None:
    forger = Forger(made)
    last = forger.lines("ledger/headers.jsonl")[-1]
    seen = Seen(blocks=((int(last["number"], 16), last["hash"], "a node of my own"),))
    assert forger.report(seen=seen).passed
    forger.edit(RECEIPTS, _more(SHARE, 1))
    forger.remake_chain()
    assert "block_seen" in {finding.code for finding in forger.report(seen=seen).findings}


PINS: dict[str, tuple[str, dict[str, Any]]] = {
    "chain": ("transaction_chain", {"chain_id": 1}),
    "registrar": ("registrar_pinned", {"registrar": STRANGER}),
    "treasury": ("treasury_pinned", {"treasury": STRANGER}),
    "fee": ("fee_pinned", {"fee_bps": 1}),
    "first block": ("genesis_pinned", {"genesis_hash": ZERO}),
    "contracts": ("contract_missing", {"contracts": {"Orders": STRANGER}}),
}


@pytest.mark.parametrize("case", PINS)
def test_another_market_than_the_pinned_one(made: Made, case: str) -> None:
    code, pins = PINS[case]
    forger = Forger(made)
    if "contracts" in pins:
        pins = {"contracts": {**(forger.trust.contracts or {}), **pins["contracts"]}}
    forger.trust = Trust(**{**forger.trust.__dict__, **pins})
    assert code in forger.codes()


def test_a_contract_of_other_code_or_arguments(made: Made) -> None:
    for position in (30, -1):
        forger = Forger(made)
        sent = forger.lines(TRANSACTIONS)

        def change(fields: list[Any], position: int = position) -> None:
            data = bytearray(fields[7])
            data[position] ^= 1
            fields[7] = bytes(data)

        evidence = CONTRACTS.index("Evidence")
        sent[evidence]["raw"] = to_hex(resign(from_hex(sent[evidence]["raw"]), keys("relayer").signing_key, change))
        forger.write(TRANSACTIONS, sent)
        forger.remake_chain()
        assert "contract_code" in forger.codes()


def test_a_second_settlement_of_the_market(made: Made) -> None:
    """The whole ledger repeated under another relayer: other addresses than the pinned ones, and all else true."""
    forger = Forger(made)
    forger.trust = Trust(
        **{**forger.trust.__dict__, "contracts": dict.fromkeys(forger.trust.contracts or {}, STRANGER)}
    )
    report = forger.report()
    assert {"profile_pinned", "contract_missing", "contract_unknown"} <= {finding.code for finding in report.findings}
    assert "audit_stopped" in [code for code, *_ in report.notes]

"""Findings that only a dishonest registrar, seller or vault could cause, each brought about on its own."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from crypto import credential
from crypto.canonical import canonical_json, digest_json, to_hex
from crypto.keystore import Keys
from marketplace.auditor.documents import contents
from marketplace.auditor.documents.registered import check_registered
from marketplace.auditor.documents.sources import check_rights
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.ethereum import headers, hexadecimal
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.money import check_money
from marketplace.auditor.readmodel.rows import Placed, Tables
from marketplace.auditor.usage.attestations import Attestations
from marketplace.auditor.usage.billing import Billing
from marketplace.auditor.usage.orders import Papers, Standing
from marketplace.documents import digest, voucher_message
from marketplace.events import Event
from marketplace.intents import Deployment, sign_intent
from marketplace.participants.keybook import KeyBook
from marketplace.participants.keys import OWN_ADDRESS
from tests.bundles import CHAIN_ID, START, Made, keys
from tests.memory import MemoryBundle
from tests.unit.auditor.forger import HEADERS, Forger, tables_of

Json = dict[str, Any]


def _codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def _row(tables: Tables, name: str) -> Json:
    return next(iter(tables.rows[name].values()))


CERTIFICATES: dict[str, tuple[str, Callable[[Json], object]]] = {
    "altered after signing": ("certificate_invalid", lambda body: body.update(comment="x")),
    "without beginning": ("certificate_invalid", lambda body: body.pop("validFrom")),
    "valid longer": ("certificate_differs", lambda body: body.update(validUntil="2099-01-01T00:00:00Z")),
    "of another asset": ("certificate_differs", lambda body: body["credentialSubject"].update(id="urn:x:0x00")),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_the_registrar_should_not_have_issued(made: Made, case: str) -> None:
    code, change = CERTIFICATES[case]
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    asset = _row(tables, "assets")
    certificate = forger.document(asset["certificateDigest"])
    body = {name: value for name, value in certificate.items() if name != "proof"}
    change(body)
    again = credential.issue(body, keys("registrar").ed25519, created=START)
    issued = {**body, "proof": certificate["proof"]} if case == "altered after signing" else again
    asset["certificateDigest"] = to_hex(digest_json(issued))
    forger.store(issued)
    documents = Documents(MemoryBundle(forger.files), report)
    assert list(contents.check_ledger_documents(tables, documents, report))
    assert _codes(report) == [code]


@pytest.mark.parametrize("inputs", [[], [{"assetId": "0x" + "00" * 32, "status": "confirmed"}]])
def test_a_products_certificate_that_does_not_name_its_inputs(made: Made, inputs: list[Json]) -> None:
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    (product,) = {row["assetId"] for row in tables.rows["lineage_inputs"].values()}
    asset = tables.rows["assets"][product,]
    certificate = forger.document(asset["certificateDigest"])
    body = {name: value for name, value in certificate.items() if name != "proof"}
    body["credentialSubject"] = {**body["credentialSubject"], "inputs": inputs}
    issued = credential.issue(body, keys("registrar").ed25519, created=START)
    asset["certificateDigest"] = to_hex(digest_json(issued))
    forger.store(issued)
    list(contents.check_ledger_documents(tables, Documents(MemoryBundle(forger.files), report), report))
    assert _codes(report) == ["certificate_differs"]


REGISTERED: dict[str, tuple[str, str, Callable[[Json], object]]] = {
    "claim.manifest": ("claim_differs", "claimDigest", lambda claim: claim.update(manifest="0x" + "00" * 32)),
    "claim.holder": ("claim_differs", "claimDigest", lambda claim: claim.update(holder="0x" + "ab" * 20)),
    "claim.level": ("claim_differs", "claimDigest", lambda claim: claim.update(level="GENERAL_1")),
    "claim.shares": ("claim_differs", "claimDigest", lambda claim: claim["shares"][1].update(holder="0x" + "ab" * 20)),
    "manifest.holder": ("manifest_differs", "manifestDigest", lambda found: found.update(holder="0x" + "ab" * 20)),
    "manifest.batches": (
        "manifest_differs",
        "manifestDigest",
        lambda found: found["batches"][0]["columns"][0]["chunks"][0].update(blob="0x" + "ab" * 32),
    ),
}


@pytest.mark.parametrize("what", REGISTERED)
def test_documents_that_do_not_say_what_was_registered(made: Made, what: str) -> None:
    code, place, change = REGISTERED[what]
    forger, report = Forger(made), Report()
    row = next(row for row in tables_of(forger).rows["assets"].values() if len(_shares(forger, row)) > 1)
    shares = _shares(forger, row)
    signed = {**row, "shareHolders": [*shares], "shareBps": [*shares.values()]}
    placed = Placed(Event("Rights", "Registered", signed), 1, START, 0, None)
    check_registered([placed], Documents(MemoryBundle(forger.files), report), report)
    assert report.passed
    document = forger.document(row[place])
    change(document)
    signed[place] = forger.store(document)
    check_registered([placed], Documents(MemoryBundle(forger.files), report), report)
    also = [("claim_differs", "claim.manifest")] if place == "manifestDigest" else []  # it names the true one
    assert [(item.code, item.subject.split(" ")[-1]) for item in report.findings] == [(code, what), *also]


def _shares(forger: Forger, row: Json) -> dict[str, int]:
    return {share["holder"]: share["bps"] for share in forger.document(row["claimDigest"])["shares"]}


def test_titles_that_a_source_cannot_give(made: Made) -> None:
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    asset = _row(tables, "assets")
    claim = {**forger.document(asset["claimDigest"]), "sourceClass": "AUTOMATED_PUBLIC_COLLECTION"}
    check_rights(asset, claim, tables, report)
    check_rights(asset, {**claim, "rights": claim["rights"][:2]}, tables, report)
    assert [(item.code, item.got) for item in report.findings] == [
        ("claim_beyond_source", "['OPERATE']"),
        ("titles_beyond_claim", "7"),
    ]


def test_papers_that_do_not_name_each_other(made: Made) -> None:
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    order = _row(tables, "orders")
    order["buyer"] = "0x" + "ab" * 20
    papers = Papers(tables, Documents(MemoryBundle(forger.files), report), report)
    assert papers.of(order["orderId"], "a leaf") is not None
    assert _codes(report) == ["papers_mismatch"]


def test_a_query_on_data_of_a_profile_that_nobody_has(made: Made) -> None:
    standing, report = _standing(made), Report()
    forger = Forger(made)
    query = forger.document(forger.leaf("query.released")["query"])
    papers = Papers(tables_of(forger), Documents(MemoryBundle(forger.files), report), report)
    assert papers.plan(standing, query, "a leaf") is not None
    form = standing.manifest["forms"][0] | {"profile": "bfv-8192-cells-2"}
    strange = replace(
        standing, manifest=standing.manifest | {"forms": [form]}, asset=standing.asset | {"assetId": "0x"}
    )
    assert papers.plan(strange, query, "a leaf") is None
    assert _codes(report) == ["query_unanswerable"]


def _standing(made: Made) -> Standing:
    forger = Forger(made)
    tables = tables_of(forger)
    order = _row(tables, "orders")
    listing = tables.rows["listings"][order["listingId"],]
    asset = _row(tables, "assets")
    names = (listing["termsDigest"], asset["manifestDigest"], order["agreementDigest"])
    terms, manifest, agreement = (forger.document(name) for name in names)
    return Standing(order, listing, asset, terms, manifest, agreement)


def test_a_budget_that_is_overspent_and_a_voucher_that_goes_backwards(made: Made) -> None:
    standing, report = _standing(made), Report()
    standing.asset["epsilonBudget"], standing.order["epsilonCap"] = 100, 10**9
    assert made.trust.contracts is not None
    billing = Billing(KeyBook(Deployment(CHAIN_ID, made.trust.contracts)), report)
    blank = {"order": standing.order["orderId"], "buyer": standing.order["buyer"], "signature": "0x"}
    for number, epsilon in enumerate((300, 200)):
        voucher = {**blank, "amount": 0, "calls": number + 1, "callsRoot": "0x" + "00" * 32, "epsilon": epsilon}
        billing.check_voucher(standing, voucher, f"0x{number:064x}", "a leaf", at=0)
    billing.charge(
        standing,
        {"epsilon": 150, **dict.fromkeys(("spentOrder", "spentBuyer", "spentAsset"), 150)},
        "question",
        150,
        "a leaf",
    )
    tables = Tables()
    tables.put("assets", standing.asset)
    billing.finish(tables)
    assert {"voucher_backwards", "epsilon_budget"} <= set(_codes(report))


def test_an_answer_to_a_key_that_had_ended_is_found(made: Made) -> None:
    """What a vault, from which the exchange hid the ending, cannot know, the auditor does: the ledger has it."""
    standing, ended, fresh = _standing(made), keys("the buyer's"), keys("the buyer's second")
    standing.order["buyer"] = ended.address
    assert made.trust.contracts is not None
    deployment = Deployment(CHAIN_ID, made.trust.contracts)
    spans = {(ended.address, ended.address): replace(OWN_ADDRESS, valid_until=50_000)}
    spans[ended.address, fresh.address] = replace(OWN_ADDRESS, valid_from=50_000)

    def found(signer: Keys, at: int) -> bool:
        report = Report()
        voucher = {"order": standing.order["orderId"], "buyer": ended.address, "amount": 0, "calls": 1}
        voucher |= {"callsRoot": "0x" + "00" * 32, "epsilon": 1}
        signature = sign_intent("Voucher", voucher_message(voucher), deployment, signer.signing_key)
        billing = Billing(KeyBook(deployment, spans), report)
        billing.check_voucher(standing, voucher | {"signature": to_hex(signature)}, "0x" + "11" * 32, "a leaf", at=at)
        return "voucher_signature" in _codes(report)

    assert [found(ended, at) for at in (49_999, 50_000 + 3_599, 50_000 + 3_600)] == [False, False, True]
    assert [found(fresh, at) for at in (40_000, 50_000 - 3_600, 60_000)] == [True, False, False]


def test_a_group_that_is_answered_beyond_its_cap_over_two_versions(made: Made) -> None:
    """Two accounts of one group, under two assets of one series; each alone stays below the cap."""
    standing, report = _standing(made), Report()
    other = replace(
        _standing(made),
        order={**standing.order, "orderId": "0x" + "55" * 32, "buyer": "0x" + "66" * 20},
        manifest={**standing.manifest, "series": digest(standing.manifest)},
        asset={**standing.asset, "assetId": "0x" + "77" * 32},
    )
    group = {"name": "friends", "accounts": [standing.order["buyer"], other.order["buyer"]]}
    for item in (standing, other):
        item.terms.update(buyerCap=250, groups=[group])
    assert made.trust.contracts is not None
    billing = Billing(KeyBook(Deployment(CHAIN_ID, made.trust.contracts)), report)
    first = {"epsilon": 150, "spentOrder": 150, "spentBuyer": 150, "spentAsset": 150}
    second = {"epsilon": 150, "spentOrder": 150, "spentBuyer": 300, "spentAsset": 300}
    billing.charge(standing, first, "one question", 150, "a leaf", answered=False)
    billing.charge(other, second, "another", 150, "the second leaf", answered=False)
    billing.finish(Tables())
    assert [(finding.code, finding.subject) for finding in report.findings] == [("buyer_cap", "the second leaf")]


def test_a_vault_that_went_on_from_an_old_account_has_signed_two_releases_of_one_total(made: Made) -> None:
    standing, report = _standing(made), Report()
    assert made.trust.contracts is not None
    billing = Billing(KeyBook(Deployment(CHAIN_ID, made.trust.contracts)), report)
    for number, total in enumerate((100, 200, 200), 1):
        release = {"epsilon": 100, **dict.fromkeys(("spentOrder", "spentBuyer", "spentAsset"), total)}
        billing.charge(standing, release, f"question {number}", 100, f"leaf {number}", answered=False)
    billing.finish(Tables())
    found = [(finding.code, finding.subject) for finding in report.findings]
    assert ("epsilon_asset", "leaf 3 release.spentAsset") in found
    assert ("epsilon_buyer", "leaf 3 release.spentBuyer") in found


def test_a_question_under_a_stricter_cohort_is_another_question(made: Made) -> None:
    standing, report = _standing(made), Report()
    stricter = replace(standing, terms={**standing.terms, "minimumCohort": 99})
    assert made.trust.contracts is not None
    billing = Billing(KeyBook(Deployment(CHAIN_ID, made.trust.contracts)), report)
    for number, item in enumerate((standing, stricter, standing), 1):
        charged = 100 if number < 3 else 0
        total = min(200, number * 100)
        release = {"epsilon": charged, **dict.fromkeys(("spentOrder", "spentBuyer", "spentAsset"), total)}
        billing.charge(item, release, "a question", 100, f"leaf {number}", answered=False)
    billing.finish(Tables())
    assert _codes(report) == []


def test_a_panel_key_without_possession_does_not_count(made: Made) -> None:
    standing, report = _standing(made), Report()
    nodes = standing.terms["panel"]["nodes"]
    nodes[0]["possession"] = nodes[1]["possession"]
    forger = Forger(made)
    leaf = forger.leaf("query.released")
    attestations = Attestations(report)
    attestations.add(forger.document(leaf["attestation"]), leaf["result"], standing.terms, "a leaf")
    attestations.finish()
    assert _codes(report) == ["panel_key", "attestation_signature"]


def test_an_account_that_pays_what_it_has_not() -> None:
    report = Report()
    payment = {"from": "0x" + "01" * 20, "to": "0x" + "02" * 20, "value": 5}
    check_money(
        [Event("SettlementToken", "Transfer", payment)],
        {"Orders": "0x" + "03" * 20, "SettlementToken": "0x" + "04" * 20, "Clearing": "0x" + "07" * 20},
        report,
    )
    assert _codes(report) == ["money_negative"]


def test_money_of_one_currency_does_not_make_up_for_another() -> None:
    report = Report()
    names = {"Orders": "0x" + "03" * 20, "SettlementToken": "0x" + "04" * 20, "SettlementTokenHKD": "0x" + "05" * 20}
    names |= {"Clearing": "0x" + "07" * 20}
    issued = {"account": "0x" + "01" * 20, "amount": 5, "ref": "0x" + "00" * 32, "bank": "0x" + "06" * 20}
    came = {"from": "0x" + "00" * 20, "to": "0x" + "01" * 20, "value": 5}
    check_money(
        [Event("SettlementToken", "Issued", issued), Event("SettlementTokenHKD", "Transfer", came)], names, report
    )
    assert [(finding.code, finding.subject) for finding in report.findings] == [
        ("money_total", "all accounts in CNY"),
        ("money_total", "all accounts in HKD"),
    ]


def test_blocks_that_stand_still_in_time(made: Made) -> None:
    forger = Forger(made)
    blocks = forger.lines(HEADERS)
    blocks[2]["timestamp"] = blocks[1]["timestamp"]
    blocks[2]["hash"] = hexadecimal.text(headers.from_rpc(blocks[2]).hash)
    forger.write(HEADERS, blocks)
    assert "header_time" in forger.codes()


def test_the_profile_without_a_key(made: Made) -> None:
    from marketplace.auditor.trust import Trust

    forger = Forger(made)
    profile = json.loads(forger.files["profile.json"])
    forger.files["profile.json"] = canonical_json({**profile, "log": None})
    forger.trust = Trust()
    report = forger.report()
    assert _codes(report) == ["profile_malformed"]
    assert [code for code, *_ in report.notes] == ["trust_from_bundle", "audit_stopped"]

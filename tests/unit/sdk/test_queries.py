"""Asking: what the buyer signs, when, and what it does when the service breaks off, refuses, or lies."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto import bls, merkle
from crypto.canonical import canonical_json, from_hex, sha256, to_hex
from marketplace import documents
from marketplace.documents import Document, ids
from marketplace.errors import InvalidInputError, NotAuthorizedError, PortError, RuleError, VerificationError
from marketplace.intents import verify_intent
from marketplace.queries.protocol.statements import sign_refusal
from marketplace.sdk import orders, queries, rights
from marketplace.sdk.client import Client
from marketplace.sdk.home import Home
from marketplace.sdk.http import transport
from tests.unit.sdk.exchange import DEPLOYMENT, NOW, Exchange, keys, problem

SUPPLIER, BUYER, NODE, STRANGER = keys(11), keys(12), keys(13), keys(14)
TITLE = {"en": "Delays", "zh": "延误"}


def _manifest() -> Document:
    names = ["rows", "n:delay", "sum:delay", "sumsq:delay"]
    chunk = [{"blob": to_hex(sha256(name.encode())), "size": 9} for name in names]
    return documents.validate_manifest(
        {
            "type": "manifest",
            "version": 1,
            "title": TITLE,
            "holder": SUPPLIER.address,
            "series": None,
            "previous": None,
            "change": {"kind": "first", "batch": "first"},
            "privacy": {"measure": "pure"},
            "dimensions": [{"name": "origin", "ordered": False, "hidden": False, "categories": ["EWR", "JFK"]}],
            "measures": [{"name": "delay", "unit": "minute", "scale": 0, "low": -20, "high": 100, "bins": []}],
            "joints": [],
            "forms": [{"form": "cells", "profile": "bfv-8192-cells-1", "prefix": None}],
            "blocks": 1,
            "batches": [
                {
                    "name": "first",
                    "block": 0,
                    "rows": 1000,
                    "missing": {"delay": 0},
                    "columns": [
                        {"form": 0, "name": name, "chunks": [part]} for name, part in zip(names, chunk, strict=True)
                    ],
                }
            ],
            "minimumCohort": 10,
            "releaseKey": SUPPLIER.address,
            "custodian": None,
            "sealedAt": "2026-09-01T00:00:00Z",
        }
    )


MANIFEST = _manifest()
ASSET = ids.asset_id(SUPPLIER.address, documents.digest(MANIFEST))
SECRET = NODE.bls_secret
PANEL_NODE = {
    "address": NODE.address,
    "bls": to_hex(bls.public_key(SECRET)),
    "possession": to_hex(bls.prove_possession(SECRET)),
}
TERMS = documents.validate_terms(
    {
        "type": "terms",
        "version": 1,
        "title": TITLE,
        "asset": ASSET,
        "manifest": documents.digest(MANIFEST),
        "computations": ["COUNT", "MEAN"],
        "purposes": ["TRANSPORT"],
        "regions": [],
        "price": 200,
        "epsilonPerQueryMax": 1_000_000,
        "buyerCap": None,
        "fields": [],
        "groups": [],
        "minimumCohort": 10,
        "panel": {"nodes": [PANEL_NODE], "threshold": 1},
        "termEnd": "2027-09-01T00:00:00Z",
    }
)
LISTING = ids.listing_id(SUPPLIER.address, ASSET, documents.digest(TERMS))
AGREEMENT = {
    "type": "agreement",
    "version": 1,
    "listing": LISTING,
    "terms": documents.digest(TERMS),
    "buyer": BUYER.address,
    "purpose": "TRANSPORT",
    "region": "CN-SH",
    "nonce": "0x" + "33" * 32,
}
ORDER = ids.order_id(BUYER.address, LISTING, documents.digest(AGREEMENT))
SQL = "SELECT COUNT(*) FROM d"


class Market(Exchange):
    """An exchange with one funded order, whose queries end as `ending` says."""

    def __init__(self) -> None:
        super().__init__()
        for document in (MANIFEST, TERMS, AGREEMENT):
            self.store[documents.digest(document)] = canonical_json(document)
        asset = {
            "assetId": ASSET,
            "holder": SUPPLIER.address,
            "manifestDigest": documents.digest(MANIFEST),
            "ciphertextRoot": rights.ciphertext_root(MANIFEST),
            "epsilonBudget": 10_000_000,
        }
        self.listing = {"listingId": LISTING, "assetId": ASSET, "seller": SUPPLIER.address, "price": 200}
        self.listing |= {"currency": "CNY"}
        self.listing |= {"termsDigest": documents.digest(TERMS), "validUntil": NOW + 1000}
        order = {"orderId": ORDER, "listingId": LISTING, "buyer": BUYER.address, "escrow": 1000}
        order |= {"currency": "CNY"}
        order |= {"epsilonCap": 3_000_000, "agreementDigest": documents.digest(AGREEMENT)}
        self.fixed("GET", f"/rights/assets/{ASSET}", asset)
        self.fixed("GET", f"/orders/{ORDER}", order)
        self.routes["GET", f"/listings/{LISTING}"] = lambda _: httpx.Response(200, json=self.listing)
        self.routes["POST", "/queries"] = self.accept
        self.asked: list[dict[str, Any]] = []
        self.broken = False
        self.vault = SUPPLIER

    def accept(self, request: httpx.Request) -> httpx.Response:
        """Take a query, refuse it at once as its vault would; or break off after taking it."""
        body = json.loads(request.content)
        self.asked.append(body)
        name = documents.digest(body["query"])
        refusal = self._refusal(name)
        self.store[documents.digest(refusal)] = canonical_json(refusal)
        self.fixed("GET", f"/queries/{name}", {"state": "refused", "refusal": documents.digest(refusal)})
        if self.broken:
            raise httpx.ReadError("reset", request=request)
        return httpx.Response(202, json={"digest": name})

    def _refusal(self, query: str) -> Document:
        facts = {"type": "refusal", "version": 1, "order": ORDER, "query": query, "code": "cohort_too_small"}
        facts |= {"rule": "queries.minimum_cohort", "message": {"en": "too few rows", "zh": "行数过少"}}
        facts |= {"rulebook": "market/1", "hint": {"en": "widen the filter", "zh": "放宽筛选条件"}}
        facts |= {"allowed": "at least 10", "found": "fewer", "spentOrder": 0, "spentAsset": 0}
        facts |= {"leftOrder": 3_000_000, "leftAsset": 10_000_000, "spentBuyer": 0, "leftBuyer": None}
        return sign_refusal({**facts, "signer": self.vault.address}, DEPLOYMENT, self.vault.signing_key)

    def buyer(self, home: Home | None = None) -> Client:
        """The order's buyer."""
        return self.client(BUYER, home)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE_SECONDS", 0.0)


def test_a_refused_call_is_not_in_the_next_voucher() -> None:
    market = Market()
    with market.buyer() as client:
        for _ in range(2):
            with pytest.raises(RuleError) as caught:
                queries.ask(client, ORDER, SQL, 500_000)
            assert (caught.value.code, caught.value.zh) == ("cohort_too_small", "行数过少")
            assert (caught.value.rulebook, caught.value.hint_zh) == ("market/1", "放宽筛选条件")
        first, second = (step.voucher for step in queries.history(client, ORDER))
    assert first["amount"] == second["amount"] == 200
    assert first["calls"] == second["calls"] == 1
    assert [body["query"]["sequence"] for body in market.asked] == [1, 2]
    assert second["callsRoot"] == to_hex(merkle.root([from_hex(documents.digest(market.asked[1]["query"]))]))


def test_the_voucher_is_signed_for_this_chain_and_contract() -> None:
    market = Market()
    with market.buyer() as client, pytest.raises(RuleError):
        queries.ask(client, ORDER, SQL, 500_000)
    voucher = market.asked[0]["voucher"]
    message = documents.voucher_message(documents.validate_voucher(voucher))
    verify_intent("Voucher", message, DEPLOYMENT, BUYER.address, bytes.fromhex(voucher["signature"][2:]))


def test_a_call_that_broke_off_is_sent_again_byte_for_byte_by_the_next_process(tmp_path: Path) -> None:
    market, home = Market(), Home(tmp_path)
    market.broken = True
    with market.buyer(home) as client, pytest.raises(PortError):
        queries.ask(client, ORDER, SQL, 500_000)
    market.broken = False
    with market.buyer(home) as client, pytest.raises(RuleError):
        queries.ask(client, ORDER, "SELECT AVG(delay) FROM d", 700_000)
    sent = [canonical_json(body) for body in market.asked]
    assert len(set(sent)) == 2, "the first call, several times, then the second"
    assert sent[0] == sent[-2] != sent[-1]
    assert market.asked[-1]["query"]["sequence"] == 2


def test_resuming_when_nothing_is_pending_does_nothing() -> None:
    market = Market()
    with market.buyer() as client:
        assert queries.resume(client, ORDER) is None
    assert market.asked == []


def test_a_refusal_that_the_vault_did_not_sign_is_not_believed() -> None:
    market = Market()
    market.vault = STRANGER
    with market.buyer() as client:
        with pytest.raises(VerificationError):
            queries.ask(client, ORDER, SQL, 500_000)
        pending = client.journal.pending(ORDER)
    assert pending is not None
    assert pending.sequence == 1


def test_what_the_service_refuses_at_the_door_is_recorded_and_costs_nothing() -> None:
    market = Market()
    market.routes["POST", "/queries"] = lambda _: problem(409, "computation_not_permitted")
    with market.buyer() as client:
        with pytest.raises(RuleError):
            queries.ask(client, ORDER, SQL, 500_000)
        assert [step.status for step in queries.history(client, ORDER)] == ["refused"]


@pytest.mark.parametrize("sql", ["SELECT MAX(delay) FROM d", "SELECT COUNT(*) FROM d WHERE delay > 5", "DROP TABLE d"])
def test_nothing_is_signed_for_a_question_outside_the_algebra(sql: str) -> None:
    market = Market()
    with market.buyer() as client:
        with pytest.raises(InvalidInputError):
            queries.ask(client, ORDER, sql, 500_000)
        assert queries.history(client, ORDER) == []


def test_a_price_other_than_the_agreed_one_is_noticed_before_anything_is_signed() -> None:
    market = Market()
    market.listing["price"] = 400
    with market.buyer() as client:
        with pytest.raises(VerificationError) as caught:
            queries.ask(client, ORDER, SQL, 500_000)
        assert queries.history(client, ORDER) == []
    assert caught.value.code == "price_differs"


@pytest.mark.parametrize("change", [{"seller": STRANGER.address}, {"assetId": "0x" + "44" * 32}])
def test_a_listing_that_is_not_the_agreed_one_is_noticed(change: dict[str, str]) -> None:
    market = Market()
    market.listing |= change
    with market.buyer() as client, pytest.raises(VerificationError) as caught:
        orders.inspect(client, ORDER)
    assert caught.value.code == "listing_id_differs"


@pytest.mark.parametrize(
    ("part", "change", "code"),
    [
        ("listing", {"seller": STRANGER.address}, "listing_id_differs"),
        ("listing", {"price": 400}, "price_differs"),
        ("asset", {"assetId": "0x" + "44" * 32}, "terms_for_another_asset"),
        ("asset", {"ciphertextRoot": "0x" + "44" * 32}, "ciphertext_root_differs"),
    ],
)
def test_an_offer_that_is_sent_along_with_an_order_is_bound_to_it(
    part: str, change: dict[str, object], code: str
) -> None:
    market = Market()
    with market.buyer() as client:
        paths = (f"/orders/{ORDER}", f"/listings/{LISTING}", f"/rights/assets/{ASSET}")
        order, listing, asset = (client.get(path) for path in paths)
        sent = {"listing": listing, "asset": asset}
        market.fixed("GET", f"/orders/{ORDER}", {**order, **sent})
        market.routes["GET", f"/listings/{LISTING}"] = lambda _: problem(404, "listing_unknown")  # nobody asks
        assert "listing" not in orders.inspect(client, ORDER).order
        market.fixed("GET", f"/orders/{ORDER}", {**order, **sent, part: {**sent[part], **change}})
        with pytest.raises(VerificationError) as caught:
            orders.inspect(client, ORDER)
    assert caught.value.code == code


def test_a_call_stays_pending_while_nobody_can_sign_in(tmp_path: Path) -> None:
    market, home = Market(), Home(tmp_path)
    market.broken = True
    with market.buyer(home) as client, pytest.raises(PortError):
        queries.ask(client, ORDER, SQL, 500_000)
    market.routes["POST", "/queries"] = lambda _: problem(403, "sign_in_refused")
    taken = documents.digest(market.asked[0]["query"])
    market.routes["GET", f"/queries/{taken}"] = lambda _: problem(403, "sign_in_refused")
    with market.buyer(home) as client:
        with pytest.raises(NotAuthorizedError):
            queries.resume(client, ORDER)
        pending = client.journal.pending(ORDER)
    assert pending is not None
    assert pending.query_digest == taken

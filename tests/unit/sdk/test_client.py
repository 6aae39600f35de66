"""The client's conversation: signing in, retrying, checking digests, waiting for the ledger."""

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import zstandard

from crypto.canonical import canonical_json, sha256, to_hex
from marketplace.errors import (
    ConfigurationError,
    InvalidInputError,
    MarketplaceError,
    NotAuthorizedError,
    NotFoundError,
    PortError,
    RuleError,
    VerificationError,
)
from marketplace.sdk.http import transport
from marketplace.sdk.participants import join
from marketplace.types import Role
from tests.unit.sdk.exchange import DEPLOYMENT, NOW, Exchange, keys, problem

INTENT = "0x" + "5f" * 32


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE_SECONDS", 0.0)


def test_signs_in_once_and_only_when_it_has_to() -> None:
    exchange = Exchange()
    with exchange.client(keys(1)) as client:
        assert client.profile.fee_bps == 250
        assert exchange.sessions == 0
        client.put_document({"a": 1})
        client.put_document({"a": 2})
    assert exchange.sessions == 1


def test_signs_in_again_when_the_session_is_over() -> None:
    exchange = Exchange()
    with exchange.client(keys(1)) as client:
        digest = client.put_document({"a": 1})
        exchange.valid.clear()
        assert client.get_document(digest) == {"a": 1}
    assert exchange.sessions == 2


def test_a_download_signs_in_again_when_the_session_is_over(tmp_path: Path) -> None:
    exchange = Exchange()

    def bundle(request: httpx.Request) -> httpx.Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return httpx.Response(200, content=b"PK") if token in exchange.valid else problem(401, "session_over")

    exchange.routes["GET", "/evidence/bundle"] = bundle
    with exchange.client(keys(1)) as client:
        assert client.download("/evidence/bundle", tmp_path / "one.zip") == 2
        exchange.valid.clear()
        assert client.download("/evidence/bundle", tmp_path / "two.zip") == 2
    assert exchange.sessions == 2
    assert (tmp_path / "two.zip").read_bytes() == b"PK"


def test_does_not_sign_in_for_ever_when_a_fresh_session_is_refused() -> None:
    exchange = Exchange()
    exchange.routes["GET", "/orders/x"] = lambda _: problem(401, "session_over")
    with exchange.client(keys(1)) as client, pytest.raises(NotAuthorizedError):
        client.get("/orders/x")
    assert exchange.sessions == 1


def test_without_keys_nothing_is_signed() -> None:
    exchange = Exchange()
    with exchange.client(None) as client, pytest.raises(ConfigurationError) as caught:
        client.sign("Join", {})
    assert caught.value.code == "keys_missing"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (422, InvalidInputError),
        (404, NotFoundError),
        (403, NotAuthorizedError),
        (409, RuleError),
        (503, PortError),
        (500, PortError),
    ],
)
def test_a_problem_becomes_the_error_that_was_raised(status: int, kind: type[MarketplaceError]) -> None:
    exchange = Exchange()
    more = {
        "rule": "orders.rule",
        "rulebook": "orders/7",
        "expected": 2,
        "got": 1,
        "zh": "不行",
        "hint": "do",
        "hint_zh": "做",
    }
    exchange.routes["POST", "/orders"] = lambda _: problem(status, "escrow_too_small", **more)
    with exchange.client(None) as client, pytest.raises(kind) as caught:
        client.post("/orders", {}, signed=False)
    assert type(caught.value) is kind
    stated = caught.value.as_dict()
    assert stated == {"code": "escrow_too_small", "message": "refused: escrow_too_small", **more}


def test_an_answer_that_is_no_problem_document_is_the_outside_worlds_failure() -> None:
    exchange = Exchange()
    exchange.routes["GET", "/x"] = lambda _: httpx.Response(502, text="<html>bad gateway</html>")
    with exchange.client(None) as client, pytest.raises(PortError) as caught:
        client.get("/x")
    assert caught.value.code == "http_502"


def test_reads_are_repeated_when_the_service_is_busy() -> None:
    exchange = Exchange()
    answers = iter([problem(503, "storage_busy"), problem(503, "storage_busy"), httpx.Response(200, json={"ok": 1})])
    exchange.routes["GET", "/x"] = lambda _: next(answers)
    with exchange.client(None) as client:
        assert client.get("/x") == {"ok": 1}


def test_a_write_that_may_have_happened_is_never_sent_twice() -> None:
    exchange = Exchange()

    def breaks(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset", request=request)

    exchange.routes["POST", "/settlement/refunds"] = breaks
    with exchange.client(None) as client, pytest.raises(PortError) as caught:
        client.post("/settlement/refunds", {})
    assert (caught.value.code, caught.value.retryable, len(exchange.seen)) == ("outcome_unknown", False, 1)


def test_a_write_named_by_its_digest_is_sent_again() -> None:
    exchange = Exchange()
    calls: list[bytes] = []

    def breaks_once(request: httpx.Request) -> httpx.Response:
        calls.append(request.content)
        if len(calls) == 1:
            raise httpx.ReadError("reset", request=request)
        return httpx.Response(202, json={"intent": INTENT})

    exchange.routes["POST", "/orders"] = breaks_once
    with exchange.client(None) as client:
        assert client.post("/orders", {"fund": 1}, repeatable=True) == {"intent": INTENT}
    assert calls[0] == calls[1]


def test_a_document_with_another_digest_is_refused() -> None:
    exchange = Exchange()
    with exchange.client(keys(1)) as client:
        digest = client.put_document({"price": 200})
        exchange.store[digest] = canonical_json({"price": 201})
        with pytest.raises(VerificationError) as caught:
            client.get_document(digest)
    assert (caught.value.code, caught.value.expected) == ("content_differs", digest)


@pytest.mark.parametrize("sent", [{"price": 201}, {"price": 1.5}, None, "price"])
def test_a_document_that_is_sent_along_counts_only_under_its_own_digest(sent: object) -> None:
    exchange = Exchange()
    with exchange.client(keys(1)) as client:
        digest = client.put_document({"price": 200})
        assert client.take_document(digest, {digest: sent}) == {"price": 200}
        exchange.store.clear()
        assert client.take_document(digest, {digest: {"price": 200}}) == {"price": 200}  # nothing was fetched


def test_a_document_that_is_not_canonical_is_refused() -> None:
    exchange = Exchange()
    content = b'{"b": 1, "a": 2}'
    exchange.store[to_hex(sha256(content))] = content
    with exchange.client(keys(1)) as client, pytest.raises(VerificationError) as caught:
        client.get_document(to_hex(sha256(content)))
    assert caught.value.code == "document_malformed"


def test_an_altered_blob_is_refused() -> None:
    exchange = Exchange()
    with exchange.client(keys(1)) as client:
        digest = client.put_blob(b"ciphertext")
        exchange.store[digest] = b"ciphertexT"
        with pytest.raises(VerificationError):
            client.get_blob(digest)


def test_waits_until_the_ledger_has_decided() -> None:
    exchange = Exchange()
    states = iter(["queued", "queued", "mined"])
    exchange.routes["GET", f"/intents/{INTENT}"] = lambda _: httpx.Response(
        200, json={"status": next(states), "block": 7}
    )
    with exchange.client(None) as client:
        assert client.wait_for_intent(INTENT)["block"] == 7


def test_a_contracts_refusal_is_a_rule_error_with_its_code() -> None:
    exchange = Exchange()
    exchange.fixed("GET", f"/intents/{INTENT}", {"status": "refused", "code": "rights_version"})
    with exchange.client(None) as client, pytest.raises(RuleError) as caught:
        client.wait_for_intent(INTENT)
    assert caught.value.code == "rights_version"


def test_an_undecided_intent_is_said_to_be_pending() -> None:
    exchange = Exchange()
    exchange.fixed("GET", f"/intents/{INTENT}", {"status": "queued"})
    clock = iter(range(NOW, NOW + 10_000, 30))
    with exchange.client(None, now=lambda: float(next(clock))) as client, pytest.raises(PortError) as caught:
        client.wait_for_intent(INTENT, seconds=60)
    assert (caught.value.code, caught.value.retryable) == ("intent_pending", True)


def test_a_service_that_is_gone_for_a_while_does_not_make_what_it_took_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is told that there is no connection does the same again, and pays twice."""
    exchange, asked = Exchange(), iter(range(100))

    def gone_at_first(request: httpx.Request) -> httpx.Response:
        if next(asked) < 7:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200, json={"status": "mined", "block": 7})

    exchange.routes["GET", f"/intents/{INTENT}"] = gone_at_first
    with exchange.client(None) as client:
        monkeypatch.setattr(client._transport, "_sleep", lambda _: None)
        assert client.wait_for_intent(INTENT)["block"] == 7
    exchange.routes["GET", f"/intents/{INTENT}"] = lambda _: httpx.Response(503)
    clock = iter(range(NOW, NOW + 10_000, 30))
    silent = exchange.client(None, now=lambda: float(next(clock)))
    monkeypatch.setattr(silent._transport, "_sleep", lambda _: None)
    with silent as client, pytest.raises(PortError) as caught:
        client.wait_for_intent(INTENT, seconds=60)
    assert (caught.value.code, caught.value.got) == ("intent_pending", "unknown")
    assert INTENT in caught.value.hint


def test_pages_are_followed_to_the_end_on_the_same_service() -> None:
    exchange = Exchange()

    def page(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("cursor") == "c2":
            return httpx.Response(200, json={"items": [{"n": 3}]})
        link = {"link": '<http://elsewhere.test/listings?cursor=c2>; rel="next"'}
        return httpx.Response(200, json={"items": [{"n": 1}, {"n": 2}]}, headers=link)

    exchange.routes["GET", "/listings"] = page
    with exchange.client(None) as client:
        assert [item["n"] for item in client.pages("/listings")] == [1, 2, 3]
    assert {request.url.host for request in exchange.seen} == {"exchange.test"}


def test_an_application_is_signed_over_a_blinded_profile() -> None:
    exchange = Exchange()
    exchange.fixed("POST", "/participants/applications", {"status": "applied"}, 201)
    with exchange.client(keys(1)) as client:
        first = join(client, Role.SUPPLIER | Role.BUYER, "Airline", "航司")
        second = join(client, Role.SUPPLIER | Role.BUYER, "Airline", "航司")
    assert first["identityDigest"] != second["identityDigest"]
    body = json.loads(exchange.seen[-1].content)
    assert body["join"]["roles"] == 3
    assert body["join"]["identityDigest"] == to_hex(sha256(canonical_json(body["document"])))
    assert DEPLOYMENT.chain_id == 20260


@pytest.mark.parametrize("status", [200, 400])
def test_a_deeply_nested_answer_is_an_error_like_any_other(status: int) -> None:
    exchange = Exchange()
    exchange.routes["GET", "/deep"] = lambda _: httpx.Response(status, content=b'{"a":' + b"[" * 200_000)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)  # as some dependencies do
    try:
        with exchange.client(None) as client, pytest.raises(MarketplaceError):
            client.get("/deep", signed=False)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize("status", [200, 500])
def test_a_packed_bomb_is_refused_while_it_unpacks(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 1 << 20)
    packed = gzip.compress(bytes(200 << 20))
    given = 0

    def chunks() -> Iterator[bytes]:
        nonlocal given
        for start in range(0, len(packed), 1024):
            given += 1
            yield packed[start : start + 1024]

    exchange = Exchange()
    headers = {"content-encoding": "gzip"}
    exchange.routes["GET", "/bomb"] = lambda _: httpx.Response(status, headers=headers, content=chunks())
    with exchange.client(None) as client, pytest.raises(PortError) as caught:
        client.get("/bomb", signed=False)
    assert caught.value.code == "answer_too_large"
    assert given < 10


@pytest.mark.parametrize("packing", ["zstd", "br", "gzip, gzip", "zstd, gzip", " ZSTD"])
def test_an_answer_packed_otherwise_is_refused_before_it_is_unpacked(packing: str, tmp_path: Path) -> None:
    """128 KiB of zstd hold 4 GiB: a cap on what comes out of one packet would come too late."""
    given = 0

    def chunks() -> Iterator[bytes]:
        nonlocal given
        given += 1
        yield zstandard.ZstdCompressor().compress(bytes(1 << 24))

    exchange = Exchange()
    headers = {"content-encoding": packing}
    exchange.routes["GET", "/bomb"] = lambda _: httpx.Response(200, headers=headers, content=chunks())
    with exchange.client(None) as client:
        for read in (lambda: client.get("/bomb", signed=False), lambda: client.download("/bomb", tmp_path / "x")):
            with pytest.raises(PortError) as caught:
                read()
            assert caught.value.code == "answer_malformed"
    assert given == 0


def test_a_packed_answer_is_read() -> None:
    exchange = Exchange()
    headers = {"content-encoding": "gzip"}
    exchange.routes["GET", "/packed"] = lambda _: httpx.Response(
        200, headers=headers, content=gzip.compress(b'{"a":1}')
    )
    with exchange.client(None) as client:
        assert client.get("/packed", signed=False) == {"a": 1}

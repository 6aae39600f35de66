"""What HTTP promises whoever calls: one shape of refusal, nothing of others, bounded bodies, all of it described."""

import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from crypto import siwe, timestamps
from crypto.canonical import canonical_json, sha256, to_hex
from marketplace.app import STATUS
from marketplace.documents.ids import listing_id
from marketplace.errors import MarketplaceError
from marketplace.refusals.cryptographic import CRYPTO
from marketplace.sdk.client import Client
from tests.integration.service.town import Town
from tests.sealed_market import keys

UNKNOWN = "0x" + "ab" * 32
SIGNATURE = "0x" + "11" * 65
PROBLEM = {"type", "title", "status", "detail", "code", "instance", "trace_id"}


def token(client: Client) -> dict[str, str]:
    """The header that a client signs in with."""
    return client._bearer()


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check a refusal's shape and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert set(problem) >= PROBLEM
    assert (problem["code"], problem["type"]) == (code, f"urn:marketplace:problem:{code}")
    return problem


def test_the_document_is_openapi_3_1_with_unique_operations(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert document["openapi"].startswith("3.1")
    assert len(names) == len(set(names)) > 40
    assert all(operation.get("tags") and operation.get("description") for operation in operations)
    assert "Problem" in document["components"]["schemas"]
    assert document["components"]["securitySchemes"]["session"]["scheme"] == "bearer"


def test_every_reference_of_the_document_leads_somewhere(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            inner = [found for item in value.values() for found in references(item)]
            return inner + ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
        return [found for item in value for found in references(item)] if isinstance(value, list) else []

    for reference in set(references(document)):
        assert reference.rpartition("/")[2] in document["components"]["schemas"]


def test_every_error_has_a_status() -> None:
    def kinds(kind: type[Exception]) -> list[type[Exception]]:
        return [kind, *(found for sub in kind.__subclasses__() for found in kinds(sub))]

    assert all(any(base in STATUS for base in kind.__mro__) for kind in kinds(MarketplaceError))
    assert {kind.__module__ for kind in CRYPTO} == {"crypto.errors"}


def test_answers_carry_trace_and_security_headers(http: httpx.Client) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    response = http.get(
        "/nowhere", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "x-request-id": "mine-1"}
    )
    assert refused(response, 404, "not_found")["trace_id"] == trace
    assert response.headers["x-request-id"] == "mine-1"
    assert response.headers["traceparent"].split("-")[1] == trace
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]


def test_a_hostile_request_id_is_not_echoed(http: httpx.Client) -> None:
    response = http.get("/healthz", headers={"x-request-id": "a b<script>"})
    assert response.headers["x-request-id"] != "a b<script>"


def test_a_wrong_method_names_the_right_ones(http: httpx.Client) -> None:
    response = http.delete("/listings")
    refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET, POST"


def test_a_hostile_host_is_not_redirected_to(http: httpx.Client) -> None:
    response = http.get("/listings/", headers={"host": "elsewhere.example"})
    refused(response, 404, "not_found")
    assert "location" not in response.headers


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(http: httpx.Client, town: Town) -> None:
    big = b"x" * (town.context.settings.max_body_bytes + 1)
    refused(http.post("/orders", content=big), 413, "body_too_large")
    refused(http.post("/orders", content=iter([big])), 413, "body_too_large")  # no length announced


def test_a_misshapen_body_names_the_member_and_repeats_no_value(http: httpx.Client) -> None:
    fund = {"orderId": "0xSECRET", "escrow": "1"}
    response = http.post("/orders", json={"fund": fund, "signature": SIGNATURE, "agreement": {}})
    problem = refused(response, 422, "shape_invalid")
    assert ["body", "fund", "orderId"] in [error["at"] for error in problem["errors"]]
    assert "SECRET" not in response.text


@pytest.mark.parametrize("escrow", [True, 1.0, "1", -1, 2**53])
def test_an_amount_is_an_integer_in_range(http: httpx.Client, escrow: object) -> None:
    fund = {"orderId": UNKNOWN, "listingId": UNKNOWN, "buyer": "0x" + "11" * 20, "escrow": escrow, "epsilonCap": 1}
    fund |= {"currency": 156, "validUntil": 1, "agreementDigest": UNKNOWN, "agreementId": UNKNOWN, "deadline": 1}
    response = http.post("/orders", json={"fund": fund, "signature": SIGNATURE, "agreement": {}})
    assert refused(response, 422, "shape_invalid")["errors"][0]["at"] == ["body", "fund", "escrow"]


PRIVATE = (
    ("GET", "/orders/{order}"),
    ("GET", "/orders/{order}/voucher"),
    ("GET", "/settlement/statements/{order}"),
    ("GET", "/settlement/balances/{buyer}"),
    ("GET", "/documents/{agreement}"),
    ("GET", "/documents/{profile}"),
)


def _facts(town: Town) -> dict[str, str]:
    order = town["buyer"].get(f"/orders/{town.facts['order']}")
    person = town["buyer"].get(f"/participants/{town['buyer'].address}")
    facts = {"order": town.facts["order"], "buyer": town["buyer"].address}
    return facts | {"agreement": order["agreementDigest"], "profile": person["identityDigest"]}


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_what_is_not_yours_does_not_exist(town: Town, http: httpx.Client, method: str, path: str) -> None:
    url = path.format(**_facts(town))
    stranger = http.request(method, url, headers=token(town["rival"]))
    assert stranger.status_code == 404
    assert stranger.headers["content-type"] == "application/problem+json"
    other = path.format(order=UNKNOWN, buyer="0x" + "77" * 20, agreement=UNKNOWN, profile=UNKNOWN)
    nothing = http.request(method, other, headers=token(town["rival"]))
    assert nothing.json()["code"] == stranger.json()["code"]  # the two are not told apart


NEEDS_SIGN_IN = (
    ("GET", "/orders"),
    ("GET", f"/orders/{UNKNOWN}"),
    ("GET", f"/queries/{UNKNOWN}"),
    ("GET", "/participants/applications"),
    ("GET", "/evidence/bundle"),
    ("POST", "/panel/tasks"),
    ("POST", "/vault/tasks"),
    ("DELETE", "/session"),
)


@pytest.mark.parametrize(("method", "path"), NEEDS_SIGN_IN)
def test_what_belongs_to_somebody_needs_a_sign_in(http: httpx.Client, method: str, path: str) -> None:
    body: dict[str, Any] = {"json": {}} if method == "POST" else {}
    response = http.request(method, path, **body)
    refused(response, 401, "not_signed_in")
    assert response.headers["www-authenticate"] == "Bearer"
    over = http.request(method, path, headers={"authorization": "Bearer nothing"}, **body)
    refused(over, 401, "session_over")


NEEDS_ROLE = (
    ("GET", "/participants/applications", None),
    ("GET", "/evidence/bundle", None),
    ("POST", "/panel/keys", {"bls": "0x" + "00" * 48, "possession": "0x" + "00" * 96}),
    ("PUT", f"/blobs/{to_hex(sha256(b'x'))}", b"x"),
)


@pytest.mark.parametrize(("method", "path", "body"), NEEDS_ROLE)
def test_what_a_role_may_do_nobody_else_may(town: Town, http: httpx.Client, method: str, path: str, body: Any) -> None:
    content = {"content": body} if isinstance(body, bytes) else {"json": body} if body else {}
    refused(http.request(method, path, headers=token(town["buyer"]), **content), 403, "role_missing")


def test_a_challenge_signs_in_once_and_out(town: Town, http: httpx.Client) -> None:
    with Client(town.url, town["buyer"].keys) as client:
        header = token(client)
    assert http.get("/orders", headers=header).status_code == 200
    assert http.delete("/session", headers=header).status_code == 204
    refused(http.get("/orders", headers=header), 401, "session_over")


def test_a_sign_in_for_another_domain_is_refused(town: Town, http: httpx.Client) -> None:
    nonce = http.post("/session/nonce").json()["nonce"]
    text = f"evil.example wants you to sign in with your Ethereum account:\n0x\n\nNonce: {nonce}"
    refused(http.post("/session", json={"message": text, "signature": SIGNATURE}), 403, "sign_in_refused")


def signed_in(http: httpx.Client, domain: str, **changes: Any) -> httpx.Response:
    """The answer to a sign-in by the buyer's key whose message says these, for a fresh challenge; times that are
    numbers are seconds from now.
    """
    asked, signer, now = http.post("/session/nonce").json(), keys("buyer"), int(time.time())
    said: dict[str, Any] = {"domain": domain, "uri": f"http://{domain}", "address": signer.address, "issued_at": 0}
    said |= {"nonce": asked["nonce"], **changes}
    texts: dict[str, Any] = {
        name: timestamps.to_text(now + value) if isinstance(value, int) else value for name, value in said.items()
    }
    text = siwe.SignIn(**texts, chain_id=asked["chainId"]).to_text()
    body = {"message": text, "signature": to_hex(siwe.sign(text, signer.signing_key))}
    return http.post("/session", json=body)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"uri": "https://evil.example"}, "URI"),
        ({"uri": "http://127.0.0.1:1/"}, "URI"),
        ({"uri": "urn:here"}, "URI"),
        ({"scheme": "https"}, "origin"),
        ({"issued_at": "2020-01-01T00:00:00Z"}, "Issued At"),
        ({"issued_at": "2090-01-01T00:00:00Z"}, "Issued At"),
        ({"issued_at": 120}, "Issued At"),
        ({"expiration_time": -1}, "expired"),
        ({"not_before": 120}, "not valid before"),
    ],
)
def test_a_sign_in_that_is_not_of_here_and_now_is_refused(
    town: Town, http: httpx.Client, changes: dict[str, Any], word: str
) -> None:
    answer = signed_in(http, urlsplit(town.url).netloc, **changes)
    refused(answer, 403, "sign_in_refused")
    assert word in answer.json()["detail"]


@pytest.mark.parametrize("changes", [{}, {"issued_at": 30}, {"scheme": "http"}, {"expiration_time": 200}])
def test_a_sign_in_of_here_and_now_is_taken(town: Town, http: httpx.Client, changes: dict[str, Any]) -> None:
    netloc = urlsplit(town.url).netloc
    assert signed_in(http, netloc, uri=f"HTTP://{netloc}/any/path", **changes).status_code == 200


@pytest.mark.parametrize("path", ["/rights/assets", "/listings", "/registrations/notices", "/readyz"])
def test_a_parameter_that_an_operation_does_not_have_is_refused(http: httpx.Client, path: str) -> None:
    problem = refused(http.get(path, params={"code": "SJ3102026110001"}), 422, "shape_invalid")
    assert problem["errors"][0]["at"] == ["query", "code"]
    assert http.get(path).status_code == 200


def test_a_parameter_that_an_operation_has_is_taken(town: Town, http: httpx.Client) -> None:
    asked: dict[str, str | int] = {"holder": town["supplier"].address, "kind": 3, "limit": 1}
    assert len(http.get("/rights/titles", params=asked).json()["items"]) == 1


def test_documents_are_named_by_their_bytes(town: Town, http: httpx.Client) -> None:
    body = canonical_json(town.facts["dataset"].manifest)
    header = token(town["supplier"])
    refused(http.put(f"/documents/{UNKNOWN}", content=body, headers=header), 422, "digest_mismatch")
    spaced = body.replace(b",", b", ", 1)
    refused(http.put(f"/documents/{to_hex(sha256(spaced))}", content=spaced, headers=header), 422, "malformed_input")
    assert http.put(f"/documents/{to_hex(sha256(body))}", content=body, headers=header).status_code == 201
    answer = http.get(f"/documents/{to_hex(sha256(body))}")
    assert answer.content == body
    assert answer.headers["content-digest"].startswith("sha-256=:")


def test_private_kinds_are_not_uploaded_by_themselves(town: Town, http: httpx.Client) -> None:
    agreement = town["buyer"].get_document(_facts(town)["agreement"])
    body = canonical_json(agreement)
    response = http.put(f"/documents/{to_hex(sha256(body))}", content=body, headers=token(town["supplier"]))
    refused(response, 422, "document_not_uploaded")


def test_a_page_links_to_the_next(http: httpx.Client, town: Town) -> None:
    first = http.get("/participants", params={"limit": 2})
    assert len(first.json()["items"]) == 2
    assert first.links["next"]["url"].startswith("/participants?")
    whole = http.get("/participants", params={"limit": 200}).json()["items"]
    assert town["buyer"].pages("/participants", limit=2) == whole
    assert len(whole) >= 11
    refused(http.get("/participants", params={"cursor": "%%%"}), 422, "cursor_invalid")


def test_a_holders_titles_are_listed_page_by_page(http: httpx.Client, town: Town) -> None:
    holder = town["supplier"].address
    rows = town["buyer"].pages(f"/rights/titles?holder={holder}&limit=1")
    assert {row["holder"] for row in rows} == {holder}
    names = [row["titleId"] for row in rows]
    assert names == sorted(set(names))
    alone = [http.get(f"/rights/titles/{name}").json() for name in names]  # says more: scope in words, standing
    assert all({field: title[field] for field in row} == row for row, title in zip(rows, alone, strict=True))
    kinds = {row["kind"] for row in rows}
    assert len(kinds) > 1
    for kind in kinds:
        listed = http.get("/rights/titles", params={"holder": holder, "kind": kind}).json()["items"]
        assert listed == [row for row in rows if row["kind"] == kind]
    assert http.get("/rights/titles", params={"holder": "0x" + "9" * 40}).json() == {"items": [], "next": None}
    refused(http.get("/rights/titles"), 422, "shape_invalid")
    refused(http.get("/rights/titles", params={"holder": holder, "kind": 9}), 422, "shape_invalid")


@pytest.mark.parametrize("cursor", ["=", "A", "AA==", "Cg==", "gA=="])
def test_a_cursor_that_was_not_made_here_is_refused(http: httpx.Client, cursor: str) -> None:
    refused(http.get("/listings", params={"cursor": cursor}), 422, "cursor_invalid")


@pytest.mark.parametrize("path", ["blobs", "documents"])
def test_who_may_not_upload_is_refused_before_the_body_is_read(town: Town, path: str) -> None:
    bearer = token(town["rival"])["authorization"]
    with socket.create_connection(("127.0.0.1", town.context.settings.port), timeout=5) as connection:
        lines = (f"PUT /{path}/{UNKNOWN} HTTP/1.1", "host: here", f"authorization: {bearer}", "content-length: 1000000")
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        assert b" 403 " in connection.recv(4096).splitlines()[0]  # and not one byte of the body was sent


def test_unknown_things_are_not_found(http: httpx.Client) -> None:
    for path, code in {
        f"/intents/{UNKNOWN}": "intent_unknown",
        f"/rights/assets/{UNKNOWN}": "asset_unknown",
        f"/rights/titles/{UNKNOWN}": "title_unknown",
        f"/listings/{listing_id('0x' + '11' * 20, UNKNOWN, UNKNOWN)}": "listing_unknown",
        f"/participants/0x{'11' * 20}": "participant_unknown",
        f"/blobs/{UNKNOWN}": "blob_unknown",
        f"/documents/{UNKNOWN}": "document_not_found",
        "/log/tile/0/000.p/255": "tile_unknown",
        "/log/tile/../x": "not_found",
    }.items():
        refused(http.get(path), 404, code)


def test_an_anchoring_that_fails_is_told_and_tried_again(
    http: httpx.Client, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_session: object) -> bool:
        raise ValueError("nobody thought of this")

    def status(wanted: int) -> httpx.Response:
        for _ in range(100):
            response = http.get("/readyz")
            if response.status_code == wanted:
                break
            time.sleep(0.05)
        return response

    with monkeypatch.context() as patched:
        patched.setattr("marketplace.evidence.service.is_unanchored", fail)
        problem = refused(status(503), 503, "ledger_not_ready")
        assert "ValueError" in problem["detail"]
        assert "nobody" not in problem["detail"]
    assert status(200).status_code == 200


def test_readiness_asks_the_store_and_the_ledger(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "alive"}
    assert http.get("/readyz").json() == {"status": "ready", "hindrances": []}

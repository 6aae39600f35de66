"""The resolver of a running service: every object by its identifier, as record, page and DID document."""

from typing import Any

import httpx
import pytest

from marketplace.documents.dids import did_ethr, did_web
from marketplace.documents.identifiers import Identifier, Kind, identifier
from marketplace.documents.ids import trade_id
from marketplace.sdk import settlement
from marketplace.types import ParticipantStatus, Role
from tests import did_core
from tests.integration.service.test_clearing import answered_order
from tests.integration.service.test_http import refused, token
from tests.integration.service.town import Town

DID_TYPE = "application/did+ld+json"


def subjects(town: Town) -> dict[Kind, str]:
    """An object of each kind."""
    asset = town["supplier"].get(f"/rights/assets/{town.facts['asset']}")
    return {
        Kind.PARTY: town["supplier"].address,
        Kind.DATA: town.facts["asset"],
        Kind.SERIES: town.facts["asset"],
        Kind.PRODUCT: town.facts["listing"],
        Kind.CERTIFICATE: asset["certificateDigest"],
        Kind.ORDER: town.facts["order"],
        Kind.TRADE: trade_id(settled_order(town)),
    }


def settled_order(town: Town) -> str:
    """An order that has ended; one for all tests of a town."""
    if "settled" not in town.facts:
        town.facts["settled"] = answered_order(town)
        settlement.close(town["supplier"], town.facts["settled"])
    return str(town.facts["settled"])


def name_of(town: Town, kind: Kind) -> Identifier:
    return identifier(kind, subjects(town)[kind])


@pytest.mark.parametrize("kind", list(Kind))
def test_every_object_resolves_to_itself(town: Town, http: httpx.Client, kind: Kind) -> None:
    name, header = name_of(town, kind), token(town["buyer"])
    found = http.get(f"/identifiers/{name}", headers=header).json()
    assert (found["identifier"], found["kind"], found["subject"]) == (str(name), kind, subjects(town)[kind])
    assert found["inForce"] is True
    assert found["until"] is None
    assert found["since"]["block"] > 0
    assert found["since"]["time"].endswith("Z")
    assert found["did"] == did_web(town.url, "did", str(name))
    assert http.get(f"/identifiers/{name.grouped}", headers=header).json() == found
    for link in found["links"]:
        linked = http.get(link["href"], headers=header).json()
        assert (linked["identifier"], linked["subject"]) == (link["identifier"], link["subject"])


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.SERIES])
def test_an_id_of_the_ledger_resolves_too(town: Town, http: httpx.Client, kind: Kind) -> None:
    found = http.get(f"/identifiers/{subjects(town)[kind]}", headers=token(town["buyer"])).json()
    assert found["identifier"] == str(name_of(town, kind))


@pytest.mark.parametrize("kind", list(Kind))
def test_a_page_says_everything_in_both_languages(town: Town, http: httpx.Client, kind: Kind) -> None:
    found = http.get(f"/identifiers/{name_of(town, kind)}/page", headers=token(town["buyer"])).json()
    texts = [found["heading"], found["kind"], found["status"]]
    texts += [item[part] for item in found["lines"] for part in ("label", "value")]
    texts += [item[part] for item in found["links"] for part in ("label", "text")]
    assert all(set(text) == {"en", "zh"} and text["en"] and text["zh"] for text in texts)
    assert any("区块" in item["value"]["zh"] for item in found["lines"])


@pytest.mark.parametrize("kind", list(Kind))
def test_every_object_has_a_did_document(town: Town, http: httpx.Client, kind: Kind) -> None:
    name, header = name_of(town, kind), token(town["buyer"])
    answer = http.get(f"/identifiers/{name}", headers={**header, "accept": f"text/html, {DID_TYPE}; q=0.9"})
    assert answer.headers["content-type"] == DID_TYPE
    did_core.check(answer.json())
    assert answer.json()["id"] == did_web(town.url, "did", str(name))
    assert http.get(f"/did/{name}/did.json", headers=header).content == answer.content
    escaped = answer.json()["id"].replace("%", "%25")
    assert http.get(f"/did/{escaped}", headers=header).content == answer.content


def test_a_participant_s_document_names_its_account(town: Town, http: httpx.Client) -> None:
    account, chain = town["node-1"].address, town.context.settings.chain_id
    found = http.get(f"/identifiers/{account}", headers={"accept": DID_TYPE}).json()
    recovery, panel = found["verificationMethod"]
    assert recovery["type"] == "EcdsaSecp256k1RecoveryMethod2020"
    assert recovery["blockchainAccountId"].lower() == f"eip155:{chain}:{account}"
    assert panel["type"] == "Multikey"
    assert found["alsoKnownAs"] == [did_ethr(chain, account)]
    assert found["authentication"] == found["capabilityInvocation"] == [recovery["id"]]
    ethr = http.get(f"/did/{did_ethr(chain, account)}").json()
    did_core.check(ethr)
    assert ethr["verificationMethod"][0]["blockchainAccountId"] == recovery["blockchainAccountId"]


def test_data_and_products_are_controlled_by_their_parties(town: Town, http: httpx.Client) -> None:
    chain = town.context.settings.chain_id
    for kind, party in ((Kind.DATA, "supplier"), (Kind.PRODUCT, "supplier")):
        found = http.get(f"/did/{name_of(town, kind)}/did.json").json()
        assert found["controller"] == did_ethr(chain, town[party].address)
    certificate = http.get(f"/did/{name_of(town, Kind.CERTIFICATE)}/did.json").json()
    assert certificate["controller"] == did_web(town.url)


def test_the_exchange_s_document_names_keys_and_services(town: Town, http: httpx.Client) -> None:
    answer = http.get("/.well-known/did.json")
    found = answer.json()
    did_core.check(found)
    assert answer.headers["content-type"] == DID_TYPE
    did = did_web(town.url)
    assert found["id"] == did
    active = [row for row in town["buyer"].pages("/participants") if row["status"] == ParticipantStatus.ACTIVE]
    registrars = {row["account"] for row in active if row["roles"] & Role.REGISTRAR}
    ids = [method["id"] for method in found["verificationMethod"]]
    assert ids[:2] == [f"{did}#log", f"{did}#exchange"]
    assert sorted(ids[2:]) == sorted(f"{did}#registrar-{account}" for account in registrars)
    assert town["registrar"].address in registrars
    assert found["assertionMethod"] == ids
    assert found["authentication"] == found["capabilityInvocation"] == [f"{did}#exchange"]
    profile = http.get("/profile").json()
    accounts = [method.get("blockchainAccountId", "").lower() for method in found["verificationMethod"]]
    assert accounts[1].endswith(profile["exchange"])
    assert {item["serviceEndpoint"] for item in found["service"]} >= {f"{town.url}/identifiers/", f"{town.url}/log/"}
    escaped = did.replace("%", "%25")
    assert http.get(f"/did/{escaped}").content == answer.content


def test_any_did_key_resolves(http: httpx.Client) -> None:
    key = "z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F"
    found = http.get(f"/did/did:key:{key}").json()
    did_core.check(found)
    assert found["keyAgreement"] == [f"did:key:{key}#{key}"]


def test_an_order_is_found_by_its_parties_alone(town: Town, http: httpx.Client) -> None:
    name = name_of(town, Kind.ORDER)
    for path in (f"/identifiers/{name}", f"/identifiers/{name}/page", f"/did/{name}/did.json"):
        assert http.get(path, headers=token(town["supplier"])).status_code == 200
        assert http.get(path, headers=token(town["auditor"])).status_code == 200
        for header in ({}, token(town["rival"])):
            refused(http.get(path, headers=header), 404, "unknown_identifier")
    assert "private" in http.get(f"/identifiers/{name}", headers=token(town["buyer"])).headers["cache-control"]


UNKNOWN = [Identifier(kind, b"\xab" * 20) for kind in Kind]


@pytest.mark.parametrize("name", [*map(str, UNKNOWN), "0x" + "ab" * 32, "0x" + "ab" * 20])
def test_what_names_nothing_is_not_found(http: httpx.Client, name: str) -> None:
    for path in (f"/identifiers/{name}", f"/identifiers/{name}/page", f"/did/{name}/did.json"):
        problem = refused(http.get(path), 404, "unknown_identifier")
        assert problem["zh"]
        assert problem["hint_zh"]


def test_a_mistyped_identifier_is_refused_and_told_why(town: Town, http: httpx.Client) -> None:
    name = str(name_of(town, Kind.DATA))
    for wrong in (name[:-1] + ("q" if name[-1] != "q" else "p"), name.replace("data", "order"), name[:-2], "0xab", "x"):
        problem = refused(http.get(f"/identifiers/{wrong}"), 422, "malformed_identifier")
        assert problem["detail"].startswith("this is no identifier: ")
        assert problem["zh"]


@pytest.mark.parametrize(
    ("did", "status", "code"),
    [
        ("did:web:elsewhere.example", 404, "unknown_identifier"),
        ("did:ethr:0x1:0x" + "11" * 20, 404, "unknown_identifier"),
        ("did:ethr:0x4f24:0x" + "11" * 20, 404, "unknown_identifier"),
        ("did:ion:abc", 422, "did_method_unsupported"),
        ("did:key:z6Mk", 422, "malformed_did"),
        ("did:ethr:7", 422, "malformed_did"),
        ("hello", 422, "malformed_did"),
    ],
)
def test_a_did_that_is_not_ours_is_refused(http: httpx.Client, did: str, status: int, code: str) -> None:
    assert refused(http.get(f"/did/{did}"), status, code)["zh"]


def test_an_answer_is_asked_for_again_by_its_tag(town: Town, http: httpx.Client) -> None:
    path = f"/identifiers/{name_of(town, Kind.PARTY)}"
    first = http.get(path)
    assert first.headers["cache-control"] == "public, no-cache"
    assert first.headers["vary"] == "accept, authorization"
    again = http.get(path, headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert http.get(path, headers={"if-none-match": '"other"'}).content == first.content
    other: dict[str, Any] = {"if-none-match": first.headers["etag"], "accept": DID_TYPE}
    assert http.get(path, headers=other).status_code == 200
